"""The folder of a selection as a report reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.corpus import Shard
from dsir.corpus.files import open_file
from dsir.errors import InputError, OutputError, StoreError
from dsir.model.estimator import Estimator
from dsir.model.estimators import load_estimator
from dsir.output.folder import MODEL_FILE, ORIGINS_FOLDER, SELECTION_FILE, beside
from dsir.output.manifest import Manifest, read_selection_file
from dsir.output.row_origins import Origins, read_origins
from dsir.remote import Location
from dsir.report.accounts import has_accounts
from dsir.report.source import SelectionSource, encoding_in


class SelectionFolder(SelectionSource):
    """A finished selection in a folder.

    Args:
        manifest: its selection.json.
        model: the model that its log-weights are from.
        parts: the files with its rows, in order.
    """

    def __init__(self, manifest: Manifest, model: Estimator, parts: Sequence[Shard]) -> None:
        folder = manifest.folder
        super().__init__(
            name=folder.name or str(folder),
            folder=str(folder),
            place=str(folder / SELECTION_FILE),
            content=manifest.content,
            model=model,
            parts=parts,
        )
        self._manifest = manifest

    def origins_of(self, part: int) -> Iterator[Origins]:
        """Yield where the rows of a part come from.

        Raises:
            OutputError: a file is missing or damaged.
        """
        name = self._manifest.parts[part]
        stem = name.rpartition("/")[2].partition(".")[0]
        path = (self._manifest.folder / name).with_name(stem)
        yield from read_origins(beside(path, ORIGINS_FOLDER))


def open_selection(folder: Location) -> SelectionFolder:
    """Open the folder of a selection.

    Raises:
        OutputError: there is no selection, its manifest was changed, or a part is missing.
        ModelError: the model cannot be read.
        StoreError: a store does not answer.
    """
    manifest = read_selection_file(folder)
    if manifest.problems:
        raise OutputError(f"{folder / SELECTION_FILE}: {manifest.problems[0]}")
    if not has_accounts(manifest.content):
        raise OutputError(f"{folder / SELECTION_FILE}: does not hold the accounts of a selection")
    model = load_estimator(folder / MODEL_FILE)
    if model.fingerprint != manifest.content["model"]:
        raise OutputError(f"{folder / MODEL_FILE}: is not the model of this selection")
    text = manifest.settings.get("text")
    if not isinstance(text, str) or not text:
        raise OutputError(f"{folder / SELECTION_FILE}: does not name the text column")
    encoding = encoding_in(manifest.settings)
    try:
        parts = [open_file(folder / name, text, encoding) for name in manifest.parts]
    except StoreError:
        raise
    except InputError as error:
        raise OutputError(str(error)) from error
    return SelectionFolder(manifest, model, parts)


class SelectedRows:
    """Tells which rows of the inputs were selected, if it is asked in the order of the rows.

    Args:
        runs: where the selected rows come from, in their order.
    """

    def __init__(self, runs: Iterator[Origins]) -> None:
        self._runs = runs
        self._held: list[Origins] = []

    def among(
        self,
        source: int,
        rows: npt.NDArray[np.int64],
        starts: npt.NDArray[np.uint32] | None,
    ) -> npt.NDArray[np.bool_]:
        """Return which of the rows were selected, bool[rows].

        Args:
            source: number of the input; never less than in the call before.
            rows: rows of the input, ascending, all of them after those of the call before.
            starts: where windows begin in their documents; None for documents.
        """
        if not len(rows):
            return np.zeros(0, dtype=bool)
        first, last = (source, int(rows[0])), (source, int(rows[-1]))
        while not self._held or _last(self._held[-1]) <= last:
            run = next(self._runs, None)
            if run is None:
                break
            if len(run.source):
                self._held.append(run)
        self._held = [run for run in self._held if _last(run) >= first]
        found = np.zeros(len(rows), dtype=bool)
        for run in self._held:
            here = run.source == source
            if starts is None or run.start is None:
                found |= np.isin(rows, run.source_row[here])
            else:
                wanted = _places(run.source_row[here], run.start[here])
                found |= np.isin(_places(rows, starts), wanted)
        return found


def _last(run: Origins) -> tuple[int, int]:
    return int(run.source[-1]), int(run.source_row[-1])


def _places(rows: npt.NDArray[np.int64], starts: npt.NDArray[np.uint32]) -> Any:
    """Return documents and places in them as one array that can be compared."""
    pairs = np.empty(len(rows), dtype=[("row", np.int64), ("start", np.uint32)])
    pairs["row"], pairs["start"] = rows, starts
    return pairs


def input_names(content: Mapping[str, Any]) -> list[str]:
    """Return what to call the inputs: their file names, with as many folders as tell them apart.

    What is not needed is left out, because a card with these names is published.
    """
    raw = content["inputs"].get("raw", [])
    paths = [str(entry.get("path") or entry.get("name") or "in memory") for entry in raw]
    steps = [path.split("/") for path in paths]
    names = [path[-1] for path in steps]
    distinct = len({*paths})
    for last in range(2, max(map(len, steps), default=0) + 1):
        if len({*names}) == distinct:
            break
        names = ["/".join(path[-last:]) for path in steps]
    return names
