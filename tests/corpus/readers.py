"""A table, and how each reader's kind of file, folder or memory holds it.

A new reader gets all tests of `test_reader_contract.py` by one line in `READERS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

WORDS = ["ship", "sail", "anchor", "tide", "harbour", "mast", "captain", "wave", "storm", "gull"]
ROWS = 300
BAD_ROW = 123


def text_at(row: int) -> str | None:
    if row % 41 == 7:
        return [None, "", " \n\t"][row % 3]
    return " ".join(WORDS[(row * at) % len(WORDS)] for at in range(1, row % 17 + 2)) + " é 語"


TEXTS = [text_at(row) for row in range(ROWS)]
TABLE = pa.table(
    {
        "id": pa.array(range(ROWS), pa.int64()),
        "text": pa.array(TEXTS, pa.string()),
        "lang": pa.array([["en", "fr", None][row % 3] for row in range(ROWS)], pa.string()),
        "where": pa.array([{"page": row % 5} for row in range(ROWS)]),
    }
).replace_schema_metadata({"made": "by a test"})


def with_bad_text(table: pa.Table) -> pa.Table:
    """The same with a text in the row BAD_ROW that is not UTF-8."""
    raw = table.column("text").combine_chunks().view(pa.binary()).to_pylist()
    raw[BAD_ROW] = b"broken \xff text"
    return table.set_column(1, "text", pa.array(raw, pa.binary()).view(pa.string()))


def write_parquet(folder: Path, table: pa.Table) -> Path:
    pq.write_table(table, folder / "a.parquet", row_group_size=40)
    return folder / "a.parquet"


def write_lines(folder: Path, table: pa.Table, suffix: str = "") -> Path:
    rows = table.to_pylist() if "text" not in table.column_names else []
    lines = [json.dumps(row).encode() for row in rows]
    if not rows:  # As bytes: a text need not be UTF-8.
        raw = table["text"].combine_chunks().view(pa.binary()).to_pylist()
        for row, text in zip(table.drop_columns("text").to_pylist(), raw, strict=True):
            quoted = b"null" if text is None else b'"%s"' % text.replace(b"\n", b"\\n")
            line = json.dumps({**row, "text": "TEXT"}).encode()
            lines.append(line.replace(b'"TEXT"', quoted.replace(b"\t", b"\\t")))
    path = folder / f"a.jsonl{suffix}"
    data = b"".join(line + b"\n" for line in lines) or b"\n"
    compression = {"": None, ".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}[suffix]
    with pa.output_stream(str(path), compression=compression) as stream:
        stream.write(data)
    return path


def write_csv(folder: Path, table: pa.Table, suffix: str = ".csv") -> Path:
    """All values in quotes; a null is nothing, and what is nested has a column by its path."""
    comma = b"\t" if suffix == ".tsv" else b","
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_struct(column.type):
            fields = column.combine_chunks().flatten()
            for field, values in zip(column.type, fields, strict=True):
                columns[f"{name}.{field.name}"] = values
        else:
            columns[name] = column
    texts = [
        [
            None if value is None else value
            for value in column.cast(pa.string()).cast(pa.binary()).to_pylist()
        ]
        for column in columns.values()
    ]
    rows = [[name.encode() for name in columns], *zip(*texts, strict=True)]
    data = b"".join(
        comma.join(b"" if value is None else b'"%s"' % value for value in row) + b"\n"
        for row in rows
    )
    path = folder / f"a{suffix}"
    with pa.output_stream(str(path), compression="gzip" if suffix.endswith(".gz") else None) as out:
        out.write(data)
    return path


def write_arrow(folder: Path, table: pa.Table, form: str = "file") -> Path:
    make = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
    with make(str(folder / "a.arrow"), table.schema) as writer:
        writer.write_table(table, max_chunksize=40)
    return folder / "a.arrow"


def made(folder: Path, column: str) -> Path:
    """A folder whose name says the value of a column, which lines do not show."""
    partition = folder / f"{column}=web"
    partition.mkdir(exist_ok=True)
    return partition


@dataclass(frozen=True)
class Reader:
    """A reader, by what it reads: writes a table to a folder and returns what names it."""

    name: str
    write: Callable[[Path, pa.Table], object]
    is_file: bool = True
    typed: bool = True  # Whether values have types; they are strings otherwise.


READERS = [
    Reader("parquet", write_parquet),
    Reader("jsonl", write_lines),
    Reader("jsonl.gz", lambda folder, table: write_lines(folder, table, ".gz")),
    Reader("jsonl.zst", lambda folder, table: write_lines(folder, table, ".zst")),
    Reader("csv", write_csv, typed=False),
    Reader("tsv", lambda folder, table: write_csv(folder, table, ".tsv"), typed=False),
    Reader("csv.gz", lambda folder, table: write_csv(folder, table, ".csv.gz"), typed=False),
    Reader("partitioned parquet", lambda folder, table: write_parquet(made(folder, "lang"), table)),
    Reader("partitioned jsonl", lambda folder, table: write_lines(made(folder, "kind"), table)),
    Reader("arrow", write_arrow),
    Reader("arrow stream", lambda folder, table: write_arrow(folder, table, "stream")),
    Reader("memory", lambda folder, table: table, is_file=False),
]
