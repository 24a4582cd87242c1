"""A selection of `dsir write` made again: scored with the same model, drawn, and written.

The stages on their own leave no word of the target: of it, the model is what they know. So what is
made again begins with the model file.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsir.check.reselect import argument_of
from dsir.corpus import Corpus
from dsir.engine import open_engine
from dsir.errors import DsirWarning, SettingError
from dsir.model.estimator import Estimator
from dsir.output.manifest import Manifest
from dsir.progress import reporter
from dsir.run.folders import sample_to_folder, score_to_folder
from dsir.run.pipeline import Pipeline
from dsir.run.write_folder import write_from_folder
from dsir.sampling import KeyRule
from dsir.settings.budget import Budget
from dsir.settings.documents import check_preprocessing
from dsir.settings.draw import DrawSettings
from dsir.settings.extra_columns import ExtraColumns
from dsir.settings.memory import memory_limit
from dsir.settings.quotas import check_dedup, check_quotas

_BUDGET = ("n", "fraction", "tokens", "bytes")
_KEYS = ("seed", "method", "temperature")
_DRAW = (*_BUDGET, *_KEYS, "min_tokens", "allow_fewer", "dedup", "max_per", "group_by")
_SCORE = ("chunk_tokens", "chunk_stride", "filters", "on_error", "groups", "text")
_WRITE = ("shard_size", "weight_column", "target_column")


def is_of_stages(manifest: Manifest) -> bool:
    """Tell whether a selection was made by the stages on their own."""
    return "model" in manifest.content["inputs"]


def write_again(
    manifest: Manifest,
    raw: Corpus,
    model: Estimator,
    out: Path,
    *,
    threads: int | None,
    memory: int | str | None,
) -> None:
    """Make the selection of a manifest again, into another folder.

    Args:
        manifest: says how.
        raw: what is selected from.
        model: that the rows are scored with.
        out: an empty or new folder.
        threads: how many to use.
        memory: as in `dsir.select`.

    Raises:
        SettingError: the manifest's settings are none that this version of dsir knows.
        DsirError: what the stages raise.
    """
    given = settings_of(manifest.settings, model)
    draw = DrawSettings(
        Budget(**{name: given[name] for name in _BUDGET}),
        KeyRule(given["seed"], given["method"], given["temperature"]),
        given["min_tokens"],
        given["allow_fewer"],
        check_dedup(given["dedup"]),
        check_quotas(given["max_per"], given["group_by"]),
    )
    prepared = check_preprocessing(
        "none", given["chunk_tokens"], given["chunk_stride"], given["filters"]
    )
    engine = open_engine(threads=threads)
    limit = memory_limit(memory, engine.threads)
    pipeline = Pipeline(engine, reporter(False), given["on_error"], memory=limit)
    corpus = prepared.cut(raw.limited(limit.reading), model.features)
    extra = ExtraColumns(draw.dedup == "exact", tuple(given["groups"]))
    with tempfile.TemporaryDirectory(prefix="dsir-verify-") as scratch, warnings.catch_warnings():
        # That the sample is a top-k was said when it was made.
        warnings.simplefilter("ignore", DsirWarning)
        scores, rows = Path(scratch) / "scores", Path(scratch) / "rows"
        score_to_folder(pipeline, corpus, model, prepared.filters, scores, extra=extra)
        sample_to_folder(pipeline, scores, draw, rows)
        write_from_folder(
            pipeline,
            rows,
            out,
            model=model,
            model_path=None,
            **{name: given[name] for name in _WRITE},
        )


def settings_of(settings: Mapping[str, Any], model: Estimator) -> dict[str, Any]:
    """Return the settings of a manifest of `dsir write`, checked.

    Raises:
        SettingError: one is missing, not known, or not of its kind; the message names it.
    """
    # What the model says is compared once all is made again.
    of_model = model.describe().keys()
    known = {*_DRAW, *_SCORE, *_WRITE, *of_model}
    for name in settings:
        if name not in known:
            raise SettingError(f"the setting {name!r:.80} is none that this version of dsir knows")
    missing = known - settings.keys()
    if missing:
        raise SettingError(f"the setting {min(missing)!r} is missing")
    given = {name: argument_of(name, settings[name]) for name in known - {*of_model, "groups"}}
    groups = settings["groups"]
    if not isinstance(groups, list) or not all(isinstance(name, str) for name in groups):
        raise SettingError(f"the setting groups is {groups!r:.80}, which it cannot be")
    if given["on_error"] not in ("raise", "skip"):
        raise SettingError(f"the setting on_error is {given['on_error']!r:.80}")
    return {**given, "groups": groups}
