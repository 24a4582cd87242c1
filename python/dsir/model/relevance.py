"""RelevanceModel: how typical the n-grams of a text are of the target, and what is typical enough.

The methods "coverage" and "cap" of `dsir.select` use this model; docs/algorithms.md, section 14.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.errors import SettingError
from dsir.facts import Fact, Facts
from dsir.model import model_file
from dsir.model.carried_features import features_of_file
from dsir.model.counted_model import SummingModel, target_counts_of
from dsir.model.explanation import explain_sum
from dsir.model.features import HashedNgrams
from dsir.model.importance import frozen_counts
from dsir.model.target_columns import TargetColumns
from dsir.model.targets import Proportions, TargetMode, check_target_names, check_targets
from dsir.sampling import Calibration

BUCKETS = 1 << 20
"""Buckets of the n-grams of these models, unless a call gives others."""

PRIOR = 3.0
"""How many times its share in raw is added to a bucket's share in the target."""

QUANTILE = 0.1
"""The share of the target's own documents that lie below the threshold."""

DISCOUNT = 0.75
"""What is taken from the count of every bucket of the target and given to all of them."""

LONG_ENOUGH = 100
"""Tokens of a document of the target that the threshold is measured on."""

_ENOUGH_DOCUMENTS = 20


class RelevanceModel(Facts, SummingModel):
    """Bags of hashed n-grams of a raw corpus and of targets, and the relevance of each bucket.

    The log-weight of a text is its relevance, the mean over its n-grams of

        log((p_target / p_raw + 3) / 4).

    An n-gram that the target lacks costs 0.29 at most, so a text is judged by what it shares with
    the target. The method is ours. Instances are frozen: the arrays cannot be written to.

    Args:
        features: the n-grams and their buckets.
        raw_counts: int64[buckets], n-grams of the raw corpus.
        target_counts: int64[buckets], n-grams of the target; int64[targets, buckets] with names.
        calibrations: what documents of the target reach themselves, one for each column.
        target_names: names of the targets; empty for a single target without a name.
        targets: how several targets are combined, "pooled" or "separate".
        proportions: shares of separate targets, by name or in order; None for their shares of
            n-grams.

    Raises:
        ModelError: raw or a target has no n-grams.
        SettingError: an argument is out of range.

    Example:
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, estimator="relevance", progress=False)
        >>> type(model).__name__
        'RelevanceModel'
    """

    kind: ClassVar[str] = "relevance"

    def __init__(
        self,
        features: HashedNgrams,
        raw_counts: npt.NDArray[np.int64],
        target_counts: npt.NDArray[np.int64],
        calibrations: Sequence[Calibration],
        *,
        target_names: Sequence[str] = (),
        targets: TargetMode = "pooled",
        proportions: Proportions = None,
    ) -> None:
        if target_names:
            check_target_names(target_names)
        check_targets(targets, target_names)
        if targets == "mixture":
            raise SettingError(
                'targets="mixture": this estimator has no mixtures; give targets="separate", or '
                '"pooled"'
            )
        shape = (len(target_names), features.buckets) if target_names else (features.buckets,)
        self._features = features
        self._raw_counts = frozen_counts("raw", raw_counts, (features.buckets,))
        self._target_counts = frozen_counts("target", target_counts, shape, target_names)
        self._columns = TargetColumns.of(
            target_names, targets, self._target_counts.reshape(-1, features.buckets), proportions
        )
        self._weighing = self._columns.weighing("mean", [])
        tables = [
            _core.relevance(np.ascontiguousarray(counts), self._raw_counts, PRIOR)
            for counts in self._columns.ratio_counts
        ]
        self._relevance = np.stack(tables)
        self._relevance.setflags(write=False)
        self._calibrations = tuple(_checked(one) for one in calibrations)
        if len(self._calibrations) != len(tables):
            raise SettingError(
                f"calibrations: expected one per column, found {len(self._calibrations)} for "
                f"{len(tables)}"
            )

    @property
    def calibrations(self) -> tuple[Calibration, ...]:
        """What the documents of the target reach themselves, for each column."""
        return self._calibrations

    @property
    def relevance(self) -> npt.NDArray[np.float64]:
        """Relevance of every bucket, float64[buckets]; separate targets: [targets, buckets]."""
        return self._relevance[0] if self.targets == "pooled" else self._relevance

    @property
    def rows(self) -> npt.NDArray[np.float64]:
        """The relevance, float64[columns, buckets]."""
        return self._relevance

    @property
    def divisor(self) -> float:
        """See `SummingModel.divisor`: relevance is a mean."""
        return 1.0

    @functools.cached_property
    def raw_shares(self) -> npt.NDArray[np.float64]:
        """float64[buckets]: share of each bucket in raw; half an n-gram in empty buckets."""
        return _core.raw_shares(self._raw_counts)

    def target_shares(self, column: int) -> npt.NDArray[np.float64]:
        """Return the share of each bucket in a column's target, float64[buckets].

        Smoothed by absolute discounting: what is taken from the buckets of the target is given to
        all buckets, in proportion to their share in raw.
        """
        counts = self._columns.ratio_counts[column]
        discounted = np.minimum(counts, DISCOUNT)
        # Exact: there are whole numbers of quarters.
        given = float(np.count_nonzero(counts)) * DISCOUNT
        total = float(counts.sum(dtype=np.int64))
        shares: npt.NDArray[np.float64] = (counts - discounted + self.raw_shares * given) / total
        return shares

    @functools.cached_property
    def table(self) -> _core.LogRatioTable:
        """The relevance in fixed point, which is how the core adds it up."""
        return _core.LogRatioTable(self._relevance)

    def explain(self, text: str, *, target: str | None = None) -> pa.Table:
        """Return what each n-gram contributes to a text's relevance; see `Estimator.explain`."""
        row = self._columns.row_of(target)
        ngrams = self._features.ngrams(text)
        return explain_sum(ngrams, self._relevance[row], 1 / max(1, len(ngrams)), None)

    def content(self) -> model_file.Content:
        """Return the content of the model file."""
        calibrations = [list(one) for one in self._calibrations]
        return self._content({"prior": PRIOR, "calibrations": calibrations})

    @classmethod
    def from_content(cls, content: model_file.Content) -> RelevanceModel:
        """Return the model with this content; see `Estimator.from_content`."""
        settings = content.settings
        if settings["prior"] != PRIOR:
            raise ValueError(f"the prior {settings['prior']!r:.80} is not that of this version")
        return cls(
            features_of_file(settings["features"], content.arrays),
            content.arrays["raw_counts"],
            target_counts_of(content),
            [Calibration(*one) for one in settings["calibrations"]],
            target_names=settings["target_names"],
            targets=settings["targets"],
            proportions=settings["proportions"],
        )

    def _facts(self) -> Iterator[Fact]:
        """Give what the model was fitted to."""
        if self.target_names:
            yield "targets", f"{', '.join(self.target_names)} ({self.targets})"
        yield "raw n-grams", f"{int(self._raw_counts.sum()):,}"
        yield "target n-grams", f"{int(self._target_counts.sum()):,}"
        yield "buckets", f"{self._features.buckets:,}"

    def _more_facts(self) -> Iterator[Fact]:
        """Give the n-grams and the fingerprint."""
        yield "features", self._features
        yield "fingerprint", self.fingerprint


def calibration_of(
    relevance: npt.NDArray[np.float64], tokens: npt.NDArray[np.uint32]
) -> Calibration:
    """Return the threshold and spread of documents of a target.

    Args:
        relevance: float64[documents], each to the target without this document.
        tokens: uint32[documents]. Documents of `LONG_ENOUGH` tokens count, if there are at least
            20 of them; else all documents that have a token, of which there must be one.
    """
    enough = tokens >= LONG_ENOUGH
    if np.count_nonzero(enough) < _ENOUGH_DOCUMENTS:
        enough = tokens > 0
    found = np.sort(relevance[enough])
    threshold = float(found[math.floor(QUANTILE * len(found))])
    # Exact sums, so that the bits do not depend on their order.
    mean = math.fsum(found) / len(found)
    deviations = found - mean
    return Calibration(threshold, math.sqrt(math.fsum(deviations * deviations) / len(found)))


def _checked(calibration: Calibration) -> Calibration:
    threshold, spread = calibration
    if not all(isinstance(one, int | float) and math.isfinite(one) for one in calibration):
        raise SettingError(f"calibrations: {calibration!r:.80}: expected finite numbers")
    return Calibration(float(threshold), float(spread))
