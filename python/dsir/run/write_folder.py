"""The last stage on its own: write the selection of a folder of selected rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsir.corpus import Shard
from dsir.corpus.files import open_file
from dsir.corpus.partitions import IDENTITY_KEY, partitioned
from dsir.corpus.windows.shard import ChunkedShard
from dsir.errors import OutputError, SettingError, ShardError, WorkdirError
from dsir.model import model_file
from dsir.model.estimator import Estimator
from dsir.model.language_column import described_languages
from dsir.output.claim import Claim, claimed, refuse_lost
from dsir.output.dataset_note import write_dataset_note
from dsir.output.folder import MODEL_FILE, SELECTION_FILE, check_output_folder
from dsir.output.manifest import described_input, manifest_of, write_manifest
from dsir.output.rejects import write_rejects
from dsir.output.writer import writing
from dsir.remote import Folder, Location, Mirror, location_of, within
from dsir.run.accounts import warn_of_other_columns, with_kl_reduction
from dsir.run.accounts_file import DrawnAccounts, read_accounts
from dsir.run.folders import are_chunks, raw_of
from dsir.run.metrics import Metrics
from dsir.run.pipeline import Pipeline
from dsir.run.writing import plan_parts, write_parts
from dsir.settings.output import OutputSettings
from dsir.stages.damage.columns import raise_named
from dsir.stages.sample import ShardRows, load_shard_rows
from dsir.stages.score_table import ScoreForm
from dsir.stages.units import file_ranges, placed, skipped_in_files, units_of_layout
from dsir.storage.place import Place
from dsir.storage.workdir_folder import local_copy
from dsir.storage.workdir_manifest import fingerprint_of, read_manifest

_WAY_OUT = (
    "scoring read only the texts of its rows; repair the file and score it again, or select with "
    "'dsir select --on-error skip', which passes over the row group"
)
# Settings that identify a folder of rows; its other settings say how the rows were drawn.
_OF_FOLDER = {"stage", "scores", "model", "text", "separate"}
# Settings that the identity of an input tells, if they are given.
_OF_READING = ("text_encoding", "language_column", "language_model")


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """The result of `write_from_folder`.

    Attributes:
        paths: the output shards, in order.
        rows: number of rows in them.
        metrics: the accounts, as in `Selection.metrics` but without times.
    """

    paths: list[Location]
    rows: int
    metrics: Metrics


def write_from_folder(
    pipeline: Pipeline,
    rows: Folder,
    out: Location,
    *,
    model: Estimator,
    model_path: Location | None,
    output: OutputSettings,
    overwrite: bool = False,
) -> WrittenRows:
    """Write the documents of a folder of selected rows, and their manifest.

    Args:
        pipeline: what runs the stage.
        rows: the folder of selected rows.
        out: the folder to write to, which may hold a selection only with `overwrite`.
        model: the model that the rows were scored with.
        model_path: the path of the model file; None for a model in memory.
        output: how to write the rows.
        overwrite: remove a selection in `out`, once everything else is checked.

    Raises:
        SettingError: the model is not the one that the rows were scored with.
        WorkdirError: `rows` is not such a folder, or is incomplete.
        ShardError: an input has changed since it was scored.
        OutputError: an input lies in `out`, or the rows cannot be written.
    """
    with claimed(out) as claim:
        check_output_folder(out, overwrite=overwrite, resuming=False)
        return _write(pipeline, rows, out, claim, model, model_path, output, overwrite)


def _write(
    pipeline: Pipeline,
    rows: Folder,
    out: Location,
    claim: Claim,
    model: Estimator,
    model_path: Location | None,
    output: OutputSettings,
    overwrite: bool,
) -> WrittenRows:
    folder = local_copy(rows, lambda name: name.endswith(".json"))
    manifest = read_manifest(rows)
    settings = manifest["settings"]
    if settings.get("stage") != "sample":
        raise WorkdirError(f"{rows}: is not a folder of selected rows; make one with 'dsir sample'")
    if settings["model"] != model.fingerprint:
        raise SettingError(
            f"{rows}: was drawn from scores of another model; give the model that was used for them"
        )
    files = [_reopened(identity, settings["text"]) for identity in raw_of(manifest)]
    for file in files:
        if file.file is not None and out in file.file.parents:
            raise OutputError(f"{out}: contains the input {file.name}; give another out")
    shards: Sequence[Shard] = units_of_layout(files, manifest["units"]["raw"])
    accounts = read_accounts(folder, fingerprint_of(manifest), len(shards))
    units = _selected(rows, folder, manifest, shards, model)
    shards = placed(shards, [unit.source_rows for unit in units])
    planned = plan_parts(shards, units, output)
    outputs = planned.shards
    added = output.added(tuple(model.column_names))
    for shard in outputs:
        added.refuse_taken_names(shard.schema)
    with claim.unfinished(overwrite=overwrite):
        try:
            written = write_parts(pipeline, outputs, out, added, model.features, None)
        except ShardError as error:
            raise_named(error, shards, units, _WAY_OUT)
        warn_of_other_columns(planned)
        skipped = skipped_in_files(shards, accounts.skipped)
        written.files += write_rejects(out, skipped)
        with writing(out / MODEL_FILE):
            written.files.append(model_file.write(out / MODEL_FILE, model.content()))
        written.files.append(write_dataset_note(out))
        metrics = with_kl_reduction(accounts.metrics, model.training_counts, written.counts)
        described = {
            "settings": {
                **_settings(manifest, accounts, model),
                **output.describe(),
            },
            "inputs": {
                "raw": _described(files, shards, accounts.rows),
                "model": {"path": None if model_path is None else str(model_path)},
            },
            "model": model.fingerprint,
            "metrics": metrics.describe(),
            "outputs": [within(path, out) for path in written.paths],
            "skipped": [entry.to_json() for entry in skipped],
        }
        whole = manifest_of(out, described, written.files)
        refuse_lost(out, whole["files"])
        # Written last, because this file says that the selection is complete.
        with writing(out / SELECTION_FILE):
            write_manifest(out, whole)
    return WrittenRows(written.paths, written.rows, metrics)


def _settings(
    manifest: dict[str, Any], accounts: DrawnAccounts, model: Estimator
) -> dict[str, Any]:
    """Return the settings that the rows depend on: of the draw, the scores and the model."""
    settings = manifest["settings"]
    first = raw_of(manifest)[0]
    return {
        **{name: value for name, value in settings.items() if name not in _OF_FOLDER},
        **accounts.settings,
        "text": settings["text"],
        **{name: first[name] for name in _OF_READING if name in first},
        "chunk_tokens": first.get("chunk_tokens"),
        "chunk_stride": first.get("chunk_stride"),
        **model.describe(),
    }


def _described(
    files: Sequence[Shard], units: Sequence[Shard], rows: Sequence[int]
) -> list[dict[str, Any]]:
    ranges = file_ranges(units)
    return [
        described_input(file, sum(rows[first:stop]))
        for file, (first, stop) in zip(files, ranges, strict=True)
    ]


def _selected(
    rows: Folder,
    folder: Path,
    manifest: dict[str, Any],
    shards: Sequence[Shard],
    model: Estimator,
) -> list[ShardRows]:
    form = ScoreForm(model.columns, chunks=are_chunks(manifest))
    fingerprint = fingerprint_of(manifest)
    mirror = rows if isinstance(rows, Mirror) else None
    units = []
    for number, shard in enumerate(shards):
        place = Place.at(folder / f"{number:05d}", fingerprint, mirror=mirror)
        marker = place.finished()
        if marker is None:
            raise WorkdirError(
                f"{rows}: the selected rows of {shard.name} are missing; run 'dsir sample' again"
            )
        units.append(load_shard_rows(place, marker, form))
    return units


def _reopened(identity: dict[str, Any], text: str) -> Shard:
    """Return an input as a shard; raise ShardError if it changed since it was scored."""
    encoding = identity.get("text_encoding")
    file = open_file(location_of(identity["path"]), text, encoding, on_error="skip")
    shard = described_languages(partitioned(file, identity.get(IDENTITY_KEY)), identity)
    if "chunk_tokens" in identity:
        windows = (identity["chunk_tokens"], identity["chunk_stride"])
        form = identity.get("chunk_normalize")
        shard = ChunkedShard(shard, *windows, identity["chunk_tokenizer"], form)
    shard = shard.surveyed()
    if shard.identity() != identity:
        raise ShardError(
            f"{shard.name}: changed since it was scored; score it again", path=shard.name
        )
    return shard
