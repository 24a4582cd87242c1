"""Graphs leave for other tools with every edge once."""

import numpy as np
import pytest

from dsir import SettingError
from dsir.graph import centrality, similarity_join

LINES = ["ship sail", "sail mast", "mast oven", "bread", "ship sail"]


def edges_by_hand(graph):
    found = []
    for unit in range(len(graph)):
        for other, weight in zip(*graph.of(unit), strict=True):
            if unit < other:
                found.append((unit, int(other), float(weight)))
    return found


@pytest.mark.parametrize("given", [{"threshold": 0.1}, {"top_k": 1}])
def test_edges(given):
    graph = similarity_join(LINES, **given)
    table = graph.to_arrow()
    assert [tuple(row.values()) for row in table.to_pylist()] == edges_by_hand(graph)
    assert [str(kind) for kind in table.schema.types] == ["int32", "int32", "double"]


def test_a_graph_without_weights_or_edges():
    found = centrality(LINES, 0.1)
    assert set(found.graph.to_arrow().column("cosine").to_pylist()) == {1.0}
    assert similarity_join(["a", "b"], threshold=0.5).to_arrow().num_rows == 0
    assert similarity_join([], threshold=0.5).to_arrow().num_rows == 0


def test_networkx_and_graphml(tmp_path):
    networkx = pytest.importorskip("networkx")
    graph = similarity_join(LINES, threshold=0.1)
    scores = centrality(LINES, 0.1).scores
    made = graph.to_networkx(scores)
    assert sorted(made.edges(data="cosine")) == edges_by_hand(graph)
    assert [made.nodes[unit]["score"] for unit in range(5)] == scores.tolist()
    graph.to_graphml(tmp_path / "g.graphml", scores)
    read = networkx.read_graphml(tmp_path / "g.graphml", node_type=int)
    assert dict(read.nodes(data=True)) == dict(made.nodes(data=True))
    assert sorted(read.edges(data="cosine")) == sorted(made.edges(data="cosine"))
    graph.to_graphml(tmp_path / "plain.graphml")
    plain = networkx.read_graphml(tmp_path / "plain.graphml", node_type=int)
    assert dict(plain.nodes(data=True)) == {unit: {} for unit in range(5)}


def test_scores_that_do_not_fit():
    graph = similarity_join(LINES, threshold=0.1)
    for scores in ([1.0], np.ones((5, 2)), ["a"] * 5):
        with pytest.raises(SettingError, match="one for each unit"):
            graph.to_networkx(scores)
