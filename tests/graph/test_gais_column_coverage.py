"""Selection of sparse rows by the columns that tell their class, against plain greedy."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir.gais.column_coverage import column_covering_rows, column_lists
from dsir.gais.held_out import held_out_report
from dsir.gais.text_rows import frequent_columns, ngram_rows
from dsir.graph import GAIS

WORDS = {0: "wind sail harbour tide rope", 1: "oven flour butter sugar dough"}
EVERYDAY = ["the", "and", "of", "a", "day", "one", "very", "good", "little", "then"]


def plain(lists: list[list[int]], labels: list[int], shares: list[int], priority: list[int]):
    """Return what greedy takes by the definition, all gains computed anew for every row."""
    chosen: list[int] = []
    for own, share in enumerate(shares):
        inside = [row for row, label in enumerate(labels) if label == own]
        weights = {}
        for column in {one for row in inside for one in lists[row]}:
            a = sum(column in lists[row] for row in inside)
            b = sum(column in one for one in lists) - a
            likelier = (a + 0.5) / (len(inside) + 1) / ((b + 0.5) / (len(lists) - len(inside) + 1))
            weights[column] = a * max(math.log(likelier), 0) if a + b > 1 else 0.0
        taken: list[int] = []
        for _ in range(share):
            left = [row for row in inside if row not in taken]

            def gain(row: int, taken=taken, weights=weights) -> float:
                parts = [
                    weights[column] / (1 + sum(column in lists[one] for one in taken)) ** 2
                    for column in lists[row]
                ]
                return round(sum(parts) / max(1, len(parts)) ** 0.75, 9)

            taken.append(min(left, key=lambda row: (-gain(row), priority[row])))
        chosen += taken
    return sorted(chosen)


@given(
    rows=st.lists(
        st.tuples(st.lists(st.integers(0, 9), max_size=6, unique=True), st.integers(0, 1)),
        min_size=2,
        max_size=14,
    ),
    seed=st.integers(0, 3),
    data=st.data(),
)
def test_takes_what_plain_greedy_takes(rows, seed, data):
    lists = [sorted(columns) for columns, _ in rows]
    labels = [label for _, label in rows]
    counts = np.bincount(labels, minlength=2)
    shares = [data.draw(st.integers(0, int(count))) for count in counts]
    matrix = scipy.sparse.lil_matrix((len(rows), 10))
    for row, columns in enumerate(lists):
        matrix[row, columns] = 1.0
    found = column_covering_rows(
        column_lists(matrix.tocsr()),
        np.array(labels, np.int32),
        np.array(shares, np.int64),
        seed=seed,
        threads=data.draw(st.integers(1, 3)),
    )
    random = np.random.Generator(np.random.Philox([seed, 3]))
    priority = random.permutation(len(rows)).tolist()
    assert found.tolist() == plain(lists, labels, shares, priority)


def test_lists_have_each_column_once_and_no_zeros():
    matrix = scipy.sparse.csr_matrix(
        (
            np.array([1.0, 2.0, 0.0, -3.0, 1.0, -1.0]),
            np.array([700, 2, 5, 0, 2, 2]),
            np.array([0, 4, 4, 6]),
        ),
        shape=(3, 1000),
    )
    lists = column_lists(matrix)
    assert lists.offsets.tolist() == [0, 3, 3, 4]
    assert lists.columns.tolist() == [0, 1, 2, 1]
    assert lists.width == 3
    assert lists.columns.dtype == np.int32
    narrow = column_lists(matrix[:, [0, 2, 5, 700]])
    assert narrow.columns.tolist() == [0, 1, 3, 1]
    assert narrow.width == 4


def test_columns_that_no_row_has_take_no_memory_and_change_nothing():
    rows, labels = sparse(600)
    coordinates = rows.tocoo()
    there = (coordinates.data, (coordinates.row, coordinates.col * 3_000_000))
    wide = scipy.sparse.csr_matrix(there, shape=(80, 600 * 3_000_000))
    for trials in (False, True):
        found = [
            GAIS(0.8, network=False, trials=trials).fit(one, labels).sample_indices_.tolist()
            for one in (rows, wide)
        ]
        assert found[0] == found[1]


def texts_of(count: int, seed: int) -> tuple[list[str], list[int]]:
    """Return texts of everyday words; one in four has words that tell its class."""
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for row in range(count):
        words = random.choice(EVERYDAY, 12).tolist()
        if row % 4 < 2:
            words[3:5] = random.choice(WORDS[row % 2].split(), 2).tolist()
        texts.append(" ".join(words))
        labels.append(row % 2)
    return texts, labels


def test_texts_are_chosen_by_the_words_that_tell_their_class():
    texts, labels = texts_of(400, 1)
    features = dsir.HashedNgrams(n=1)
    selector = GAIS(0.9, features=features, network=False, trials=False)
    chosen = selector.fit(texts, labels).sample_indices_
    assert len(chosen) == 40
    assert selector.trials_ == []
    telling = {word for own in WORDS.values() for word in own.split()}
    assert all(telling & set(texts[row].split()) for row in chosen.tolist())
    seen = {word for row in chosen.tolist() for word in texts[row].split()}
    assert telling <= seen
    by_distance = GAIS(0.9, features=features, network=False, select="coverage")
    assert by_distance.fit(texts, labels).sample_indices_.tolist() != chosen.tolist()


def test_wrong_labels_are_passed_over():
    texts, labels = texts_of(400, 2)
    wrong = list(range(0, 400, 12))
    for row in wrong:
        labels[row] = 1 - labels[row]
    selector = GAIS(0.9, features=dsir.HashedNgrams(n=1), network=False, trials=False)
    selector.fit(texts, labels)
    told = [row for row in wrong if row % 4 < 2]
    assert told
    assert not set(told) & set(selector.sample_indices_.tolist())


@pytest.mark.parametrize("threads", [2, 3])
def test_the_result_does_not_depend_on_threads(threads):
    texts, labels = texts_of(300, 3)
    features = dsir.HashedNgrams()
    one = GAIS(0.8, features=features, network=False, n_jobs=1).fit(texts, labels)
    more = GAIS(0.8, features=features, network=False, n_jobs=threads).fit(texts, labels)
    assert one.sample_indices_.tolist() == more.sample_indices_.tolist()


def test_rows_that_gain_the_same_depend_on_the_seed():
    labels = [0, 1] * 50
    rows = scipy.sparse.csr_matrix(([1.0] * 100, ([*range(100)], labels)), shape=(100, 600))
    found = {
        tuple(GAIS(0.9, network=False, random_state=seed).fit(rows, labels).sample_indices_)
        for seed in range(4)
    }
    assert len(found) == 4


def sparse(width: int) -> tuple[scipy.sparse.csr_matrix, list[int]]:
    rows = scipy.sparse.random(80, width, 0.05, format="csr", random_state=np.random.RandomState(0))
    return rows, [0, 1] * 40


def test_what_auto_comes_to():
    for width, way in ((512, "coverage"), (513, "column-coverage")):
        rows, labels = sparse(width)
        auto = GAIS(0.8, network=False).fit(rows, labels)
        named = GAIS(0.8, network=False, select=way).fit(rows, labels)
        assert auto.sample_indices_.tolist() == named.sample_indices_.tolist()
        assert len(auto.trials_) == (2 if way == "column-coverage" else len(named.trials_))
    rows, labels = sparse(700)
    dense = GAIS(0.8, network=False).fit(rows.toarray(), labels)
    assert len(dense.trials_) > 2


def test_column_coverage_needs_sparse_rows():
    rows, labels = sparse(30)
    with pytest.raises(dsir.SettingError, match=r"^select='column-coverage': looks at which"):
        GAIS(0.8, select="column-coverage").fit(rows.toarray(), labels)
    assert len(GAIS(0.8, select="column-coverage").fit(rows, labels).sample_indices_) == 16


@pytest.mark.parametrize(("name", "value"), [("metric", "log_loss"), ("passes", 3.0)])
def test_arguments_of_trials_are_refused_where_there_are_none(name, value):
    rows, labels = sparse(700)
    with pytest.raises(dsir.SettingError, match=f"^{name}=.*give select='coverage' as well"):
        GAIS(0.8, **{name: value}).fit(rows, labels)
    with pytest.raises(dsir.SettingError, match=f"^{name}=.*does not go with select="):
        GAIS(0.8, select="column-coverage", **{name: value}).fit(rows, labels)
    assert GAIS(0.8, select="coverage", network=False, **{name: value}).fit(rows, labels).trials_


def test_weights_and_scores_are_there_as_for_other_rows():
    texts, labels = texts_of(200, 4)
    selector = GAIS(0.9, features=dsir.HashedNgrams(n=1), weights=True, epochs=2)
    selector.fit(texts, labels)
    assert selector.sample_weight_.sum() == 200
    assert len(selector.scores_) == 200


def test_classifiers_of_a_report_see_the_words():
    """One text in two has a telling word, of sixty in each class; all texts kept have one."""
    random = np.random.default_rng(5)
    texts, labels = [], []
    for row in range(2400):
        words = random.choice(EVERYDAY, 8).tolist()
        if row % 4 < 2:
            words[3] = f"{'xy'[row % 2]}{int(random.integers(60))}"
        texts.append(" ".join(words))
        labels.append(row % 2)
    selector = GAIS(0.95, features=dsir.HashedNgrams(n=1), network=False)
    found = held_out_report(selector, texts, pa.chunked_array([labels]))
    linear = found["accuracy"]["linear"]
    assert linear["kept"] > linear["random"] + 0.03
    assert (found["held_out"], found["rows_kept"]) == (480, 96)


def test_frequent_columns_are_those_that_most_rows_have():
    rows = ngram_rows(["a b c", "a b", "a", "d"], dsir.HashedNgrams(n=1, buckets=100_000))
    dense = frequent_columns(rows)
    assert dense.shape == (4, 2048)
    lengths = np.sqrt((dense.astype(np.float64) ** 2).sum(axis=1))
    assert lengths == pytest.approx(1)
    assert [np.count_nonzero(row) for row in dense] == [3, 2, 1, 1]


def test_frequent_columns_of_many_rows_are_few(monkeypatch):
    monkeypatch.setattr("dsir.gais.text_rows._MOST_ENTRIES", 12)
    rows = ngram_rows(["a b c", "a b", "a", "d"], dsir.HashedNgrams(n=1, buckets=100_000))
    dense = frequent_columns(rows)
    assert dense.shape == (4, 3)
    assert [np.count_nonzero(row) for row in dense][:3] in ([3, 2, 1], [2, 2, 1])
