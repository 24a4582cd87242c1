"""Sentences by Punkt: the tokens of `nltk.word_tokenize(text.lower())`, everywhere texts go."""

from __future__ import annotations

import pickle
import threading

import nltk
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dsir
from dsir.model import sentences

TEXT = (
    "Mr. Smith can't go to Washington. Dr. Jones will. It's 3.30 p.m. already! \"Is it?\" he "
    "asked.\nThey met in Jan. and left. ΟΔΟΣ. İt ends"
)
PARTS = [
    *(
        "Mr. ",
        "Dr. ",
        "Smith",
        "went",
        ". ",
        "? ",
        '." ',
        ".) ",
        "...",
        "\n\n",
        "a.m. ",
        "Jan. 5th",
    ),
    *("can't ", "'Tis ", "The ", "it's", " ", "3.5 ", "É", "Σ", "İ", "\u00a0", "\x85", "''", '"'),
]


@pytest.fixture
def features(punkt) -> dsir.HashedNgrams:
    return dsir.HashedNgrams(tokenizer="word_tokenize", sentences="punkt", buckets=500)


def test_tokens(features):
    expected = nltk.word_tokenize(TEXT.lower())
    assert features.tokens(TEXT) == expected
    whole = dsir.HashedNgrams(tokenizer="word_tokenize").tokens(TEXT)
    assert whole == nltk.word_tokenize(TEXT.lower(), preserve_line=True)
    assert whole != expected
    assert features.tokens("") == []


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(st.sampled_from(PARTS), max_size=25).map("".join))
def test_any_text(features, text):
    expected = nltk.word_tokenize(text.lower())
    assert features.tokens(text) == expected
    named = features.ngrams(text)
    assert [ngram for ngram, _ in named if " " not in ngram] == expected
    counts = np.bincount([bucket for _, bucket in named], minlength=500)
    np.testing.assert_array_equal(
        features.counts([text, "x", text]) - features.counts(["x"]), 2 * counts
    )


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
)
def test_prepared(features, kind):
    texts = ["One. Two", None, "", " \n", TEXT, "One. Two"]
    column = pa.array(texts, pa.string())
    column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column.cast(kind)
    prepared = features.prepared(column[1:])
    words = [None if t is None else " ".join(nltk.word_tokenize(t.lower())) for t in texts]
    assert prepared.to_pylist() == words[1:]
    assert sentences.bytes_of(column).tolist() == [len((t or "").encode()) for t in texts]
    plain = dsir.HashedNgrams(tokenizer="word_tokenize")
    assert plain.prepared(column) is column


def test_bad_rows_stay_bad_rows(features):
    values = [b"One. Two.", b"\xff. Two.", None, "Drei. Vier é.".encode()]
    binary = pa.array(values, pa.binary())
    column = pa.Array.from_buffers(pa.string(), len(values), binary.buffers())
    prepared = features.prepared(column)
    assert prepared.cast(pa.large_binary()).to_pylist()[1:3] == values[1:3]
    with pytest.raises(dsir.RowError, match="row 1: the text is not UTF-8"):
        features.counts(column)
    selection = dsir.select(
        pa.table({"text": column}), ["One."] * 20, n=1, features=features, min_tokens=1,
        on_error="skip", progress=False,
    )  # fmt: skip
    assert [(bad.row, bad.reason) for bad in selection.skipped] == [(1, "the text is not UTF-8")]
    assert selection.metrics["text_bytes"]["read"] == sum(len(v) for v in values if v)


@pytest.mark.parametrize("kind", ["none", "punkt"])
def test_select(world, tmp_path, contents, punkt, run_features, kind):
    """From end to end, on one thread and on three."""
    features = run_features(kind)
    raw = world.write_parquet(tmp_path / "raw")
    found = []
    for threads in (1, 3):
        out = tmp_path / f"out-{threads}"
        selection = dsir.select(
            [str(path) for path in raw], world.target, n=40, features=features, min_tokens=20,
            out=out, threads=threads, progress=False, method="top-k",
        )  # fmt: skip
        found.append(contents(out))
    assert found[0] == found[1]
    texts = [text or "" for text in world.texts]
    model = selection.model
    expected_counts = sum(features.counts([text]) for text in world.target)
    np.testing.assert_array_equal(model.target_counts, expected_counts)
    weights = model.score(texts, threads=2)
    summed = [sum(model.log_ratio[bucket] for _, bucket in features.ngrams(t)) for t in texts]
    np.testing.assert_allclose(weights, summed, rtol=1e-9, atol=1e-9)
    long_enough = np.array([len(features.tokens(text)) >= 20 for text in texts])
    order = np.argsort(np.where(long_enough, -weights, np.inf), kind="stable")
    assert selection.rows.tolist() == sorted(order[:40].tolist())
    explained = model.explain(texts[int(order[0])])
    total = sum(explained.column("contribution").to_pylist())
    assert total == pytest.approx(weights[order[0]])


@pytest.fixture
def run_features():
    def make(kind: str) -> dsir.HashedNgrams:
        return dsir.HashedNgrams(tokenizer="word_tokenize", sentences=kind, buckets=500)

    return make


def test_text_bytes_are_those_of_the_original(world, run_features, punkt):
    accounts = []
    for kind in ("none", "punkt"):
        selection = dsir.select(
            world.texts, world.target, n=5, features=run_features(kind), progress=False
        )
        accounts.append(selection.metrics["text_bytes"])
    assert accounts[0]["read"] == accounts[1]["read"]


def test_description_and_fingerprint(features, tmp_path):
    plain = dsir.HashedNgrams(tokenizer="word_tokenize", buckets=500)
    assert plain.describe() == {
        "n": 2, "buckets": 500, "tokenizer": "word_tokenize", "hash": "fast", "hash_version": 1,
        "unicode": "14.0.0",
    }  # fmt: skip
    described = features.describe()
    assert described["sentences"] == "punkt"
    assert described["punkt_language"] == "english"
    assert described["nltk"] == nltk.__version__
    assert len(str(described["punkt_digest"])) == 16
    wordpunct = dsir.HashedNgrams(buckets=500)
    assert len({features.fingerprint, plain.fingerprint, wordpunct.fingerprint}) == 3
    assert pickle.loads(pickle.dumps(features)) == features


def test_using_it_does_not_change_what_it_is(features):
    """NLTK's own tables take in every word that they are asked for."""
    splitter = sentences.punkt()
    size = len(splitter.splitter._params.ortho_context)
    features.tokens("Unheard. Wordsnever. Seenbefore. " * 3)
    assert len(splitter.splitter._params.ortho_context) == size
    digest = splitter.digest
    sentences.punkt.cache_clear()
    assert sentences.punkt().digest == digest


def test_threads_may_share_it(features):
    expected = features.tokens(TEXT)
    found: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: found.extend(features.tokens(TEXT) for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 80


def test_model_files(features, world, tmp_path):
    path = tmp_path / "model.dsir"
    model = dsir.fit(world.texts, world.target, features=features, progress=False)
    model.save(path)
    loaded = dsir.ImportanceModel.load(path)
    assert loaded.features == features
    assert loaded.score(["One. Two."]).tobytes() == model.score(["One. Two."]).tobytes()
    sentences.punkt.cache_clear()
    nltk.data.path.clear()
    with pytest.raises(dsir.ModelError, match=r"Punkt\) is not installed"):
        dsir.ImportanceModel.load(path)


def test_model_file_of_other_data(features, world, tmp_path, monkeypatch):
    path = tmp_path / "model.dsir"
    dsir.fit(world.texts, world.target, features=features, progress=False).save(path)
    monkeypatch.setattr(nltk, "__version__", "3.9.0.other")
    sentences.punkt.cache_clear()
    with pytest.raises(dsir.ModelError, match="fit the model again"):
        dsir.ImportanceModel.load(path)


def test_it_goes_with_word_tokenize_alone(punkt):
    with pytest.raises(dsir.SettingError, match='goes with tokenizer="word_tokenize"'):
        dsir.HashedNgrams(sentences="punkt")
    with pytest.raises(dsir.SettingError, match="sentences='nltk': expected 'none' or 'punkt'"):
        dsir.HashedNgrams(tokenizer="word_tokenize", sentences="nltk")


def test_without_the_data(no_punkt):
    with pytest.raises(dsir.SettingError) as caught:
        dsir.HashedNgrams(tokenizer="word_tokenize", sentences="punkt")
    for part in ("python -m nltk.downloader punkt_tab", 'sentences="none" needs neither'):
        assert part in str(caught.value)
    assert dsir.HashedNgrams(tokenizer="word_tokenize").tokens("Don't.") == ["do", "n't", "."]


@pytest.mark.parametrize("module", ["nltk", "nltk.tokenize.punkt"])
def test_without_nltk(no_punkt, monkeypatch, module):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(dsir.SettingError, match=r"pip install 'dsir\[nltk\]'"):
        dsir.HashedNgrams(tokenizer="word_tokenize", sentences="punkt")
    assert dsir.HashedNgrams(tokenizer="word_tokenize").tokens("Don't.") == ["do", "n't", "."]


def test_command_line(world, tmp_path, invoke_dsir, punkt):
    raw = world.write_jsonl(tmp_path / "raw", [".jsonl"])
    target = world.write_jsonl(tmp_path / "target", [".jsonl"])
    common = [*raw, "--target", *target, "--n", 9, "--quiet", "--min-tokens", 5]
    for number, options in enumerate([[], ["--sentences", "punkt"]]):
        out = tmp_path / f"out-{number}"
        done = invoke_dsir(
            "select", *common, "--tokenizer", "word_tokenize", *options, "--out", out
        )
        assert done.returncode == 0, done.stderr
        made = (out / "_dsir/selection.json").read_text(encoding="utf-8")
        assert '"tokenizer": "word_tokenize"' in made
        assert ("punkt_digest" in made) == (number == 1)
    done = invoke_dsir("select", *common, "--sentences", "punkt", "--out", tmp_path / "not")
    assert done.returncode == 2
    assert "--sentences punkt" in done.stderr
