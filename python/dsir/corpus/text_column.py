"""The text column of a table: where it is, whether it holds text, and how to extract it."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from dsir.corpus.encoded_text import as_text, text_type, undecodable
from dsir.corpus.token_ids import is_list_of_ids
from dsir.errors import TextColumnError

_NAMED_COLUMNS = 20
_WAY_OUT = "name the right one with {}=..."
_MOST_COMPARED = 1000


@dataclass(frozen=True, slots=True)
class TextColumn:
    """The place of the text in a record batch.

    Attributes:
        path: field names from the top: one name for a plain column, more for a nested one.
        type: the Arrow type of the texts.
        encoding: the encoding of a column of bytes; None if the column holds texts.
    """

    path: tuple[str, ...]
    type: pa.DataType
    encoding: str | None = None

    @property
    def projection(self) -> str:
        """The name of the column for pyarrow's Parquet reader."""
        return ".".join(self.path)

    def of(self, batch: pa.RecordBatch) -> pa.Array:
        """Return the texts of a batch; the text is null if a parent is, or cannot be decoded."""
        return self._texts(self._stored(batch))

    def undecodable(self, batch: pa.RecordBatch, text: pa.Array) -> Iterator[tuple[int, str]]:
        """Give the places of the texts of a batch that cannot be decoded, and how each begins.

        Args:
            batch: the rows.
            text: what `of` returned for them.
        """
        if self.encoding is not None:
            yield from undecodable(self._stored(batch), text)

    def _texts(self, stored: pa.Array) -> pa.Array:
        if self.encoding is None or is_text(stored.type):
            return stored
        return as_text(stored, self.encoding)

    def _stored(self, batch: pa.RecordBatch) -> pa.Array:
        array = batch.column(self.path[0])
        if len(self.path) > 1:
            import pyarrow.compute as pc  # Here: long to import.

            # By position: struct_field() would take a name with a dot in it for a path.
            array = pc.struct_field(array, _positions(array.type, self.path[1:]))
        return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def find_text_column(
    schema: pa.Schema, text: str, name: str, encoding: str | None = None
) -> TextColumn:
    """Find the text column in a schema.

    A top-level column of exactly that name wins over a nested one.

    Args:
        schema: the columns of the shard.
        text: the name of the column, such as "text" or "doc.body".
        name: what messages call the shard.
        encoding: the encoding of text columns of bytes; None if these are no texts.

    Raises:
        TextColumnError: no column or more than one has this name, or it does not hold text.
    """
    column = find_column(schema, text)
    if column is None:
        way_out = f"; {_WAY_OUT.format('text')}"
        raise TextColumnError(not_found(schema, text, name, way_out=way_out), path=name)
    if is_text(column.type):
        return column
    decoded = text_type(column.type, encoding or "utf-8")
    if decoded is None or encoding is None:
        way_out = _WAY_OUT.format("text")
        if decoded is not None:
            way_out += ", or say how its bytes are text, e.g. with text_encoding='utf-8'"
        elif is_list_of_ids(column.type):
            way_out += ", or say that these are token numbers, with text_encoding='token-ids'"
        raise TextColumnError(
            f"{name}: column {text!r} is {column.type}, not text; "
            f"columns: {describe_columns(schema)}; {way_out}",
            path=name,
        )
    return TextColumn(column.path, decoded, encoding)


@contextmanager
def column_given_by(argument: str) -> Iterator[None]:
    """Let errors of the block name the argument that the column was given by, in place of text.

    Args:
        argument: such as "target_text" or "group_by".

    Raises:
        TextColumnError: the block raised it.
    """
    try:
        yield
    except TextColumnError as error:
        message = str(error).replace(_WAY_OUT.format("text"), _WAY_OUT.format(argument))
        raise TextColumnError(message, path=error.path) from error.__cause__


def find_column(schema: pa.Schema, column: str) -> TextColumn | None:
    """Find a column of any type; None if there is none, or more than one at the top.

    A top-level column of exactly that name wins over a nested one.
    """
    count = schema.names.count(column)
    if count == 1:
        return TextColumn((column,), schema.field(column).type)
    return None if count else _find_nested(schema, tuple(column.split(".")))


def is_text(data_type: pa.DataType) -> bool:
    """Tell whether a type holds texts: a string type, or a dictionary of one."""
    if pa.types.is_dictionary(data_type):
        data_type = data_type.value_type
    return bool(
        pa.types.is_string(data_type)
        or pa.types.is_large_string(data_type)
        or pa.types.is_string_view(data_type)
    )


def not_found(
    schema: pa.Schema, column: str, name: str, purpose: str = "", way_out: str = ""
) -> str:
    """Return a message about a column that `find_column` does not find.

    Args:
        schema: the columns of the shard.
        column: the name of the column.
        name: what messages call the shard.
        purpose: what the column is for, such as " for quotas".
        way_out: what to do, after a semicolon.
    """
    count = schema.names.count(column)
    if count > 1:
        return f"{name}: has {count} columns named {column!r}; rename one of them"
    return (
        f"{name}: no column {column!r}{purpose}; columns: {describe_columns(schema)}"
        f"{way_out}{meant(schema, column)}"
    )


def describe_columns(schema: pa.Schema) -> str:
    """Return a list of columns and their types, for a message."""
    if not len(schema):
        return "none"
    columns = [f"{_printable(field.name)} ({field.type})" for field in schema]
    if len(columns) > _NAMED_COLUMNS:
        columns[_NAMED_COLUMNS:] = [f"and {len(columns) - _NAMED_COLUMNS} more"]
    return ", ".join(columns)


def meant(schema: pa.Schema, column: str) -> str:
    """Return a question after a column that may have been meant, or "" when none is like it."""
    known = list(itertools.islice(_paths(schema), _MOST_COMPARED))
    last = column.rpartition(".")[2]
    same = [path for path in known if path.rpartition(".")[2] == last]
    near = same or difflib.get_close_matches(column, known, 1, cutoff=0.7)
    return f" (did you mean {_printable(near[0])}?)" if near else ""


def _paths(fields: Iterable[pa.Field], above: str = "") -> Iterator[str]:
    """Give the names of columns and of the fields in them, dots between."""
    for field in fields:
        path = above + field.name
        yield path
        if pa.types.is_struct(field.type):
            yield from _paths(
                (field.type.field(i) for i in range(field.type.num_fields)), f"{path}."
            )


def check_names(schema: pa.Schema) -> None:
    """Check that all field names are UTF-8, so that no later use of a name can raise.

    Raises:
        UnicodeDecodeError: a name is not UTF-8.
    """
    for field in schema:
        _check_name(field)


def _check_name(field: pa.Field) -> None:
    field.name  # noqa: B018 - decoding the name is the check
    for index in range(field.type.num_fields):
        _check_name(field.type.field(index))


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _find_nested(schema: pa.Schema, path: tuple[str, ...]) -> TextColumn | None:
    if len(path) < 2 or schema.names.count(path[0]) != 1:
        return None
    data_type = schema.field(path[0]).type
    for name in path[1:]:
        if not pa.types.is_struct(data_type):
            return None
        position = data_type.get_field_index(name)
        if position < 0:
            return None
        data_type = data_type.field(position).type
    return TextColumn(path, data_type)


def _positions(data_type: pa.DataType, names: tuple[str, ...]) -> list[int]:
    positions = []
    for name in names:
        position = data_type.get_field_index(name)
        positions.append(position)
        data_type = data_type.field(position).type
    return positions
