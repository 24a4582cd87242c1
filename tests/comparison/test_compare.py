"""dsir.compare: what it measures, and that methods never see what they are measured on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kneser_ney_definition import KneserNey
from topics import corpus, target

import dsir
from dsir import _core
from dsir.comparison import trials
from dsir.comparison.held_out import is_held_out

SHARED = {"min_tokens": 20, "progress": False}
RAW, TOPICS = corpus()
TARGET = target()


def parts(texts: list[str], seed: int, share: float = 0.5) -> tuple[list[str], list[str]]:
    kept_out = is_held_out(_core.content_hashes(pa.array(texts)), seed, share)
    given = [text for text, out in zip(texts, kept_out, strict=True) if not out]
    return given, [text for text, out in zip(texts, kept_out, strict=True) if out]


def perplexity(selected: list[str], held_out: list[str]) -> float:
    numbers: dict[str, int] = {}
    features = dsir.HashedNgrams()

    def numbered(texts: list[str]) -> list[np.ndarray]:
        return [
            np.array([numbers.setdefault(one, len(numbers) + 1) for one in features.tokens(text)])
            for text in texts
        ]

    model = KneserNey(numbered(selected), (1 << 20) + 1)
    return model.perplexity(numbered(held_out))


def without_times(found: dsir.Comparison) -> pa.Table:
    return found.cells.drop_columns(["fit_seconds", "draw_seconds"])


METHODS = {
    "coverage": {"method": "coverage"},
    "cap": {"method": "cap"},
    "flat": {"method": "resample", "temperature": 2.0, "length": "mean"},
    "top-k": {"method": "top-k"},
    "svm": {"estimator": "classifier", "method": "top-k"},
    "random": {"method": "random"},
}


@pytest.fixture(scope="module")
def found() -> dsir.Comparison:
    return dsir.compare(
        RAW, TARGET, methods=METHODS, budgets=["5%", "n=30"], seeds=2, seed=4, **SHARED
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("budget", "given"), [("5%", {"tokens": "5%"}), ("n=30", {"n": 30})])
def test_measures_are_those_of_select_kl_reduction_and_the_definition(found, method, budget, given):
    seed = 5
    mine, held_out = parts(TARGET, seed)
    selection = dsir.select(RAW, mine, seed=seed, **METHODS[method], **given, **SHARED)
    texts = [RAW[row] for row in selection.rows]
    [cell] = [
        one
        for one in found.cells.to_pylist()
        if (one["method"], one["budget"], one["seed"]) == (method, budget, seed)
    ]
    assert cell["documents"] == len(texts)
    assert cell["tokens"] == selection.metrics.tokens.selected
    lengths = [len(dsir.HashedNgrams().tokens(text)) for text in texts]
    assert cell["median_tokens"] == np.median(lengths)
    kl = dsir.kl_reduction(texts, RAW, held_out)
    assert cell["kl_reduction"] == pytest.approx(kl, rel=1e-12)
    assert cell["perplexity"] == pytest.approx(perplexity(texts, held_out), rel=1e-9)
    if method == "flat":
        size = selection.metrics.effective_sample_size
        assert cell["effective_sample_size"] == pytest.approx(size)
    else:
        assert cell["effective_sample_size"] is None


def test_the_table_has_means_spreads_and_ratios_to_random(found):
    cells = found.cells.to_pylist()
    for row in found.table.to_pylist():
        mine = [
            one for one in cells if all(one[name] == row[name] for name in ("budget", "method"))
        ]
        values = [one["perplexity"] for one in mine]
        assert row["perplexity"] == pytest.approx(np.exp(np.mean(np.log(values))))
        assert row["perplexity_spread"] == pytest.approx(np.std(values, ddof=1))
        assert row["kl_reduction"] == pytest.approx(np.mean([one["kl_reduction"] for one in mine]))
    ratios = {
        row["budget"]: row["perplexity_ratio"]
        for row in found.table.to_pylist()
        if row["method"] == "random"
    }
    assert set(ratios.values()) == {1.0}


def test_a_random_selection_is_not_recommended_where_a_topic_is_wanted(found):
    assert found.recommendation.method != "random"
    assert "random" not in found.recommendation.level
    assert str(found.recommendation).startswith(f"Take {found.recommendation.method}. ")


def test_overlaps_are_shares_of_common_rows(found):
    seeds = (4, 5)
    shares = []
    for seed in seeds:
        mine, _ = parts(TARGET, seed)
        one, other = (
            set(dsir.select(RAW, mine, seed=seed, n=30, **METHODS[name], **SHARED).rows.tolist())
            for name in ("coverage", "random")
        )
        shares.append(len(one & other) / len(one | other))
    [row] = [
        row
        for row in found.overlaps.to_pylist()
        if (row["budget"], row["method"], row["other"]) == ("n=30", "coverage", "random")
    ]
    assert row["overlap"] == pytest.approx(np.mean(shares))


def test_files_and_threads_give_the_same_bits(tmp_path):
    texts, topics = corpus(documents=200)
    for number in range(4):
        of_part = slice(50 * number, 50 * number + 50)
        table = pa.table({"text": texts[of_part], "source": topics[of_part]})
        pq.write_table(table, tmp_path / f"part-{number}.parquet", row_group_size=13)
    how = {"methods": METHODS, "budgets": "10%", "seeds": 2, "shares_by": "source", **SHARED}
    one = dsir.compare(str(tmp_path / "*.parquet"), TARGET, threads=1, **how)
    three = dsir.compare(str(tmp_path / "*.parquet"), TARGET, threads=3, **how)
    memory = dsir.compare(pa.table({"text": texts, "source": topics}), TARGET, **how)
    for other in (three, memory):
        assert without_times(other) == without_times(one)
        assert other.overlaps == one.overlaps
        assert other.shares == one.shares


def test_shares_are_of_tokens():
    raw = pa.table({"text": RAW, "source": TOPICS})
    found = dsir.compare(
        raw, TARGET, methods="top-k", budgets="n=20", seeds=1, shares_by="source", **SHARED
    )
    mine, _ = parts(TARGET, 0)
    rows = dsir.select(RAW, mine, n=20, method="top-k", **SHARED).rows
    lengths = np.array([len(text.split()) for text in RAW])
    for row in found.shares.to_pylist():
        of_value = np.array(TOPICS) == row["value"]
        assert row["raw_share"] == pytest.approx(lengths[of_value].sum() / lengths.sum())
        if row["method"] == "top-k":
            chosen = lengths[rows]
            assert row["share"] == pytest.approx(chosen[of_value[rows]].sum() / chosen.sum())


def test_no_method_sees_what_is_kept_out(monkeypatch):
    """Every text of the target has a token of its own, which no model of the other part has."""
    models = []
    fit = trials.fit_to_counted

    def fitted(*given):
        models.append(fit(*given))
        return models[-1]

    monkeypatch.setattr(trials, "fit_to_counted", fitted)
    marked = [f"{text} marker{number}" for number, text in enumerate(TARGET)]
    features = dsir.HashedNgrams(n=1, buckets=1 << 20)
    methods = "coverage,resample,classifier"
    dsir.compare(RAW, marked, methods=methods, budgets="10%", seeds=1, features=features, **SHARED)
    assert len(models) == 3
    given, kept_out = parts(marked, 0)
    for texts, times in ((given, 1), (kept_out, 0)):
        markers = [text.split()[-1] for text in texts]
        buckets = [int(np.flatnonzero(features.counts([marker]))[0]) for marker in markers]
        assert all((model.target_counts[buckets] == times).all() for model in models)


def test_copies_of_a_text_are_in_the_same_part():
    texts = TARGET[:30] * 3
    given, held_out = parts(texts, 3)
    assert not set(given) & set(held_out)
    assert len(given) % 3 == len(held_out) % 3 == 0


def test_the_parts_do_not_depend_on_the_other_documents():
    given, _ = parts(TARGET, 2)
    assert parts(TARGET[::-1], 2)[0] == given[::-1]


@pytest.mark.parametrize("share", [0.2, "30%"])
def test_the_share_that_is_kept_out_is_about_that_which_was_asked_for(share):
    texts = target(documents=200)
    found = dsir.compare(
        RAW, texts, methods="top-k", budgets="5%", seeds=1, hold_out=share, **SHARED
    )
    [(given, kept_out)] = found.settings["documents"]
    assert given + kept_out == 200
    assert kept_out == len(parts(texts, 0, 0.2 if share == 0.2 else 0.3)[1])


def test_named_targets_are_kept_out_each():
    draw = {"sea": TARGET, "more": target(9)}
    found = dsir.compare(
        RAW, draw, methods="coverage,resample", budgets="10%", seeds=1, targets="separate", **SHARED
    )
    expected = [sum(len(parts(one, 0)[part]) for one in draw.values()) for part in (0, 1)]
    assert found.settings["documents"] == [expected]


def test_a_model_of_the_callers_is_one_of_the_methods(tmp_path):
    model = dsir.fit(RAW, target(7), progress=False)
    model.save(tmp_path / "model.dsir")
    how = {"budgets": "n=25", "seeds": 1, **SHARED}
    mine = dsir.compare(RAW, TARGET, methods={"mine": {"model": model, "method": "top-k"}}, **how)
    text = f"mine: model={tmp_path / 'model.dsir'},method=top-k"
    assert without_times(dsir.compare(RAW, TARGET, methods=text, **how)) == without_times(mine)
    rows = dsir.select(RAW, model=model, method="top-k", n=25, **SHARED).rows
    texts = [RAW[row] for row in rows]
    _, held_out = parts(TARGET, 0)
    [cell] = [one for one in mine.cells.to_pylist() if one["method"] == "mine"]
    assert cell["perplexity"] == pytest.approx(perplexity(texts, held_out), rel=1e-9)


def test_a_large_selection_is_sampled_for_the_model_of_trigrams(monkeypatch):
    monkeypatch.setattr(trials, "MOST_TOKENS", 400)
    found = dsir.compare(RAW, TARGET, methods="top-k", budgets="50%", seeds=1, **SHARED)
    whole = dsir.compare(RAW, TARGET, methods="top-k", budgets="50%", seeds=1, **SHARED)
    assert without_times(found) == without_times(whole)
    monkeypatch.undo()
    whole = dsir.compare(RAW, TARGET, methods="top-k", budgets="50%", seeds=1, **SHARED)
    assert found.cells["perplexity"] != whole.cells["perplexity"]
    assert found.cells["kl_reduction"] == whole.cells["kl_reduction"]
    assert found.cells["tokens"] == whole.cells["tokens"]


def test_a_saved_comparison_is_the_same_again(found, tmp_path):
    found.save(tmp_path / "compared")
    again = dsir.Comparison.load(tmp_path / "compared")
    for field in dataclasses.fields(found):
        assert getattr(again, field.name) == getattr(found, field.name)
    assert sorted(path.name for path in (tmp_path / "compared" / "_dsir").iterdir()) == [
        "compare.json",
        "report.html",
    ]
    with pytest.raises(dsir.OutputError, match="is not empty"):
        found.save(tmp_path / "compared")
    found.save(tmp_path / "compared", overwrite=True)


def test_it_shows_itself_on_one_line(found):
    assert "\n" not in repr(found)
    assert repr(found).startswith("Comparison(take: ")
    assert "<table" in found._repr_html_()


def test_a_frame_has_the_rows_of_the_table(found):
    pytest.importorskip("pandas")
    assert found.to_pandas().to_dict("list")["method"] == found.table["method"].to_pylist()
