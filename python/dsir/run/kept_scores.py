"""The scores of a work directory, opened for a draw that may need other columns than those before.

Scores that have more columns beside log-weights than a draw needs serve it as they are. Scores that
lack a column gain it, and no text is scored again; see `dsir.stages.extend`.
"""

from __future__ import annotations

from typing import Any

from dsir.corpus import Corpus
from dsir.model.estimator import Estimator
from dsir.model.row_filters import RowFilters
from dsir.run.folders import score_settings, score_workdir
from dsir.settings.extra_columns import ExtraColumns
from dsir.stages.extend import EarlierScores
from dsir.storage.workdir import Workdir
from dsir.storage.workdir_manifest import fingerprint_of

_STAGE = "scores"
_NOTE = "earlier_scores.json"


def open_scores(
    workdir: Workdir,
    raw: Corpus,
    model: Estimator,
    filters: RowFilters | None,
    on_error: str,
    needed: ExtraColumns,
) -> tuple[Workdir, ExtraColumns, EarlierScores | None]:
    """Open the folder of scores in a work directory.

    Args:
        workdir: the work directory.
        raw: what is scored.
        model: with which model.
        filters: what rows must meet to be selected; None for nothing.
        on_error: what becomes of what cannot be read.
        needed: the columns that the draw needs beside log-weights.

    Returns:
        The folder, the columns that its scores have, and earlier scores that lack some of them.

    Raises:
        WorkdirError: the folder cannot be used.
    """
    manifest = workdir.stage_manifest(_STAGE)
    had = None
    if manifest is not None:
        wanted = score_settings(raw, model, filters, on_error, needed)
        had = _columns_of(manifest["settings"], wanted, needed)
    extra = needed if had is None else had.with_more(needed)
    earlier = None
    if manifest is not None and had is not None and had != extra:
        earlier = EarlierScores(fingerprint_of(manifest), had)
    folder = score_workdir(
        workdir.folder / _STAGE,
        raw,
        model,
        filters,
        on_error,
        extra=extra,
        durable=workdir.durable,
        repeats=True,
        keeps_results=earlier is not None,
    )
    if earlier is not None:
        note = {"scores": folder.fingerprint, "fingerprint": earlier.fingerprint}
        workdir.keep(_NOTE, {**note, **earlier.extra.describe()})
    elif folder.resumed:
        earlier = _noted(workdir, folder)
    return folder, extra, earlier


def _columns_of(
    kept: dict[str, Any], wanted: dict[str, Any], needed: ExtraColumns
) -> ExtraColumns | None:
    """Return the columns of kept scores; None when their log-weights are others."""
    own = needed.describe()
    if any(kept.get(name) != wanted[name] for name in wanted.keys() - own.keys()):
        return None
    return ExtraColumns.from_json(kept)


def _noted(workdir: Workdir, folder: Workdir) -> EarlierScores | None:
    """Return the earlier scores that a run which was killed had begun to add columns to."""
    note = workdir.kept(_NOTE)
    if note is None or note.get("scores") != folder.fingerprint:
        return None
    return EarlierScores(note["fingerprint"], ExtraColumns.from_json(note))
