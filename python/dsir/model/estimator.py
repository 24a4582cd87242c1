"""The contract of an estimator: a model that gives each text one log-weight, or several.

The stages, the commands and `verify` know models only by this contract. To add a kind of model,
write a subclass of `Estimator` in a file of this folder and add it to `dsir.model.estimators`.
"""

from __future__ import annotations

import abc
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments.values import whole_number
from dsir.corpus import resolve
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.failing_rows import naming_row
from dsir.engine import Shared
from dsir.errors import ModelError
from dsir.model import model_file
from dsir.model.carried_features import named_parts
from dsir.model.features import HashedNgrams
from dsir.model.own_part import MissingPartError, OwnPart, remember
from dsir.remote import RemotePath, location_of
from dsir.sampling import Calibration

if TYPE_CHECKING:
    from typing_extensions import Self


class SharedNgrams(NamedTuple):
    """What texts share with the texts of an index.

    Attributes:
        ngrams: uint32[rows], how many different n-grams each text shares, counted up to a limit.
        text: uint32[rows], number of the text of the index that has the first of them; 2**32 - 1 if
            there is none.
    """

    ngrams: npt.NDArray[np.uint32]
    text: npt.NDArray[np.uint32]


class Watch(NamedTuple):
    """What else is made of the tokens of texts while they are scored.

    Attributes:
        ngrams: n-grams of other texts, by the same tokens, to compare with; None for none.
        most: up to how many shared n-grams are counted, 1 to 1,000.
        bands: whether the keys of the texts' bands are made, which near duplicates share.
    """

    ngrams: _core.NgramIndex | None = None
    most: int = 1
    bands: bool = False

    def begin(self, rows: int) -> _core.Watching | None:
        """Return what one pass of the core over so many texts fills; None if nothing is asked."""
        if self.ngrams is None and not self.bands:
            return None
        return _core.Watching(rows, index=self.ngrams, most=self.most, bands=self.bands)

    def made(
        self, watching: _core.Watching | None
    ) -> tuple[SharedNgrams | None, npt.NDArray[np.uint64] | None]:
        """Return what the pass has filled, as `shared` and `bands` of `TextScores`."""
        if watching is None:
            return None, None
        shared = None if self.ngrams is None else SharedNgrams(watching.ngrams, watching.text)
        return shared, watching.keys if self.bands else None


class TextScores(NamedTuple):
    """The scores of consecutive texts.

    Attributes:
        log_weight: float64[columns, rows]; 0 if a text has no token.
        tokens: uint32[rows]; 0 if a text is null, empty or bad.
        bytes: uint32[rows], bytes of UTF-8 of the texts as they were read; 0 for null.
        status: uint8[rows]: 0 is text, 1 is null, `_core.INVALID_UTF8` and above is bad.
        prepared: the texts as `Estimator.features.prepared` returns them, because preparing can be
            slow and the quality filters need the same texts.
        shared: what the texts share with others; None unless a `Watch` asked for it.
        bands: uint64[bands, rows], the keys of the texts' bands, as `_core.band_keys` makes them;
            None unless a `Watch` asked for them.
    """

    log_weight: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.uint32]
    bytes: npt.NDArray[np.uint32]
    status: npt.NDArray[np.uint8]
    prepared: pa.Array
    shared: SharedNgrams | None = None
    bands: npt.NDArray[np.uint64] | None = None

    @property
    def bad(self) -> npt.NDArray[np.int64]:
        """Positions of the texts that are not UTF-8 or too long: int64, ascending."""
        return np.flatnonzero(self.status >= _core.INVALID_UTF8)

    def watched(self, watch: Watch, features: HashedNgrams, *, threads: int = 1) -> TextScores:
        """Return the scores with what a watch asks for, made in passes of their own.

        Args:
            watch: what to make.
            features: the n-grams that `prepared` is for.
            threads: how many threads to use; the result does not depend on it.
        """
        shared = bands = None
        if watch.ngrams is not None:
            found = watch.ngrams.find(self.prepared, most=watch.most, threads=threads)
            shared = SharedNgrams(*found)
        if watch.bands:
            bands = _core.band_keys(self.prepared, features.spec, threads=threads)
        return self._replace(shared=shared, bands=bands)


class TrainingCounts(NamedTuple):
    """The n-grams that a model was fitted to; a selection's KL reduction compares with them.

    Attributes:
        raw: int64[buckets], n-grams of the raw corpus.
        targets: int64[targets, buckets]; one row for a single target without a name.
        names: names of the targets; empty for a single target without a name.
    """

    raw: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    names: Sequence[str]


class Scoring(Protocol):
    """What gives texts their log-weights: an `Estimator`, or several together."""

    @property
    def features(self) -> HashedNgrams:
        """The n-grams whose tokens quality filters and `min_tokens` use."""

    @property
    def columns(self) -> int:
        """Number of log-weights per text."""

    def score_batch(self, texts: pa.Array, *, threads: int = 1) -> TextScores:
        """Compute the log-weights of texts; see `Estimator.score_batch`."""

    def score_and_watch(self, texts: pa.Array, watch: Watch, *, threads: int = 1) -> TextScores:
        """Compute the log-weights of texts and more; see `Estimator.score_and_watch`."""


class Estimator(Shared, abc.ABC):
    """Gives each text a log-weight, or one in each of several columns.

    Instances are frozen, and pickled by their content. The log-weights of a text depend only on the
    model and the text, not on the texts beside it, the number of threads or the layout of the Arrow
    array.

    Attributes:
        kind: name of this kind of model, in model files and in `dsir.model.estimators`.
    """

    kind: ClassVar[str]

    @property
    @abc.abstractmethod
    def features(self) -> HashedNgrams:
        """The n-grams that a selection is counted in.

        Windows, quality filters and `min_tokens` use their tokens.
        """

    @property
    def column_names(self) -> Sequence[str]:
        """Names of the columns if rows are drawn for each column separately; else empty."""
        return ()

    @property
    def columns(self) -> int:
        """Number of log-weights per text."""
        return max(1, len(self.column_names))

    @property
    def column_shares(self) -> list[float]:
        """Share of a selection that each column draws; the shares add up to 1."""
        return [1 / self.columns] * self.columns

    @property
    def calibrations(self) -> Sequence[Calibration]:
        """What documents of the target reach themselves, for each column; empty if unknown."""
        return ()

    @property
    def training_counts(self) -> TrainingCounts | None:
        """The counts that a selection is compared with; None if the model has none."""
        return None

    @abc.abstractmethod
    def score_batch(self, texts: pa.Array, *, threads: int = 1) -> TextScores:
        """Compute the log-weights of texts; a bad text gets a status and raises nothing.

        Args:
            texts: string, large_string, string_view, or a dictionary of one of these.
            threads: how many threads to use; the scores do not depend on it.
        """

    def score_and_watch(self, texts: pa.Array, watch: Watch, *, threads: int = 1) -> TextScores:
        """Compute the log-weights of texts, and what else is made of the tokens of `features`.

        Models whose scores come from the same tokens do both in one pass.

        Args:
            texts: the texts; see `score_batch`.
            watch: what else to make.
            threads: how many threads to use; the result does not depend on it.
        """
        scored = self.score_batch(texts, threads=threads)
        return scored.watched(watch, self.features, threads=threads)

    @abc.abstractmethod
    def explain(self, text: str, *, target: str | None = None) -> pa.Table:
        """Return what each n-gram contributes to a text's log-weight.

        Args:
            text: one text.
            target: the column or target to explain, if there are several.

        Returns:
            A table of `ngram` string, `bucket` int64, `count` int64 and `contribution` float64, the
            greatest magnitude first. The contributions add up to the log-weight.

        Raises:
            RowError: the text has lone surrogates.
            SettingError: the model needs the name of a target, or has no target of that name.
        """

    @abc.abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the model's description for the manifest of a selection, as JSON values."""

    @abc.abstractmethod
    def content(self) -> model_file.Content:
        """Return the content of the model file.

        It must hold everything that log-weights depend on, because its digest is the fingerprint.
        Its settings must have `features`, as `HashedNgrams.describe` returns them.
        """

    @classmethod
    @abc.abstractmethod
    def from_content(cls, content: model_file.Content) -> Self:
        """Return the model with this content, which may come from anyone: check it.

        Raises:
            ModelError, KeyError, TypeError, ValueError: it is not the content of such a model.
        """

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits, which differ between models whose log-weights may differ."""
        return self._digest[:16]

    @functools.cached_property  # The content may be tens of megabytes.
    def _digest(self) -> str:
        return model_file.digest(self.content())

    def score(
        self,
        source: object,
        *,
        text: str = "text",
        text_encoding: str | None = None,
        threads: int = 1,
    ) -> npt.NDArray[np.float64]:
        """Compute the log-weights of texts or of a corpus.

        Args:
            source: a list of str, an Arrow array or table, a path, or whatever else `select` takes.
            text: name of the text column, if the source has columns.
            text_encoding: the encoding of a text column of bytes, such as "utf-8"; None if such
                a column is an error.
            threads: how many threads to use; the result does not depend on it.

        Returns:
            float64[rows]; with named columns, such as separate targets, float64[rows, columns]. 0
            for rows without a token.

        Raises:
            InputError: a text cannot be read, or is not UTF-8.
            SettingError: `threads` is out of range.
        """
        threads = whole_number("threads", threads, 1)
        log_weights = [np.zeros((self.columns, 0))]
        for shard in resolve(source, text=text, name="texts", encoding=text_encoding).shards:
            for batch in shard.text_batches(on_error="raise", threads=threads):
                with naming_row(shard, batch, self.score_batch):
                    scored = self.score_batch(batch.text, threads=threads)
                if len(scored.bad):
                    first = int(scored.bad[0])
                    raise bad_text_error(shard.name, batch.unit_row, batch.text, first)
                log_weights.append(scored.log_weight)
        found = np.concatenate(log_weights, axis=1)
        return np.ascontiguousarray(found.T) if self.column_names else found[0]

    def save(self, path: str | Path | RemotePath) -> None:
        """Write the model file, which is never a pickle; docs/reference/formats.md describes it.

        Raises:
            OSError: the file cannot be written.
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
            content: content of the file; of this kind.
            path: path of the file, for messages.
        """
        try:
            return cls.from_content(content)
        except MissingPartError as error:
            raise ModelError(f"{path}: {error}") from error
        # SettingError is a ValueError. ModelError is of counts, which do not know their file.
        except (KeyError, TypeError, ValueError, ModelError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else error
            raise ModelError(
                f"{path}: the model's settings are not valid: {reason}; fit the model again"
            ) from error

    @property
    def _own_parts(self) -> tuple[OwnPart, ...]:
        """The kernels and functions of the caller that the model needs and its file only names."""
        return named_parts(self.features)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # Engines send models to other processes, which have to rebuild the core's tables.
        # They get what is not of the core as well: a file only names it.
        return (_from_content, (type(self), self.content(), self._own_parts))


def parts_needed(estimator: Estimator) -> tuple[OwnPart, ...]:
    """Return the kernels and functions of the caller that a model needs and its file only names."""
    return estimator._own_parts


def _from_content(
    estimator: type[Estimator], content: model_file.Content, own_parts: tuple[OwnPart, ...]
) -> Estimator:
    for part in own_parts:
        remember(part)
    return estimator.from_content(content)
