"""Several estimators whose log-weights are computed in one pass over the texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from dsir.corpus.token_ids import holds_ids
from dsir.model.estimator import Estimator, TextScores, Watch
from dsir.model.features import HashedNgrams
from dsir.model.scorer_groups import Group, Scorer, grouped, same_tokens
from dsir.model.sentences import bytes_of
from dsir.model.token_counter import TokenCounter


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
        self._counting = next((one for one in self._groups if self._counts(one)), None)
        self._counter = TokenCounter(features)

    def _counts(self, group: Group) -> bool:
        """Tell whether a group counts the tokens of `features`."""
        return group.features is not None and same_tokens(group.features, self.features)

    def score_batch(self, texts: pa.Array, *, threads: int = 1) -> TextScores:
        """Compute the log-weights of texts; see `Estimator.score_batch`."""
        return self.score_and_watch(texts, Watch(), threads=threads)

    def score_and_watch(self, texts: pa.Array, watch: Watch, *, threads: int = 1) -> TextScores:
        """Score texts and make more of their tokens; see `Estimator.score_and_watch`."""
        log_weight = np.zeros((self.columns, len(texts)))
        counted = None
        for group in self._groups:
            counts = group is self._counting
            scored = group.score(texts, threads, watch if counts else Watch())
            log_weight[group.places] = scored.columns
            if counts:
                counted = scored
        if counted is None:
            return self._counter.count(texts, watch, threads=threads)._replace(
                log_weight=log_weight
            )
        assert counted.tokens is not None
        assert counted.bytes is not None
        prepared, text_bytes = self.features.prepared(texts), counted.bytes
        if prepared is not texts and not holds_ids(texts):
            text_bytes = bytes_of(texts)
        return TextScores(
            *(log_weight, counted.tokens, text_bytes, counted.status, prepared),
            shared=counted.shared,
            bands=counted.bands,
        )
