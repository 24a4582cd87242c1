"""The end of a selection: its rows, and the files beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.skipped import Skipped
from dsir.model import model_file
from dsir.model.estimator import Estimator
from dsir.output import AddedColumns
from dsir.output.dataset_note import write_dataset_note
from dsir.output.folder import MODEL_FILE
from dsir.output.manifest import manifest_of
from dsir.output.rejects import write_rejects
from dsir.output.row_origins import Origins, joined_origins
from dsir.output.writer import FileAccount, writing
from dsir.remote import Location, within
from dsir.report.held import Held, HeldInputs
from dsir.run.accounts import with_kl_reduction
from dsir.run.metrics import Metrics
from dsir.run.pipeline import Pipeline
from dsir.run.selected_table import join_tables
from dsir.run.selection import Selection
from dsir.run.writing import gather_parts, write_parts
from dsir.stages.plan import OutputShard
from dsir.stages.sample import ShardRows
from dsir.storage.workdir import Workdir


class Fetched(NamedTuple):
    """The selected rows, in files or in memory."""

    paths: list[Location]
    table: pa.Table | None
    counts: npt.NDArray[np.int64]
    files: list[FileAccount]
    origins: Origins | None = None


def fetch(
    pipeline: Pipeline,
    outputs: Sequence[OutputShard],
    out: Location | None,
    added: AddedColumns,
    model: Estimator,
    workdir: Workdir | None,
) -> Fetched:
    """Copy the selected rows from the inputs to files, or into memory if there is no folder."""
    if out is None:
        gathered = gather_parts(pipeline, outputs, added, model.features)
        table = join_tables([shard.table for shard in gathered])
        counts = np.sum([shard.counts for shard in gathered], axis=0)
        origins = joined_origins([shard.origins for shard in gathered])
        return Fetched([], table, counts, [], origins)
    written = write_parts(pipeline, outputs, out, added, model.features, workdir)
    return Fetched(written.paths, None, written.counts, written.files)


def finish(
    fetched: Fetched,
    metrics: Metrics,
    rows: Sequence[ShardRows],
    model: Estimator,
    skipped: list[Skipped],
    *,
    out: Location | None,
    held: HeldInputs | None,
    inputs: dict[str, Any],
    settings: dict[str, Any],
    stages: Mapping[str, dict[str, float | None]],
    separate: bool,
) -> tuple[Selection, dict[str, Any]]:
    """Return the selection, and write the files beside its rows.

    Args:
        fetched: the selected rows.
        metrics: the accounts of the draw.
        rows: the selected rows by unit.
        model: the model of the run.
        skipped: what could not be read.
        out: the folder of the rows; None if they are in memory.
        held: what rows in memory keep of their inputs, for a report; None with a folder.
        inputs: the inputs, for the manifest.
        settings: the settings, for the manifest.
        stages: the time of each stage, which is not in the manifest.
        separate: whether targets are separate, so that each row has one.

    Returns:
        The selection, and the content of its manifest; no content without an output folder.
    """
    files = fetched.files
    if out is not None:
        files = files + write_rejects(out, skipped)
        with writing(out / MODEL_FILE):
            files.append(model_file.write(out / MODEL_FILE, model.content()))
        files.append(write_dataset_note(out))
    metrics = with_kl_reduction(metrics, model.training_counts, fetched.counts)
    numbers, log_weights, targets = _rows_in_one(rows)
    selection = Selection(
        paths=fetched.paths,
        table=fetched.table,
        rows=numbers,
        log_weights=log_weights,
        target=targets if separate else None,
        metrics=metrics.with_stages(stages),
        skipped=skipped,
        model=model,
        _held=None
        if held is None or fetched.origins is None
        else Held(
            {"settings": settings, "inputs": inputs, "metrics": metrics.describe()},
            fetched.origins,
            held,
        ),
    )
    if out is None:
        return selection, {}
    described = {
        "settings": settings,
        "inputs": inputs,
        "model": model.fingerprint,
        "metrics": metrics.describe(),
        "outputs": [within(path, out) for path in fetched.paths],
        "skipped": [entry.to_json() for entry in skipped],
    }
    return selection, manifest_of(out, described, files)


def _rows_in_one(
    rows: Sequence[ShardRows],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.uint16]]:
    """Return the global row numbers, log-weights and targets of the selected rows of all units."""
    numbers, log_weights, targets = [], [], []
    for unit in rows:
        if unit.selected:
            loaded = unit.load()
            numbers.append(unit.corpus_row + loaded.shard_row)
            log_weights.append(loaded.log_weight)
            if loaded.target is not None:
                targets.append(loaded.target)
    return (
        np.concatenate([np.zeros(0, np.int64), *numbers]),
        np.concatenate([np.zeros(0, np.float64), *log_weights]),
        np.concatenate([np.zeros(0, np.uint16), *targets]),
    )
