"""The folder of a selection as a report reads it, and its inputs as far as they are still there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.corpus import Shard
from dsir.corpus.encoded_text import encoding_of
from dsir.corpus.files import open_file
from dsir.corpus.partitions import IDENTITY_KEY, partitioned
from dsir.corpus.windows.shard import WINDOW_KEYS, ChunkedShard
from dsir.errors import DsirError, InputError, OutputError, StoreError
from dsir.model.estimator import Estimator
from dsir.model.estimators import load_estimator
from dsir.model.language_column import described_languages
from dsir.output.folder import MODEL_FILE, ORIGINS_FOLDER, SELECTION_FILE, beside
from dsir.output.manifest import Manifest, read_selection_file
from dsir.output.row_origins import Origins, read_origins
from dsir.remote import Location, location_of
from dsir.remote.location import is_url
from dsir.report.accounts import has_accounts

_NOT_IDENTITY = ("rows", *WINDOW_KEYS)


@dataclass(frozen=True, slots=True)
class SelectionFolder:
    """A finished selection.

    Attributes:
        manifest: its selection.json.
        model: the model that its log-weights are from.
        parts: the files with its rows, in order.
    """

    manifest: Manifest
    model: Estimator
    parts: tuple[Shard, ...]

    @property
    def content(self) -> Mapping[str, Any]:
        """The content of the manifest."""
        return self.manifest.content

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the run."""
        return self.manifest.settings

    def origins(self) -> Iterator[Origins]:
        """Yield where the rows come from, in their order.

        Raises:
            OutputError: a file is missing or damaged.
        """
        for part in range(len(self.parts)):
            yield from self.origins_of(part)

    def origins_of(self, part: int) -> Iterator[Origins]:
        """Yield where the rows of a part come from."""
        name = self.manifest.parts[part]
        stem = name.rpartition("/")[2].partition(".")[0]
        path = (self.manifest.folder / name).with_name(stem)
        yield from read_origins(beside(path, ORIGINS_FOLDER))

    def log_weights(self) -> Iterator[npt.NDArray[np.float64]]:
        """Yield the log-weights of the rows, in their order."""
        for origins in self.origins():
            yield origins.log_weight


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
    encoding = _encoding(manifest.settings)
    try:
        parts = [open_file(folder / name, text, encoding) for name in manifest.parts]
    except StoreError:
        raise
    except InputError as error:
        raise OutputError(str(error)) from error
    return SelectionFolder(manifest, model, tuple(parts))


class Found:
    """Inputs of a selection that are still as they were.

    Attributes:
        shards: the inputs, in order; empty if one of them is gone or has changed.
        why_not: why there are none; "" if there are.
    """

    __slots__ = ("shards", "why_not")

    def __init__(self, described: object, text: str) -> None:
        """Look for the inputs.

        Args:
            described: the inputs, as the manifest describes them.
            text: the text column.
        """
        self.shards: tuple[Shard, ...] = ()
        self.why_not = ""
        entries = described if isinstance(described, list) else []
        found = []
        for entry in entries:
            one = _input_of(entry if isinstance(entry, dict) else {}, text)
            if isinstance(one, str):
                self.why_not = one
                return
            found.append(one)
        if not found:
            self.why_not = "the manifest does not name them"
        self.shards = tuple(found)


def found_targets(content: Mapping[str, Any]) -> dict[str, Found]:
    """Look for the targets of a selection, by name; "" for a target without a name."""
    described = content["inputs"].get("target")
    settings = content["settings"]
    columns = settings.get("target_text")
    text = columns if isinstance(columns, str) else settings["text"]
    if isinstance(described, list) and described and "shards" in described[0]:
        by_name = columns if isinstance(columns, dict) else {}
        return {
            str(entry.get("name")): Found(entry.get("shards"), by_name.get(entry.get("name"), text))
            for entry in described
        }
    return {"": Found(described, text)}


def _input_of(entry: Mapping[str, Any], text: str) -> Shard | str:
    """Return an input of a manifest as a shard, or why it cannot be read."""
    path = entry.get("path")
    if "texts" in entry or path is None:
        return "they were in memory, or came through a pipe"
    if not isinstance(path, str) or "\0" in path or not (is_url(path) or Path(path).is_absolute()):
        return f"the manifest names {path!r:.80}, which is not a path"
    try:
        file = open_file(location_of(path), text, _encoding(entry))
        shard = partitioned(file, entry.get(IDENTITY_KEY))
        shard = described_languages(shard, entry).surveyed()
    except (DsirError, OSError) as error:  # Also of a store that does not answer.
        return str(error)
    identity = shard.identity()
    was = {name: value for name, value in entry.items() if name not in _NOT_IDENTITY}
    if {name: value for name, value in identity.items() if name not in _NOT_IDENTITY} != was:
        return f"{path} has changed since the selection"
    if "chunk_tokens" in entry:
        shard = ChunkedShard(
            shard,
            entry["chunk_tokens"],
            entry["chunk_stride"],
            entry["chunk_tokenizer"],
            entry.get("chunk_normalize"),
        )
    return shard


def _encoding(described: Mapping[str, Any]) -> str | None:
    found = described.get("text_encoding")
    return None if found is None else encoding_of(found)


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
