"""The text field of JSON lines: all at once through pyarrow, or line by line where that fails."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dsir.corpus.line_blocks import LineBlock
from dsir.primitive_arrays import to_numpy

# pyarrow counts the bytes of a block in 32 bits.
_MAX_FAST_BYTES = (1 << 31) - 16
_NAMED_FIELDS = 20


@dataclass(frozen=True, slots=True)
class ReadTexts:
    """The texts of a block of lines.

    Attributes:
        text: one value a row, null where the text is null or the row is bad.
        bad: position in the block and reason, of every row that cannot be read.
        lacking: how many rows are objects without the field.
        fields: the fields of the first of them, for a message.
        having: how many rows have the field, whatever it holds.
    """

    text: pa.Array
    bad: tuple[tuple[int, str], ...] = ()
    lacking: int = 0
    fields: str = ""
    having: int = 0


@dataclass(frozen=True, slots=True)
class _Found:
    """What a single line holds: a text (or an explicit null), or the reason why not."""

    text: str | None = None
    reason: str | None = None
    lacks_field: bool = False
    fields: str = ""
    is_object: bool = True


def choose_field(block: LineBlock, text: str) -> tuple[str, ...] | None:
    """Decide whether "doc.body" is one field or a nested one, by the first object of a block.

    Returns:
        The path of the field, or None if no line of the block is an object.
    """
    if "." not in text:
        return (text,)
    for index in range(block.rows):
        value, _ = _load(block.row_bytes(index))
        if isinstance(value, dict):
            return (text,) if text in value else tuple(text.split("."))
    return None


def read_texts(block: LineBlock, field: tuple[str, ...]) -> ReadTexts:
    """Read the text field of every line of a block."""
    import pyarrow.compute as pc  # Here: long to import.

    text = _parse_at_once(block, field) if block.objects else None
    if text is None:
        return _parse_line_by_line(block, field)
    if not text.null_count:
        return ReadTexts(text, having=len(text))
    # A null is either an explicit one or a missing field: those lines are looked at again.
    indices = to_numpy(pc.indices_nonzero(pc.is_null(text)))
    found = [_read_line(block.row_bytes(int(index)), field) for index in indices]
    if any(one.text is not None for one in found):
        # The two readers disagree, which no input is known to bring about. One reader for the
        # whole block then.
        return _parse_line_by_line(block, field)
    return _gather(text, [int(index) for index in indices], found)


def _parse_at_once(block: LineBlock, field: tuple[str, ...]) -> pa.Array | None:
    """Parse the field of all lines in one call, or return None where that is not safe.

    pyarrow reads a sequence of JSON values and ignores newlines between them, so its rows need not
    be our lines. They are if every line begins with "{" and ends with "}" (`block.objects`) and
    there are as many rows as lines. Between a "}" at the end of a line and a "{" at the start of
    the next, no JSON value can be open: inside an object or array a "," would have to come between
    them, and a string cannot hold a raw newline. So every line holds at least one whole object,
    and with equal counts exactly one.
    """
    import pyarrow.compute as pc  # Here: long to import.
    import pyarrow.json as pj

    if len(block.data) > _MAX_FAST_BYTES or not _is_utf8(block.data):
        return None
    data_type: pa.DataType = pa.string()
    for name in reversed(field[1:]):
        data_type = pa.struct([(name, data_type)])
    try:
        table = pj.read_json(
            pa.py_buffer(block.data),
            read_options=pj.ReadOptions(use_threads=False, block_size=len(block.data) + 1),
            parse_options=pj.ParseOptions(
                explicit_schema=pa.schema([(field[0], data_type)]),
                unexpected_field_behavior="ignore",
            ),
        )
    except (pa.ArrowException, UnicodeError):
        return None
    if table.num_rows != block.rows or table.num_columns != 1:
        return None
    column = table.column(0).combine_chunks()
    for _ in field[1:]:
        column = pc.struct_field(column, [0])
    return column


def _is_utf8(data: bytes) -> bool:
    """Tell whether a block is UTF-8, faster than decoding it: pyarrow's JSON reader lets all by."""
    offsets = pa.py_buffer(np.array([0, len(data)], dtype=np.int64))
    array = pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data))
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _parse_line_by_line(block: LineBlock, field: tuple[str, ...]) -> ReadTexts:
    found = [_read_line(block.row_bytes(index), field) for index in range(block.rows)]
    large = len(block.data) > _MAX_FAST_BYTES
    text = pa.array([one.text for one in found], type=pa.large_string() if large else pa.string())
    return _gather(text, list(range(block.rows)), found)


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
            return _Found()  # A null parent: the text in it is null as well.
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
        # Whole numbers as floats: Python refuses to convert integers of thousands of digits.
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
