"""Selection: the result of select()."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.values import shown
from dsir.corpus.pandas_index import range_index
from dsir.corpus.skipped import Skipped
from dsir.errors import SettingError
from dsir.facts import Fact, Facts
from dsir.model.estimator import Estimator
from dsir.plural import counted
from dsir.remote import Location, RemotePath, location_of
from dsir.report.held import Held
from dsir.run.metrics import Metrics
from dsir.run.selected_table import read_parts

if TYPE_CHECKING:
    from dsir.report.source import SelectionSource


# Arrays have no truth value, so a selection is equal to itself alone; so are rankings and graphs.
@dataclass(frozen=True, slots=True, repr=False, eq=False)
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
    # What `report` and `explain` need of a selection in memory, and `table` does not have.
    _held: Held | None = field(default=None, compare=False)

    def to_pandas(self) -> Any:
        """Return the selected rows as a pandas DataFrame, read from their files if need be.

        The rows are those of `rows`, in order, with their columns and `log_weight`; lines of JSON
        become columns when they are read from files. If the rows were selected in memory from one
        frame, they keep the labels of its index: `frame.loc[selected.index]` gives the same texts.

        Raises:
            SettingError: pandas is not installed, or the files cannot be one table.
            InputError: a file cannot be read.

        Example:
            >>> frame = dsir.load("selected/").to_pandas()  # doctest: +SKIP
        """
        pandas = _imported("pandas")  # pyarrow imports it itself, but its message says less.
        table = self._rows_as_table()
        frame = table.to_pandas()
        # pyarrow restores an index that is a column, but not a range of which rows are missing.
        index = range_index(table.schema)
        if index is not None and len(index[0]) == self.metrics.rows.read:
            labels, name = index
            frame.index = pandas.Index(labels.start + labels.step * self.rows, name=name)
        return frame

    def to_polars(self) -> Any:
        """Return the selected rows as a polars DataFrame; see `to_pandas`.

        Raises:
            SettingError: polars is not installed, or the files cannot be one table.
            InputError: a file cannot be read.

        Example:
            >>> frame = dsir.load("selected/").to_polars()  # doctest: +SKIP
        """
        return _imported("polars").from_arrow(self._rows_as_table())

    def explain(self, row: int) -> pa.Table:
        """Return what each n-gram contributes to the log-weight of a selected row.

        Args:
            row: the row of the selection, from 0: `selection.rows[row]` is its number in raw.

        Returns:
            A table of `ngram`, `bucket`, `count` and `contribution`, the greatest magnitude first;
            under the target that took the row, if targets are separate.

        Raises:
            SettingError: the selection has no such row.
            InputError: the row cannot be read.

        Example:
            >>> dsir.load("selected/").explain(0).slice(0, 5).to_pandas()  # doctest: +SKIP
        """
        from dsir.report.explaining import explain_row  # Here, because few selections need it.

        with self._opened() as selection:
            return explain_row(selection, row)

    def report(
        self, out: str | Path | RemotePath | None = None, *, quick: bool = False
    ) -> Path | RemotePath:
        """Write what was selected, and why, as one HTML page that needs no other file.

        The page shows the accounts of all rows, distributions of log-weights and lengths, shares by
        source, the KL reduction and the coverage, n-grams for and against, and twenty documents. It
        has at most 1 MB. The same selection and inputs give the same bytes.

        Inputs that are files are read again. Of inputs in memory, a selection in memory keeps
        about 16 MB of raw and 8 MB of each target; of larger ones, rows that are spread evenly.

        Args:
            out: the file to write, e.g. "report.html"; None for `_dsir/report.html` in the folder
                of the selection, if it has one.
            quick: do not read the inputs; the page then has nothing of raw and target.

        Returns:
            The file.

        Raises:
            SettingError: the selection is in memory, and `out` names no file.
            OutputError: the folder is damaged, or the page cannot be written.

        Example:
            >>> dsir.load("selected/").report("report.html")  # doctest: +SKIP
        """
        # Here, because few selections need a page.
        from dsir.report.write import write_page_of, write_report

        if self.paths:
            return write_report(self._folder("report"), out, quick=quick)
        if out is None:
            raise SettingError(
                "report(): this selection is in memory, and has no folder for the page; name a "
                'file, e.g. report("report.html")'
            )
        with self._opened() as selection:
            return write_page_of(selection, out, quick=quick)

    def card(self, out: str | Path | RemotePath | None = None) -> Path | RemotePath:
        """Write the dataset card of the selection: Markdown, as Hugging Face's hub shows it.

        Its metadata have the number of rows, the languages and the licence, if columns name them;
        its text says where the rows come from, how they were selected, and how close they are to
        the target. Inputs are named by their file names, and by folders only where these tell them
        apart.

        Args:
            out: the file to write, e.g. "README.md"; None for `_dsir/card.md` in the folder of the
                selection.

        Returns:
            The file.

        Raises:
            SettingError: the selection is in memory, and has no folder.
            OutputError: the folder is damaged, or the card cannot be written.

        Example:
            >>> dsir.load("selected/").card("README.md")  # doctest: +SKIP
        """
        from dsir.report.card import write_card  # Here, because few selections need a card.

        return write_card(self._folder("card"), out)

    def write_row_list(self, out: str | Path) -> Path:
        """Write which rows of which inputs were selected, for readers of other files.

        Args:
            out: a name with `.parquet`, for a table with a row for each selected row: `file`,
                `row` int64, `start` uint32 (only for windows), `log_weight`, `target` (only for
                separate targets). Or a folder that is empty or does not exist, for arrays that
                `numpy.load` reads, int64 and ascending: `00000.npy`, `00001.npy`, ... with the
                selected documents of each input, 0-based; `corpus.npy` with their numbers in all
                inputs together (not for windows); `files.json`, which says what is what.

        Returns:
            The file or folder.

        Raises:
            SettingError: the selection is in memory, or `out` is no path on this machine.
            OutputError: the folder is not empty, or the selection is damaged.

        Example:
            >>> dsir.load("selected/").write_row_list("rows.parquet")  # doctest: +SKIP
        """
        from dsir.run.row_lists import write_row_list  # Here, because few selections need a list.

        return write_row_list(self._folder("write_row_list"), out)

    def to_hub(
        self,
        repo: str,
        *,
        private: bool = True,
        token: str | None = None,
        endpoint: str | None = None,
    ) -> str:
        """Push the selected rows to Hugging Face's hub as a data set, with the dataset card.

        One commit has the files of `data/`, and the card as README.md. The manifest, which has the
        paths of the inputs, stays here.

        Args:
            repo: name of the data set, e.g. "you/satire"; it is made if it does not exist.
            private: whether a data set that is made can be seen by its owner only.
            token: an access token that may write; None for the one of `huggingface-cli login`.
            endpoint: URL of the hub; None for `HF_ENDPOINT`, or the public one.

        Returns:
            The URL of the data set.

        Raises:
            SettingError: the selection is in memory or in a store, or huggingface_hub is not
                installed.
            StoreError: the hub does not answer, or refuses.

        Example:
            >>> dsir.load("selected/").to_hub("you/satire")  # doctest: +SKIP
        """
        from dsir.report.hub import push_to_hub  # Here, because few selections are pushed.

        folder = self._folder("to_hub")
        return push_to_hub(folder, repo, private=private, token=token, endpoint=endpoint)

    @contextmanager
    def _opened(self) -> Iterator[SelectionSource]:
        """Give the selection as reports read it, from its folder or from memory."""
        if self._held is None or self.table is None:
            from dsir.report.folder import open_selection  # Here, because few selections need it.

            yield open_selection(self._folder("open"))
            return
        from dsir.report.in_memory import in_memory  # Here, because few selections need it.

        with in_memory(self._held, self.model, self.table) as selection:
            yield selection

    def _folder(self, call: str) -> Path | RemotePath:
        """Return the folder of the selection, for what is made of its files.

        Raises:
            SettingError: the selection is in memory.
        """
        if self.paths:
            return self.paths[0].parent.parent
        raise SettingError(
            f"{call}(): this selection is in memory, and {call}() reads the folder of one; select "
            'with out="selected/"'
        )

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


def folder_of_selection(given: Selection | str | Path | RemotePath) -> Location:
    """Return the folder of a selection, given as its path, its URL, or the selection itself.

    Raises:
        SettingError: the selection is in memory, or `given` is none of these.
    """
    if isinstance(given, str | Path | RemotePath):
        return location_of(given)
    if not isinstance(given, Selection):
        raise SettingError(f"{shown(given)}: expected the folder of a selection, or a Selection")
    if not given.paths:
        raise SettingError(
            "the selection is in memory; give the folder it was written to (select with "
            'out="selected/")'
        )
    return given.paths[0].parent.parent


def _imported(library: str) -> Any:
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise SettingError(
            f"to_{library}() needs {library}: pip install 'dsir[{library}]'"
        ) from error
