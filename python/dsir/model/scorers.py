"""score(): the columns of several models for the same texts, which are read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.values import name_of_column, shown, whole_number
from dsir.corpus import resolve
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.failing_rows import naming_row
from dsir.engine import Shared
from dsir.errors import ModelError, SettingError
from dsir.model.estimator import Estimator
from dsir.model.estimators import load_model
from dsir.model.fasttext_model import FastTextModel
from dsir.model.scorer_groups import Model, Scorer, grouped
from dsir.remote import RemotePath, location_of

Given = Model | str | Path | RemotePath
_PREFIX = "__label__"


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
            with naming_row(shard, batch, scorers.score_batch):
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
