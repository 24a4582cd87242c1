"""normalize="NFC": composed and decomposed characters are the same features, in every stage."""

from __future__ import annotations

import json
import random
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir import _core
from dsir.errors import SettingError
from dsir.model.quality import QualityFilters

FRENCH = ["règle", "école", "procès", "jugé", "évidence", "société", "été", "où", "déjà"]
ENGLISH = ["onion", "butter", "simmer", "oven", "garlic", "flour", "whisk", "roast"]
COMMON = ["de", "la", "et", "les", "des"]
NFC = dsir.HashedNgrams(normalize="NFC")


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def documents(words: list[str], number: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [
        " ".join(draw.choice(words if draw.random() < 0.7 else COMMON) for _ in range(150))
        for _ in range(number)
    ]


TARGET = documents(FRENCH, 10, seed=1)
RAW = documents(FRENCH, 20, seed=2) + documents(ENGLISH, 20, seed=3)


def select(raw, **more):
    return dsir.select(raw, TARGET, n=20, smoothing=1.0, progress=False, method="top-k", **more)


@pytest.mark.filterwarnings("ignore:.*form NFD")
def test_decomposed_documents_are_selected_as_composed_ones_are():
    decomposed = [nfd(text) for text in RAW]
    composed = select(RAW)
    found = select(decomposed, features=NFC)
    assert sorted(found.rows.tolist()) == list(range(20))
    assert (found.log_weights == composed.log_weights).all()
    assert sorted(select(decomposed).rows.tolist()) != list(range(20))
    # The rows are written as they are.
    assert found.table["text"].to_pylist() == [decomposed[row] for row in found.rows]


def test_text_in_this_form_has_the_same_results_without():
    plain, composed = select(RAW), select(RAW, features=NFC)
    assert (plain.rows == composed.rows).all()
    assert (plain.log_weights == composed.log_weights).all()
    assert plain.metrics.tokens == composed.metrics.tokens


def test_scores_and_explanations_and_counts():
    model = dsir.fit(RAW, TARGET, features=NFC, smoothing=1.0, progress=False)
    text = TARGET[0]
    assert model.score([nfd(text)]).tolist() == model.score([text]).tolist()
    assert model.explain(nfd(text)) == model.explain(text)
    assert (NFC.counts([nfd(text)]) == dsir.HashedNgrams().counts([text])).all()
    assert NFC.tokens(nfd("École")) == ["école"]
    plain = dsir.kl_reduction(RAW, RAW, TARGET)
    assert dsir.kl_reduction([nfd(text) for text in RAW], RAW, TARGET, features=NFC) == plain


def test_a_model_file_holds_the_form(tmp_path):
    model = dsir.fit(RAW, TARGET, features=NFC, progress=False)
    model.save(tmp_path / "m.dsir")
    loaded = dsir.ImportanceModel.load(tmp_path / "m.dsir")
    assert loaded.features == NFC
    assert loaded.score([nfd(RAW[0])]).tolist() == model.score([RAW[0]]).tolist()


def test_features_without_a_form_are_described_as_before():
    assert "normalize" not in dsir.HashedNgrams().describe()
    assert NFC.describe()["normalize"] == "NFC"
    assert NFC.fingerprint != dsir.HashedNgrams().fingerprint
    assert dsir.HashedNgrams.from_json(NFC.describe()) == NFC


@pytest.mark.parametrize("wrong", ["NFD", "nfc", "", 1, True])
def test_other_forms_are_refused(wrong):
    with pytest.raises(SettingError, match="normalize="):
        dsir.HashedNgrams(normalize=wrong)


def test_filters_measure_the_text_in_this_form():
    texts = pa.array([nfd(text) for text in TARGET])
    filters = QualityFilters(max_words=200, min_alphanumeric=0.99)
    assert filters.apply(texts).all()
    assert not filters.apply(texts, normalize="NFC").any()
    found = select([nfd(text) for text in RAW], features=NFC, filters=filters)
    assert len(found.rows) == 20


def test_windows_are_counted_in_this_form_and_cut_from_the_text_as_it_is():
    decomposed = [nfd(text) for text in RAW]
    settings = {"chunk_tokens": 60, "min_tokens": 20}
    plain = select(RAW, **settings)
    found = select(decomposed, features=NFC, **settings)
    texts = found.table["text"].to_pylist()
    assert [unicodedata.normalize("NFC", text) for text in texts] == plain.table["text"].to_pylist()
    assert all(any(text in whole for whole in decomposed) for text in texts)
    assert (found.log_weights == plain.log_weights).all()


def test_duplicates_are_compared_as_they_are():
    text = TARGET[0]
    raw = [text, nfd(text), text, *RAW[20:]]
    found = dsir.select(
        raw, TARGET, n=2, features=NFC, dedup="exact", method="top-k", progress=False
    )
    assert sorted(found.rows.tolist()) == [0, 1]


def test_the_option_and_the_manifest(invoke_dsir, tmp_path):
    pq.write_table(pa.table({"text": [nfd(text) for text in RAW]}), tmp_path / "raw.parquet")
    pq.write_table(pa.table({"text": TARGET}), tmp_path / "target.parquet")
    arguments = f"select {tmp_path}/raw.parquet -t {tmp_path}/target.parquet -n 20 --method top-k"
    out = tmp_path / "out"
    call = [*arguments.split(), "--normalize", "NFC", "--smoothing", "1", "-o", str(out)]
    done = invoke_dsir(*call)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((out / "_dsir" / "selection.json").read_text())
    assert '"normalize": "NFC"' in json.dumps(manifest)
    assert dsir.load(out).model.features == dsir.HashedNgrams(normalize="NFC")
    assert sorted(dsir.load(out).rows.tolist()) == list(range(20))
    assert not dsir.verify(out).findings


def test_words_of_sentences_are_those_of_the_text_in_this_form():
    nltk = pytest.importorskip("nltk")
    try:
        nltk.data.find("tokenizers/punkt_tab")
    except LookupError:
        pytest.skip("NLTK's sentence data is not installed")
    words = {"tokenizer": "word_tokenize", "sentences": "punkt"}
    features = dsir.HashedNgrams(**words, normalize="NFC")
    text = "L'école est fermée. Où est Noël?"
    assert features.tokens(nfd(text)) == dsir.HashedNgrams(**words).tokens(text)
    prepared = features.prepared(pa.array([nfd(text), None]))
    counts = np.zeros(features.buckets, dtype=np.int64)
    _core.count(prepared, features.spec, counts)
    assert (counts == dsir.HashedNgrams(**words).counts([text])).all()


def test_the_reference_takes_texts_as_they_are():
    from dsir.compat import get_ngram_counts

    assert (
        get_ngram_counts(nfd("école")) == dsir.HashedNgrams(hash="sha256").counts([nfd("école")])
    ).all()


NFKC = dsir.HashedNgrams(normalize="NFKC")
WIDE = {code: code - 0x20 + 0xFF00 for code in range(0x21, 0x7F)} | {0x20: 0x3000}


def wide(text: str) -> str:
    """The text in full-width letters and spaces, as East Asian texts hold Latin words."""
    return text.translate(WIDE)


def test_full_width_documents_are_selected_as_narrow_ones_are():
    raw = [wide(text) for text in RAW]
    narrow, found = select(RAW), select(raw, features=NFKC)
    assert (found.rows == narrow.rows).all()
    assert (found.log_weights == narrow.log_weights).all()
    assert found.table["text"].to_pylist() == [raw[row] for row in found.rows]
    assert not (select(raw, features=NFC).log_weights == narrow.log_weights).all()


def test_scores_and_explanations_and_files_of_compatible_characters(tmp_path):
    model = dsir.fit(RAW, TARGET, features=NFKC, smoothing=1.0, progress=False)
    text = TARGET[0] + " fig fire"
    written = wide(TARGET[0]) + " \ufb01g \ufb01re"
    assert model.score([written]).tolist() == model.score([text]).tolist()
    assert model.explain(written) == model.explain(text)
    model.save(tmp_path / "m.dsir")
    loaded = dsir.ImportanceModel.load(tmp_path / "m.dsir")
    assert loaded.features == NFKC != NFC
    assert loaded.features.fingerprint != NFC.fingerprint
    assert loaded.score([written]).tolist() == model.score([text]).tolist()


def test_windows_of_full_width_text_are_cut_from_it_as_it_is():
    settings = {"chunk_tokens": 60, "min_tokens": 20}
    plain = select(RAW, **settings)
    found = select([wide(text) for text in RAW], features=NFKC, **settings)
    expected = [wide(text) for text in plain.table["text"].to_pylist()]
    assert found.table["text"].to_pylist() == expected
    assert (found.log_weights == plain.log_weights).all()


def test_the_option_takes_both_forms(invoke_dsir, tmp_path):
    pq.write_table(pa.table({"text": [wide(text) for text in RAW]}), tmp_path / "raw.parquet")
    pq.write_table(pa.table({"text": TARGET}), tmp_path / "target.parquet")
    arguments = f"select {tmp_path}/raw.parquet -t {tmp_path}/target.parquet -n 20 --method top-k"
    call = [*arguments.split(), "--smoothing", "1", "-o", str(tmp_path / "out")]
    done = invoke_dsir(*call, "--normalize", "NFKD")
    assert done.returncode == 2
    assert "--normalize" in done.stderr
    assert "NFKC" in done.stderr
    done = invoke_dsir(*call, "--normalize", "NFKC")
    assert done.returncode == 0, done.stderr
    assert dsir.load(tmp_path / "out").rows.tolist() == select(RAW).rows.tolist()
    assert not dsir.verify(tmp_path / "out").findings
