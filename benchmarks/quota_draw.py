"""A draw with one quota column by one process and by tasks: bytes read, and time.

    python -m benchmarks.quota_draw --rows 20000000 --groups 100000 --select 2000000

Makes scores of a corpus with a column of values of which some are frequent, draws from them both
ways in turn, checks that both draws are the same, and prints the medians: processor time, time by
the clock, bytes read and written a row, as the system counts them for this process, and the bytes
that come back from tasks, which are all that the caller reads besides the values. With two threads
or more, tasks run in others than the caller's. It runs on Linux only.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.duplicate_search import Cost, cost_of, print_costs
from dsir.engine import LocalEngine, Progress
from dsir.sampling import KeyRule
from dsir.settings.budget import Budget
from dsir.settings.draw import DrawSettings
from dsir.settings.memory import NO_LIMIT
from dsir.settings.quotas import check_quotas
from dsir.stages.draw import draw
from dsir.stages.draw_apart import draw_apart
from dsir.stages.drawn import Draw
from dsir.stages.group_codes import write_names
from dsir.stages.merged_groups import merge_groups
from dsir.stages.score_table import ScoreForm, Scores
from dsir.stages.shard_scores import ShardScores
from dsir.storage.place import Place
from dsir.storage.workdir import Workdir

_UNIT, _BATCH = 250_000, 50_000  # Rows.


class Counting(LocalEngine):
    """Counts the bytes of the arrays that come back from tasks.

    Attributes:
        back: how many.
    """

    back = 0

    def run(
        self,
        stage: Callable[[Any, Progress], Any],
        tasks: Sequence[Any],
        progress: Callable[[int], None],
    ) -> Iterator[Any]:
        """Run tasks as the local engine does."""
        for result in super().run(stage, tasks, progress):
            self.back += _nbytes(result)
            yield result


def _nbytes(result: object) -> int:
    if isinstance(result, np.ndarray):
        return result.nbytes
    return sum(map(_nbytes, result)) if isinstance(result, tuple) else 0


def make_scores(folder: Path, rows: int, groups: int) -> list[ShardScores]:
    """Write scores with values that are as frequent as words: the n-th in proportion to 1 / n."""
    noise = np.random.default_rng(1)
    form = ScoreForm(groups=1)
    shares = np.cumsum(1 / np.arange(1, groups + 1))
    units = []
    for number, first in enumerate(range(0, rows, _UNIT)):
        size = min(_UNIT, rows - first)
        values = np.searchsorted(shares, noise.random(size) * shares[-1], side="right")
        names, codes = np.unique(np.minimum(values, groups - 1), return_inverse=True)
        scores = Scores(
            noise.normal(size=(1, size)),
            noise.integers(90, 400, size, dtype=np.uint32),
            noise.integers(90, 4000, size, dtype=np.uint32),
            group_codes=codes.astype(np.uint32).reshape(1, size),
        )
        place = Place.at(folder / f"{number:05d}", "print", durable=False)
        with place.file(".arrow") as file, pa.ipc.new_file(file, form.schema) as writer:
            for start in range(0, size, _BATCH):
                writer.write_batch(scores.at(slice(start, start + _BATCH)).to_batch())
        write_names(place, [[json.dumps(f"host-{name}.example") for name in names.tolist()]])
        units.append(ShardScores(rows=size, documents=size, form=form, place=place))
    return units


def _ranks(drawn: Draw) -> list[object]:
    return [
        (target.threshold, *(closing.taken.tobytes() for closing in target.closings))
        for target in drawn.targets
    ]


def main() -> None:
    """Measure as the arguments say, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quota_draw")
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--groups", type=int, default=100_000)
    parser.add_argument("--select", type=int, default=2_000_000)
    parser.add_argument("--most", type=int, default=50, help="documents of a value")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder if none")
    given = parser.parse_args()
    settings = DrawSettings(
        budget=Budget(n=given.select),
        rule=KeyRule(1),
        allow_fewer=True,
        quotas=check_quotas({"host": given.most}, None),
    )
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
        place = Path(scratch)
        (place / "scores").mkdir()
        units = make_scores(place / "scores", given.rows, given.groups)
        known = merge_groups(units, ("host",))
        names = sum(path.stat().st_size for path in (place / "scores").glob("*.groups"))
        engine = Counting(given.threads)
        draws: list[Draw] = []
        callers: list[float] = []

        def alone() -> None:
            draws.append(draw(units, settings, [1.0], given.threads, known, NO_LIMIT.candidates))

        def by_tasks() -> None:
            folder = Workdir(place / "work", {}, {}, durable=False)
            begun = time.thread_time()
            draws.append(draw_apart(units, settings, [1.0], engine, groups=known, folder=folder))
            callers.append(time.thread_time() - begun)

        costs: dict[str, list[Cost]] = {"one process": [], "tasks": []}
        for _ in range(given.rounds):
            costs["one process"].append(cost_of(alone))
            costs["tasks"].append(cost_of(by_tasks))
            assert _ranks(draws[-1]) == _ranks(draws[-2])
            shutil.rmtree(place / "work")
    print(
        f"{given.rows:,} rows, {len(known.names[0]):,} values, {draws[-1].selected:,} selected, on "
        f"{given.threads} threads; {names / given.rows:.2f} bytes of values a row"
    )
    print_costs(costs, given.rows)
    back = engine.back / given.rounds / given.rows
    print(
        f"{back:.2f} bytes a row come back from tasks, whose caller takes "
        f"{statistics.median(callers):.2f} s of processor time"
    )


if __name__ == "__main__":
    main()
