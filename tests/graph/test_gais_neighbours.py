import numpy as np
import pytest

from dsir.errors import SettingError
from dsir.gais.neighbours import Edges, unit_rows
from dsir.gais.parts import split_rows
from dsir.graph import neighbours

METHODS = ["minibatch", "lsh", "lsh-multilevel", "lsh-multiview"]


def clustered(seed=0, rows=1500, width=6):
    random = np.random.default_rng(seed)
    centres = random.normal(size=(12, width)) * 3
    return centres[random.integers(0, 12, rows)] + random.normal(size=(rows, width))


def edges_of(graph):
    return {
        (row, int(end))
        for row in range(len(graph))
        for end in graph.neighbours[graph.offsets[row] : graph.offsets[row + 1]]
    }


@pytest.mark.parametrize("lift", [True, False])
@pytest.mark.parametrize("threshold", [-1.0, 0.9])
def test_exact_is_brute_force(lift, threshold):
    rows = clustered(rows=120)
    unit = unit_rows(rows.astype("f4"), lift=lift).astype(float)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -2)
    wanted = set()
    for row in range(len(rows)):
        best = np.argsort(-cosines[row], kind="stable")[:7]
        wanted |= {(row, int(end)) for end in best if cosines[row, end] >= threshold}
    graph = neighbours(rows, k=7, threshold=threshold, lift=lift)
    assert edges_of(graph) == wanted
    assert (graph.shares == 1).all()
    ends = np.repeat(np.arange(len(rows)), np.diff(graph.offsets))
    np.testing.assert_allclose(graph.cosines, cosines[ends, graph.neighbours], atol=1e-5)


@pytest.mark.parametrize("k", [1, 15, 16, 17, 40])
@pytest.mark.parametrize("rows", [3, 33, 200])
def test_any_number_of_neighbours_among_equal_cosines(k, rows):
    # Small whole numbers: many rows have the same direction, and the smaller number comes first.
    table = np.random.default_rng(rows + k).integers(-1, 2, size=(rows, 3)).astype("f4")
    unit = unit_rows(table, lift=False)
    graph = neighbours(table, k=k, lift=False, threads=1)
    for row in range(rows):
        cosines = np.array([np.float32((unit[row] * other).sum()) for other in unit])
        others = np.delete(np.arange(rows), row)
        best = others[np.lexsort((others, -cosines[others]))][:k]
        own = slice(graph.offsets[row], graph.offsets[row + 1])
        assert graph.neighbours[own].tolist() == sorted(best.tolist())
        assert graph.cosines[own].tobytes() == cosines[np.sort(best)].tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_recall_and_threads(method):
    rows = clustered()
    exact = neighbours(rows, k=10)
    graphs = [
        neighbours(rows, k=10, method=method, batch_size=256, threads=threads) for threads in (1, 3)
    ]
    for name in ("offsets", "neighbours", "cosines", "shares"):
        assert getattr(graphs[0], name).tobytes() == getattr(graphs[1], name).tobytes()
    graph = graphs[0]
    assert graph.recall(exact) > 0.7
    assert exact.recall(exact) == 1
    assert 0 < graph.shares.min() <= graph.shares.max() <= 1
    if method == "minibatch":
        assert (graph.shares == 1).all()
    else:
        assert graph.shares.min() < 1
    assert (np.diff(graph.offsets) <= 10).all()


def test_neighbours_are_those_of_the_candidates():
    """More tables see more pairs, and never lose one."""
    rows = clustered(2)
    exact = neighbours(rows, k=10)
    recalls = [
        neighbours(rows, k=10, method="lsh", tables=tables).recall(exact) for tables in (1, 4, 16)
    ]
    assert recalls == sorted(recalls)
    assert recalls[0] < recalls[2]


def test_equal_rows_come_by_number():
    graph = neighbours(np.ones((20, 3)), k=4)
    assert [
        graph.neighbours[graph.offsets[i] : graph.offsets[i + 1]].tolist() for i in (0, 19)
    ] == [
        [1, 2, 3, 4],
        [0, 1, 2, 3],
    ]


def test_undirected_has_both_ways_and_each_row_itself():
    graph = neighbours(clustered(3, rows=80), k=3)
    offsets, ends = graph.undirected()
    both = edges_of(graph) | {(b, a) for a, b in edges_of(graph)} | {(i, i) for i in range(80)}
    found = [(row, int(end)) for row in range(80) for end in ends[offsets[row] : offsets[row + 1]]]
    assert found == sorted(both)


def test_undirected_has_an_edge_once_however_often_it_is_given():
    graph = Edges(np.array([0, 3, 3, 5]), np.array([2, 0, 2, 0, 1], np.int32))
    offsets, ends = graph.undirected()
    assert offsets.tolist() == [0, 2, 4, 7]
    assert ends.tolist() == [0, 2, 1, 2, 0, 1, 2]
    assert [part.tolist() for part in Edges(np.zeros(1, np.int64), ends[:0]).undirected()] == [
        [0],
        [],
    ]


def test_parts_keep_the_shares_of_the_labels():
    random = np.random.default_rng(0)
    rows = random.normal(size=(5000, 4)).astype("f4")
    labels = (random.random(5000) < 0.2).astype(np.int32)
    parts = split_rows(rows, labels, 400, 0)
    assert sorted(parts.members.tolist()) == list(range(5000))
    sizes = np.diff(parts.offsets)
    assert sizes.max() <= 400
    assert sizes.min() >= 150
    for number in range(len(parts)):
        assert abs(labels[parts[number]].mean() - labels.mean()) < 0.02
    # Near rows stay together.
    spread = np.mean([rows[parts[number]].var(axis=0).mean() for number in range(len(parts))])
    assert spread < 0.8 * rows.var(axis=0).mean()


def test_nothing_and_one_row():
    assert len(neighbours(np.zeros((0, 3)))) == 0
    for method in ("exact", *METHODS):
        assert neighbours(np.zeros((1, 3)), method=method).neighbours.tolist() == []


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (np.array([[0.0], [np.nan]]), {}, "row 1 holds NaN"),
        (np.ones(3), {}, "two dimensions"),
        (np.array([["a"]]), {}, "numbers"),
        (np.ones((2, 2)), {"k": 0}, "k=0"),
        (np.ones((2, 2)), {"threshold": 2}, "threshold=2"),
        (np.ones((2, 2)), {"method": "best"}, "method='best'"),
        (np.ones((2, 2)), {"labels": [1]}, "labels"),
        (np.ones((2, 2)), {"batch_size": 1}, "batch_size=1"),
    ],
)
def test_wrong_calls(rows, settings, message):
    with pytest.raises(SettingError, match=message):
        neighbours(rows, **settings)
