"""Tokenizers, features and scorers of users, against the core's of the same work.

Kernels that numba compiles do exactly the same work as their twins. A Python function does as well;
a vocabulary has no twin and is compared with "wordpunct".
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import corpus
from benchmarks.figures import Figure, ratio
from dsir import DsirWarning, HashedNgrams, ImportanceModel, _core, kernel

_MOST_ROWS = 20_000
_FEW_ROWS = 2_000  # For what is slow.
_VOCABULARY = 8_000


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure; return the processor time of each kernel over that of the built-in of its work."""
    try:
        with_branches, at_spaces, pairs, summed = _kernels()
    except ImportError:
        return {"figures": [], "left_out": "numba is not installed"}
    texts = corpus.texts(corpus.shards(data))[:_MOST_ROWS]
    pairs_of_features = {
        "tokenizer kernel at white space / whitespace": (
            HashedNgrams(tokenizer=at_spaces),
            HashedNgrams(tokenizer="whitespace"),
        ),
        "the same, as written": (
            HashedNgrams(tokenizer=at_spaces, lower=False),
            HashedNgrams(tokenizer="whitespace", lower=False),
        ),
        "features kernel of bigrams / bigrams": (HashedNgrams(extractor=pairs), HashedNgrams()),
        "as written / lower case": (HashedNgrams(lower=False), HashedNgrams()),
    }
    figures = [
        _compared(name, *both, texts, times, asked=2.0) for name, both in pairs_of_features.items()
    ]
    figures.append(
        _compared(
            "tokenizer kernel with branches / whitespace",
            HashedNgrams(tokenizer=with_branches),
            HashedNgrams(tokenizer="whitespace"),
            texts,
            times,
        )
    )
    models = [_model(texts, scorer) for scorer in (summed, None)]
    figures.append(_scored("scorer kernel that sums / sum", *models, texts, times, asked=2.0))
    few = texts[:_FEW_ROWS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DsirWarning)  # That it is slow, as is measured here.
        in_python = HashedNgrams(tokenizer=lambda text: text.split())
        model_in_python = _model(texts, _sum_in_python)
    figures.append(
        _scored("Python function that sums / sum", model_in_python, models[1], few, times)
    )
    figures.append(
        _compared(
            "Python function / whitespace",
            in_python,
            HashedNgrams(tokenizer="whitespace"),
            few,
            times,
        )
    )
    vocabulary = _vocabulary(few)
    if vocabulary is not None:
        name = "vocabulary of 8,000 / wordpunct"
        figures.append(_compared(name, vocabulary, HashedNgrams(), few, times))
    return {"figures": figures}


def _compared(
    name: str,
    own: HashedNgrams,
    built_in: HashedNgrams,
    texts: Any,
    times: int,
    *,
    asked: float | None = None,
) -> Figure:
    own_seconds, seconds = [], []
    for round_number in range(times + 1):
        found = [_seconds(features, texts) for features in (own, built_in)]
        if round_number:
            own_seconds.append(found[0])
            seconds.append(found[1])
    return ratio(name, own_seconds, seconds, better="lower", asked=asked)


def _scored(
    name: str,
    own: ImportanceModel,
    built_in: ImportanceModel,
    texts: Any,
    times: int,
    *,
    asked: float | None = None,
) -> Figure:
    own_seconds, seconds = [], []
    for round_number in range(times + 1):
        found = []
        for model in (own, built_in):
            begun = time.process_time()
            model.score_batch(texts)
            found.append(time.process_time() - begun)
        if round_number:
            own_seconds.append(found[0])
            seconds.append(found[1])
    return ratio(name, own_seconds, seconds, better="lower", asked=asked)


def _model(texts: Any, scorer: Any) -> ImportanceModel:
    """Every second text against all."""
    features = HashedNgrams()
    raw, target = np.zeros((2, features.buckets), dtype=np.int64)
    _core.count(texts, features.spec, raw)
    _core.count(texts.take(np.arange(0, len(texts), 2)), features.spec, target)
    return ImportanceModel(features, raw, target, smoothing=1.0, scorer=scorer)


def _sum_in_python(buckets: Any, counts: Any, log_ratio: Any, tokens: int) -> float:  # noqa: ARG001
    return float(counts @ log_ratio[buckets])


def _seconds(features: HashedNgrams, texts: Any) -> float:
    counts = np.zeros(features.buckets, dtype=np.int64)
    begun = time.process_time()  # A library may have threads of its own.
    _core.count(features.prepared(texts), features.spec, counts)
    return time.process_time() - begun


def _vocabulary(texts: Any) -> HashedNgrams | None:
    try:
        import tokenizers
    except ImportError:
        return None
    library = tokenizers.Tokenizer(tokenizers.models.BPE())
    library.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=_VOCABULARY, show_progress=False)
    library.train_from_iterator(texts.to_pylist(), trainer)
    return HashedNgrams(tokenizer=library)


def _kernels() -> tuple[Any, Any, Any, Any]:
    import numba  # noqa: F401 - said if it is missing

    from dsir.kernels import bucket_of, extend_hash

    @kernel("tokenizer")
    def with_branches(text: Any, at: int, starts: Any, ends: Any) -> int:
        found = 0
        while found < len(starts):
            while at < len(text) and text[at] <= 32:
                at += 1
            if at == len(text):
                break
            starts[found] = at
            while at < len(text) and text[at] > 32:
                at += 1
            ends[found] = at
            found += 1
        return found

    # As docs/how-to/own-tokenizers.md advises.
    is_token = np.array([byte > 32 for byte in range(256)], dtype=np.uint64)

    @kernel("tokenizer")
    def at_spaces(text: Any, at: int, starts: Any, ends: Any) -> int:
        while at < len(text) and not is_token[text[at]]:
            at += 1
        stop = min(len(text), at + len(starts))
        started = ended = before = np.uint64(0)
        for place in range(np.uint64(at), np.uint64(stop)):
            token = is_token[text[place]]
            starts[started] = place
            ends[ended] = place
            started += token & ~before
            ended += before & ~token
            before = token
        if before:
            while stop < len(text) and is_token[text[stop]]:
                stop += 1
            ends[ended] = stop
            ended += np.uint64(1)
        return np.int64(ended)

    @kernel("features", features_per_token=2)
    def pairs(tokens: Any, buckets: int, out: Any) -> int:
        found = 0
        for place in range(len(tokens)):
            out[found] = bucket_of(tokens[place], buckets)
            found += 1
            if place > 0:
                out[found] = bucket_of(extend_hash(tokens[place - 1], tokens[place]), buckets)
                found += 1
        return found

    @kernel("scorer")
    def summed(buckets: Any, counts: Any, log_ratio: Any, tokens: int) -> float:  # noqa: ARG001
        total = 0.0
        for place in range(len(buckets)):
            total += counts[place] * log_ratio[buckets[place]]
        return total

    return with_branches, at_spaces, pairs, summed
