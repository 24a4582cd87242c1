"""dsir.score: several models in one pass give what each gives alone."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pytest
from fasttext_file import FastTextFile

import dsir
from dsir import _core
from dsir.model import scorers

FEATURES = dsir.HashedNgrams(buckets=300)
TEXTS = [
    *(f"ship {i} and the sea, {i % 7} sails" for i in range(30)),
    *(f"judge {i} and the court of law" for i in range(30)),
    None,
    "",
    "Ünder the sea 海",
]
SEA, LAW = TEXTS[:25], TEXTS[30:55]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    def fit(target=SEA, **given):
        return dsir.fit(TEXTS[:60], target, progress=False, **{"features": FEATURES, **given})

    several = {"sea": SEA, "law": LAW}
    fasttext = tmp_path_factory.mktemp("models") / "quality.bin"
    fasttext.write_bytes(FastTextFile(word_ngrams=1, bucket=0).encode())
    model = dsir.load_model(fasttext)
    return {
        "sum": fit(),
        "law": fit(LAW),
        "smoothed": fit(smoothing=2.0),
        "mean": fit(length="mean"),
        "power": fit(length=0.5),
        "poisson": fit(length="poisson"),
        "pooled": fit(several),
        "separate": fit(several, targets="separate"),
        "mixture": fit(several, targets="mixture"),
        "other": fit(features=dsir.HashedNgrams(n=3, buckets=100)),
        "relevance": fit(estimator="relevance"),
        "separate relevance": fit(several, targets="separate", estimator="relevance"),
        "classifier": fit(estimator="classifier"),
        "law classifier": fit(LAW, estimator="classifier"),
        "separate classifier": fit(several, targets="separate", estimator="classifier"),
        "mixed classifier": fit(several, targets="mixture", estimator="classifier"),
        "other classifier": fit(
            estimator="classifier", features=dsir.HashedNgrams(n=1, buckets=99)
        ),
        "label": model.for_label(model.labels[0]),
        "fasttext": fasttext,
    }


@pytest.mark.parametrize("threads", [1, 3])
def test_each_column_has_the_bits_of_its_model_alone(models, threads):
    found = dsir.score(TEXTS, models, threads=threads)
    assert found.num_rows == len(TEXTS)
    left = set(found.column_names)
    for name, given in models.items():
        model = dsir.load_model(given) if name == "fasttext" else given
        expected = model.score(TEXTS)
        if expected.ndim == 1:
            columns = [name]
            expected = expected[:, np.newaxis]
        elif name == "fasttext":
            columns = [f"{name}.{label.removeprefix('__label__')}" for label in model.labels]
        else:
            columns = [f"{name}.sea", f"{name}.law"]
        for column, values in zip(columns, expected.T, strict=True):
            one = found[column].to_numpy()
            assert one.dtype == values.dtype
            assert one.tobytes() == values.tobytes(), column
        left -= set(columns)
    assert not left


def test_texts_are_cut_once_for_models_of_the_same_ngrams(models, monkeypatch):
    calls = []
    kernel = _core.score
    monkeypatch.setattr(
        scorers._core, "score", lambda *a, **k: calls.append(a[1]) or kernel(*a, **k)
    )
    names = ["sum", "law", "smoothed", "pooled", "separate"]
    dsir.score(TEXTS, [models[name] for name in names])
    assert len(calls) == 1


def test_a_list_of_models_is_named_by_files_and_kinds(models, tmp_path):
    models["sum"].save(tmp_path / "sea.dsir")
    given = [
        models["sum"],
        models["mean"],
        tmp_path / "sea.dsir",
        str(tmp_path / "sea.dsir"),
        models["classifier"],
        models["separate relevance"],
        models["fasttext"],
    ]
    names = dsir.score(pa.table({"text": TEXTS}), given).column_names
    assert names[:7] == [
        "ratio",
        "ratio-2",
        "sea",
        "sea-2",
        "classifier",
        "relevance.sea",
        "relevance.law",
    ]
    assert all(name.startswith("quality.") for name in names[7:])


def test_no_texts(models):
    found = dsir.score(pa.array([], pa.string()), models)
    assert found.num_rows == 0
    assert found["sum"].type == pa.float64()


def test_texts_come_from_files(models, parquet):
    given = [models["sum"], models["classifier"]]
    found = dsir.score(parquet, given)
    assert found["ratio"].to_numpy().tobytes() == models["sum"].score(parquet).tobytes()


def test_a_bad_text_is_an_error(models):
    bad = pa.array([b"a sea", b"\xff"], pa.binary()).view(pa.string())
    with pytest.raises(dsir.RowError, match="row 1"):
        dsir.score(bad, [models["sum"]])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "models: is empty"),
        ("model.dsir", "expected a list"),
        (3, "expected a list"),
        ([7], r"models\[0\]=7"),
        ({"x": None}, r"models\['x'\]"),
        (iter([]), "expected a list"),
    ],
)
def test_what_is_no_list_of_models(given, said):
    with pytest.raises(dsir.SettingError, match=said):
        dsir.score(TEXTS, given)


@pytest.mark.parametrize("name", ["", 3, None, "half \ud800"])
def test_names_that_no_column_can_have(models, name):
    with pytest.raises(dsir.SettingError, match=r"models=.*expected the name of a column"):
        dsir.score(TEXTS, {name: models["sum"]})


def test_a_file_whose_name_is_no_column(models, tmp_path):
    file = tmp_path / os.fsdecode(b"q\xff.dsir")
    try:
        models["sum"].save(file)
    except OSError as error:  # Some file systems have names in UTF-8 alone.
        pytest.skip(str(error))
    with pytest.raises(dsir.SettingError, match="expected the name of a column"):
        dsir.score(TEXTS, [file])
    assert dsir.score(TEXTS, {"q": file}).column_names == ["q"]


@pytest.mark.parametrize("threads", [0, -1, "2", 1.5, None])
def test_threads_are_checked_before_the_work(models, threads):
    fasttext = dsir.load_model(models["fasttext"])
    for score in (
        lambda: dsir.score("no-such-corpus/", [models["sum"]], threads=threads),
        lambda: models["sum"].score("no-such-corpus/", threads=threads),
        lambda: fasttext.score("no-such-corpus/", threads=threads),
    ):
        with pytest.raises(dsir.SettingError, match="threads="):
            score()


def test_a_corpus_that_is_not_there(models, tmp_path):
    with pytest.raises(dsir.InputError, match=r"none\.jsonl"):
        dsir.score(tmp_path / "none.jsonl", [models["sum"]])
    with pytest.raises(dsir.TextColumnError, match="no column 'body'"):
        dsir.score(pa.table({"text": TEXTS}), [models["sum"]], text="body")


def test_two_columns_of_a_list_with_one_name(models, tmp_path):
    models["sum"].save(tmp_path / "classifier-2.dsir")
    given = [models["classifier"], models["law classifier"], tmp_path / "classifier-2.dsir"]
    with pytest.raises(dsir.SettingError, match="'classifier-2'; give the models by name"):
        dsir.score(TEXTS, given)


def test_errors_name_the_scorer(models, tmp_path):
    with pytest.raises(dsir.ModelError, match=r"models\[1\]: .*no\.dsir"):
        dsir.score(TEXTS, [models["sum"], tmp_path / "no.dsir"])
    with pytest.raises(dsir.ModelError, match=r"models\['quality'\]: "):
        dsir.score(TEXTS, {"quality": tmp_path / "no.bin"})
    with pytest.raises(dsir.SettingError, match=r"'a\.sea'; give the models by name"):
        dsir.score(TEXTS, {"a": models["separate"], "a.sea": models["sum"]})
