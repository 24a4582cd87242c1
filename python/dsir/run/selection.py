"""Selection: the result of select()."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.skipped import Skipped
from dsir.errors import SettingError
from dsir.facts import Fact, Facts
from dsir.model.estimator import Estimator
from dsir.plural import counted
from dsir.remote import RemotePath
from dsir.run.metrics import Metrics
from dsir.run.selected_table import read_parts


@dataclass(frozen=True, slots=True, repr=False)
class Selection(Facts):
    """The selected documents.

    Attributes:
        paths: the output shards, in order; shards in a store are `RemotePath` (`str` gives the
            URL). Empty if the rows are in `table`.
        table: the selected rows in memory, with the log-weights as a last column; None if they were
            written to files. JSON Lines have the columns `text` and `line`.
        rows: int64[selected], global row numbers, ascending: the rows of all earlier shards plus
            the row in the shard. The output has the same order.
        log_weights: float64[selected], the log-weight of each row; with separate targets under the
            target that took the row.
        target: uint16[selected], the number of the target that took each row, in the order of
            `model.target_names`; None unless targets are separate.
        metrics: the accounts: rows, tokens, KL reduction, effective sample size, seconds by stage,
            and the same of each named target. `metrics.kl_reduction` and
            `metrics["kl_reduction"]` are the same.
        skipped: rows and shards that could not be read (with `on_error="skip"`).
        model: the model that gave the log-weights, fitted by the run or before it.

    Example:
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> selection = dsir.select(
        ...     raw, ["ship and sea"] * 9, n=2, method="top-k", min_tokens=1, progress=False
        ... )
        >>> selection.rows.tolist()
        [0, 2]
        >>> selection.metrics.rows.read
        3
    """

    paths: list[Path | RemotePath]
    table: pa.Table | None
    rows: npt.NDArray[np.int64]
    log_weights: npt.NDArray[np.float64]
    target: npt.NDArray[np.uint16] | None
    metrics: Metrics
    skipped: list[Skipped]
    model: Estimator

    def to_pandas(self) -> Any:
        """Return the selected rows as a pandas DataFrame, read from their files if need be.

        The rows are those of `rows`, in order, with their columns and `log_weight`; lines of JSON
        become columns when they are read from files.

        Raises:
            SettingError: pandas is not installed, or the files cannot be one table.
            InputError: a file cannot be read.

        Example:
            >>> frame = dsir.load("selected/").to_pandas()  # doctest: +SKIP
        """
        _imported("pandas")  # pyarrow imports pandas itself, but its message says less.
        return self._rows_as_table().to_pandas()

    def to_polars(self) -> Any:
        """Return the selected rows as a polars DataFrame; see `to_pandas`.

        Raises:
            SettingError: polars is not installed, or the files cannot be one table.
            InputError: a file cannot be read.

        Example:
            >>> frame = dsir.load("selected/").to_polars()  # doctest: +SKIP
        """
        return _imported("polars").from_arrow(self._rows_as_table())

    def report(
        self, out: str | Path | RemotePath | None = None, *, quick: bool = False
    ) -> Path | RemotePath:
        """Write what was selected, and why, as one HTML page that needs no other file.

        The page shows the accounts of all rows, distributions of log-weights and lengths, shares by
        source, the KL reduction and the coverage, n-grams for and against, and twenty documents. It
        has at most 1 MB. The same folder and inputs give the same bytes.

        Args:
            out: the file to write, e.g. "report.html"; None for `_dsir/report.html` in the folder
                of the selection.
            quick: do not read the inputs; the page then has nothing of raw and target.

        Returns:
            The file.

        Raises:
            SettingError: the selection is in memory, and has no folder.
            OutputError: the folder is damaged, or the page cannot be written.

        Example:
            >>> dsir.load("selected/").report("report.html")  # doctest: +SKIP
        """
        if not self.paths:
            raise SettingError(
                "report(): this selection is in memory, and a report is made of a folder; select "
                'with out="selected/"'
            )
        from dsir.report.write import write_report  # Here, because few selections need a page.

        return write_report(self.paths[0].parent.parent, out, quick=quick)

    def _rows_as_table(self) -> pa.Table:
        if self.table is not None:
            return self.table
        return read_parts(self.paths, self.log_weights)

    def __len__(self) -> int:
        """Return the number of selected documents."""
        return len(self.rows)

    def _facts(self) -> Iterator[Fact]:
        """Give the main numbers, and where the rows are."""
        metrics = self.metrics
        yield "rows", f"{len(self):,} of {metrics.rows.read:,}"
        yield "tokens", f"{metrics.tokens.selected:,}"
        if metrics.kl_reduction is not None:
            by_chance = metrics.random_kl_reduction
            note = "" if by_chance is None else f" (random: about {by_chance:.4f})"
            yield "KL reduction", f"{metrics.kl_reduction:.4f}{note}"
        if self.skipped:
            yield "skipped", f"{len(self.skipped):,}"
        yield "in", self.paths[0].parent if self.paths else "table"

    def _more_facts(self) -> Iterator[Fact]:
        """Give what became of the other rows, and the model."""
        metrics = self.metrics
        for name, target in (metrics.targets or {}).items():
            if target.selected is not None:
                yield f"rows for {name}", f"{target.selected:,}"
        if metrics.effective_sample_size is not None:
            yield "effective sample size", f"{metrics.effective_sample_size:,.1f}"
        for reason, count in metrics.rows.passed_over.items():
            if isinstance(count, int) and count:
                yield f"rows {reason.replace('_', ' ')}", f"{count:,}"
        if metrics.rows.bad:
            yield "bad rows", f"{metrics.rows.bad:,}"
        yield "files", counted(len(self.paths), "file")
        yield "model", self.model


def _imported(library: str) -> Any:
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise SettingError(
            f"to_{library}() needs {library}: pip install 'dsir[{library}]'"
        ) from error
