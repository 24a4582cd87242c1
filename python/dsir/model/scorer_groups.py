"""Models in groups that share the work on a text.

Models of the same tokens share it: each text is cut and hashed once for all of them. If their
n-grams have the same buckets, their tables also lie side by side.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.model.classifier import ClassifierModel
from dsir.model.counted_model import CountedModel, SummingModel
from dsir.model.estimator import Estimator, SharedNgrams, Watch
from dsir.model.fasttext_model import FastTextModel
from dsir.model.features import HashedNgrams

Model = Estimator | FastTextModel
_NOTHING = Watch()
_OF_TOKENS = ("n", "buckets", "hash", "extractor")  # What n-grams are made of tokens.


class Scorer(NamedTuple):
    """A model, its name, and the places of its columns in the table."""

    name: str
    model: Model
    places: range


class GroupScores(NamedTuple):
    """What the models of a group say of consecutive texts.

    Attributes:
        columns: [columns, texts], or an array for each column.
        status: uint8[texts], as in `TextScores`.
        tokens: uint32[texts], tokens of the group's `features`; None if it has none.
        bytes: uint32[texts], bytes of UTF-8; None if `tokens` is None.
        shared, bands: as in `TextScores`, if they were asked for.
    """

    columns: npt.NDArray[Any] | list[npt.NDArray[Any]]
    status: npt.NDArray[np.uint8]
    tokens: npt.NDArray[np.uint32] | None = None
    bytes: npt.NDArray[np.uint32] | None = None
    shared: SharedNgrams | None = None
    bands: npt.NDArray[np.uint64] | None = None

    @property
    def bad(self) -> npt.NDArray[np.int64]:
        """Positions of the texts that are not UTF-8 or too long: int64, ascending."""
        return np.flatnonzero(self.status >= _core.INVALID_UTF8)


class Group(abc.ABC):
    """Models that share the work on a text.

    Attributes:
        places: the place of each of their columns in the table.
        features: the n-grams whose tokens the group counts; None if it counts none.
        dtype: of the columns.
    """

    features: HashedNgrams | None = None

    dtype: np.dtype[Any] = np.dtype(np.float64)

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        self.places = [place for scorer in scorers for place in scorer.places]

    @abc.abstractmethod
    def score(self, texts: pa.Array, threads: int, watch: Watch = _NOTHING) -> GroupScores:
        """Return what all models say of texts, and what `watch` makes of the tokens.

        Only a group that has `features` is asked for more than scores.
        """


class _Alone(Group):
    """One estimator."""

    def __init__(self, scorer: Scorer) -> None:
        super().__init__([scorer])
        assert isinstance(scorer.model, Estimator)
        self._model = scorer.model
        self.features = scorer.model.features

    def score(self, texts: pa.Array, threads: int, watch: Watch = _NOTHING) -> GroupScores:
        scored = self._model.score_and_watch(texts, watch, threads=threads)
        return GroupScores(
            *(scored.log_weight, scored.status, scored.tokens, scored.bytes),
            shared=scored.shared,
            bands=scored.bands,
        )


class _Probabilities(Group):
    """One model of fastText."""

    dtype = np.dtype(np.float32)

    def __init__(self, scorer: Scorer) -> None:
        super().__init__([scorer])
        assert isinstance(scorer.model, FastTextModel)
        self._model = scorer.model

    def score(self, texts: pa.Array, threads: int, watch: Watch = _NOTHING) -> GroupScores:
        assert watch == _NOTHING, "a group without features counts no tokens"
        probabilities, status = self._model.score_batch(texts, threads=threads)
        return GroupScores(probabilities.T, status)


class _SameTokens(Group):
    """Models of the same tokens: each text is cut into them, and each n-gram hashed, once for all.

    Models that add up tables over the same n-grams have one table, side by side.
    """

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        super().__init__([])
        tables: dict[tuple[HashedNgrams, float], list[Scorer]] = {}
        classifiers: dict[HashedNgrams, list[Scorer]] = {}
        self._parts: list[_core.ScorePart] = []
        for scorer in scorers:
            model = scorer.model
            if isinstance(model, ClassifierModel) and model.targets != "mixture":
                classifiers.setdefault(model.features, []).append(scorer)
            elif isinstance(model, SummingModel) and model.divisor is not None:
                tables.setdefault((model.features, model.divisor), []).append(scorer)
            else:
                assert isinstance(model, CountedModel)
                self._add([scorer], model.part())
        for (features, alpha), members in tables.items():
            self._add(members, _part_of_tables(members, features, alpha))
        for features, members in classifiers.items():
            self._add(members, _part_of_classifiers(members, features))
        self.features = _features_of(scorers[0])

    def _add(self, scorers: Sequence[Scorer], part: _core.ScorePart) -> None:
        self.places += [place for scorer in scorers for place in scorer.places]
        self._parts.append(part)

    def score(self, texts: pa.Array, threads: int, watch: Watch = _NOTHING) -> GroupScores:
        assert self.features is not None
        watching = watch.begin(len(texts))
        found, tokens, text_bytes, status = _core.score_together(
            self.features.prepared(texts), self._parts, watching=watching, threads=threads
        )
        shared, bands = watch.made(watching)
        return GroupScores(
            [column for part in found for column in part], status, tokens, text_bytes, shared, bands
        )


def _part_of_tables(
    scorers: Sequence[Scorer], features: HashedNgrams, alpha: float
) -> _core.ScorePart:
    models = [one.model for one in scorers if isinstance(one.model, SummingModel)]
    if len(models) == 1:
        return models[0].part()
    rows = np.concatenate([model.rows for model in models])
    table = _core.LogRatioTable(np.ascontiguousarray(rows))
    return _core.score_part(features.spec, table, _core.Weighing(targets=len(rows), alpha=alpha))


def _part_of_classifiers(scorers: Sequence[Scorer], features: HashedNgrams) -> _core.ScorePart:
    models = [one.model for one in scorers if isinstance(one.model, ClassifierModel)]
    if len(models) == 1:
        return models[0].part()
    weights = np.concatenate([model.weights.reshape(-1, features.buckets) for model in models])
    lines = [line for model in models for line in model.lines]
    table = _core.LinearTable(np.ascontiguousarray(weights))
    return table.part(features.spec, lines, _core.Weighing(targets=len(lines)))


def _features_of(scorer: Scorer) -> HashedNgrams:
    assert isinstance(scorer.model, Estimator)
    return scorer.model.features


def same_tokens(one: HashedNgrams, other: HashedNgrams) -> bool:
    """Tell whether two kinds of n-grams are of the same tokens."""
    return all(
        getattr(one, field.name) == getattr(other, field.name)
        for field in fields(HashedNgrams)
        if field.name not in _OF_TOKENS
    )


def grouped(scorers: Sequence[Scorer]) -> list[Group]:
    """Return the models in groups that share the work."""
    shared: list[list[Scorer]] = []
    groups: list[Group] = []
    for scorer in scorers:
        if isinstance(scorer.model, FastTextModel):
            groups.append(_Probabilities(scorer))
        elif isinstance(scorer.model, CountedModel) and scorer.model.shares_tokens:
            for members in shared:
                if same_tokens(_features_of(members[0]), _features_of(scorer)):
                    members.append(scorer)
                    break
            else:
                shared.append([scorer])
        else:
            groups.append(_Alone(scorer))
    together = (_SameTokens(many) if len(many) > 1 else _Alone(many[0]) for many in shared)
    return [*groups, *together]
