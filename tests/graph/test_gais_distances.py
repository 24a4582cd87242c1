"""GAIS by other distances: named ones, all pairs, and sparse graphs of near pairs."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.errors import SettingError
from dsir.gais.labelled_table import labelled_table
from dsir.gais.landmarks import landmark_rows
from dsir.gais.manhattan import manhattan_neighbours
from dsir.gais.own_distances import own_distances
from dsir.gais.parts import Parts
from dsir.graph import GAIS

RANDOM = np.random.default_rng(8)
ROWS = 150
X = RANDOM.normal(size=(ROWS, 4))
Y = np.where(X[:, 0] + X[:, 1] > 0, "up", "down")
QUICK = {"reduction": 0.8, "epochs": 2, "n_jobs": 1}


def euclidean(some, others):
    return np.sqrt(((some[:, None] - others[None]) ** 2).sum(axis=2))


def manhattan(some, others):
    return np.abs(some[:, None] - others[None]).sum(axis=2)


PAIRS = euclidean(X, X)


def nearest(away, k):
    """Return the k nearest of each row by sorting: sets, without the row itself."""
    away = away.copy()
    np.fill_diagonal(away, np.inf)
    return [set(row[:k].tolist()) for row in np.argsort(away, axis=1, kind="stable")]


def graph_of(edges):
    cuts = np.split(edges.neighbours, edges.offsets[1:-1])
    assert all((np.diff(one) > 0).all() for one in cuts)
    return [set(one.tolist()) for one in cuts]


def near_pairs(away, k):
    """Return a sparse matrix with the distances of each row's k nearest."""
    sparse = pytest.importorskip("scipy.sparse")
    rows = np.repeat(np.arange(len(away)), k)
    ends = np.concatenate([sorted(one) for one in nearest(away, k)])
    return sparse.csr_matrix((away[rows, ends], (rows, ends)), shape=away.shape)


def test_neighbours_are_the_nearest_by_the_distances_given():
    coarse = np.round(PAIRS)  # Many are equally near.
    for away in (PAIRS, coarse):
        assert graph_of(own_distances(away).nearest(7)) == nearest(away.astype(np.float32), 7)
    assert graph_of(own_distances(PAIRS[:3, :3]).nearest(7)) == [{1, 2}, {0, 2}, {0, 1}]


def test_neighbours_by_the_sum_of_differences():
    rows = np.round(X, 1).astype(np.float32)
    whole = manhattan_neighbours(rows, Parts.whole(ROWS), 5)
    columns = [np.abs(rows[:, None, c] - rows[None, :, c]) for c in range(4)]
    assert graph_of(whole) == nearest(columns[0] + columns[1] + columns[2] + columns[3], 5)
    order = RANDOM.permutation(ROWS).astype(np.int32)
    halves = Parts(order, np.array([0, 4, ROWS]))
    found = graph_of(manhattan_neighbours(rows, halves, 5))
    few = set(order[:4].tolist())
    assert all(found[row] == few - {row} for row in few)
    assert all(len(found[row]) == 5 and not found[row] & few for row in set(range(ROWS)) - few)


def test_a_sparse_graph_counts_both_ways_and_may_have_few_edges():
    found = own_distances(near_pairs(PAIRS, 3))
    both = {(row, end) for row, ends in enumerate(nearest(PAIRS, 3)) for end in ends}
    both |= {(end, row) for row, end in both}
    rows = np.repeat(np.arange(ROWS), np.diff(found.offsets))
    assert set(zip(rows.tolist(), found.ends.tolist(), strict=True)) == both
    np.testing.assert_allclose(found.lengths, PAIRS[rows, found.ends], rtol=1e-6)
    shortest = graph_of(found.nearest(2))
    assert shortest == nearest(PAIRS, 2)
    assert max(map(len, graph_of(found.nearest(99)))) > 3


def test_paths_are_the_shortest():
    paths = pytest.importorskip("scipy.sparse.csgraph").shortest_path
    matrix = near_pairs(PAIRS, 3)
    found = own_distances(matrix)
    expected = paths(matrix, directed=False)
    for row in (0, 77):
        np.testing.assert_allclose(found.away(row), expected[row], rtol=1e-5)


def test_euclidean_distances_come_out_as_they_were():
    rows = landmark_rows(own_distances(PAIRS).away, ROWS, seed=1, threads=1)
    assert rows.shape == (ROWS, 4)
    back = euclidean(rows, rows)
    np.testing.assert_allclose(back / back.max(), PAIRS / PAIRS.max(), atol=1e-5)
    again = landmark_rows(own_distances(PAIRS).away, ROWS, seed=1, threads=3)
    assert again.tobytes() == rows.tobytes()


def test_given_distances_select_as_well_as_their_columns():
    def kept(given, **arguments):
        return GAIS(0.9, epochs=20, n_jobs=1, **arguments).fit(given, Y).sample_indices_

    def accuracy(rows):
        return (Y[rows][PAIRS[:, rows].argmin(axis=1)] == Y).mean()

    graph = kept(near_pairs(PAIRS, 10), distance="precomputed")
    for rows in (kept(PAIRS, distance="precomputed"), graph):
        assert accuracy(rows) > accuracy(kept(X, scaling="whole")) - 0.1
        assert len(rows) == 15


def test_any_number_of_threads_gives_the_same_rows():
    def facts(threads, given, distance):
        gais = GAIS(0.8, epochs=3, n_jobs=threads, distance=distance).fit(given, Y)
        return gais.sample_indices_.tobytes(), gais.scores_.tobytes()

    for given, distance in ((PAIRS, "precomputed"), (X, "manhattan"), (X, "cosine")):
        assert facts(1, given, distance) == facts(3, given, distance)


def test_every_kind_of_table_gives_the_same_rows():
    pandas = pytest.importorskip("pandas")
    sparse = pytest.importorskip("scipy.sparse")
    names = list(map(str, range(ROWS)))
    gais = GAIS(**QUICK, distance="precomputed")
    rows = gais.fit(PAIRS, Y).sample_indices_
    kinds = (
        PAIRS.tolist(),
        pandas.DataFrame(PAIRS),
        pa.table(list(PAIRS.T), names=names),
        PAIRS.astype(np.float64, order="F"),
    )
    for given in kinds:
        pairs, labels = gais.fit_resample(given, Y)
        assert gais.sample_indices_.tolist() == rows.tolist()
        np.testing.assert_array_equal(np.asarray(pairs), PAIRS[np.ix_(rows, rows)])
        assert labels.tolist() == Y[rows].tolist()
    for kind in (sparse.csr_matrix, sparse.csr_array):
        graph = kind(near_pairs(PAIRS, 10))
        pairs, _ = gais.fit_resample(graph, Y)
        chosen = gais.sample_indices_
        assert (pairs.toarray() == graph.toarray()[np.ix_(chosen, chosen)]).all()


def test_separate_pieces_of_a_graph_and_rows_without_edges():
    sparse = pytest.importorskip("scipy.sparse")
    away = PAIRS.copy()
    away[:70, 70:] = away[70:, :70] = 99
    dense = near_pairs(away, 5).toarray()
    dense[3], dense[:, 3] = 0, 0  # Row 3 has no edges.
    gais = GAIS(**QUICK, distance="precomputed").fit(sparse.csr_matrix(dense), Y)
    assert len(gais.sample_indices_) == 30
    assert np.isfinite(gais.scores_).all()


def test_rows_that_are_all_equal():
    gais = GAIS(**QUICK, distance="precomputed").fit(np.zeros((ROWS, ROWS)), Y)
    assert len(gais.sample_indices_) == 30


def test_labels_that_are_missing_can_be_dropped():
    labels = Y.astype(object)
    labels[[2, 90]] = None
    gais = GAIS(**QUICK, distance="precomputed", missing="drop").fit(PAIRS, labels)
    there = np.setdiff1d(np.arange(ROWS), [2, 90])
    alone = GAIS(**QUICK, distance="precomputed").fit(PAIRS[np.ix_(there, there)], Y[there])
    assert gais.sample_indices_.tolist() == there[alone.sample_indices_].tolist()


def changed(row, column, value):
    pairs = PAIRS.copy()
    pairs[row, column] = value
    return pairs


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (X, r"expects the distances of all pairs, \[rows, rows\]; found an array of shape \(150"),
        (PAIRS[0], r"found an array of shape \(150,\)"),
        (changed(3, 5, np.nan), "from row 3 to row 5 is not finite"),
        (changed(3, 5, np.inf), "from row 3 to row 5 is not finite"),
        (changed(3, 5, -0.5), "from row 3 to row 5 is negative"),
        (changed(3, 5, 50), r"row 3 to row 5 is 50, and back .*; expected the same, e.g. \(X \+ X"),
        (changed(4, 4, 2), "row 4 has the distance 2 to itself; expected 0. Similarities are no d"),
        (np.exp(-PAIRS), "row 0 has the distance 1 to itself"),
        (PAIRS.astype(complex), "expects numbers, the distances; found complex128"),
        (PAIRS[:9, :9], "X has the distances of 9 rows, y has 150"),
    ],
)
def test_what_are_no_distances(given, message):
    with pytest.raises(SettingError, match=message):
        GAIS(**QUICK, distance="precomputed").fit(given, Y)


def test_what_is_no_graph_of_distances():
    sparse = pytest.importorskip("scipy.sparse")

    def refused(matrix, message):
        with pytest.raises(SettingError, match=message):
            GAIS(**QUICK, distance="precomputed").fit(matrix, Y)

    def with_entry(row, column, value):
        matrix = near_pairs(PAIRS, 3).tolil()
        matrix[row, column] = value
        return matrix.tocsr()

    refused(sparse.csr_matrix((ROWS, ROWS)), "the graph of distances has no edge; give")
    refused(sparse.eye(ROWS, format="csr"), "row 0 has the distance 1 to itself")
    refused(near_pairs(PAIRS, 3).tocsc(), "not in compressed rows; call .tocsr")
    refused(near_pairs(PAIRS, 3).tocoo(), "not in compressed rows; call .tocsr")
    refused(near_pairs(PAIRS, 3)[:, :9], r"found an array of shape \(150, 9\)")
    refused(with_entry(3, 5, np.nan), "from row 3 to row 5 is not finite")
    refused(with_entry(3, 5, -1.0), "from row 3 to row 5 is negative")
    both = with_entry(3, 5, 1.0).tolil()
    both[5, 3] = 4.0
    refused(both.tocsr(), "rows 3 and 5 have the distances 1 and 4; expected the same in both dir")


def test_arguments_that_do_not_go_with_a_distance():
    def refused(message, **arguments):
        with pytest.raises(SettingError, match=message):
            GAIS(**arguments).check()

    for name, value in {
        "scaling": "whole",
        "threshold": 0.5,
        "graph": "exact",
        "categorical": [0],
        "features": dsir.HashedNgrams(),
        "missing": "fill",
    }.items():
        refused(
            f"{name}=.*: does not go with distance='precomputed'; leave {name} out",
            distance="precomputed",
            **{name: value},
        )
    refused("graph='lsh': does not go with distance='manhattan'", distance="manhattan", graph="lsh")
    refused("scaling='whole': does not go with", distance="cosine", scaling="whole")
    refused("distance='hamming'", distance="hamming")
    GAIS(distance="precomputed", categorical=[]).check()
    refused("is the measure of the trial classifiers; give distance='cosine'", metric="cosine")


def test_cosine_sees_angles_alone():
    lengths = RANDOM.uniform(0.1, 40, size=ROWS)[:, None]
    by_angle = [GAIS(**QUICK, distance="cosine").fit(given, Y) for given in (X, X * lengths)]
    assert by_angle[0].sample_indices_.tolist() == by_angle[1].sample_indices_.tolist()
    rows = labelled_table(X * lengths, Y, distance="cosine").rows
    cosines = X @ X.T / np.outer(*[np.linalg.norm(X, axis=1)] * 2)
    np.testing.assert_allclose(
        ((rows[:, None] - rows[None]) ** 2).sum(axis=2), 8 - 8 * cosines, atol=1e-4
    )
    with_zeros = np.vstack([X, np.zeros((2, 4))])
    GAIS(**QUICK, distance="cosine").fit(with_zeros, [*Y, "up", "down"])


def test_scikit_learn_cuts_rows_and_columns_of_distances():
    pytest.importorskip("sklearn", minversion="1.6")
    from sklearn.base import clone
    from sklearn.utils import get_tags
    from sklearn.utils.metaestimators import _safe_split

    gais = clone(GAIS(**QUICK, distance="precomputed"))
    assert get_tags(gais).input_tags.pairwise
    assert not get_tags(GAIS()).input_tags.pairwise
    some = np.arange(0, ROWS, 2)
    pairs, labels = _safe_split(gais, PAIRS, Y, some)
    assert pairs.shape == (75, 75)
    assert gais.fit(pairs, labels).n_features_in_ == 75


def test_distances_of_the_command(tmp_path, invoke_dsir):
    table = tmp_path / "train.parquet"
    pq.write_table(pa.table({"a": X[:, 0], "b": X[:, 1], "class": Y}), table)
    for distance in ("cosine", "manhattan"):
        out = tmp_path / distance
        words = ["gais", table, "--label", "class", "--out", out, "--distance", distance]
        done = invoke_dsir(*words, "--epochs", 3, "--report")
        assert done.returncode == 0, done.stderr
        settings = json.loads((out / "_dsir/instances.json").read_text())["settings"]
        assert settings["distance"] == distance
    done = invoke_dsir(*words, "--overwrite", "--distance", "precomputed")
    assert done.returncode == 2
    assert "--distance precomputed: expected 'euclidean' or 'cosine'" in done.stderr
