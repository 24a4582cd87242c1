"""The contract of an estimator: a model that gives each text one log-weight, or several.

The stages, the commands and `verify` know models by this contract alone. To add a kind of model,
make a class of `Estimator` in a file of this folder and add its row to `dsir.model.estimators`.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus import resolve
from dsir.corpus.bad_text import bad_text_error
from dsir.errors import ModelError
from dsir.model import model_file
from dsir.model.features import HashedNgrams
from dsir.remote import RemotePath, location_of

if TYPE_CHECKING:
    from typing_extensions import Self


class TextScores(NamedTuple):
    """The scores of consecutive texts.

    Attributes:
        log_weight: float64[columns, rows]; 0 if a text has no token.
        tokens: uint32[rows]; 0 if a text is null, empty or bad.
        bytes: uint32[rows], of UTF-8 as the texts were read; 0 for null.
        status: uint8[rows]: 0 is text, 1 is null, `_core.INVALID_UTF8` and above is bad.
        prepared: the texts as `Estimator.features.prepared` gives them. Preparing can be slow, and
            the quality filters take the same.
    """

    log_weight: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.uint32]
    bytes: npt.NDArray[np.uint32]
    status: npt.NDArray[np.uint8]
    prepared: pa.Array

    @property
    def bad(self) -> npt.NDArray[np.int64]:
        """Positions of the texts that cannot be read: not UTF-8, or too long. int64, ascending."""
        return np.flatnonzero(self.status >= _core.INVALID_UTF8)


class TrainingCounts(NamedTuple):
    """The n-grams that a model was made from; the KL reduction of a selection is against them.

    Attributes:
        raw: int64[buckets], of the raw corpus.
        targets: int64[targets, buckets]; one row for a target without a name.
        names: of the targets; empty for one without a name.
    """

    raw: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    names: Sequence[str]


class Estimator(abc.ABC):
    """Gives each text a log-weight, or one in each of several columns.

    Frozen, and picklable by its content. The log-weights of a text depend on the model and the text
    alone: not on the texts beside it, the number of threads or the layout of the Arrow array.

    Attributes:
        kind: what the model file and the row in `dsir.model.estimators` call this kind of model.
    """

    kind: ClassVar[str]

    @property
    @abc.abstractmethod
    def features(self) -> HashedNgrams:
        """The n-grams in which a selection is counted.

        Windows, quality filters and `min_tokens` go by their tokens.
        """

    @property
    def column_names(self) -> Sequence[str]:
        """Names of the columns, if rows are drawn by each of several on its own; else empty."""
        return ()

    @property
    def columns(self) -> int:
        """How many log-weights a text has."""
        return max(1, len(self.column_names))

    @property
    def column_shares(self) -> list[float]:
        """What share of a selection each column draws; they add up to 1."""
        return [1 / self.columns] * self.columns

    @property
    def training_counts(self) -> TrainingCounts | None:
        """What a selection is measured against; None if the model does not know."""
        return None

    @abc.abstractmethod
    def score_batch(self, texts: pa.Array, *, threads: int = 1) -> TextScores:
        """Compute the log-weights of texts; a bad text has a status and raises nothing.

        Args:
            texts: string, large_string, string_view, or a dictionary of one of these.
            threads: how many threads to use; the scores do not depend on it.
        """

    @abc.abstractmethod
    def explain(self, text: str, *, target: str | None = None) -> pa.Table:
        """Show what a text's log-weight is made of.

        Args:
            text: one text.
            target: the column or target to explain, if there are several.

        Returns:
            A table of `ngram` string, `bucket` int64, `count` int64 and `contribution` float64, the
            greatest magnitude first. The contributions add up to the log-weight.

        Raises:
            RowError: the text has lone surrogates.
            SettingError: the target is not named, or there is none of that name.
        """

    @abc.abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what the manifest of a selection says of the model, as JSON values."""

    @abc.abstractmethod
    def content(self) -> model_file.Content:
        """Return what a model file holds.

        Everything that log-weights depend on: the fingerprint is its digest. The settings have
        `features`, as `HashedNgrams.describe` gives them.
        """

    @classmethod
    @abc.abstractmethod
    def from_content(cls, content: model_file.Content) -> Self:
        """Return the model of a content. The content may come from anywhere: check it.

        Raises:
            ModelError, KeyError, TypeError, ValueError: it is not the content of such a model.
        """

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that differ where log-weights may differ."""
        return model_file.digest(self.content())[:16]

    def score(
        self, source: object, *, text: str = "text", threads: int = 1
    ) -> npt.NDArray[np.float64]:
        """Compute the log-weights of texts or of a corpus.

        Args:
            source: a list of str, an Arrow array or table, a path, or whatever else `select` takes.
            text: the text column, where there are columns.
            threads: how many threads to use; the result does not depend on it.

        Returns:
            float64[rows]; with named columns, such as separate targets, float64[rows, columns]. 0
            for rows without a token.

        Raises:
            InputError: a text cannot be read, or is not UTF-8.
        """
        parts = [np.zeros((self.columns, 0))]
        for shard in resolve(source, text=text, name="texts").shards:
            for batch in shard.text_batches(on_error="raise", threads=threads):
                scored = self.score_batch(batch.text, threads=threads)
                if len(scored.bad):
                    first = int(scored.bad[0])
                    raise bad_text_error(shard.name, batch.unit_row, batch.text, first)
                parts.append(scored.log_weight)
        found = np.concatenate(parts, axis=1)
        return np.ascontiguousarray(found.T) if self.column_names else found[0]

    def save(self, path: str | Path | RemotePath) -> None:
        """Write the model; docs/reference/formats.md has the format. Never a pickle.

        Raises:
            OSError: it cannot be written there.
        """
        model_file.write(location_of(path), self.content())

    @classmethod
    def load(cls, path: str | Path | RemotePath) -> Self:
        """Read a model that `save` wrote.

        Raises:
            ModelError: the file is missing, damaged, of another kind, format or version, or made
                with tokeniser tables or a hash that this version of dsir does not have.
        """
        content = model_file.read(location_of(path))
        if content.kind != cls.kind:
            raise ModelError(f"{path}: is a model of kind {content.kind!r}, not {cls.kind!r}")
        return cls.from_file(content, path)

    @classmethod
    def from_file(cls, content: model_file.Content, path: str | Path | RemotePath) -> Self:
        """Return the model of a file's content; see `load`.

        Args:
            content: of the file, of this kind.
            path: of the file, for messages.
        """
        try:
            return cls.from_content(content)
        except (KeyError, TypeError, ValueError) as error:  # SettingError is a ValueError.
            raise ModelError(
                f"{path}: the model's settings are not valid: {error}; fit the model again"
            ) from error

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # Engines carry models between processes; tables of the core are made anew there.
        return (_made_again, (type(self), self.content()))


def _made_again(estimator: type[Estimator], content: model_file.Content) -> Estimator:
    return estimator.from_content(content)
