"""Makes a corpus of what a user names: files, patterns, folders, tables, texts, or lists of these.

Files are on this machine, or named by the URL of a store (`dsir.remote`). A `str` or `Path` on its
own is always a location. Strings in a list, an array or another iterable are locations or texts,
all of them; what is unclear is refused (`dsir.corpus.names_or_texts`).
"""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dsir.arguments.values import name_of_column, shown
from dsir.corpus.batches import ReadLimits, table_bytes
from dsir.corpus.encoded_text import encoding_of
from dsir.corpus.file_shard import FileShard
from dsir.corpus.files import is_known, open_file
from dsir.corpus.listing import LeftOut, Listing, identity_of, list_folder, list_pattern, main_files
from dsir.corpus.memory import MemoryShard
from dsir.corpus.names_or_texts import URL, Paths, Texts, are_paths, refuse_names
from dsir.corpus.partitions import folders_of, partitioned
from dsir.corpus.pipe import Pipe
from dsir.corpus.refused_element import is_missing
from dsir.corpus.shard import OnError, Shard
from dsir.corpus.tables import first_texts, speaks_arrow, table_of, table_of_texts
from dsir.corpus.text_column import find_text_column
from dsir.corpus.units import first_of_files, sizes_of
from dsir.errors import EmptyCorpusError, SettingError, ShardError
from dsir.formats import SUFFIXES
from dsir.remote import RemotePath, is_url
from dsir.remote.location import may_be_a_name, path_of_file_url
from dsir.remote.matching import files_below, has_pattern, matching
from dsir.remote.read_errors import translated
from dsir.thread_pool import ThreadPool

# Of what can be iterated once, so many elements say whether they are texts.
_FIRST = 1000
_REQUESTS_AT_ONCE = 16
_NO_BYTES = "is empty (0 bytes)"
_EMPTY = "is empty (0 bytes once it is decompressed)"


@dataclass(frozen=True, slots=True)
class Corpus:
    """The shards to read, in order.

    Attributes:
        shards: one or more files, tables, or parts that files were cut into.
        name: what messages call the corpus, such as "raw".
        left_out: files and folders that were found beside these and are not read.
    """

    shards: Sequence[Shard]
    name: str
    left_out: tuple[LeftOut, ...] = field(default=(), compare=False)

    @property
    def first_shards(self) -> tuple[Shard, ...]:
        """The first shard of every file or table, so that each file is there once."""
        return first_of_files(self.shards)

    @property
    def in_memory(self) -> bool:
        """Whether all shards are tables in memory."""
        return all(shard.file is None for shard in self.first_shards)

    @property
    def size(self) -> int:
        """Bytes of all shards, on disk or in memory."""
        return int(sizes_of(self.shards).sum())

    def limited(self, limits: ReadLimits) -> Corpus:
        """Return the same corpus with other limits on how much of each file is in memory."""
        return replace(self, shards=tuple(shard.limited(limits) for shard in self.shards))


def resolve(
    source: object,
    *,
    text: str = "text",
    name: str = "raw",
    encoding: str | None = None,
    on_error: OnError = "raise",
) -> Corpus:
    """Make a corpus of whatever a user names.

    Args:
        source: a path, pattern or folder; a table, array or data set; an iterable of texts; or a
            list of any of these (see the module's docstring for lists of strings).
        text: the text column; dots lead into nested columns.
        name: what messages call the corpus.
        encoding: the encoding of text columns of bytes; None if these are no texts.
        on_error: with "skip", links that lead nowhere are shards that cannot be read.

    Raises:
        SettingError: dsir cannot read this type of source, a file is named twice, or the encoding
            is not known.
        EmptyCorpusError: no file matches, or all files have 0 bytes.
        ShardError: a file is missing or cannot be reached, or, with on_error="raise", is a link
            that leads nowhere.
        TextColumnError: a table in memory lacks the text column, or the column is not text.
    """
    name_of_column("text", text)
    if encoding is not None:
        encoding = encoding_of(encoding)
    resolver = _Resolver(text, encoding, on_error)
    found = tuple(resolver.shards(source, name))
    if not found:
        raise EmptyCorpusError(f"{name}: the list of inputs is empty", path=name)
    _refuse_twice(found, name)
    # A file without a byte is a shard without rows, whatever its format.
    empty = {shard.name: _EMPTY if shard.size else _NO_BYTES for shard in found if shard.is_empty}
    shards = tuple(shard for shard in found if shard.name not in empty)
    if not shards:
        first, why = next(iter(empty.items()))
        more = f", and so are {len(found) - 1:,} more" if len(found) > 1 else ""
        raise EmptyCorpusError(f"{name}: there is nothing to read: {first} {why}{more}", path=first)
    return Corpus(
        shards, name, (*resolver.left_out, *(LeftOut(path, why) for path, why in empty.items()))
    )


def _refuse_twice(shards: Iterable[Shard], name: str) -> None:
    """Refuse a file that is named twice, also when it goes by two names."""
    seen: dict[object, str] = {}
    for shard in shards:
        if shard.file is None:
            continue
        key = identity_of(shard.file)
        if key in seen:
            also = f" (also as {seen[key]})" if seen[key] != shard.name else ""
            raise SettingError(
                f"{name}: {shard.name} is named twice{also}, so its rows could be "
                "drawn twice; name it once"
            )
        seen[key] = shard.name


class _Resolver:
    """Turns one source into shards, and keeps count of what it leaves out.

    Args:
        text: the text column.
        encoding: the encoding of text columns of bytes.
        on_error: "skip" makes a shard of a link that leads nowhere.
    """

    def __init__(self, text: str, encoding: str | None, on_error: OnError) -> None:
        self._text = text
        self._encoding = encoding
        self._on_error = on_error
        self.left_out: list[LeftOut] = []

    def shards(self, source: Any, name: str, *, is_path: bool = False) -> Iterator[Shard]:
        """Describe what a source stands for.

        Args:
            source: the source.
            name: what messages call it.
            is_path: the caller has said that a string is a path.
        """
        if isinstance(source, RemotePath) or is_url(source):
            yield from self._remote(_remote(source), name)
        elif isinstance(source, str | os.PathLike):
            hint = _text_hint(source) if isinstance(source, str) and not is_path else ""
            yield from self._local(os.fspath(source), name, hint=hint)
        elif isinstance(source, Pipe):
            yield self._piped(source)
        elif isinstance(source, Corpus):
            self.left_out += source.left_out
            yield from source.shards
        elif isinstance(source, Paths):
            for entry in source:
                yield from self.shards(entry, name, is_path=True)
        elif isinstance(source, Texts):
            yield self._in_memory(table_of_texts(source, self._text, name), name)
        elif hasattr(source, "read") and not speaks_arrow(source):
            raise SettingError(
                f"{name}: {type(source).__name__} is an open file, and a corpus is read several "
                "times; give the path of the file, or its texts as a list of str"
            )
        elif speaks_arrow(source):
            refuse_names(first_texts(source), name)
            yield self._in_memory(table_of(source, self._text, name), name)
        elif isinstance(source, list | tuple):
            yield from self._list(list(source), name)
        elif isinstance(source, set | frozenset):
            raise SettingError(
                f"{name}: a set has no order, which decides the row numbers; give a sorted list"
            )
        elif isinstance(source, Iterable) and not isinstance(source, bytes | bytearray | dict):
            yield from self._iterable(source, name)
        else:
            raise _unreadable(source, name)

    def _iterable(self, source: Iterable[Any], name: str) -> Iterator[Shard]:
        """Take what can be iterated once. Its first elements say what it holds."""
        if isinstance(source, np.ma.MaskedArray):
            source = source.tolist()  # What is masked becomes None.
        try:
            rest = iter(source)
            first = list(itertools.islice(rest, _FIRST))
        except TypeError as error:  # Some arrays and matrices say that they can be iterated.
            raise _unreadable(source, name) from error
        if any(type(element) is type(source) for element in first):
            # Rows of a matrix, of which each may be a matrix again.
            raise _unreadable(source, name)
        if all(element is None or isinstance(element, str) for element in first) and not (
            are_paths(first, name)
        ):
            texts = itertools.chain(first, rest)
            yield self._in_memory(table_of_texts(texts, self._text, name), name)
        else:
            yield from self._list([*first, *rest], name)

    def _list(self, elements: list[Any], name: str) -> Iterator[Shard]:
        if not elements:
            return
        nulls = sum(element is None for element in elements)
        strings = [element for element in elements if isinstance(element, str)]
        if len(strings) + nulls == len(elements):
            if not are_paths(elements, name):
                yield self._in_memory(table_of_texts(elements, self._text, name), name)
                return
        elif _are_values(elements) and not are_paths(strings[:1], name):
            # Some elements are not texts: the error that this raises names the first of them.
            yield self._in_memory(table_of_texts(elements, self._text, name), name)
            return
        for position, element in enumerate(elements):
            if element is None:
                raise SettingError(
                    f"{name}: element {position} is None, but the others are inputs; remove it"
                )
            # Paths have a name of their own; tables are named by their position.
            has_name = isinstance(element, str | os.PathLike | RemotePath)
            yield from self.shards(element, name if has_name else f"{name}[{position}]")

    def _local(self, source: str, name: str, *, hint: str) -> Iterator[Shard]:
        """Describe the files that a path, pattern or folder stands for.

        Args:
            source: the path.
            name: what messages call it.
            hint: what to add if there is no such file.
        """
        source = str(path_of_file_url(source)) if URL.match(source) else source
        if not source or not may_be_a_name(source):
            raise SettingError(f"{name}: {source!r} is not a path")
        try:
            path = Path(source).expanduser()
        except RuntimeError:
            path = Path(source)
        try:
            is_folder = path.is_dir()
        except OSError as error:  # Such as a name of more characters than the system has.
            why = error.strerror or error
            raise ShardError(
                f"{name}: {shown(source)}: cannot be read: {why}", path=source
            ) from None
        if is_folder:
            listing = list_folder(path, name)
        elif glob.has_magic(source) and not path.exists():
            listing = list_pattern(str(path), name)
        else:
            if not is_known(path) and not os.path.lexists(path):
                raise ShardError(f"{name}: {path}: no such file or folder{hint}", path=str(path))
            listing = Listing((path,))
        self.left_out += listing.left_out
        folder = path if is_folder else None
        for file in listing.files:
            shard = open_file(file, self._text, self._encoding, on_error=self._on_error)
            yield partitioned(shard, folders_of(file, folder))

    def _piped(self, source: Pipe) -> FileShard:
        copy = source.copy(self._text)
        shard = open_file(copy.path, self._text, self._encoding)
        return replace(shard, name=source.name, piped=copy.digest)

    def _remote(self, source: RemotePath, name: str) -> Iterator[Shard]:
        """Yield a shard for each file that a URL stands for."""
        paths = self._remote_paths(source, name)
        # Each file takes a request, for its size and version.
        with ThreadPool(_REQUESTS_AT_ONCE, "dsir-resolve") as pool:
            folder = None if paths == [source] or has_pattern(source) else source
            yield from pool.map(lambda path: self._remote_file(path, folder), paths)

    def _remote_file(self, path: RemotePath, folder: RemotePath | None) -> Shard:
        shard = open_file(path, self._text, self._encoding)
        return partitioned(shard, folders_of(path, folder))

    def _remote_paths(self, source: RemotePath, name: str) -> list[RemotePath]:
        pattern = has_pattern(source)
        if not pattern and (is_known(source) or not source.store.lists):
            return [source]
        with _listing(source):
            every = list(matching(source) if pattern else files_below(source))
        found = [path for path in every if is_known(path, in_folder=not pattern)]
        self.left_out += [
            LeftOut(str(path), "files of this kind are not read")
            for path in every
            if path not in found
        ]
        if not pattern:
            found = main_files(found, self.left_out)
        if not found:
            what = f"no file matches {source}"
            if not pattern:
                what = f"no file to read in the folder {source}; looked for {SUFFIXES}"
            raise EmptyCorpusError(f"{name}: {what}", path=str(source))
        return found

    def _in_memory(self, table: pa.Table, name: str) -> MemoryShard:
        find_text_column(table.schema, self._text, name, self._encoding)
        return MemoryShard(name, table_bytes(table), self._text, table, self._encoding)


def _are_values(elements: list[Any]) -> bool:
    """Tell whether the first element that is not None is a text, or a value in place of one."""
    first = next((element for element in elements if element is not None), "")
    return isinstance(first, str | bytes | Real) or (not speaks_arrow(first) and is_missing(first))


def _unreadable(source: object, name: str) -> SettingError:
    hint = ""
    if type(source).__module__.startswith("ray.data"):
        hint = "; write it with .write_parquet(...) and give that folder"
    elif hasattr(source, "collect"):  # Lazy frames.
        hint = "; call .collect() first"
    elif hasattr(source, "to_table"):  # A data set of pyarrow.
        hint = "; give its files or folder, or .to_table()"
    elif isinstance(source, dict) and any(isinstance(one, str) for one in source.values()):
        hint = "; make a table of records: pyarrow.Table.from_pylist([{'text': ...}, ...])"
    elif isinstance(source, dict):
        hint = "; give one of its values, such as source['train'], or a list of them"
    return SettingError(
        f"{name}: {type(source).__name__} cannot be read as a corpus{hint}; expected a "
        "path, a pattern, a folder, an Arrow table, a data frame, texts, or a list of these"
    )


def _text_hint(source: str) -> str:
    """Say how to give a text, if a string that was taken for a path has spaces as texts have."""
    if " " not in source.strip():
        return ""
    return "; for a text give a list: [text] or dsir.texts([text])"


def _remote(source: Any) -> RemotePath:
    return source if isinstance(source, RemotePath) else RemotePath(str(source).rstrip("/"))


@contextmanager
def _listing(source: RemotePath) -> Iterator[None]:
    with translated(
        lambda error: ShardError(f"{source}: cannot be listed: {error}", path=str(source))
    ):
        yield
