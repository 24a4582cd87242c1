"""Writers: the selected rows in the format that they came in."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from dsir.corpus.shard import Kind
from dsir.output.arrow import ArrowWriter
from dsir.output.jsonl import JsonLinesWriter
from dsir.output.parquet import ParquetWriter
from dsir.output.writer import Writer, check_weight_column

__all__ = ["Writer", "check_weight_column", "open_writer"]


def open_writer(
    kind: Kind, path_stem: Path, *, schema: pa.Schema | None, weight_column: str = "log_weight"
) -> Writer:
    """Open the writer for rows of a kind of shard.

    Args:
        kind: the kind of the shards that the rows come from.
        path_stem: the path to write without its suffix, such as `out/part-00000`.
        schema: the columns of the rows; None for JSON Lines.
        weight_column: the name of the column that the log-weights get.

    Raises:
        OutputError: the file cannot be written there, or the schema has the weight column.
    """
    if kind == "jsonl":
        return JsonLinesWriter(path_stem, weight_column=weight_column)
    if schema is None:
        raise ValueError(f"rows of kind {kind!r} need a schema")
    writer = ArrowWriter if kind == "arrow" else ParquetWriter
    return writer(path_stem, schema, weight_column=weight_column)
