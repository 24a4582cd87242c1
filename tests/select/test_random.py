"""method="random": the budget drawn among eligible rows with equal chance, whatever the weights."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import dsir
from dsir.cli.main import app
from dsir.stages.kept import plan as keeping

TARGET = ["the tide and the ship sail of the court"] * 3
SETTINGS = {"method": "random", "min_tokens": 10, "progress": False}


def noise(rows: int, seed: int) -> np.ndarray:
    return dsir._core.keys(dsir._core.KeySettings(seed=seed), np.zeros(rows), 0)


@given(
    st.lists(st.one_of(st.floats(-500, 500), st.just(-math.inf)), min_size=1, max_size=60),
    st.integers(0, 2**64 - 1),
    st.data(),
)
def test_a_sample_ignores_weights_above_zero(weights, seed, data):
    possible = np.flatnonzero(np.array(weights) > -math.inf)
    n = data.draw(st.integers(1, len(weights)))
    if n > len(possible):
        with pytest.raises(dsir.BudgetError):
            dsir.sample(weights, n, seed=seed, method="random")
        return
    by_noise = possible[np.argsort(-noise(len(weights), seed)[possible], kind="stable")]
    found = dsir.sample(weights, n, seed=seed, method="random", temperature=0.01)
    assert found.tolist() == sorted(by_noise[:n].tolist())


def test_every_row_has_the_same_chance():
    weights = np.array([40.0, 0.0, -3.0, 7.0, 0.1])
    draws = 4_000
    found = Counter(
        tuple(dsir.sample(weights, 2, seed=seed, method="random").tolist()) for seed in range(draws)
    )
    expected = draws / 10  # Two of five: ten pairs.
    assert len(found) == 10
    assert sum((n - expected) ** 2 / expected for n in found.values()) < 27.88


@pytest.fixture(scope="module")
def eligible(quota_corpus) -> np.ndarray:
    return np.flatnonzero(quota_corpus.tokens >= 10)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kind", ["table", "parquet", "lines"])
def test_the_rows_with_the_greatest_noise(quota_corpus, eligible, tmp_path: Path, kind, threads):
    raw = quota_corpus.table()
    if kind != "table":
        getattr(quota_corpus, f"write_{kind}")(tmp_path / "raw")
        raw = tmp_path / "raw"
    out = None if kind == "table" else tmp_path / "out"
    found = dsir.select(raw, TARGET, n=25, seed=4, threads=threads, out=out, **SETTINGS)
    by_noise = eligible[np.argsort(-noise(len(quota_corpus.texts), 4)[eligible], kind="stable")]
    assert found.rows.tolist() == sorted(by_noise[:25].tolist())
    # The weights are those of any other method.
    everything = dsir.select(raw, TARGET, fraction=1.0, allow_fewer=True, seed=9, **SETTINGS)
    weight = dict(zip(everything.rows.tolist(), everything.log_weights.tolist(), strict=True))
    assert found.log_weights.tolist() == [weight[row] for row in found.rows.tolist()]
    if out is not None:
        assert dsir.verify(out, target=TARGET).stands


@pytest.mark.parametrize("counted", [True, False])
def test_rows_put_aside_are_the_ones_that_are_read_again(
    quota_corpus, tmp_path, monkeypatch, counted
):
    """Whether the gate knows the global row numbers or not."""
    monkeypatch.setattr(keeping, "_LARGEST_SHARE", 1.0)
    write = quota_corpus.write_parquet if counted else quota_corpus.write_lines
    write(tmp_path / "raw")
    limits = {} if counted else {"fit_tokens": 500}
    given = {"n": 20, "seed": 1, **limits, **SETTINGS}
    kept = dsir.select(tmp_path / "raw", TARGET, out=tmp_path / "kept", **given)
    monkeypatch.setattr(keeping, "can_keep", lambda _: False)
    again = dsir.select(tmp_path / "raw", TARGET, out=tmp_path / "again", **given)
    assert kept.rows.tolist() == again.rows.tolist()
    for one, other in zip(kept.paths, again.paths, strict=True):
        assert Path(one).read_bytes() == Path(other).read_bytes()


def test_tokens_quotas_and_duplicates_hold(quota_corpus, eligible):
    table = quota_corpus.table()
    found = dsir.select(table, TARGET, tokens=700, seed=2, dedup="exact", **SETTINGS)
    first = {}
    for row in range(len(quota_corpus.texts)):
        first.setdefault(quota_corpus.texts[row], row)
    alone = np.array([row for row in eligible if first[quota_corpus.texts[row]] == row])
    order = alone[np.argsort(-noise(len(quota_corpus.texts), 2)[alone], kind="stable")]
    spent = np.cumsum(quota_corpus.tokens[order])
    assert found.rows.tolist() == sorted(order[spent <= 700].tolist())
    capped = dsir.select(table, TARGET, n=20, seed=2, max_per={"source": 6}, **SETTINGS)
    taken = Counter(quota_corpus.source[row] for row in capped.rows)
    assert len(capped) == 20
    assert max(taken.values()) <= 6


def test_separate_targets_share_no_row(quota_corpus, eligible):
    targets = {"sea": TARGET, "law": ["the judge and the court of flour bake"] * 3}
    found = dsir.select(quota_corpus.table(), targets, n=30, seed=2, targets="separate", **SETTINGS)
    assert len(set(found.rows.tolist())) == 30
    assert Counter(found.target.tolist()) == {0: 15, 1: 15}
    by_noise = eligible[np.argsort(-noise(len(quota_corpus.texts), 2)[eligible], kind="stable")]
    assert found.rows[found.target == 0].tolist() == sorted(by_noise[:15].tolist())


def test_central_documents_among_random_candidates(quota_corpus):
    """With a weight of 0 for LexRank, the key decides: noise alone."""
    combine = {"dsir": 1.0, "lexrank": 0.0}
    given = {"n": 12, "seed": 6, **SETTINGS}
    alone = dsir.select(quota_corpus.table(), TARGET, **given)
    found = dsir.select(quota_corpus.table(), TARGET, combine=combine, **given)
    assert found.rows.tolist() == alone.rows.tolist()


def test_commands_and_stages_give_the_same_rows(quota_corpus, tmp_path: Path):
    quota_corpus.write_parquet(tmp_path / "raw")
    target = tmp_path / "target.jsonl"
    target.write_text('{"text": "the tide and the ship sail of the court"}\n' * 3)
    raw, options = str(tmp_path / "raw"), ["--n", "15", "--min-tokens", "10", "--seed", "3"]

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == 0, done.output
        return done.output

    drawn = ["--method", "random", *options]
    run("select", raw, "-t", str(target), "-o", str(tmp_path / "out"), "-q", *drawn)
    model, scores, rows = (str(tmp_path / name) for name in ("m.dsir", "scores", "rows"))
    run("fit", raw, "-t", str(target), "-o", model, "-q")
    run("score", raw, "-m", model, "-o", scores, "-q")
    run("sample", scores, "-o", rows, "-q", *drawn)
    written = str(tmp_path / "written")
    run("write", rows, "-m", model, "-o", written, "-q")
    run("verify", str(tmp_path / "out"), "-q")
    run("verify", written, "-q")
    one, other = dsir.load(tmp_path / "out"), dsir.load(written)
    assert one.rows.tolist() == other.rows.tolist()
    weighed = tmp_path / "weighed"
    run("select", raw, "-t", str(target), "-o", str(weighed), "-q", *options)
    found = dsir.diff(tmp_path / "out", weighed)
    assert any("method" in str(one) and "random" in str(one) for one in found.settings)
    assert one.log_weights.tolist() == other.log_weights.tolist()


def test_a_random_draw_has_no_effective_sample_size(quota_corpus):
    drawn = dsir.select(quota_corpus.table(), TARGET, n=20, **SETTINGS)
    assert drawn.metrics.effective_sample_size is None
    weighed = dsir.select(quota_corpus.table(), TARGET, n=20, **{**SETTINGS, "method": "top-k"})
    assert weighed.metrics.effective_sample_size is not None
