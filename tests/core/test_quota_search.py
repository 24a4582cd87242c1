"""Draws with quotas by group, in bounded memory, against a loop over everything sorted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir import _core


def search(
    keys: _core.KeySettings,
    world: dict[str, np.ndarray],
    budget: int,
    quotas: list[tuple[np.ndarray, bool]],
    *,
    with_cost: bool = True,
    capacity: int = 1 << 20,
    cuts: tuple[int, ...] = (),
    first_row: int = 0,
    threads: int = 1,
) -> tuple[_core.QuotaSearch, list[int]]:
    """Run the search over the population cut into runs; the search and the positions selected."""
    log_weight, eligible, groups = world["log_weight"], world["eligible"], world["groups"]
    ends = [*sorted(cuts), len(log_weight)]
    runs = list(zip([0, *ends[:-1]], ends, strict=True))
    found = _core.QuotaSearch(keys, budget, quotas, capacity=capacity)
    while not found.done:
        for begin, end in runs[:: 1 if found.passes % 2 else -1]:
            found.add(
                log_weight[begin:end],
                eligible[begin:end],
                first_row + begin,
                np.ascontiguousarray(groups[:, begin:end]),
                cost=world["cost"][begin:end] if with_cost else None,
                threads=threads,
            )
        found.end_pass()
    positions = np.concatenate(
        [
            begin
            + _core.selected_positions(
                keys, found.threshold, log_weight[begin:end], eligible[begin:end], first_row + begin
            )
            for begin, end in runs
        ]
    )
    for column in range(len(quotas)):
        key, not_row, _, _ = found.outcome(column)
        is_open = _core.open_in(
            keys,
            key,
            not_row,
            log_weight[positions],
            positions + first_row,
            groups[column][positions],
        )
        positions = positions[is_open == 1]
    return found, positions.tolist()


def select_by_sorting(
    keys: np.ndarray,
    world: dict[str, np.ndarray],
    budget: int,
    quotas: list[tuple[np.ndarray, bool]],
    cost: np.ndarray,
) -> tuple[list[int], int]:
    """The positions, and the cost of the document that the budget leaves out first."""
    room = [left.copy().tolist() for left, _ in quotas]
    # A group that is full of documents is closed; one of costs, by the first that is too much.
    closed = {
        (column, group)
        for column, (left, in_rows) in enumerate(quotas)
        for group in np.flatnonzero(left == 0).tolist()
        if in_rows
    }
    taken: list[int] = []
    spent = 0
    for i in np.argsort(-keys, kind="stable").tolist():
        if not world["eligible"][i]:
            continue
        of = [(column, int(world["groups"][column][i])) for column in range(len(quotas))]
        if any(one in closed for one in of):
            continue
        takes = [1 if in_rows else int(cost[i]) for _, in_rows in quotas]
        full = [one for one, take in zip(of, takes, strict=True) if take > room[one[0]][one[1]]]
        if full:
            closed.update(full)
            continue
        if spent + int(cost[i]) > budget:
            return sorted(taken), int(cost[i])
        taken.append(i)
        spent += int(cost[i])
        for (column, group), take in zip(of, takes, strict=True):
            room[column][group] -= take
            if quotas[column][1] and not room[column][group]:
                closed.add((column, group))
    return sorted(taken), 0


@st.composite
def populations(draw: st.DrawFn) -> dict[str, object]:
    size = draw(st.integers(0, 30))
    columns = draw(st.integers(1, 3))
    weights = st.one_of(st.sampled_from([-1.0, -0.0, 0.0, 2.5]), st.floats(-1e9, 1e9))

    def array(values: st.SearchStrategy, length: int, dtype: type) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=length, max_size=length)), dtype)

    groups = [array(st.integers(0, 3), size, np.uint32) for _ in range(columns)]
    return {
        "log_weight": array(weights, size, np.float64),
        "eligible": array(st.integers(0, 1), size, np.uint8),
        "cost": array(st.integers(0, 9), size, np.uint32),
        "groups": np.stack(groups),
        "quotas": [
            (array(st.integers(0, 20), 4, np.uint64), draw(st.booleans())) for _ in range(columns)
        ],
        "cuts": tuple(draw(st.lists(st.integers(0, size), max_size=3))),
        "first_row": draw(st.one_of(st.just(0), st.integers(0, 1 << 62))),
    }


@settings(max_examples=300)
@given(
    populations(),
    st.integers(0, 120),
    st.sampled_from([1, 2, 7, 1 << 20]),
    st.booleans(),
    st.booleans(),
)
def test_search_equals_a_loop(population, budget, capacity, noise, with_cost):
    keys = _core.KeySettings(seed=8, temperature=2.0, noise=noise)
    log_weight = population["log_weight"]
    cost = population["cost"] if with_cost else np.ones(len(log_weight), np.uint32)
    by_key = _core.keys(keys, log_weight, population["first_row"])
    expected, left_out = select_by_sorting(by_key, population, budget, population["quotas"], cost)
    found, positions = search(
        keys,
        population,
        budget,
        population["quotas"],
        with_cost=with_cost,
        capacity=capacity,
        cuts=population["cuts"],
        first_row=population["first_row"],
    )
    assert positions == expected
    assert (found.selected, found.cost) == (len(expected), int(cost[expected].sum()))
    assert found.next_cost == left_out
    for column, (room, in_rows) in enumerate(population["quotas"]):
        codes = population["groups"][column][expected]
        _, _, taken, left = found.outcome(column)
        weights = np.ones(len(expected)) if in_rows else cost[expected]
        assert taken.tolist() == np.bincount(codes, minlength=4).tolist()
        assert (room - left).tolist() == np.bincount(codes, weights, 4).tolist()


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("capacity", [1000, 1 << 20])
def test_large_population(capacity, threads):
    size, groups = 150_000, 5000
    keys = _core.KeySettings(seed=1, target=3)
    rng = np.random.default_rng(2)
    world = {
        "log_weight": rng.normal(scale=30, size=size),
        "eligible": (rng.random(size) < 0.9).astype(np.uint8),
        "groups": (rng.zipf(1.3, (1, size)) % groups).astype(np.uint32),
        "cost": rng.integers(1, 500, size).astype(np.uint32),
    }
    by_key = _core.keys(keys, world["log_weight"], 0)
    for budget, most, in_rows in ((3_000, 5, True), (20_000, 900, False), (10**9, 4, True)):
        quotas = [(np.full(groups, most, np.uint64), in_rows)]
        expected, _ = select_by_sorting(by_key, world, budget, quotas, world["cost"])
        found, positions = search(
            keys, world, budget, quotas, capacity=capacity, threads=threads, cuts=(70_000,)
        )
        assert positions == expected
        # What is collected and not taken is in a group that it closes, or a later one of it.
        assert found.passes <= 2 + 4 * (len(expected) + groups) // capacity


def test_wrong_arguments():
    keys = _core.KeySettings(seed=0)
    room = np.ones(2, np.uint64)
    one = np.zeros(1)
    for quotas in ([], [(room, True)] * (_core.MOST_QUOTAS + 1)):
        with pytest.raises(ValueError, match="1 to 4 columns"):
            _core.QuotaSearch(keys, 1, quotas)
    found = _core.QuotaSearch(keys, 1, [(room, True)])
    eligible = np.ones(1, np.uint8)
    with pytest.raises(ValueError, match="group is out of range"):
        found.add(one, eligible, 0, np.full((1, 1), 2, np.uint32))
    with pytest.raises(ValueError, match="columns and documents"):
        found.add(one, eligible, 0, np.zeros((2, 1), np.uint32))
    with pytest.raises(ValueError, match="group is out of range"):
        _core.open_in(keys, room, room, one, np.zeros(1, np.int64), np.full(1, 2, np.uint32))
    with pytest.raises(ValueError, match="no such column"):
        found.outcome(1)


@given(
    st.lists(st.integers(0, 40), max_size=60),
    st.integers(1, 5),
    st.sampled_from([1, 7, 1 << 40, (1 << 64) // 41]),
    st.randoms(use_true_random=False),
)
def test_first_seen_equals_a_set(values, parts, spread, random):
    hashes = np.array([value * spread % (1 << 64) for value in values], dtype=np.uint64)
    eligible = np.array([random.random() < 0.8 for _ in values], dtype=np.uint8)
    repeated = np.zeros(len(values), dtype=np.uint8)
    different = 0
    cut = random.randrange(len(values) + 1)
    for part in range(parts):
        seen = _core.FirstSeen(part, parts, 0)
        for rows in (slice(cut), slice(cut, None)):
            seen.add(hashes[rows], eligible[rows], repeated[rows])
        different += seen.size
    known: set[int] = set()
    for value, is_eligible, is_repeated in zip(hashes.tolist(), eligible, repeated, strict=True):
        assert is_repeated == (is_eligible and value in known)
        if is_eligible:
            known.add(value)
    assert different == len(known)


def test_first_seen_grows():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 1 << 63, 20_000, dtype=np.uint64)
    both = np.concatenate([hashes, hashes[::-1]])
    repeated = np.zeros(len(both), np.uint8)
    seen = _core.FirstSeen(0, 1, 10)
    seen.add(both, np.ones(len(both), np.uint8), repeated)
    assert repeated.tolist() == [0] * 20_000 + [1] * 20_000
    with pytest.raises(ValueError, match="below parts"):
        _core.FirstSeen(1, 1, 0)
