"""What the recorded runs are made of: where a run is made, what it gives, how commands are run."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dsir.cli.main import main

# Names of inputs; see recorded_inputs.
PARQUET, LINES, ARROW = "parquet", "jsonl", "arrow"
SEA = "targets/sea.jsonl"
THREE = ("sea", "law", "bake")
PROSE = ("paragraphs/raw-00.jsonl", "paragraphs/raw-02.jsonl.gz")
NOVEL = "paragraphs/target-novel.jsonl"
COPIES, COPIED_LINES = "copies/parquet", "copies/jsonl"
DAMAGED = tuple(f"damaged/{name}" for name in ("a.parquet", "b.jsonl", "c.parquet", "d.jsonl"))
DOCUMENTS: dict[str, Any] = {"min_tokens": 12, "progress": False}


@dataclass(frozen=True)
class Place:
    """Where a run is made.

    Attributes:
        inputs: the folder of `recorded_inputs.write_inputs`; not to be changed.
        folder: of the run; empty. What is in its folders `work` is no result.
        threads: how many to use; no result depends on it.
    """

    inputs: Path
    folder: Path
    threads: int = 2

    @property
    def out(self) -> Path:
        """Where the run's selection goes."""
        return self.folder / "out"

    def of(self, *names: str) -> list[str]:
        """The paths of inputs."""
        return [str(self.inputs / name) for name in names]

    def target(self, *names: str) -> dict[str, str]:
        """Targets by name."""
        return {name: str(self.inputs / "targets" / f"{name}.jsonl") for name in names}


@dataclass
class Result:
    """What a run gave, besides the files in its folder.

    Attributes:
        values: arrays, Arrow tables and JSON values: the same on every machine.
        here: the same kinds: bits or words that another machine, another version of numpy or
            better English may change. Compared byte for byte only, never recorded.
    """

    values: dict[str, Any] = field(default_factory=dict)
    here: dict[str, Any] = field(default_factory=dict)


Run = Callable[[Place], Result]
RUNS: dict[str, Run] = {}


def recorded(function: Run) -> Run:
    """Add a function to the runs, by its name."""
    RUNS[function.__name__.replace("_", "-")] = function
    return function


@contextlib.contextmanager
def said_in() -> Any:
    """Collect the warnings of the block."""
    said: list[Any] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield said
    said += [one.message for one in caught]


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def without_times(accounts: Any) -> Any:
    """Accounts, or whatever JSON says, without seconds and speeds."""
    if isinstance(accounts, dict):
        kept = {name: one for name, one in accounts.items() if name not in _TIMES}
        # Of metrics: the seconds of each stage. The status has a list of how far each is.
        if isinstance(kept.get("stages"), dict):
            del kept["stages"]
        return {name: without_times(one) for name, one in kept.items()}
    return [without_times(one) for one in accounts] if isinstance(accounts, list) else accounts


_TIMES = ("seconds", "mb_per_second", "bytes_per_second", "seconds_left")


def texts_in(path: str) -> pa.Table:
    """The texts of a plain file of JSON Lines, as a table."""
    lines = Path(path).read_bytes().splitlines()
    return pa.table({"text": [json.loads(line)["text"] for line in lines]})


def lines_in(place: Place, name: str) -> list[bytes]:
    """The lines of a plain input."""
    return (place.inputs / name).read_bytes().splitlines()


@dataclass
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> Any:
        """The JSON on standard output, without times."""
        return without_times(json.loads(self.out))


def dsir_command(*words: object) -> Done:
    """Run the command in this process: its entry point, without the start of a process."""
    out, err = io.StringIO(), io.StringIO()
    argv, sys.argv = sys.argv, ["dsir", *map(str, words)]
    code: Any = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.argv = argv
    return Done(int(code or 0), out.getvalue(), err.getvalue())


def well(*words: object) -> Done:
    """Run a command that must end well."""
    done = dsir_command(*words)
    if done.code:
        raise RuntimeError(f"dsir {words} ended with {done.code}: {done.err}")
    return done
