"""How many rows each class keeps, what kept rows stand for, what judges are measured by."""

from __future__ import annotations

import numpy as np
import pytest

from dsir.errors import SettingError
from dsir.gais import represented, trials
from dsir.gais.class_budgets import class_shares, shares_in
from dsir.gais.judges import judge
from dsir.gais.labelled_table import standardised
from dsir.gais.represented import represented_rows
from dsir.graph import GAIS, KMeansPrototypes, RandomSelection

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(500, 3))
Y = np.where(X[:, 0] > 1.5, "rare", np.where(X[:, 0] > 0.3, "some", "most"))
COUNTS = {label: int((label == Y).sum()) for label in ("most", "rare", "some")}
FAST = {"epochs": 2, "passes": 2.0}


def kept_by_label(y):
    labels, counts = np.unique(y, return_counts=True)
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


@pytest.mark.parametrize(
    ("counts", "keep", "weights", "expected"),
    [
        ([900, 100], 40, np.sqrt([900, 100]), [30, 10]),
        ([900, 100], 40, [1, 1], [20, 20]),
        ([900, 5, 95], 60, [1, 1, 1], [28, 5, 27]),  # What a class cannot give, the others give.
        ([4, 4, 992], 1000, [1, 1, 1], [4, 4, 992]),
        ([10, 10], 3, np.sqrt([10, 10]), [2, 1]),
        ([1000, 1], 2, np.sqrt([1000, 1]), [1, 1]),
    ],
)
def test_shares_by_weights(counts, keep, weights, expected):
    assert class_shares(np.array(counts), keep, np.asarray(weights)).tolist() == expected


def makers():
    yield "gais", lambda **given: GAIS(0.9, **FAST, **given)
    yield "k-means", lambda **given: KMeansPrototypes(0.9, **given)
    yield "random", lambda **given: RandomSelection(0.9, **given)


@pytest.mark.parametrize("make", [make for _, make in makers()], ids=[name for name, _ in makers()])
def test_every_selector_keeps_what_shares_says(make):
    counts = np.array(list(COUNTS.values()))
    roots = np.sqrt(counts) / np.sqrt(counts).sum() * 50
    for shares, expected in (
        ("proportional", counts / 10),
        ("sqrt", roots),
        ("equal", np.array([50, 50, 50]) / 3),
    ):
        _, y = make(shares=shares).fit_resample(X, Y)
        assert len(y) == 50
        assert np.abs(np.array(list(kept_by_label(y).values())) - expected).max() < 1
    wanted = {"some": 11, "most": 7, "rare": 5}
    _, y = make(shares=wanted).fit_resample(X, Y)
    assert kept_by_label(y) == wanted


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ("root", "shares='root': expected ('auto' or )?'proportional' or 'sqrt' or 'equal'"),
        (3, "shares=3: expected .* a dict with the number of rows"),
        ({"most": 0}, "shares\\['most'\\]=0"),
        ({"most": 2.5}, "shares\\['most'\\]=2.5"),
        ({"most": 1, "rare": 1, "none": 1}, "y has no label 'none'; its labels are 'most', 'rare'"),
        ({"most": 1}, "how many rows of 'rare', 'some'\\?"),
        ({"most": 1, "rare": 400, "some": 1}, "400 rows of the label 'rare', which has only"),
    ],
)
@pytest.mark.parametrize("make", [make for _, make in makers()], ids=[name for name, _ in makers()])
def test_shares_that_cannot_be_kept(make, shares, message):
    with pytest.raises(SettingError, match=message):
        make(shares=shares).fit(X, Y)


def test_trials_choose_between_shares(monkeypatch):
    gais = GAIS(0.9, **FAST, random_state=0)
    assert gais.shares == "auto"
    gais.fit(X, Y)
    rooted = [one.recipe for one in gais.trials_ if "roots" in one.recipe]
    assert rooted
    assert len(set(rooted)) == len(rooted)
    counts = np.array(list(COUNTS.values()))
    expected = {False: class_shares(counts, 50), True: class_shares(counts, 50, np.sqrt(counts))}
    assert (expected[False] != expected[True]).any()

    def kept_if(wins):
        scores = trials.trial_scores

        def judged(measured, drawn):
            found = scores(measured, drawn)
            roots = np.arange(len(found)) >= len(found) - len(rooted)
            return np.where(roots == wins, found, -np.inf)

        monkeypatch.setattr(trials, "trial_scores", judged)
        _, y = gais.fit_resample(X, Y)
        monkeypatch.undo()
        return list(kept_by_label(y).values())

    for wins, kept in expected.items():
        assert kept_if(wins) == kept.tolist()
    plain = GAIS(0.9, **FAST, shares="proportional").fit(X, Y)
    assert [one.recipe for one in plain.trials_] == [
        one.recipe for one in gais.trials_ if one.recipe not in rooted
    ]
    several = GAIS(0.9, **FAST, n_jobs=3).fit(X, Y)
    assert several.sample_indices_.tolist() == gais.fit(X, Y).sample_indices_.tolist()


def test_shares_in_proportion_where_nothing_is_tried():
    even = np.arange(len(X)) % 3
    tried = GAIS(0.9, **FAST).fit(X, even).trials_
    assert not [one for one in tried if "roots" in one.recipe]
    for given in ({"trials": False}, {"select": "top"}, {"select": "attention-coverage"}):
        one, other = (
            GAIS(0.9, epochs=2, **given, shares=shares).fit(X, Y).sample_indices_.tolist()
            for shares in ("auto", "proportional")
        )
        assert one == other
    with pytest.raises(SettingError, match="'auto'"):
        RandomSelection(0.9, shares="auto").fit(X, Y)


def test_shares_by_roots_on_a_sample(monkeypatch):
    monkeypatch.setattr(trials, "TRIAL_ROWS", 200)
    gais = GAIS(0.9, **FAST).fit(X, Y)
    assert [one for one in gais.trials_ if "roots" in one.recipe]
    assert len(gais.sample_indices_) == 50


def test_shares_as_the_command_line_has_them():
    assert shares_in("sqrt") == "sqrt"
    assert shares_in("a=3, b=c=2k") == {"a": 3, "b=c": 2000}
    for text, message in (
        ("best", "expected 'auto' or 'proportional'"),
        ("a=1,2", "has no label"),
        ("a=1,a=2", "names 'a' twice"),
        ("a=few", "shares: a='few': expected a whole number"),
    ):
        with pytest.raises(SettingError, match=message):
            shares_in(text)


def nearest_counts(x, labels, kept):
    """By brute force: how many rows of its class are nearest to each kept row."""
    distances = ((x[:, None].astype(float) - x[kept][None]) ** 2).sum(axis=2)
    distances[labels[:, None] != labels[kept][None]] = np.inf
    distances[kept, np.arange(len(kept))] = -1  # A kept row stands for itself.
    return np.bincount(distances.argmin(axis=1), minlength=len(kept)).tolist()


def test_weights_count_the_nearest_rows_of_the_class():
    x = standardised(np.vstack([X, X[:20]]))  # Some rows are equal.
    labels = np.unique(np.concatenate([Y, Y[:20]]), return_inverse=True)[1].astype(np.int32)
    kept = np.sort(np.random.default_rng(1).permutation(len(x))[:60])
    found = [represented_rows(x, labels, kept, seed=0, threads=n).tolist() for n in (1, 3)]
    assert found[0] == found[1] == nearest_counts(x, labels, kept)


def test_weights_of_a_table_in_parts(monkeypatch):
    monkeypatch.setattr(represented, "PART_ROWS", 60)
    x = standardised(X)
    labels = np.unique(Y, return_inverse=True)[1].astype(np.int32)
    # A class of one kept row is in one part only; the rows of other parts find it.
    kept = np.array([np.flatnonzero(labels == label)[0] for label in range(3)])
    found = represented_rows(x, labels, np.sort(kept), seed=0, threads=2)
    by_label = np.bincount(labels[np.sort(kept)], found, minlength=3)
    assert by_label.tolist() == list(COUNTS.values())


@pytest.mark.parametrize("select", ["coverage", "top", "attention-coverage"])
def test_weights_add_up_to_the_rows_of_each_class(select):
    gais = GAIS(0.9, select=select, shares="sqrt", weights=True, epochs=2)
    _, y = gais.fit_resample(X, Y)
    weights = gais.sample_weight_
    assert weights.dtype == np.int64
    assert len(weights) == len(y)
    assert weights.min() >= 1
    assert {label: weights[y == label].sum() for label in COUNTS} == COUNTS
    assert not hasattr(GAIS(0.9, **FAST).fit(X, Y), "sample_weight_")


def test_scikit_learn_trains_with_the_weights():
    linear = pytest.importorskip("sklearn.linear_model")
    gais = GAIS(0.8, shares="equal", weights=True, **FAST)
    x, y = gais.fit_resample(X, Y)
    model = linear.LogisticRegression(max_iter=500)
    plain = model.fit(x, y).predict_proba(X).mean(axis=0)
    weighted = model.fit(x, y, sample_weight=gais.sample_weight_).predict_proba(X).mean(axis=0)
    true = np.array([COUNTS[label] for label in model.classes_]) / len(Y)
    # Kept rows have equal classes; their weights bring back the shares of all rows.
    assert np.abs(weighted - true).max() < 0.5 * np.abs(plain - true).max()


def judged(candidate, weights=None, rows=X, labels=None, asked=None):
    codes = np.unique(Y, return_inverse=True)[1].astype(np.int32) if labels is None else labels
    asked = np.arange(len(rows)) if asked is None else asked
    return judge(
        standardised(rows),
        codes,
        [candidate],
        asked.astype(np.int32),
        seed=0,
        threads=1,
        weights=None if weights is None else [weights],
    )


def test_metrics_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    kept, asked = np.arange(80), np.arange(80, 500)
    found = judged(kept, asked=asked)
    x = standardised(X)
    nearest = ((x[asked, None] - x[None, kept]) ** 2).sum(axis=2).argmin(axis=1)
    guesses = Y[kept][nearest]
    for name, score in (
        ("accuracy", metrics.accuracy_score),
        ("balanced_accuracy", metrics.balanced_accuracy_score),
        ("f1_macro", lambda *both: metrics.f1_score(*both, average="macro")),
    ):
        assert found.measured(name)[0, 0] == pytest.approx(score(Y[asked], guesses), abs=1e-12)
    labels = sorted(COUNTS)
    votes = (guesses[:, None] == np.array(labels)) + 1 / 3
    loss = metrics.log_loss(Y[asked], votes / 2, labels=labels)
    assert found.measured("log_loss")[0, 0] == pytest.approx(-loss, abs=1e-6)
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=500).fit(x[kept], Y[kept])
    theirs = metrics.log_loss(Y[asked], model.predict_proba(x[asked]), labels=labels)
    assert found.measured("log_loss")[0, 2] == pytest.approx(-theirs, abs=0.02)


def test_a_class_that_is_not_asked_counts_in_no_mean():
    labels = np.tile([0, 1, 2], 40).astype(np.int32)
    rows = np.eye(3)[labels]
    found = judged(np.arange(30), rows=rows, labels=labels, asked=np.flatnonzero(labels < 2))
    for metric in ("accuracy", "balanced_accuracy", "f1_macro"):
        assert found.measured(metric).tolist() == [[1.0, 1.0, 1.0]]
    nothing = judged(np.arange(120), rows=rows, labels=labels)
    assert nothing.measured("f1_macro").tolist() == [[1.0, 1.0, 1.0]]


def test_equal_weights_are_no_weights():
    kept = np.arange(90)
    plain, equal = judged(kept), judged(kept, np.full(90, 7))
    assert plain.tallies.tolist() == equal.tallies.tolist()
    assert plain.log_loss.tolist() == equal.log_loss.tolist()


def test_judges_lean_to_heavy_rows():
    random = np.random.default_rng(3)
    rows, labels = random.normal(size=(400, 2)), random.integers(0, 2, 400).astype(np.int32)
    weights = np.where(labels[:100] == 1, 50, 1)
    given = {"rows": rows, "labels": labels}
    plain, heavy = judged(np.arange(100), **given), judged(np.arange(100), weights, **given)
    named = heavy.tallies[0, :, 1, 1] - plain.tallies[0, :, 1, 1]
    assert named[0] == 0  # The nearest neighbour takes no weights.
    assert named[2] > 100
    # Trees are grown until leaves have one label, so weights count among equal rows.
    labels = np.tile([0, 0, 0, 1], 20).astype(np.int32)
    given = {"rows": np.ones((80, 1)), "labels": labels, "asked": np.arange(40, 80)}
    assert judged(np.arange(40), **given).measured("accuracy")[0, 1] == 0.75
    weights = np.where(labels[:40] == 1, 9, 1)
    assert judged(np.arange(40), weights, **given).measured("accuracy")[0, 1] == 0.25


@pytest.mark.parametrize("metric", ["balanced_accuracy", "f1_macro", "log_loss"])
def test_trials_are_measured_by_the_metric(metric):
    gais = GAIS(0.9, metric=metric, **FAST).fit(X, Y)
    best = max(gais.trials_, key=lambda one: one.score)
    assert best.chosen
    assert all((max(one.metric.values()) <= 0) == (metric == "log_loss") for one in gais.trials_)
    assert all(one.metric != one.accuracy for one in gais.trials_)
    plain = GAIS(0.9, **FAST).fit(X, Y)
    assert [one.accuracy for one in gais.trials_] == [one.accuracy for one in plain.trials_]
    assert all(one.metric == one.accuracy for one in plain.trials_)
    with pytest.raises(SettingError, match="metric='auc'"):
        GAIS(metric="auc").fit(X, Y)
    with pytest.raises(SettingError, match="weights='yes'"):
        GAIS(weights="yes").fit(X, Y)
