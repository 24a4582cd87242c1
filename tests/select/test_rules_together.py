"""Everything that decides about rows, in random combinations, against a loop in plain Python.

Budgets as numbers and shares, quotas of several columns, budgets by value, copies, filters,
windows, separate targets and `allow_fewer`. A budget that cannot be met has to be an error in both.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir import _core

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")

WORDS = [
    "ship",
    "sail",
    "tide",
    "court",
    "judge",
    "clause",
    "the",
    "a",
    "of",
    "and",
    "1",
    "22",
    ",",
]
TARGETS = {
    "sea": ["ship sail anchor tide and the sail of it"] * 5,
    "law": ["court judge the statute , a clause for it"] * 3,
}
COLUMNS = {"source": ["a", "b", "c", None], "year": [1, 2, None], "flag": [True, False]}
QUOTAS = st.dictionaries(
    st.sampled_from([*COLUMNS]), st.sampled_from([0.1, 0.29, 0.5, 1.0, 1, 3, 8]), max_size=3
)
BUDGETS = st.one_of(
    st.fixed_dictionaries({"n": st.sampled_from([1, 5, 10, 30])}),
    st.fixed_dictionaries({"fraction": st.sampled_from([0.05, 0.29, 1.0])}),
    st.fixed_dictionaries({"tokens": st.sampled_from([5, 60, 300, "20%"])}),
    st.fixed_dictionaries({"bytes": st.sampled_from([40, 300, 1500, "30%"])}),
)


@dataclass
class Row:
    """A row of the corpus: a document or a window."""

    tokens: list[str]
    text: str
    values: dict[str, object]


def tokens_of(text: str | None) -> list[tuple[str, int, int]]:
    return [(m[0].lower(), *m.span()) for m in re.finditer(r"\w+|[^\w\s]+", text or "")]


def rows_of(table: pa.Table, window: int | None) -> list[Row]:
    rows = []
    for record in table.to_pylist():
        text, values = record.pop("text"), record
        tokens = tokens_of(text)
        step = window or max(1, len(tokens))
        for at in range(0, max(1, len(tokens)), step):
            cut = tokens[at : at + step]
            piece = (text or "")[cut[0][1] : cut[-1][2]] if cut and window else text or ""
            rows.append(Row([token for token, _, _ in cut], piece, values))
    return rows


def eligible_rows(rows: list[Row], how: dict[str, Any]) -> list[int]:
    found: list[int] = []
    seen: set[object] = set()
    for number, row in enumerate(rows):
        size = len(row.tokens)
        numbers = sum(token.isdigit() for token in row.tokens)
        limits = how.get("filters") or {}
        if size < max(1, how["min_tokens"]) or size < limits.get("min_words", 0):
            continue
        if numbers / size > limits.get("max_numeric", 1):
            continue
        # Copies differ in white space and case alone, so that near duplicates are certain ones.
        copy = {"none": number, "exact": row.text, "near": tuple(row.tokens)}[how["dedup"]]
        if copy not in seen:
            found.append(number)
        seen.add(copy)
    return found


def share_of(most: float | str, total: int) -> int:
    exact = Fraction(most[:-1]) / 100 if isinstance(most, str) else Fraction(str(most))
    return int(exact * total)


def expected(
    rows: list[Row], weights: np.ndarray, shares: list[float], how: dict[str, Any]
) -> dict[int, int] | None:
    """Return the target that takes each selected row; None if the budget cannot be met."""
    [(kind, amount)] = how["budget"].items()
    unit = "documents" if kind in ("n", "fraction") else kind
    sizes = {
        "documents": [1] * len(rows),
        "tokens": [len(row.tokens) for row in rows],
        "bytes": [len(row.text) for row in rows],
    }[unit]
    eligible = eligible_rows(rows, how)
    most, by = how["max_per"], how["group_by"]
    groups = [None if by is None else row.values[by] for row in rows]
    wanted = {}
    for group in dict.fromkeys(groups):
        total = sum(size for size, one in zip(sizes, groups, strict=True) if one == group)
        there = sum(sizes[row] for row in eligible if groups[row] == group)
        asked = amount if isinstance(amount, int) else share_of(amount, total)
        if asked > there and not how["allow_fewer"]:
            return None
        wanted[group] = min(asked, there)
    budget = sum(wanted.values())
    while budget:
        room = budget
        for column, limit in most.items():
            if isinstance(limit, float) or unit == "documents":
                cap = limit if isinstance(limit, int) else share_of(limit, budget)
                held: Counter[object] = Counter()
                for row in eligible:
                    held[rows[row].values[column]] += sizes[row]
                room = min(room, sum(min(cap, size) for size in held.values()))
        if room == budget or (room and by is not None and how["allow_fewer"]):
            break
        if not how["allow_fewer"]:
            return None
        budget = room
    if not budget:
        return None
    if by is None:
        wanted = {None: budget}
    caps = {c: one if isinstance(one, int) else share_of(one, budget) for c, one in most.items()}
    used: Counter[object] = Counter()
    taken: dict[int, int] = {}
    rest = dict(wanted)
    for target, share in enumerate(shares):
        last = target + 1 == len(shares)
        left = {g: rest[g] if last else int(size * share) for g, size in wanted.items()}
        rest = {group: size - left[group] for group, size in rest.items()}
        noise = _core.KeySettings(
            seed=how["seed"], target=target, noise=how["method"] == "resample"
        )
        keys = _core.keys(noise, np.ascontiguousarray(weights[target]), 0)
        closed: set[object] = set()
        for row in np.argsort(-keys, kind="stable").tolist():
            if row not in eligible or row in taken:
                continue
            group, size = groups[row], sizes[row]
            values = [(column, rows[row].values[column]) for column in caps]
            counted = [
                value for value in values if isinstance(most[value[0]], int) or unit == "documents"
            ]
            if any(used[value] >= caps[value[0]] for value in counted):
                continue
            own = None if by is None else ("budget", group)
            if own is not None and unit == "documents" and not left[group]:
                continue
            if own in closed or closed.intersection(values):
                continue
            costs = {v: 1 if isinstance(most[v[0]], int) else size for v in values}
            above = {v for v in values if used[v] + costs[v] > caps[v[0]]}
            if own is not None and size > left[group]:
                above.add(own)
            closed |= above
            if above:
                continue
            if size > left[group]:
                break
            taken[row] = target
            left[group] -= size
            used.update(costs)
    met = unit != "documents" or how["allow_fewer"] or len(taken) == budget
    return taken if met and taken else None


def corpus_of(seed: int) -> pa.Table:
    random = Random(seed)
    texts: list[str | None] = []
    for _ in range(random.randint(3, 60)):
        kind = random.random()
        text = " ".join(random.choices(WORDS, k=random.choice([0, 3, 8, 12, 20, 30])))
        if texts and kind < 0.25:
            text = random.choice(texts) or ""
            text = random.choice([text, text.upper(), text.replace(" ", "  ")])
        texts.append(None if kind > 0.97 else text)
    values = {name: [random.choice(some) for _ in texts] for name, some in COLUMNS.items()}
    return pa.table({"text": pa.array(texts, pa.string()), **values})


def are_alike(rows: list[Row]) -> bool:
    """Tell whether different texts share 5-grams, so that chance decides what is a near copy."""
    sets = {tuple(row.tokens) for row in rows}
    grams = [{one[at : at + 5] for at in range(max(1, len(one) - 4))} for one in sets]
    return any(len(a & b) > 0.1 * len(a | b) for a, b in combinations(grams, 2))


@settings(max_examples=100)
@given(
    st.integers(0, 2**32),
    st.fixed_dictionaries(
        {
            "budget": BUDGETS,
            "max_per": QUOTAS,
            "group_by": st.sampled_from([None, None, *COLUMNS]),
            "dedup": st.sampled_from(["none", "exact", "near"]),
            "filters": st.sampled_from([None, None, {"min_words": 10}, {"max_numeric": 0.1}]),
            "method": st.sampled_from(["resample", "top-k"]),
            "min_tokens": st.sampled_from([0, 4, 12]),
            "allow_fewer": st.booleans(),
            "seed": st.sampled_from([0, 2**64 - 1]),
        }
    ),
    st.sampled_from([None, None, 12]),
    st.sampled_from([None, None, (0.3, 0.7), (0.71, 0.29)]),
)
def test_rows_are_those_of_the_rules(seed, how, window, shares):
    table = corpus_of(seed)
    how = {**how, "max_per": {c: m for c, m in how["max_per"].items() if c != how["group_by"]}}
    rows = rows_of(table, window)
    if how["dedup"] == "near" and are_alike(rows):
        how["dedup"] = "exact"
    fitted: dict[str, Any] = {"chunk_tokens": window, "progress": False}
    if shares is not None:
        fitted |= {"targets": "separate", "proportions": dict(zip(TARGETS, shares, strict=True))}
    try:
        model = dsir.fit(table, TARGETS, **fitted)
    except dsir.ModelError:  # A corpus without a word.
        return
    weights = np.atleast_2d(model.score(dsir.texts([row.text for row in rows])).T)
    wanted = expected(rows, weights, [1.0] if shares is None else [*shares], how)
    arguments = {**{k: v for k, v in how.items() if k != "budget"}, **how["budget"]}
    arguments["max_per"] = arguments["max_per"] or None
    if wanted is None:
        with pytest.raises(dsir.BudgetError):
            dsir.select(table, TARGETS, **fitted, **arguments)
        return
    found = dsir.select(table, TARGETS, **fitted, **arguments)
    assert found.rows.tolist() == sorted(wanted)
    if shares is not None:
        assert dict(zip(found.rows.tolist(), found.target.tolist(), strict=True)) == wanted
    assert found.metrics.rows.eligible == len(eligible_rows(rows, how))
