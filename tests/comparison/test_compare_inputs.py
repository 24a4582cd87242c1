"""dsir.compare with windows, filters, bad rows, other columns, quotas and models of fastText."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fasttext_file import FastTextFile
from topics import corpus, target

import dsir
from dsir import _core
from dsir.comparison.held_out import is_held_out

# The draws of so small a corpus are close to a top-k.
pytestmark = pytest.mark.filterwarnings("ignore:effective sample size")

RAW, TOPICS = corpus(5, 240)
TARGET = target(6)
HOW = {"budgets": ["n=30"], "seeds": 1, "min_tokens": 20, "progress": False}


def halves(texts: list[str]) -> tuple[list[str], list[str]]:
    kept_out = is_held_out(_core.content_hashes(pa.array(texts)), 0, 0.5).tolist()
    given = [text for text, out in zip(texts, kept_out, strict=True) if not out]
    return given, [text for text, out in zip(texts, kept_out, strict=True) if out]


GIVEN, HELD_OUT = halves(TARGET)


def cell_of(found: dsir.Comparison, method: str) -> dict:
    [cell] = [one for one in found.cells.to_pylist() if one["method"] == method]
    return cell


def same_as(found: dsir.Comparison, method: str, selection: dsir.Selection, raw: object) -> None:
    """The cell of a method is what a selection gives."""
    assert selection.table is not None
    texts = selection.table["text"].to_pylist()
    cell = cell_of(found, method)
    assert cell["documents"] == len(selection)
    assert cell["tokens"] == selection.metrics.tokens.selected
    expected = dsir.kl_reduction(texts, raw, HELD_OUT)
    assert cell["kl_reduction"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "given",
    [
        {"filters": {"min_words": 35}},
        {"dedup": "exact"},
        {"features": dsir.HashedNgrams(n=1, buckets=4096)},
        {"estimator": "relevance"},
        {"temperature": 3.0, "length": "mean"},
        {"fit_tokens": 3000},
    ],
    ids=lambda given: next(iter(given)),
)
def test_arguments_of_select_hold_for_all_methods(given):
    raw = RAW + RAW[:40]
    found = dsir.compare(raw, TARGET, methods="resample,coverage", **HOW, **given)
    for method in ("resample", "coverage", "random"):
        own = dict(given)
        if method == "coverage":
            own.pop("estimator", None)
        selection = dsir.select(
            raw, GIVEN, method=method, n=30, min_tokens=20, progress=False, **own
        )
        same_as(found, method, selection, raw)


def test_windows_are_selected_and_whole_documents_kept_out():
    given = {"chunk_tokens": 20, "chunk_stride": 10}
    found = dsir.compare(RAW, TARGET, methods="top-k", **HOW, **given)
    selection = dsir.select(
        RAW, GIVEN, method="top-k", n=30, min_tokens=20, progress=False, **given
    )
    assert cell_of(found, "top-k")["documents"] == len(selection) == 30
    assert cell_of(found, "top-k")["tokens"] == selection.metrics.tokens.selected
    assert found.settings["documents"] == [[len(GIVEN), len(HELD_OUT)]]


def test_lines_with_bad_rows_and_columns_of_other_names(tmp_path):
    lines = [
        json.dumps({"body": text, "site": topic}) for text, topic in zip(RAW, TOPICS, strict=True)
    ]
    lines[5] = "no json"
    (tmp_path / "raw.jsonl").write_text("\n".join(lines))
    wanted = [json.dumps({"content": text}) for text in TARGET]
    (tmp_path / "wanted.jsonl").write_text("\n".join(["{", *wanted]))
    given = {"text": "body", "target_text": "content"}
    raw, like = tmp_path / "raw.jsonl", tmp_path / "wanted.jsonl"
    with pytest.raises(dsir.InputError, match=r"(raw|wanted)\.jsonl"):
        dsir.compare(raw, like, methods="cap", **HOW, **given)
    found = dsir.compare(
        raw, like, methods="cap", on_error="skip", shares_by="site", **HOW, **given
    )
    selection = dsir.select(
        raw, GIVEN, text="body", method="cap", n=30, min_tokens=20, on_error="skip", progress=False
    )
    cell = cell_of(found, "cap")
    assert cell["tokens"] == selection.metrics.tokens.selected
    sites = [TOPICS[row] for row in selection.rows]
    lengths = np.array([len(RAW[row].split()) for row in selection.rows])
    for row in found.shares.to_pylist():
        if row["method"] == "cap":
            of_site = np.array([site == row["value"] for site in sites])
            assert row["share"] == pytest.approx(lengths[of_site].sum() / lengths.sum())


def test_quotas_of_one_method():
    raw = pa.table({"text": RAW, "topic": TOPICS})
    methods = {"top-k": {}, "spread": {"method": "top-k", "max_per": {"topic": 12}}}
    methods["top-k"] = {"method": "top-k"}
    found = dsir.compare(raw, TARGET, methods=methods, shares_by="topic", **HOW)
    selection = dsir.select(
        raw, GIVEN, method="top-k", max_per={"topic": 12}, n=30, min_tokens=20, progress=False
    )
    same_as(found, "spread", selection, RAW)
    assert cell_of(found, "spread")["kl_reduction"] != cell_of(found, "top-k")["kl_reduction"]


@pytest.mark.parametrize("method", ["top-k", "cap"])
def test_a_combined_score_is_a_method(tmp_path, method):
    stars = [float(len(text) % 7) for text in RAW]
    for number, part in enumerate((slice(0, 130), slice(130, 240))):
        table = pa.table({"text": RAW[part], "stars": stars[part]})
        pq.write_table(table, tmp_path / f"raw-{number}.parquet")
    wanted, raw = tmp_path / "wanted.parquet", f"{tmp_path}/raw-*"
    pq.write_table(pa.table({"text": TARGET}), wanted)
    methods = f"both: method={method},combine=dsir=1;column:stars=0.5,candidates=3, {method}"
    found = dsir.compare(raw, wanted, methods=methods, **HOW)
    combine = {"dsir": 1.0, "column:stars": 0.5}
    given = {"method": method, "combine": combine, "candidates": 3, "n": 30, "min_tokens": 20}
    selection = dsir.select(raw, GIVEN, progress=False, **given)
    same_as(found, "both", selection, RAW)
    assert cell_of(found, "both")["tokens"] != cell_of(found, method)["tokens"]
    again = f"both: method={method},combine=dsir=1.0;column:stars=0.5,candidates=3.0"
    assert again in found.settings["command"]


def test_a_combined_score_may_have_models_and_quotas():
    raw = pa.table({"text": RAW, "topic": TOPICS})
    negatives = [text for text, topic in zip(RAW, TOPICS, strict=True) if topic == "law"]
    taste = dsir.fit(raw, negatives, progress=False)
    given = {
        "method": "resample",
        "combine": {"dsir": 1, "model:taste": -0.5},
        "combine_models": {"taste": taste},
        "max_per": {"topic": 12},
    }
    found = dsir.compare(raw, TARGET, methods={"both": given}, **HOW)
    selection = dsir.select(raw, GIVEN, n=30, min_tokens=20, progress=False, **given)
    same_as(found, "both", selection, RAW)
    assert cell_of(found, "both")["effective_sample_size"] is None
    assert found.settings["command"] is None


def test_a_model_of_fasttext_is_a_method(tmp_path):
    path = tmp_path / "quality.bin"
    path.write_bytes(FastTextFile(word_ngrams=1, bucket=0).encode())
    model = dsir.load_model(path)
    label = model.labels[0].removeprefix("__label__")
    methods = f"words: model={path},label={label},method=top-k, top-k"
    found = dsir.compare(RAW, TARGET, methods=methods, **HOW)
    selection = dsir.select(
        RAW, model=path, label=label, method="top-k", n=30, min_tokens=20, progress=False
    )
    same_as(found, "words", selection, RAW)
    alone = dsir.compare(RAW, TARGET, methods=methods.partition(", top-k")[0], **HOW)
    assert cell_of(alone, "words")["perplexity"] == cell_of(found, "words")["perplexity"]
    with pytest.raises(dsir.SettingError, match=r"methods='words': .* give label="):
        dsir.compare(RAW, TARGET, methods=f"words: model={path}", **HOW)


def test_a_classifier_may_be_told_what_is_not_wanted(tmp_path):
    unwanted = [text for text, topic in zip(RAW, TOPICS, strict=True) if topic == "law"][:40]
    (tmp_path / "bad.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in unwanted))
    methods = {"svm": {"estimator": "classifier", "method": "top-k"}}
    found = dsir.compare(RAW, TARGET, methods, negatives=tmp_path / "bad.jsonl", **HOW)
    selection = dsir.select(
        RAW,
        GIVEN,
        negatives=tmp_path / "bad.jsonl",
        n=30,
        min_tokens=20,
        progress=False,
        **methods["svm"],
    )
    same_as(found, "svm", selection, RAW)
    with pytest.raises(dsir.SettingError, match="negatives: are for estimator"):
        dsir.compare(RAW, TARGET, "top-k", negatives=unwanted, **HOW)


def test_shares_by_a_column_of_languages(tmp_path):
    path = tmp_path / "lid.bin"
    path.write_bytes(FastTextFile(word_ngrams=1, bucket=0).encode())
    given = {"language_column": "lang", "language_model": path}
    (tmp_path / "raw.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in RAW))
    raw = tmp_path / "raw.jsonl"
    found = dsir.compare(raw, TARGET, "top-k", shares_by="lang", **given, **HOW)
    assert {row["value"] for row in found.shares.to_pylist()} <= {"sea", "law"}
    of_random = [row for row in found.shares.to_pylist() if row["method"] == "random"]
    assert sum(row["share"] for row in of_random) == pytest.approx(1)
    assert sum(row["raw_share"] for row in of_random) == pytest.approx(1)


def test_raw_is_scored_once_for_all_methods_and_seeds(tmp_path, capfd):
    (tmp_path / "raw.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in RAW))
    dsir.compare(
        tmp_path / "raw.jsonl",
        TARGET,
        methods="coverage,resample,top-k,classifier",
        budgets=["n=20"],
        seeds=2,
        min_tokens=20,
    )
    said = capfd.readouterr().err.splitlines()
    assert sum(line.startswith("dsir score: done") for line in said) == 1
    assert sum(line.startswith("dsir fit raw: done") for line in said) == 3
    assert sum(line.startswith("dsir pool: done") for line in said) == 1
    assert any(line.startswith("dsir draw: 10 selections") for line in said)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    dsir.compare(RAW, TARGET, methods="coverage", **HOW)
    assert list(tmp_path.iterdir()) == []
