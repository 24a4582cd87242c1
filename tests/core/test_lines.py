"""The lines of a block of JSON Lines, against a plain reading of it."""

from __future__ import annotations

import array

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dsir import _core

BLOCKS = st.lists(
    st.sampled_from(
        [
            b"{",
            b"}",
            b"{}",
            b" ",
            b"\t",
            b"\r",
            b"\n",
            b"\n",
            b"\r\n",
            b"x",
            b"\0",
            b"\x0b",
            b"\xff",
        ]
    )
).map(b"".join)


def lines_plainly(block: bytes) -> tuple[list[int], list[int], bool]:
    starts, ends, objects = [], [], True
    at = 0
    for piece in block.split(b"\n"):
        trimmed = piece.strip(b" \t\r")
        if trimmed:
            starts.append(at)
            ends.append(at + len(piece.removesuffix(b"\r")))
            objects = objects and trimmed.startswith(b"{") and trimmed.endswith(b"}")
        at += len(piece) + 1
    return starts, ends, objects


@given(st.one_of(BLOCKS, st.binary(max_size=60)))
@example(b"")
@example(b"{}\r\n{}\n\n {} \r")
@example(b"{")
def test_line_spans(block):
    starts, ends, objects, lines = _core.line_spans(block)
    assert (starts.tolist(), ends.tolist(), objects) == lines_plainly(block)
    # What follows the last newline is a line too, if there is anything.
    assert lines == block.count(b"\n") + (not block.endswith((b"\n",)) and block != b"")
    assert starts.dtype == ends.dtype == "int64"


@given(BLOCKS)
def test_any_flat_buffer(block):
    expected = lines_plainly(block)
    for kind in (bytearray, memoryview, lambda data: array.array("B", data)):
        starts, ends, objects, _ = _core.line_spans(kind(block))
        assert (starts.tolist(), ends.tolist(), objects) == expected
    part = memoryview(b"xx" + block)[2:]
    assert _core.line_spans(part)[0].tolist() == expected[0]


@pytest.mark.parametrize(
    "wrong",
    [
        array.array("i", [1, 2]),
        memoryview(b"abcd").cast("B", (2, 2)),
        memoryview(b"{}\n{}\n")[::2],
        memoryview(b"{}\n{}\n")[::-1],
    ],
    ids=["wide", "two-dimensional", "strided", "backwards"],
)
def test_other_buffers_are_refused(wrong):
    with pytest.raises(ValueError, match="one-dimensional buffer of bytes"):
        _core.line_spans(wrong)


def test_what_is_no_buffer():
    with pytest.raises(TypeError):
        _core.line_spans("text")
