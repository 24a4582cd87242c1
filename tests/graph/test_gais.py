import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import dsir
from dsir import _core
from dsir.errors import SettingError
from dsir.gais.class_budgets import class_shares
from dsir.gais.coverage import (
    Clusters,
    Coverage,
    cluster_rows,
    covering_rows,
    near_rows,
    neighbours_vote,
    trusted_rows,
)
from dsir.gais.neighbours import Edges
from dsir.gais.parts import split_rows
from dsir.graph import (
    GAIS,
    EditedNearestNeighbours,
    KMeansPrototypes,
    RandomSelection,
    neighbours,
)

SELECTS = ["coverage", "attention-coverage", "top", "sample"]
BUDGETED = [GAIS(epochs=5), KMeansPrototypes(), RandomSelection()]


def rings(seed=0, rows=600, noise=0.0):
    """Three classes in rings, some labels wrong."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3))
    y = np.digitize(np.linalg.norm(x[:, :2], axis=1), [0.8, 1.5])
    wrong = random.random(rows) < noise
    return x, np.where(wrong, random.integers(0, 3, rows), y), wrong


@pytest.mark.parametrize("select", SELECTS)
@pytest.mark.parametrize("rank_by", ["attention", "attention-same-class", "confidence"])
def test_every_way_keeps_the_budget_by_class(select, rank_by):
    x, y, _ = rings()
    gais = GAIS(0.9, select=select, rank_by=rank_by, epochs=5)
    kept_x, kept_y = gais.fit_resample(x, y)
    rows = gais.sample_indices_
    assert len(rows) == 60
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(kept_x, x[rows])
    np.testing.assert_array_equal(kept_y, y[rows])
    counts = np.bincount(y)
    assert (np.abs(np.bincount(kept_y) - counts / 10) <= 1).all()
    assert gais.scores_.shape == (600,)
    assert gais.embeddings_.shape == (600, 32)
    assert gais.classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize("graph", ["minibatch", "lsh", "lsh-multilevel", "lsh-multiview", "exact"])
def test_threads_change_nothing(graph):
    x, y, _ = rings(1, rows=900)
    found = [
        GAIS(graph=graph, epochs=5, batch_size=128, n_jobs=n).fit(x, y).sample_indices_.tolist()
        for n in (1, 2, 5)
    ]
    assert found[0] == found[1] == found[2]
    other = GAIS(graph=graph, epochs=5, random_state=1).fit(x, y).sample_indices_.tolist()
    assert found[0] != other


def test_threads_of_the_linear_algebra_change_nothing():
    code = (
        "import numpy as np\n"
        "from dsir.graph import GAIS\n"
        "r = np.random.default_rng(0)\n"
        "x = r.normal(size=(3000, 40)); y = (x[:, 0] > 0).astype(int)\n"
        "g = GAIS(epochs=6, passes=4).fit(x, y)\n"
        "print(g.sample_indices_.tolist(), g.embeddings_.tobytes().hex()[:400], g.scores_.sum())"
    )
    said = []
    for threads in ("1", "2"):
        settings = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        said.append(subprocess.check_output([sys.executable, "-c", code], env=settings))
    assert said[0] == said[1]


def test_rows_of_wrong_labels_are_left_out():
    x, y, wrong = rings(2, rows=1200, noise=0.15)
    kept = GAIS(0.9, trials=False).fit(x, y).sample_indices_
    drawn = RandomSelection(0.9).fit(x, y).sample_indices_
    assert wrong[kept].mean() < 0.5 * wrong[drawn].mean()


def nearest_accuracy(x, y, kept):
    distances = ((x[:, None] - x[kept][None]) ** 2).sum(axis=2)
    return (y[kept][distances.argmin(axis=1)] == y).mean()


def test_the_rows_kept_stand_for_the_rest():
    x, y, _ = rings(3, rows=1200)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    covered = nearest_accuracy(x, y, GAIS(0.95).fit(x, y).sample_indices_)
    middles = nearest_accuracy(x, y, KMeansPrototypes(0.95).fit(x, y).sample_indices_)
    drawn = np.mean(
        [
            nearest_accuracy(x, y, RandomSelection(0.95, random_state=s).fit(x, y).sample_indices_)
            for s in range(5)
        ]
    )
    assert covered > middles
    assert covered > drawn + 0.05


def loss_of(x, y, kept, sharpness):
    distances = np.sqrt(((x[:, None].astype(float) - x[kept][None]) ** 2).sum(axis=2))
    same = y[:, None] == y[kept][None]
    own = np.where(same, distances, np.inf).min(axis=1)
    other = np.where(same, np.inf, distances).min(axis=1)
    return (1 / (1 + np.exp(-sharpness * (own - other) / (own + other)))).sum()


@pytest.mark.parametrize("seed", range(3))
def test_exchanges_lower_the_loss_they_say_they_lower(seed):
    x, y, _ = rings(seed, rows=300)
    x, labels = x.astype("f4"), y.astype(np.int32)
    allowed = np.random.default_rng(seed).random(300) < 0.7
    shares = class_shares(np.bincount(y), 24)
    clusters = cluster_rows(x, labels, shares, allowed, Coverage())
    first, parts = clusters.chosen, clusters.parts
    assert len(parts) == 1
    chosen, losses = _core.exchange_prototypes(
        x,
        labels,
        allowed.astype(np.uint8),
        parts.members,
        parts.offsets,
        first.astype(np.int32),
        clusters.ends,
        passes=10.0,
        sharpness=10.0,
        local=0.7,
        seed=0,
    )
    assert losses[0] == pytest.approx(loss_of(x, y, first, 10), rel=1e-4)
    assert losses[1] == pytest.approx(loss_of(x, y, chosen, 10), rel=1e-4)
    assert losses[1] < 0.95 * losses[0]
    assert len(set(chosen.tolist())) == 24
    assert allowed[chosen].all()
    np.testing.assert_array_equal(np.bincount(y[chosen]), shares)


@pytest.mark.parametrize("shares", ["proportional", "auto"])
def test_lists_of_near_rows_change_nothing(monkeypatch, shares):
    from dsir.gais import trials

    x, y, _ = rings(5, rows=900)
    y = np.where((y == 0) & (x[:, 0] > 0.3), 2, y)
    found = []
    made = []

    def noted(*known):
        made.append(near_rows(*known))
        return made[-1]

    monkeypatch.setattr(trials, "near_rows", noted)
    for least in (0, 1 << 30):
        monkeypatch.setattr(trials, "_LISTED_TRIES", least)
        gais = GAIS(0.95, shares=shares, network=False).fit(x, y)
        found.append((gais.sample_indices_.tolist(), gais.trials_))
    assert found[0] == found[1]
    assert len(made) == 1
    assert made[0].entries > len(x)


def test_near_rows_of_other_parts_are_refused():
    x, y, _ = rings(6, rows=300)
    x, labels = x.astype("f4"), y.astype(np.int32)
    shares = class_shares(np.bincount(y), 24)
    everything = np.ones(300, bool)
    start = cluster_rows(x, labels, shares, everything, Coverage())
    fewer = split_rows(x[:200], labels[:200], 8192, 0)
    others = Clusters(np.arange(2), fewer, np.array([0, 2]))
    near = near_rows(x[:200], labels[:200], [others], Coverage())
    with pytest.raises(ValueError, match="the near rows are those of other parts"):
        covering_rows(x, labels, shares, everything, Coverage(), start, near)


def test_many_parts_keep_the_shares(monkeypatch):
    from dsir.gais import coverage

    monkeypatch.setattr(coverage, "PART_ROWS", 100)
    x, y, _ = rings(4, rows=1000)
    x, labels = x.astype("f4"), y.astype(np.int32)
    shares = class_shares(np.bincount(y), 90)
    kept = covering_rows(x, labels, shares, np.ones(1000, bool), Coverage(passes=2))
    np.testing.assert_array_equal(np.bincount(y[kept]), shares)
    assert len(set(kept.tolist())) == 90


def test_k_means_finds_what_is_plain_to_see():
    random = np.random.default_rng(0)
    centres = np.array([[0, 0], [10, 0], [0, 10], [10, 10]])
    x = np.repeat(centres, 50, axis=0) + random.normal(size=(200, 2)) * 0.1
    y = np.repeat([0, 0, 1, 1], 50)
    kept = KMeansPrototypes(0.98).fit(x, y).sample_indices_
    assert sorted((kept // 50).tolist()) == [0, 1, 2, 3]


def test_edited_nearest_neighbours_is_brute_force():
    x, y, _ = rings(5, rows=200, noise=0.2)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    lifted = np.hstack([scaled / np.sqrt((scaled**2).sum(axis=1).mean()), np.ones((200, 1))])
    lifted /= np.linalg.norm(lifted, axis=1, keepdims=True)
    cosines = lifted @ lifted.T
    np.fill_diagonal(cosines, -2)
    stays = []
    for row in range(200):
        votes = np.bincount(y[np.argsort(-cosines[row])[:3]], minlength=3)
        if votes[y[row]] == votes.max():
            stays.append(row)
    assert EditedNearestNeighbours().fit(x, y).sample_indices_.tolist() == stays


@pytest.mark.parametrize(
    ("counts", "keep", "expected"),
    [
        ([50, 50], 10, [5, 5]),
        ([97, 3], 10, [9, 1]),
        ([1000, 1, 1], 4, [2, 1, 1]),
        ([3, 3], 100, [3, 3]),
        ([5, 5, 5], 1, [1, 1, 1]),
        ([10, 10, 10], 10, [4, 3, 3]),
    ],
)
def test_class_shares(counts, keep, expected):
    assert class_shares(np.array(counts), keep).tolist() == expected


def test_a_class_that_is_not_learned_is_trusted():
    labels = np.array([0] * 8 + [1] * 4, np.int32)
    guesses = np.array([0] * 7 + [1] + [0, 0, 0, 1])
    trusted = trusted_rows(labels, guesses, np.array([1, 1]))
    assert trusted.tolist() == [True] * 7 + [False] + [True] * 4
    # So is one of which more rows are kept.
    assert trusted_rows(labels, guesses, np.array([8, 1])).all()


@pytest.mark.parametrize("classes", [1, 2, 5, 16, 17, 30])
def test_neighbours_vote_by_counting(classes):
    random = np.random.default_rng(classes)
    labels = random.integers(0, classes, 300).astype(np.int32)
    degrees = random.integers(0, 6, 300)
    ends = random.integers(0, 300, degrees.sum()).astype(np.int32)
    graph = Edges(np.concatenate(([0], np.cumsum(degrees))), ends)
    wanted = [
        int(np.bincount(labels[own]).argmax()) if len(own) else -1
        for own in np.split(ends, graph.offsets[1:-1])
    ]
    assert neighbours_vote(graph, labels, classes).tolist() == wanted


def test_neighbours_vote():
    random = np.random.default_rng(0)
    x = random.normal(size=(150, 2))
    labels = random.integers(0, 3, 150).astype(np.int32)
    graph = neighbours(x, k=6, threshold=0.97)
    votes = neighbours_vote(graph, labels, 3)
    for row in range(150):
        ends = graph.neighbours[graph.offsets[row] : graph.offsets[row + 1]]
        counts = np.bincount(labels[ends], minlength=3)
        assert votes[row] == (counts.argmax() if len(ends) else -1)
    assert (votes == -1).any()


def test_facility_location_is_greedy():
    random = np.random.default_rng(0)
    for _ in range(20):
        gains = random.random((12, 30)) * (random.random((12, 30)) < 0.4)
        gains = np.round(gains, 2).astype("f4")
        group = random.integers(-1, 2, 12).astype(np.int32)
        wanted = [2, 3]
        entries = [np.flatnonzero(row) for row in gains]
        offsets = np.cumsum([0, *map(len, entries)]).astype(np.int64)
        served = np.concatenate(entries).astype(np.int32)
        values = np.concatenate([gains[j, e] for j, e in enumerate(entries)])
        chosen, added = _core.facility_location(offsets, served, values, group, wanted, rows=30)
        best, left, expected = np.zeros(30), list(wanted), []
        while True:
            open_ = [j for j in range(12) if group[j] >= 0 and j not in expected]
            open_ = [j for j in open_ if left[group[j]] > 0]
            if not open_:
                break
            gain = [np.maximum(gains[j].astype(float) - best, 0).sum() for j in open_]
            most = int(np.argmax(np.round(gain, 9)))
            expected.append(open_[most])
            left[group[open_[most]]] -= 1
            best = np.maximum(best, gains[open_[most]])
        assert chosen.tolist() == expected
        assert added.sum() == pytest.approx(best.sum(), rel=1e-5)


def test_kinds_of_tables_give_the_same_rows():
    x, y, _ = rings(6, rows=200)
    expected = GAIS(0.8, epochs=3).fit(x, y).sample_indices_.tolist()
    names = ["a", "b", "c"]
    table = pa.table({name: x[:, i] for i, name in enumerate(names)})
    kept, labels = GAIS(0.8, epochs=3).fit_resample(table, pa.array(y))
    assert kept.equals(table.take(expected))
    assert labels.to_pylist() == y[expected].tolist()
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({name: x[:, i] for i, name in enumerate(names)})
    kept, _ = GAIS(0.8, epochs=3).fit_resample(frame, y)
    assert kept.equals(frame[expected])
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(x, columns=names, index=np.arange(200) + 1000)
    kept, labels = GAIS(0.8, epochs=3).fit_resample(frame, pandas.Series(y, index=frame.index))
    assert kept.equals(frame.iloc[expected])
    assert labels.index.tolist() == kept.index.tolist()
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.csr_matrix(x)
    kept, _ = GAIS(0.8, epochs=3).fit_resample(matrix, y.tolist())
    np.testing.assert_array_equal(kept.toarray(), x[expected])


def test_categorical_columns():
    random = np.random.default_rng(0)
    colour = random.choice(["red", "green", "blue"], 300)
    size = random.normal(size=300)
    y = (colour == "red").astype(int)
    table = pa.table({"size": size, "colour": colour})
    gais = GAIS(0.9, categorical=["colour"], epochs=40).fit(table, y)
    by_number = GAIS(0.9, categorical=[1], epochs=40).fit(table, y)
    assert gais.sample_indices_.tolist() == by_number.sample_indices_.tolist()
    mixed = np.array([[s, c] for s, c in zip(size, colour, strict=True)], dtype=object)
    from_objects = GAIS(0.9, categorical=[1], epochs=40).fit(mixed, y)
    assert from_objects.sample_indices_.tolist() == gais.sample_indices_.tolist()
    assert gais.trusted_.mean() > 0.95


def test_regression_targets_are_binned():
    x = np.random.default_rng(0).normal(size=(400, 3))
    y = x[:, 0] * 2 + 1
    gais = GAIS(0.9, bins=4, epochs=5)
    _, kept = gais.fit_resample(x, y)
    assert len(kept) == 40
    assert np.histogram(kept, np.quantile(y, [0, 0.25, 0.5, 0.75, 1]))[0].tolist() == [10] * 4
    with pytest.raises(SettingError, match=r"for a regression target give\s+bins"):
        GAIS().fit(np.ones((3000, 1)), np.arange(3000.0))


def test_texts(world):
    features = dsir.HashedNgrams(n=1, buckets=2000)
    rows = [row for row in world.rows if row["text"] and len(row["text"]) > 30][:240]
    texts, labels = [row["text"] for row in rows], [row["domain"] for row in rows]
    gais = GAIS(0.9, features=features, epochs=40)
    kept, kept_labels = gais.fit_resample(texts, labels)
    assert kept == [texts[row] for row in gais.sample_indices_]
    assert set(kept_labels) == set(labels)
    assert gais.trusted_.mean() > 0.9
    with pytest.raises(SettingError, match="row 1: a text is missing"):
        gais.fit(["a", None], [0, 1])


def test_small_and_odd_tables():
    for selector in BUDGETED:
        # Fewer rows than classes and budget ask for: every class keeps one.
        x, y = np.arange(6.0).reshape(3, 2), np.array(["a", "b", "c"])
        assert selector.fit(x, y).sample_indices_.tolist() == [0, 1, 2]
        # A class of one row keeps it.
        x, y, _ = rings(7, rows=100)
        y = y.copy()
        y[17] = 9
        assert 17 in selector.fit(x, y).sample_indices_
        # All rows equal, and a column of one value.
        assert len(selector.fit(np.ones((50, 2)), np.arange(50) % 2).sample_indices_) == 2
    x, y, _ = rings(8, rows=200)
    wide = np.hstack([x, np.full((200, 1), 3.7)])
    plain, constant = (GAIS(0.9, epochs=4).fit(v, y).trusted_.mean() for v in (x, wide))
    assert abs(plain - constant) < 0.3
    everything = GAIS(0.0, epochs=2).fit(x, y)
    assert everything.sample_indices_.tolist() == list(range(200))


def test_wide_rows_are_projected():
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 700))
    y = (x[:, :50].sum(axis=1) > 0).astype(int)
    first, second = (GAIS(0.9, epochs=2).fit(x, y).sample_indices_ for _ in range(2))
    assert first.tolist() == second.tolist()
    assert len(first) == 20


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.array([[0.0], [np.nan], [1.0]]), [0, 1, 0], "row 1: a value is missing"),
        (np.array([[0.0], [1.0], [np.inf]]), [0, 1, 0], "row 2: infinite"),
        (np.ones((3, 1)), [0, 1], "X has 3 rows, y has 2"),
        (np.ones((3, 1)), [1, 1, 1], "every row has the label"),
        (np.array([["a"], ["b"]]), [0, 1], "categorical"),
        (np.array([["1"], ["2"]], dtype=object), [0, 1], "categorical"),
        (
            pa.table({"s": ["a", "b"]}),
            [0, 1],
            "column 's' .string. does not hold numbers.*categorical",
        ),
        (pa.table({"s": [1.0, None]}), [0, 1], "row 1: a value is missing"),
        (np.ones(3), [0, 1, 0], "two dimensions"),
        (np.ones((0, 2)), [], "there are no rows"),
        (np.ones((2, 0)), [0, 1], "0 feature"),
        (np.ones((2, 1)), [0.0, np.nan], "row 1 has no label"),
        (np.ones((2, 1)), [0, None], "row 1 has no label"),
        (
            np.ones((2, 1)),
            ["a", 1.5],
            r"labels cannot be compared.*\[str\(label\) for label in y\]",
        ),
        (np.ones((2, 1)), ["a", np.nan], "row 1 has no label"),
        (np.ones((2, 1)), (label for label in "ab"), "y: is generator; expected a list"),
        ([[1.0], [2.0, 3.0]], [0, 1], "row 1 has length 2, but row 0 length 1"),
        ([[1.0], 2.0], [0, 1], "row 1 has no length, but row 0 length 1"),
        (np.ones((2, 1)), [[0, 1], [1, 0]], "one label for each row"),
    ],
)
def test_bad_tables(x, y, message):
    with pytest.raises(SettingError, match=message):
        GAIS().fit(x, y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reduction": 1.0}, "reduction=1.0"),
        ({"reduction": -0.1}, "reduction=-0.1"),
        ({"reduction": "most"}, "reduction='most'"),
        ({"graph": "knn"}, "graph='knn'"),
        ({"rank_by": "best"}, "rank_by='best'"),
        ({"select": "all"}, "select='all'"),
        ({"heads": 0}, "heads=0"),
        ({"epochs": 0}, "epochs=0"),
        ({"edge_dropout": 1.0}, "edge_dropout=1.0"),
        ({"neighbours": 0}, "neighbours=0"),
        ({"threshold": 3}, "threshold=3"),
        ({"random_state": -1}, "random_state=-1"),
        ({"n_jobs": 0}, "n_jobs=0"),
        ({"categorical": ["x"]}, "no column 'x'"),
        ({"bins": 1}, "bins=1"),
        ({"features": 3}, "features=3"),
    ],
)
def test_wrong_arguments(arguments, message):
    x, y, _ = rings(rows=30)
    with pytest.raises(SettingError, match=message):
        GAIS(**arguments).fit(x, y)


def test_habits_of_scikit_learn():
    base = pytest.importorskip("sklearn.base")
    selector = GAIS(0.9, epochs=3)
    copy = base.clone(selector)
    assert copy.get_params() == selector.get_params()
    assert repr(copy) == "GAIS(reduction=0.9, epochs=3)"
    assert copy.set_params(heads=2).heads == 2
    with pytest.raises(SettingError, match="no argument 'head'"):
        copy.set_params(head=2)
