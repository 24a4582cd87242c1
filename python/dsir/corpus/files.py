"""Files as shards: the suffix decides how a file is read."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import Any, TypeVar

from dsir.corpus.broken_link import broken_link
from dsir.corpus.file_shard import FileShard, file_state
from dsir.corpus.shard import OnError
from dsir.errors import SettingError, ShardError
from dsir.formats import SUFFIXES, Compression, how_read, loaded
from dsir.remote import Location, RemotePath
from dsir.storage.links import is_broken_link, why_broken

Reader = TypeVar("Reader", bound=FileShard)


def is_known(path: Location, *, in_folder: bool = False) -> bool:
    """Tell whether dsir reads files with this suffix.

    Args:
        path: the file.
        in_folder: the file was found in a folder, not named by the user.
    """
    found = how_read(path)
    return found is not None and (found.in_folder or not in_folder)


def open_file(
    path: Location, text: str, encoding: str | None = None, *, on_error: OnError = "raise"
) -> FileShard:
    """Describe a file as a shard.

    Args:
        path: the file as the user gave it, or its URL; also its name in messages.
        text: the text column.
        encoding: the encoding of text columns of bytes; None if these are no texts.
        on_error: with "skip", a link that leads nowhere is a shard that cannot be read.

    Raises:
        SettingError: the suffix is not known.
        ShardError: the file is missing or cannot be reached, or, with on_error="raise", is a link
            that leads nowhere.
    """
    if not isinstance(path, RemotePath) and is_broken_link(path):
        if on_error == "skip":
            return broken_link(path, text)
        raise ShardError(
            f'{why_broken(path)}, or give on_error="skip" to pass over such files', path=str(path)
        )
    found = how_read(path)
    if found is None or found.format.reader is None:
        if not isinstance(path, RemotePath) and path.exists():
            file_state(str(path), str(path))  # A pipe has no suffix either.
        raise SettingError(f"{path}: unknown file type; dsir reads {SUFFIXES}")
    reader: type[FileShard] = loaded(found.format.reader)
    shard = open_with(reader, path, text, found.compression)
    # Readers of texts have their own.
    return shard if encoding is None else replace(shard, encoding=encoding)


def open_with(
    reader: type[Reader], path: Location, text: str, compression: Compression | None = None
) -> Reader:
    """Describe a file as a shard of a given class, whatever the file's suffix.

    Args:
        reader: the class of the shard.
        path: the file as the user gave it, or its URL; also its name in messages.
        text: the text column.
        compression: how the file is compressed; only for readers that have such an argument.

    Raises:
        ShardError: the file is missing or cannot be reached.
    """
    name = str(path)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        try:
            stored = name.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            shown = ascii(name)
            raise ShardError(
                f"{shown}: holds half a surrogate pair, so no file has this name", path=shown
            ) from None
        shown = stored.decode("utf-8", "backslashreplace")
        problem = "the file name is not UTF-8; rename it"
        if shown.encode() == stored:  # Of a process whose locale has fewer characters.
            problem = (
                "the file name has characters that this process cannot have, because it takes "
                f"names as {sys.getfilesystemencoding()}; run it with PYTHONUTF8=1"
            )
        raise ShardError(f"{shown}: {problem}", path=shown) from None
    absolute = name if isinstance(path, RemotePath) else os.path.normpath(path.absolute())
    size, mtime_ns, version = file_state(name, absolute)
    compressed: dict[str, Any] = {} if compression is None else {"compression": compression}
    return reader(name, absolute, size, mtime_ns, text, version, **compressed)
