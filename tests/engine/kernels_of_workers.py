"""Kernels in a module that the workers of a cluster can import."""

from __future__ import annotations

import numpy as np

import dsir


@dsir.kernel("tokenizer")
def in_pairs(text, at, starts, ends):
    """Cut ASCII into pairs of bytes, and fail on other texts."""
    found = 0
    while found < len(starts) and at < len(text):
        if text[at] >= 128:
            return -1
        starts[found] = at
        at = min(at + 2, len(text))
        ends[found] = at
        found += 1
    return found


@dsir.kernel("scorer")
def of_distinct(buckets, counts, log_ratio, tokens):
    """Return the sum of the log ratios of the distinct n-grams."""
    total = 0.0
    for bucket in buckets:
        total += log_ratio[bucket]
    return np.float64(total)
