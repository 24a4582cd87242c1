"""Small inputs of a run, what it selects from them, and how often the core is asked."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir import _core

sys.path.insert(0, str(Path(__file__).parent))

from small_run import SETTINGS


@pytest.fixture
def raw(small_world, tmp_path) -> list[Path]:
    """Two shards: one of Parquet, one of JSON Lines."""
    first = small_world.write_parquet(tmp_path / "raw", parts=2, group=20)[0]
    second = small_world.write_jsonl(tmp_path / "raw", [".jsonl", ".jsonl.gz"])[1]
    return [first, second]


@pytest.fixture
def goal(small_world, tmp_path) -> Path:
    path = tmp_path / "target.parquet"
    columns = {"text": small_world.target, "domain": ["sea"] * len(small_world.target)}
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture
def expected(raw, goal, tmp_path, contents) -> dict[str, bytes]:
    """What the output folder holds when nothing goes wrong."""
    dsir.select(raw, goal, out=tmp_path / "expected", **SETTINGS)
    found = contents(tmp_path / "expected")
    assert len(found) > 6
    return found


@pytest.fixture
def calls(monkeypatch) -> Counter[str]:
    """How often the core is asked to count and to score."""
    made: Counter[str] = Counter()

    def counted(name: str, kind: str) -> None:
        kernel = getattr(_core, name)

        def call(*arguments: Any, **keywords: Any) -> Any:
            made[kind] += 1
            return kernel(*arguments, **keywords)

        monkeypatch.setattr(_core, name, call)

    counted("count", "count")
    counted("score", "score")
    return made
