"""Kernels that numba compiles, against the core's tokenizer or features of the same work."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import corpus
from benchmarks.figures import ratio
from dsir import HashedNgrams, _core, kernel

# More would not fit the caches of a core any less.
_MOST_ROWS = 20_000


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure; return the processor time of each kernel over that of the built-in of its work."""
    try:
        at_spaces, pairs = _kernels()
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
    figures = []
    for name, (own, built_in) in pairs_of_features.items():
        own_seconds, seconds = [], []
        for round_number in range(times + 1):
            found = [_seconds(features, texts) for features in (own, built_in)]
            if round_number:
                own_seconds.append(found[0])
                seconds.append(found[1])
        figures.append(ratio(name, own_seconds, seconds, better="lower", asked=2.0))
    return {"figures": figures}


def _seconds(features: HashedNgrams, texts: Any) -> float:
    counts = np.zeros(features.buckets, dtype=np.int64)
    begun = time.thread_time()
    _core.count(texts, features.spec, counts)
    return time.thread_time() - begun


def _kernels() -> tuple[Any, Any]:
    import numba  # noqa: F401 - said if it is missing

    from dsir.kernels import bucket_of, extend_hash

    @kernel("tokenizer")
    def at_spaces(text: Any, at: int, starts: Any, ends: Any) -> int:
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

    return at_spaces, pairs
