"""Similarity graphs for other tools: a table of edges, networkx, GraphML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.arrays import array_of
from dsir.errors import SettingError
from dsir.remote import RemotePath, location_of
from dsir.storage.atomic import atomic_file

_EDGES_AT_ONCE = 10_000
# XML 1.0 has no place for most control characters, not even escaped.
_NOT_IN_XML = {code: "\ufffd" for code in (*range(32), 0xFFFE, 0xFFFF) if chr(code) not in "\t\n\r"}
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="cosine" for="edge" attr.name="cosine" attr.type="double"/>
<key id="score" for="node" attr.name="score" attr.type="double"/>
"""
_GROUP_KEY = '<key id="group" for="node" attr.name="group" attr.type="string"/>\n'
_GRAPH = '<graph edgedefault="undirected">\n'
GRAPHML_END = "</graph>\n</graphml>\n"


def edges_of(
    offsets: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64] | None,
) -> pa.Table:
    """Return each edge between two units once, as a table.

    Columns: `source` and `target`, int32, with source < target; `cosine`, float64, or 1 for a graph
    without weights. The rows ascend by source and target.
    """
    sources = np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))
    once = sources < neighbours
    cosines = np.ones(int(once.sum())) if weights is None else weights[once]
    columns = [pa.array(one) for one in (sources[once], neighbours[once], cosines)]
    return pa.table(columns, names=["source", "target", "cosine"])


def networkx_graph(units: int, edges: pa.Table, scores: Sequence[float] | None) -> Any:
    """Return a `networkx.Graph` with the attributes `cosine` of edges and `score` of nodes."""
    import networkx

    graph = networkx.Graph()
    if scores is None:
        graph.add_nodes_from(range(units))
    else:
        graph.add_nodes_from((unit, {"score": score}) for unit, score in enumerate(scores))
    columns = (edges.column(name).to_pylist() for name in ("source", "target", "cosine"))
    graph.add_weighted_edges_from(zip(*columns, strict=True), weight="cosine")
    return graph


def write_graphml(
    path: str | Path | RemotePath, units: int, edges: pa.Table, scores: Sequence[float] | None
) -> None:
    """Write a graph as GraphML, atomically; networkx, igraph and Gephi read it.

    Raises:
        OSError: the file cannot be written.
    """
    with atomic_file(location_of(path), named=True) as file:
        file.write(graphml_head(groups=False).encode())
        for unit in range(units):
            file.write(node_element(unit, None if scores is None else scores[unit]).encode())
        for part in edge_elements(edges):
            file.write(part.encode())
        file.write(GRAPHML_END.encode())


def graphml_head(*, groups: bool) -> str:
    """Return what comes before the nodes of a graph whose nodes have a group, or have none."""
    return _HEAD + (_GROUP_KEY if groups else "") + _GRAPH


def node_element(unit: int, score: float | None, group: str | None = None) -> str:
    """Return the element of a node; a score or group of None is left out."""
    data = "" if score is None else f'<data key="score">{float(score)!r}</data>'
    if group is not None:
        data += f'<data key="group">{escape(group.translate(_NOT_IN_XML))}</data>'
    return f'<node id="{unit}">{data}</node>\n' if data else f'<node id="{unit}"/>\n'


def edge_elements(edges: pa.Table) -> Iterator[str]:
    """Give the elements of edges (see `edges_of`), some thousands at a time."""
    for batch in edges.to_batches(max_chunksize=_EDGES_AT_ONCE):
        columns = (column.to_pylist() for column in batch.columns)
        yield "".join(
            f'<edge source="{source}" target="{target}"><data key="cosine">{cosine!r}</data>'
            "</edge>\n"
            for source, target, cosine in zip(*columns, strict=True)
        )


def checked_scores(scores: Any, units: int) -> list[float] | None:
    """Return the scores of units as floats.

    Raises:
        SettingError: they are not one number for each unit.
    """
    if scores is None:
        return None
    values = array_of("scores", scores)
    if values.shape != (units,) or values.dtype.kind not in "fiu":
        raise SettingError(
            f"scores: expected {units:,} numbers, one for each unit; found an array of "
            f"{values.dtype} of shape {values.shape}"
        )
    return [float(one) for one in values]
