"""sample(): without replacement, in proportion to the weights, the same everywhere."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir.sampling import KeyRule, Run, find_threshold, selected_positions

WEIGHTS = st.lists(
    st.one_of(st.floats(-50, 50), st.just(0.0), st.just(-math.inf)), min_size=1, max_size=200
)
SEEDS = st.integers(0, 2**64 - 1)


@given(WEIGHTS, SEEDS, st.data())
def test_a_sample_is_a_subset(weights, seed, data):
    possible = [row for row, weight in enumerate(weights) if weight > -math.inf]
    n = data.draw(st.integers(1, len(weights)))
    if n > len(possible):
        with pytest.raises(dsir.BudgetError, match=rf"only {len(possible)} documents"):
            dsir.sample(weights, n, seed=seed)
        return
    rows = dsir.sample(weights, n, seed=seed)
    assert rows.dtype == np.int64
    assert len(rows) == n
    assert (np.diff(rows) > 0).all()
    assert set(rows.tolist()) <= set(possible)
    again = dsir.sample(np.array(weights), np.int64(n), seed=seed, threads=3)
    assert again.tobytes() == rows.tobytes()
    # A larger sample of the same seed holds the smaller one.
    if n < len(possible):
        assert set(rows.tolist()) < set(dsir.sample(weights, n + 1, seed=seed).tolist())


@given(WEIGHTS.filter(lambda w: max(w) > -math.inf), st.integers(1, 3))
def test_top_k_is_a_sort(weights, n):
    n = min(n, sum(weight > -math.inf for weight in weights))
    order = sorted(range(len(weights)), key=lambda row: (-weights[row], row))
    assert dsir.sample(weights, n, method="top-k").tolist() == sorted(order[:n])


@given(WEIGHTS.filter(lambda w: max(w) > -math.inf), SEEDS, st.sampled_from([0.1, 1.0, 7.0]))
def test_temperature_divides(weights, seed, temperature):
    n = max(1, sum(weight > -math.inf for weight in weights) // 2)
    cooled = [weight / temperature for weight in weights]
    assert (
        dsir.sample(weights, n, seed=seed, temperature=temperature).tolist()
        == dsir.sample(cooled, n, seed=seed).tolist()
    )


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), SEEDS, st.data())
def test_any_runs_in_any_order_give_the_same(sizes, seed, data):
    total = sum(sizes)
    weights = np.random.default_rng(seed % 2**32).normal(0, 3, total)
    n = data.draw(st.integers(1, total))
    firsts = np.cumsum([0, *sizes[:-1]]).tolist()
    runs = [
        Run(first, weights[first : first + size].copy(), np.ones(size, np.uint8))
        for first, size in zip(firsts, sizes, strict=True)
    ]
    order = data.draw(st.permutations(runs))
    rule = KeyRule(seed)
    threshold = find_threshold(lambda: order, rule, n, threads=2)
    assert threshold.selected == n
    found = np.concatenate(
        [run.first_row + selected_positions(run, rule, threshold) for run in order]
    )
    assert sorted(found.tolist()) == dsir.sample(weights, n, seed=seed).tolist()


def test_a_memory_map_in_slices(tmp_path: Path):
    count = (1 << 20) + 12_345  # More than one slice.
    weights = np.random.default_rng(0).normal(0, 2, count)
    mapped = np.memmap(tmp_path / "weights", np.float64, "w+", shape=count)
    mapped[:] = weights
    rows = dsir.sample(mapped, 5_000, seed=9)
    keys = dsir._core.keys(dsir._core.KeySettings(seed=9), weights, 0)
    assert rows.tolist() == sorted(np.argsort(-keys, kind="stable")[:5_000].tolist())
    strided = np.repeat(weights, 2)[::2]
    assert dsir.sample(strided, 5_000, seed=9, threads=2).tobytes() == rows.tobytes()


PEAK = """
import sys
import numpy as np
import dsir

def peak():
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])

weights = np.memmap(sys.argv[1], np.float64, "r", offset=8)
dsir.sample(weights[:2_000_000], 1000)
before = peak()
dsir.sample(weights, 1000)
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="needs Linux's /proc")
def test_a_memory_map_does_not_pile_up(tmp_path: Path):
    np.random.default_rng(1).normal(size=12_000_001).tofile(tmp_path / "weights")
    done = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "weights"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 24_000  # KiB; the file has 93,750


def test_a_private_memory_map_keeps_what_was_written(tmp_path: Path):
    np.zeros(5000).tofile(tmp_path / "weights")
    mapped = np.memmap(tmp_path / "weights", np.float64, "c")
    mapped[4321] = 100.0
    assert dsir.sample(mapped, 1).tolist() == [4321]
    assert mapped[4321] == 100.0
    shared = np.memmap(tmp_path / "weights", np.float64, "r+")
    shared[1234] = 100.0
    assert dsir.sample(shared, 1).tolist() == [1234]
    assert shared[1234] == 100.0
    del shared
    assert np.fromfile(tmp_path / "weights")[1234] == 100.0


def test_number_types():
    assert dsir.sample([3, 2, 1], 1, method="top-k").tolist() == [0]
    assert dsir.sample(np.array([1, 5], np.uint8), 1, method="top-k").tolist() == [1]
    single = np.array([0.1, 0.2, 0.3], np.float32)
    assert dsir.sample(single, 2, method="top-k").tolist() == [1, 2]


@pytest.mark.parametrize(
    ("weights", "n", "keywords", "kind", "message"),
    [
        ([0.0, math.nan], 1, {}, dsir.SettingError, "nan at position 1"),
        ([math.inf, 0.0], 1, {}, dsir.SettingError, "inf at position 0"),
        ([[0.0, 1.0]], 1, {}, dsir.SettingError, "flat array"),
        (["a"], 1, {}, dsir.SettingError, "numbers"),
        ([0.0], 0, {}, dsir.SettingError, "n=0"),
        ([0.0], 1.5, {}, dsir.SettingError, r"n=1\.5"),
        ([0.0], True, {}, dsir.SettingError, "n=True"),
        ([0.0], 1, {"seed": -1}, dsir.SettingError, "seed=-1"),
        ([0.0], 1, {"seed": 1.0}, dsir.SettingError, "seed=1"),
        ([0.0], 1, {"temperature": math.nan}, dsir.SettingError, "temperature=nan"),
        ([0.0], 1, {"method": "sort"}, dsir.SettingError, "'sort'"),
        ([0.0], 2, {}, dsir.BudgetError, "only 1 documents"),
        ([], 1, {}, dsir.BudgetError, "only 0 documents"),
        ([-math.inf], 1, {}, dsir.BudgetError, "only 0 documents"),
    ],
)
def test_wrong_calls(weights, n, keywords, kind, message):
    with pytest.raises(kind, match=message):
        dsir.sample(weights, n, **keywords)


def test_inclusion_frequencies():
    """Against the exact probabilities of drawing two of five one after the other."""
    weights = np.array([0.05, 0.1, 0.15, 0.3, 0.4])
    pairs = list(itertools.combinations(range(5), 2))
    probability = {
        (i, j): weights[i] * weights[j] / (1 - weights[i])
        + weights[j] * weights[i] / (1 - weights[j])
        for i, j in pairs
    }
    assert sum(probability.values()) == pytest.approx(1)
    draws = 4_000
    found = dict.fromkeys(pairs, 0)
    for seed in range(draws):
        found[tuple(dsir.sample(np.log(weights), 2, seed=seed).tolist())] += 1
    chi_square = sum(
        (found[pair] - draws * probability[pair]) ** 2 / (draws * probability[pair])
        for pair in pairs
    )
    assert chi_square < 27.88  # The 99.9th percentile for 9 degrees of freedom.


def test_rows_of_one_seed_are_independent():
    """One seed over many pairs of rows: as good as many seeds."""
    draws = 20_000
    noise = dsir._core.keys(dsir._core.KeySettings(seed=1), np.zeros(2 * draws), 0)
    first = noise[::2] + math.log(3) > noise[1::2]
    # Binomial with p = 3/4: within four standard deviations.
    assert abs(first.mean() - 0.75) < 4 * math.sqrt(0.75 * 0.25 / draws)
