"""The count of a corpus: unit by unit, or a file in one piece where the budget of the fit may bite.

The budget is shared out over files, and the count of a file stops behind the document that passes
its share. So a file is counted unit by unit only where all of it is likely to count; should its
share be passed after all, it is counted again in one piece. The counts are the same either way.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np

from dsir.corpus import OnError, Shard
from dsir.engine import Engine
from dsir.model.features import HashedNgrams
from dsir.stages.count import CountTask, ShardCounts, count_shard
from dsir.stages.damage.bad_tally import BadTally
from dsir.stages.kept.lines import likely_whole
from dsir.stages.units import Placing, file_ranges, in_file, said_once
from dsir.storage.workdir import Place

WHOLE = "whole"  # Before the number of its first unit: the name of the count of a file as a whole.


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusCount:
    """How to count a corpus.

    Attributes:
        units: of the corpus, in order.
        limit: n-grams of a file; its count stops behind the document that passes that; -1 for none.
        stem: before the number of a unit: the name of its result.
        place: makes the place of a result of a name; it gives None where none is kept.
        tally: told of what is bad in the files, in order; where units of a file have to be counted
            again in one piece, of these last.
        spools: by unit, where its lines are put aside; empty for nowhere.
    """

    units: Sequence[Shard]
    features: HashedNgrams
    limit: int
    on_error: OnError
    stem: str
    place: Callable[[str], Place | None]
    tally: BadTally
    spools: Sequence[Path | None] = ()

    def run(self, engine: Engine, advance: Callable[[int], None]) -> ShardCounts:
        """Count all files.

        Args:
            engine: what runs the tasks.
            advance: told of the bytes done.

        Returns:
            The sum. What was skipped is named by rows of files; there is an entry of lines put
            aside, and of rows, for every unit.

        Raises:
            BadDataError: more is bad than the tally allows.
        """
        tasks: list[tuple[int, int]] = []
        of_file: list[tuple[int, int]] = []
        for first, stop in file_ranges(self.units):
            whole = not self._by_unit(first, stop)
            mine = [(first, stop)] if whole else itertools.pairwise(range(first, stop + 1))
            tasks += mine
            of_file += [(first, stop)] * (len(tasks) - len(of_file))
        total = self._nothing()
        rows: dict[int, int] = {}
        again: list[tuple[int, int]] = []
        numbers: list[int] = []
        # Closed whatever happens here: else the tasks that are waiting would still be done.
        with closing(self._counts(engine, tasks, advance)) as results:
            found = zip(of_file, results, strict=True)
            for number, ((first, stop), counted) in enumerate(
                itertools.groupby(found, key=itemgetter(0))
            ):
                parts = (part for _, part in counted)
                if not self._by_unit(first, stop):
                    [file] = parts
                    file.spooled = [None] * (stop - first)
                    file.unit_rows = [None] * (stop - first)
                    self.tally.add(file.rows, file.skipped, number)
                else:
                    file = self._file(number, self.units[first:stop], parts)
                    if stop - first > 1 and 0 <= self.limit < file.ngrams:
                        again.append((first, stop))
                        numbers.append(number)
                        total.spooled += file.spooled
                        total.unit_rows += file.unit_rows
                        continue
                    if self.limit >= 0:
                        self.tally.add(file.rows, file.skipped, number)
                total.add(file)
                rows[number] = file.rows
        with closing(self._counts(engine, again, lambda _: None)) as results:
            for number, part in zip(numbers, results, strict=True):
                self.tally.add(part.rows, part.skipped, number)
                part.spooled, part.unit_rows = [], []
                total.add(part)
                rows[number] = part.rows
        total.file_rows = [rows[number] for number in sorted(rows)]
        return total

    def _by_unit(self, first: int, stop: int) -> bool:
        size = sum(unit.size for unit in self.units[first:stop])
        return stop - first == 1 or likely_whole(size, self.limit)

    def _counts(
        self, engine: Engine, ranges: Sequence[tuple[int, int]], advance: Callable[[int], None]
    ) -> Generator[ShardCounts, None, None]:
        """Count units, or files as a whole: ranges of several units."""
        threads = max(1, engine.threads // max(1, len(ranges)))
        tasks = []
        for first, stop in ranges:
            single = stop - first == 1
            name = f"{self.stem if single else WHOLE}-{first:05d}"
            tasks.append(
                CountTask(
                    self.units[first] if single else self.units[first].whole(),
                    self.features,
                    self.limit,
                    self.on_error,
                    threads,
                    self.place(name),
                    self.spools[first] if single and self.spools else None,
                    self.tally.most_bad_rows,
                )
            )
        yield from engine.run(count_shard, tasks, advance)

    def _file(
        self, number: int, units: Sequence[Shard], parts: Iterable[ShardCounts]
    ) -> ShardCounts:
        """Add up the units of a file; where all of it counts, the tally is told of each at once."""
        file = self._nothing()
        placing = Placing()
        skipped = []
        for unit, part in zip(units, parts, strict=True):
            skipped.append(in_file(placing.next(unit, part.known_source_rows), part.skipped))
            if self.limit < 0:
                self.tally.add(part.rows, skipped[-1], number)
            file.add(part)
        file.skipped = said_once(skipped)
        return file

    def _nothing(self) -> ShardCounts:
        nothing = np.zeros(self.features.buckets, dtype=np.int64)
        return ShardCounts(nothing, spooled=[], unit_rows=[])
