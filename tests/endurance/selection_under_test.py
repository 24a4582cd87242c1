"""The selection that is killed and failed: a small corpus in many units, and what to look for.

Run as a script, it is the command `dsir`, with small units of work: `python <file> select ...`.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

UNIT_BYTES = 3000
_UNFINISHED = re.compile(r"\..+\.tmp-\d+-[0-9a-f]+")

_WORDS = {
    "sea": "ship sail anchor tide harbour mast captain wave storm gull rope deck keel reef wind",
    "law": "court judge statute clause plaintiff verdict appeal counsel lien tort bench writ jury",
    "bake": "flour yeast oven knead crust butter sugar loaf rise whisk dough salt glaze tin crumb",
}


_NO_MARKERS = ("manifest.json", "accounts.json", "damaged.json", "finished.json")


@dataclass(frozen=True)
class Configuration:
    """What to select, and from which files.

    Attributes:
        options: more options of `dsir select`.
        inputs: a pattern for the names of the input files.
        target: how the target is given; `{}` stands for the folder.
    """

    options: str = "--n 50 --min-tokens 5 --length mean"
    inputs: str = "*"
    target: str = "--target {}/target.jsonl"


MIXED = Configuration()
CONFIGURATIONS = {
    "mixed": MIXED,
    "parquet": Configuration(options="--n 50 --min-tokens 5 --method top-k", inputs="*.parquet"),
    "lines": Configuration(options="--tokens 900 --min-tokens 5 --seed 3", inputs="b.jsonl*"),
    "two targets": Configuration(
        options="--n 40 --min-tokens 5 --length mean --targets separate",
        target="--target sea={0}/target.jsonl --target law={0}/law.jsonl",
    ),
    "quotas and dedup": Configuration(
        options="--n 50 --min-tokens 5 --length mean --dedup exact --max-per source=0.5"
    ),
    "coverage": Configuration(options="--n 50 --min-tokens 5 --method coverage"),
    "windows": Configuration(
        options="--n 60 --min-tokens 5 --length mean --chunk-tokens 10 --filters min_words=5"
    ),
    "groups": Configuration(options="--n 15 --min-tokens 5 --length mean --group-by source"),
}


@dataclass(frozen=True)
class Trial:
    """One selection: its inputs, and the folders of a run.

    Attributes:
        folder: for everything.
        name: of this run, in the folder.
        configuration: what to select.
    """

    folder: Path
    name: str = "expected"
    configuration: Configuration = MIXED

    @property
    def out(self) -> Path:
        return self.folder / self.name / "out"

    @property
    def work(self) -> Path:
        return self.folder / self.name / "work"

    def command(self) -> list[str]:
        """The command line; the same for every run but for the folders."""
        chosen = self.configuration
        raw = [str(path) for path in sorted((self.folder / "raw").glob(chosen.inputs))]
        options = "--fit-tokens all --shard-size 4kB -q --threads 2"
        options += " --on-error skip"  # For the file of rejects.
        return [
            *(sys.executable, __file__, "select", *raw),
            *chosen.target.format(self.folder).split(),
            *("--out", str(self.out), "--workdir", str(self.work)),
            *options.split(),
            *chosen.options.split(),
        ]

    def start(self, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(
            self.command(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
            # A shell's background jobs ignore Ctrl-C, and what they start inherits that.
            preexec_fn=_heed_interrupts,
        )

    def run(self, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run the command; returns its exit code and what it said."""
        process = self.start(environment)
        _, said = process.communicate(timeout=300)
        return process.returncode, said

    def run_until(self, seconds: float, environment: Mapping[str, str]) -> tuple[int, str]:
        """Run the command, and kill it after so many seconds."""
        process = self.start(environment)
        try:
            _, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
        return process.returncode, said


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def make_inputs(folder: Path, rows: int = 1500, seed: int = 0) -> None:
    """Make a corpus of Parquet and JSON Lines, and a target."""
    draw = random.Random(seed)

    def text(domain: str) -> str:
        return " ".join(
            draw.choice(_WORDS[domain].split()) for _ in range(draw.choice([6, 25, 60]))
        )

    table = pa.table(
        {
            "id": range(rows),
            "text": [text(draw.choice(list(_WORDS))) for _ in range(rows)],
            "source": [f"s{row % 3}" for row in range(rows)],
        }
    )
    (folder / "raw").mkdir(parents=True)
    third = rows // 3
    pq.write_table(table.slice(0, third), folder / "raw" / "a.parquet", row_group_size=20)
    lines = [json.dumps(row) + "\n" for row in table.slice(third, third).to_pylist()]
    lines[third // 2] = '{"text": 7, "source": "s0"}\n'
    (folder / "raw" / "b.jsonl").write_text("".join(lines))
    for number in range(6):
        start, stop = (2 * third + part * (rows - 2 * third) // 6 for part in (number, number + 1))
        pq.write_table(table.slice(start, stop - start), folder / "raw" / f"c{number}.parquet")
    with pa.CompressedOutputStream(str(folder / "raw" / "b.jsonl.zst"), "zstd") as file:
        file.write("".join(lines[: third // 3]).replace('"id"', '"number"').encode())
    for name, domain in (("target", "sea"), ("law", "law")):
        lines = [json.dumps({"text": text(domain)}) + "\n" for _ in range(40)]
        (folder / f"{name}.jsonl").write_text("".join(lines))


def output_of(trial: Trial) -> dict[str, bytes]:
    """The files of a selection, but run.json, which has the seconds."""
    return {
        str(path.relative_to(trial.out)): path.read_bytes()
        for path in sorted(trial.out.rglob("*"))
        if path.is_file() and path.name != "run.json"
    }


def unfinished(trial: Trial) -> list[Path]:
    """What lies there under temporary names."""
    folder = trial.folder / trial.name
    return [path for path in folder.rglob(".*") if _UNFINISHED.fullmatch(path.name)]


def partial_files(trial: Trial, expected: Mapping[str, bytes]) -> list[str]:
    """Look for files under final names that are not whole.

    Returns:
        What is wrong, in words; nothing where all is well.
    """
    wrong = []
    for path in sorted(trial.out.rglob("*")) if trial.out.exists() else ():
        name = str(path.relative_to(trial.out))
        if path.is_dir() or path.name[0] == ".":
            continue
        if path.name == "run.json":
            json.loads(path.read_bytes())
        elif path.read_bytes() != expected.get(name):
            wrong.append(f"{path}: is not what it should be")
    for marker in sorted(trial.work.rglob("*.json")):
        try:
            found = json.loads(marker.read_bytes())
            if marker.name not in _NO_MARKERS and "result" not in found:
                wrong.append(f"{marker}: is no marker")
        except ValueError as error:
            wrong.append(f"{marker}: {error}")
    # Results get their names before their markers; under a final name they are whole already.
    for path in sorted(trial.work.rglob("[!.]*.*")):
        try:
            if path.suffix == ".npy":
                np.load(path, allow_pickle=False)
            elif path.suffix == ".arrow":
                with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
                    reader.read_all()
        except FileNotFoundError:
            continue  # Replaced while it was looked at.
        except (OSError, ValueError, pa.ArrowException) as error:
            wrong.append(f"{path}: {error}")
    return wrong


def lines_said(said: str) -> list[str]:
    """What a run wrote to standard error, without warnings."""
    return [line for line in said.splitlines() if not line.startswith("dsir: warning:")]


def finished_by(trial: Trial) -> dict[str, int]:
    """How many results each stage has, from the folder alone."""
    stages = {"fit": "counts", "score": "scores", "sample": "rows", "write": "outputs"}
    return {
        stage: len(list((trial.work / folder).glob("*[0-9].json")))
        for stage, folder in stages.items()
    }


def at_work(trial: Trial, process: int) -> bool:
    """Whether a process holds the lock of the work directory."""
    try:
        holder = json.loads((trial.work / "lock").read_bytes())
    except (OSError, ValueError):
        return False
    return bool(holder["pid"] == process)


def exit_code_of(number: signal.Signals) -> int:
    """The exit code of a run that a signal has ended in an orderly way."""
    return 128 + int(number)


def main(arguments: Sequence[str]) -> None:
    """Be the command `dsir` with small units."""
    from dsir.cli import main as command
    from dsir.stages import units

    units.UNIT_BYTES = UNIT_BYTES
    if not os.environ.get("FSYNC_UNDER_TEST"):
        # A crash of the process is survived without it, and runs are several times as fast.
        os.fsync = lambda handle: None
    if batch := os.environ.get("OUT_OF_MEMORY_UNDER_TEST"):
        _run_out_of_memory(int(batch))
    if megabytes := os.environ.get("ADDRESS_SPACE_UNDER_TEST"):
        _bound_address_space(int(megabytes) << 20)
    sys.argv = ["dsir", *arguments]
    command.main()


def _bound_address_space(more: int) -> None:
    """Leave the process so many bytes more than it has once its libraries are loaded."""

    from dsir.cli import select

    del select
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _run_out_of_memory(batch: int) -> None:
    """Let the core get no memory for a batch, as it says so: by a MemoryError of its worker."""
    from dsir import _core

    score = _core.score
    batches = itertools.count(1)

    def without_memory(*arguments: Any, **keywords: Any) -> Any:
        if next(batches) == batch:
            raise MemoryError
        return score(*arguments, **keywords)

    mock.patch.object(_core, "score", without_memory).start()


if __name__ == "__main__":
    main(sys.argv[1:])
