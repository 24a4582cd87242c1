"""Many small runs, one after the other, and nothing that grows.

    python tests/endurance/soak.py --seconds 7200 --duty 0.25

Each turn runs one kind of call: a command in a process of its own, or a call of the Python API in
this process. The turns go round and round until the time is up. Watched are the peak memory of
every command, and of this process after every turn its memory, what Arrow has allocated, open
handles and threads. After every turn no file may be in the folder for temporary files, none under
a temporary name anywhere, and work directories that are used again and again must not gain files.
Exits with 1 if something grew or was left behind.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_UNFINISHED = re.compile(r"\..+\.tmp-\d+-[0-9a-f]+")
_WORDS = ["ship", "sail", "anchor", "tide", "harbour", "mast", "court", "judge", "flour", "yeast"]
_AS_COMMAND = "COMMAND_UNDER_SOAK"
_PATIENCE = 300.0  # Seconds for one command.
_SLACK = 8 << 20  # Bytes by which a median may differ without being growth.
_SLACK_SHARE = 0.03


class WrongError(Exception):
    """A call failed, or left something behind."""


@dataclass
class Turn:
    """What was seen after one turn.

    Attributes:
        kind: which call it was.
        at: seconds since the beginning.
        peak: bytes that the command had at most; 0 for a call in this process.
        memory: bytes of this process (RSS).
        arrow: bytes that Arrow has allocated in this process.
        handles: open handles of this process.
        threads: threads of this process.
        kept: files in the folders that are used again and again.
    """

    kind: str
    at: float
    peak: int
    memory: int
    arrow: int
    handles: int
    threads: int
    kept: int


def make_inputs(folder: Path, rows: int, seed: int) -> None:
    """Write a small corpus of Parquet, JSON Lines and Arrow, and a target."""
    draw = random.Random(seed)

    def table(count: int, words: list[str]) -> pa.Table:
        texts = [" ".join(draw.choices(words, k=draw.choice([8, 30, 90]))) for _ in range(count)]
        return pa.table(
            {
                "text": texts,
                "source": [f"s{row % 4}" for row in range(count)],
                "label": [f"l{row % 2}" for row in range(count)],
                "width": [draw.random() for _ in range(count)],
            }
        )

    (folder / "raw").mkdir(parents=True)
    (folder / "tmp").mkdir()
    for number in range(3):
        pq.write_table(
            table(rows, _WORDS), folder / "raw" / f"a{number}.parquet", row_group_size=60
        )
    lines = [json.dumps(row) + "\n" for row in table(rows, _WORDS).to_pylist()]
    (folder / "raw" / "b.jsonl").write_text("".join(lines))
    part = table(rows, _WORDS)
    with pa.ipc.new_file(folder / "raw" / "c.arrow", part.schema) as writer:
        writer.write_table(part, max_chunksize=60)
    pq.write_table(table(60, _WORDS[:6]), folder / "target.parquet")


def _command(folder: Path, *words: object) -> int:
    """Run a command; returns the bytes that it had at most."""
    note = folder / "peak"
    done = subprocess.run(
        [sys.executable, __file__, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
        env={**os.environ, "TMPDIR": str(folder / "tmp"), _AS_COMMAND: str(note)},
    )
    if done.returncode:
        raise WrongError(f"{words}: exit code {done.returncode}: {done.stderr}")
    return int(note.read_text())


def _be_command(note: str) -> None:
    """Be the command `dsir`, and write down the most memory that this process has had.

    `wait4` counts what the parent had when it made the process, so the process tells itself.
    """
    from dsir.cli import main as command

    sys.argv[0] = "dsir"
    try:
        command.main()
    finally:
        lines = Path("/proc/self/status").read_text().splitlines()
        [kilobytes] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        Path(note).write_text(str(int(kilobytes) * 1024))


def _select(folder: Path, number: int) -> list[object]:
    """Return a command that selects, with other settings every time."""
    draw = random.Random(number)
    budget: list[object] = draw.choice(
        [["--n", 40], ["--tokens", "2k"], ["--fraction", "5%"], ["--bytes", "9k"]]
    )
    more: list[object] = draw.choice(
        [
            [],
            ["--dedup", "exact"],
            ["--max-per", "source=0.4"],
            ["--filters", "min_words=5"],
            ["--method", "top-k"],
            ["--method", "coverage"],
            ["--length", "mean", "--temperature", "0.1"],
            ["--chunk-tokens", "16"],
        ]
    )
    given: list[object] = [
        "--min-tokens",
        5,
        "--threads",
        2,
        "--seed",
        draw.randrange(9),
        *budget,
        *more,
        "-q",
    ]
    places: list[object] = ["-t", folder / "target.parquet", "-o", folder / "out", "--overwrite"]
    return ["select", folder / "raw", *places, *given]


def commands(folder: Path) -> Iterator[tuple[str, Callable[[int], int]]]:
    """Yield the commands of a round: a name, and a function of the number of the turn."""

    def run(*words: object) -> Callable[[int], int]:
        return lambda number: _command(folder, *words)

    yield "dsir select", lambda number: _command(folder, *_select(folder, number))
    yield (
        "dsir select --workdir",
        lambda number: _command(folder, *_select(folder, number), "--workdir", folder / "work"),
    )
    yield "dsir verify", run("verify", folder / "out", "-q")
    yield (
        "dsir fit",
        run(
            "fit",
            folder / "raw",
            "-t",
            folder / "target.parquet",
            "-o",
            folder / "model.dsir",
            "-q",
        ),
    )
    yield (
        "dsir score",
        run(
            "score",
            folder / "raw",
            "-m",
            folder / "model.dsir",
            "-o",
            folder / "scores",
            "--threads",
            2,
            "-q",
        ),
    )
    yield (
        "dsir sample",
        run("sample", folder / "scores", "-n", 30, "--min-tokens", 5, "-o", folder / "rows", "-q"),
    )
    yield (
        "dsir write",
        run(
            "write",
            folder / "rows",
            "-m",
            folder / "model.dsir",
            "-o",
            folder / "written",
            "--overwrite",
            "-q",
        ),
    )
    yield (
        "dsir diff",
        lambda number: _command(folder, "diff", folder / "written", folder / "written"),
    )
    yield (
        "dsir lexrank",
        run("lexrank", folder / "raw" / "a0.parquet", "-o", folder / "ranked", "--overwrite", "-q"),
    )
    yield (
        "dsir gais",
        run(
            *("gais", folder / "raw" / "a0.parquet", "--label", "label", "--features", "width"),
            *("--keep", "10%", "-o", folder / "small", "--overwrite"),
        ),
    )


def calls(folder: Path) -> Iterator[tuple[str, Callable[[int], int]]]:
    """Yield the calls of a round in this process."""
    import dsir
    from dsir.graph import lexrank

    table = pq.read_table(folder / "raw" / "a0.parquet")
    tables = str(folder / "raw" / "a*.parquet")
    common: dict[str, Any] = {"min_tokens": 5, "threads": 2, "progress": False}

    def select(raw: object, number: int, **more: Any) -> int:
        dsir.select(raw, folder / "target.parquet", n=40, seed=number % 5, **common, **more)
        return 0

    def written(number: int) -> int:
        out, work = folder / "called", folder / "called-work"
        return select(tables, number, out=out, workdir=work, overwrite=True)

    def stored(number: int) -> int:
        lines = str(folder / "raw" / "b.jsonl")
        return select(lines, number, out="memory://soak/out", overwrite=True)

    def verified(number: int) -> int:
        dsir.verify(folder / "called", progress=False)
        return 0

    def refused(number: int) -> int:
        try:
            dsir.select(folder / "raw", folder / "target.parquet", n=10_000_000, **common)
        except dsir.DsirError:
            return 0
        raise WrongError("ten million rows were selected")

    def modelled(number: int) -> int:
        model = dsir.fit(folder / "raw", folder / "target.parquet", threads=2, progress=False)
        model.save(folder / "saved.dsir")
        type(model).load(folder / "saved.dsir").score(table.column("text"))
        return 0

    def ranked(number: int) -> int:
        lexrank(table.column("text").to_pylist(), threads=2)
        return 0

    methods = ("resample", "top-k", "coverage", "cap")
    yield "dsir.select", lambda number: select(tables, number, method=methods[number % 4])
    yield "dsir.select, a table", lambda number: select(table, number)
    yield "dsir.select, out and workdir", written
    yield "dsir.select, a store", stored
    yield "dsir.select, refused", refused
    yield "dsir.fit, score", modelled
    yield "dsir.verify", verified
    yield "dsir.graph.lexrank", ranked


def watched(folder: Path, kind: str, begun: float, peak: int) -> Turn:
    """Look at this process and its folders after a turn.

    Raises:
        WrongError: there are temporary files.
    """
    gc.collect()
    left = list((folder / "tmp").rglob("*"))
    left += [path for path in folder.rglob(".*") if _UNFINISHED.fullmatch(path.name)]
    if left:
        raise WrongError(f"{kind} left {left[:5]}")
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    again = [folder / "work", folder / "called-work", folder / "scores", folder / "rows"]
    return Turn(
        kind=kind,
        at=time.monotonic() - begun,
        peak=peak,
        memory=pages * resource.getpagesize(),
        arrow=pa.total_allocated_bytes(),
        handles=_entries("/proc/self/fd"),
        threads=_entries("/proc/self/task"),
        kept=sum(path.is_file() for reused in again for path in reused.rglob("*")),
    )


def _entries(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def soak(folder: Path, seconds: float, duty: float, kinds: set[str], turns: list[Turn]) -> None:
    """Run turns until the time is up; what was seen is added to `turns`.

    Args:
        folder: of the inputs and the outputs.
        seconds: how long.
        duty: the part of one core to use at most, on average.
        kinds: "commands", "calls" or both.
        turns: takes what was seen.

    Raises:
        WrongError: a call failed or left temporary files.
    """
    begun = time.monotonic()
    used = 0.0
    while time.monotonic() - begun < seconds:
        chosen = [*commands(folder)] if "commands" in kinds else []
        chosen += calls(folder) if "calls" in kinds else []
        for name, call in chosen:
            before = os.times()
            peak = call(len(turns))
            used += sum(now - then for now, then in zip(os.times()[:4], before[:4], strict=True))
            turns.append(watched(folder, name, begun, peak))
            passed = time.monotonic() - begun
            time.sleep(max(0.0, min(used / duty, seconds) - passed))
            if time.monotonic() - begun >= seconds:
                break


def _grew(before: list[int], after: list[int], slack: float) -> bool:
    """Tell whether the median went up by more than the slack."""
    first = statistics.median(before)
    return statistics.median(after) > first + slack + first * _SLACK_SHARE


def growth(turns: list[Turn]) -> list[str]:
    """Say what is more in the last third of the turns than in the second.

    The first third is for caches to fill: pools of memory, compiled patterns, imports.
    """
    third = len(turns) // 3
    middle, last = turns[third : 2 * third], turns[2 * third :]
    found = []
    for name, slack in (("memory", _SLACK), ("arrow", 1 << 20)):
        one, other = ([getattr(turn, name) for turn in part] for part in (middle, last))
        if _grew(one, other, slack):
            found.append(
                f"{name}: {statistics.median(one):,.0f} to {statistics.median(other):,.0f}"
            )
    for name in ("handles", "threads", "kept"):
        one, other = (max(getattr(turn, name) for turn in part) for part in (middle, last))
        if other > one:
            found.append(f"{name}: {one} to {other} at most")
    for kind in sorted({turn.kind for turn in last if turn.peak}):
        one, other = ([turn.peak for turn in part if turn.kind == kind] for part in (middle, last))
        if one and _grew(one, other, _SLACK):
            found.append(
                f"peak of {kind}: {statistics.median(one):,.0f} to {statistics.median(other):,.0f}"
            )
    return found


def report(turns: list[Turn], slices: int = 10) -> str:
    """Return tables: what was watched over time, and the peaks of each command."""
    lines = ["| minutes | turns | memory, MB | Arrow, MB | handles | threads | files kept |"]
    lines += ["|---|---|---|---|---|---|---|"]
    size = max(1, -(-len(turns) // slices))
    for start in range(0, len(turns), size):
        part = turns[start : start + size]
        most = [
            max(getattr(turn, name) for turn in part) for name in ("handles", "threads", "kept")
        ]
        memory = statistics.median(turn.memory for turn in part) / 1e6
        arrow = statistics.median(turn.arrow for turn in part) / 1e6
        lines.append(
            f"| {part[-1].at / 60:.0f} | {len(part)} | {memory:.0f} | {arrow:.2f} | "
            + " | ".join(map(str, most))
            + " |"
        )
    lines += ["", "| command | turns | median peak, MB: first third | last third | highest |"]
    lines += ["|---|---|---|---|---|"]
    for kind in dict.fromkeys(turn.kind for turn in turns):
        peaks = [turn.peak / 1e6 for turn in turns if turn.kind == kind]
        third = max(1, len(peaks) // 3)
        shown = [statistics.median(peaks[:third]), statistics.median(peaks[-third:]), max(peaks)]
        cells = [f"{peak:.0f}" for peak in shown] if any(peaks) else ["", "", ""]
        lines.append(f"| `{kind}` | {len(peaks)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def run(
    folder: Path, seconds: float, *, duty: float = 1.0, rows: int = 200, kinds: set[str]
) -> list[Turn]:
    """Make the inputs and soak; returns what was seen.

    Raises:
        WrongError: a call failed or left temporary files.
    """
    turns: list[Turn] = []
    make_inputs(folder, rows, seed=0)
    tempfile.tempdir = str(folder / "tmp")
    try:
        soak(folder, seconds, duty, kinds, turns)
    finally:
        tempfile.tempdir = None
    return turns


def main() -> int:
    """Read the options, soak, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=7200)
    parser.add_argument("--duty", type=float, default=1.0, help="part of a core, e.g. 0.25")
    parser.add_argument("--rows", type=int, default=200, help="rows of each input file")
    parser.add_argument("--only", choices=["commands", "calls"])
    parser.add_argument("--log", type=Path, help="every turn, as JSON Lines")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    kinds = {options.only} if options.only else {"commands", "calls"}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dsir-soak-") as name:
        try:
            turns = run(
                Path(name), options.seconds, duty=options.duty, rows=options.rows, kinds=kinds
            )
        except WrongError as error:
            sys.exit(str(error))
    if options.log:
        options.log.write_text("".join(json.dumps(vars(turn)) + "\n" for turn in turns))
    found = growth(turns)
    print(report(turns))
    print(f"\n{len(turns):,} turns in {(time.monotonic() - begun) / 60:.0f} minutes")
    print("\n".join(f"grew: {what}" for what in found) or "nothing grew, nothing was left")
    return 1 if found else 0


if __name__ == "__main__":
    if _AS_COMMAND in os.environ:
        _be_command(os.environ.pop(_AS_COMMAND))
    else:
        sys.exit(main())
