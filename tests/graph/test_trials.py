import os
import subprocess
import sys

import numpy as np
import pytest

import dsir
from dsir import SettingError, _core
from dsir.gais import trials
from dsir.gais.class_budgets import class_shares
from dsir.gais.coverage import Coverage
from dsir.gais.judges import JUDGES, Verdicts, judge
from dsir.gais.labelled_table import standardised
from dsir.gais.trials import RECIPES, trial_scores, tried_rows
from dsir.graph import GAIS


def table(seed=0, rows=400, columns=4, classes=3):
    """Classes in bands along a line, a tenth of the labels wrong."""
    random = np.random.default_rng(seed)
    x = standardised(random.normal(size=(rows, columns)))
    labels = np.clip(np.round(x[:, 0] + 1), 0, classes - 1).astype(np.int32)
    wrong = random.random(rows) < 0.1
    labels[wrong] = random.integers(0, classes, int(wrong.sum()))
    labels[:classes] = np.arange(classes)
    return x, labels


def judged(x, labels, candidates, asked=None, threads=1):
    asked = np.arange(len(x)) if asked is None else asked
    found = judge(x, labels, candidates, asked.astype(np.int32), seed=3, threads=threads)
    return found.measured("accuracy")


def test_the_nearest_neighbour_is_brute_force():
    x, labels = table()
    kept = np.arange(40)
    distances = ((x[40:, None] - x[None, :40]) ** 2).sum(axis=2)
    right = (labels[distances.argmin(axis=1)] == labels[40:]).mean()
    assert judged(x, labels, [kept])[0, 0] == pytest.approx(right, abs=1e-12)


def test_rows_that_a_candidate_holds_are_not_asked_of_it():
    x, labels = table(1, rows=60)
    kept = np.arange(50)
    others = judged(x, labels, [kept], np.arange(50, 60))
    np.testing.assert_array_equal(judged(x, labels, [kept]), others)
    np.testing.assert_array_equal(judged(x, labels, [np.arange(60)]), [[1.0, 1.0, 1.0]])


def test_the_forest_finds_what_no_line_can():
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, size=(900, 6)).astype("f4")
    labels = ((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype(np.int32)
    _, forest, linear = judged(x, labels, [np.arange(300)])[0]
    assert forest > 0.85
    assert linear < 0.65


def test_the_linear_model_finds_lines():
    random = np.random.default_rng(0)
    x = random.normal(size=(800, 20)).astype("f4")
    labels = (x @ random.normal(size=20) > 0.5).astype(np.int32)
    nearest, _, linear = judged(x, labels, [np.arange(200)])[0]
    assert linear > 0.9
    assert nearest < linear - 0.1


def test_judges_agree_with_those_of_scikit_learn():
    ensemble = pytest.importorskip("sklearn.ensemble")
    from sklearn.linear_model import LogisticRegression

    x, labels = table(2, rows=900, columns=8)
    kept, asked = np.arange(250), np.arange(250, 900)
    models = [
        ensemble.RandomForestClassifier(100, random_state=0),
        LogisticRegression(max_iter=300),
    ]
    found = judged(x, labels, [kept], asked)[0, 1:]
    for own, model in zip(found, models, strict=True):
        theirs = model.fit(x[kept], labels[kept]).score(x[asked], labels[asked])
        assert own == pytest.approx(theirs, abs=0.04)


def test_equal_rows_of_two_labels_and_constant_columns():
    x = np.zeros((40, 2), np.float32)
    x[20:, 0] = 1
    labels = np.tile([0, 0, 0, 1], 10).astype(np.int32)
    shares = judged(x, labels, [np.arange(0, 40, 2)])
    # Half of the rows are kept, of label 0 alone.
    np.testing.assert_array_equal(shares, [[0.5, 0.5, 0.5]])
    mixed = judged(x, labels, [np.arange(32)], np.arange(32, 40))
    assert mixed[0, 1:].tolist() == [0.75, 0.75]


def test_threads_change_no_judgement():
    x, labels = table(3)
    candidates = [np.arange(start, start + 30) for start in range(0, 90, 10)]
    found = [judged(x, labels, candidates, threads=n).tobytes() for n in (1, 2, 7)]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": np.array([400], np.int32)}, "out of range"),
        ({"offsets": np.array([0, 0, 1], np.int64)}, "no rows"),
        ({"offsets": np.array([0, 2], np.int64)}, "ascend"),
        ({"asked": np.array([-1], np.int32)}, "out of range"),
        ({"classes": 1}, "labels"),
        ({"trees": 0}, "at least 1"),
        ({"rows": np.full((400, 4), np.nan, np.float32)}, "finite"),
    ],
)
def test_wrong_arguments_of_the_judges(change, message):
    x, labels = table()
    given = {
        "rows": x,
        "labels": labels,
        "members": np.zeros(1, np.int32),
        "offsets": np.array([0, 1], np.int64),
        "asked": np.arange(5, dtype=np.int32),
        "classes": 3,
        "trees": 1,
        "steps": 1,
        "seed": 0,
        **change,
    }
    first = [given.pop(name) for name in ("rows", "labels", "members", "offsets", "asked")]
    with pytest.raises(ValueError, match=message):
        _core.judge_candidates(*first, **given)


def test_losses_count_twice():
    accuracy = np.array([[0.9, 0.5, 0.5], [0.5, 0.6, 0.6], [0.6, 0.6, 0.4], [0.4, 0.4, 0.6]])
    drawn = np.array([False, False, True, True])
    np.testing.assert_allclose(
        trial_scores(accuracy, drawn), [0.4 / 2, 0.2, 0.05 + 0.1 - 0.2, -0.1 - 0.2 + 0.1]
    )


def test_the_best_of_the_recipes_is_kept():
    x, labels = table(4, rows=500)
    shares = class_shares(np.bincount(labels), 30)
    trusted = np.random.default_rng(0).random(500) < 0.9
    kept, found = tried_rows(x, labels, shares, trusted, Coverage(passes=5.0))
    assert len(found) == len(RECIPES)
    assert [one.chosen for one in found].count(True) == 1
    assert max(found, key=lambda one: one.score).chosen
    assert all(set(one.accuracy) == set(JUDGES) for one in found)
    assert len({one.recipe for one in found}) == len(found)
    np.testing.assert_array_equal(np.bincount(labels[kept]), shares)
    # Where every row is trusted there is one coverage less for each sharpness.
    _, fewer = tried_rows(x, labels, shares, np.ones(500, bool), Coverage(passes=5.0))
    assert len(fewer) == len(RECIPES) - 3


def test_a_random_draw_is_kept_where_nothing_beats_it(monkeypatch):
    # Labels that say nothing: whatever is covered is covered in vain, and a draw must win when the
    # judges say so.
    x, labels = table(5)
    monkeypatch.setattr(trials, "RECIPES", (trials.Recipe("k-means"), trials.Recipe("random")))
    right = np.array([[90, 40, 40], [60, 60, 60]])
    tallies = np.zeros((2, 3, 1, 3), np.int64)
    tallies[:, :, 0] = np.stack([np.full((2, 3), 100), right, right], axis=2)
    said = Verdicts(tallies, np.zeros((2, 3)))
    monkeypatch.setattr(trials, "judge", lambda *_, **__: said)
    shares = class_shares(np.bincount(labels), 20)
    everything = np.ones(len(labels), bool)
    _, found = tried_rows(x, labels, shares, everything, Coverage())
    assert [one.chosen for one in found] == [False, True]


def test_large_tables_are_tried_on_a_sample(monkeypatch):
    monkeypatch.setattr(trials, "TRIAL_ROWS", 200)
    x, labels = table(6, rows=1000)
    labels[0] = 3  # a class of one row
    shares = class_shares(np.bincount(labels), 50)
    trusted = np.random.default_rng(0).random(1000) < 0.9
    trusted[0] = True
    known = (x, labels, shares, trusted)
    kept, found = tried_rows(*known, Coverage(passes=5.0))
    np.testing.assert_array_equal(np.bincount(labels[kept]), shares)
    again, _ = tried_rows(*known, Coverage(passes=5.0, threads=3))
    np.testing.assert_array_equal(kept, again)
    assert sum(one.chosen for one in found) == 1


def test_gais_says_what_was_tried():
    x, labels = table(7)
    gais = GAIS(0.9, epochs=5).fit(x, labels)
    assert sum(one.chosen for one in gais.trials_) == 1
    assert GAIS(0.9, epochs=5, trials=False).fit(x, labels).trials_ == []


def test_every_kernel_selects_the_same_rows():
    code = (
        "import numpy as np\n"
        "from dsir.graph import GAIS\n"
        "r = np.random.default_rng(0)\n"
        "x = r.normal(size=(700, 5)); y = (np.abs(x[:, 0]) > 0.7).astype(int)\n"
        "g = GAIS(epochs=6).fit(x, y)\n"
        "print(g.sample_indices_.tolist(), g.embeddings_.tobytes().hex()[:400], g.trials_)"
    )
    said = {}
    for level in ("scalar", "neon", "avx2", "avx512"):
        settings = {**os.environ, "DSIR_SIMD": level}
        done = subprocess.run(
            [sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=False
        )
        if "this CPU does not have it" not in done.stderr:
            assert done.returncode == 0, done.stderr
            said[level] = done.stdout
    assert "scalar" in said
    assert len(set(said.values())) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "log_loss", "trials": False}, "metric='log_loss': .* with trials=False; leave"),
        ({"metric": "f1_macro", "select": "top"}, "metric='f1_macro': .* with select='top'; leave"),
        (
            {"passes": 3.0, "select": "sample"},
            "passes=3.0: .* with select='sample'; leave",
        ),
        (
            {"categorical": [0], "features": dsir.HashedNgrams()},
            r"categorical=\[0\]: does not go with features=HashedNgrams",
        ),
    ],
)
def test_fit_refuses_what_another_argument_leaves_nothing_to_say(arguments, message):
    gais = GAIS(epochs=1, **arguments)
    with pytest.raises(SettingError, match=message):
        gais.fit([[0.0], [1.0]], [0, 1])
    (name, *_) = arguments
    gais.set_params(**{name: GAIS().get_params()[name]}).check()
