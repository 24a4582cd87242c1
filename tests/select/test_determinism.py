"""The same answer always: threads, layouts, formats and engines change nothing, to the last bit."""

from __future__ import annotations

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir.engine import Engine, LocalEngine

MEAN: dict[str, Any] = {"n": 60, "min_tokens": 20, "length": "mean", "progress": False}
THREADS = [1, 2, 7]


class Backwards(Engine):
    """Runs the tasks in reverse order."""

    threads = 3

    def run(self, stage, tasks, progress):
        return [stage(task, progress) for task in reversed(tasks)][::-1]


class Pickling(Engine):
    """Carries stages, tasks and results as an engine of many machines does."""

    threads = 1

    def run(self, stage, tasks, progress):
        results = []
        for task in tasks:
            away_stage, away_task = pickle.loads(pickle.dumps((stage, task)))
            results.append(pickle.loads(pickle.dumps(away_stage(away_task, progress))))
        return results


ENGINES = [Backwards(), Pickling(), LocalEngine(2)]


def same(one: dsir.Selection, other: dsir.Selection) -> None:
    assert one.rows.tobytes() == other.rows.tobytes()
    assert one.log_weights.tobytes() == other.log_weights.tobytes()
    for name in ("kl_reduction", "effective_sample_size", "rows", "tokens"):
        assert one.metrics[name] == other.metrics[name]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("kept", [False, True])
def test_files_are_the_same_for_any_number_of_threads(
    kind, kept, parquet, jsonl, target, tmp_path, contents
):
    raw = parquet if kind == "parquet" else jsonl
    found = []
    for threads in THREADS:
        out = tmp_path / f"out-{threads}"
        dsir.select(
            raw,
            target,
            out=out,
            shard_size="5kB",
            threads=threads,
            workdir=tmp_path / f"work-{threads}" if kept else None,
            **MEAN,
        )
        found.append(contents(out))
    assert len(found[0]) > 4
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: type(engine).__name__)
def test_files_are_the_same_for_any_engine(engine, parquet, jsonl, target, tmp_path, contents):
    raw = [*parquet, *jsonl]
    # The same rows twice, under other numbers: they get other noise.
    one = dsir.select(raw, target, out=tmp_path / "one", threads=1, shard_size="5kB", **MEAN)
    other = dsir.select(
        raw, target, out=tmp_path / "other", engine=engine, shard_size="5kB", **MEAN
    )
    same(one, other)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    work = tmp_path / "work"
    third = dsir.select(
        raw, target, out=tmp_path / "third", engine=engine, workdir=work, shard_size="5kB", **MEAN
    )
    same(one, third)
    assert contents(tmp_path / "one") == contents(tmp_path / "third")


def test_threads_belong_to_the_engine(parquet, target):
    with pytest.raises(dsir.SettingError, match="threads"):
        dsir.select(parquet, target, engine=Backwards(), threads=2, **MEAN)


@pytest.mark.parametrize("fit_tokens", ["auto", "all"])
def test_layout_and_format_do_not_matter(world, target, jsonl, tmp_path, fit_tokens):
    keywords = {**MEAN, "fit_tokens": fit_tokens}
    expected = dsir.select(world.texts, target, **keywords)
    for parts, group in ((1, 1), (1, 10_000), (2, 7), (5, 64)):
        paths = world.write_parquet(tmp_path / f"{parts}-{group}", parts=parts, group=group)
        same(dsir.select(paths, target, **keywords), expected)
    same(dsir.select(jsonl, target, **keywords), expected)
    views = world.write_parquet(tmp_path / "views", types=[pa.string_view()])
    same(dsir.select(views, target, **keywords), expected)
    arrow = tmp_path / "raw.arrow"
    table = world.table(pa.dictionary(pa.int32(), pa.string()))
    with pa.ipc.new_file(str(arrow), table.schema) as writer:
        writer.write_table(table, max_chunksize=33)
    same(dsir.select(arrow, target, **keywords), expected)


@pytest.mark.parametrize("fit_tokens", [1, 5000, 20_000])
def test_a_fit_budget_ends_at_the_same_document_in_any_layout(world, target, tmp_path, fit_tokens):
    keywords: dict[str, Any] = {"fit_tokens": fit_tokens, "progress": False}
    expected = dsir.fit(world.texts, target, **keywords)
    assert fit_tokens < expected.raw_counts.sum() < fit_tokens + 800
    for group in (1, 7, 11, 1000):
        paths = world.write_parquet(tmp_path / str(group), parts=1, group=group)
        for threads in THREADS:
            model = dsir.fit(paths, target, threads=threads, **keywords)
            assert model.fingerprint == expected.fingerprint


@given(cuts=st.lists(st.integers(0, 90), max_size=6), group=st.integers(1, 100))
@settings(max_examples=15)
def test_any_split_over_tables_gives_the_same(small_world, cuts, group):
    keywords = {**MEAN, "n": 9}
    table = small_world.table()
    bounds = sorted({0, *cuts, len(table)})
    parts = [table.slice(start, stop - start) for start, stop in pairwise(bounds)]
    one = dsir.select(table, small_world.target, **keywords)
    chunked = pa.Table.from_batches(table.to_batches(max_chunksize=group))
    for raw in (parts, chunked):
        same(dsir.select(raw, small_world.target, threads=2, **keywords), one)


def test_the_order_of_the_inputs_decides_the_noise(world, parquet, target):
    ahead = dsir.select(parquet, target, **MEAN)
    turned = dsir.select(parquet[::-1], target, **MEAN)
    sizes = [pq.read_metadata(path).num_rows for path in parquet]
    first = {2: 0, 1: sizes[2], 0: sizes[2] + sizes[1]}
    start = {0: 0, 1: sizes[0], 2: sizes[0] + sizes[1]}
    back = []
    for row in turned.rows.tolist():
        shard = max((s for s in first if first[s] <= row), key=first.__getitem__)
        back.append(row - first[shard] + start[shard])
    assert sorted(back) != ahead.rows.tolist()
    assert turned.metrics["effective_sample_size"] == ahead.metrics["effective_sample_size"]


def test_seeds(parquet, target):
    rows = {
        seed: dsir.select(parquet, target, seed=seed, **MEAN).rows.tolist() for seed in range(4)
    }
    assert len({tuple(found) for found in rows.values()}) == 4
    assert dsir.select(parquet, target, seed=3, **MEAN).rows.tolist() == rows[3]
    with_top_k = {
        tuple(dsir.select(parquet, target, seed=seed, method="top-k", **MEAN).rows)
        for seed in (0, 1)
    }
    assert len(with_top_k) == 1


def test_temperature_flattens(world, parquet, target):
    def of_the_sea(temperature: float) -> int:
        selection = dsir.select(parquet, target, temperature=temperature, **{**MEAN, "n": 100})
        return sum(world.domains[row] == "sea" for row in selection.rows)

    assert of_the_sea(1.0) > of_the_sea(1e6) > 10
    assert of_the_sea(1e6) < 60


def test_rows_are_drawn_by_their_keys(world, parquet, target):
    for temperature in (0.5, 2.0):
        selection = dsir.select(parquet, target, seed=5, temperature=temperature, **MEAN)
        scores = selection.model.score(world.texts)
        key_settings = dsir._core.KeySettings(seed=5, temperature=temperature)
        keys = dsir._core.keys(key_settings, scores, 0)
        tokens = np.array([len(selection.model.features.tokens(t or "")) for t in world.texts])
        keys[tokens < 20] = -np.inf
        assert sorted(np.argsort(-keys, kind="stable")[:60].tolist()) == selection.rows.tolist()


def test_a_call_does_not_change_its_inputs(world, parquet, target):
    before = [path.read_bytes() for path in parquet]
    table = world.table()
    copy = pa.Table.from_pylist(table.to_pylist(), table.schema)
    dsir.select(parquet, target, **MEAN)
    dsir.select(table, target, **MEAN)
    assert [path.read_bytes() for path in parquet] == before
    assert table.equals(copy)


def test_where_the_output_goes_does_not_matter(
    parquet, target, tmp_path: Path, monkeypatch, contents
):
    dsir.select(parquet, target, out=tmp_path / "one", **MEAN)
    monkeypatch.chdir(tmp_path)
    dsir.select([str(path) for path in parquet], str(target), out="two", **MEAN)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
