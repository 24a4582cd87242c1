"""Arrays that public calls are given: what numpy would read in another sense is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.errors import SettingError


def array_of(name: str, value: Any) -> npt.NDArray[Any]:
    """Return an argument as an array of numpy.

    Lists that hold strings beside other values become objects. By itself numpy would make strings
    of them all: NaN the name "nan", and 1 the name "1".

    Args:
        name: the argument, for the message.
        value: an array, lists, or anything else that numpy reads.

    Raises:
        SettingError: lists in a list differ in length, or an entry is masked.
    """
    refuse_masked(name, value)
    try:
        values = np.asarray(value)
        if isinstance(value, list | tuple) and values.dtype.kind in "US":
            objects = np.array(value, dtype=object)
            kind = str if values.dtype.kind == "U" else bytes
            if not all(isinstance(one, kind) for one in objects.flat):
                return objects
    except ValueError as error:
        raise SettingError(
            f"{name}: cannot be read as an array: {_row_of_another_length(value) or error}"
        ) from error
    return values


def refuse_masked(
    name: str,
    value: object,
    way_out: str = "fill such entries, e.g. by .filled(...), or leave their rows out",
) -> None:
    """Raise SettingError if an entry of a masked array of numpy is masked.

    What is under a mask would be a number like others to all that follows.

    Args:
        name: the argument, for the message.
        value: any value.
        way_out: the end of the message.
    """
    if not isinstance(value, np.ma.MaskedArray) or not np.ma.is_masked(value):
        return
    first = np.argwhere(np.ma.getmaskarray(value))[0].tolist()
    at = f"position {first[0]}" if len(first) == 1 else f"position {tuple(first)}"
    raise SettingError(f"{name}: {at} is masked; {way_out}")


def _row_of_another_length(value: Any) -> str | None:
    """Say which list of a list differs in length from the first; None if all have one length."""
    lengths = [f"length {len(one):,}" if hasattr(one, "__len__") else "no length" for one in value]
    for row, length in enumerate(lengths):
        if length != lengths[0]:
            return f"row {row} has {length}, but row 0 {lengths[0]}"
    return None
