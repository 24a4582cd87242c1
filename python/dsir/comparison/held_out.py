"""The target in two parts: one that methods are given, and one that selections are measured on.

A document's part depends on its text and the seed alone, so that the parts are the same in every
run, and copies of a text are in the same part.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.comparison.measures import HeldOut, Measures
from dsir.corpus import Corpus, OnError, resolve
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.failing_rows import naming_row
from dsir.errors import SettingError
from dsir.model.targets import TargetCorpora
from dsir.plural import counted

LEAST_DOCUMENTS = 10
_TEXT = "text"
_SCHEMA = pa.schema([pa.field(_TEXT, pa.large_string())])


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the target for one seed.

    Attributes:
        given: the part that methods are given.
        held_out: the part that is kept out, as selections are measured on it.
        documents: how many documents each part has.
    """

    given: TargetCorpora
    held_out: HeldOut
    documents: tuple[int, int]


@dataclass(slots=True)
class _Part:
    """The texts of one part of one target."""

    documents: int = 0
    texts: set[int] = field(default_factory=set)  # Hashes, up to so many that there are enough.

    def add(self, hashes: npt.NDArray[np.uint64]) -> None:
        self.documents += len(hashes)
        if len(self.texts) < LEAST_DOCUMENTS:
            self.texts.update(hashes.tolist())


def split_target(
    target: TargetCorpora,
    seeds: Sequence[int],
    share: float,
    measures: Measures,
    folder: Path,
    *,
    on_error: OnError,
    threads: int,
) -> list[Parts]:
    """Return the parts of the target for each seed; the target is read once.

    Args:
        target: the targets.
        seeds: the seeds.
        share: the share of the documents that is kept out.
        measures: what is measured on the part that is kept out.
        folder: where the given parts are written to.
        on_error: what to do with rows that cannot be read.
        threads: how many threads to use.

    Raises:
        SettingError: a part has fewer than ten different documents.
        InputError: a row cannot be read.
    """
    held_out = [measures.held_out() for _ in seeds]
    given: list[list[Corpus]] = [[] for _ in seeds]
    sizes = [np.zeros(2, dtype=np.int64) for _ in seeds]
    for number, corpus in enumerate(target.corpora):
        paths = [folder / f"given-{number:04d}-{one:02d}.parquet" for one in range(len(seeds))]
        found = _split(corpus, seeds, share, measures, held_out, paths, on_error, threads)
        for one, parts in enumerate(found):
            _refuse_small(corpus.name, parts, share)
            sizes[one] += [part.documents for part in parts]
            given[one].append(resolve(paths[one], text=_TEXT, name=corpus.name))
    return [
        Parts(
            TargetCorpora(target.names, tuple(corpora), target.negatives),
            held,
            (int(size[0]), int(size[1])),
        )
        for corpora, held, size in zip(given, held_out, sizes, strict=True)
    ]


def _split(
    corpus: Corpus,
    seeds: Sequence[int],
    share: float,
    measures: Measures,
    held_out: Sequence[HeldOut],
    paths: Sequence[Path],
    on_error: OnError,
    threads: int,
) -> list[tuple[_Part, _Part]]:
    """Write the given parts of one target, and add the others to `held_out`."""
    import pyarrow.parquet as pq  # Here: long to import.

    found = [(_Part(), _Part()) for _ in seeds]
    with ExitStack() as stack:
        files = [stack.enter_context(pq.ParquetWriter(path, _SCHEMA)) for path in paths]
        for shard in corpus.shards:
            for batch in shard.text_batches(on_error=on_error, threads=threads):
                with naming_row(shard, batch, measures.kl_features.attempt):
                    invalid = measures.invalid(batch.text, threads)
                if len(invalid) and on_error == "raise":
                    row = shard.rows_before() + batch.unit_row
                    raise bad_text_error(shard.name, row, batch.text, int(invalid[0]))
                hashes = _core.content_hashes(batch.text, threads=threads)
                usable = measures.has_tokens(batch.text, threads)
                for seed, parts, held, file in zip(seeds, found, held_out, files, strict=True):
                    kept_out = is_held_out(hashes, seed, share)
                    mine, others = usable & ~kept_out, usable & kept_out
                    parts[0].add(hashes[mine])
                    parts[1].add(hashes[others])
                    file.write_table(_texts(batch.text, mine))
                    measures.add(held, batch.text, np.flatnonzero(others), threads)
    return found


def is_held_out(hashes: npt.NDArray[np.uint64], seed: int, share: float) -> npt.NDArray[np.bool_]:
    """Return which documents are kept out, by the hashes of their texts."""
    return uniform(hashes, seed) < share


def uniform(numbers: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.float64]:
    """Return for each 64-bit number one from 0 to 1 that looks random (SplitMix64).

    Source: Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators".
    """
    with np.errstate(over="ignore"):
        mixed = numbers + np.uint64(0x9E3779B97F4A7C15) * np.uint64(seed + 1 & (1 << 64) - 1)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    found: npt.NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return found


def _texts(texts: pa.Array, wanted: npt.NDArray[np.bool_]) -> pa.Table:
    return pa.table([texts.filter(pa.array(wanted)).cast(_SCHEMA.field(0).type)], schema=_SCHEMA)


def _refuse_small(name: str, parts: tuple[_Part, _Part], share: float) -> None:
    for part, what in zip(parts, ("given to the methods", "kept out"), strict=True):
        if len(part.texts) < LEAST_DOCUMENTS:
            raise SettingError(
                f"{name}: is too small to compare methods on: with hold_out={share:g}, "
                f"{counted(len(part.texts), 'different document')} would be {what}, and each part "
                f"needs {LEAST_DOCUMENTS}; give more documents, or another hold_out"
            )
