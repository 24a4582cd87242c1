"""method="coverage" within quotas: the rounds of its definition, and no value above its cap."""

from __future__ import annotations

import json
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_coverage import Plain

import dsir

FEATURES = dsir.HashedNgrams(buckets=2000)
QUIET = {"method": "coverage", "progress": False}


@pytest.fixture(scope="module")
def plain(world) -> Plain:
    return Plain(FEATURES, world.texts, world.target)


@pytest.fixture(scope="module")
def table(world) -> pa.Table:
    sources = ["aaabbcd"[row % 7] for row in range(len(world.texts))]
    return pa.table({"text": world.texts, "source": sources})


def select(table: pa.Table, target, **given) -> dsir.Selection:
    return dsir.select(table, target, **{"features": FEATURES, "min_tokens": 1, **QUIET, **given})


def sources_of(table: pa.Table, found: dsir.Selection) -> list[str]:
    every = table["source"].to_pylist()
    return [every[row] for row in found.rows.tolist()]


@pytest.mark.parametrize("most", [0.25, 0.3, 0.5, 17])
@pytest.mark.parametrize("budget", [{"n": 60}, {"tokens": 1500}])
def test_rows_are_those_of_the_definition(world, plain, table, most, budget):
    [(unit, amount)] = budget.items()
    if unit == "tokens" and most == 17:
        pytest.skip("a cap in documents beside a budget in tokens has no plain form here")
    cost = np.ones(len(world.texts), np.int64) if unit == "n" else plain.lengths

    def cap(total: int, factor: float) -> int:
        if isinstance(most, int):
            return math.ceil(most * factor)
        return int(Fraction(repr(most)) * total)

    groups = table["source"].to_pylist()
    expected = plain.coverage_within(plain.lengths > 0, cost, amount, groups, cap)
    found = select(table, world.target, max_per={"source": most}, **budget)
    assert found.rows.tolist() == sorted(expected)
    spent = Counter()
    for row in found.rows.tolist():
        spent[groups[row]] += int(cost[row])
    assert max(spent.values()) <= cap(amount, 1.0)


def test_a_quota_that_does_not_bind_changes_nothing(world, table):
    free = select(table, world.target, tokens=1500)
    found = select(table, world.target, tokens=1500, max_per={"source": 1.0})
    assert found.rows.tolist() == free.rows.tolist()


@settings(max_examples=25)
@given(st.integers(1, 40), st.sampled_from([0.3, 0.5, 0.9]), st.integers(0, 3))
def test_a_number_of_documents_is_met(world, table, n, most, seed):
    if int(Fraction(repr(most)) * n) * 4 < n:
        return  # Too few for the four sources.
    found = select(table, world.target, n=n, max_per={"source": most}, seed=seed)
    assert len(found.rows) == n
    counts = Counter(sources_of(table, found))
    assert max(counts.values()) <= int(Fraction(repr(most)) * n)


def test_each_value_has_its_own_budget(world, table):
    found = select(table, world.target, n=12, group_by="source")
    assert Counter(sources_of(table, found)) == dict.fromkeys("abcd", 12)
    assert found.metrics.groups["source"]["values"] == 4


def test_separate_targets_share_the_caps(world, table):
    targets = {"all": list(world.target), "half": list(world.target)[::2]}
    found = select(table, targets, targets="separate", n=40, max_per={"source": 0.3})
    assert len(found.rows) == 40
    assert max(Counter(sources_of(table, found)).values()) <= 12


def test_more_than_the_caps_allow_is_an_error(world, table):
    with pytest.raises(dsir.BudgetError, match="leaves room for at most"):
        select(table, world.target, n=40, max_per={"source": 0.2})


@pytest.mark.parametrize("quota", [{"max_per": {"source": 0.3}}, {"group_by": "source"}])
def test_threads_units_and_the_command_change_no_byte(
    world, table, tmp_path, contents, run_dsir, quota
):
    (tmp_path / "raw").mkdir()
    half = len(table) // 2
    pq.write_table(table[:half], tmp_path / "raw" / "a.parquet", row_group_size=37)
    pq.write_table(table[half:], tmp_path / "raw" / "b.parquet", row_group_size=90)
    target = tmp_path / "target.jsonl"
    target.write_text("".join(json.dumps({"text": text}) + "\n" for text in world.target))
    given = {"n": 20, "min_tokens": 1, **QUIET, **quota}
    for threads in (1, 3):
        dsir.select(tmp_path / "raw", target, out=tmp_path / f"{threads}", threads=threads, **given)
    assert contents(tmp_path / "1") == contents(tmp_path / "3")
    options = ["--group-by", "source"] if "group_by" in quota else ["--max-per", "source=30%"]
    call = [tmp_path / "raw", "-t", target, "--n", "20", "--min-tokens", "1", *options]
    done = run_dsir("select", *call, "--method", "coverage", "-o", "command", "-q", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "command") == contents(tmp_path / "1")
    assert dsir.verify(tmp_path / "1", target=target).stands
    # The rounds cannot be told from the rows alone where a quota held documents back.
    explained = run_dsir("explain", tmp_path / "1", "--row", "0")
    assert explained.returncode == 0, explained.stderr
    assert "round" not in explained.stdout
