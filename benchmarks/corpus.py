"""The corpus of the benchmarks: shards of real text, repeated up to the size that is needed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

# Bytes of text in a large shard and in one of its row groups, as in corpora for training.
_SHARD_BYTES = 200e6
_GROUP_BYTES = 45e6


def shards(data: Path) -> list[Path]:
    """Return the raw Parquet shards of a data folder.

    Raises:
        SystemExit: the folder has none.
    """
    found = sorted((data / "raw").glob("*.parquet"))
    if not found:
        raise SystemExit(f"{data}: has no raw/*.parquet; name the data folder with --data")
    return found


def texts(paths: list[Path]) -> pa.Array:
    """Return all texts as one large_string array, nulls left out."""
    columns = [pq.read_table(path, columns=["text"])["text"] for path in paths]
    chunks = [column.cast(pa.large_string()).combine_chunks() for column in columns]
    return pa.concat_arrays(chunks).drop_null()


def text_bytes(array: pa.Array) -> int:
    """Return the bytes of text in an array."""
    return sum(len(text.as_buffer()) for text in array)


def repeat(paths: list[Path], folder: Path, copies: int) -> list[Path]:
    """Copy shards into a folder; return the paths of the copies."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for copy in range(copies):
        for path in paths:
            target = folder / f"copy-{copy:04d}-{path.name}"
            shutil.copyfile(path, target)
            made.append(target)
    return made


def large_table(paths: list[Path]) -> tuple[pa.Table, int]:
    """Return the rows of a large shard, which repeat all shards, and their bytes of text.

    The shards differ in their types (large_string, dictionaries), but one file has one type per
    column, so all are cast to the plain types. All columns are included.
    """
    tables = [pq.read_table(path) for path in paths]
    schema = next(
        table.schema for table in tables if table.schema.field("text").type == pa.string()
    )
    schema = schema.remove_metadata()
    plain = pa.concat_tables([table.replace_schema_metadata(None).cast(schema) for table in tables])
    size = text_bytes(plain["text"].cast(pa.large_string()).combine_chunks().drop_null())
    copies = max(1, round(_SHARD_BYTES / size))
    return pa.concat_tables([plain] * copies), copies * size


def large_parquet(paths: list[Path], folder: Path, count: int) -> tuple[list[Path], int, int]:
    """Write large Parquet shards: zstd, row groups of about 45 MB of text.

    Returns:
        The files, and the number of rows and of bytes of text in all of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table, size = large_table(paths)
    first = folder / "shard-0000.parquet"
    rows = max(1, round(len(table) * _GROUP_BYTES / size))
    pq.write_table(table, first, compression="zstd", row_group_size=rows)
    return _copies(first, count), count * len(table), count * size


def large_json_lines(paths: list[Path], folder: Path, count: int) -> tuple[list[Path], int, int]:
    """Write the same shards as JSON Lines with zstd; return the same as `large_parquet`."""
    folder.mkdir(parents=True, exist_ok=True)
    table, size = large_table(paths)
    first = folder / "shard-0000.jsonl.zst"
    with pa.CompressedOutputStream(str(first), "zstd") as file:
        for batch in table.to_batches(max_chunksize=5000):
            file.write(b"".join(_lines(batch)))
    return _copies(first, count), count * len(table), count * size


def to_json_lines(path: Path, target: Path) -> None:
    """Write the texts of a shard as JSON Lines that the reference can read; null becomes ""."""
    with target.open("w", encoding="utf-8") as file:
        for text in pq.read_table(path, columns=["text"])["text"].to_pylist():
            file.write(json.dumps({"text": text or ""}) + "\n")


def _lines(batch: pa.RecordBatch) -> Iterator[bytes]:
    for row in batch.to_pylist():
        yield json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _copies(first: Path, count: int) -> list[Path]:
    made = [first]
    for number in range(1, count):
        path = first.with_name(first.name.replace("0000", f"{number:04d}", 1))
        shutil.copyfile(first, path)
        made.append(path)
    return made
