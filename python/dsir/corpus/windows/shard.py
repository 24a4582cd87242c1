"""Chunks: documents cut into windows of a fixed number of tokens, each a document of its own.

A log-weight is a sum over n-grams, so documents are comparable only if they are about equally
long. Xie et al. 2023 (arXiv 2302.03169) cut at 128 words. Words are split at spaces in their code
(github.com/p-lambda/dsir, experimental/preprocessing/reformat_and_chunk_data.py); here the unit is
the token.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments.values import Amount, amount, one_of
from dsir.corpus.bad_text import bad_text_error, snippet_at, why_bad
from dsir.corpus.batches import cut_at
from dsir.corpus.resolve import Corpus
from dsir.corpus.shard import OnError, Shard
from dsir.corpus.shard_rows import BadRow, ChunkOrigin, TakenRows, TextBatch
from dsir.corpus.windows.lines import WindowLine
from dsir.corpus.windows.records import WindowRecords, window_schema
from dsir.corpus.windows.texts import WindowTexts, window_texts
from dsir.corpus.wrapped_shard import WrappedShard
from dsir.errors import ShardError

# What the identity of windows adds to the identity of their documents.
WINDOW_KEYS = ("chunk_tokens", "chunk_stride", "chunk_tokenizer", "chunk_normalize")
_MOST_TOKENS = 1 << 31  # As in cpp/bindings/bind_chunk.cpp: more than any document has.


@dataclass(frozen=True, slots=True)
class ChunkedShard(WrappedShard):
    """A shard whose rows are windows of the documents in another shard.

    A window is `chunk_tokens` consecutive tokens of a document, and a new one begins every
    `chunk_stride` tokens. The first window that reaches the document's last token is the last one,
    and may be shorter. The text of a window is the original text from the first byte of its first
    token through the last byte of its last token. A document without tokens has one window, whose
    text is null.

    Attributes:
        chunk_tokens: tokens of a window, 1 to 2**31.
        chunk_stride: tokens from the start of a window to the start of the next, 1 to
            `chunk_tokens`.
        tokenizer: what counts as a token; see `HashedNgrams`.
        normalize: "NFC" or "NFKC" to count the tokens of documents in this form. Windows are cut
            from the documents as they are, where these tokens lie in them.
    """

    chunk_tokens: int
    chunk_stride: int
    tokenizer: str = "wordpunct"
    normalize: str | None = None
    is_windows: ClassVar[bool] = True

    @property
    def documents(self) -> Shard:
        """The inner shard."""
        return self.inner

    def identity(self) -> dict[str, int | str]:
        """Return the inner shard's identity, and how documents are cut."""
        identity = {
            **self.inner.identity(),
            "chunk_tokens": self.chunk_tokens,
            "chunk_stride": self.chunk_stride,
            "chunk_tokenizer": self.tokenizer,
        }
        if self.normalize is not None:
            identity["chunk_normalize"] = self.normalize
        return identity

    def rows_in_metadata(self) -> None:
        """Return None: only reading tells how many windows there are."""
        return

    def schema(self) -> pa.Schema | None:
        """Return the columns of windows, see `window_schema`; None for JSON Lines.

        Raises:
            OutputError: the input has a column with the name of an added column.
        """
        schema = self.inner.schema()
        if schema is None:
            return None
        return window_schema(schema, self.text_column(schema), self.name)

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read the text of every window once, in order; see `Shard.text_batches`.

        Rows are windows: `unit_row` is the number of a window in the shard, and `origin` says
        which documents the windows come from. A bad row is listed by the row of its document, and
        has one window without text. Texts that are not UTF-8, or longer than 2 GiB, are bad rows.
        """
        first_window = 0
        batches = self.inner.text_batches(
            on_error=on_error, threads=threads, batch_bytes=batch_bytes, groups=groups
        )
        for batch in batches:
            for cut in self._cut(batch, first_window, on_error, threads):
                yield cut
                first_window += len(cut.text)

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Refuse: the number of a window does not tell its document. See `take_windows`."""
        raise NotImplementedError("windows are taken by document and span: take_windows()")

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Refuse: only documents are read as a table. See `take_windows`."""
        raise NotImplementedError("windows are taken by document and span: take_windows()")

    def take_windows(
        self,
        source_rows: npt.NDArray[np.int64],
        starts: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        *,
        threads: int = 1,
    ) -> Iterator[TakenRows]:
        """Fetch windows by their document and their bytes in it, in batches of about 8 MB.

        See `Shard.take_windows`. Records have the columns of `schema()`. Lines are the document's
        line with the window as its text and three fields added; see `WindowLine`.
        `TakenRows.rows` count in the shard; source rows in records and lines count in the file.
        """
        if not len(source_rows):
            return
        steps = np.diff(source_rows)
        if np.any(steps < 0) or np.any(np.diff(starts)[steps == 0] < 0) or np.any(lengths < 1):
            raise ValueError("windows must be sorted by row and start, and have text")
        schema = self.schema()
        for taken in self.inner.take(np.unique(source_rows), threads=threads):
            low = np.searchsorted(source_rows, taken.rows[0])
            high = np.searchsorted(source_rows, taken.rows[-1], side="right")
            wanted = _Wanted(taken, source_rows[low:high], starts[low:high], lengths[low:high])
            if taken.records is not None and schema is not None:
                yield from self._take_records(wanted, taken.records, schema)
            elif taken.lines is not None:
                yield from self._take_lines(wanted, taken.lines)

    def _cut(
        self, batch: TextBatch, first_window: int, on_error: OnError, threads: int
    ) -> Iterator[TextBatch]:
        positions, starts, lengths, invalid = _core.chunk(
            batch.text,
            tokens=self.chunk_tokens,
            stride=self.chunk_stride,
            tokenizer=self.tokenizer,
            normalize=self.normalize,
            threads=threads,
        )
        if len(invalid) and on_error == "raise":
            file_row = self.rows_before() + batch.unit_row
            raise bad_text_error(self.name, file_row, batch.text, int(invalid[0]))
        refused = [
            BadRow(batch.unit_row + at, why_bad(batch.text, at), snippet=snippet_at(batch.text, at))
            for at in invalid.tolist()
        ]
        bad = sorted([*batch.bad, *refused], key=lambda one: one.row)
        bad_windows = np.searchsorted(positions, [one.row - batch.unit_row for one in bad])
        begins = np.ones(len(positions), dtype=bool)
        begins[1:] = positions[1:] != positions[:-1]
        blank_lines = batch.blank_lines
        # A batch without rows still reports its blank lines.
        for first, last in list(cut_at(np.cumsum(lengths))) or [(0, 0)]:
            span = slice(first, last)
            yield TextBatch(
                first_window + first,
                window_texts(batch.text, positions[span], starts[span], lengths[span]).text,
                tuple(one for one, at in zip(bad, bad_windows, strict=True) if first <= at < last),
                blank_lines,
                ChunkOrigin(
                    batch.unit_row + positions[span],
                    starts[span].astype(np.uint32),
                    int(np.count_nonzero(begins[span])),
                ),
                tuple(values.of(positions[span]) for values in batch.groups),
            )
            blank_lines = 0

    def _take_records(
        self, wanted: _Wanted, records: pa.RecordBatch, schema: pa.Schema
    ) -> Iterator[TakenRows]:
        column = self.text_column(records.schema)
        before = self.rows_before()
        maker = WindowRecords(records, column, schema)
        for batch in wanted.batches(maker.other_bytes()):
            windows = self._texts(batch)
            made = maker.of(batch.positions, before + batch.source_rows, windows)
            yield TakenRows(batch.source_rows, column.of(made), records=made)

    def _take_lines(self, wanted: _Wanted, lines: pa.LargeBinaryArray) -> Iterator[TakenRows]:
        before = self.rows_before()
        sizes = np.array([len(line.as_buffer()) for line in lines], dtype=np.int64)
        for batch in wanted.batches(sizes):
            windows = self._texts(batch)
            made = []
            last = -1
            for at, row, text, start, stop in zip(
                batch.positions.tolist(),
                (before + batch.source_rows).tolist(),
                windows.text,
                windows.start.tolist(),
                windows.stop.tolist(),
                strict=True,
            ):
                if at != last:
                    document = wanted.taken.text[at].as_py()
                    where = f"{self.name}: row {row}"
                    filler = WindowLine(lines[at].as_py(), self.text, document, where)
                    last = at
                made.append(filler.filled(text.as_py(), row, start, stop))
            yield TakenRows(
                batch.source_rows, windows.text, lines=pa.array(made, type=pa.large_binary())
            )

    def _texts(self, batch: _Wanted) -> WindowTexts:
        try:
            return window_texts(batch.taken.text, batch.positions, batch.starts, batch.lengths)
        except ValueError as error:
            raise ShardError(
                f"{self.name}: a window is no longer where it was ({error}); "
                "the input changed since it was scored",
                path=self.name,
            ) from error


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Windows to make from rows that were taken from the inner shard."""

    taken: TakenRows
    source_rows: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @property
    def positions(self) -> npt.NDArray[np.int64]:
        """Which of the taken rows each window is cut from."""
        return np.searchsorted(self.taken.rows, self.source_rows)

    def batches(self, other_bytes: npt.NDArray[np.int64]) -> Iterator[_Wanted]:
        """Yield batches of windows of about 8 MB, counting texts and repeated columns.

        Args:
            other_bytes: int64, the bytes of each taken row without its text.
        """
        for first, last in cut_at(np.cumsum(self.lengths + other_bytes[self.positions])):
            span = slice(first, last)
            yield _Wanted(self.taken, self.source_rows[span], self.starts[span], self.lengths[span])


def chunked(
    corpus: Corpus,
    chunk_tokens: int = 128,
    chunk_stride: int | None = None,
    tokenizer: str = "wordpunct",
    normalize: str | None = None,
) -> Corpus:
    """Return a corpus whose documents are windows of another corpus's; see `ChunkedShard`.

    Args:
        corpus: the documents.
        chunk_tokens: tokens of a window.
        chunk_stride: tokens from the start of a window to the start of the next; None for
            `chunk_tokens`, so that windows do not overlap.
        tokenizer: what counts as a token; see `HashedNgrams`.
        normalize: "NFC" or "NFKC" to count the tokens of documents in this form.

    Raises:
        SettingError: an argument is out of range.
    """
    tokens, stride = check_windows(chunk_tokens, chunk_stride)
    one_of("tokenizer", tokenizer, _core.TOKENIZERS)
    shards = tuple(
        ChunkedShard(shard, tokens, stride, tokenizer, normalize) for shard in corpus.shards
    )
    return replace(corpus, shards=shards)


def check_windows(chunk_tokens: Amount, chunk_stride: Amount | None) -> tuple[int, int]:
    """Return the checked `chunk_tokens` and `chunk_stride`; None as stride is `chunk_tokens`.

    Raises:
        SettingError: one of the two is out of range.
    """
    tokens = amount("chunk_tokens", chunk_tokens, 1, _MOST_TOKENS)
    stride = tokens if chunk_stride is None else chunk_stride
    return tokens, amount("chunk_stride", stride, 1, tokens)
