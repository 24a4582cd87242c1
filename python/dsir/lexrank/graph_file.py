"""A file with the similarity graph of a corpus: GraphML, or a table of edges in Arrow's format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.values import shown
from dsir.errors import OutputError, SettingError
from dsir.lexrank.graph_export import GRAPHML_END, edge_elements, graphml_head, node_element
from dsir.lexrank.similarity import SimilarityGraph
from dsir.output.writer import writing
from dsir.primitive_arrays import to_arrow
from dsir.storage.atomic import UnfinishedFile, remove_abandoned
from dsir.storage.links import followed

SUFFIXES = (".graphml", ".arrow")
_EDGES = pa.schema([("source", pa.int64()), ("target", pa.int64()), ("cosine", pa.float64())])


class GraphFile(ABC):
    """Takes the graph of a corpus group by group; nodes are the numbers of the rows."""

    def __init__(self, file: UnfinishedFile) -> None:
        self._file = file

    def add(
        self,
        rows: npt.NDArray[np.int64],
        graph: SimilarityGraph,
        scores: npt.NDArray[np.float64],
        group: str | None = None,
        *,
        left_out: npt.NDArray[np.int64] | None = None,
    ) -> None:
        """Add the rows of a group, and the edges between them, each once.

        Args:
            rows: for each unit of the graph its number in the corpus, ascending.
            graph: the graph, with cosines.
            scores: float64[units].
            group: the value of the group column; None for none.
            left_out: rows that are no nodes, and have no edge; None for none.
        """
        edges = graph.to_arrow()
        ends = (rows[edges.column(name).to_numpy()] for name in ("source", "target"))
        numbered = [*map(to_arrow, ends), edges.column("cosine").combine_chunks()]
        if left_out is not None:
            is_node = np.isin(rows, left_out, invert=True)
            rows, scores = rows[is_node], scores[is_node]
        with writing(self._file.path):
            self._add(rows, pa.table(numbered, schema=_EDGES), scores, group)

    @abstractmethod
    def _add(
        self,
        rows: npt.NDArray[np.int64],
        edges: pa.Table,
        scores: npt.NDArray[np.float64],
        group: str | None,
    ) -> None: ...

    @abstractmethod
    def finish(self) -> None:
        """Write what comes last in the file."""


class _GraphML(GraphFile):
    def __init__(self, file: UnfinishedFile, *, groups: bool) -> None:
        super().__init__(file)
        file.write(graphml_head(groups=groups).encode())

    def _add(
        self,
        rows: npt.NDArray[np.int64],
        edges: pa.Table,
        scores: npt.NDArray[np.float64],
        group: str | None,
    ) -> None:
        for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
            self._file.write(node_element(row, score, group).encode())
        for part in edge_elements(edges):
            self._file.write(part.encode())

    def finish(self) -> None:
        self._file.write(GRAPHML_END.encode())


class _ArrowEdges(GraphFile):
    def __init__(self, file: UnfinishedFile) -> None:
        super().__init__(file)
        self._writer = pa.ipc.new_file(file, _EDGES)

    def _add(
        self,
        rows: npt.NDArray[np.int64],
        edges: pa.Table,
        scores: npt.NDArray[np.float64],
        group: str | None,
    ) -> None:
        del rows, scores, group
        self._writer.write_table(edges, max_chunksize=1 << 20)

    def finish(self) -> None:
        self._writer.close()


def check_graph_file(path: str) -> Path:
    """Return where a graph is to be written.

    Raises:
        SettingError: it is not a name with `.graphml` or `.arrow` on this machine.
        OutputError: there is a folder of this name.
    """
    place = Path(path) if path and "://" not in path else None
    if place is None or place.suffix not in SUFFIXES:
        raise SettingError(
            f"graph={shown(path)}: expected a file on this machine with .graphml, for nodes and "
            "edges, or .arrow, for a table of edges"
        )
    if place.is_dir():
        raise OutputError(f"{place}: is a folder; give the name of a file")
    return place


@contextmanager
def graph_file(path: Path, *, groups: bool) -> Iterator[GraphFile]:
    """Open a graph file, which appears when the block ends, and not if the block fails.

    Args:
        path: what `check_graph_file` returned.
        groups: whether nodes have groups.

    Raises:
        OutputError: the file cannot be written.
    """
    with writing(path):
        end = followed(path)
        remove_abandoned(end.parent, end.name)
        file = UnfinishedFile(end)
    try:
        with writing(path):
            made = _GraphML(file, groups=groups) if _is_graphml(path) else _ArrowEdges(file)
        yield made
        with writing(path):
            made.finish()
            file.commit()
    except BaseException:
        file.discard()
        raise


def _is_graphml(path: Path) -> bool:
    return path.suffix == SUFFIXES[0]
