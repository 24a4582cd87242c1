"""ImportanceModel: how much likelier a text is under the target's n-grams than under raw's."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core, model_file
from dsir.arguments import one_of
from dsir.bad_text import bad_text_error
from dsir.corpus import resolve
from dsir.errors import ModelError, SettingError
from dsir.features import HashedNgrams

Length = Literal["sum", "mean"]


class ImportanceModel:
    """Two bags of hashed n-grams, and the log ratio of their distributions.

    The log-weight of a text is the sum (`length="sum"`, the reference) or the mean
    (`length="mean"`) of `log_ratio` over its n-grams. Source: Xie et al. 2023, section 3;
    ALGORITHMS section 1. Frozen: the arrays cannot be written to.

    Args:
        features: what the buckets are.
        raw_counts: int64[buckets], n-grams of the raw corpus.
        target_counts: int64[buckets], n-grams of the target.
        smoothing: pseudo-count added to every bucket of the target, 0 or more.
        length: how log ratios become a log-weight.

    Raises:
        ModelError: raw or target has no n-grams: there is no model to be made from nothing.
        SettingError: an argument is out of range.
    """

    def __init__(
        self,
        features: HashedNgrams,
        raw_counts: npt.NDArray[np.int64],
        target_counts: npt.NDArray[np.int64],
        *,
        smoothing: float = 0.0,
        length: Length = "sum",
    ) -> None:
        check_smoothing(smoothing)
        check_length(length)
        self._features = features
        self._raw_counts = _frozen_counts("raw_counts", raw_counts, features.buckets)
        self._target_counts = _frozen_counts("target_counts", target_counts, features.buckets)
        self._smoothing = float(smoothing)
        self._length: Length = length
        self._log_ratio = _core.log_ratio(self._target_counts, self._raw_counts, self._smoothing)
        self._log_ratio.setflags(write=False)

    @property
    def features(self) -> HashedNgrams:
        """What the buckets are."""
        return self._features

    @property
    def raw_counts(self) -> npt.NDArray[np.int64]:
        """int64[buckets]: n-grams of the raw corpus (of the part that was counted)."""
        return self._raw_counts

    @property
    def target_counts(self) -> npt.NDArray[np.int64]:
        """int64[buckets]: n-grams of the target."""
        return self._target_counts

    @property
    def smoothing(self) -> float:
        """Pseudo-count added to every bucket of the target."""
        return self._smoothing

    @property
    def length(self) -> Length:
        """How the log ratios of a text's n-grams become its log-weight."""
        return self._length

    @property
    def log_ratio(self) -> npt.NDArray[np.float64]:
        """float64[buckets]: log p_target - log p_raw, 1e-8 added to both probabilities."""
        return self._log_ratio

    @functools.cached_property
    def table(self) -> _core.LogRatioTable:
        """The log ratios in the fixed point that the core adds up in."""
        return _core.LogRatioTable(self._log_ratio)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that differ where log-weights may differ."""
        return model_file.digest(self._to_file())[:16]

    def score(
        self, source: object, *, text: str = "text", threads: int = 1
    ) -> npt.NDArray[np.float64]:
        """Compute the log-weights of texts or of a corpus.

        Args:
            source: a list of str, an Arrow array or table, a path, or whatever else `select` takes.
            text: the text column, where there are columns.
            threads: how many threads to use; the result does not depend on it.

        Returns:
            float64, one per row; 0 for rows without a token.

        Raises:
            InputError: a text cannot be read, or is not UTF-8.
        """
        parts = [np.zeros(0)]
        for shard in resolve(source, text=text, name="texts").shards:
            for batch in shard.text_batches(on_error="raise", threads=threads):
                log_weight, _, _, status = _core.score(
                    self._features.prepared(batch.text),
                    self._features.spec,
                    self.table,
                    length=self._length,
                    threads=threads,
                )
                invalid = np.flatnonzero(status >= _core.INVALID_UTF8)
                if len(invalid):
                    raise bad_text_error(shard.name, batch.first_row, batch.text, int(invalid[0]))
                parts.append(log_weight)
        return np.concatenate(parts)

    def explain(self, text: str) -> pa.Table:
        """Show what a text's log-weight is made of.

        Args:
            text: one text.

        Returns:
            A table with a row per distinct n-gram: `ngram` string, `bucket` int64, `count` int64
            (times in the text), `contribution` float64 (its part of the log-weight), the greatest
            magnitude first. The contributions add up to the log-weight.

        Raises:
            RowError: the text has lone surrogates.
        """
        counts: dict[tuple[str, int], int] = {}
        for named in self._features.ngrams(text):
            counts[named] = counts.get(named, 0) + 1
        total = sum(counts.values())
        share = 1.0 if self._length == "sum" else 1.0 / max(1, total)
        rows = [
            (ngram, bucket, count, count * share * float(self._log_ratio[bucket]))
            for (ngram, bucket), count in counts.items()
        ]
        rows.sort(key=lambda row: (-abs(row[3]), row[0]))
        schema = pa.schema(
            [
                ("ngram", pa.string()),
                ("bucket", pa.int64()),
                ("count", pa.int64()),
                ("contribution", pa.float64()),
            ]
        )
        columns = zip(*rows, strict=True) if rows else [()] * 4
        return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema)

    def save(self, path: str | Path) -> None:
        """Write the model; docs/formats.md has the format. Never a pickle.

        Raises:
            OSError: it cannot be written there.
        """
        model_file.write(Path(path), self._to_file())

    @classmethod
    def load(cls, path: str | Path) -> ImportanceModel:
        """Read a model that `save` wrote.

        Raises:
            ModelError: the file is missing, damaged, of another format or version, or made with
                tokeniser tables or a hash that this version of dsir does not have.
        """
        content = model_file.read(Path(path))
        settings = content.settings
        try:
            described = settings["features"]
            features = HashedNgrams(
                **{name: described[name] for name in ("n", "buckets", "tokenizer", "hash")},
                sentences=described.get("sentences", "none"),
            )
            model = cls(
                features,
                content.raw_counts,
                content.target_counts,
                smoothing=settings["smoothing"],
                length=settings["length"],
            )
        except (KeyError, TypeError, SettingError) as error:
            raise ModelError(f"{path}: the model's settings are not valid: {error}") from error
        if features.describe() != described:
            raise ModelError(
                f"{path}: was made with {described}, this version of dsir has "
                f"{features.describe()}; fit the model again"
            )
        return model

    def _to_file(self) -> model_file.Content:
        settings = {
            "features": self._features.describe(),
            "smoothing": self._smoothing,
            "length": self._length,
        }
        return model_file.Content(settings, self._raw_counts, self._target_counts)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # Engines carry models between processes; the core's table is made anew there.
        arguments = (self._features, self._raw_counts, self._target_counts)
        return (_rebuild, (*arguments, self._smoothing, self._length))

    def __repr__(self) -> str:
        return (
            f"ImportanceModel({self._features}, smoothing={self._smoothing}, "
            f"length={self._length!r}, raw n-grams={int(self._raw_counts.sum()):,}, "
            f"target n-grams={int(self._target_counts.sum()):,})"
        )


def _rebuild(
    features: HashedNgrams,
    raw_counts: npt.NDArray[np.int64],
    target_counts: npt.NDArray[np.int64],
    smoothing: float,
    length: Length,
) -> ImportanceModel:
    return ImportanceModel(features, raw_counts, target_counts, smoothing=smoothing, length=length)


def check_smoothing(smoothing: float) -> None:
    """Raise SettingError unless the pseudo-count is a finite number, 0 or more."""
    if not isinstance(smoothing, int | float) or not 0 <= smoothing < float("inf"):
        raise SettingError(f"smoothing={smoothing!r}: expected a finite number, 0 or more")


def check_length(length: str) -> None:
    """Raise SettingError unless the length policy is known."""
    one_of("length", length, get_args(Length))


def _frozen_counts(name: str, counts: npt.NDArray[np.int64], buckets: int) -> npt.NDArray[np.int64]:
    counts = np.array(counts, dtype=np.int64)  # A copy: nobody else may change it.
    if counts.shape != (buckets,) or (counts < 0).any():
        raise ModelError(f"{name}: expected {buckets:,} counts, none negative")
    if not counts.any():
        side = name.removesuffix("_counts")
        raise ModelError(
            f"the {side} corpus has no n-grams, so there is no model to be made; "
            f"check that its texts are not all empty or null"
        )
    counts.setflags(write=False)
    return counts
