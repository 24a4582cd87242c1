"""The reference's API (the package data-selection 1.0.3), argument for argument.

from dsir.compat import HashedNgramDSIR

dsir's core does the work, on threads. docs/reference/compatibility.md lists the differences in
behaviour.
"""

from __future__ import annotations

from dsir.compat.base import DSIR
from dsir.compat.dataset import default_load_dataset_fn, default_parse_example_fn
from dsir.compat.hashed_ngram import HashedNgramDSIR
from dsir.compat.ngram_counts import get_ngram_counts, hash_buckets

__all__ = [
    "DSIR",
    "HashedNgramDSIR",
    "default_load_dataset_fn",
    "default_parse_example_fn",
    "get_ngram_counts",
    "hash_buckets",
]
