"""score(): the columns of several models for the same texts, which are read once.

Models of the same tokens share the work: each text is cut and hashed once for all of them. If their
n-grams have the same buckets, their tables also lie side by side.
"""

from __future__ import annotations

import abc
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments.values import name_of_column, shown, whole_number
from dsir.corpus import resolve
from dsir.corpus.bad_text import bad_text_error
from dsir.engine import Shared
from dsir.errors import ModelError, SettingError
from dsir.model.classifier import ClassifierModel
from dsir.model.counted_model import CountedModel, SummingModel
from dsir.model.estimator import Estimator, SharedNgrams, Watch
from dsir.model.estimators import load_model
from dsir.model.fasttext_model import FastTextModel
from dsir.model.features import HashedNgrams
from dsir.remote import RemotePath, location_of

Model = Estimator | FastTextModel
Given = Model | str | Path | RemotePath
_PREFIX = "__label__"
_NOTHING = Watch()
_OF_TOKENS = ("n", "buckets", "hash", "extractor")  # What n-grams are made of tokens.


def score(
    source: object,
    models: Sequence[Given] | Mapping[str, Given],
    *,
    text: str = "text",
    text_encoding: str | None = None,
    threads: int = 1,
) -> pa.Table:
    """Compute what several models say of texts, in one pass over them.

    Each column has the same bits as `score` of its model alone. Models of the same tokens, of
    whatever kind, cut and hash each text once for all.

    Args:
        source: a list of str, an Arrow array or table, a path, or whatever else `select` takes.
        models: the models, or paths of their files or of selections, in a list; or by the names
            that their columns shall have.
        text: name of the text column, if the source has columns.
        text_encoding: the encoding of a text column of bytes, such as "utf-8"; None if such a
            column is an error.
        threads: how many threads to use; the result does not depend on it.

    Returns:
        A table with a row for each text and at least one column for each model: log-weights,
        float64, or probabilities of a model of fastText, float32. A model in a list is named after
        its file ("quality" for quality.bin) or its kind ("ratio", "relevance", "classifier",
        "fasttext"); the second of a name is "ratio-2". A model of several columns has one for each
        target or label, "ratio.law" or "quality.hq".

    Raises:
        SettingError: `models` is empty, is not a list or dict of models, a name is none of a
            column, two columns would have the same name, or `threads` is out of range.
        ModelError: a file cannot be read, or is not a model.
        InputError: a text cannot be read, or is not UTF-8.

    Example:
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> cap = dsir.fit(raw, ["ship and sea"] * 9, estimator="relevance", progress=False)
        >>> dsir.score(["a ship at sea", "a court of law"], [model, cap]).column_names
        ['ratio', 'relevance']
    """
    threads = whole_number("threads", threads, 1)
    scorers = Scorers(models)
    found: list[list[npt.NDArray[Any]]] = [[] for _ in scorers.names]
    for shard in resolve(source, text=text, name="texts", encoding=text_encoding).shards:
        for batch in shard.text_batches(on_error="raise", threads=threads):
            columns, bad = scorers.score_batch(batch.text, threads=threads)
            if len(bad):
                raise bad_text_error(shard.name, batch.unit_row, batch.text, int(bad[0]))
            for parts, column in zip(found, columns, strict=True):
                parts.append(column)
    arrays = [
        pa.array(np.concatenate([np.zeros(0, dtype), *parts]))
        for dtype, parts in zip(scorers.dtypes, found, strict=True)
    ]
    return pa.table(arrays, scorers.names)


class Scorers(Shared):
    """Several models, and the columns that they give together; see `score`.

    Args:
        models: as in `score`.
        argument: what messages call the argument, or the option.

    Attributes:
        names: the names of the columns.
        dtypes: their types: float64, or float32 for probabilities.

    Raises:
        SettingError, ModelError: see `score`.
    """

    def __init__(self, models: object, argument: str = "models") -> None:
        self._scorers = _named(models, argument)
        self._groups = grouped(self._scorers)
        self.names = _names_of(self._scorers, argument)
        self.dtypes = [np.dtype(np.float64)] * len(self.names)
        for group in self._groups:
            for place in group.places:
                self.dtypes[place] = group.dtype

    @property
    def fingerprints(self) -> dict[str, str]:
        """Sixteen hexadecimal digits for each model, by its name."""
        return {scorer.name: scorer.model.fingerprint for scorer in self._scorers}

    def score_batch(
        self, texts: pa.Array, *, threads: int = 1
    ) -> tuple[list[npt.NDArray[Any]], npt.NDArray[np.int64]]:
        """Compute all columns for texts; a bad text raises nothing.

        Args:
            texts: string, large_string, string_view, or a dictionary of one of these.
            threads: how many threads to use; the result does not depend on it.

        Returns:
            The columns; and the positions of the texts that are not UTF-8.
        """
        found: list[npt.NDArray[Any]] = [np.zeros(0)] * len(self.names)
        bad = np.zeros(len(texts), dtype=bool)
        for group in self._groups:
            scored = group.score(texts, threads)
            bad[scored.bad] = True
            for place, column in zip(group.places, scored.columns, strict=True):
                found[place] = column
        return found, np.flatnonzero(bad)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # Engines send models to other processes, which have to rebuild the core's tables.
        return (Scorers, ({scorer.name: scorer.model for scorer in self._scorers},))


class Scorer(NamedTuple):
    """A model, its name, and the places of its columns in the table."""

    name: str
    model: Model
    places: range


def _named(models: object, argument: str) -> list[Scorer]:
    """Return the models with their names.

    Raises:
        SettingError, ModelError: see `score`.
    """
    if isinstance(models, Mapping):
        pairs = [(name, _opened(_where(argument, name, one), one)) for name, one in models.items()]
    elif isinstance(models, Sequence) and not isinstance(models, str | bytes):
        pairs, times = [], Counter[str]()
        for number, one in enumerate(models):
            model = _opened(_where(argument, number, one), one)
            name = _kind_of(model) if isinstance(one, Model) else stem_of(location_of(one).name)
            times[name] += 1
            pairs.append((name if times[name] == 1 else f"{name}-{times[name]}", model))
    else:
        raise SettingError(
            f"models={shown(models)}: expected a list of models or of their files, or a dict of "
            "them by name"
        )
    if not pairs:
        raise SettingError("models: is empty; give at least one model")
    found = []
    at = 0
    for name, model in pairs:
        columns = len(model.labels) if isinstance(model, FastTextModel) else model.columns
        name_of_column(argument, name)
        found.append(Scorer(name, model, range(at, at + columns)))
        at += columns
    return found


def _where(argument: str, key: object, one: object) -> str:
    """Return what messages call one of the models."""
    return f"{argument} {one}" if argument.startswith("--") else f"{argument}[{key!r}]"


def _opened(where: str, given: object) -> Model:
    """Return a model, read from its file if it is a path; errors name the argument."""
    if isinstance(given, Estimator | FastTextModel):
        return given
    if not isinstance(given, str | Path | RemotePath):
        raise SettingError(f"{where}={shown(given)}: expected a model or the path of its file")
    try:
        return load_model(given)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from error


def stem_of(name: str) -> str:
    """Return the name of a model's file or folder without its suffix, which names its column."""
    return name.rpartition(".")[0] or name


def _kind_of(model: Model) -> str:
    return "fasttext" if isinstance(model, FastTextModel) else model.kind


def _names_of(scorers: Sequence[Scorer], argument: str) -> list[str]:
    names: list[str] = []
    for name, model, _ in scorers:
        if isinstance(model, FastTextModel):
            names += [f"{name}.{label.removeprefix(_PREFIX)}" for label in model.labels]
        elif model.column_names:
            names += [f"{name}.{column}" for column in model.column_names]
        else:
            names.append(name)
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        by_name = f"{argument} NAME=PATH"
        if not argument.startswith("--"):
            by_name = f'{argument}={{"name": model, ...}}'
        raise SettingError(
            f"{argument}: two columns would be called {repeated[0]!r}; give the models by name, "
            f"{by_name}"
        )
    return names


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
