from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from dsir import HashedNgrams, RowError, SettingError, _core
from dsir.lexrank.stopwords import stopwords_of
from dsir.lexrank.terms import count_terms
from dsir.lexrank.units import units_of


def counted(texts, stopwords=None, punctuation=False, threads=1):
    return count_terms(
        texts,
        text="text",
        name="units",
        stopwords=stopwords,
        punctuation=punctuation,
        keep_rows=True,
        threads=threads,
    )


def terms_by_rank(counter):
    """Terms in the order in which `take` numbers them, but for ties."""
    text, offsets, documents = counter.sorted_terms()
    terms = [text[a:b].decode() for a, b in pairwise(offsets)]
    return dict(zip(terms, documents.tolist(), strict=True))


def test_counts_are_those_of_the_tokens(units, brute_force):
    counter = counted(units)
    bags = [brute_force.words(text) for text in units]
    expected = Counter(term for bag in bags for term in set(bag))
    assert terms_by_rank(counter) == dict(expected)
    assert counter.units == len(units)
    assert counter.documents == sum(map(bool, bags))
    offsets, columns, counts, documents = counter.take()
    assert (np.diff(documents) <= 0).all()
    assert sorted(documents.tolist()) == sorted(expected.values())
    for row, bag in enumerate(bags):
        found = slice(offsets[row], offsets[row + 1])
        assert (np.diff(columns[found]) > 0).all()
        wanted = sorted((expected[term], count) for term, count in Counter(bag).items())
        assert sorted(zip(documents[columns[found]], counts[found], strict=True)) == wanted


def test_terms_are_numbered_by_frequency_then_first_occurrence():
    _, columns, counts, documents = counted(["b a c", "c b b", "c d"]).take()
    assert documents.tolist() == [3, 2, 1, 1]  # c, b, a, d
    assert columns.tolist() == [0, 1, 2, 0, 1, 0, 3]
    assert counts.tolist() == [1, 1, 1, 1, 2, 1, 1]


def test_punctuation_and_stop_words():
    tokens = HashedNgrams().tokens
    text = "The ship, the SHIP: don't!"
    assert set(terms_by_rank(counted([text], punctuation=True))) == set(tokens(text))
    assert set(terms_by_rank(counted([text]))) == {"the", "ship", "don", "t"}
    assert set(terms_by_rank(counted([text], stopwords="en"))) == {"ship"}
    assert set(terms_by_rank(counted([text], stopwords=["ship"]))) == {"the", "don", "t"}


def test_the_list_of_stop_words_is_as_the_tokeniser_leaves_it():
    words = stopwords_of("en")
    for word in words:
        assert HashedNgrams().tokens(word) == [word]
    with pytest.raises(SettingError, match="stopwords='xx'"):
        stopwords_of("xx")
    with pytest.raises(SettingError, match="3 is int"):
        stopwords_of(["a", 3])


def test_batches_and_threads_change_nothing(many_units):
    texts = many_units(30_000, seed=9)
    whole = counted(texts).take()
    parts = _core.TermCounter(words_only=True, stopwords=[], keep_rows=True)
    for start in (0, 1, 7, 10_000, 29_999):
        stop = {0: 1, 1: 7, 7: 10_000, 10_000: 29_999, 29_999: 30_000}[start]
        parts.add(pa.array(texts[start:stop], pa.string()), threads=3)
    for found, expected in zip(parts.take(threads=5), whole, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_bad_rows_leave_nothing_behind():
    values = [b"good ship", b"bad ship \xff", b"ship"]
    array = pa.array(values, pa.binary()).view(pa.string())
    counter = _core.TermCounter(words_only=True, stopwords=[], keep_rows=True)
    assert counter.add(array).tolist() == [1]
    assert terms_by_rank(counter) == {"good": 1, "ship": 2}
    assert counter.take()[0].tolist() == [0, 2, 2, 3]
    with pytest.raises(RowError, match="units: row 1: the text is not UTF-8"):
        units_of(pa.table({"text": array}))


def test_a_list_of_strings_is_texts_even_where_it_looks_like_paths(tmp_path):
    (tmp_path / "there.jsonl").write_text("{}")
    counter = counted([str(tmp_path / "there.jsonl"), "See corpus.parquet"])
    assert counter.units == 2
    assert counter.documents_with(b"corpus") == 1


def test_token_lists_are_taken_as_they_are():
    lists = pa.array([["New York", "ok"], [], None, ["ok", "ok", ""]], pa.list_(pa.string()))
    offsets, values = np.array([0, 2, 2, 2, 5]), lists.flatten()
    counter = _core.TermCounter(words_only=False, stopwords=["nothing"], keep_rows=True)
    counter.add_tokens(values, offsets)
    assert terms_by_rank(counter) == {"New York": 1, "ok": 2}
    assert units_of(lists).occupied.tolist() == [1, 0, 0, 1]
    assert units_of(lists.slice(2)).occupied.tolist() == [0, 1]
    assert units_of(lists, stopwords=["ok"]).occupied.tolist() == [1, 0, 0, 0]
