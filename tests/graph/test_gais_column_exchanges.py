"""Exchanges of rows judged by classifiers of words: the judges against scikit-learn, the search."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.naive_bayes import MultinomialNB

import dsir
from dsir import _core
from dsir.gais import column_exchanges
from dsir.gais.column_coverage import column_lists
from dsir.gais.column_exchanges import COLUMN_JUDGES, EXCHANGE_METRICS, exchanged_rows
from dsir.graph import GAIS


def rows_of(random: np.random.Generator, count: int, classes: int, width: int = 40):
    """Return rows of which a third of the columns is likelier in each class, and their labels."""
    labels = random.integers(0, classes, count).astype(np.int32)
    labels[:classes] = np.arange(classes)
    chance = np.where(np.arange(width) % classes == labels[:, None], 0.3, 0.1)
    matrix = scipy.sparse.csr_matrix((random.random((count, width)) < chance).astype(float))
    return matrix, labels


def of_length_1(matrix: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return scipy.sparse.csr_matrix(matrix.multiply(1 / np.maximum(lengths, 1)[:, None]))


def judges_say(matrix, labels, kept, asked) -> list[np.ndarray]:
    """Return the scores [asked, classes] of the three judges by other programs."""
    matrix = matrix[:, np.unique(matrix.indices)]
    rows, own = matrix[kept], labels[kept]
    bayes = MultinomialNB(alpha=0.1).fit(rows, own)
    classes = int(labels.max()) + 1
    of_bayes = np.full((len(asked), classes), -np.inf)
    of_bayes[:, bayes.classes_] = bayes.predict_joint_log_proba(matrix[asked])
    products = np.asarray((rows @ rows.T).todense())
    targets = np.where(own[:, None] == np.arange(classes), 1.0, -1.0)
    ridge = np.linalg.solve(products + np.eye(len(kept)), targets)
    near = np.asarray((matrix[asked] @ rows.T).todense())
    of_nearest = np.stack(
        [near[:, own == one].max(axis=1, initial=-1) for one in range(classes)], axis=1
    )
    return [of_bayes, near @ ridge, of_nearest]


@given(st.integers(0, 2**32), st.integers(2, 5), st.integers(1, 12), st.integers(0, 3))
@settings(deadline=None, max_examples=60)
def test_judges_say_what_others_say(seed, classes, more, tries):
    random = np.random.default_rng(seed)
    matrix, labels = rows_of(random, 60, classes)
    kept = np.sort(np.r_[np.arange(classes), random.permutation(np.arange(classes, 60))[:more]])
    lists = column_lists(matrix)
    unit = of_length_1(matrix)
    found, tallies = _core.judged_exchanges(
        lists.offsets,
        lists.columns,
        column_exchanges._values(lists),
        labels,
        np.arange(60, dtype=np.int32),
        kept.astype(np.int32),
        width=lists.width,
        classes=classes,
        tries=tries,
        most_exchanged=4,
        metric="accuracy",
        seed=seed,
    )
    # After exchanges, too, the judges know what they would know if trained anew.
    for rows, told in ((kept, tallies[0]), (np.sort(found), tallies[1])):
        asked = np.setdiff1d(np.arange(60), rows)
        for scores, own in zip(judges_say(unit, labels, rows, asked), told, strict=True):
            ranked = np.sort(scores, axis=1)
            doubtful = int((ranked[:, -1] - ranked[:, -2] < 1e-5).sum())
            guesses = scores.argmax(axis=1)
            expected = np.bincount(labels[asked][guesses == labels[asked]], minlength=classes)
            assert np.abs(own[:, 2] - expected).sum() <= doubtful
            assert own[:, 0].tolist() == np.bincount(labels[asked], minlength=classes).tolist()
            given_to = np.bincount(guesses, minlength=classes)
            assert np.abs(own[:, 1] - given_to).sum() <= 2 * doubtful


@pytest.mark.parametrize("metric", EXCHANGE_METRICS)
def test_the_metric_gets_better_and_no_class_is_lost(metric):
    matrix, labels = rows_of(np.random.default_rng(3), 400, 3)
    chosen = np.sort(np.r_[0:3, 50:67])
    rows, trials = exchanged_rows(
        column_lists(matrix),
        labels,
        chosen,
        metric=metric,
        seed=1,
        threads=1,
    )
    assert len(np.unique(rows)) == len(chosen)
    assert np.bincount(labels[rows], minlength=3).min() >= 1
    assert [one.recipe for one in trials] == ["column coverage", "rows exchanged"]
    assert [one.chosen for one in trials] == [False, True]
    assert trials[0].score == 0
    gains = [trials[1].metric[one] - trials[0].metric[one] for one in COLUMN_JUDGES]
    assert trials[1].score == pytest.approx(sum(gains))
    assert trials[1].score > 0.05


def test_metrics_are_those_of_scikit_learn():
    matrix, labels = rows_of(np.random.default_rng(4), 300, 3)
    chosen = np.arange(30)
    lists, unit = column_lists(matrix), of_length_1(matrix)
    asked = np.arange(30, 300)
    truth = labels[asked]
    guesses = [one.argmax(axis=1) for one in judges_say(unit, labels, chosen, asked)]
    measures = {
        "accuracy": lambda found: (found == truth).mean(),
        "balanced_accuracy": lambda found: balanced_accuracy_score(truth, found),
        "f1_macro": lambda found: f1_score(truth, found, average="macro"),
    }
    for metric in EXCHANGE_METRICS:
        _, trials = exchanged_rows(lists, labels, chosen, metric=metric, seed=0, threads=1)
        found = list(trials[0].metric.values())
        # Only the nearest row may be one of several.
        assert found[:2] == pytest.approx([measures[metric](one) for one in guesses[:2]])


@pytest.mark.parametrize("threads", [2, 3])
def test_parts_are_searched_the_same_by_any_threads(monkeypatch, threads):
    monkeypatch.setattr(column_exchanges, "_PART_ROWS", 100)
    monkeypatch.setattr(column_exchanges, "_LEAST_KEPT", 12)
    matrix, labels = rows_of(np.random.default_rng(5), 450, 3)
    chosen = np.sort(np.random.default_rng(6).permutation(450)[:60])
    parts = column_exchanges._parts(labels, chosen, 0)
    assert len(parts) == 5
    assert sorted(np.concatenate([members for members, _ in parts])) == list(range(450))
    assert sorted(np.concatenate([kept for _, kept in parts])) == chosen.tolist()
    assert {len(kept) for _, kept in parts} == {12}
    for members, _ in parts:
        share = np.bincount(labels[members], minlength=3) / np.bincount(labels)
        assert share == pytest.approx(0.2, abs=0.02)
    done: list[int] = []
    one, more = (
        exchanged_rows(
            column_lists(matrix),
            labels,
            chosen,
            metric="accuracy",
            seed=2,
            threads=number,
            advance=done.append,
        )
        for number in (1, threads)
    )
    assert one[0].tolist() == more[0].tolist()
    assert one[1] == more[1]
    assert sum(done) == 900


@pytest.mark.parametrize(
    ("rows", "kept", "parts"),
    [(2000, 1000, 4), (4096, 164, 1), (4097, 164, 2), (100_000, 2, 1), (100_000, 640, 10)],
)
def test_how_many_parts_there_are(rows, kept, parts):
    found = column_exchanges._parts(np.zeros(rows, np.int32), np.arange(kept), 0)
    assert len(found) == parts
    assert all(len(own) for _, own in found)


def test_few_rows_kept_of_many(monkeypatch):
    monkeypatch.setattr(column_exchanges, "_PART_ROWS", 20)
    matrix, labels = rows_of(np.random.default_rng(11), 300, 2, width=600)
    selector = GAIS(0.99, network=False).fit(matrix, labels)
    assert len(selector.sample_indices_) == 3
    assert len(selector.trials_) == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"metric": "log_loss"}, "metric must be accuracy"),
        ({"classes": 2}, "a label is out of range"),
        ({"members": [0, 2, 1]}, "members must be rows, ascending"),
        ({"members": [0, 9]}, "members must be rows, ascending"),
        ({"kept": [1, 1]}, "kept must be rows, ascending"),
        ({"kept": [3]}, "kept must be members, one at least"),
        ({"kept": []}, "kept must be members, one at least"),
        ({"labels": [0, 1]}, "values must have one entry"),
        ({"width": 1}, "a member is out of range"),
    ],
)
def test_the_core_refuses_what_it_would_read_out_of_range(changed, said):
    arrays = {"offsets": [0, 1, 2, 3, 4], "columns": [0, 1, 0, 1], "values": [1.0] * 4}
    given = {**arrays, "labels": [0, 1, 2, 0], "members": [0, 1, 2], "kept": [0, 1], **changed}
    types = {"offsets": np.int64, "values": np.float32}
    lists = {
        name: np.array(value, types.get(name, np.int32))
        for name, value in given.items()
        if isinstance(value, list)
    }
    numbers = {name: value for name, value in given.items() if name not in lists}
    known = {"width": 2, "classes": 3, "metric": "accuracy"} | numbers
    with pytest.raises(ValueError, match=said):
        _core.judged_exchanges(**lists, **known, tries=1, most_exchanged=1, seed=0)


def test_everything_kept_is_left_as_it_is():
    matrix, labels = rows_of(np.random.default_rng(7), 30, 2, width=600)
    selector = GAIS(0.0, network=False).fit(matrix, labels)
    assert selector.sample_indices_.tolist() == list(range(30))
    assert [one.chosen for one in selector.trials_] == [True, False]


def test_rows_without_columns_and_classes_of_one_row():
    matrix = scipy.sparse.csr_matrix((20, 700))
    labels = [0] * 10 + [1] * 9 + [2]
    selector = GAIS(0.7, network=False).fit(matrix, labels)
    assert {labels[row] for row in selector.sample_indices_} == {0, 1, 2}


def test_shares_that_are_given_are_kept():
    matrix, labels = rows_of(np.random.default_rng(8), 300, 3, width=600)
    for shares in ("proportional", "sqrt", "equal", {0: 5, 1: 9, 2: 2}):
        plain, searched = (
            GAIS(0.9, network=False, shares=shares, trials=trials).fit(matrix, labels)
            for trials in (False, True)
        )
        assert plain.sample_indices_.tolist() == searched.sample_indices_.tolist()
        assert searched.trials_ == []
        for select in ("auto", "column-coverage"):
            with pytest.raises(dsir.SettingError, match=r"^metric='f1_macro': "):
                GAIS(0.9, shares=shares, select=select, metric="f1_macro").fit(matrix, labels)


def test_more_classes_than_are_searched():
    matrix, labels = rows_of(np.random.default_rng(9), 260, 65, width=600)
    assert GAIS(0.5, network=False).fit(matrix, labels).trials_ == []
    labels[labels == 64] = 63
    assert len(GAIS(0.5, network=False).fit(matrix, labels).trials_) == 2


def test_texts_learn_more_than_by_columns_alone():
    """A class whose words are rare keeps more rows, and 1-NN, which no row is chosen for, gains."""
    random = np.random.default_rng(10)
    everyday = [f"w{one}" for one in range(200)]
    texts, labels = [], []
    for row in range(1500):
        label = int(row % 10 >= 8)
        words = random.choice(everyday, 10).tolist()
        words[0] = f"{'xy'[label]}{int(random.integers(12))}"
        texts.append(" ".join(words))
        labels.append(label)
    features = dsir.HashedNgrams(n=1)
    selector = GAIS(0.97, features=features, network=False).fit(texts[:1000], labels[:1000])
    assert selector.trials_[1].chosen
    assert selector.trials_[1].score > 0.02
    again = GAIS(0.97, features=features, network=False, n_jobs=2).fit(texts[:1000], labels[:1000])
    assert again.sample_indices_.tolist() == selector.sample_indices_.tolist()
