"""Work on planned selections with several workers, kill some, and compare with `dsir select`.

    python tests/endurance/work_anywhere.py --settings 20 --workers 3 --seed 1

For each of so many random settings a selection is planned. Workers start at random times, one of
them is killed with SIGKILL every so often and another starts in its place. Then `dsir finish` runs,
in some rounds while workers are alive, in some killed once and started again. In every other round
the workers draw together, as they do from a large corpus. The output must be,
byte for byte, that of `dsir select`. Exits with 1 if anything was not as it should be.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_BUDGETS = (["--n", "300"], ["--tokens", "40k"], ["--fraction", "10%"], ["--bytes", "200k"])
_OPTIONS = (
    [],
    ["--length", "mean", "--temperature", "0.1"],
    ["--dedup", "exact"],
    ["--max-per", "source=0.5"],
    ["--fit-tokens", "all"],
    ["--fit-tokens", "20000"],
    ["--chunk-tokens", "64", "--min-tokens", "40"],
    ["--filters", "min_words=120"],
    ["--shard-size", "60k"],
    ["--on-error", "skip"],
    ["--smoothing", "0.5"],
    ["--seed", "7"],
)
_PATIENCE = 300.0  # Seconds for one round.


class WrongError(Exception):
    """Something was not as it should be."""


@dataclass
class Rounds:
    """What happened in all rounds."""

    workers: int = 0
    killed: int = 0
    finishers_killed: int = 0
    failed: list[str] = field(default_factory=list)


def make_inputs(folder: Path, files: int, seed: int) -> None:
    """Write a corpus of small files, Parquet and JSON Lines, and a target."""
    draw = np.random.default_rng(seed)
    words = [f"w{number}" for number in range(3000)]

    def texts(count: int, most: int) -> list[str]:
        return [
            " ".join(draw.choice(words[:most], int(draw.integers(100, 300)))) for _ in range(count)
        ]

    (folder / "raw").mkdir(parents=True)
    for number in range(files):
        table = pa.table(
            {
                "text": texts(120, 3000) + texts(30, 400),
                "source": [f"s{row % 5}" for row in range(150)],
            }
        )
        pq.write_table(table, folder / "raw" / f"part-{number:03d}.parquet", row_group_size=50)
    pq.write_table(pa.table({"text": texts(100, 400)}), folder / "target.parquet")


def settings_of(draw: random.Random) -> list[str]:
    """Return options of a random selection."""
    chosen = draw.sample(_OPTIONS, k=draw.randint(0, 3))
    if any(words[:1] == ["--chunk-tokens"] for words in chosen):
        # Windows of 64 tokens have fewer words than this filter asks for.
        chosen = [words for words in chosen if words[:1] != ["--filters"]]
    return [*draw.choice(_BUDGETS), *(word for words in chosen for word in words)]


def dsir(*words: object) -> list[str]:
    """Return the command line of a dsir command."""
    return [sys.executable, "-m", "dsir", *map(str, words), "-q"]


def done(*words: object) -> None:
    """Run a command to its end; raise WrongError if it fails."""
    ended = subprocess.run(dsir(*words), capture_output=True, text=True, timeout=_PATIENCE)
    if ended.returncode:
        raise WrongError(f"{words}: exit code {ended.returncode}: {ended.stderr}")


def one_round(
    folder: Path,
    options: list[str],
    workers: int,
    draw: random.Random,
    found: Rounds,
    *,
    together: bool,
) -> None:
    """Select once alone and once with workers; raise WrongError if the outputs differ."""
    call = [folder / "raw", "-t", folder / "target.parquet", *options]
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        done("select", *call, "-o", place / "alone")
        done("plan", *call, "-o", place / "shared", "--workdir", place / "work")
        started = [_start_worker(place, draw, together=together)]
        found.workers += 1
        wanted = workers + draw.randint(0, 2)
        end = time.monotonic() + _PATIENCE
        finisher: subprocess.Popen[str] | None = None
        while any(process.poll() is None for process in started) or len(started) < wanted:
            if time.monotonic() > end:
                raise WrongError(f"{options}: workers do not end")
            time.sleep(draw.uniform(0, 0.4))
            living = [process for process in started if process.poll() is None]
            if len(started) < wanted:
                started.append(_start_worker(place, draw, together=together))
                found.workers += 1
            elif living and found.killed < 10_000 and draw.random() < 0.3 and wanted < workers + 6:
                draw.choice(living).send_signal(signal.SIGKILL)
                found.killed += 1
                wanted += 1
            if finisher is None and draw.random() < 0.1:
                finisher = _start("finish", place / "work", together=together)
                if draw.random() < 0.5:
                    time.sleep(draw.uniform(0, 1.5))
                    finisher.send_signal(signal.SIGKILL)
                    found.finishers_killed += 1
        for process in started:
            _, said = process.communicate()
            if process.returncode not in (0, -signal.SIGKILL):
                raise WrongError(f"{options}: a worker ended with {process.returncode}: {said}")
        if finisher is not None:
            _, said = finisher.communicate(timeout=_PATIENCE)
            if finisher.returncode not in (0, -signal.SIGKILL):
                raise WrongError(f"{options}: finish ended with {finisher.returncode}: {said}")
        done("finish", place / "work")
        _compare(place / "alone", place / "shared", options)


# Workers draw together from a large corpus only; here from any.
_TOGETHER = """
import dsir.cli.main, dsir.run.work
dsir.run.work._APART_ROWS = 1
dsir.cli.main.main()
"""


def _start(*words: object, together: bool) -> subprocess.Popen[str]:
    python, *rest = dsir(*words)
    command = [python, "-c", _TOGETHER, *rest[2:]] if together else [python, *rest]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def _start_worker(place: Path, draw: random.Random, *, together: bool) -> subprocess.Popen[str]:
    part = draw.choice(["0/1", "0/3", "2/3", "1/2"])
    threads = draw.choice([1, 2])
    words = ("work", place / "work", "--threads", threads, "--part", part)
    return _start(*words, together=together)


def _compare(alone: Path, shared: Path, options: list[str]) -> None:
    def contents(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "run.json"
        }

    one, other = contents(alone), contents(shared)
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    if names:
        raise WrongError(f"{options}: these files differ: {names}")


def run(settings: int, workers: int, seed: int, files: int = 24) -> Rounds:
    """Go through so many settings, and return what happened."""
    draw = random.Random(seed)
    found = Rounds()
    with tempfile.TemporaryDirectory() as name:
        make_inputs(Path(name), files, seed)
        # Before the rounds, which draw as often as their time asks for.
        for number, options in enumerate([settings_of(draw) for _ in range(settings)]):
            try:
                one_round(Path(name), options, workers, draw, found, together=number % 2 == 0)
            except WrongError as error:
                found.failed.append(f"round {number}: {error}")
    return found


def main() -> int:
    """Read the options, run, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=int, default=20)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = run(options.settings, options.workers, options.seed, options.files)
    print(
        f"{options.settings} settings, {found.workers} workers, {found.killed} of them killed, "
        f"{found.finishers_killed} finishers killed: {len(found.failed)} rounds wrong"
    )
    for line in found.failed:
        print(line)
    return 1 if found.failed else 0


if __name__ == "__main__":
    sys.exit(main())
