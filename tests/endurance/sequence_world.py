"""The folders that sequences of runs work in, and what undisturbed runs write there."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from forked_runs import Runs

SETTINGS: tuple[dict[str, Any], ...] = (
    {"n": 12},
    {"n": 12, "seed": 3},
    {"n": 30, "method": "top-k"},
    {"tokens": 300},
    {"n": 10, "dedup": "exact", "max_per": {"source": 0.6}},
    {"n": 12, "method": "coverage"},
    {"n": 25, "on_error": "skip", "shard_size": 400},
    {"n": 9, "chunk_tokens": 8},
)


UNFINISHED = re.compile(r"\..+\.tmp-.+")
# What only tells who is at work, and how long that took.
NO_CONTENT = ("_dsir/.lock", "_dsir/.claim.json", "_dsir/run.json", "lock")


Contents = dict[str, bytes]


def contents_of(folder: Path) -> Contents:
    """Return the files of a folder, without temporary ones and what is no content."""
    return {
        name: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not UNFINISHED.fullmatch(path.name)
        and (name := str(path.relative_to(folder))) not in NO_CONTENT
    }


@dataclass
class World:
    """The folders of all sequences, and what undisturbed runs write.

    Attributes:
        folder: for everything.
        runs: makes the runs.
        tally: how often what happened.
        writes: how often a run writes, by the places of its output and its work directory.
    """

    folder: Path
    runs: Runs = field(init=False)
    tally: Counter[str] = field(default_factory=Counter)
    writes: dict[tuple[bool, str], int] = field(default_factory=dict)
    _expected: dict[tuple[int, int], Contents] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start the process that makes the runs."""
        self.runs = Runs(self.folder)

    def write_inputs(self, version: int) -> None:
        """Write a version of the inputs; the same bytes and times for the same version."""
        draw = random.Random(version)
        rows = [
            {
                "text": " ".join(draw.choices("abcdefgh", k=draw.choice([5, 9, 30]))),
                "source": f"s{row % 3}",
            }
            for row in range(90)
        ]
        rows[7] = rows[3]
        (self.folder / "raw").mkdir(exist_ok=True)
        pq.write_table(
            pa.Table.from_pylist(rows[:45]), self.folder / "raw" / "a.parquet", row_group_size=15
        )
        lines = "".join(json.dumps(row) + "\n" for row in rows[45:])
        (self.folder / "raw" / "b.jsonl").write_text(lines)
        (self.folder / "target.jsonl").write_text('{"text": "a b c a b c"}\n' * 20)
        for path in (*(self.folder / "raw").iterdir(), self.folder / "target.jsonl"):
            os.utime(path, ns=(10**18 + version, 10**18 + version))

    def arguments(self, which: int) -> dict[str, Any]:
        """Return the arguments of a call but for its folders."""
        paths = {"raw": str(self.folder / "raw"), "target": str(self.folder / "target.jsonl")}
        return {**paths, "min_tokens": 1, **SETTINGS[which]}

    def expected(self, version: int, which: int) -> Contents:
        """Return what an undisturbed run writes; the inputs must be of this version."""
        key = (version, which)
        if key not in self._expected:
            out = self.folder / "expected"
            ended = self.runs.run({**self.arguments(which), "out": str(out)})
            assert ended.how == "done", ended
            self._expected[key] = contents_of(out)
            self._check_rows(out, which)
            shutil.rmtree(out)
        return self._expected[key]

    def _check_rows(self, out: Path, which: int) -> None:
        """Check an undisturbed run against what the settings say, without dsir."""
        found = [
            row["text"]
            for path in sorted((out / "data").iterdir())
            for row in (
                pq.read_table(path).to_pylist()
                if path.suffix == ".parquet"
                else map(json.loads, path.read_text().splitlines())
            )
        ]
        chosen = SETTINGS[which]
        written = {row["text"] for row in pq.read_table(self.folder / "raw/a.parquet").to_pylist()}
        lines = (self.folder / "raw/b.jsonl").read_text().splitlines()
        written |= {json.loads(line)["text"] for line in lines}
        assert len(found) == chosen.get("n", len(found))
        assert sum(len(text.split()) for text in found) <= chosen.get("tokens", 10**9)
        whole = " ".join(written)
        assert all(text in (whole if "chunk_tokens" in chosen else written) for text in found)
        if "dedup" in chosen:
            assert len(set(found)) == len(found)

    def clear(self) -> None:
        """Remove what a sequence has written."""
        for name in ("disk", "store", "tmp"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir()

    def close(self) -> None:
        """End the process that makes the runs."""
        self.runs.close()
