"""Selection by DSIR and centrality together."""

from __future__ import annotations

import math
import re

import numpy as np
import pyarrow.parquet as pq
import pytest

import dsir
from dsir import _core

SETTINGS = {"min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}


def standardised(values):
    return (values - np.mean(values)) / np.std(values)


def by_hand(world, target, n, weights, factor=4.0, seed=0, method="resample"):
    """From the draw of the candidates on, in numpy."""
    model = dsir.fit(world.texts, target, length="mean", progress=False)
    log_weights = model.score(world.texts)
    noise = method == "resample"
    settings = _core.KeySettings(seed=seed, temperature=0.3, noise=noise)
    keys = _core.keys(settings, log_weights, 0)
    tokens = np.array([len(model.features.tokens(text or "")) for text in world.texts])
    keys[tokens < 20] = -np.inf
    order = np.argsort(-keys, kind="stable")
    candidates = np.sort(order[: math.ceil(n * factor)])
    candidates = candidates[np.isfinite(keys[candidates])]
    central = dsir.graph.lexrank([world.texts[row] for row in candidates], threshold=None)
    scores = weights[0] * standardised(keys[candidates]) + weights[1] * standardised(central)
    return sorted(candidates[np.argsort(-scores, kind="stable")[:n]].tolist())


@pytest.mark.parametrize("weights", [(1.0, 0.2), (0.0, 1.0), (1.0, 3.0)])
@pytest.mark.parametrize("method", ["resample", "top-k"])
def test_it_is_what_it_says(world, parquet, target, weights, method):
    selection = dsir.select(
        parquet,
        target,
        n=40,
        method=method,
        combine={"dsir": weights[0], "lexrank": weights[1]},
        **SETTINGS,
    )
    assert selection.rows.tolist() == by_hand(world, target, 40, weights, method=method)
    assert selection.metrics["rows"]["selected"] == 40
    tokens = sum(
        len(selection.model.features.tokens(t)) for t in selection.table["text"].to_pylist()
    )
    assert selection.metrics["tokens"]["selected"] == tokens


def test_without_lexrank_it_is_dsir(parquet, target):
    plain = dsir.select(parquet, target, n=40, **SETTINGS)
    combined = dsir.select(parquet, target, n=40, combine={"dsir": 2, "lexrank": 0}, **SETTINGS)
    assert combined.rows.tolist() == plain.rows.tolist()
    assert combined.log_weights.tobytes() == plain.log_weights.tobytes()
    assert combined.metrics["kl_reduction"] == plain.metrics["kl_reduction"]


def test_central_documents_are_preferred(world, parquet, target):
    """The centrality of what is chosen, among all candidates, is above their mean."""
    plain = dsir.select(parquet, target, n=200, **SETTINGS)
    chosen = dsir.select(parquet, target, n=50, combine={"dsir": 0, "lexrank": 1}, **SETTINGS)
    assert set(chosen.rows.tolist()) < set(plain.rows.tolist())
    central = dsir.graph.lexrank([world.texts[row] for row in plain.rows], threshold=None)
    inside = np.isin(plain.rows, chosen.rows)
    assert central[inside].min() >= central[~inside].max()


@pytest.mark.parametrize("budget", [{"tokens": 4000}, {"fraction": 0.05}, {"n": 7}])
@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_budgets_threads_and_restarts(form, request, target, tmp_path, contents, budget):
    raw = request.getfixturevalue(form)
    settings = {**budget, **SETTINGS, "combine": {"dsir": 1.0, "lexrank": 0.5}, "candidates": 3}
    selection = dsir.select(raw, target, out=tmp_path / "a", threads=1, **settings)
    expected = contents(tmp_path / "a")
    dsir.select(raw, target, out=tmp_path / "b", threads=3, **settings)
    for _ in range(2):
        dsir.select(raw, target, out=tmp_path / "c", workdir=tmp_path / "w", **settings)
        assert contents(tmp_path / "c") == contents(tmp_path / "b") == expected
    if "tokens" in budget:
        assert 3700 < selection.metrics["tokens"]["selected"] <= 4000
    else:
        assert len(selection) == (30 if "fraction" in budget else 7)


def test_windows_are_combined_too(parquet, target):
    settings = {**SETTINGS, "chunk_tokens": 30}
    selection = dsir.select(
        parquet, target, n=20, combine={"dsir": 1.0, "lexrank": 0.5}, **settings
    )
    assert len(selection) == 20
    assert "chunk_start" in selection.table.schema.names


def test_more_than_there_are(parquet, target):
    combine = {"dsir": 1.0, "lexrank": 0.5}
    with pytest.raises(dsir.BudgetError, match="only 479 are eligible"):
        dsir.select(parquet, target, n=480, combine=combine, **SETTINGS)
    everything = dsir.select(parquet, target, n=480, combine=combine, allow_fewer=True, **SETTINGS)
    assert len(everything) == 479


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"combine": {"dsir": 1}}, "expected another measure beside dsir"),
        ({"combine": {"dsir": 1, "lexrank": 1, "gais": 1}}, "'gais' is no measure"),
        ({"combine": "both"}, "expected weights of dsir, lexrank, column:NAME and model:PATH"),
        ({"combine": {}}, "expected weights of dsir, lexrank, column:NAME and model:PATH"),
        ({"combine": {"dsir": -1, "lexrank": 1}}, "combine['dsir']=-1: expected a number, 0 or"),
        ({"combine": {"dsir": 0, "lexrank": 0}}, "expected a weight that is not 0"),
        ({"combine": {"dsir": 1, "lexrank": "x"}}, "combine['lexrank']='x': expected a number"),
        ({"combine": {"dsir": 1, "column:": 1}}, "'column:' is no measure"),
        ({"combine": {"dsir": 1, "column:a": math.nan}}, "combine['column:a']=nan: expected"),
        ({"candidates": 0.5}, "candidates=0.5"),
        ({"candidates": math.inf}, "candidates=inf"),
    ],
)
def test_wrong_calls(world, keywords, message):
    with pytest.raises(dsir.SettingError, match=re.escape(message)):
        dsir.select(world.texts, world.target, n=5, **keywords, **SETTINGS)


def test_separate_targets_are_refused(world):
    with pytest.raises(dsir.SettingError, match="cannot be used with targets="):
        dsir.select(
            world.texts,
            {"a": world.target},
            n=5,
            targets="separate",
            combine={"dsir": 1, "lexrank": 1},
            **SETTINGS,
        )


def test_on_the_command_line(invoke_dsir, parquet, target, tmp_path):
    options = ["--combine", "dsir=1,lexrank=0.3", "--min-tokens", 20, "--length", "mean", "-q"]
    done = invoke_dsir(
        "select", *parquet, "-t", target, "-n", 40, *options, "-o", "out", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    rows = sum(
        pq.read_metadata(path).num_rows for path in (tmp_path / "out").glob("data/*.parquet")
    )
    assert rows == 40
    done = invoke_dsir("select", *parquet, "-t", target, "-n", 4, "--combine", "dsir", "-o", "x")
    assert done.returncode == 2
    assert "--combine dsir: expected NAME=NUMBER" in done.stderr
