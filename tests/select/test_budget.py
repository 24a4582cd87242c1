"""n, fraction and tokens: how much is selected, and what happens where there is not so much."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir.arguments.values import amount
from dsir.settings.budget import Budget, LeftOut

MEAN: dict[str, Any] = {"min_tokens": 20, "length": "mean", "progress": False}


@pytest.fixture(scope="module")
def model(world, target):
    return dsir.fit(world.texts, target, length="mean", progress=False)


@pytest.fixture(scope="module")
def tokens(world, model):
    return np.array([len(model.features.tokens(text or "")) for text in world.texts])


def by_key(world, model, tokens, seed: int) -> np.ndarray:
    """The eligible rows by descending key."""
    keys = dsir._core.keys(dsir._core.KeySettings(seed=seed), model.score(world.texts), 0)
    order = np.argsort(-keys, kind="stable")
    return order[tokens[order] >= 20]


def test_n_and_fraction_are_prefixes(world, target, model, tokens):
    order = by_key(world, model, tokens, 0)
    for n in (1, 7, len(order)):
        selection = dsir.select(world.texts, target, n=n, **MEAN)
        assert selection.rows.tolist() == sorted(order[:n].tolist())
    selection = dsir.select(world.texts, target, fraction=0.0999, **MEAN)
    assert selection.rows.tolist() == sorted(order[: int(0.0999 * len(world.rows))].tolist())


@pytest.mark.filterwarnings("ignore::dsir.DsirWarning")
@pytest.mark.parametrize("seed", range(12))
def test_tokens_are_a_prefix(world, model, tokens, seed):
    """Documents are taken by descending key until the next would pass the budget."""
    budget = random.Random(seed).randrange(250, 40_000)
    order = by_key(world, model, tokens, seed)
    within = int(np.searchsorted(np.cumsum(tokens[order]), budget, side="right"))
    selection = dsir.select(
        world.texts, world.target, tokens=budget, seed=seed, allow_fewer=True, **MEAN
    )
    assert selection.rows.tolist() == sorted(order[:within].tolist())
    assert selection.metrics["tokens"]["selected"] == tokens[order[:within]].sum() <= budget


def test_tokens_exactly(world, target, model, tokens):
    order = by_key(world, model, tokens, 0)
    exact = int(tokens[order[:9]].sum())
    for budget, n in ((exact, 9), (exact - 1, 8), (exact + 1, 9)):
        assert len(dsir.select(world.texts, target, tokens=budget, **MEAN)) == n


def test_tokens_below_the_first_document(world, target, model, tokens):
    first = int(tokens[by_key(world, model, tokens, 0)[0]])
    with pytest.raises(dsir.BudgetError, match=f"{first:,} tokens of the first document"):
        dsir.select(world.texts, target, tokens=first - 1, **MEAN)
    assert len(dsir.select(world.texts, target, tokens=first, **MEAN)) == 1


def test_more_than_is_eligible(world, target, tokens):
    eligible = int((tokens >= 20).sum())
    total = int(tokens[tokens >= 20].sum())
    cases = [
        ({"n": eligible + 1}, f"{eligible:,} are eligible"),
        ({"fraction": 1.0}, f"{eligible:,} are eligible"),
        ({"tokens": total + 1}, f"{total:,} are eligible"),
    ]
    for budget, message in cases:
        with pytest.raises(dsir.BudgetError, match=message) as caught:
            dsir.select(world.texts, target, **budget, **MEAN)
        assert "allow_fewer=True" in str(caught.value)
        selection = dsir.select(world.texts, target, allow_fewer=True, **budget, **MEAN)
        assert selection.rows.tolist() == np.flatnonzero(tokens >= 20).tolist()
        assert selection.metrics["rows"]["passed_over"]["not_drawn"] == 0
    for budget in ({"n": eligible}, {"tokens": total}):
        assert len(dsir.select(world.texts, target, **budget, **MEAN)) == eligible


def test_a_failed_budget_leaves_no_output(world, parquet, target, tmp_path):
    with pytest.raises(dsir.BudgetError):
        dsir.select(parquet, target, n=10**9, out=tmp_path / "out", **MEAN)
    assert not (tmp_path / "out").exists()


def test_nothing_is_eligible(world, target):
    keywords = {**MEAN, "min_tokens": 10**6}
    for allow_fewer in (False, True):
        with pytest.raises(dsir.BudgetError, match=r"none of the 600 rows.*min_tokens"):
            dsir.select(world.texts, target, n=1, allow_fewer=allow_fewer, **keywords)


def test_a_fraction_of_less_than_a_document(world, target):
    with pytest.raises(dsir.BudgetError, match="less than one document"):
        dsir.select(world.texts, target, fraction=0.001, **MEAN)


def test_min_tokens_zero_selects_nothing_empty(world, target, tokens):
    keywords = {**MEAN, "min_tokens": 0}
    selection = dsir.select(world.texts, target, n=10**6, allow_fewer=True, **keywords)
    assert selection.rows.tolist() == np.flatnonzero(tokens > 0).tolist()
    assert selection.metrics["rows"]["passed_over"]["too_short"] == 0


@given(
    rows=st.integers(0, 10**12),
    short=st.integers(0, 10**6),
    fraction=st.floats(0, 1, exclude_min=True),
)
def test_fractions_are_of_the_rows_read(rows, short, fraction):
    eligible = max(0, rows - short)
    wanted = int(Fraction(repr(fraction)) * rows)

    def resolve(allow_fewer: bool) -> int:
        return Budget(fraction=fraction).resolve(
            rows=rows,
            total=rows,
            eligible=eligible,
            available=eligible,
            left_out=LeftOut(),
            min_tokens=1,
            allow_fewer=allow_fewer,
        )

    if 0 < wanted <= eligible:
        assert resolve(False) == resolve(True) == wanted
    else:
        with pytest.raises(dsir.BudgetError):
            resolve(False)
        if wanted and eligible:
            assert resolve(True) == eligible


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        ("1", 1),
        ("256MB", 256_000_000),
        (" 1.5 gb ", 1_500_000_000),
        ("2k", 2000),
        ("3 TB", 3 * 10**12),
        ("10B", 10),
        ("1e6", 1_000_000),
    ],
)
def test_byte_sizes(value, expected):
    assert amount("shard_size", value, 1, sizes=True) == expected


@pytest.mark.parametrize("value", ["", "MB", "-1MB", "0", 0, -5, 1.5, True, "1 PB", "1e99", None])
def test_wrong_byte_sizes(value):
    with pytest.raises(dsir.SettingError, match="shard_size="):
        amount("shard_size", value, 1, sizes=True)


@pytest.mark.parametrize("quotas", [{}, {"max_per": {"lang": 0.5}}])
def test_the_filters_that_refuse_every_row_are_named(tmp_path, quotas):
    texts = ["a ship"] * 2 + ["word " * 30] * 3 + ["one two three four five six seven"] * 4 + [""]
    raw = tmp_path / "raw.jsonl"
    rows = [{"text": text, "lang": str(row % 2)} for row, text in enumerate(texts)]
    raw.write_text("".join(json.dumps(row) + "\n" for row in rows))
    target = ["the ship sails out to the open sea"] * 4
    call = {"n": 2, "min_tokens": 5, "progress": False, **quotas}
    filters = {"min_words": 20, "max_repeated": 0.5}
    with pytest.raises(dsir.BudgetError) as caught:
        dsir.select(raw, target, filters=filters, **call)
    said = str(caught.value)
    assert said.startswith("none of the 10 rows can be selected: ")
    assert "4 fail the filter min_words, 3 fail the filter max_repeated, " in said
    assert "2 are too short (min_tokens=5), 1 are empty or cannot be read" in said
    with pytest.raises(dsir.BudgetError, match="none has 50 tokens or more; lower min_tokens"):
        dsir.select(raw, target, filters=filters, **{**call, "min_tokens": 50})
