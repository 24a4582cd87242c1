"""The selection in bounded memory against sorting everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir import _core


def search(
    keys: _core.KeySettings,
    log_weight: np.ndarray,
    budget: int,
    *,
    cost: np.ndarray | None = None,
    eligible: np.ndarray | None = None,
    cuts: tuple[int, ...] = (),
    first_row: int = 0,
    capacity: int = 1 << 20,
    threads: int = 1,
) -> tuple[_core.ThresholdSearch, list[int]]:
    """Run the search over the population cut into runs; the search and the positions selected."""
    if eligible is None:
        eligible = np.ones(len(log_weight), dtype=np.uint8)
    ends = [*sorted(cuts), len(log_weight)]
    runs = list(zip([0, *ends[:-1]], ends, strict=True))
    found = _core.ThresholdSearch(keys, budget, capacity=capacity)
    while not found.done:
        for begin, end in runs[:: 1 if found.passes % 2 else -1]:
            part = None if cost is None else cost[begin:end]
            found.add(
                log_weight[begin:end],
                eligible[begin:end],
                first_row + begin,
                cost=part,
                threads=threads,
            )
        found.end_pass()
        assert found.passes <= 9
    positions = [
        begin + position
        for begin, end in runs
        for position in _core.selected_positions(
            keys, found.threshold, log_weight[begin:end], eligible[begin:end], first_row + begin
        ).tolist()
    ]
    return found, positions


def select_by_sorting(
    keys: np.ndarray, budget: int, cost: np.ndarray, eligible: np.ndarray
) -> tuple[list[int], int, int]:
    """Positions, their cost, and the cost of the best one left out."""
    order = [i for i in np.argsort(-keys, kind="stable").tolist() if eligible[i]]
    taken: list[int] = []
    spent = 0
    for i in order:
        if spent + int(cost[i]) > budget:
            return sorted(taken), spent, int(cost[i])
        taken.append(i)
        spent += int(cost[i])
    return sorted(taken), spent, 0


@st.composite
def populations(draw: st.DrawFn) -> dict[str, object]:
    size = draw(st.integers(0, 25))
    weights = st.one_of(st.sampled_from([-1.0, -0.0, 0.0, 2.5]), st.floats(-1e9, 1e9))
    return {
        "log_weight": np.array(draw(st.lists(weights, min_size=size, max_size=size)), np.float64),
        "eligible": np.array(
            draw(st.lists(st.integers(0, 1), min_size=size, max_size=size)), np.uint8
        ),
        "cost": np.array(
            draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)), np.uint32
        ),
        "cuts": tuple(draw(st.lists(st.integers(0, size), max_size=3))),
        "first_row": draw(st.one_of(st.just(0), st.integers(0, 1 << 62))),
    }


@settings(max_examples=200)
@given(
    populations(),
    st.integers(0, 120),
    st.sampled_from([1, 2, 7, 1 << 20]),
    st.booleans(),
    st.booleans(),
)
def test_search_equals_sorting(population, budget, capacity, noise, with_cost):
    keys = _core.KeySettings(seed=8, temperature=2.0, noise=noise)
    log_weight = population["log_weight"]
    cost = population["cost"] if with_cost else np.ones(len(log_weight), np.uint32)
    expected, spent, left_out = select_by_sorting(
        _core.keys(keys, log_weight, population["first_row"]), budget, cost, population["eligible"]
    )
    arguments = population | {"cost": cost if with_cost else None}
    found, positions = search(keys, budget=budget, capacity=capacity, **arguments)
    assert positions == expected
    assert (found.selected, found.cost, found.next_cost) == (len(expected), spent, left_out)


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("capacity", [1, 1000, 1 << 20])
def test_large_population(capacity, threads):
    size = 200_000
    keys = _core.KeySettings(seed=1, target=3)
    log_weight = np.random.default_rng(2).normal(scale=30, size=size)
    order = np.argsort(-_core.keys(keys, log_weight, 0), kind="stable")
    for budget in (0, 1, 12_345, size - 1, size, size + 1):
        found, positions = search(
            keys, log_weight, budget, capacity=capacity, threads=threads, cuts=(70_000,)
        )
        assert positions == np.sort(order[:budget]).tolist()
        assert found.passes <= (1 if capacity > size else 4)


def test_equal_keys_are_taken_by_row():
    keys = _core.KeySettings(seed=0, noise=False)
    for capacity in (1, 3, 100):
        for budget in range(12):
            found, positions = search(keys, np.zeros(10), budget, capacity=capacity, cuts=(3, 7))
            assert positions == list(range(min(budget, 10)))
            assert found.next_cost == (1 if budget < 10 else 0)


def test_token_budget_stops_at_the_first_that_does_not_fit():
    keys = _core.KeySettings(seed=0, noise=False)
    log_weight = np.array([3.0, 2.0, 1.0])
    cost = np.array([5, 10, 1], dtype=np.uint32)
    found, positions = search(keys, log_weight, 6, cost=cost)
    assert positions == [0]  # and not the third, which would fit
    assert (found.cost, found.next_cost) == (5, 10)


def test_rank():
    rank = _core.Rank(5, 7)
    assert (rank.key, rank.not_row) == (5, 7)
    everything = _core.selected_positions(
        _core.KeySettings(seed=0), _core.Rank(0, 0), np.zeros(3), np.array([1, 0, 1], np.uint8), 0
    )
    assert everything.tolist() == [0, 2]


def test_without_eligible_those_above_minus_infinity_are():
    keys = _core.KeySettings(seed=3)
    log_weight = np.array([0.0, -np.inf, -1e300, 3.0, -np.inf])
    found = _core.ThresholdSearch(keys, 4)
    found.add(log_weight, None, 0)
    found.end_pass()
    assert (found.done, found.selected) == (True, 3)
    assert _core.selected_positions(keys, found.threshold, log_weight, None, 0).tolist() == [
        0,
        2,
        3,
    ]


@pytest.mark.parametrize("threads", [1, 3])
def test_rising_bar_lets_through_what_is_selected(threads):
    keys = _core.KeySettings(seed=6)
    log_weight = np.random.default_rng(6).normal(scale=3, size=300_000)
    _, positions = search(keys, log_weight, 1000, threads=threads)
    bar = _core.RisingBar(keys, 1000)
    passed: list[int] = []
    for begin in range(0, len(log_weight), 20_000):
        part = np.ascontiguousarray(log_weight[begin : begin + 20_000])
        passed += (begin + bar.add(part, None, begin)).tolist()
    assert set(positions) <= set(passed)
    # k (1 + ln(N / k)) is 6,700; the first run comes in whole.
    assert len(passed) < 28_000


def test_arguments_are_checked():
    keys = _core.KeySettings(seed=0)
    weights, eligible = np.zeros(3), np.ones(3, dtype=np.uint8)
    with pytest.raises(ValueError, match="capacity must be at least 1"):
        _core.ThresholdSearch(keys, 1, capacity=0)
    with pytest.raises(TypeError):
        _core.ThresholdSearch(keys, -1)
    found = _core.ThresholdSearch(keys, 1)
    with pytest.raises(ValueError, match="one-dimensional and of equal length"):
        found.add(weights, eligible[:2], 0)
    with pytest.raises(ValueError, match="cost must be as long"):
        found.add(weights, eligible, 0, cost=np.ones(2, dtype=np.uint32))
    with pytest.raises(ValueError, match="threads must be at least 1"):
        found.add(weights, eligible, 0, threads=0)
    for wrong in (weights.astype(np.float32), np.zeros(6)[::2]):
        with pytest.raises(TypeError):
            found.add(wrong, eligible, 0)
    with pytest.raises(TypeError):
        found.add(weights, eligible.astype(bool), 0)
    with pytest.raises(TypeError):
        found.add(weights, eligible, 0, cost=np.ones(3, dtype=np.int64))


def test_rising_bars_take_in_what_others_have_seen():
    keys = _core.KeySettings(seed=6)
    weights = np.random.default_rng(6).normal(scale=3, size=40_000)
    halves = np.ascontiguousarray(weights[:20_000]), np.ascontiguousarray(weights[20_000:])
    one, first, second = (_core.RisingBar(keys, 1000) for _ in range(3))
    one.add(halves[0], None, 0)
    one.add(halves[1], None, 20_000)
    first.add(halves[0], None, 0)
    second.add(halves[1], None, 20_000)
    of_second = second.seen()
    second.add_seen(*first.seen())
    # The bar has risen, and what is told of its own documents is as much as before above it.
    start, costs = second.seen()
    assert start > of_second[0]
    assert np.array_equal(costs, of_second[1][start - of_second[0] :])
    # Both know of all documents now.
    both, of_one = second.add(weights, None, 0), one.add(weights, None, 0)
    assert np.array_equal(both, of_one)


def test_a_rising_bar_refuses_bins_that_it_does_not_have():
    bar = _core.RisingBar(_core.KeySettings(seed=0), 10)
    bar.add_seen(0, np.zeros(0, np.uint64))
    bar.add_seen(1 << 20, np.zeros(0, np.uint64))
    for first, costs in ((1 << 20, [1]), ((1 << 20) + 1, []), ((1 << 64) - 1, [1, 1])):
        with pytest.raises(ValueError, match="fewer bins"):
            bar.add_seen(first, np.array(costs, np.uint64))
    assert bar.seen()[1].tolist() == []
    bar.add_seen(0, np.full(1 << 20, (1 << 64) - 1, np.uint64))
    with pytest.raises(TypeError):
        bar.add_seen(0, np.zeros(1))
