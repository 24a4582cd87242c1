"""A search for duplicates by one process and by tasks: bytes read and written, and time.

    python -m benchmarks.duplicate_search --dedup exact --rows 48000000

Makes scores of a corpus in which a third of the rows are copies, searches them both ways in turn,
checks that both find the same rows, and prints the medians: processor time, time by the clock, and
bytes read and written a row, as the system counts them for this process. It runs on Linux only.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.engine import LocalEngine
from dsir.progress import ignore
from dsir.sampling import KeyRule
from dsir.settings.budget import Budget
from dsir.settings.draw import DrawSettings
from dsir.settings.memory import NO_LIMIT
from dsir.stages.duplicates.layout import Layout, hashes_a_row
from dsir.stages.duplicates.search import DuplicateSearch
from dsir.stages.repeats import find_repeats
from dsir.stages.score_table import ScoreForm, Scores
from dsir.stages.shard_scores import ShardScores
from dsir.storage.place import Place
from dsir.storage.workdir import Workdir

_UNIT, _BATCH = 250_000, 20_000  # Rows.


@dataclass(frozen=True, slots=True)
class Cost:
    """What a search took: seconds, and bytes."""

    processor: float
    clock: float
    read: int
    written: int


def make_scores(folder: Path, rows: int, dedup: str) -> list[ShardScores]:
    """Write scores of texts that are drawn at random from as many."""
    noise = np.random.default_rng(1)
    bands = _core.MINHASH_BANDS if dedup == "near" else 0
    form = ScoreForm(content=not bands, bands=bands)
    units = []
    for number, first in enumerate(range(0, rows, _UNIT)):
        unit = min(_UNIT, rows - first)
        place = Place.at(folder / f"{number:05d}", "print", durable=False)
        with place.file(".arrow") as file, pa.ipc.new_file(file, form.schema) as writer:
            for start in range(0, unit, _BATCH):
                size = min(_BATCH, unit - start)
                text = noise.integers(0, rows, size, dtype=np.uint64)
                keys = np.stack([_mixed(text, band) for band in range(max(1, bands))])
                scores = Scores(
                    noise.normal(size=(1, size)),
                    noise.integers(90, 400, size, dtype=np.uint32),
                    noise.integers(90, 4000, size, dtype=np.uint32),
                    content=None if bands else keys[0],
                    bands=keys if bands else None,
                )
                writer.write_batch(scores.to_batch())
        units.append(ShardScores(rows=unit, documents=unit, form=form, place=place))
    return units


def _mixed(text: npt.NDArray[np.uint64], band: int) -> npt.NDArray[np.uint64]:
    mixed = text + np.uint64(band << 48)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def cost_of(search: Callable[[], None]) -> Cost:
    """Return what a search takes."""
    read, written = _bytes()
    clock, processor = time.monotonic(), time.process_time()
    search()
    seconds = time.process_time() - processor, time.monotonic() - clock
    now = _bytes()
    return Cost(*seconds, now[0] - read, now[1] - written)


def _bytes() -> tuple[int, int]:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    numbers = dict(line.split(": ") for line in lines)
    return int(numbers["rchar"]), int(numbers["wchar"])


def print_costs(costs: Mapping[str, Sequence[Cost]], rows: int) -> None:
    """Print the medians of what each way to search takes, a line for each."""
    for name, found in costs.items():
        processor, clock, read, written = (
            statistics.median(getattr(one, field) for one in found) for field in Cost.__slots__
        )
        print(
            f"{name:12} {processor:7.2f} s of processor time, {clock:7.2f} s, "
            f"{read / rows:6.1f} bytes read a row, {written / rows:6.1f} written"
        )


def main() -> None:
    """Measure as the arguments say, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duplicate_search")
    parser.add_argument("--dedup", choices=("exact", "near"), default="exact")
    parser.add_argument("--rows", type=int, default=48_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder if none")
    given = parser.parse_args()
    settings = DrawSettings(budget=Budget(n=1), rule=KeyRule(1), dedup=given.dedup)
    hashes = given.rows * hashes_a_row(given.dedup)
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
        place = Path(scratch)
        (place / "scores").mkdir()
        units = make_scores(place / "scores", given.rows, given.dedup)
        alone, apart = list(units), list(units)

        def by_tasks() -> None:
            folder = Workdir(place / "search", {}, {}, durable=False)
            search = DuplicateSearch(units, settings, folder, None)
            engine = LocalEngine(given.threads)
            for step in search.steps():
                for _ in engine.run(step.stage, step.tasks, ignore):
                    pass
            search.marked(apart)

        costs: dict[str, list[Cost]] = {"one process": [], "tasks": []}
        for _ in range(given.rounds):
            one = cost_of(lambda: find_repeats(alone, settings, NO_LIMIT.hashes))
            costs["one process"].append(one)
            costs["tasks"].append(cost_of(by_tasks))
            assert [one.duplicates for one in alone] == [one.duplicates for one in apart]
            shutil.rmtree(place / "search")
    layout = Layout.of(given.rows, given.dedup)
    print(
        f"{given.rows:,} rows, dedup={given.dedup!r}: {-(-hashes // NO_LIMIT.hashes)} passes; "
        f"{layout.pieces} pieces and {layout.ranges} ranges on {given.threads} threads"
    )
    print_costs(costs, given.rows)


if __name__ == "__main__":
    main()
