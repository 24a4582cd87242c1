"""A corpus that is read several times: what cannot be read is found once, and the same every time.

LexRank reads its texts more than once (groups, idf, vectors, writing), and a row that one pass
passed over must not be there in the next. So with `on_error="skip"` a pass of its own looks at
everything first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus import Corpus, OnError, Shard, TakenRows, TextBatch
from dsir.corpus.shard_progress import ShardProgress
from dsir.corpus.skipped import Skipped, bad_rows_of, skipped_shard
from dsir.errors import EmptyCorpusError, ShardError, StoreError, TextColumnError
from dsir.formats import Kind
from dsir.primitive_arrays import to_arrow
from dsir.progress import Reporter
from dsir.remote import Location


def _nothing(_: int) -> None:
    return


class Watch:
    """Whom the shards of a corpus tell how far they are read: one stage after the other."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.advance: Callable[[int], None] = _nothing

    @contextmanager
    def reading(self, stage: str, corpus: Corpus) -> Iterator[None]:
        """Show a stage in which the texts of the corpus are read once."""
        with self.reporter.stage(stage, corpus.size, "bytes") as advance:
            self.advance = advance
            try:
                yield
            finally:
                self.advance = _nothing


@dataclass(frozen=True, slots=True)
class ReadableShard(Shard):
    """A shard without the text of its bad rows, which tells how far it is read.

    Attributes:
        inner: the shard.
        bad: int64, ascending: rows whose text is null here.
        watch: told of the bytes.
    """

    inner: Shard
    bad: npt.NDArray[np.int64]
    watch: Watch
    name: str = field(init=False)
    size: int = field(init=False)
    text: str = field(init=False)

    def __post_init__(self) -> None:
        """Take over what the inner shard says of itself."""
        for attribute in ("name", "size", "text"):
            object.__setattr__(self, attribute, getattr(self.inner, attribute))

    @property
    def kind(self) -> Kind:
        """The format of the inner shard."""
        return self.inner.kind

    @property
    def file(self) -> Location | None:
        """The file of the inner shard."""
        return self.inner.file

    def identity(self) -> dict[str, int | str]:
        """Return the inner shard's."""
        return self.inner.identity()

    def check_unchanged(self) -> None:
        """Raise ShardError if the input is no longer what it was."""
        self.inner.check_unchanged()

    def rows_in_metadata(self) -> int | None:
        """Return the inner shard's."""
        return self.inner.rows_in_metadata()

    def schema(self) -> pa.Schema | None:
        """Return the inner shard's."""
        return self.inner.schema()

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order; bad rows are null, and not listed again."""
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
        """Read all rows, as they are."""
        return self.inner.read_table(threads=threads)

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number, as they are."""
        return self.inner.take(rows, threads=threads)


@dataclass(frozen=True, slots=True)
class Readable:
    """What of a corpus can be read.

    Attributes:
        texts: the shards that can be read.
        keys: the same shards with their group column for a text; None where nothing is grouped.
        skipped: bad rows and shards, in order.
        bad_rows: int64, ascending: of each shard that can be read, its bad rows.
    """

    texts: Corpus
    keys: Corpus | None
    skipped: list[Skipped]
    bad_rows: list[npt.NDArray[np.int64]]


def readable(texts: Corpus, keys: Corpus | None, on_error: OnError, watch: Watch) -> Readable:
    """Find what can be read.

    Args:
        texts: the corpus.
        keys: the same files, with the group column for a text; or None.
        on_error: "raise": everything is taken for readable, and whoever reads it finds the first
            error; "skip": everything is read, a row is bad where its text or its key is, and a
            shard is left out as a whole where its file is damaged or lacks a column.
        watch: told of the bytes; the shards returned tell it too.

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
                # The text last: where both are bad it is what is named.
                for shard in (pair[1], pair[0]) if keys else pair[:1]:
                    bad |= _bad_rows(shard, watch if shard is pair[0] else None)
            except StoreError:
                raise
            except (ShardError, TextColumnError) as error:
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
    """Return what is wrong with each bad row of a shard."""
    found: dict[int, str] = {}
    travel = ShardProgress(shard, watch.advance if watch else _nothing)
    for batch in shard.text_batches(on_error="skip"):
        # The core is asked, which will read it later: what it refuses, and nothing else, is bad.
        counter = _core.TermCounter(words_only=True, stopwords=[], keep_rows=False)
        refused = counter.add(batch.text, threads=1)
        found |= {bad.row: bad.reason for bad in bad_rows_of(batch, refused.tolist())}
        travel.to(batch)
    travel.arrive()
    return found


def _without(text: pa.Array, positions: npt.NDArray[np.int64]) -> pa.Array:
    """Return texts with null at some positions."""
    import pyarrow.compute as pc  # Here: long to import.

    if pa.types.is_dictionary(text.type):
        text = text.dictionary_decode()
    bad = np.zeros(len(text), dtype=np.uint8)
    bad[positions] = 1
    return pc.if_else(to_arrow(bad).cast(pa.bool_()), pa.scalar(None, text.type), text)
