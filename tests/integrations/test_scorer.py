"""TextScorer: what all adapters do with a batch."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pytest

import dsir
from dsir.integrations.scorer import TextScorer


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
)
def test_the_numbers_are_those_of_score(model, texts, expected, kind):
    array = pa.array(texts, pa.string()).cast(kind)
    scorer = TextScorer.of(model)
    for source in (array, array.slice(0), pa.chunked_array([array[:3], array[3:]]), texts):
        assert scorer.log_weight(source).tolist() == expected.tolist()
    table = pa.table({"n": range(len(texts)), "doc": pa.StructArray.from_arrays([array], ["body"])})
    assert scorer.log_weight(table, text="doc.body").tolist() == expected.tolist()


def test_a_batch_is_one_call_of_the_core(model, texts, monkeypatch):
    calls = []
    whole = dsir.ImportanceModel.score_batch

    def counted(self, batch, **options):
        calls.append(len(batch))
        return whole(self, batch, **options)

    monkeypatch.setattr(dsir.ImportanceModel, "score_batch", counted)
    TextScorer.of(model).log_weight(texts * 1000)
    assert calls == [len(texts) * 1000]


def test_batches_without_rows_and_without_texts(model):
    scorer = TextScorer.of(model)
    for empty in ([], pa.array([], pa.string()), pa.array([]), pa.table({"text": pa.array([])})):
        assert scorer.log_weight(empty).shape == (0,)
    assert scorer.log_weight(pa.nulls(3)).tolist() == [0, 0, 0]
    assert scorer.log_weight(pa.table({"text": pa.nulls(3)})).tolist() == [0, 0, 0]
    assert scorer.scores(["", "sea"]).tokens.tolist() == [0, 1]


def test_what_holds_no_texts(model):
    scorer = TextScorer.of(model)
    with pytest.raises(dsir.TextColumnError, match="holds int64, not text"):
        scorer.log_weight(pa.array([1, 2]))
    with pytest.raises(dsir.TextColumnError, match=r"no column 'text'.*did you mean"):
        scorer.log_weight(pa.table({"texts": ["a"]}))
    with pytest.raises(dsir.SettingError, match="element 1 is int"):
        scorer.log_weight(["a", 2])
    for source in ("corpus.jsonl", b"text", 3, {"text": ["a"]}):
        with pytest.raises(dsir.SettingError, match="expected a column or a list of texts"):
            scorer.log_weight(source)
    bad = pa.array([b"sea", b"\xff"]).view(pa.string())
    with pytest.raises(dsir.RowError, match=r"column x: row 1: the text is not UTF-8"):
        scorer.log_weight(bad, name="column x")


def test_bytes_need_an_encoding(model, texts, expected):
    array = pa.array([None if text is None else text.encode("utf-16") for text in texts])
    assert TextScorer.of(model, text_encoding="utf-16").log_weight(array).tolist() == (
        expected.tolist()
    )
    with pytest.raises(dsir.TextColumnError, match="text_encoding"):
        TextScorer.of(model).log_weight(array)


def test_separate_targets_are_named(model, two_targets, texts):
    both = two_targets.score(dsir.texts(texts))
    for column, target in enumerate(("sea", "law")):
        found = TextScorer.of(two_targets, target=target).log_weight(texts)
        assert found.tolist() == both[:, column].tolist()
    with pytest.raises(dsir.SettingError, match=r"sea, law; name one, e.g. target='sea'"):
        TextScorer.of(two_targets)
    with pytest.raises(dsir.SettingError, match=r"no such target; it has sea, law"):
        TextScorer.of(two_targets, target="sky")
    with pytest.raises(dsir.SettingError, match="one log-weight, without name"):
        TextScorer.of(model, target="sea")


def test_models_by_path_and_by_pickle(model, texts, expected, tmp_path):
    model.save(tmp_path / "m.dsir")
    scorer = TextScorer.of(str(tmp_path / "m.dsir"), threads=2)
    sent = pickle.loads(pickle.dumps(scorer))
    assert sent.log_weight(texts).tolist() == expected.tolist()
    with pytest.raises(dsir.SettingError, match=r"model=3: expected a model"):
        TextScorer.of(3)
    with pytest.raises(dsir.SettingError, match="threads"):
        TextScorer.of(model, threads=0)
    with pytest.raises(dsir.ModelError):
        TextScorer.of(tmp_path / "none.dsir")


def test_long_columns_are_read_in_bounded_batches(model):
    long = ["sea " * (1 << 20)] * 5
    weights = TextScorer.of(model).log_weight(long)
    assert np.unique(weights).shape == (1,)
    assert weights[0] == model.score(dsir.texts(long[:1]))[0]
