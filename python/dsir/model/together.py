"""Several estimators whose log-weights are computed in one pass over the texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from dsir import _core
from dsir.corpus.token_ids import holds_ids
from dsir.model.estimator import Estimator, TextScores, Watch
from dsir.model.features import HashedNgrams
from dsir.model.scorers import Scorer, grouped, same_tokens
from dsir.model.sentences import bytes_of


class Together:
    """Gives texts the log-weights of several estimators, side by side.

    Each column has the same bits as that of its estimator alone. All texts have the tokens of one
    tokenizer, whatever the estimators themselves count.

    Args:
        models: the estimators, at least one.
        features: the n-grams whose tokens are counted.

    Attributes:
        features: the n-grams whose tokens are counted.
        columns: number of log-weights per text.
        first_columns: number of the first column of each estimator.
    """

    def __init__(self, models: Sequence[Estimator], features: HashedNgrams) -> None:
        self.features = features
        self.first_columns: list[int] = []
        self.columns = 0
        scorers = []
        for number, model in enumerate(models):
            places = range(self.columns, self.columns + model.columns)
            scorers.append(Scorer(str(number), model, places))
            self.first_columns.append(self.columns)
            self.columns += model.columns
        self._groups = grouped(scorers)
        self._nothing = _core.LogRatioTable(np.zeros((1, features.buckets)))

    def score_batch(self, texts: pa.Array, *, threads: int = 1) -> TextScores:
        """Compute the log-weights of texts; see `Estimator.score_batch`."""
        prepared = self.features.prepared(texts)
        log_weight = np.zeros((self.columns, len(texts)))
        tokens = text_bytes = status = None
        for group in self._groups:
            scored = group.score(texts, threads)
            log_weight[group.places] = scored.columns
            if group.features is not None and same_tokens(group.features, self.features):
                tokens, text_bytes, status = scored.tokens, scored.bytes, scored.status
        if tokens is None or text_bytes is None or status is None:
            # The core counts tokens while it looks n-grams up, so all of these weigh nothing.
            _, tokens, text_bytes, status = _core.score(
                prepared, self.features.spec, self._nothing, _core.Weighing(), threads=threads
            )
        if prepared is not texts and not holds_ids(texts):
            text_bytes = bytes_of(texts)
        return TextScores(log_weight, tokens, text_bytes, status, prepared)

    def score_and_watch(self, texts: pa.Array, watch: Watch, *, threads: int = 1) -> TextScores:
        """Score texts and make more of their tokens; see `Estimator.score_and_watch`."""
        scored = self.score_batch(texts, threads=threads)
        return scored.watched(watch, self.features, threads=threads)
