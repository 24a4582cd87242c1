"""Windows as records: the document's columns with the window as text, and the origin added."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.row_bytes import row_bytes
from dsir.corpus.take_rows import take_rows
from dsir.corpus.text_column import TextColumn
from dsir.corpus.windows.texts import WindowTexts
from dsir.errors import OutputError
from dsir.primitive_arrays import to_arrow

ORIGIN_COLUMNS = ("source_row", "chunk_start", "chunk_stop")
"""int64: the document's row in the file, and the first and end character of the window in it."""


def refuse_origin_column(where: str, column: str, kind: str = "column") -> OutputError:
    """Return the error for an input that has a column with the name of an added column."""
    return OutputError(
        f"{where}: already has a {kind} {column!r}, which chunking adds to every row; "
        "rename it in the input"
    )


def window_schema(schema: pa.Schema, column: TextColumn, name: str) -> pa.Schema:
    """Return the columns of windows.

    They are the documents' columns and `ORIGIN_COLUMNS`. A dictionary text column becomes plain
    strings, because windows hardly ever repeat.

    Args:
        schema: the columns of the documents.
        column: their text column.
        name: what messages call the shard.

    Raises:
        OutputError: the documents have a column with the name of an added column.
    """
    for added in ORIGIN_COLUMNS:
        if added in schema.names:
            raise refuse_origin_column(name, added)
    position = schema.get_field_index(column.path[0])
    field = schema.field(position)
    changed = _replaced_type(field.type, column.path[1:], _plain_type(column.type))
    schema = schema.set(position, field.with_type(changed))
    for added in ORIGIN_COLUMNS:
        schema = schema.append(pa.field(added, pa.int64()))
    return schema


class WindowRecords:
    """Makes the records of windows from the records of their documents.

    Args:
        records: the documents.
        column: their text column.
        schema: what `window_schema` returns for their schema.
    """

    def __init__(self, records: pa.RecordBatch, column: TextColumn, schema: pa.Schema) -> None:
        self._column = column
        self._schema = schema
        self._position = records.schema.get_field_index(column.path[0])
        # The documents' texts are removed first: repeated for every window, they would take many
        # times the memory of the windows.
        nothing = pa.nulls(len(records), pa.int8())
        columns = list(records.columns)
        columns[self._position] = _replaced(columns[self._position], column.path[1:], nothing)
        self._others = pa.RecordBatch.from_arrays(columns, names=records.schema.names)

    def other_bytes(self) -> npt.NDArray[np.int64]:
        """Return about how many bytes every document has without its text, int64[documents]."""
        sizes = np.zeros(len(self._others), dtype=np.int64)
        for column in self._others.columns:
            sizes += row_bytes(column)
        return sizes

    def of(
        self,
        positions: npt.NDArray[np.int64],
        source_rows: npt.NDArray[np.int64],
        windows: WindowTexts,
    ) -> pa.RecordBatch:
        """Return the records of windows.

        Args:
            positions: int64, which document each window is cut from.
            source_rows: int64, the row of that document in the file.
            windows: the texts of the windows.
        """
        columns = list(take_rows(self._others, positions).columns)
        text = windows.text.cast(_plain_type(self._column.type))
        columns[self._position] = _replaced(columns[self._position], self._column.path[1:], text)
        columns += [to_arrow(source_rows), to_arrow(windows.start), to_arrow(windows.stop)]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)


def _plain_type(data_type: pa.DataType) -> pa.DataType:
    return data_type.value_type if pa.types.is_dictionary(data_type) else data_type


def _replaced(array: pa.Array, path: tuple[str, ...], text: pa.Array) -> pa.Array:
    """Return a column with other texts in it; the path leads through structs to the text.

    Documents that have windows have a text, so no struct on the way is null.
    """
    if not path:
        return text
    position = array.type.get_field_index(path[0])
    children = [array.field(index) for index in range(array.type.num_fields)]
    children[position] = _replaced(children[position], path[1:], text)
    fields = [array.type.field(index).with_type(child.type) for index, child in enumerate(children)]
    return pa.StructArray.from_arrays(children, fields=fields)


def _replaced_type(
    data_type: pa.DataType, path: tuple[str, ...], text_type: pa.DataType
) -> pa.DataType:
    if not path:
        return text_type
    position = data_type.get_field_index(path[0])
    fields = [data_type.field(index) for index in range(data_type.num_fields)]
    inner = _replaced_type(fields[position].type, path[1:], text_type)
    fields[position] = fields[position].with_type(inner)
    return pa.struct(fields)
