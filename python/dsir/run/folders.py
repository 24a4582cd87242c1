"""The stages on their own, for job arrays: a folder of scores, a folder of selected rows.

`select` keeps its results in the same formats, so `dsir sample` can also draw from the `scores`
folder in a work directory.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from dsir.corpus import Corpus
from dsir.errors import SettingError, WorkdirError
from dsir.model.estimator import Estimator
from dsir.model.row_filters import RowFilters, active_in, described_filters
from dsir.output.folder import UNITS_FOLDER
from dsir.plural import counted
from dsir.remote import Folder, Mirror
from dsir.run.accounts import accounts_of, warn_of_top_k
from dsir.run.accounts_file import keep_accounts
from dsir.run.duplicates import search_beside
from dsir.run.inputs import in_units
from dsir.run.metrics import Metrics
from dsir.run.passed_over import warn_of_passed_over
from dsir.run.pipeline import Pipeline
from dsir.sampling import Calibration
from dsir.settings.draw import DrawSettings
from dsir.settings.extra_columns import NO_EXTRA, ExtraColumns
from dsir.stages.damage.units import without_unnumbered
from dsir.stages.score_table import form_of_columns
from dsir.stages.shard_scores import load_shard_scores
from dsir.stages.unit_scores import ChangeableScores, UnitScores
from dsir.stages.units import unit_counts, unit_layout
from dsir.storage.atomic import remove_abandoned
from dsir.storage.place import Place
from dsir.storage.workdir import Workdir
from dsir.storage.workdir_folder import local_copy
from dsir.storage.workdir_manifest import fingerprint_of, read_manifest


def score_workdir(
    path: Folder,
    raw: Corpus,
    model: Estimator,
    filters: RowFilters | None,
    on_error: str,
    *,
    extra: ExtraColumns = NO_EXTRA,
    durable: bool = True,
    repeats: bool = False,
    keeps_results: bool = False,
) -> Workdir:
    """Open a folder of scores; see `Workdir` for `repeats` and `keeps_results`.

    Raises:
        WorkdirError: the folder belongs to another model or corpus.
    """
    return Workdir(
        path,
        score_settings(raw, model, filters, on_error, extra),
        {"raw": [shard.identity() for shard in raw.first_shards]},
        units={"raw": unit_layout(raw.shards)},
        durable=durable,
        repeats=repeats,
        keeps_results=keeps_results,
    )


def score_settings(
    raw: Corpus,
    model: Estimator,
    filters: RowFilters | None,
    on_error: str,
    extra: ExtraColumns,
) -> dict[str, Any]:
    """Return, as JSON values, the settings that scores depend on."""
    return {
        "stage": "score",
        "model": model.fingerprint,
        "text": raw.shards[0].text,
        **described_filters(filters),
        "on_error": on_error,
        "separate": separate_targets(model),
        **_calibrations(model),
        **extra.describe(),
    }


def _calibrations(model: Estimator) -> dict[str, Any]:
    """Return a model's calibrations as JSON values, so that scores can be drawn from by them."""
    if not model.calibrations:
        return {}
    return {"calibrations": [list(one) for one in model.calibrations]}


def separate_targets(model: Estimator) -> dict[str, Any] | None:
    """Return names and shares of separate targets as JSON values; None if there are none."""
    if not model.column_names:
        return None
    return {"names": list(model.column_names), "shares": model.column_shares}


def draw_shares(model: Estimator) -> list[float]:
    """Return the share of the budget of each target that draws; they add up to 1."""
    separate = separate_targets(model)
    return [1.0] if separate is None else separate["shares"]


def rows_workdir(
    path: Folder,
    scores: dict[str, Any],
    settings: DrawSettings,
    *,
    durable: bool = True,
    repeats: bool = False,
) -> Workdir:
    """Open a folder of selected rows.

    Args:
        path: the folder.
        scores: manifest of the scores that are drawn from.
        settings: how to draw.
        durable: whether results must survive a power cut.
        repeats: whether another draw replaces an earlier one; see `Workdir`.

    Raises:
        WorkdirError: the folder belongs to another draw.
    """
    described = {
        "stage": "sample",
        "scores": fingerprint_of(scores),
        "model": scores["settings"]["model"],
        "text": scores["settings"]["text"],
        "separate": scores["settings"]["separate"],
        **settings.describe(),
    }
    inputs, units = scores["inputs"], scores["units"]
    return Workdir(path, described, inputs, units=units, durable=durable, repeats=repeats)


def score_to_folder(
    pipeline: Pipeline,
    raw: Corpus,
    model: Estimator,
    filters: RowFilters | None,
    folder: Folder,
    share: tuple[int, int] = (0, 1),
    extra: ExtraColumns = NO_EXTRA,
) -> UnitScores:
    """Score the units of a corpus, or one job's share of them, into a folder.

    Args:
        pipeline: what runs the stage.
        raw: the corpus; the same in every job.
        model: the model that gives log-weights.
        filters: what rows must pass to be selected; None for no filters.
        folder: the folder for the scores; the same in every job.
        share: (i, n) for the units whose number is i modulo n.
        extra: the columns to store beside the log-weights.
    """
    raw = in_units(raw, pipeline.machine)
    numbers = range(share[0], len(raw.shards), share[1])
    if not numbers:
        return UnitScores()
    if isinstance(folder, Path):
        remove_abandoned(folder)
    workdir = score_workdir(folder, raw, model, filters, pipeline.reading.on_error, extra=extra)
    # Only a job that has all units can tell that none could be read.
    chosen = None if share[1] == 1 else numbers
    scored = pipeline.score(raw, model, filters, workdir, chosen, extra=extra)
    warn_of_passed_over(entry for unit in scored for entry in unit.skipped)
    return scored


def sample_to_folder(
    pipeline: Pipeline, scores: Folder, settings: DrawSettings, folder: Folder
) -> Metrics:
    """Draw from a folder of scores into a folder of selected rows.

    Returns:
        The accounts: rows, tokens, effective sample size.

    Raises:
        WorkdirError: a unit has no scores yet.
        SettingError: the scores lack a column that the draw needs.
        BudgetError: the budget cannot be met.
    """
    if is_folder_of_columns(scores):
        raise WorkdirError(
            f"{scores}: has columns of several models, and no weights to draw by; make a folder of "
            "scores with 'dsir score --model'"
        )
    place = local_copy(scores, lambda name: name.endswith(".json"))
    mirror = scores if isinstance(scores, Mirror) else None
    manifest = read_manifest(scores)
    if manifest["settings"].get("stage") != "score":
        raise WorkdirError(f"{scores}: is not a folder of scores; make one with 'dsir score'")
    extra = _extra_of(manifest)
    _refuse_lacking(scores, extra, settings)
    found = manifest["settings"].get("calibrations", [])
    settings = settings.calibrated([Calibration(*one) for one in found])
    counts = unit_counts(raw_of(manifest), manifest["units"]["raw"])
    names = [
        identity["path"]
        for identity, units in zip(raw_of(manifest), counts, strict=True)
        for _ in range(units)
    ]
    fingerprint = fingerprint_of(manifest)
    separate = manifest["settings"]["separate"] or {"names": [], "shares": [1.0]}
    refused_by = active_in(manifest["settings"])
    form = form_of_columns(len(separate["shares"]), bool(refused_by), are_chunks(manifest), extra)
    found_scores, missing = UnitScores(), []
    for number, name in enumerate(names):
        unit = Place.at(place / f"{number:05d}", fingerprint, mirror=mirror)
        marker = unit.finished()
        if marker is None:
            missing.append(name)
        else:
            found_scores.append(load_shard_scores(unit, marker, form))
    if missing:
        raise WorkdirError(
            f"{scores}: {len(missing)} of {counted(len(names), 'unit')} are not scored yet "
            f"(the first: {missing[0]}); run 'dsir score' for all parts"
        )
    # The row numbers of a unit of row groups come from the footer; a file that was cut into units
    # has a digest of its footer.
    unit_scores = without_unnumbered(
        found_scores, counts, ["footer" in one for one in raw_of(manifest)]
    )
    take_columns(unit_scores, extra, settings)
    if isinstance(folder, Path):
        remove_abandoned(folder)
    with search_beside(folder) as search:
        drawn, rows = pipeline.sample(
            unit_scores,
            settings,
            separate["shares"],
            lambda: rows_workdir(folder, manifest, settings),
            search=search if pipeline.engine.shares_files else None,
        )
    accounts = accounts_of(unit_scores, drawn, rows, separate["names"], refused_by, units=counts)
    keep_accounts(
        rows_workdir(folder, manifest, settings), manifest["settings"], accounts, unit_scores
    )
    if settings.rule.method == "resample":
        warn_of_top_k(accounts)
    return accounts


def is_folder_of_columns(folder: Folder) -> bool:
    """Tell whether a folder was made by `dsir score --with`."""
    units = folder / UNITS_FOLDER
    if isinstance(units, Mirror):
        return "manifest.json" in units.names()
    return (units / "manifest.json").is_file()


def take_columns(scores: ChangeableScores, extra: ExtraColumns, settings: DrawSettings) -> None:
    """Set which of the stored columns the quotas of a draw use, in the order of the quotas."""
    if not extra.groups:
        return
    columns = [extra.groups.index(column) for column in settings.quotas.columns]
    for number, shard in enumerate(scores):
        scores[number] = replace(shard, columns=columns)


def raw_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the identities of the raw files or tables."""
    raw: list[dict[str, Any]] = manifest["inputs"].get("raw", [])
    if not raw:
        raise WorkdirError("the manifest of the folder names no raw files; make the folder again")
    return raw


def are_chunks(manifest: dict[str, Any]) -> bool:
    """Tell whether the rows are windows of documents."""
    return "chunk_tokens" in raw_of(manifest)[0]


def _extra_of(manifest: dict[str, Any]) -> ExtraColumns:
    """Return which columns a folder of scores has beside the log-weights."""
    return ExtraColumns.from_json(manifest["settings"])


def _refuse_lacking(scores: Folder, extra: ExtraColumns, settings: DrawSettings) -> None:
    wanted = settings.extra
    if wanted.content and not extra.content:
        raise SettingError(
            f"dedup='exact': {scores} has no content hashes; make it with 'dsir score --dedup "
            "exact'"
        )
    if wanted.bands and not extra.bands:
        raise SettingError(
            f"dedup='near': {scores} has no keys of near duplicates; make it with 'dsir score "
            "--dedup near'"
        )
    lacking = [column for column in wanted.groups if column not in extra.groups]
    if lacking:
        raise SettingError(
            f"{settings.quotas}: {scores} has no values of {lacking[0]!r}; make it with "
            f"'dsir score --groups {','.join(wanted.groups)}'"
        )
