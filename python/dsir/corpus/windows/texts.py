"""Cuts the texts of windows out of the texts of their documents."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core


class WindowTexts(NamedTuple):
    """Windows as texts.

    Attributes:
        text: large_string; null if the window has no bytes.
        start: int64, characters (code points) of the document before the window.
        stop: int64, characters of the document up to the window's end: its text is
            `document[start:stop]`.
    """

    text: pa.Array
    start: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]


def window_texts(
    documents: pa.Array,
    positions: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
) -> WindowTexts:
    """Cut windows out of documents.

    Args:
        documents: string, large_string, string_view, or a dictionary of one of these.
        positions: int64, which document each window is cut from.
        starts: int64, where each window begins in its document, in bytes.
        lengths: int64, the bytes of each window.

    Raises:
        ValueError: a window is not within its document, or its ends are not between characters.
    """
    offsets, data, start, stop = _core.slice_texts(
        documents,
        np.ascontiguousarray(positions),
        np.ascontiguousarray(starts),
        np.ascontiguousarray(lengths),
    )
    present = np.packbits(lengths != 0, bitorder="little")
    text = pa.LargeStringArray.from_buffers(
        len(lengths), pa.py_buffer(offsets), pa.py_buffer(data), pa.py_buffer(present)
    )
    return WindowTexts(text, start, stop)
