"""Which file is read how: the suffix decides."""

from __future__ import annotations

import os

from dsir.corpus.arrow import ArrowShard
from dsir.corpus.jsonl import JsonLinesShard
from dsir.corpus.line_blocks import Compression
from dsir.corpus.parquet import ParquetShard
from dsir.corpus.shard import FileShard, file_state
from dsir.errors import SettingError, ShardError
from dsir.remote import Location, RemotePath

_PARQUET = (".parquet", ".pq")
_ARROW = (".arrow", ".feather", ".ipc")
_JSON_LINES = (".jsonl", ".ndjson")
# A file named .json is read as JSON Lines where it is asked for by name, compressed ones always:
# C4 has those. A folder's plain .json files are more often settings and manifests than corpora.
_JSON = (".json",)
_COMPRESSIONS: dict[str, Compression] = {
    ".gz": "gzip",
    ".zst": "zstd",
    ".bz2": "bz2",
    ".lz4": "lz4",
}

SUFFIXES = (
    f"{', '.join((*_PARQUET, *_JSON_LINES, *_JSON, *_ARROW))} "
    f"(JSON Lines also with {', '.join(_COMPRESSIONS)})"
)


def is_known(path: Location, *, in_folder: bool = False) -> bool:
    """Tell whether a file has a suffix that is read.

    Args:
        path: the file.
        in_folder: it was found in a folder, not asked for by name.
    """
    suffix, compression = _suffixes(path)
    if compression is not None:
        return suffix in _JSON_LINES + _JSON
    return suffix in _PARQUET + _ARROW + _JSON_LINES or (suffix in _JSON and not in_folder)


def open_file(path: Location, text: str) -> FileShard:
    """Describe a file as a shard.

    Args:
        path: the file as the user gave it, or its URL; messages call it that.
        text: the text column.

    Raises:
        SettingError: the suffix is not known.
        ShardError: the file is missing or out of reach.
    """
    name = str(path)
    if not is_known(path):
        raise SettingError(f"{name}: files of this kind are not read; known are {SUFFIXES}")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode("utf-8", "backslashreplace")
        raise ShardError(f"{shown}: its name is not UTF-8; rename it", path=shown) from None
    absolute = name if isinstance(path, RemotePath) else os.path.normpath(path.absolute())
    size, mtime_ns, version = file_state(name, absolute)
    suffix, compression = _suffixes(path)
    if suffix in _PARQUET:
        return ParquetShard(name, absolute, size, mtime_ns, text, version)
    if suffix in _ARROW:
        return ArrowShard(name, absolute, size, mtime_ns, text, version)
    return JsonLinesShard(name, absolute, size, mtime_ns, text, version, compression)


def _suffixes(path: Location) -> tuple[str, Compression | None]:
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in _COMPRESSIONS:
        return (suffixes[0] if len(suffixes) == 2 else ""), _COMPRESSIONS[suffixes[-1]]
    return (suffixes[-1] if suffixes else ""), None
