"""The KL reduction of a random selection, estimated without drawing one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir.model.metrics import kl_divergence
from dsir.model.random_selection import _distinct, _expected_kl, _Pool, halves, random_kl_reduction

CORPUS = Path(__file__).parents[2] / "examples" / "corpus"
# The weights of these documents are uneven, which does not matter here.
pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")

LAW = ["the court and the judge of the law"] * 9


def lines(pattern: str) -> list[str]:
    found = []
    for path in sorted(CORPUS.glob(pattern)):
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        found += [json.loads(line)["text"] for line in data.splitlines()]
    return found


@pytest.fixture(scope="module")
def raw() -> list[str]:
    return lines("raw-*")


@given(st.lists(st.integers(0, 2**62), unique=True, max_size=300))
def test_halves_share_no_row_and_leave_none_out(rows):
    one, other = halves(np.array(rows, dtype=np.int64))
    assert sorted([*one.tolist(), *other.tolist()]) == list(range(len(rows)))
    again, _ = halves(np.array(rows[::-1], dtype=np.int64))
    assert {rows[i] for i in one} == {rows[::-1][i] for i in again}


def test_halves_are_about_equal():
    one, _ = halves(np.arange(10_000))
    assert abs(len(one) - 5_000) < 4 * 50  # four standard deviations


@given(st.lists(st.integers(0, 70_000) | st.integers(0, 3), max_size=200))
def test_different_counts_are_those_that_sorting_finds(counts):
    array = np.array(counts, dtype=np.int64)
    for found, expected in zip(
        _distinct(array), np.unique(array, return_inverse=True), strict=True
    ):
        assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.9, 0.999_999_9, 1.0])
@pytest.mark.parametrize("size", [20, 400, 30_000])
def test_the_expectation_is_the_mean_of_draws(share, size):
    draw = np.random.default_rng(int(size * share) + 1)
    pool = draw.poisson(draw.gamma(0.3, size, 300)) * (draw.random(300) < 0.9)
    target = draw.poisson(draw.gamma(0.5, 20, 300))
    expected = _expected_kl(target, _Pool.of(pool, lambda counts: counts.astype(float)), share)
    total = share * pool.sum()
    p = target / target.sum() + 1e-8
    values = []
    for _ in range(400):
        q = draw.binomial(pool, share) / total + 1e-8
        values.append(float(np.sum(p * np.log(p / q))))
    error = np.std(values) / 20
    assert abs(np.mean(values) - expected) < 5 * error + 1e-3 * abs(expected)


def test_all_of_raw_is_like_raw():
    counts = np.arange(1, 200)
    selected = np.stack([counts // 2, counts - counts // 2])
    assert random_kl_reduction(selected, counts, counts[::-1].copy(), 1.0) == pytest.approx(0)


def test_counts_of_a_part_of_raw_stand_for_all_of_it():
    """A selection of a hundredth, whether all of raw was counted or a tenth of it."""
    raw = np.arange(1, 300) * 100
    selected = np.stack([raw // 200, raw // 200])
    target = raw[::-1].copy()
    whole = random_kl_reduction(selected, raw, target, 0.01)
    assert random_kl_reduction(selected, raw // 10, target, 0.01) == pytest.approx(whole, rel=0.02)


@pytest.mark.parametrize("target", ["scripture", "software", "satire", "novel"])
@pytest.mark.parametrize("n", [40, 200])
def test_the_estimate_is_near_random_selections(raw, target, n):
    wanted = lines(f"target-{target}.*")
    given = {"min_tokens": 1, "progress": False, "smoothing": 1.0}
    selection = dsir.select(raw, wanted, n=n, **given).metrics
    given["tokens"] = selection.tokens.selected
    drawn = [
        dsir.select(raw, wanted, method="random", seed=seed, **given).metrics for seed in range(8)
    ]
    mean = np.mean([one.kl_reduction for one in drawn])
    assert selection.random_kl_reduction == pytest.approx(mean, rel=0.25)
    assert np.mean([one.random_kl_reduction for one in drawn]) == pytest.approx(mean, rel=0.2)
    assert selection.kl_reduction > selection.random_kl_reduction


def test_it_is_the_same_for_any_layout(raw, tmp_path):
    """Threads, output in memory or in files, and the pieces of the output."""
    given = {"n": 50, "min_tokens": 1, "progress": False}
    one = dsir.select(raw, LAW, **given).metrics.random_kl_reduction
    out = tmp_path / "out"
    other = dsir.select(raw, LAW, out=out, threads=3, shard_size=7, **given)
    assert other.metrics.random_kl_reduction == one
    assert dsir.load(out).metrics.random_kl_reduction == one


def test_counting_by_halves_leaves_the_kl_reduction_as_it_was(raw):
    selection = dsir.select(raw, LAW, n=50, min_tokens=1, progress=False)
    expected = dsir.kl_reduction(selection.table, raw, LAW)
    assert selection.metrics.kl_reduction == pytest.approx(expected, rel=1e-9)


def test_each_target_has_its_own(raw):
    targets = {"law": LAW, "sea": ["the ship and the tide of the sea"] * 9}
    metrics = dsir.select(
        raw, targets, n=40, min_tokens=1, targets="separate", progress=False
    ).metrics
    found = [one.random_kl_reduction for one in metrics.targets.values()]
    assert all(value < 0 for value in found)
    assert metrics.random_kl_reduction == pytest.approx(sum(found) / 2, rel=1e-4)


def test_a_selection_with_an_empty_half_counts_as_single_ngrams():
    counts = np.arange(1, 200)
    target = counts[::-1].copy()
    selected = np.stack([np.zeros_like(counts), counts])
    found = random_kl_reduction(selected, counts * 50, target, 0.02)
    pool = _Pool.of(counts * 50, lambda counts: counts.astype(float))
    gap = _expected_kl(target, pool, 0.02) - kl_divergence(target, counts)
    assert found == pytest.approx(-gap)
