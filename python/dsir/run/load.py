"""load(): a selection read back from its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.corpus.skipped import Skipped
from dsir.errors import OutputError
from dsir.model.estimator import Estimator
from dsir.model.estimators import load_estimator
from dsir.output.folder import (
    MODEL_FILE,
    ORIGINS_FOLDER,
    REJECTS_FILE,
    RUN_FILE,
    SELECTION_FILE,
    beside,
)
from dsir.output.manifest import Manifest, read_selection_file
from dsir.output.row_origins import Origins, joined_origins, read_origins
from dsir.output.side_table import unreadable_output
from dsir.remote import Location, RemotePath
from dsir.remote.read_errors import translated
from dsir.remote.reading import open_bytes
from dsir.run.metrics import Metrics
from dsir.run.selection import Selection, folder_of_selection


def load(folder: Selection | str | Path | RemotePath) -> Selection:
    """Read a selection back from the folder that it was written to.

    The rows themselves stay in their files: `table` is None, and `paths` names the files. Checksums
    are not compared; `dsir.verify` does that.

    Args:
        folder: the folder that `dsir.select` or `dsir write` wrote to, also by URL.

    Returns:
        The selection, as `dsir.select` returned it. A selection of `dsir write` has no times of
        stages.

    Raises:
        OutputError: there is no selection in the folder, or its files do not go together.
        ModelError: the model cannot be read.
        StoreError: a store does not answer, or refuses.

    Example:
        >>> selection = dsir.load("selected/")  # doctest: +SKIP
    """
    place = folder_of_selection(folder)
    manifest = read_selection_file(place)
    if manifest.problems:
        raise OutputError(f"{place / SELECTION_FILE}: {manifest.problems[0]}")
    model = load_estimator(place / MODEL_FILE)
    if model.fingerprint != manifest.content["model"]:
        raise OutputError(f"{place / MODEL_FILE}: is not the model of this selection")
    origins = _origins_of(manifest)
    return Selection(
        paths=[place / part for part in manifest.parts],
        table=None,
        rows=_global_rows(manifest, origins),
        log_weights=origins.log_weight,
        target=_numbers_of_targets(manifest, origins, model),
        metrics=_metrics_of(manifest),
        skipped=list(_skipped_of(manifest)),
        model=model,
    )


def _origins_of(manifest: Manifest) -> Origins:
    runs = [
        origins
        for part in manifest.parts
        for origins in read_origins(
            beside((manifest.folder / part).with_name(_stem_of(part)), ORIGINS_FOLDER)
        )
    ]
    if not runs:
        raise OutputError(f"{manifest.folder / SELECTION_FILE}: names no part")
    return joined_origins(runs)


def _stem_of(part: str) -> str:
    """Return the name of a part without its folder and its suffix."""
    return part.rpartition("/")[2].partition(".")[0]


def _global_rows(manifest: Manifest, origins: Origins) -> npt.NDArray[np.int64]:
    if origins.window is not None:
        return origins.window
    rows = [entry["rows"] for entry in manifest.sources if type(entry.get("rows")) is int]
    last = int(origins.source.max(initial=0))
    if len(rows) < len(manifest.sources) or last >= len(rows):
        raise OutputError(
            f"{manifest.folder / SELECTION_FILE}: does not say how many rows its inputs have"
        )
    before = np.cumsum([0, *rows], dtype=np.int64)
    return before[origins.source] + origins.source_row


def _numbers_of_targets(
    manifest: Manifest, origins: Origins, model: Estimator
) -> npt.NDArray[np.uint16] | None:
    if origins.target is None:
        return None
    numbers = {name: number for number, name in enumerate(model.column_names)}
    names = origins.target.to_pylist()
    unknown = set(names) - numbers.keys()
    if unknown:
        raise OutputError(
            f"{manifest.folder}: has rows of a target {min(unknown)!r:.80}, which its model lacks"
        )
    return np.array([numbers[name] for name in names], dtype=np.uint16)


def _metrics_of(manifest: Manifest) -> Metrics:
    try:
        metrics = Metrics.from_json(manifest.content["metrics"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        where = manifest.folder / SELECTION_FILE
        raise OutputError(f"{where}: does not hold the accounts of a selection") from error
    run = manifest.folder / RUN_FILE
    if not run.is_file():
        return metrics
    stages = _json_of(run).get("stages")
    return metrics.with_stages(stages) if isinstance(stages, dict) else metrics


def _json_of(path: Location) -> dict[str, Any]:
    with translated(lambda error: unreadable_output(path, error)), open_bytes(path) as file:
        content = json.loads(file.read())
    return content if isinstance(content, dict) else {}


def _skipped_of(manifest: Manifest) -> Iterator[Skipped]:
    if REJECTS_FILE not in manifest.files:
        return
    path = manifest.folder / REJECTS_FILE
    with translated(lambda error: unreadable_output(path, error)), open_bytes(path) as file:
        entries = [json.loads(line) for line in file.read().splitlines()]
    for entry in entries:
        try:
            yield Skipped(
                entry["shard"], entry["row"], entry["reason"], entry["rows"], entry["snippet"]
            )
        except (KeyError, TypeError) as error:
            raise OutputError(f"{path}: has an entry that is none of skipped rows") from error
