"""Wrong calls of dsir.compare end before the work, with what to do."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from topics import corpus, target

import dsir
from dsir.comparison.variants import variants_of
from dsir.settings.compare import budgets_of

RAW, _ = corpus(documents=60)
TARGET = target()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"methods": "coverag"}, r"methods='coverag': is no method.*did you mean 'coverage'"),
        ({"methods": []}, r"methods=\[\]: has no name"),
        ({"methods": "random"}, "has nothing but random"),
        ({"methods": 3}, "methods=3: expected names"),
        ({"methods": [{}]}, r"methods=\[{}\]: expected names, or a dict"),
        ({"methods": {"a": "top-k"}}, "methods='a': expected arguments of select by name"),
        ({"methods": "top-k,top-k"}, "methods='top-k': is given twice"),
        ({"methods": "a: tempratur=2"}, "no argument 'tempratur'.*did you mean 'temperature'"),
        ({"methods": "a: temperature=hot"}, "temperature=hot: is no value of temperature"),
        ({"methods": "a: temperature=-1"}, "methods='a': temperature=-1"),
        ({"methods": "a: n=5"}, r"methods='a': n: is the same for all.*budgets="),
        ({"methods": "a: seed=5"}, r"methods='a': seed: is the same for all.*seed="),
        ({"methods": "a: out=x"}, "no argument 'out'"),
        ({"methods": "temperature=2"}, "expected NAME, or NAME: ARGUMENT=VALUE"),
        ({"methods": {"a\n": {}}}, "is not a name"),
        ({"methods": "a: label=hq"}, "is for a model of fastText"),
        ({"methods": "a: model=gone.dsir,smoothing=2"}, "is fitted already"),
        ({"methods": "a: method=coverage,estimator=ratio"}, 'needs estimator="relevance"'),
        ({"methods": "a: tokenizer=chars"}, "other tokens than the other methods"),
        ({"methods": {"random": {"method": "top-k"}}}, "call it otherwise"),
        ({"methods": "a: combine=dsir=1;stars=1"}, "methods='a': combine: 'stars' is no measure"),
        ({"methods": "a: combine=dsir"}, "combine=dsir: is no value of combine"),
        (
            {"methods": "a: method=coverage,combine=dsir=1;lexrank=1"},
            "methods='a': combine: cannot",
        ),
        ({"budgets": []}, r"budgets=\[\]: has no amount"),
        ({"budgets": "1%,1%"}, "budgets=1%: is given twice"),
        ({"budgets": "some"}, "budgets='some': expected a whole number"),
        ({"budgets": "rows=5"}, "expected an amount of tokens, or one of n="),
        ({"budgets": "0"}, "budgets='0': expected"),
        ({"seeds": 0}, "seeds=0: expected a whole number, from 1 to 100"),
        ({"hold_out": 0}, "hold_out=0"),
        ({"hold_out": 1}, "leaves nothing of the target for the methods"),
        ({"shares_by": 4}, "shares_by=4: expected the name of a column"),
        ({"seed": "x"}, "seed='x': expected a whole number"),
        ({"overwrite": 1}, "overwrite=1"),
    ],
)
def test_wrong_arguments(given, message):
    with pytest.raises(dsir.SettingError, match=message):
        dsir.compare(RAW, TARGET, progress=False, **given)


def test_methods_may_stand_third():
    found = dsir.compare(
        RAW, TARGET, ["top-k"], budgets="n=9", seeds=1, min_tokens=9, progress=False
    )
    assert list(found.settings["methods"]) == ["top-k", "random"]


def test_a_model_that_is_not_there():
    with pytest.raises(dsir.ModelError, match=r"gone\.dsir"):
        dsir.compare(RAW, TARGET, methods="a: model=gone.dsir", progress=False)


@pytest.mark.parametrize("name", ["n", "tokens", "workdir", "chunk", "engine"])
def test_arguments_of_select_alone_are_unknown(name):
    with pytest.raises(TypeError, match=name):
        dsir.compare(RAW, TARGET, **{name: 5})


def test_a_target_of_few_documents():
    with pytest.raises(dsir.SettingError, match=r"target: is too small.*needs 10; give more"):
        dsir.compare(RAW, TARGET[:12], methods="top-k", progress=False)


def test_copies_are_no_documents():
    with pytest.raises(dsir.SettingError, match="2 different documents would be given"):
        dsir.compare(RAW, TARGET[:1] * 12 + TARGET[1:2] * 12, methods="top-k", progress=False)


def test_a_missing_column_of_shares(tmp_path):
    pq.write_table(pa.table({"text": RAW, "source": ["web"] * len(RAW)}), tmp_path / "a.parquet")
    with pytest.raises(dsir.InputError, match="sauce"):
        dsir.compare(tmp_path, TARGET, methods="top-k", shares_by="sauce", progress=False)


def test_a_missing_column_of_a_combined_score():
    with pytest.raises(dsir.InputError, match="no column 'stars' for combine"):
        dsir.compare(RAW, TARGET, "a: combine=dsir=1;column:stars=1", progress=False)


def test_a_budget_that_cannot_be_met():
    with pytest.raises(dsir.BudgetError, match="asks for"):
        dsir.compare(RAW, TARGET, methods="top-k", budgets="n=100000", progress=False)


def test_a_folder_that_is_not_empty_is_refused_before_the_work(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(dsir.OutputError, match="is not empty"):
        dsir.compare("nowhere/*.parquet", TARGET, out=tmp_path, overwrite=True)


def test_a_text_that_is_not_utf8_names_its_row(tmp_path):
    texts = pa.array([text.encode() for text in TARGET[:30]] + [b"\xff\xfe"]).view(pa.string())
    table = pa.table({"text": texts})
    with pytest.raises(dsir.InputError, match="row 30"):
        dsir.compare(RAW, table, methods="top-k", progress=False)


def test_methods_in_one_text():
    found = variants_of(
        "coverage, svm: estimator=classifier,method=top-k, near: ngrams=1,max-per=source=0.2,cap"
    )
    assert [one.name for one in found] == ["coverage", "svm", "near", "cap", "random"]
    assert found[1].given == {"estimator": "classifier", "method": "top-k"}
    assert found[2].given["features"] == dsir.HashedNgrams(n=1)
    assert found[2].given["max_per"] == {"source": "0.2"}


def test_a_known_name_with_arguments_keeps_its_method():
    [one, _] = variants_of("top-k: length=mean")
    assert one.given == {"method": "top-k", "length": "mean"}


def test_a_random_draw_by_another_name_is_the_random_one():
    found = variants_of({"a": {"method": "top-k"}, "chance": {"method": "random"}})
    assert [one.name for one in found] == ["a", "chance"]


def test_budgets_have_names():
    assert budgets_of(["0.5%", 1000, "n=10", "bytes=2MB", "fraction=0.1"]) == {
        "0.5%": {"tokens": "0.5%"},
        "1,000": {"tokens": 1000},
        "n=10": {"n": "10"},
        "bytes=2MB": {"bytes": "2MB"},
        "fraction=0.1": {"fraction": "0.1"},
    }
    assert budgets_of("1e9,2%") == {"1e9": {"tokens": "1e9"}, "2%": {"tokens": "2%"}}


def test_a_model_of_separate_targets_cannot_be_combined():
    targets = {"sea": TARGET[:30], "tide": TARGET[30:]}
    model = dsir.fit(RAW, targets, targets="separate", progress=False)
    methods = {"a": {"model": model, "combine": {"dsir": 1, "lexrank": 1}}}
    with pytest.raises(dsir.SettingError, match="methods='a': combine: the model has a log-weight"):
        dsir.compare(RAW, targets, methods=methods, budgets=["n=9"], progress=False)
