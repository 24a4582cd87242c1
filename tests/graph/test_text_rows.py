"""Texts as sparse rows of hashed n-grams, by their definition."""

import math
from collections import Counter

import numpy as np
import pytest

from dsir import HashedNgrams, RowError, SettingError
from dsir.gais import text_rows
from dsir.gais.text_rows import ngram_rows

TEXTS = ["a b a b", "", "Straße 漢字 ½ a", "b", "a b c d e f g", "漢字 b"]


def by_definition(texts, features):
    counts = [Counter(bucket for _, bucket in features.ngrams(text)) for text in texts]
    rows_with = Counter(bucket for one in counts for bucket in one)
    found = []
    for one in counts:
        row = {
            bucket: math.log1p(count) * math.log(len(texts) / rows_with[bucket])
            for bucket, count in one.items()
        }
        length = math.sqrt(sum(value * value for value in row.values())) or 1.0
        found.append({bucket: value / length for bucket, value in row.items()})
    return found


@pytest.mark.parametrize(
    "features",
    [
        HashedNgrams(),
        HashedNgrams(n=1, buckets=7),
        HashedNgrams(n=3, tokenizer="chars"),
        HashedNgrams(hash="sha256", lower=False),
    ],
)
@pytest.mark.parametrize("at_once", [2, 4096])
def test_rows_are_those_of_the_definition(features, at_once, monkeypatch):
    monkeypatch.setattr(text_rows, "_AT_ONCE", at_once)
    found = ngram_rows(TEXTS, features)
    assert found.shape == (len(TEXTS), features.buckets)
    for row, expected in enumerate(by_definition(TEXTS, features)):
        span = slice(*found.indptr[row : row + 2].tolist())
        assert found.indices[span].tolist() == sorted(expected)
        np.testing.assert_allclose(
            found.data[span], [expected[bucket] for bucket in sorted(expected)], atol=1e-15
        )


def test_no_texts():
    assert ngram_rows([], HashedNgrams()).indptr.tolist() == [0]


def test_what_is_no_text():
    for texts, error in (
        (["a", "b\ud800"], RowError),
        (["a", 3], SettingError),
        (["a", None], SettingError),
    ):
        with pytest.raises(error):
            ngram_rows(texts, HashedNgrams())
    assert ngram_rows(["a", None], HashedNgrams(), fill=True).shape[0] == 2
