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


@pytest.fixture
def calls(monkeypatch) -> list[int]:
    """How many models, or tables of several, each call of the core had."""
    found = []
    kernel = _core.score_together
    monkeypatch.setattr(
        _core,
        "score_together",
        lambda texts, parts, **how: found.append(len(parts)) or kernel(texts, parts, **how),
    )
    return found


def test_texts_are_cut_once_for_models_of_the_same_ngrams(models, calls):
    names = ["sum", "law", "smoothed", "pooled", "separate"]
    dsir.score(TEXTS, [models[name] for name in names])
    assert calls == [1]


def test_texts_are_cut_once_for_models_of_all_kinds(models, calls):
    """The tokens are the same, and kinds, buckets and orders differ."""
    names = ["sum", "mean", "poisson", "mixture", "other", "relevance", "classifier"]
    given = [models[name] for name in (*names, "mixed classifier", "other classifier")]
    dsir.score(TEXTS, given)
    assert len(calls) == 1


@pytest.mark.parametrize(
    "features",
    [
        {"tokenizer": "unicode"},
        {"normalize": "NFC"},
        {"lower": False},
        {"hash": "sha256"},
        {"n": 8, "buckets": 77},
    ],
)
@pytest.mark.parametrize("threads", [1, 3])
def test_models_of_other_tokens_and_hashes(models, features, threads):
    """Long documents, which are not put aside, and the bits of each model alone."""
    other = dsir.HashedNgrams(**{"buckets": 300, **features})
    given = {
        "ratio": models["sum"],
        "classifier": models["classifier"],
        "other": dsir.fit(TEXTS[:60], SEA, features=other, progress=False),
        "other classifier": dsir.fit(
            TEXTS[:60], SEA, features=other, estimator="classifier", progress=False
        ),
    }
    texts = [*TEXTS, *(" ".join(TEXTS[:60]) * times for times in (1, 3, 40, 50, 200)), *TEXTS] * 3
    found = dsir.score(texts, given, threads=threads)
    for name, model in given.items():
        assert found[name].to_numpy().tobytes() == model.score(texts).tobytes(), name


def test_bad_texts_among_others_change_none(models):
    """What was counted of a text before its bad bytes is forgotten."""
    long = b" ".join([b"ship and sea"] * 9000)
    texts = [b"a ship", b"ship " * 700 + b"\xff", b"the sea", long + b"\xff", b"the law", b"\xff"]
    kinds = scorers.Scorers({name: models[name] for name in ("sum", "relevance", "classifier")})
    column = pa.array(texts).view(pa.string())
    columns, bad = kinds.score_batch(column)
    assert bad.tolist() == [1, 3, 5]
    expected = [models[name].score_batch(column).log_weight[0] for name in kinds.names]
    assert all(a.tobytes() == b.tobytes() for a, b in zip(columns, expected, strict=True))


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
