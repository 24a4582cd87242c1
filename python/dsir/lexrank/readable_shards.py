"""A corpus that is read several times: bad rows are found once and skipped in every pass.

LexRank reads its texts more than once (groups, idf, vectors, writing). A row that one pass skips
must not turn up in the next. So with `on_error="skip"` a separate pass reads everything first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus import Corpus, OnError, Shard, TakenRows, TextBatch
from dsir.corpus.cast_columns import cast_column
from dsir.corpus.shard_progress import ShardProgress
from dsir.corpus.skipped import Skipped, bad_rows_of, skipped_shard
from dsir.corpus.wrapped_shard import WrappedShard
from dsir.errors import EmptyCorpusError, ShardError, StoreError, TextColumnError
from dsir.primitive_arrays import to_arrow
from dsir.progress import Advance, Reporter, ignore


class Watch:
    """Shows how far the shards of a corpus have been read, in one stage after the other."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.advance: Advance = ignore

    @contextmanager
    def reading(self, stage: str, corpus: Corpus) -> Iterator[None]:
        """Show a stage in which the texts of the corpus are read once."""
        with self.reporter.stage(stage, corpus.size, "bytes") as advance:
            self.advance = advance
            try:
                yield
            finally:
                self.advance = ignore


@dataclass(frozen=True, slots=True)
class ReadableShard(WrappedShard):
    """A shard that gives null for the texts of its bad rows, and reports its progress.

    Attributes:
        bad: int64, ascending: the bad rows.
        watch: shows the bytes read.
    """

    bad: npt.NDArray[np.int64]
    watch: Watch

    def schema(self) -> pa.Schema | None:
        """Return the schema of the inner shard."""
        return self.inner.schema()

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order; bad rows are null and not listed as bad again."""
        travel = ShardProgress(self.inner, self.watch.advance)
        batches = self.inner.text_batches(
            on_error="skip" if len(self.bad) else on_error,
            threads=threads,
            batch_bytes=batch_bytes,
            groups=groups,
        )
        for batch in batches:
            begin, end = np.searchsorted(
                self.bad, (batch.unit_row, batch.unit_row + len(batch.text))
            )
            if begin == end:
                yield batch
            else:
                text = _without(batch.text, self.bad[begin:end] - batch.unit_row)
                yield replace(batch, text=text, bad=())
            travel.to(batch)
        travel.arrive()

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all rows unchanged, bad ones included."""
        return self.inner.read_table(threads=threads)

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number, unchanged."""
        return self.inner.take(rows, threads=threads)


@dataclass(frozen=True, slots=True)
class Readable:
    """The readable part of a corpus.

    Attributes:
        texts: the shards that can be read.
        keys: the same shards with the group column as their text; None without groups.
        skipped: bad rows and shards, in order.
        bad_rows: for each shard that can be read, its bad rows: int64, ascending.
    """

    texts: Corpus
    keys: Corpus | None
    skipped: list[Skipped]
    bad_rows: list[npt.NDArray[np.int64]]


def readable(texts: Corpus, keys: Corpus | None, on_error: OnError, watch: Watch) -> Readable:
    """Return the rows and shards of a corpus that can be read.

    Args:
        texts: the corpus.
        keys: the same files with the group column as their text; or None.
        on_error: with "raise", nothing is read here and the first reader meets the first error.
            With "skip", everything is read: a row is bad if its text or its key is, and a shard is
            left out if its file is damaged or lacks a column.
        watch: shows the bytes read, here and by the shards that are returned.

    Raises:
        EmptyCorpusError: no shard can be read.
    """
    pairs = list(zip(texts.shards, keys.shards if keys else texts.shards, strict=True))
    skipped: list[Skipped] = []
    found = []
    if on_error == "raise":
        found = [(pair, np.zeros(0, np.int64)) for pair in pairs]
    else:
        for pair in pairs:
            bad: dict[int, str] = {}
            try:
                # The text last: if both are bad, the reason is that of the text.
                for shard in (pair[1], pair[0]) if keys else pair[:1]:
                    bad |= _bad_rows(shard, watch if shard is pair[0] else None)
            except StoreError:
                raise
            except (ShardError, TextColumnError) as error:
                for shard in pair:
                    shard.check_unchanged()
                skipped.append(skipped_shard(error, pair[0].name))
                continue
            rows = sorted(bad)
            skipped += [Skipped(pair[0].name, row, bad[row]) for row in rows]
            found.append((pair, np.array(rows, dtype=np.int64)))
    if not found:
        raise EmptyCorpusError(
            f"{texts.name}: no file can be read; the first: {skipped[0].reason}", path=texts.name
        )
    kept = Corpus(tuple(ReadableShard(pair[0], bad, watch) for pair, bad in found), texts.name)
    bad_rows = [bad for _, bad in found]
    if keys is None:
        return Readable(kept, None, skipped, bad_rows)
    columns = tuple(ReadableShard(pair[1], bad, watch) for pair, bad in found)
    return Readable(kept, Corpus(columns, keys.name), skipped, bad_rows)


def _bad_rows(shard: Shard, watch: Watch | None) -> dict[int, str]:
    """Return why each bad row of a shard is bad, by row number."""
    found: dict[int, str] = {}
    travel = ShardProgress(shard, watch.advance if watch else ignore)
    for batch in shard.text_batches(on_error="skip"):
        # The counter of the core reads the texts later, so a row is bad exactly if it refuses it.
        counter = _core.TermCounter(words_only=True, stopwords=[], keep_rows=False)
        refused = counter.add(batch.text, threads=1)
        found |= {bad.row: bad.reason for bad in bad_rows_of(batch, refused.tolist())}
        travel.to(batch)
    travel.arrive()
    return found


def _without(text: pa.Array, positions: npt.NDArray[np.int64]) -> pa.Array:
    """Return texts with null at some positions."""
    import pyarrow.compute as pc  # Imported here because the import takes long.

    if pa.types.is_dictionary(text.type) or pa.types.is_string_view(text.type):
        text = cast_column(text, pa.large_string())
    bad = np.zeros(len(text), dtype=np.uint8)
    bad[positions] = 1
    return pc.if_else(to_arrow(bad).cast(pa.bool_()), pa.scalar(None, text.type), text)
