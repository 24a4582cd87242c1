"""Rows kept as they pass: the same selection, without reading the input a second time."""

from __future__ import annotations

import pickle
import shutil
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir import _core
from dsir.corpus.parquet import ParquetShard
from dsir.sampling import Calibration, KeyRule, Run, find_threshold, selected_positions
from dsir.settings.budget import Budget
from dsir.settings.draw import DrawSettings
from dsir.stages.kept import plan as keeping
from dsir.stages.kept import reader
from dsir.stages.kept.gate import Gate
from dsir.stages.score_table import Scores

SETTINGS = {"min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.integers(0, 1000),
    st.integers(1, 60),
    st.booleans(),
    st.sampled_from(["resample", "top-k"]),
    st.sets(st.integers(0, 11)),
)
def test_nothing_that_is_selected_is_held_back(sizes, seed, budget, by_cost, method, unnumbered):
    draw = np.random.default_rng(seed)
    rule = KeyRule(seed, method)
    runs, first = [], 0
    for size in sizes:
        weights = draw.choice([-300.0, -1.0, 0.0, 0.5, 40.0], size) + draw.normal(0, 1, size)
        eligible = (draw.random(size) < 0.8).astype(np.uint8)
        cost = draw.integers(1, 9, size).astype(np.uint32) if by_cost else None
        runs.append(Run(first, weights, eligible, cost))
        first += size
    threshold = find_threshold(lambda: runs, rule, budget)
    bar = _core.RisingBar(rule.core, budget)
    order = draw.permutation(len(runs))
    kept = {}
    for number in order:
        run = runs[number]
        first_row = None if number in unnumbered else run.first_row
        kept[number] = bar.add(run.log_weight, run.eligible, first_row, cost=run.cost).tolist()
        assert all(run.eligible[kept[number]])
    for number, run in enumerate(runs):
        assert set(selected_positions(run, rule, threshold).tolist()) <= set(kept[number])


def test_the_bar_rises():
    """About k (1 + ln(N / k)) documents pass."""
    count, k = 200_000, 1_000
    weights = np.random.default_rng(0).normal(0, 3, count)
    bar = _core.RisingBar(KeyRule(1).core, k)
    ones = np.ones(count, np.uint8)
    passed = sum(
        len(bar.add(weights[at : at + 500], ones[at : at + 500], at)) for at in range(0, count, 500)
    )
    expected = k * (1 + np.log(count / k))
    assert 0.9 * expected < passed < 1.3 * expected


def test_the_bar_rises_without_numbers_too():
    """Where log-weights are far apart, little more passes than with them."""
    count, k = 200_000, 1_000
    weights = np.random.default_rng(0).normal(0, 1000, count)
    ones = np.ones(500, np.uint8)
    passed = []
    for numbered in (True, False):
        bar = _core.RisingBar(KeyRule(1).core, k)
        starts = range(0, count, 500)
        found = [
            len(bar.add(weights[at : at + 500], ones, at if numbered else None)) for at in starts
        ]
        passed.append(sum(found))
    assert passed[0] < passed[1] < 1.5 * passed[0]


def test_a_gate_says_that_it_is_of_no_use():
    """Where log-weights are so close that without its noise no row is out."""
    gate = Gate(DrawSettings(Budget(n=100), KeyRule(), 1, False), [100], 10**9)
    found = []
    for seed in range(40):
        weights = np.random.default_rng(seed).normal(0, 0.3, (1, 100))
        tokens = np.full(100, 9, np.uint32)
        found.append(gate.may_be_selected(Scores(weights, tokens, tokens), None))
    assert [part is None for part in found] == [False] * 16 + [True] * 24
    assert gate.may_be_selected(Scores(weights, tokens, tokens), 0) is not None


@pytest.fixture
def shards(world, tmp_path):
    """Larger than the corpus of the other tests, so that one in a hundred is something."""
    paths = []
    for number in range(6):
        rows = [{**row, "id": row["id"] + 600 * number} for row in world.rows]
        table = pa.Table.from_pylist(rows)
        path = tmp_path / f"raw-{number}.parquet"
        pq.write_table(table, path, row_group_size=150)
        paths.append(path)
    return paths


@pytest.fixture
def lines(world, tmp_path):
    """The same as JSON Lines."""
    rows = [{**row, "id": row["id"] + 600 * number} for number in range(6) for row in world.rows]
    suffixes = [".jsonl", ".jsonl.gz", ".jsonl.zst", ".jsonl", ".jsonl.zst", ".jsonl.gz"]
    return replace(world, rows=rows).write_jsonl(tmp_path, suffixes)


def without_keeping(monkeypatch):
    def nothing(shards, settings, shares, folder, counted):
        return (None,) * len(shards)

    monkeypatch.setattr(sys.modules["dsir.run.drawing"], "plan_keeping", nothing)


TARGETS = {"targets": "separate", "proportions": [0.7, 0.3]}


@pytest.mark.parametrize(
    "settings",
    [
        {"n": 36},
        {"fraction": 0.01},
        {"tokens": 3000},
        {"n": 36, "method": "top-k"},
        {"n": 36, "filters": {"max_repeated": 0.2}},
        {"n": 36, **TARGETS},
        {"n": 36, "shard_size": "2kB"},
    ],
    ids=lambda settings: "-".join(settings),
)
def test_the_same_files_from_one_reading(
    world, shards, target, settings, tmp_path, contents, taken, monkeypatch
):
    wanted = {"a": world.target[:30], "b": world.target[30:]} if "targets" in settings else target
    for threads in (1, 3):
        out = tmp_path / f"kept-{threads}"
        dsir.select(shards, wanted, out=out, threads=threads, **settings, **SETTINGS)
        assert sum(taken) == 0
    without_keeping(monkeypatch)
    dsir.select(shards, wanted, out=tmp_path / "plain", **settings, **SETTINGS)
    assert sum(taken) > 0
    expected = contents(tmp_path / "plain")
    assert contents(tmp_path / "kept-1") == contents(tmp_path / "kept-3") == expected


SUM = {"min_tokens": 20, "progress": False}


@pytest.mark.filterwarnings("ignore:effective sample size")
@pytest.mark.parametrize("fit_tokens", ["all", 20_000])
@pytest.mark.parametrize(
    "settings",
    [
        {"n": 36},
        {"tokens": 3000},
        {"n": 36, "method": "top-k"},
        {"n": 36, "dedup": "exact"},
        {"n": 36, **TARGETS},
        {"n": 36, "shard_size": "2kB"},
        {"n": 12, "max_per": {"domain": 0.5}},
    ],
    ids=lambda settings: "-".join(settings),
)
def test_the_same_lines_from_one_reading(
    world, lines, target, settings, fit_tokens, tmp_path, contents, taken, monkeypatch
):
    monkeypatch.setattr("dsir.corpus.line_blocks.BLOCK_BYTES", 20_000)
    wanted = {"a": world.target[:30], "b": world.target[30:]} if "targets" in settings else target
    settings = {**settings, "fit_tokens": fit_tokens, **SUM}
    for threads in (1, 3):
        out = tmp_path / f"kept-{threads}"
        dsir.select(lines, wanted, out=out, threads=threads, **settings)
    if "dedup" not in settings:  # Copies raise the bar; six of each text are many.
        assert (sum(taken) > 0) == ("max_per" in settings)
    without_keeping(monkeypatch)
    dsir.select(lines, wanted, out=tmp_path / "plain", **settings)
    assert sum(taken) > 0
    expected = contents(tmp_path / "plain")
    assert contents(tmp_path / "kept-1") == contents(tmp_path / "kept-3") == expected


@pytest.mark.parametrize("kind", ["shards", "lines"])
@pytest.mark.parametrize("settings", [{"n": 36}, {"tokens": 3000}, {"n": 36, **TARGETS}], ids=str)
def test_the_pool_of_a_coverage_selection_is_kept(
    world, kind, target, settings, tmp_path, contents, taken, monkeypatch, request
):
    """All of it, some of it, or nothing: the same files."""
    paths = request.getfixturevalue(kind)
    wanted = {"a": world.target[:30], "b": world.target[30:]} if "targets" in settings else target
    settings = {**settings, **SUM, "method": "coverage", "fit_tokens": "all"}
    monkeypatch.setattr("dsir.stages.kept.gate._LARGEST_SHARE_PASSED", 1.0)
    monkeypatch.setattr("dsir.corpus.line_blocks.BLOCK_BYTES", 20_000)
    found = []

    def kept_texts(*arguments):
        found.append(reader.kept_texts(*arguments))
        return found[-1]

    monkeypatch.setattr("dsir.stages.pool.kept_texts", kept_texts)
    for threads in (1, 3):
        monkeypatch.setattr(keeping, "_LARGEST_POOL", 10.0)
        dsir.select(paths, wanted, out=tmp_path / f"all-{threads}", threads=threads, **settings)
        assert found
        assert all(texts is not None for texts in found)
        assert sum(taken) == 0
        found.clear()
    monkeypatch.setattr(keeping, "_LARGEST_POOL", 0.05)
    monkeypatch.setattr("dsir.stages.kept.writer._HELD_BYTES", 1000)
    dsir.select(paths, wanted, out=tmp_path / "some", **settings)
    assert sum(texts is not None for texts in found) < len(paths)
    without_keeping(monkeypatch)
    found.clear()
    dsir.select(paths, wanted, out=tmp_path / "none", **settings)
    assert not found
    expected = contents(tmp_path / "none")
    for name in ("all-1", "all-3", "some"):
        assert contents(tmp_path / name) == expected


def test_a_large_pool_is_not_kept():
    """Its rows are not put aside any more once it holds more than a quarter of the rows."""
    rule = KeyRule(0, "coverage", calibrations=(Calibration(0.5, 1.0),))
    gate = Gate(DrawSettings(Budget(n=100), rule, 1, False), [100], 10**9)
    tokens = np.full(100, 9, np.uint32)
    found = []
    for seed in range(40):
        weights = np.random.default_rng(seed).normal(0.6, 0.3, (1, 100))
        found.append(gate.may_be_selected(Scores(weights, tokens, tokens), 100 * seed))
    assert [part is None for part in found] == [False] * 16 + [True] * 24


def test_a_gate_of_a_pool_lets_relevant_rows_through_and_what_it_lacks():
    rule = KeyRule(0, "coverage", calibrations=(Calibration(5.0, 1.0),))
    gate = Gate(DrawSettings(Budget(n=4), rule, 1, False), [4], 10**9)
    tokens = np.full(8, 9, np.uint32)

    def passed(*weights):
        scores = Scores(np.array([weights], dtype=float), tokens, tokens)
        return gate.may_be_selected(scores, None).tolist()

    # Six are wanted. The bar says what they may be until as many relevant rows have come.
    assert passed(1, 2, 3, 4, 6, 1, 2, 3) == [1, 2, 3, 4, 6, 7]
    assert passed(1, 1, 9, 1, 1, 1, 1, 4) == [2, 7]
    assert passed(6, 6, 6, 6, 4.9, 1, 5, 9) == [0, 1, 2, 3, 6, 7]
    assert passed(4.9, 4.9, 4.9, 5.1, 1, 1, 1, 1) == [3]


def test_lines_are_numbered_by_the_fit(lines, target, tmp_path, contents, taken, monkeypatch):
    """Log-weights close to each other: rows that have numbers can be told apart by their noise."""
    settings = {"n": 36, **SETTINGS}
    dsir.select(lines, target, out=tmp_path / "all", fit_tokens="all", **settings)
    assert sum(taken) == 0
    dsir.select(lines, target, out=tmp_path / "sample", fit_tokens=20_000, **settings)
    assert sum(taken) > 0
    without_keeping(monkeypatch)
    for name, fit_tokens in (("all", "all"), ("sample", 20_000)):
        plain = tmp_path / f"plain-{name}"
        dsir.select(lines, target, out=plain, fit_tokens=fit_tokens, **settings)
        assert contents(plain) == contents(tmp_path / name)


def test_what_was_not_kept_is_fetched(shards, target, tmp_path, contents, taken, monkeypatch):
    """A full disk, or a first shard that cannot be read: other noise than was thought."""
    without = {"n": 36, "on_error": "skip", **SETTINGS}
    # It says how many rows it has, and turns out to have no text.
    pq.write_table(pa.table({"text": range(600)}), shards[0])
    monkeypatch.setattr(
        "shutil.disk_usage", lambda folder: shutil._ntuple_diskusage(10**9, 10**9, 40_000)
    )
    one = dsir.select(shards, target, out=tmp_path / "a", **without)
    assert one.skipped
    assert sum(taken) > 0
    without_keeping(monkeypatch)
    dsir.select(shards, target, out=tmp_path / "b", **without)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_nothing_stays_behind(shards, target, tmp_path, contents, monkeypatch):
    work = tmp_path / "work"
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    settings = {"n": 36, "workdir": work, **SETTINGS}
    dsir.select(shards, target, out=tmp_path / "a", **settings)
    assert not (work / "kept").exists()
    (work / "kept").mkdir()
    (work / "kept" / "00000.arrows").write_bytes(b"what a killed run left")
    shutil.rmtree(work / "outputs")
    shutil.rmtree(tmp_path / "a")
    dsir.select(shards, target, out=tmp_path / "a", **settings)
    assert not (work / "kept").exists()
    dsir.select(shards, target, n=36, out=tmp_path / "b", **SETTINGS)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert list((tmp_path / "scratch").iterdir()) == []


def plans(shards, settings, folder, counted=()):
    resolved = dsir.corpus.resolve(shards).shards
    folder.mkdir(exist_ok=True)
    return keeping.plan_keeping(resolved, settings, [1.0], folder, counted)


def test_when_rows_are_kept(world, shards, tmp_path, jsonl):
    def draw(**budget):
        return DrawSettings(Budget(**budget), KeyRule(), 20, False)

    folder = tmp_path / "kept"
    assert all(plans(shards, draw(n=36), folder))
    assert [keep.corpus_row for keep in plans(shards, draw(n=36), folder)] == list(
        range(0, 3600, 600)
    )
    for settings in (draw(n=3600), draw(fraction=0.5), draw(tokens=10**9)):
        assert not any(plans(shards, settings, folder))
    assert not any(plans(jsonl, draw(fraction=0.01), folder))
    assert [keep.corpus_row for keep in plans(jsonl, draw(n=6), folder)] == [0, None, None]
    counted = plans(jsonl, draw(n=6), folder, [5, 7, None])
    assert [keep.corpus_row for keep in counted] == [0, 5, 12]
    mixed = [*shards[:2], jsonl[0], shards[2]]
    assert [keep.corpus_row for keep in plans(mixed, draw(n=6), folder)] == [0, 600, 1200, None]
    with_codes = world.table(pa.dictionary(pa.int32(), pa.string()))
    pq.write_table(with_codes, tmp_path / "codes.parquet")
    assert not any(plans([tmp_path / "codes.parquet"], draw(n=6), folder))


def test_a_text_column_on_its_own(world, target, tmp_path, taken):
    for number in range(4):
        table = pa.table({"text": pa.array(world.texts)})
        pq.write_table(table, tmp_path / f"{number}.parquet", row_group_size=100)
    selection = dsir.select(sorted(tmp_path.glob("*.parquet")), target, n=20, **SETTINGS)
    assert sum(taken) == 0
    assert selection.table["text"].to_pylist() == [
        world.texts[row % 600] for row in selection.rows.tolist()
    ]


def test_a_gate_travels():
    gate = Gate(DrawSettings(Budget(n=3), KeyRule(), 20, False), [3], 100)
    again = pickle.loads(pickle.dumps(gate))
    assert again.takes(100)
    assert not again.takes(1)
    assert gate.takes(100)


def test_a_disk_that_fills_up_is_no_reason_to_fail(
    shards, jsonl, target, tmp_path, contents, taken, monkeypatch
):
    def full(self, *arguments):
        raise OSError(28, "No space left on device")

    plain = dsir.select(shards, target, n=36, out=tmp_path / "a", **SETTINGS)
    lines = dsir.select(jsonl, target, n=9, fit_tokens="all", **SETTINGS)
    assert sum(taken) == 0
    real = pa.ipc.new_stream
    monkeypatch.setattr("dsir.stages.kept.writer.RecordKeeper._records", full)
    again = dsir.select(shards, target, n=36, out=tmp_path / "b", **SETTINGS)
    assert sum(taken) == 36
    assert again.rows.tolist() == plain.rows.tolist()
    assert contents(tmp_path / "a") == contents(tmp_path / "b")

    class Full:
        def __init__(self, sink, schema):
            self.stream = real(sink, schema)
            self.close = self.stream.close

        write_batch = full

    monkeypatch.setattr(pa.ipc, "new_stream", Full)
    again = dsir.select(jsonl, target, n=9, fit_tokens="all", **SETTINGS)
    assert again.rows.tolist() == lines.rows.tolist()


def test_columns_beside_the_text_that_cannot_be_read(shards, target, tmp_path, monkeypatch):
    """Under "skip" too the shard counts: its texts can be read."""
    plain = dsir.select(shards, target, n=36, on_error="skip", **SETTINGS)

    def broken(self, rows):
        raise dsir.ShardError("a column is damaged", path=self.name)

    monkeypatch.setattr(ParquetShard, "take_beside", broken)
    again = dsir.select(shards, target, n=36, on_error="skip", **SETTINGS)
    assert again.skipped == []
    assert again.rows.tolist() == plain.rows.tolist()
