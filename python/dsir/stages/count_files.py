"""Counts a corpus: unit by unit, or a file in one piece if it may pass its share of the fit budget.

The budget is shared out over files, and the count of a file stops after the document that passes
the file's share. So a file is counted unit by unit only if all of it is likely to count. If it
passes its share after all, it is counted again in one piece. The counts are the same either way.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np

from dsir.corpus import OnError, Shard
from dsir.corpus.units import sizes_of
from dsir.engine import Engine, Tasks
from dsir.model.features import HashedNgrams
from dsir.progress import Advance, ignore
from dsir.stages.count import CountTask, ShardCounts, count_shard, count_stored
from dsir.stages.damage.bad_tally import BadTally
from dsir.stages.kept.lines import likely_whole
from dsir.stages.sums import sum_of
from dsir.stages.units import Placing, file_ranges, in_file, said_once
from dsir.storage.place import Place

WHOLE = "whole"  # The count of a whole file is named this, then the number of the first unit.


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusCount:
    """How to count a corpus.

    Attributes:
        units: all units of the corpus, in order.
        limit: the count of a file stops after the document that passes this number of n-grams; -1
            for no limit.
        stem: the result of a unit is named this, then the number of the unit.
        place: returns where the result of a name is stored, or None to store nothing.
        tally: counts bad rows and files, in the order of the files; files that are counted again in
            one piece come last.
        spools: for each unit, the file that decompressed lines are written to, or None; empty for
            none at all.
    """

    units: Sequence[Shard]
    features: HashedNgrams
    limit: int
    on_error: OnError
    stem: str
    place: Callable[[str], Place | None]
    tally: BadTally
    spools: Sequence[Path | None] = ()

    def run(self, engine: Engine, advance: Advance) -> ShardCounts:
        """Count all files.

        Args:
            engine: runs the tasks.
            advance: called with the number of bytes done.

        Returns:
            The sum. `skipped` has row numbers of files; `spooled` and `unit_rows` have an entry for
            every unit.

        Raises:
            BadDataError: more is bad than the tally allows.
        """
        tasks = self._ranges()
        total = self._nothing()
        rows: dict[int, int] = {}
        again: list[tuple[int, int]] = []
        numbers: list[int] = []
        # Closed even after an error: otherwise the engine would still run the waiting tasks.
        with closing(self._counts(engine, tasks, advance)) as results:
            found = zip(self._task_files(), results, strict=True)
            for number, ((first, stop), counted) in enumerate(
                itertools.groupby(found, key=itemgetter(0))
            ):
                counts = (result for _, result in counted)
                if not self._by_unit(first, stop):
                    [file] = counts
                    file.spooled = [None] * (stop - first)
                    file.unit_rows = [None] * (stop - first)
                    self.tally.add(file.rows, file.skipped, number)
                else:
                    file = self._file(number, self.units[first:stop], counts)
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
        with closing(self._counts(engine, again, ignore)) as results:
            for number, file in zip(numbers, results, strict=True):
                self.tally.add(file.rows, file.skipped, number)
                file.spooled, file.unit_rows = [], []
                total.add(file)
                rows[number] = file.rows
        total.file_rows = [rows[number] for number in sorted(rows)]
        if total.stored:
            shape = (self.features.buckets,)
            total.counts += sum_of(engine, total.stored, shape, self._stored)
            total.stored = []
        return total

    def tasks(self, engine: Engine) -> Sequence[CountTask]:
        """Return the tasks that `run` begins with."""
        return self._tasks(self._ranges(), engine)

    def _stored(self, name: str) -> Place:
        place = self.place(name)
        assert place is not None
        return place

    def _ranges(self) -> Sequence[tuple[int, int]]:
        """Return the ranges of unit numbers that are counted in one piece."""
        firsts, stops = array("q"), array("q")
        for first, stop in file_ranges(self.units):
            if self._by_unit(first, stop):
                firsts.extend(range(first, stop))
                stops.extend(range(first + 1, stop + 1))
            else:
                firsts.append(first)
                stops.append(stop)
        return Tasks(len(firsts), lambda number: (firsts[number], stops[number]))

    def _task_files(self) -> Iterator[tuple[int, int]]:
        """Give for each of these ranges the range of all units of its file."""
        for first, stop in file_ranges(self.units):
            yield from [(first, stop)] * (stop - first if self._by_unit(first, stop) else 1)

    def _by_unit(self, first: int, stop: int) -> bool:
        if stop - first == 1:
            return True
        return likely_whole(int(sizes_of(self.units[first:stop]).sum()), self.limit)

    def _counts(
        self, engine: Engine, ranges: Sequence[tuple[int, int]], advance: Advance
    ) -> Generator[ShardCounts, None, None]:
        """Count the units, or the whole files, that these ranges of unit numbers name."""
        tasks = self._tasks(ranges, engine)
        apart = engine.needs_workdir and all(task.place is not None for task in tasks)
        yield from engine.run(count_stored if apart else count_shard, tasks, advance)

    def _tasks(self, ranges: Sequence[tuple[int, int]], engine: Engine) -> Sequence[CountTask]:
        threads = engine.threads_inside(len(ranges))

        def task(number: int) -> CountTask:
            first, stop = ranges[number]
            single = stop - first == 1
            name = f"{self.stem if single else WHOLE}-{first:05d}"
            return CountTask(
                self.units[first] if single else self.units[first].whole(),
                self.features,
                self.limit,
                self.on_error,
                threads,
                self.place(name),
                self.spools[first] if single and self.spools else None,
                self.tally.most_bad_rows,
            )

        return Tasks(len(ranges), task)

    def _file(
        self, number: int, units: Sequence[Shard], counts: Iterable[ShardCounts]
    ) -> ShardCounts:
        """Add up the units of a file. Without a limit, the tally takes each unit at once."""
        file = self._nothing()
        placing = Placing()
        skipped = []
        for unit, counted in zip(units, counts, strict=True):
            skipped.append(in_file(placing.next(unit, counted.known_source_rows), counted.skipped))
            if self.limit < 0:
                self.tally.add(counted.rows, skipped[-1], number)
            file.add(counted)
        file.skipped = said_once(skipped)
        return file

    def _nothing(self) -> ShardCounts:
        nothing = np.zeros(self.features.buckets, dtype=np.int64)
        return ShardCounts(nothing, spooled=[], unit_rows=[])
