"""Which round of a coverage selection took a document, and which n-grams paid."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.report.explaining import explain_rows
from dsir.report.folder import open_selection

sys.path.insert(0, str(Path(__file__).parents[1] / "select"))

from plain_coverage import Plain

FEATURES = dsir.HashedNgrams(buckets=2000)
GIVEN = {"method": "coverage", "features": FEATURES, "min_tokens": 20, "progress": False}


@pytest.fixture(scope="module")
def plain(world):
    return Plain(FEATURES, world.texts, world.target)


def round_of_rows(out, rows):
    """The round of each row of the selection in a folder."""
    return [one.paid.turn for one in explain_rows(open_selection(out), range(rows))]


@pytest.mark.parametrize("budget", [{"n": 50}, {"n": 3}, {"tokens": 4000}, {"bytes": 30_000}])
@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_rounds_are_those_that_took_the_rows(budget, form, request, world, plain, target, tmp_path):
    raw = request.getfixturevalue(form)
    out = tmp_path / "out"
    found = dsir.select(raw, target, out=out, shard_size="20kB", **budget, **GIVEN)
    [account] = found.metrics.coverage
    sizes = [one["documents"] for one in account["taken"]]
    assert (len(sizes), sum(sizes)) == (10, len(found))
    cost = np.ones(len(world.texts), dtype=np.int64)
    if "tokens" in budget:
        cost = plain.lengths
    if "bytes" in budget:
        cost = np.array([len((text or "").encode()) for text in world.texts])
    [amount] = budget.values()
    order = plain.coverage(plain.lengths >= 20, cost, amount)
    turns = np.repeat(np.arange(1, 11), sizes)
    expected = dict(zip(order, turns.tolist(), strict=True))
    assert round_of_rows(out, len(found)) == [expected[row] for row in found.rows.tolist()]
    spent = [int(cost[order[end - size : end]].sum())
             for size, end in zip(sizes, np.cumsum(sizes), strict=True)]  # fmt: skip
    assert [one["cost"] for one in account["taken"]] == spent


def test_gains_are_those_of_the_round(parquet, target, tmp_path):
    out = tmp_path / "out"
    found = dsir.select(parquet, target, n=40, out=out, **GIVEN)
    explained = explain_rows(open_selection(out), range(40))
    texts = pq.read_table(out / "data")["text"].to_pylist()
    [account] = found.metrics.coverage
    weight = 40 * account["pool_tokens"] / account["pool_cost"]
    for number in (0, 7, 39):
        paid = explained[number].paid
        before = [texts[i] for i, one in enumerate(explained) if one.paid.turn < paid.turn]
        counts = FEATURES.counts(before)
        lacking = weight * found.model.target_shares(0) / (counts + weight * found.model.raw_shares)
        ngrams = FEATURES.ngrams(texts[number])
        gains = np.minimum(lacking, 10)
        expected = np.mean([gains[bucket] for _, bucket in ngrams])
        assert paid.gain == pytest.approx(expected)
        assert paid.gain == pytest.approx(sum(one["gain"] for one in paid.ngrams))
        assert sum(one["count"] for one in paid.ngrams) == len(ngrams)
        listed = [one["gain"] for one in paid.ngrams]
        assert listed == sorted(listed, reverse=True)


def test_separate_targets_and_windows(world, parquet, tmp_path):
    law = [row["text"] for row in world.rows if row["domain"] == "law" and row["text"]][:40]
    targets = {"sea": world.target, "law": law}
    out = tmp_path / "out"
    found = dsir.select(
        parquet, targets, targets="separate", n=40, chunk_tokens=30, out=out, **GIVEN
    )
    explained = explain_rows(open_selection(out), range(40))
    for name, account in zip(targets, found.metrics.coverage, strict=True):
        turns = [one.paid.turn for one in explained if one.target == name]
        sizes = [one["documents"] for one in account["taken"]]
        assert [turns.count(turn) for turn in range(1, 11)] == sizes


def test_the_command_and_the_page(parquet, target, tmp_path, invoke_dsir):
    out = tmp_path / "out"
    dsir.select(parquet, target, n=20, out=out, **GIVEN)
    done = invoke_dsir("explain", out, "--row", 3, "--json", "--top", 4)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["rows"][0]["coverage"]
    assert sorted(told) == ["gain", "ngrams", "round", "rounds"]
    assert (told["rounds"], len(told["ngrams"])) == (10, 4)
    done = invoke_dsir("explain", out, "--row", 3, "--html", tmp_path / "why.html")
    assert f"Taken in round {told['round']} of 10" in " ".join(done.stdout.split())
    page = (tmp_path / "why.html").read_text()
    assert f"Taken in round {told['round']} of 10" in page
    assert "n-gram that paid" in page
    assert dsir.verify(out).findings == []
    assert dsir.load(out).metrics.coverage[0]["amount"] == 20


def test_other_selections_have_no_rounds(parquet, target, tmp_path, invoke_dsir):
    out = tmp_path / "out"
    found = dsir.select(parquet, target, n=20, method="random", out=out, progress=False)
    assert found.metrics.coverage is None
    done = invoke_dsir("explain", out, "--row", 3, "--json")
    assert "coverage" not in json.loads(done.stdout)["rows"][0]
