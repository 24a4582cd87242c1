"""fit(): an importance model from two corpora."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from dsir.arguments import one_of
from dsir.corpus import OnError, resolve
from dsir.engine import LOCAL, Engine, open_engine
from dsir.model.features import HashedNgrams, check_features
from dsir.model.importance import ImportanceModel, check_smoothing
from dsir.model.length import Length, check_length
from dsir.model.targets import (
    Proportions,
    TargetCorpora,
    TargetMode,
    check_targets,
    in_order,
    resolve_targets,
)
from dsir.progress import reporter
from dsir.run.pipeline import Pipeline
from dsir.settings.bad_data import Most, check_bad_limits
from dsir.settings.documents import check_preprocessing
from dsir.settings.fit import FitSettings, FitTokens, check_fit_tokens
from dsir.settings.memory import memory_limit

_FEATURES = HashedNgrams()


def fit(
    raw: object,
    target: object,
    *,
    text: str = "text",
    features: HashedNgrams = _FEATURES,
    targets: TargetMode = "pooled",
    proportions: Proportions = None,
    smoothing: float = 0.0,
    length: Length = "sum",
    fit_tokens: FitTokens = "auto",
    chunk_tokens: int | None = None,
    chunk_stride: int | None = None,
    engine: str | Engine = LOCAL,
    threads: int | None = None,
    memory: int | str | None = None,
    on_error: OnError = "raise",
    max_bad_rows: Most = None,
    max_bad_shards: Most = None,
    progress: bool = True,
) -> ImportanceModel:
    """Fit an importance model: count the hashed n-grams of the raw corpus and of the target.

    Every document counts, short ones included. Source: Xie et al. 2023, section 3.

    Args:
        raw: a path, pattern or folder, a list of these, or texts in memory; see `dsir.select`.
        target: the same kinds; or several by name, {"name": source, ...}.
        text: the text column; dots lead into nested columns.
        features: the n-grams.
        targets: what becomes of several: "pooled", "separate" or "mixture"; see `ImportanceModel`.
        proportions: shares of separate or mixed targets, by name or in order; None for their shares
            of n-grams.
        smoothing: pseudo-count added to every bucket of a target, 0 or more.
        length: "sum", "mean", a number from 0 to 1, or "poisson"; see `ImportanceModel`.
        fit_tokens: n-grams of raw to count: "auto" is 100,000 a bucket, "all" all, or a number. It
            is shared out evenly over the shards; each stops behind the document that passes its
            share. The target is always counted whole.
        chunk_tokens: count windows of so many tokens; see `dsir.select`.
        chunk_stride: tokens from one window to the next; None for `chunk_tokens`.
        engine: "local", or an Engine.
        threads: how many to use; None for every core this process may use.
        memory: about how much to take, in bytes or as "2GB"; see `dsir.select`.
        on_error: "raise", or "skip" for what cannot be read.
        max_bad_rows: with "skip", bad rows that raw and each target may have: a number, as soon as
            it is passed, or a share such as "1%" of what was read, where it was read whole.
        max_bad_shards: the same of shards that cannot be read.
        progress: show progress on standard error.

    Raises:
        SettingError: the call is wrong.
        InputError: something cannot be read.
        ModelError: a corpus has no n-grams.
        BadDataError: more is bad than the limits allow.
    """
    check_on_error(on_error)
    target_corpora = resolve_targets(target, text)
    settings = check_fit_settings(
        features, targets, proportions, target_corpora.names, smoothing, length, fit_tokens
    )
    engine = open_engine(engine, threads)
    limit = memory_limit(memory, engine.threads)
    limits = check_bad_limits(max_bad_rows, max_bad_shards, on_error)
    pipeline = Pipeline(engine, reporter(progress), on_error, limits, limit)
    windows = check_preprocessing("none", chunk_tokens, chunk_stride, None)
    corpus = windows.cut(resolve(raw, text=text, name="raw").limited(limit.reading), features)
    corpus = pipeline.in_units(corpus)
    target_corpora = windows.cut_targets(target_corpora.limited(limit.reading), features)
    target_corpora = TargetCorpora(
        target_corpora.names, tuple(map(pipeline.in_units, target_corpora.corpora))
    )
    model, _ = pipeline.fit(corpus, target_corpora, settings, None)
    return model


def check_fit_settings(
    features: HashedNgrams,
    targets: TargetMode,
    proportions: Proportions,
    target_names: Sequence[str],
    smoothing: float,
    length: Length,
    fit_tokens: FitTokens,
) -> FitSettings:
    """Check how a model is to be made.

    Raises:
        SettingError: an argument is out of range, or they do not go together.
    """
    check_features(features)
    check_targets(targets, target_names)
    check_smoothing(smoothing)
    return FitSettings(
        features=features,
        targets=targets,
        proportions=in_order(proportions, target_names, targets),
        smoothing=smoothing,
        length=check_length(length),
        fit_tokens=check_fit_tokens(fit_tokens),
    )


def check_on_error(on_error: str) -> None:
    """Raise SettingError unless it is known."""
    one_of("on_error", on_error, get_args(OnError))
