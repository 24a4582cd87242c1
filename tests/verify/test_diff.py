"""diff(): what two selections share, against sets of ids."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

import dsir

MEAN: dict[str, Any] = {"min_tokens": 20, "length": "mean", "progress": False}


def rows_of(out: Path) -> dict[int, dict[str, Any]]:
    """The rows of an output by their id, with what stands beside them."""
    found = {}
    for part in sorted(out.glob("data/part-*")):
        if part.suffix == ".jsonl":
            lines = [json.loads(line) for line in part.read_bytes().splitlines()]
            weights = feather.read_table(out / f"_dsir/weights/{part.stem}.arrow").to_pylist()
            rows = [{**line, **weight} for line, weight in zip(lines, weights, strict=True)]
        else:
            rows = pq.read_table(part).to_pylist()
        found |= {row["id"]: row for row in rows}
    return found


def check(one: Path, other: Path, by: str | None = "domain") -> dsir.SelectionDifference:
    """Compare with plain sets, and return what was found."""
    found = dsir.diff(one, other, by=by)
    a, b = rows_of(one), rows_of(other)
    common = a.keys() & b.keys()
    assert found.rows.describe() == {
        "common": len(common),
        "only_a": len(a.keys() - b.keys()),
        "only_b": len(b.keys() - a.keys()),
    }
    if by is not None:
        assert found.by_value is not None
        for name, shared in found.by_value.items():
            assert shared.common == sum(a[i][by] == name for i in common)
            assert shared.only_a == sum(a[i][by] == name for i in a.keys() - b.keys())
            assert shared.only_b == sum(b[i][by] == name for i in b.keys() - a.keys())
    parts = list(found.by_input.values())
    for name in ("common", "only_a", "only_b"):
        assert sum(getattr(part, name) for part in parts) == getattr(found.rows, name)
    if not common:
        assert found.weights is None
        return found
    changes = np.array([b[i]["log_weight"] - a[i]["log_weight"] for i in common])
    weights = found.weights
    assert weights is not None
    assert weights.changed == np.count_nonzero(changes)
    assert weights.share == weights.changed / len(common)
    assert (weights.least, weights.greatest) == (changes.min(), changes.max())
    assert weights.median == np.median(changes)
    return found


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_other_settings(kind, parquet, jsonl, target, tmp_path):
    raw = parquet if kind == "parquet" else jsonl
    for name, more in {"a": {"n": 60}, "b": {"n": 50, "seed": 1, "smoothing": 0.5}}.items():
        dsir.select(raw, target, out=tmp_path / name, shard_size="6kB", **more, **MEAN)
    found = check(tmp_path / "a", tmp_path / "b")
    assert {one.name: (one.one, one.other) for one in found.settings} == {
        "n": (60, 50),
        "seed": (0, 1),
        "smoothing": (0.0, 0.5),
    }
    assert found.inputs == []
    assert not found.same_rows
    same = check(tmp_path / "a", tmp_path / "a")
    assert same.same_rows
    assert same.weights is not None
    assert same.weights.changed == 0
    assert same.settings == []


@pytest.mark.parametrize("estimator", ["relevance", "classifier"])
def test_the_estimator_has_a_name_on_both_sides(estimator, parquet, target, tmp_path):
    """A manifest names no estimator if it is "ratio", and a difference does."""
    arguments = {"n": 20, "min_tokens": 1, "method": "top-k", "progress": False}
    for name in ("ratio", estimator):
        dsir.select(parquet, target, out=tmp_path / name, estimator=name, **arguments)
    sides = ("ratio", estimator)
    for order in (sides, sides[::-1]):
        found = dsir.diff(*(tmp_path / name for name in order))
        named = {one.name: (one.one, one.other) for one in found.settings}
        assert named["estimator"] == order


def test_other_inputs_in_another_order(parquet, target, tmp_path):
    dsir.select(parquet, target, out=tmp_path / "a", n=60, **MEAN)
    dsir.select([parquet[2], parquet[0]], target, out=tmp_path / "b", n=50, **MEAN)
    found = check(tmp_path / "a", tmp_path / "b")
    assert list(found.by_input) == [str(path) for path in parquet]
    assert found.by_input[str(parquet[1])].common == 0
    assert found.rows.common > 0
    back = check(tmp_path / "b", tmp_path / "a")
    assert back.rows.describe() == {
        "common": found.rows.common,
        "only_a": found.rows.only_b,
        "only_b": found.rows.only_a,
    }


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 3), st.sampled_from(["1kB", "1GB"]))
@settings(max_examples=12)
def test_any_two(parquet, target, tmp_path_factory, one, other, seed, size):
    folder = tmp_path_factory.mktemp("diff")
    dsir.select(parquet, target, out=folder / "a", n=one, shard_size=size, threads=1, **MEAN)
    more = {"n": other, "seed": seed, "fit_tokens": 3000}
    dsir.select(parquet[:2], target, out=folder / "b", threads=1, **more, **MEAN)
    check(folder / "a", folder / "b")


def test_windows_and_targets(small_world, world, target, tmp_path):
    raw = small_world.write_parquet(tmp_path / "raw")
    for name, tokens in {"a": 30, "b": 30, "c": 40}.items():
        dsir.select(
            raw,
            target,
            out=tmp_path / name,
            n=30,
            chunk_tokens=tokens,
            seed=int(name == "b"),
            **{**MEAN, "min_tokens": 10},
        )
    a, b = tmp_path / "a", tmp_path / "b"
    keys = [
        {(row["id"], row["chunk_start"]) for p in out.glob("data/part-*") for row in
         pq.read_table(p).to_pylist()}
        for out in (a, b)
    ]  # fmt: skip
    found = dsir.diff(a, b)
    assert found.rows.common == len(keys[0] & keys[1])
    assert found.rows.only_a == len(keys[0] - keys[1])
    with pytest.raises(dsir.SettingError, match=r"windows of 30 .* windows of 40"):
        dsir.diff(a, tmp_path / "c")
    given = {"x": target, "y": world.target[20:]}
    for name, share in {"d": 0.7, "e": 0.3}.items():
        shares = {"x": share, "y": 1 - share}
        dsir.select(
            raw, given, out=tmp_path / name, n=40, targets="separate", proportions=shares, **MEAN
        )
    found = check(tmp_path / "d", tmp_path / "e", by=None)
    d, e = rows_of(tmp_path / "d"), rows_of(tmp_path / "e")
    assert found.other_target == sum(d[i]["target"] != e[i]["target"] for i in d.keys() & e.keys())
    assert found.other_target > 0


def test_columns(parquet, jsonl, target, tmp_path):
    for name, raw in {"a": parquet, "b": jsonl}.items():
        dsir.select(raw, target, out=tmp_path / name, n=40, **MEAN)
        found = dsir.diff(tmp_path / name, tmp_path / name, by="meta.chars")
        assert found.by_value is not None
        assert sum(one.common for one in found.by_value.values()) == 40
        with pytest.raises(dsir.SettingError, match="by='nothing'"):
            dsir.diff(tmp_path / name, tmp_path / name, by="nothing")
    # Other files, so no row is the same.
    assert dsir.diff(tmp_path / "a", tmp_path / "b").rows.common == 0


def test_what_cannot_be_compared(parquet, target, tmp_path):
    out = tmp_path / "a"
    dsir.select(parquet, target, out=out, n=40, **MEAN)
    with pytest.raises(dsir.OutputError, match="holds no selection"):
        dsir.diff(out, tmp_path)
    for name in ("_dsir/rows/part-00000.arrow", "_dsir/selection.json"):
        broken = Path(shutil.copytree(out, tmp_path / Path(name).stem))
        data = bytearray((broken / name).read_bytes())
        data[len(data) // 2] ^= 1
        (broken / name).write_bytes(data)
        with pytest.raises(dsir.OutputError):
            dsir.diff(out, broken)


def test_the_command(invoke_dsir, run_dsir, parquet, target, tmp_path):
    for name in ("a", "b"):
        dsir.select(parquet, target, out=tmp_path / name, n=40, seed=int(name == "b"), **MEAN)
    done = run_dsir("diff", tmp_path / "a", tmp_path / "b", "--by", "domain")
    assert done.returncode == 0, done.stderr
    assert "only a" in done.stdout
    assert "setting seed: 0, 1" in done.stdout
    told = json.loads(invoke_dsir("diff", tmp_path / "a", tmp_path / "b", "--json").stdout)
    assert told == dsir.diff(tmp_path / "a", tmp_path / "b").describe()
    wrong = invoke_dsir("diff", tmp_path / "a", tmp_path / "b", "--by", "nothing")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("dsir: error: --by nothing: ")


def test_changed_files_are_not_compared(parquet, target, tmp_path):
    """Even where they can be read: what stands beside parts, and the parts for their columns."""
    for name in "ab":
        dsir.select(parquet, target, out=tmp_path / name, n=40, **MEAN)
    for name, by in (("_dsir/rows/part-00000.arrow", None), ("data/part-00000.parquet", "domain")):
        path = tmp_path / "b" / name
        before = path.read_bytes()
        if path.suffix == ".arrow":
            feather.write_feather(feather.read_table(path), path)
        else:
            pq.write_table(pq.read_table(path).slice(0), path)
        with pytest.raises(dsir.OutputError, match=f"{name}: .*written"):
            dsir.diff(tmp_path / "a", tmp_path / "b", by=by)
        path.write_bytes(before)
    assert dsir.diff(tmp_path / "a", tmp_path / "b", by="domain").same_rows
