"""What the page says is true: compared with plain counting."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.report.gather import selection_facts
from dsir.report.marking import marked
from dsir.report.select_settings import repeat_command


@pytest.fixture(scope="module")
def facts(selected):
    return selection_facts(selected)


@pytest.fixture(scope="module")
def loaded(selected):
    return dsir.load(selected)


def test_shares_are_those_of_the_rows(facts, parquet, loaded):
    raw = Counter(d for path in parquet for d in pq.read_table(path)["domain"].to_pylist())
    chosen = Counter(loaded.to_pandas()["domain"])
    [shares] = [one for one in facts.shares if one.column == "domain"]
    for one in shares.values:
        assert one.selected == pytest.approx(chosen[one.value] / 60)
        assert one.raw == pytest.approx(raw[one.value] / 600)
    [files] = [one for one in facts.shares if one.column == "input file"]
    ends = np.cumsum([0, *(pq.read_metadata(path).num_rows for path in parquet)])
    for number, path in enumerate(parquet):
        [one] = [one for one in files.values if one.value == path.name]
        inside = (loaded.rows >= ends[number]) & (loaded.rows < ends[number + 1])
        assert one.selected == pytest.approx(inside.mean())


def test_medians_and_shares_of_distributions(facts, world, loaded):
    weights = loaded.model.score(dsir.texts([text or "" for text in world.texts]))
    tokens = np.array([len(loaded.model.features.tokens(text or "")) for text in world.texts])
    assert facts.weights.medians["raw"] == pytest.approx(np.median(weights[tokens > 0]))
    assert facts.weights.medians["selected"] == pytest.approx(np.median(loaded.log_weights))
    assert facts.lengths.medians["raw"] == np.median(tokens[tokens > 0])
    assert facts.lengths.medians["selected"] == np.median(tokens[loaded.rows])
    for histogram in (facts.weights, facts.lengths):
        for shares in histogram.shares.values():
            assert shares.sum() == pytest.approx(1)


def test_coverage_is_counted(facts, world, loaded):
    model = loaded.model
    texts = [world.texts[row] or "" for row in loaded.rows]
    there = {bucket for text in texts for _, bucket in model.features.ngrams(text)}
    wanted = [bucket for text in world.target for _, bucket in model.features.ngrams(text)]
    [found] = facts.coverage
    assert found.selected == pytest.approx(sum(one in there for one in wanted) / len(wanted))
    assert found.selected <= found.raw
    names = {name for text in world.target for name, _ in model.features.ngrams(text)}
    assert {name for name, _ in found.missing} <= names


def test_the_kl_reduction_has_an_interval_around_it(facts, loaded):
    [found] = facts.closeness
    assert found.value == loaded.metrics.kl_reduction
    assert found.by_chance == loaded.metrics.random_kl_reduction
    assert found.low < found.value < found.high


def test_models_with_many_buckets_have_an_interval_of_fewer_replicates(select_to, tmp_path):
    facts = selection_facts(select_to(tmp_path / "out", method="coverage"), quick=True)
    [found] = facts.closeness
    assert found.low < found.value < found.high


def test_samples_are_the_extremes_and_what_was_nearly_selected(facts, world, loaded):
    by_group = {
        group: [one for one in facts.samples if one.group == group]
        for group in ("highest", "middle", "lowest", "near miss")
    }
    assert [len(found) for found in by_group.values()] == [5, 5, 5, 5]
    ordered = sorted(loaded.log_weights, reverse=True)
    assert [one.log_weight for one in by_group["highest"]] == ordered[:5]
    assert [one.log_weight for one in by_group["lowest"]] == ordered[-5:]
    middle = [one.log_weight for one in by_group["middle"]]
    assert min(middle) <= np.median(loaded.log_weights) <= max(middle)
    left_out = np.setdiff1d(np.arange(600), loaded.rows)
    texts = [world.texts[row] or "" for row in left_out]
    weights = loaded.model.score(dsir.texts(texts))
    tokens = np.array([len(loaded.model.features.tokens(text)) for text in texts])
    best = np.argsort(-np.where(tokens > 0, weights, -np.inf), kind="stable")[:5]
    near = by_group["near miss"]
    assert [one.log_weight for one in near] == weights[best].tolist()
    assert [one.reason for one in near] == [
        "too short" if tokens[at] < 20 else "not drawn" for at in best
    ]
    for one, at in zip(near, best, strict=True):
        assert texts[at].startswith("".join(piece for piece, _ in one.text.pieces))


def test_contributions_are_those_of_explain(facts, world, loaded):
    [first, *_] = facts.samples
    row = int(loaded.rows[np.argmax(loaded.log_weights)])
    table = loaded.model.explain(world.texts[row]).to_pylist()
    best = max(table, key=lambda entry: entry["contribution"])
    assert first.text.most_for[0].ngram == best["ngram"]
    assert first.text.most_for[0].amount == best["contribution"]
    assert facts.lifting[0].amount >= facts.lifting[-1].amount > 0
    assert facts.lowering[0].amount <= facts.lowering[-1].amount < 0


def test_every_part_of_a_text_is_shown_once(facts):
    for one in facts.samples:
        text = "".join(piece for piece, _ in one.text.pieces)
        assert text
        assert any(amount > 0 for _, amount in one.text.pieces)


def test_tokens_add_up_to_the_log_weight(loaded):
    """Each n-gram is shared out over its tokens, so nothing is lost or counted twice."""
    text = "Ship and sail, the harbour: a STORM!"
    from dsir.report.marking import explained

    found = marked(loaded.model, text, explained(loaded.model, text, None), 700)
    assert "".join(piece for piece, _ in found.pieces) == text
    [weight] = loaded.model.score(dsir.texts([text]))
    assert sum(amount for _, amount in found.pieces) == pytest.approx(weight)


def test_the_page_says_it(page, loaded):
    text = re.sub(r"\s+", " ", page.text())
    assert "60 of 600 documents were selected to resemble target.jsonl" in text
    rows = loaded.metrics.rows
    for number in (rows.eligible, rows.passed_over.too_short, rows.passed_over.not_drawn):
        assert f"{number:,}" in text
    assert "duplicates" in text


@pytest.mark.parametrize("fitted", [False, True])
def test_its_command_makes_the_selection_again(
    fitted, selected, select_to, parquet, target, run_dsir, tmp_path, contents
):
    if fitted:
        model = dsir.fit(parquet, target, smoothing=1.0, progress=False)
        given = {"max_per": {"domain": 0.9}, "filters": {"min_words": 25}, "seed": 3}
        selected = select_to(tmp_path / "fitted", target=None, model=model, **given)
    facts = selection_facts(selected, quick=True)
    words = repeat_command(facts).replace("\\\n", "").split()
    assert words[:2] == ["dsir", "select"]
    words[-1] = str(tmp_path / "again")
    done = run_dsir(*words[1:], "--quiet")
    assert done.returncode == 0, done.stderr
    ours, again = contents(selected), contents(tmp_path / "again")
    same = [name for name in again if not fitted or "selection.json" not in name]
    assert {name: ours[name] for name in same} == {name: again[name] for name in same}
