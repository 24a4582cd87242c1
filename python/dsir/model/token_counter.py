"""Counts of tokens for what makes its log-weights without the core's tables of n-grams."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dsir import _core
from dsir.corpus.token_ids import holds_ids
from dsir.model.estimator import TextScores, Watch
from dsir.model.features import HashedNgrams
from dsir.model.sentences import bytes_of


class TokenCounter:
    """Counts the tokens of texts, and makes what else is asked of them, in one pass.

    Args:
        features: the n-grams whose tokens are counted.
    """

    def __init__(self, features: HashedNgrams) -> None:
        self._features = features
        # The core counts tokens while it looks n-grams up, so all of these weigh nothing.
        self._nothing = _core.LogRatioTable(np.zeros((1, features.buckets)))

    def count(self, texts: pa.Array, watch: Watch, *, threads: int = 1) -> TextScores:
        """Return the scores of texts with log-weights of 0, float64[1, texts].

        Args:
            texts: the texts; see `Estimator.score_batch`.
            watch: what else to make.
            threads: how many threads to use; the result does not depend on it.
        """
        prepared = self._features.prepared(texts)
        watching = watch.begin(len(texts))
        log_weight, tokens, text_bytes, status = _core.score(
            *(prepared, self._features.spec, self._nothing, _core.Weighing()),
            watching=watching,
            threads=threads,
        )
        if prepared is not texts and not holds_ids(texts):
            text_bytes = bytes_of(texts)
        shared, bands = watch.made(watching)
        return TextScores(log_weight, tokens, text_bytes, status, prepared, shared, bands)
