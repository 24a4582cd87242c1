"""Arrays of numbers from numpy to Arrow and back, without a copy and without pandas.

pyarrow's own conversions import pandas if it is installed, to check whether their argument is a
Series. The import takes a third of a second, longer than a small run. dsir converts only flat
arrays of numbers without nulls, and for those the buffer is enough.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_TYPES = {
    np.dtype(np.float64): pa.float64(),
    np.dtype(np.int64): pa.int64(),
    np.dtype(np.uint8): pa.uint8(),
    np.dtype(np.uint16): pa.uint16(),
    np.dtype(np.uint32): pa.uint32(),
    np.dtype(np.uint64): pa.uint64(),
}


def to_arrow(values: npt.NDArray[Any]) -> pa.Array:
    """Return a flat array of a type in _TYPES as an Arrow array over the same memory."""
    flat = np.ascontiguousarray(values)
    return pa.Array.from_buffers(_TYPES[flat.dtype], len(flat), [None, pa.py_buffer(flat)])


def to_numpy(array: pa.Array) -> npt.NDArray[Any]:
    """Return an Arrow array of numbers without nulls as a read-only array over the same memory."""
    # Arrow's float has 32 bits and numpy's has 64.
    name = str(array.type)
    dtype = np.dtype({"double": "float64", "float": "float32"}.get(name, name))
    values = array.buffers()[1]
    if values is None:
        return np.zeros(0, dtype)
    return np.frombuffer(values, dtype, len(array), array.offset * dtype.itemsize)
