"""Similarity graphs for other tools: a table of edges, networkx, GraphML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.errors import SettingError
from dsir.remote import RemotePath, location_of
from dsir.storage.atomic import atomic_file

_EDGES_AT_ONCE = 10_000
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="cosine" for="edge" attr.name="cosine" attr.type="double"/>
<key id="score" for="node" attr.name="score" attr.type="double"/>
<graph edgedefault="undirected">
"""


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
    with atomic_file(location_of(path), sweeps=True) as file:
        file.write(_HEAD.encode())
        for part in _elements(units, edges, scores):
            file.write(part.encode())
        file.write(b"</graph>\n</graphml>\n")


def _elements(units: int, edges: pa.Table, scores: Sequence[float] | None) -> Iterator[str]:
    for unit in range(units):
        if scores is None:
            yield f'<node id="{unit}"/>\n'
        else:
            yield f'<node id="{unit}"><data key="score">{float(scores[unit])!r}</data></node>\n'
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
    values = np.asarray(scores)
    if values.shape != (units,) or values.dtype.kind not in "fiu":
        raise SettingError(
            f"scores: expected {units:,} numbers, one for each unit; found an array of "
            f"{values.dtype} of shape {values.shape}"
        )
    return [float(one) for one in values]
