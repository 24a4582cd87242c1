"""method="coverage" and "cap" select what their definition says."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_coverage import Plain

import dsir
from dsir import _core
from dsir.settings import memory
from dsir.stages import coverage as rounds
from dsir.stages import units

QUIET = {"progress": False, "threads": 1}
FEATURES = dsir.HashedNgrams(buckets=2000)


@pytest.fixture(scope="module")
def plain(world) -> Plain:
    return Plain(FEATURES, world.texts, world.target)


def selected(texts, target, method="coverage", **given) -> list[int]:
    found = dsir.select(
        list(texts), target, method=method, **{"features": FEATURES, **QUIET, **given}
    )
    return found.rows.tolist()


def costs(texts, plain: Plain, unit: str) -> np.ndarray:
    if unit == "tokens":
        return plain.lengths
    if unit == "bytes":
        return np.array([len((text or "").encode()) for text in texts])
    return np.ones(len(texts), dtype=np.int64)


@pytest.mark.parametrize(
    ("unit", "amount"),
    [("tokens", 300), ("tokens", 1500), ("tokens", 9000), ("n", 3), ("n", 150), ("bytes", 5000)],
)
def test_rows_are_those_of_the_definition(world, plain, unit, amount):
    for least in (1, 20):
        eligible = plain.lengths >= least
        expected = plain.coverage(eligible, costs(world.texts, plain, unit), amount)
        found = selected(world.texts, world.target, min_tokens=least, **{unit: amount})
        assert found == sorted(expected)


@pytest.mark.filterwarnings("ignore:target. has only:dsir.DsirWarning")
@settings(max_examples=40)
@given(st.data())
def test_any_corpus(data):
    words = st.sampled_from(["ship", "sea", "tide", "law", "court", "bake", "a", "the", "x"])
    texts = st.lists(words, max_size=30).map(" ".join)
    raw = data.draw(st.lists(texts, min_size=2, max_size=25))
    target = data.draw(st.lists(texts.filter(bool), min_size=1, max_size=8))
    features = dsir.HashedNgrams(n=data.draw(st.integers(1, 3)), buckets=64)
    unit = data.draw(st.sampled_from(["tokens", "n", "bytes"]))
    if not any(raw):
        return
    plain = Plain(features, raw, target)
    cost = costs(raw, plain, unit)
    budget = data.draw(st.integers(1, int(cost[plain.lengths > 0].sum())))
    expected = plain.coverage(plain.lengths > 0, cost, budget)
    given = {"features": features, "min_tokens": 1, unit: budget}
    if not expected:
        with pytest.raises(dsir.BudgetError):
            selected(raw, target, **given)
        return
    assert selected(raw, target, **given) == sorted(expected)


def test_relevance_and_threshold_are_those_of_the_definition(world, plain):
    model = dsir.fit(world.texts, world.target, estimator="relevance", features=FEATURES, **QUIET)
    assert np.allclose(model.score(world.texts), plain.relevance, rtol=0, atol=1e-11)
    [(threshold, spread)] = model.calibrations
    assert threshold == pytest.approx(plain.threshold, abs=1e-11)
    assert spread == pytest.approx(plain.spread, abs=1e-11)


def test_log_weights_are_the_relevance(world, plain):
    found = dsir.select(world.texts, world.target, n=20, method="coverage", min_tokens=5, **QUIET)
    model = found.model
    texts = [world.texts[row] for row in found.rows]
    assert found.log_weights.tobytes() == model.score(texts).tobytes()
    assert model.features == dsir.HashedNgrams(buckets=1 << 20)
    assert found.metrics.effective_sample_size is None


def test_what_is_covered_stops_paying(world):
    """Of many copies of the best documents, the rounds take other documents first."""
    texts = [text for text in world.target[:12] for _ in range(12)]
    given = {"n": 12, "min_tokens": 5}
    covered = selected(texts, world.target, **given)
    best = selected(texts, world.target, "top-k", estimator="relevance", **given)
    assert len({row // 12 for row in covered}) > 5 * len({row // 12 for row in best})


def test_separate_targets_share_the_budget(world):
    law = [text for text, domain in zip(world.texts, world.domains, strict=True) if domain == "law"]
    goals = {"sea": world.target, "law": [text for text in law if text and text.strip()][:40]}
    found = dsir.select(
        world.texts,
        goals,
        tokens=4000,
        method="coverage",
        targets="separate",
        proportions={"sea": 0.25, "law": 0.75},
        min_tokens=5,
        features=FEATURES,
        **QUIET,
    )
    sea, law_plain = (Plain(FEATURES, world.texts, goal) for goal in goals.values())
    eligible = sea.lengths >= 5
    first = sea.coverage(eligible, sea.lengths, 1000)
    assert found.rows[found.target == 0].tolist() == sorted(first)
    left = eligible.copy()
    left[first] = False
    pool = law_plain.coverage(eligible, sea.lengths, 3000, before=1000)
    if not set(first) & set(pool):
        assert found.rows[found.target == 1].tolist() == sorted(pool)
    assert not set(found.rows[found.target == 1].tolist()) & set(first)
    assert found.metrics.targets["law"].tokens <= 3000


@pytest.fixture
def files(world, tmp_path) -> list[Path]:
    return [
        *world.write_parquet(tmp_path / "raw", parts=2, group=23),
        *world.write_jsonl(tmp_path / "raw", [".jsonl", ".jsonl.gz"]),
    ]


@pytest.mark.parametrize("method", ["coverage", "cap"])
def test_threads_and_units_change_no_byte(files, target, tmp_path, contents, monkeypatch, method):
    given = {
        "tokens": 3000,
        "method": method,
        "min_tokens": 5,
        "features": FEATURES,
        "progress": False,
    }
    found = {}
    for number, (threads, size) in enumerate(itertools.product([1, 2, 8], [None, 3000])):
        with monkeypatch.context() as patched:
            if threads == 2:  # The pool is read from its files in every round.
                patched.setattr(memory, "NO_LIMIT", replace(memory.NO_LIMIT, lists=0))
            if size is not None:
                patched.setattr(units, "UNIT_BYTES", size)
            out = tmp_path / f"out-{number}"
            dsir.select(files, target, out=out, threads=threads, **given)
        found[threads, size] = contents(out)
    assert len({str(one) for one in found.values()}) == 1
    assert dsir.verify(tmp_path / "out-0").stands
    assert dsir.load(tmp_path / "out-0").model.kind == "relevance"


def test_a_run_that_was_killed_goes_on(files, target, tmp_path, contents, monkeypatch):
    given = {"tokens": 3000, "method": "coverage", "min_tokens": 5, "progress": False}
    given["features"] = FEATURES
    monkeypatch.setattr(units, "UNIT_BYTES", 3000)
    dsir.select(files, target, out=tmp_path / "whole", **given)
    calls = itertools.count()
    gains = rounds.PoolLists.gains

    def dies(*arguments, **keywords):
        if next(calls) == 7:
            raise KeyboardInterrupt
        return gains(*arguments, **keywords)

    monkeypatch.setattr(rounds.PoolLists, "gains", dies)
    with pytest.raises(KeyboardInterrupt):
        dsir.select(files, target, out=tmp_path / "out", workdir=tmp_path / "work", **given)
    assert not (tmp_path / "work" / "kept").exists()
    dsir.select(files, target, out=tmp_path / "out", workdir=tmp_path / "work", **given)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_windows_filters_and_duplicates(world, target):
    texts = world.texts + world.texts[:200]
    found = dsir.select(
        texts,
        target,
        tokens=1000,
        method="coverage",
        chunk_tokens=16,
        filters={"min_words": 16},
        dedup="exact",
        min_tokens=5,
        features=FEATURES,
        **QUIET,
    )
    column = found.table["text"].to_pylist()
    assert len(column) == len(set(column)) > 40
    assert {len(FEATURES.tokens(text)) for text in column} == {16}
    assert found.metrics.rows.passed_over.duplicates > 0


def test_cap_draws_at_random_among_what_is_relevant_enough(world, plain):
    rows = [
        set(selected(world.texts, world.target, "cap", n=40, seed=s, min_tokens=5)) for s in (1, 2)
    ]
    assert rows[0] != rows[1]
    enough = np.flatnonzero((plain.relevance >= plain.threshold) & (plain.lengths >= 5))
    assert len(enough) > 60
    assert rows[0] | rows[1] <= set(enough.tolist())
    # The noise is that of any draw: with equal keys it alone decides.
    noise = _core.keys(_core.KeySettings(seed=1), np.zeros(len(world.texts)), 0)
    best = enough[np.argsort(-noise[enough], kind="stable")][:40]
    assert rows[0] == set(best.tolist())


def test_cap_takes_quotas_and_stages(quota_corpus, tmp_path, invoke_dsir):
    quota_corpus.write_parquet(tmp_path / "raw")
    goal = tmp_path / "goal.jsonl"
    goal.write_text('{"text": "the tide and the ship sail of the court"}\n' * 3)
    out = tmp_path / "out"
    settings = {"n": 30, "min_tokens": 4, "max_per": {"lang": 15}, "method": "cap"}
    found = dsir.select(tmp_path / "raw", goal, out=out, **settings, **QUIET)
    assert len(found) == 30
    assert dsir.verify(out).stands
    model, scores, rows = (tmp_path / name for name in ("model.dsir", "scores", "rows"))
    fit = ("fit", tmp_path / "raw", "-t", goal, "-o", model, "--estimator", "relevance", "-q")
    assert invoke_dsir(*fit).returncode == 0
    score = ("score", tmp_path / "raw", "-m", model, "-o", scores, "--groups", "lang", "-q")
    assert invoke_dsir(*score).returncode == 0
    draw = ("--n", 30, "--min-tokens", 4, "--max-per", "lang=15")
    sample = ("sample", scores, *draw, "--method", "cap", "-o", rows, "-q")
    assert invoke_dsir(*sample).returncode == 0
    again = tmp_path / "again"
    write = ("write", rows, "-m", model, "-o", again, "-q")
    assert invoke_dsir(*write).returncode == 0
    assert dsir.load(again).rows.tolist() == found.rows.tolist()
    assert dsir.verify(again).stands
    refused = invoke_dsir("sample", scores, "--n", 3, "--method", "coverage", "-o", tmp_path / "no")
    assert refused.returncode == 2
    assert "dsir.select" in refused.stderr or "dsir select" in refused.stderr


def test_the_command(files, target, tmp_path, run_dsir):
    out, again = tmp_path / "out", tmp_path / "again"
    words = ("--tokens", "3k", "--method", "coverage", "--min-tokens", 5, "--ngrams", 2, "-q")
    done = run_dsir("select", *files, "-t", target, "-o", out, *words)
    assert done.returncode == 0, done.stderr
    dsir.select(files, target, out=again, tokens=3000, method="coverage", min_tokens=5, **QUIET)
    assert dsir.load(out).rows.tolist() == dsir.load(again).rows.tolist()
    assert dsir.load(out).model.features.buckets == 1 << 20
    assert run_dsir("verify", out).returncode == 0
    assert run_dsir("diff", out, again).returncode == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"estimator": "ratio"}, 'estimator="relevance"'),
        ({"smoothing": 1.0}, "smoothing"),
        ({"length": "sum", "combine": {"dsir": 1.0, "lexrank": 0.5}}, "combine"),
        ({"length": 0.5}, "length"),
    ],
)
def test_what_does_not_go_together_is_an_error(world, given, said):
    with pytest.raises(dsir.SettingError, match=said):
        dsir.select(world.texts, world.target, n=5, method="coverage", **given, **QUIET)


def test_weights_without_a_calibration(world):
    with pytest.raises(dsir.SettingError, match="relevance"):
        dsir.sample([1.0, 2.0], 1, method="cap")
    with pytest.raises(dsir.SettingError, match="mixture"):
        dsir.fit(
            world.texts,
            {"a": world.target, "b": world.target},
            targets="mixture",
            estimator="relevance",
            **QUIET,
        )


def test_an_input_that_changes_is_noticed(world, target, tmp_path, monkeypatch):
    path = tmp_path / "raw.parquet"
    pq.write_table(pa.table({"text": world.texts}), path)
    draw = rounds.survey_of

    def changes(*arguments, **keywords):
        shuffled = list(world.texts)
        random.Random(1).shuffle(shuffled)
        pq.write_table(pa.table({"text": shuffled}), path)
        return draw(*arguments, **keywords)

    monkeypatch.setattr(rounds, "survey_of", changes)
    with pytest.raises(dsir.ShardError, match="changed"):
        dsir.select(path, target, n=20, method="coverage", min_tokens=5, **QUIET)


@pytest.mark.parametrize("method", ["coverage", "cap"])
def test_a_model_that_was_fitted_before(world, target, files, tmp_path, method):
    given = {"tokens": 2000, "method": method, "min_tokens": 5, **QUIET}
    found = dsir.select(files, target, out=tmp_path / "one", features=FEATURES, **given)
    again = dsir.select(files, model=tmp_path / "one", out=tmp_path / "two", **given)
    assert again.rows.tolist() == found.rows.tolist()
    assert again.log_weights.tobytes() == found.log_weights.tobytes()
    assert dsir.verify(tmp_path / "two").stands
    ratio = dsir.fit(world.texts, world.target, **QUIET)
    with pytest.raises(dsir.SettingError, match="relevance"):
        dsir.select(files, model=ratio, out=tmp_path / "three", **given)
