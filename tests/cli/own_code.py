"""Files with kernels and functions of a user, and commands that name them, in new processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir

RAW = [f"row{i} of {'ships-and-sails' if i % 3 else 'stocks'} {i % 7}-{i % 5}" for i in range(90)]
KERNELS = """
import numba

import dsir
from dsir.kernels import bucket_of, extend_hash

DASH = 45


@dsir.kernel("tokenizer")
def at_dashes(text, at, starts, ends):
    found = 0
    while found < len(starts):
        while at < len(text) and text[at] == DASH:
            at += 1
        if at == len(text):
            break
        starts[found] = at
        while at < len(text) and text[at] != DASH:
            at += 1
        ends[found] = at
        found += 1
    return found


@dsir.kernel("features", features_per_token=2)
def with_first(tokens, buckets, out):
    found = 0
    for token in tokens:
        out[found] = bucket_of(token, buckets)
        out[found + 1] = bucket_of(extend_hash(tokens[0], token), buckets)
        found += 2
    return found


@dsir.kernel("scorer")
def largest(buckets, counts, log_ratio, tokens):
    best = -1e9
    for bucket in buckets:
        best = max(best, log_ratio[bucket])
    return best
"""
FUNCTIONS = """
import beside_it

WORD = "s"


class Cut:
    def __call__(self, text):
        return beside_it.pieces(text, WORD)


cut = Cut()


def pieces(text):
    return beside_it.pieces(text, "-")


def spread(buckets, counts, log_ratio, tokens):
    return float(log_ratio[buckets].max() - log_ratio[buckets].min())


seven = 7
"""
# As the installed command, which does not have the current folder in sys.path.
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(dsir.__file__).parents[1]),
    "PYTHONSAFEPATH": "1",
}
LAB = "lab/functions.py"
MODEL = ("-m", "out/_dsir/model.dsir")
ASKS = "--kernels FILE.py; if its source"
OF_KERNELS = ("tokenizer=kernels-of-mine.py:at_dashes", "scorer=kernels-of-mine.py:largest")
OF_FUNCTIONS = ("tokenizer=lab/functions.py:pieces", "scorer=lab/functions.py:spread")
DRAW = ("--n", "9", "--min-tokens", "1", "-q", "--overwrite")
numba = pytest.mark.skipif(
    not any((Path(entry) / "numba").is_dir() for entry in sys.path), reason="needs numba"
)


def write_inputs(tmp_path: Path) -> Path:
    """Write a corpus, a target, and files with kernels and functions; return their folder."""
    pq.write_table(pa.table({"text": RAW}), tmp_path / "raw.parquet")
    pq.write_table(
        pa.table({"text": [f"ships-and-sails of row{i}" for i in range(30)]}),
        tmp_path / "t.parquet",
    )
    for name in ("kernels-of-mine.py", "dashes.py"):
        (tmp_path / name).write_text(KERNELS)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/functions.py").write_text(FUNCTIONS)
    (tmp_path / "lab/beside_it.py").write_text(
        "def pieces(text, at):\n"
        "    return [one for one in text.replace(' ', at).split(at) if one]\n"
    )
    return tmp_path


def run(folder: Path, *arguments: object, says: str | None = None, code: int = 0) -> str:
    """Run the command in a new process, and return its output."""
    done = subprocess.run(
        [sys.executable, "-m", "dsir", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if says is not None:
        assert says in done.stdout + done.stderr
    return done.stdout


def select(folder: Path, out: str, *options: object, **expected: object) -> None:
    run(folder, "select", "raw.parquet", "-t", "t.parquet", *DRAW, *options, "-o", out, **expected)


def options_of(named: tuple[str, ...]) -> list[str]:
    return [word for one in named for word in ("--" + one.split("=")[0], one.split("=")[1])]


def settings_in(folder: Path, out: str) -> dict[str, object]:
    found = json.loads((folder / out / "_dsir/selection.json").read_text())["settings"]
    return {"features": found["features"], "scorer": found.get("scorer")}
