"""Measures one machine of many cores: threads of one process against processes that share the work.

    python -m benchmarks.many_cores --folder /tmp/many-cores --json many-cores.json

Makes its own corpus in the folder (6 GB of text, 2 GB of Parquet by default) and selects 1 of 100
documents:

- `dsir select` with 1, 2, 4, ... threads;
- `dsir plan`, `dsir work` and `dsir finish`, with 1 worker of all cores, 2 of half, ..., and one of
  a thread for each core.

The rounds go in turn, and no round begins that would end after `--seconds`. Of every call the table
has the best wall seconds, those of its stages without the start of Python, the processor seconds of
the same run (every process counts), and whether the output has the same bytes as that of the first
call. Nothing but dsir's own dependencies is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import machine
from benchmarks.threads import thread_counts

_WORDS = 200_000
_DOCUMENT_WORDS = 400  # In the mean; lengths are log-normal.
_SHARD_BYTES = 32 << 20  # Of text. Many small files, so that 16 cores end at about the same time.
_GROUPS = 2  # Row groups of a file.
_DIFFERENT = 4  # Files with different texts; all others are copies of these.


@dataclass(frozen=True, slots=True)
class Data:
    """The corpus that was made.

    Attributes:
        raw: the folder of its files.
        target: the file of the target.
        text_bytes: bytes of text in raw.
    """

    raw: Path
    target: Path
    text_bytes: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What a call took.

    Attributes:
        seconds: wall seconds, from the start of the first process to the end of the last.
        busy: processor seconds of all its processes.
        steps: wall seconds of its parts, in order: plan, work, finish.
        stages: wall seconds of the stages of the last process, which are all of `dsir select`.
        digest: the SHA-256 of what was selected.
    """

    seconds: float
    busy: float
    steps: tuple[float, ...]
    stages: dict[str, float]
    digest: str


@dataclass(slots=True)
class Case:
    """A call that is measured.

    Attributes:
        name: how it is called in the table.
        workers, threads: so many processes with so many threads each.
        run: makes the call once.
        ran: what each run of it took.
    """

    name: str
    workers: int
    threads: int
    run: Callable[[], Ran]
    ran: list[Ran] = field(default_factory=list)

    @property
    def best(self) -> Ran:
        """The run that took the least wall seconds."""
        return min(self.ran, key=lambda one: one.seconds)


def make_data(folder: Path, text_bytes: float) -> Data:
    """Write a corpus of about so many bytes of text, and a target; equal at every call."""
    raw, target = folder / "raw", folder / "target.parquet"
    raw.mkdir(parents=True)
    words = _vocabulary(np.random.default_rng(0))
    shard_bytes = min(_SHARD_BYTES, text_bytes / _DIFFERENT)
    _write(target, words, seed=1, size=shard_bytes / 32, shift=0.02)
    sizes = [
        _write(raw / f"{number:04d}.parquet", words, seed=2 + number, size=shard_bytes)
        for number in range(_DIFFERENT)
    ]
    count = max(_DIFFERENT, round(text_bytes / shard_bytes))
    for number in range(_DIFFERENT, count):
        shutil.copyfile(raw / f"{number % _DIFFERENT:04d}.parquet", raw / f"{number:04d}.parquet")
    total = sum(sizes[number % _DIFFERENT] for number in range(count))
    return Data(raw, target, total)


def _vocabulary(random: np.random.Generator) -> pa.Array:
    letters = random.integers(ord("a"), ord("z") + 1, (_WORDS, 12)).astype(np.uint8)
    lengths = np.minimum(12, 2 + random.poisson(4, _WORDS))
    ends = np.where(random.random(_WORDS) < 0.1, ",", "")  # Punctuation, for the tokenizer.
    pairs = zip(letters, lengths, ends, strict=True)
    return pa.array([bytes(row[:length]).decode() + end for row, length, end in pairs])


def _write(path: Path, words: pa.Array, seed: int, size: float, shift: float = 0.0) -> int:
    """Write documents whose words follow Zipf's law; return the bytes of their text.

    Args:
        path: the file.
        words: the vocabulary.
        seed: of the random numbers.
        size: about so many bytes of text.
        shift: the share of words that come from rare ones made frequent, which is what tells a
            target from raw.
    """
    random = np.random.default_rng(seed)
    count = int(size / 7.2)
    ranks = np.minimum(_WORDS - 1, random.zipf(1.15, count) - 1)
    ranks = np.where(random.random(count) < shift, (ranks + _WORDS // 4) % _WORDS, ranks)
    lengths = np.maximum(1, random.lognormal(np.log(_DOCUMENT_WORDS) - 0.5, 1, count // 300))
    ends = np.minimum(np.cumsum(lengths.astype(np.int64)), count)
    offsets = np.unique(np.concatenate([[0], ends, [count]])).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), words.take(pa.array(ranks)))
    texts = pc.binary_join(lists, " ")
    table = pa.table({"text": texts, "id": np.arange(len(texts)) + seed * 10**9})
    pq.write_table(table, path, compression="zstd", row_group_size=-(-len(table) // _GROUPS))
    return int(pc.sum(pc.binary_length(texts)).as_py())


def cases(data: Data, folder: Path, cores: int) -> list[Case]:
    """Return what is measured: threads first, then workers."""
    found = [
        Case(f"select, {threads} threads", 1, threads, _select_call(data, folder, threads))
        for threads in thread_counts(cores)
    ]
    found.append(
        Case(
            f"select --workdir, {cores} threads",
            *(1, cores, _select_call(data, folder, cores, workdir=True)),
        )
    )
    for workers in thread_counts(cores):
        threads = cores // workers
        name = f"work, {workers} workers of {threads} threads"
        found.append(Case(name, workers, threads, _work_call(data, folder, workers, threads)))
    return found


def _select_call(
    data: Data, folder: Path, threads: int, *, workdir: bool = False
) -> Callable[[], Ran]:
    def call() -> Ran:
        out, work = _emptied(folder)
        kept = ["--workdir", str(work)] if workdir else []
        return _ran(
            out, [[["select", *_selection(data, out), "--threads", str(threads), *kept, "-q"]]]
        )

    return call


def _work_call(data: Data, folder: Path, workers: int, threads: int) -> Callable[[], Ran]:
    def call() -> Ran:
        out, work = _emptied(folder)
        plan = ["plan", *_selection(data, out), "--workdir", str(work), "-q"]
        started = [
            ["work", str(work), "--threads", str(threads), "--part", f"{number}/{workers}", "-q"]
            for number in range(workers)
        ]
        return _ran(out, [[plan], started, [["finish", str(work), "-q"]]])

    return call


def _selection(data: Data, out: Path) -> list[str]:
    return [str(data.raw), "-t", str(data.target), "--fraction", "1%", "-o", str(out)]


def _emptied(folder: Path) -> tuple[Path, Path]:
    out, work = folder / "out", folder / "work"
    for old in (out, work):
        shutil.rmtree(old, ignore_errors=True)
    return out, work


def _ran(out: Path, steps: Sequence[Sequence[Sequence[str]]]) -> Ran:
    """Run the commands of each step side by side, and the steps one after another.

    Raises:
        SystemExit: a command failed.
    """
    os.sync()  # So that this call does not wait for what the one before has yet to write.
    # As installed: Python's bytecode is kept, and a worker does not compile dsir anew.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before, times, begun = os.times(), [], time.perf_counter()
    for commands in steps:
        step = time.perf_counter()
        running = [
            subprocess.Popen([sys.executable, "-m", "dsir", *command], env=environment)
            for command in commands
        ]
        codes = [process.wait() for process in running]
        if any(codes):
            raise SystemExit(f"dsir {' '.join(commands[0])}: exit codes {codes}")
        times.append(time.perf_counter() - step)
    seconds, after = time.perf_counter() - begun, os.times()
    busy = after.children_user + after.children_system
    busy -= before.children_user + before.children_system
    noted = json.loads((out / "_dsir" / "run.json").read_text(encoding="utf-8"))
    stages = {name: stage["seconds"] for name, stage in noted["stages"].items()}
    return Ran(seconds, busy, tuple(times), stages, digest_of(out))


def digest_of(out: Path) -> str:
    """Return the SHA-256 of the names and bytes of the files of a selection."""
    digest = hashlib.sha256()
    for path in sorted((out / "data").iterdir()):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def measure(found: Sequence[Case], rounds: int, deadline: float) -> None:
    """Run all cases in turn, until the rounds are done or another would not end in time.

    Args:
        found: what to run.
        rounds: at most so many rounds.
        deadline: when to end, by `time.perf_counter`. The first round is always whole.
    """
    for number in range(rounds):
        begun = time.perf_counter()
        for case in found:
            case.ran.append(case.run())
        last = time.perf_counter() - begun
        if number + 1 < rounds and time.perf_counter() + last > deadline:
            return


def report(found: Sequence[Case], text_bytes: int) -> list[str]:
    """Return the lines of a table."""
    one = found[0].best
    # What workers are held against: all threads in one process, without a work directory.
    whole = max((case for case in found if case.name.startswith("select,")), key=_cores_of).best
    lines = [
        "| call | wall s | MB/s | efficiency | stages s | efficiency of stages | processor s "
        "| wall against select | processor against select | plan + work + finish | runs "
        "| same bytes |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case in found:
        best, cores = case.best, _cores_of(case)
        all_cores = cores == max(map(_cores_of, found))
        against = (
            f"{best.seconds / whole.seconds:.2f} | {best.busy / whole.busy:.2f}"
            if all_cores
            else " | "
        )
        steps = " + ".join(f"{step:.1f}" for step in best.steps) if len(best.steps) > 1 else ""
        stages = " | "
        if len(best.steps) == 1:
            all_stages, alone = sum(best.stages.values()), sum(one.stages.values())
            stages = f"{all_stages:.2f} | {alone / all_stages / cores:.2f}"
        same = all(ran.digest == one.digest for ran in case.ran)
        lines.append(
            f"| {case.name} | {best.seconds:.2f} | {text_bytes / best.seconds / 1e6:,.0f} "
            f"| {one.seconds / best.seconds / cores:.2f} | {stages} | {best.busy:.1f} | {against} "
            f"| {steps} | {len(case.ran)} | {'yes' if same else 'NO'} |"
        )
    return lines


def _cores_of(case: Case) -> int:
    return case.workers * case.threads


def describe(found: Sequence[Case], text_bytes: int) -> dict[str, object]:
    """Return every run as plain values."""
    return {
        "machine": machine.describe(),
        "text_bytes": text_bytes,
        "calls": [
            {
                "name": case.name,
                "workers": case.workers,
                "threads": case.threads,
                "runs": [asdict(ran) for ran in case.ran],
            }
            for case in found
        ],
    }


def main() -> None:
    """Read the options, measure, print the table and write JSON."""
    begun = time.perf_counter()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.many_cores",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, required=True, help="new; for the corpus and runs")
    parser.add_argument("--json", type=Path, help="write every run here")
    parser.add_argument("--gigabytes", type=float, default=6.0, help="of text [default: 6]")
    parser.add_argument("--cores", type=int, help="[default: all that this process may use]")
    parser.add_argument("--rounds", type=int, default=3, help="at most [default: 3]")
    parser.add_argument(
        "--seconds", type=float, default=210, help="begin no round that ends later [default: 210]"
    )
    options = parser.parse_args()
    if options.folder.exists():
        parser.error(f"--folder {options.folder}: exists; give a new folder")
    cores = options.cores or len(os.sched_getaffinity(0))
    data = make_data(options.folder, options.gigabytes * 1e9)
    made = time.perf_counter() - begun
    print(f"{data.text_bytes / 1e9:.1f} GB of text, made in {made:.0f} s; {cores} cores")
    found = cases(data, options.folder, cores)
    try:
        measure(found, options.rounds, begun + options.seconds)
    finally:
        shutil.rmtree(options.folder)
        if all(case.ran for case in found):
            print("\n".join(report(found, data.text_bytes)))
        done = [case for case in found if case.ran]
        if options.json:
            described = describe(done, data.text_bytes)
            options.json.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
