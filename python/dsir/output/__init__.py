"""Writers of the selected rows, in the format that the rows came in."""

from __future__ import annotations

import pyarrow as pa

from dsir.formats import Kind, format_of, loaded
from dsir.output.added_columns import LOG_WEIGHT, AddedColumns
from dsir.output.writer import Writer
from dsir.remote import Location

__all__ = ["AddedColumns", "Writer", "open_writer"]


def open_writer(
    kind: Kind, path_stem: Location, *, schema: pa.Schema | None, added: AddedColumns = LOG_WEIGHT
) -> Writer:
    """Return a writer for rows of one kind of shard.

    Args:
        kind: the kind of the shards that the rows come from.
        path_stem: the path to write without its suffix, such as `out/part-00000`.
        schema: the columns of the rows; None if rows are lines.
        added: the columns to add.

    Raises:
        OutputError: the file cannot be written, or the schema already has an added column.
    """
    found = format_of(kind)
    if schema is None and not found.rows_are_lines:
        raise ValueError(f"rows of kind {kind!r} need a schema")
    writer: Writer = loaded(found.writer)(path_stem, schema, added=added)
    return writer
