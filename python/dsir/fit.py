"""fit(): an importance model from two corpora."""

from __future__ import annotations

from typing import get_args

from dsir.arguments import one_of
from dsir.corpus import Corpus, OnError, resolve
from dsir.engine import Engine
from dsir.errors import SettingError
from dsir.features import HashedNgrams, check_features
from dsir.importance import ImportanceModel, Length, check_length, check_smoothing
from dsir.pipeline import FitTokens, Pipeline, check_fit_tokens, open_engine
from dsir.progress import reporter

_FEATURES = HashedNgrams()


def fit(
    raw: object,
    target: object,
    *,
    text: str = "text",
    features: HashedNgrams = _FEATURES,
    smoothing: float = 0.0,
    length: Length = "sum",
    fit_tokens: FitTokens = "auto",
    engine: str | Engine = "local",
    threads: int | None = None,
    on_error: OnError = "raise",
    progress: bool = True,
) -> ImportanceModel:
    """Fit an importance model: count the hashed n-grams of the raw corpus and of the target.

    Every document counts, short ones included. Source: Xie et al. 2023, section 3.

    Args:
        raw: a path, pattern or folder, a list of these, or texts in memory; see `dsir.select`.
        target: the same kinds; or a dict of several, which are counted as one.
        text: the text column; dots lead into nested columns.
        features: the n-grams.
        smoothing: pseudo-count added to every bucket of the target, 0 or more.
        length: "sum" or "mean"; see `ImportanceModel`.
        fit_tokens: n-grams of raw to count: "auto" is 100,000 a bucket, "all" all, or a number. It
            is shared out evenly over the shards; each stops behind the document that passes its
            share. The target is always counted whole.
        engine: "local", or an Engine.
        threads: how many to use; None for every core this process may use.
        on_error: "raise", or "skip" for what cannot be read.
        progress: show progress on standard error.

    Raises:
        SettingError: the call is wrong.
        InputError: something cannot be read.
        ModelError: a corpus has no n-grams.
    """
    check_smoothing(smoothing)
    check_length(length)
    fit_tokens = check_fit_tokens(fit_tokens)
    check_on_error(on_error)
    check_features(features)
    pipeline = Pipeline(open_engine(engine, threads), reporter(progress), on_error)
    model, _ = pipeline.fit(
        resolve(raw, text=text, name="raw"),
        resolve_target(target, text),
        features,
        smoothing=smoothing,
        length=length,
        fit_tokens=fit_tokens,
        workdir=None,
    )
    return model


def resolve_target(target: object, text: str) -> Corpus:
    """Make one corpus of the target, or of several given by name."""
    if not isinstance(target, dict):
        return resolve(target, text=text, name="target")
    if not target:
        raise SettingError("target: the dict of targets is empty")
    parts = [resolve(one, text=text, name=f"target {name}") for name, one in target.items()]
    return Corpus(tuple(shard for part in parts for shard in part.shards), "target")


def check_on_error(on_error: str) -> None:
    """Raise SettingError unless it is known."""
    one_of("on_error", on_error, get_args(OnError))
