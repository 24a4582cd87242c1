"""How often small populations are drawn, against the exact probabilities of successive sampling.

Successive sampling: one after the other, without replacement, each in proportion to its weight
among those that are left. Gumbel top-k is that, exactly; ours and the reference's are held to it by
chi-square over all sets that can be drawn, and each row's frequency by its standard deviation.
"""

from __future__ import annotations

import functools
import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import dsir
from dsir import _core

DRAWS = 100_000

# Weights and how many are drawn.
POPULATIONS = {
    "one of three": ((1, 2, 5), 1),
    "two of five": ((1, 2, 3, 6, 8), 2),
    "equal": ((1, 1, 1, 1, 1, 1), 3),
    "three of six": ((100, 50, 20, 10, 5, 2), 3),
    "all but one": ((1, 1, 2, 3, 10, 30), 5),
    "one heavy": ((1000, 1, 1, 1, 1), 2),
}


def set_probabilities(weights: tuple[int, ...], n: int) -> dict[tuple[int, ...], float]:
    """The probability of every set of n rows: over which of them was drawn last."""
    total = Fraction(sum(weights))

    @functools.cache
    def probability(rows: frozenset[int]) -> Fraction:
        if not rows:
            return Fraction(1)
        return sum(
            (
                probability(before) * weights[last] / (total - sum(weights[i] for i in before))
                for last in rows
                for before in [rows - {last}]
            ),
            Fraction(0),
        )

    sets = list(itertools.combinations(range(len(weights)), n))
    exact = [probability(frozenset(rows)) for rows in sets]
    assert sum(exact) == 1
    return dict(zip(sets, map(float, exact), strict=True))


def test_the_probabilities_by_enumeration():
    """Over the orders of drawing, one by one."""
    weights, n = POPULATIONS["three of six"]
    found = dict.fromkeys(itertools.combinations(range(6), n), Fraction(0))
    for order in itertools.permutations(range(6), n):
        probability, left = Fraction(1), Fraction(sum(weights))
        for row in order:
            probability *= weights[row] / left
            left -= weights[row]
        found[tuple(sorted(order))] += probability
    expected = set_probabilities(weights, n)
    assert {rows: float(p) for rows, p in found.items()} == pytest.approx(expected, rel=1e-14)


def critical(degrees: int) -> float:
    """What chi-square exceeds one time in 1,000 (Wilson & Hilferty 1931; off by below 1 %)."""
    spread = 2 / (9 * degrees)
    return degrees * (1 - spread + 3.0902 * math.sqrt(spread)) ** 3


def chi_square(
    taken: np.ndarray, weights: tuple[int, ...], n: int
) -> tuple[float, int, np.ndarray]:
    """The statistic over sets, its degrees of freedom, and the z of every row's frequency.

    Args:
        taken: int[draws, n], rows.
        weights: of the rows.
        n: how many are drawn.
    """
    draws = len(taken)
    expected = set_probabilities(weights, n)
    code = (1 << taken).sum(axis=1)
    observed = np.bincount(code, minlength=1 << len(weights))
    assert observed.sum() == draws
    cells: list[tuple[int, float]] = []
    rare = [0, 0.0]
    for rows, probability in expected.items():
        count = int(observed[sum(1 << row for row in rows)])
        if draws * probability < 10:
            rare[0] += count
            rare[1] += draws * probability
        else:
            cells.append((count, draws * probability))
    if rare[1] >= 10:
        cells.append((rare[0], rare[1]))
    statistic = sum((count - mean) ** 2 / mean for count, mean in cells)
    inclusion = np.array(
        [sum(p for rows, p in expected.items() if i in rows) for i in range(len(weights))]
    )
    frequency = np.array([(taken == i).sum() for i in range(len(weights))]) / draws
    deviation = np.sqrt(np.maximum(inclusion * (1 - inclusion), 1e-300) / draws)
    return statistic, len(cells) - 1, (frequency - inclusion) / deviation


def check(taken: np.ndarray, weights: tuple[int, ...], n: int) -> None:
    statistic, degrees, z = chi_square(taken, weights, n)
    assert degrees >= 1
    assert statistic < critical(degrees)
    assert np.abs(z).max() < 4


def top(keys: np.ndarray, n: int) -> np.ndarray:
    """The n greatest of each line."""
    return np.argpartition(-keys, n - 1, axis=1)[:, :n]


@pytest.mark.parametrize("name", POPULATIONS)
def test_row_ranges_under_one_seed(name):
    """100,000 populations, one after the other in the rows of one seed."""
    weights, n = POPULATIONS[name]
    log_weight = np.tile(np.log(weights), DRAWS)
    keys = _core.keys(_core.KeySettings(seed=11), log_weight, 0).reshape(DRAWS, -1)
    check(top(keys, n), weights, n)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_is_a_power_of_the_weights(temperature):
    """w^(1/T): squares at 1/2, and roots at 2."""
    roots = (1, 2, 3, 4)
    powers = tuple(w * w for w in roots)
    log_weight = np.log(roots if temperature == 0.5 else [w**4 for w in roots])
    settings = _core.KeySettings(seed=12, temperature=temperature)
    keys = _core.keys(settings, np.tile(log_weight, DRAWS), 0).reshape(DRAWS, -1)
    check(top(keys, 2), powers, 2)


def test_sample_over_seeds():
    """One population under 100,000 seeds: by keys, and dsir.sample itself on every twentieth."""
    weights, n = POPULATIONS["two of five"]
    log_weight = np.log(weights)
    keys = np.array(
        [_core.keys(_core.KeySettings(seed=seed), log_weight, 0) for seed in range(DRAWS)]
    )
    taken = np.sort(top(keys, n), axis=1)
    check(taken, weights, n)
    for seed in range(0, DRAWS, 20):
        assert dsir.sample(log_weight, n, seed=seed).tolist() == taken[seed].tolist()


def reference_draws(
    draws: int, weights: tuple[int, ...], n: int, state: np.random.RandomState
) -> np.ndarray:
    """The reference's sampler, its three lines, on many populations at a time."""
    noised = np.log(weights) + state.gumbel(size=(draws, len(weights)))
    return np.argpartition(-noised, n, axis=1)[:, :n]


def test_those_are_the_reference_s_draws(functions, tmp_path, monkeypatch, capfd):
    """Its own resample(), call after call, takes the rows that reference_draws() says."""
    del functions
    from data_selection import HashedNgramDSIR
    from joblib import parallel_config

    weights, n = POPULATIONS["three of six"]
    raw = tmp_path / "raw.jsonl"
    raw.write_text("".join(f'{{"text": "{i}"}}\n' for i in range(len(weights))))
    dsir_of_reference = HashedNgramDSIR([str(raw)], [], str(tmp_path / "cache"), num_proc=1)
    np.save(dsir_of_reference.log_importance_weights_dir / "0.npy", np.log(weights))
    np.random.seed(5)  # noqa: NPY002
    found = []
    with parallel_config(backend="threading"):
        for number in range(100):
            out: Path = tmp_path / f"out-{number}"
            dsir_of_reference.resample(str(out), n, cache_dir=str(tmp_path / "work"))
            lines = next(iter(out.rglob("0.jsonl"))).read_text().splitlines()
            found.append([int(line.split('"')[3]) for line in lines])
    expected = reference_draws(100, weights, n, np.random.RandomState(5))
    assert found == np.sort(expected, axis=1).tolist()
    capfd.readouterr()


@pytest.mark.parametrize("name", POPULATIONS)
def test_the_reference_s_sampler(name):
    weights, n = POPULATIONS[name]
    taken = reference_draws(DRAWS, weights, n, np.random.RandomState(13))
    check(taken, weights, n)


def test_another_sampler_is_told_apart():
    """The statistic sees what draws in proportion to the weights without taking order into account.

    Poisson-like draws: sets in proportion to the product of their weights.
    """
    weights, n = POPULATIONS["two of five"]
    sets = list(itertools.combinations(range(5), n))
    share = np.array([math.prod(weights[i] for i in rows) for rows in sets], dtype=float)
    drawn = np.random.default_rng(1).choice(len(sets), DRAWS, p=share / share.sum())
    statistic, degrees, _ = chi_square(np.array(sets)[drawn], weights, n)
    assert statistic > 10 * critical(degrees)
    # And one whose temperature is off by three in a hundred.
    keys = _core.keys(
        _core.KeySettings(seed=11, temperature=1.03), np.tile(np.log(weights), DRAWS), 0
    )
    statistic, degrees, _ = chi_square(top(keys.reshape(DRAWS, -1), n), weights, n)
    assert statistic > critical(degrees)
