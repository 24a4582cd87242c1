"""The bootstrap of n-gram counts: how far a metric would move with other documents.

In each replicate, every document counts a Poisson(1) number of times. That number is a function of
(seed, source, row over all shards, replicate), so all replicates of a corpus are counted in one
pass, and the counts are the same for any batch size and number of threads. The ordinary bootstrap
has multinomial counts; with Poisson counts the number of documents varies too, by its square root.

Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, section 13.3 (percentile
interval, here moved to the value); Hanley & MacGibbon 2006 (Poisson counts).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.arguments.values import whole_number
from dsir.corpus import Corpus
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.failing_rows import naming_row
from dsir.errors import ModelError, SettingError
from dsir.model.features import HashedNgrams

LEAST_REPLICATES = 20
_MOST_REPLICATES = 1 << 24
_MOST_BYTES = 4 << 30


class Interval(NamedTuple):
    """A metric and its bootstrap interval.

    Attributes:
        value: the metric of the documents as they are.
        low: lower end, at most the value; see `interval_around`.
        high: upper end, at least the value.

    Example:
        >>> interval = dsir.Interval(0.3, 0.25, 0.36)
        >>> interval.low <= interval.value <= interval.high
        True
    """

    value: float
    low: float
    high: float


def check_replicates(replicates: object, buckets: int) -> int:
    """Return a number of replicates as an int; 0 means no bootstrap.

    Raises:
        SettingError: the number is out of range, or the counts would take more than 4 GiB.
    """
    number = whole_number("bootstrap", replicates, 0, _MOST_REPLICATES)
    if 0 < number < LEAST_REPLICATES:
        raise SettingError(
            f"bootstrap={number}: expected 0 (no interval), or at least {LEAST_REPLICATES} "
            "replicates; 200 to 1,000 are usual"
        )
    if number * buckets * 8 > _MOST_BYTES:
        most = _MOST_BYTES // (buckets * 8)
        way_out = f"bootstrap={most}" if most >= LEAST_REPLICATES else "features with fewer buckets"
        raise SettingError(
            f"bootstrap={number}: the counts of {number:,} replicates of {buckets:,} buckets take "
            f"{number * buckets * 8 / (1 << 30):.1f} GiB, and the limit is 4 GiB; give {way_out}"
        )
    return number


def check_confidence(confidence: object) -> float:
    """Return the share of replicates in an interval, as a float.

    Raises:
        SettingError: the share is not between 0 and 1.
    """
    if isinstance(confidence, bool) or not isinstance(confidence, int | float | np.floating):
        raise SettingError(f"confidence={confidence!r}: expected a number above 0 and below 1")
    if not 0 < confidence < 1:
        raise SettingError(f"confidence={confidence!r}: expected a number above 0 and below 1")
    return float(confidence)


class ResampledCounts:
    """The n-gram counts of a corpus and of its replicates.

    Args:
        corpus: the documents; they are read once.
        features: the n-grams.
        replicates: number of replicates.
        seed: seed of the draws, 0 to 2**64 - 1.
        source: number of this corpus among those with the same seed; each has its own draws.
        threads: number of threads to use; the counts do not depend on it.

    Raises:
        InputError: a text cannot be read.
    """

    def __init__(
        self,
        corpus: Corpus,
        features: HashedNgrams,
        *,
        replicates: int,
        seed: int,
        source: int,
        threads: int,
    ) -> None:
        self._name = corpus.name
        self._core = _core.BootstrapCounts(
            features.spec, replicates=replicates, seed=seed, source=source
        )
        rows = 0
        for shard in corpus.shards:
            end = 0
            for batch in shard.text_batches(on_error="raise", threads=threads):
                with naming_row(shard, batch, features.attempt):
                    prepared = features.prepared(batch.text)
                    invalid = self._core.add(prepared, rows + batch.unit_row, threads=threads)
                if len(invalid):
                    raise bad_text_error(shard.name, batch.unit_row, batch.text, int(invalid[0]))
                end = batch.unit_row + len(batch.text)
            rows += end

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """int64[buckets], with every document counted once."""
        return self._core.counts

    def replicate(self, number: int) -> npt.NDArray[np.int64]:
        """Return the counts of a replicate: int64[buckets].

        Raises:
            ModelError: the replicate has no n-grams, because the corpus has too few documents.
        """
        counts = self._core.replicate(number)
        if not counts.any():
            raise ModelError(
                f"{self._name}: replicate {number} of the bootstrap drew no document with a text, "
                "so there are too few for an interval; give more documents, or bootstrap=0"
            )
        return counts


def interval_around(
    value: float, replicates: npt.NDArray[np.float64], confidence: float
) -> Interval:
    """Return an interval around a value that is as wide as the replicates spread.

    The interval leaves out (1 - confidence) / 2 of the replicates at each end and is shifted so
    that their median becomes the value. The shift is needed because a resample of few documents has
    fewer distinct n-grams than the documents. That moves all replicates alike, and says nothing
    about their spread.

    Args:
        value: the metric of the documents as they are.
        replicates: the metric of each replicate, float64[replicates].
        confidence: share of the replicates in the interval, above 0 and below 1.
    """
    outside = (1 - confidence) / 2
    low, median, high = np.quantile(replicates, [outside, 0.5, 1 - outside])
    return Interval(value, value + float(low - median), value + float(high - median))
