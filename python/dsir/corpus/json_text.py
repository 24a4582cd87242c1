"""Reads the text field of JSON lines: the core reads plain lines, Python's json all others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir._core import JSON_LOOK_AGAIN, JSON_TEXT, json_texts
from dsir.corpus.line_blocks import LineBlock
from dsir.primitive_arrays import to_arrow

_NAMED_FIELDS = 20


@dataclass(frozen=True, slots=True)
class ReadTexts:
    """The texts of a block of lines.

    Attributes:
        text: one value for each row; null if the text is null or the row is bad.
        bad: for every row that cannot be read, its position in the block and the reason.
        lacking: how many rows are objects without the field.
        fields: the fields of the first such object, for a message.
        having: how many rows have the field, whatever it holds.
    """

    text: pa.Array
    bad: tuple[tuple[int, str], ...] = ()
    lacking: int = 0
    fields: str = ""
    having: int = 0


@dataclass(frozen=True, slots=True)
class _Found:
    """What one line holds: a text, an explicit null, or the reason why it has neither."""

    text: str | None = None
    reason: str | None = None
    lacks_field: bool = False
    fields: str = ""
    is_object: bool = True


def choose_field(block: LineBlock, text: str) -> tuple[str, ...] | None:
    """Return the path of the text field: whether "doc.body" is one field or a nested one.

    The first object of the block decides.

    Returns:
        The path, or None if no line of the block is an object.
    """
    if "." not in text:
        return (text,)
    for index in range(block.rows):
        value, _ = _load(block.row_bytes(index))
        if isinstance(value, dict):
            return (text,) if text in value else tuple(text.split("."))
    return None


def read_texts(block: LineBlock, field: tuple[str, ...]) -> ReadTexts:
    """Read the text field of every line of a block.

    The core reads plain lines: strict JSON with the field exactly once, holding a text or null.
    Python reads every other line and says what is wrong with it, if anything is.
    """
    path = [name.encode("utf-8", "surrogatepass") for name in field]
    offsets, values, kinds = json_texts(block.data, block.starts, block.ends, path)
    text = _string_array(offsets, values, kinds)
    again = np.flatnonzero(kinds == JSON_LOOK_AGAIN).tolist()
    if not again:
        return ReadTexts(text, having=len(text))
    found = [_read_line(block.row_bytes(index), field) for index in again]
    return _gather(_filled(text, again, found), again, found)


def _string_array(
    offsets: npt.NDArray[np.int32] | npt.NDArray[np.int64],
    values: npt.NDArray[np.uint8],
    kinds: npt.NDArray[np.uint8],
) -> pa.Array:
    """Return the texts that the core found as an Arrow array, without copying."""
    array_type = pa.StringArray if offsets.dtype == np.int32 else pa.LargeStringArray
    present = kinds == JSON_TEXT
    nulls = len(kinds) - int(np.count_nonzero(present))
    bitmap = pa.py_buffer(np.packbits(present, bitorder="little")) if nulls else None
    buffers = pa.py_buffer(offsets), pa.py_buffer(values[: offsets[-1]])
    return array_type.from_buffers(len(kinds), *buffers, bitmap, nulls)


def _filled(text: pa.Array, indices: list[int], found: list[_Found]) -> pa.Array:
    """Return the texts with those that Python found put in their places."""
    if all(one.text is None for one in found):
        return text
    order = np.arange(len(text))
    order[indices] = len(text) + np.arange(len(found))
    others = pa.array([one.text for one in found], type=text.type)
    return pa.concat_arrays([text, others]).take(to_arrow(order))


def _gather(text: pa.Array, indices: list[int], found: list[_Found]) -> ReadTexts:
    lacking = [one for one in found if one.lacks_field]
    broken = sum(1 for one in found if not one.is_object)
    return ReadTexts(
        text,
        bad=tuple(
            (index, one.reason)
            for index, one in zip(indices, found, strict=True)
            if one.reason is not None
        ),
        lacking=len(lacking),
        fields=lacking[0].fields if lacking else "",
        having=len(text) - len(lacking) - broken,
    )


def _read_line(line: bytes, field: tuple[str, ...]) -> _Found:
    value, reason = _load(line)
    if reason is not None:
        return _Found(reason=reason, is_object=False)
    if not isinstance(value, dict):
        return _Found(reason=f"the line is {_kind(value)}, not an object", is_object=False)
    fields = value
    for depth, name in enumerate(field):
        if value is None:
            return _Found()  # The text in a null parent is null.
        if not isinstance(value, dict):
            return _Found(reason=f"{'.'.join(field[:depth])} is {_kind(value)}, not an object")
        if name not in value:
            names = _describe_fields(fields)
            reason = f"no field {'.'.join(field)!r}; fields: {names}"
            return _Found(reason=reason, lacks_field=True, fields=names)
        value = value[name]
    if value is None:
        return _Found()
    if not isinstance(value, str):
        return _Found(reason=f"{'.'.join(field)} is {_kind(value)}, not a string")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return _Found(reason=f"{'.'.join(field)} holds half a surrogate pair, which is no text")
    return _Found(text=value)


def _load(line: bytes) -> tuple[Any, str | None]:
    try:
        decoded = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, f"invalid UTF-8 at byte {error.start} of the line"
    try:
        # Integers are parsed as floats: Python refuses to convert integers of thousands of digits.
        return json.loads(decoded, parse_int=float), None
    except json.JSONDecodeError as error:
        problem = error.msg.removesuffix(" starting at")
        return None, f"broken JSON: {problem} at character {error.pos} of the line"
    except RecursionError:
        return None, "broken JSON: nested too deep"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    kinds: dict[type, str] = {str: "a string", float: "a number", list: "a list"}
    return kinds.get(type(value), "an object")


def _describe_fields(fields: dict[str, Any]) -> str:
    names = [name.encode("utf-8", "backslashreplace").decode("utf-8") for name in fields]
    if len(names) > _NAMED_FIELDS:
        names[_NAMED_FIELDS:] = [f"and {len(names) - _NAMED_FIELDS} more"]
    return ", ".join(names) or "none"
