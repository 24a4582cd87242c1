"""dsir lexrank --graph: the graph of a corpus as a file, with the numbers of its rows."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dsir.graph import Idf, centrality, similarity_join

# Small graphs have equal scores, which dsir warns of.
pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")

TEXTS = [
    *("ship sail mast", "oven bread", "ship sail", None, "bread oven flour"),
    *("sail mast rope", "zebra", "oven flour", "ship mast", "judge"),
]
TOPICS = ["a", "b", "a", "a", "b", "b", "a", "b", "b", "a"]


@pytest.fixture
def corpus(tmp_path):
    """Two files, of which the second is lines."""
    table = pa.table({"text": TEXTS, "topic": TOPICS})
    pq.write_table(table.slice(0, 4), tmp_path / "1.parquet")
    lines = [json.dumps(row) + "\n" for row in table.slice(4).to_pylist()]
    (tmp_path / "2.jsonl").write_text("".join(lines))
    return [tmp_path / "1.parquet", tmp_path / "2.jsonl"]


def expected(groups, threshold=0.1):
    """Return the edges by (source, target), and the scores, by definition."""
    idf = Idf().fit(TEXTS)
    edges, scores = {}, np.zeros(len(TEXTS))
    for group in dict.fromkeys(groups):
        rows = [row for row, one in enumerate(groups) if one == group]
        texts = [TEXTS[row] or "" for row in rows]
        scores[rows] = centrality(texts, threshold, idf=idf).scores
        joined = similarity_join(texts, threshold=threshold, idf=idf)
        for edge in joined.to_arrow().to_pylist():
            edges[rows[edge["source"]], rows[edge["target"]]] = edge["cosine"]
    return edges, scores


@pytest.mark.parametrize("grouped", [False, True])
def test_graphml(corpus, tmp_path, invoke_dsir, grouped):
    networkx = pytest.importorskip("networkx")
    arguments = ["--group-by", "topic"] if grouped else []
    path = tmp_path / "new/graph.graphml"
    done = invoke_dsir(
        *["lexrank", *corpus, "-o", tmp_path / "out", "--threshold", 0.1, "--graph", path],
        *arguments,
    )
    assert done.returncode == 0, done.stderr
    graph = networkx.read_graphml(path, node_type=int)
    edges, scores = expected(TOPICS if grouped else ["a"] * len(TEXTS))
    assert sorted(graph.nodes) == list(range(len(TEXTS)))
    assert {(min(a, b), max(a, b)): c for a, b, c in graph.edges(data="cosine")} == edges
    assert [graph.nodes[row]["score"] for row in range(len(TEXTS))] == scores.tolist()
    groups = [graph.nodes[row].get("group") for row in range(len(TEXTS))]
    assert groups == (TOPICS if grouped else [None] * len(TEXTS))
    # The rows are written as they are without the graph.
    plain = [*arguments, "--threshold", 0.1]
    assert invoke_dsir("lexrank", *corpus, "-o", tmp_path / "plain", *plain).returncode == 0
    for part in sorted((tmp_path / "plain/data").glob("part-*")):
        assert part.read_bytes() == (tmp_path / "out/data" / part.name).read_bytes()


def test_a_table_of_edges(corpus, tmp_path, invoke_dsir):
    path = tmp_path / "edges.arrow"
    words = ["lexrank", *corpus, "--threshold", 0.1, "--graph", path, "--group-by", "topic"]
    assert invoke_dsir(*words, "--out", tmp_path / "out").returncode == 0
    with pa.ipc.open_file(str(path)) as file:
        table = file.read_all()
    assert [str(kind) for kind in table.schema.types] == ["int64", "int64", "double"]
    edges, _ = expected(TOPICS)
    assert {(a, b): c for a, b, c in (tuple(row.values()) for row in table.to_pylist())} == edges
    assert table.num_rows == len(edges)


def test_groups_that_xml_cannot_hold(tmp_path, invoke_dsir):
    networkx = pytest.importorskip("networkx")
    names = ["<a> & b", "bell \x07", "ok"]
    rows = [{"text": f"ship {number}", "k": name} for number, name in enumerate(names)]
    raw, path = tmp_path / "raw.jsonl", tmp_path / "g.graphml"
    raw.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["lexrank", raw, "-o", tmp_path / "out", "--threshold", 0.5, "--group-by", "k"]
    assert invoke_dsir(*words, "--graph", path).returncode == 0
    found = networkx.read_graphml(path, node_type=int).nodes(data="group")
    assert dict(found) == {0: "<a> & b", 1: "bell \ufffd", 2: "ok"}


def test_rows_that_cannot_be_read_are_no_nodes(tmp_path, invoke_dsir):
    networkx = pytest.importorskip("networkx")
    (tmp_path / "1.jsonl").write_text('{"text": "ship sail"}\n{"text": 5}\n')
    (tmp_path / "2.jsonl").write_text('{"te\n{"text": "ship sail mast"}\n{"text": "oven"}\n')
    path = tmp_path / "g.graphml"
    words = ["lexrank", *sorted(tmp_path.glob("*.jsonl")), "-o", tmp_path / "out"]
    done = invoke_dsir(*words, "--threshold", 0.1, "--graph", path, "--on-error", "skip")
    assert done.returncode == 0, done.stderr
    graph = networkx.read_graphml(path, node_type=int)
    assert sorted(graph.nodes) == [0, 3, 4]
    assert list(graph.edges) == [(0, 3)]


def test_a_run_that_fails_leaves_the_graph_of_before(corpus, tmp_path, invoke_dsir):
    path = tmp_path / "g.graphml"
    path.write_text("before")
    corpus[1].write_text('{"text": 5}\n')
    words = ["lexrank", *corpus, "-o", tmp_path / "out", "--threshold", 0.1, "--graph", path]
    assert invoke_dsir(*words).returncode == 1
    assert path.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".g.")] == []
