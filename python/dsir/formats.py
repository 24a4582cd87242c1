"""The file formats: suffixes, readers and writers. To add a format, add its row to the table.

Readers and writers are named as "module:attribute" and imported for the first file of their format.
So this table needs none of them, and importing it costs nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

Kind = Literal["parquet", "jsonl", "arrow", "csv", "text", "memory"]
Compression = Literal["gzip", "zstd", "bz2", "lz4"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format: how its files are named, read and written.

    Attributes:
        kind: its name in code and manifests.
        title: its name in messages.
        suffixes: suffixes of its files, in lower case; written files get the first.
        suffixes_by_name: more suffixes, read if a file is given by name but ignored in folders.
        compressions: how a whole file may be compressed, by the last suffix of its name. Files with
            such a suffix are read in folders too.
        reader: a `FileShard`; called with name, path, size, mtime_ns, text and version, and for a
            compressed file with `compression`. None for a format that is never a file.
        writer: a `Writer`; called with the path without its suffix, the schema (None if rows are
            lines) and `added`.
        beside_others: whether files in a folder are read that also has files of other formats.
        row_counter: takes the path of a written file and counts its rows without reading them; None
            if each line is a row.
    """

    kind: Kind
    title: str
    suffixes: tuple[str, ...] = ()
    suffixes_by_name: tuple[str, ...] = ()
    compressions: Mapping[str, Compression] = field(default_factory=dict)
    reader: str | None
    writer: str
    row_counter: str | None
    beside_others: bool = True

    @property
    def rows_are_lines(self) -> bool:
        """Whether each line is a row; such rows keep their bytes and have no schema."""
        return self.row_counter is None


_OF_TEXT_FILES: Mapping[str, Compression] = MappingProxyType(
    {
        **{".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"},
        **{".bz2": "bz2", ".lz4": "lz4"},
    }
)
FORMATS = (
    Format(
        kind="parquet",
        title="Parquet",
        # pandas and Spark name the compression inside the file after the suffix.
        suffixes=(
            *(".parquet", ".pq", ".parquet.gzip", ".parquet.gz", ".parquet.snappy"),
            *(".parquet.zstd", ".parquet.zst", ".parquet.brotli", ".parquet.lz4"),
        ),
        reader="dsir.corpus.parquet:ParquetShard",
        writer="dsir.output.parquet:ParquetWriter",
        row_counter="dsir.output.parquet:count_rows",
    ),
    Format(
        kind="jsonl",
        title="JSON Lines",
        suffixes=(".jsonl", ".ndjson", ".jsonlines"),
        # C4's files are .json.gz. Plain .json files in a folder are more often settings or
        # manifests than corpora.
        suffixes_by_name=(".json",),
        compressions=_OF_TEXT_FILES,
        reader="dsir.corpus.jsonl:JsonLinesShard",
        writer="dsir.output.jsonl:JsonLinesWriter",
        row_counter=None,
    ),
    Format(
        kind="arrow",
        title="Arrow",
        suffixes=(".arrow", ".feather", ".ipc"),
        reader="dsir.corpus.arrow:ArrowShard",
        writer="dsir.output.arrow:ArrowWriter",
        row_counter="dsir.output.arrow:count_rows",
    ),
    Format(
        kind="csv",
        title="CSV",
        suffixes=(".csv", ".tsv"),
        compressions=_OF_TEXT_FILES,
        reader="dsir.corpus.csv:CsvShard",
        # Parquet tells a null from an empty string, and is opened everywhere with the same values.
        writer="dsir.output.parquet:ParquetWriter",
        row_counter="dsir.output.parquet:count_rows",
        # Beside Parquet or JSON Lines, CSV is more often an index or statistics.
        beside_others=False,
    ),
    Format(
        kind="text",
        title="plain text",
        suffixes=(".txt",),
        compressions=_OF_TEXT_FILES,
        reader="dsir.corpus.plain_text:PlainTextShard",
        # Weights and other columns need a format that has columns.
        writer="dsir.output.parquet:ParquetWriter",
        row_counter="dsir.output.parquet:count_rows",
        # Beside other formats, plain text is more often a licence or a list.
        beside_others=False,
    ),
    Format(
        kind="memory",
        title="tables in memory",
        reader=None,
        writer="dsir.output.parquet:ParquetWriter",
        row_counter="dsir.output.parquet:count_rows",
    ),
)


class HowRead(NamedTuple):
    """How a file is read.

    Attributes:
        format: its format.
        compression: how it is compressed, or None.
        in_folder: whether it is read when a folder is given, and not only by its name.
    """

    format: Format
    compression: Compression | None
    in_folder: bool


class Named(Protocol):
    """An object whose name has suffixes, such as a path."""

    @property
    def suffixes(self) -> list[str]:
        """The suffixes of the name, with their dots."""


def how_read(path: Named) -> HowRead | None:
    """Return how a file is read, by its name; None if dsir does not read such files."""
    last = [suffix.lower() for suffix in path.suffixes[-2:]]
    return _BY_SUFFIX.get("".join(last)) or _BY_SUFFIX.get("".join(last[-1:]))


def format_of(kind: Kind) -> Format:
    """Return the format of a kind."""
    return next(one for one in FORMATS if one.kind == kind)


def loaded(name: str) -> Any:
    """Import a reader, writer or row counter.

    Args:
        name: "module:attribute", from a `Format`.
    """
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _by_suffix() -> dict[str, HowRead]:
    found = {}
    for one in FORMATS:
        for suffix in (*one.suffixes, *one.suffixes_by_name):
            found[suffix] = HowRead(one, None, suffix in one.suffixes)
            for last, compression in one.compressions.items():
                found[suffix + last] = HowRead(one, compression, in_folder=True)
    return found


def _described() -> str:
    every = [suffix for one in FORMATS for suffix in (*one.suffixes, *one.suffixes_by_name)]
    compressed = [
        f"{one.title} also with {', '.join(one.compressions)}"
        for one in FORMATS
        if one.compressions
    ]
    return f"{', '.join(every)} ({'; '.join(compressed)})"


_BY_SUFFIX = _by_suffix()
SUFFIXES = _described()
"""The suffixes of all files that dsir reads, for messages."""
