"""A selection in memory as a report reads it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from dsir.corpus import Shard
from dsir.corpus.batches import table_bytes
from dsir.corpus.files import open_file
from dsir.corpus.memory import MemoryShard
from dsir.model.estimator import Estimator
from dsir.output.manifest import versions
from dsir.output.row_origins import Origins
from dsir.report.held import Held
from dsir.report.source import Found, SelectionSource, encoding_in, found_targets

_NAME = "Selection in memory"
_RUN_ROWS = 1 << 16


class SelectionInMemory(SelectionSource):
    """A selection in memory.

    Args:
        held: what it keeps besides its rows.
        model: the model that its log-weights are from.
        rows: its rows.
    """

    def __init__(self, held: Held, model: Estimator, rows: Shard) -> None:
        super().__init__(
            name=_NAME,
            folder="",
            place="the selection in memory",
            content={"versions": versions(), **held.described, "model": model.fingerprint},
            model=model,
            parts=(rows,),
        )
        self._held = held

    def origins_of(self, part: int) -> Iterator[Origins]:
        """Yield where the rows come from; there is one part."""
        del part
        for first in range(0, len(self._held.origins.source), _RUN_ROWS):
            yield self._held.origins.part(slice(first, first + _RUN_ROWS))

    def raw(self) -> Found:
        """Look for the inputs that the rows were selected from."""
        described = self.content["inputs"]["raw"]
        return Found(described, self.settings["text"], self._held.inputs.raw)

    def targets(self) -> dict[str, Found]:
        """Look for the targets, by name; "" for a target without a name."""
        return found_targets(self.content, self._held.inputs.targets)


@contextmanager
def in_memory(held: Held, model: Estimator, table: pa.Table) -> Iterator[SelectionInMemory]:
    """Give a selection in memory as a report reads it.

    Rows of JSON Lines are written to a file that is gone afterwards, because their fields are read
    from lines.

    Args:
        held: what the selection keeps besides its rows.
        model: the model that its log-weights are from.
        table: its rows.
    """
    settings = held.described["settings"]
    text, encoding = settings["text"], encoding_in(settings)
    if not held.inputs.lines:
        rows = MemoryShard("the selection", table_bytes(table), text, table, encoding)
        yield SelectionInMemory(held, model, rows)
        return
    with tempfile.TemporaryDirectory(prefix="dsir-report-") as scratch:
        path = Path(scratch) / "rows.jsonl"
        with path.open("wb") as file:
            for line in table["line"]:
                file.write(line.as_py() + b"\n")
        yield SelectionInMemory(held, model, open_file(path, text, encoding))
