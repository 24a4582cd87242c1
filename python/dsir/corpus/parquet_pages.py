"""Parquet pages: how much memory their rows take once they are decoded.

The sizes in a footer say what the pages take, and a small page can hold many long rows: a
dictionary has a text once, however many rows share it, and lists of a billion nulls take a few
bytes. pyarrow decodes what it is told to. So the headers of the pages are read first, and from them
follows how many rows can be decoded at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import pyarrow as pa

from dsir._core import (
    ParquetFooter,
    longest_parquet_value,
    parquet_index_uses,
    parquet_page_header,
)
from dsir.corpus.batches import READ_LIMITS, ReadLimits

# The most that a batch may take once its dictionaries are decoded, unless `memory` leaves less. One
# row may take more.
_DECODED_BYTES = 256 << 20
_ROW_BYTES = 1 << 30

# A larger page is believed only if the file has at least a 200th of its bytes.
_LARGE_PAGE_BYTES = READ_LIMITS.row_bytes
_CREDIBLE_RATIO = 200

# Levels, offset and place of one value in a list, whatever its type.
_BYTES_OF_A_LIST_VALUE = 16

# Headers are some tens of bytes; the statistics in them can make them longer.
_HEADER_BYTES = 256
_LONGEST_HEADER = 16 << 20

# The uses of each value are not counted in larger dictionaries.
_MOST_DISTINCT = 1 << 22

_MOST_REMEMBERED = 4096

# Numbers in the Parquet format.
_BYTE_ARRAY, _FIXED_LENGTH = 6, 7
_DATA_PAGE, _DICTIONARY_PAGE, _DATA_PAGE_V2 = 0, 2, 3
_DICTIONARY_ENCODINGS = (2, 8)
_DELTA_BYTE_ARRAY = 7
_UNCOMPRESSED = 0
_CODECS = {1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}


class PageSource(Protocol):
    """What reads the bytes of a file."""

    def read_at(self, offset: int, count: int) -> bytes | memoryview:
        """Return up to `count` bytes from `offset` on."""


class _Leaf(NamedTuple):
    """A leaf of the schema and its column chunk: see `dsir._core.ParquetFooter.chunks`."""

    number: int
    type: int
    length: int
    repeated: bool
    nullable: bool
    start: int
    values: int
    codec: int
    stored: int


class _Page(NamedTuple):
    """A page: its place in the file, and its header: see `dsir._core.parquet_page_header`."""

    offset: int
    type: int
    uncompressed: int
    compressed: int
    values: int
    encoding: int
    level_bytes: int
    is_compressed: bool


@dataclass(slots=True)
class _Decoded:
    """What the pages of a column chunk decode to.

    Attributes:
        values: the values of the data pages, with nulls.
        page_bytes: the bytes of all pages, decompressed.
        coded: how many of the values are in a dictionary.
        longest: the most bytes of a value of a dictionary.
        uses: how many of the values may be the same value of a dictionary.
        dictionary_bytes: the bytes of the dictionaries.
        deltas: how many values may have bytes of the value before them.
        longest_delta: the most bytes of such a value.
        dictionaries: the pages of the dictionaries, until they are looked into.
        indices: the data pages that lead into them, until they are looked into.
    """

    values: int = 0
    page_bytes: int = 0
    coded: int = 0
    longest: int = 0
    uses: int = 0
    dictionary_bytes: int = 0
    deltas: int = 0
    longest_delta: int = 0
    dictionaries: list[_Page] = field(default_factory=list)
    indices: list[_Page] = field(default_factory=list)

    def bytes_of(self, rows: int, all_rows: int, *, repeated: bool) -> int:
        """Return the most bytes that `rows` of `all_rows` rows take; for lists on average."""
        # Every value of a dictionary is in its page once, and is used `uses` times at most.
        most_coded = self.uses * self.dictionary_bytes
        if repeated:
            shared = min(self.coded * self.longest, most_coded) + self.deltas * self.longest_delta
            in_lists = self.values * _BYTES_OF_A_LIST_VALUE
            return (self.page_bytes + in_lists + shared) * rows // all_rows
        shared = min(min(rows, self.coded) * self.longest, most_coded)
        shared += min(rows, self.deltas) * self.longest_delta
        return self.page_bytes * rows // all_rows + shared


class PageSizes:
    """What the row groups of a file decode to; remembered, because files are read several times.

    Args:
        footer: the file's footer.
        data_end: where the footer begins in the file.
    """

    def __init__(self, footer: ParquetFooter, data_end: int) -> None:
        self._footer = footer
        self._data_end = data_end
        self._known: dict[tuple[int, int], _Decoded] = {}

    def spans(self, row_group: int, columns: Sequence[int] | None) -> list[tuple[int, int]]:
        """Return where the column chunks of a row group begin in the file, and their bytes there.

        A little more is counted to each, so that the last header is inside however it is read.

        Args:
            row_group: the number of the row group.
            columns: the numbers of the table's columns; None for all.
        """
        leaves = (_Leaf(*chunk) for chunk in self._footer.chunks(row_group, columns))
        return [(leaf.start, leaf.stored + _HEADER_BYTES) for leaf in leaves]

    def rows_at_a_time(
        self,
        pages: PageSource,
        row_group: int,
        all_rows: int,
        columns: Sequence[int] | None,
        rows: int,
        limits: ReadLimits,
    ) -> int:
        """Return how many of `rows` rows of a row group can be decoded at a time; at least 1.

        Args:
            pages: reads the pages of the row group.
            row_group: the number of the row group.
            all_rows: its rows.
            columns: the numbers of the table's columns that are read; None for all.
            rows: how many rows would be read at a time otherwise.
            limits: how much may be in memory.

        Raises:
            OSError: the file cannot be read.
            ValueError: pages are damaged, or too large to be believed or decoded.
        """
        if all_rows <= 0:
            return 1
        most = min(_DECODED_BYTES, limits.row_bytes)
        chunks = self._footer.chunks(row_group, columns)
        leaves = [_Leaf(*chunk) for chunk in chunks]
        decoded = [self._decoded(pages, row_group, leaf) for leaf in leaves]

        def bytes_of(some: int) -> int:
            return sum(
                one.bytes_of(some, all_rows, repeated=leaf.repeated)
                for one, leaf in zip(decoded, leaves, strict=True)
            )

        rows = max(1, min(rows, all_rows))
        # Indices are counted in no time; to decompress dictionaries takes longer.
        for look in (_count_uses, _look_into_dictionaries):
            if bytes_of(rows) > most:
                for one, leaf in zip(decoded, leaves, strict=True):
                    look(pages, leaf, one)
        while rows > 1 and bytes_of(rows) > most:
            rows //= 2
        if bytes_of(rows) > _ROW_BYTES:
            raise ValueError(f"a row takes up to {bytes_of(rows):,} bytes once it is decoded")
        return rows

    def _decoded(self, file: PageSource, row_group: int, leaf: _Leaf) -> _Decoded:
        key = (row_group, leaf.number)
        known = self._known.get(key)
        if known is None:
            known = _decoded_of(file, leaf, self._data_end)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = known
        return known


def _pages(file: PageSource, leaf: _Leaf, data_end: int) -> Iterator[_Page]:
    """Read the headers of a column chunk's pages, until its values are complete."""
    position, seen = leaf.start, 0
    while seen < leaf.values:
        count = _HEADER_BYTES
        while (header := parquet_page_header(bytes(file.read_at(position, count)))) is None:
            count *= 16
            if count > _LONGEST_HEADER:
                raise ValueError("the header of a page has no end")
        page = _Page(position + header[0], *header[1:])
        position = page.offset + page.compressed
        if position > data_end:
            raise ValueError("a page leads out of the file")
        if page.uncompressed > max(_LARGE_PAGE_BYTES, _CREDIBLE_RATIO * page.compressed):
            raise ValueError(
                f"a page of {page.compressed:,} bytes says that it has {page.uncompressed:,} bytes "
                "once it is decompressed"
            )
        if page.type in (_DATA_PAGE, _DATA_PAGE_V2):
            seen += page.values
        yield page


def _decoded_of(file: PageSource, leaf: _Leaf, data_end: int) -> _Decoded:
    decoded = _Decoded()
    for page in _pages(file, leaf, data_end):
        decoded.page_bytes += page.uncompressed
        if page.type == _DICTIONARY_PAGE:
            decoded.dictionaries.append(page)
            decoded.dictionary_bytes += page.uncompressed
        elif page.type in (_DATA_PAGE, _DATA_PAGE_V2):
            decoded.values += page.values
            if page.encoding in _DICTIONARY_ENCODINGS:
                decoded.coded += page.values
                decoded.indices.append(page)
            elif page.encoding == _DELTA_BYTE_ARRAY:
                decoded.deltas += page.values
                decoded.longest_delta = max(decoded.longest_delta, page.uncompressed)
    decoded.uses = decoded.coded
    if leaf.type == _BYTE_ARRAY:
        # No value is longer than its page.
        decoded.longest = max((page.uncompressed for page in decoded.dictionaries), default=0)
    else:
        decoded.longest = leaf.length if leaf.type == _FIXED_LENGTH else _BYTES_OF_A_LIST_VALUE
        # Numbers may take less in their page than in memory.
        decoded.dictionary_bytes *= _BYTES_OF_A_LIST_VALUE
        decoded.dictionaries, decoded.indices = [], []
    return decoded


def _count_uses(file: PageSource, leaf: _Leaf, decoded: _Decoded) -> None:
    """Replace the bound for the uses of a value by the uses of the value that is used most."""
    distinct = max((page.values for page in decoded.dictionaries), default=0)
    if not decoded.indices or distinct > _MOST_DISTINCT:
        return
    levels = int(leaf.repeated) + int(leaf.nullable)
    uses = 0
    for page in decoded.indices:
        is_second = page.type == _DATA_PAGE_V2
        try:
            content = _decompressed(file, leaf, page)
            uses += parquet_index_uses(content, 0 if is_second else levels, distinct)
        except (pa.ArrowException, ValueError, OSError):
            uses += page.values  # Another compression, or damage, which reading finds again.
    decoded.uses, decoded.indices = uses, []


def _look_into_dictionaries(file: PageSource, leaf: _Leaf, decoded: _Decoded) -> None:
    """Replace the bound for the longest value of a dictionary by the longest value."""
    if not decoded.dictionaries:
        return
    longest = 0
    for page in decoded.dictionaries:
        try:
            values = longest_parquet_value(_decompressed(file, leaf, page), page.values)
        except (pa.ArrowException, ValueError, OSError):
            values = page.uncompressed  # As above.
        longest = max(longest, values)
    decoded.longest, decoded.dictionaries = longest, []


def _decompressed(file: PageSource, leaf: _Leaf, page: _Page) -> pa.Buffer | bytes | memoryview:
    """Return the bytes of a page without the levels of version 2.

    Raises:
        ValueError, OSError, pyarrow.ArrowException: the page is damaged, or compressed in a way
            that is not known here.
    """
    content = file.read_at(page.offset + page.level_bytes, page.compressed - page.level_bytes)
    size = page.uncompressed - page.level_bytes
    if leaf.codec == _UNCOMPRESSED or not page.is_compressed or not size:
        return content
    if leaf.codec not in _CODECS:
        raise ValueError(f"compression number {leaf.codec}")
    return pa.Codec(_CODECS[leaf.codec]).decompress(content, size)
