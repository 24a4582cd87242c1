"""The corpus that is measured on: shards of real text, repeated to size."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def shards(data: Path) -> list[Path]:
    """Return the raw Parquet shards of a data folder.

    Raises:
        SystemExit: there are none.
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
    """Copy shards into a folder, each copy a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for copy in range(copies):
        for path in paths:
            target = folder / f"copy-{copy:04d}-{path.name}"
            shutil.copyfile(path, target)
            made.append(target)
    return made


def to_json_lines(path: Path, target: Path) -> None:
    """Write the texts of a shard as JSON Lines, as the reference reads them; null as ""."""
    with target.open("w", encoding="utf-8") as file:
        for text in pq.read_table(path, columns=["text"])["text"].to_pylist():
            file.write(json.dumps({"text": text or ""}) + "\n")
