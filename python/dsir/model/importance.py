"""ImportanceModel: how much likelier a text is under the target's n-grams than under raw's."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments.values import whole_number
from dsir.errors import ModelError, SettingError
from dsir.facts import Fact, Facts
from dsir.model import model_file
from dsir.model.carried_features import features_of_file
from dsir.model.counted_model import Scored, SummingModel, target_counts_of
from dsir.model.explanation import explain_sum
from dsir.model.features import HashedNgrams
from dsir.model.kernels import SCORERS
from dsir.model.length import CorpusSize, Length, check_length, exponent, poisson_log_ratio
from dsir.model.own_part import OwnPart
from dsir.model.own_scorer import OwnScorer, Scorer, described_scorer, own_scorer_of
from dsir.model.target_columns import TargetColumns
from dsir.model.targets import Proportions, TargetMode, check_target_names, check_targets


class NgramCounts(Protocol):
    """The counts of a corpus.

    Attributes:
        counts: int64[buckets], its n-grams.
        documents: number of texts that have a token.
        tokens: number of tokens in these texts.
    """

    counts: npt.NDArray[np.int64]
    documents: int
    tokens: int


class ImportanceModel(Facts, SummingModel):
    """Bags of hashed n-grams of a raw corpus and of targets, and their log ratios.

    The log-weight of a text comes from the sum of `log_ratio` over its n-grams. Source: Xie et al.
    2023, section 3. Instances are frozen: the arrays cannot be written to.

    Length policies:

    - `"sum"`: the sum itself, as in the reference;
    - `"mean"`: the sum divided by the number of n-grams;
    - a number alpha from 0 to 1: the sum divided by (number of n-grams)^alpha;
    - `"poisson"`: the sum plus the log ratio of two Poisson likelihoods of the text's number of
      tokens, one with the target's mean and one with raw's mean.

    Several targets:

    - `targets="pooled"`: their n-grams are added up, and they count as one target;
    - `targets="separate"`: a text has a log-weight for each target;
    - `targets="mixture"`: a text has one log-weight, log Σ proportion_k exp(log-weight_k).

    Args:
        features: the n-grams and their buckets.
        raw_counts: int64[buckets], n-grams of the raw corpus.
        target_counts: int64[buckets], n-grams of the target; int64[targets, buckets] with names.
        target_names: names of the targets; empty for a single target without a name.
        targets: how several targets are combined.
        proportions: shares of the targets, by name or in order; None for their shares of n-grams.
        smoothing: pseudo-count added to every bucket of a target, 0 or more.
        length: the length policy.
        raw_size: documents and tokens behind `raw_counts`; needed for `length="poisson"`.
        target_sizes: documents and tokens behind `target_counts`, one pair per target.
        scorer: a `dsir.kernel("scorer")` or a Python function that makes the log-weight, in place
            of the sum; needs `length="sum"`, and targets that are not a mixture.

    Raises:
        ModelError: raw or a target has no n-grams.
        SettingError: an argument is out of range.

    Example:
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> model.score(["a ship at sea", "a court of law"]).round(1).tolist()
        [2.0, -75.6]
    """

    kind: ClassVar[str] = model_file.RATIO

    def __init__(
        self,
        features: HashedNgrams,
        raw_counts: npt.NDArray[np.int64],
        target_counts: npt.NDArray[np.int64],
        *,
        target_names: Sequence[str] = (),
        targets: TargetMode = "pooled",
        proportions: Proportions = None,
        smoothing: float = 0.0,
        length: Length = "sum",
        raw_size: CorpusSize | None = None,
        target_sizes: Sequence[CorpusSize] | None = None,
        scorer: OwnScorer | Scorer | None = None,
    ) -> None:
        check_smoothing(smoothing)
        if target_names:
            check_target_names(target_names)
        check_targets(targets, target_names)
        self._features = features
        self._raw_counts = frozen_counts("raw", raw_counts, (features.buckets,))
        shape = (len(target_names), features.buckets) if target_names else (features.buckets,)
        self._target_counts = frozen_counts("target", target_counts, shape, target_names)
        self._smoothing = float(smoothing)
        self._length: Length = check_length(length)
        self._scorer = None if scorer is None else own_scorer_of(scorer)
        check_scorer(self._scorer, self._length, targets)
        self._raw_size = raw_size
        self._target_sizes = None if target_sizes is None else tuple(target_sizes)
        if target_sizes is not None and len(target_sizes) != max(1, len(target_names)):
            raise SettingError(
                f"target_sizes: expected one per target, found {len(target_sizes)} for "
                f"{max(1, len(target_names))} targets"
            )
        self._columns = TargetColumns.of(
            target_names, targets, self._target_counts.reshape(-1, features.buckets), proportions
        )
        # Mean tokens per document of target and raw, a pair per row of log ratios.
        self._means: list[tuple[float, float]] = []
        if self._length == "poisson":
            self._means = self._columns.mean_tokens(raw_size, target_sizes)
        self._weighing = self._columns.weighing(self._length, self._means)
        ratios = [
            _core.log_ratio(counts, self._raw_counts, self._smoothing)
            for counts in self._columns.ratio_counts
        ]
        self._log_ratio = np.stack(ratios)
        self._log_ratio.setflags(write=False)

    @classmethod
    def from_counts(
        cls,
        features: HashedNgrams,
        raw: NgramCounts,
        target: Sequence[NgramCounts],
        *,
        target_names: Sequence[str] = (),
        targets: TargetMode = "pooled",
        proportions: Proportions = None,
        smoothing: float = 0.0,
        length: Length = "sum",
        scorer: OwnScorer | None = None,
    ) -> ImportanceModel:
        """Return the model of the counts of the raw corpus and of each target.

        Args:
            features: the n-grams and their buckets.
            raw: counts of the raw corpus.
            target: counts of each target, in the order of the names; one if there are no names.
            target_names: names of the targets; empty for a single target without a name.
            targets: how several targets are combined.
            proportions: shares of the targets.
            smoothing: pseudo-count added to every bucket of a target.
            length: the length policy.
            scorer: what makes log-weights in place of the sum.

        Raises:
            ModelError: raw or a target has no n-grams.
            SettingError: an argument is out of range.
        """
        counts = [one.counts for one in target]
        return cls(
            features,
            raw.counts,
            np.stack(counts) if target_names else counts[0],
            target_names=target_names,
            targets=targets,
            proportions=proportions,
            smoothing=smoothing,
            length=length,
            scorer=scorer,
            raw_size=CorpusSize(raw.documents, raw.tokens),
            target_sizes=[CorpusSize(one.documents, one.tokens) for one in target],
        )

    @property
    def proportions(self) -> npt.NDArray[np.float64] | None:
        """float64[targets], adding up to 1: shares of separate or mixed targets; None if pooled."""
        return self._columns.proportions

    @property
    def smoothing(self) -> float:
        """Pseudo-count added to every bucket of a target."""
        return self._smoothing

    @property
    def length(self) -> Length:
        """The length policy."""
        return self._length

    @property
    def scorer(self) -> OwnScorer | None:
        """What makes log-weights of a text's features; None for the sum of their log ratios."""
        return self._scorer

    @property
    def _own_parts(self) -> tuple[OwnPart, ...]:
        own = super()._own_parts
        return own if self._scorer is None else (*own, self._scorer)

    @property
    def log_ratio(self) -> npt.NDArray[np.float64]:
        """Log p_target - log p_raw, with 1e-8 added to both probabilities.

        float64[buckets]; with separate or mixed targets float64[targets, buckets].
        """
        return self._log_ratio[0] if self.targets == "pooled" else self._log_ratio

    @functools.cached_property
    def table(self) -> _core.LogRatioTable:
        """The log ratios in fixed point, which is how the core adds them up."""
        return _core.LogRatioTable(self._log_ratio)

    @property
    def rows(self) -> npt.NDArray[np.float64]:
        """The log ratios, float64[rows, buckets]."""
        return self._log_ratio

    @property
    def divisor(self) -> float | None:
        """See `SummingModel.divisor`."""
        if self._length == "poisson" or self.targets == "mixture" or self._scorer is not None:
            return None
        return exponent(self._length)

    @property
    def weighing(self) -> _core.Weighing:
        """How the core makes log-weights from sums of log ratios."""
        return self._weighing

    @property
    def shares_tokens(self) -> bool:
        """See `CountedModel.shares_tokens`: a scorer of the user's makes log-weights itself."""
        return self._scorer is None

    def _score(
        self, prepared: pa.Array, threads: int, watching: _core.Watching | None = None
    ) -> Scored:
        if self._scorer is None:
            return super()._score(prepared, threads, watching)
        with self._scorer.telling():
            return _core.score_by_kernel(
                prepared,
                self._features.spec,
                self._scorer.address,
                self._log_ratio,
                watching=watching,
                threads=threads,
            )

    def explain(self, text: str, *, target: str | None = None) -> pa.Table:
        """Return what each n-gram contributes to a text's log-weight.

        Args:
            text: one text.
            target: the target to explain, if several targets are not pooled. For a mixture, the
                table explains the log-weight under this target alone.

        Returns:
            A table with a row per distinct n-gram: `ngram` string, `bucket` int64, `count` int64
            (times in the text), `contribution` float64 (to the log-weight), the greatest magnitude
            first. With `length="poisson"`, one row has no n-gram and no bucket: its `count` is the
            text's number of tokens and its `contribution` that of the length; with a scorer, it is
            the difference between what the scorer returns and the sum. The contributions add up to
            the log-weight.

        Raises:
            RowError: the text has lone surrogates.
            SettingError: the model needs the name of a target, or has no target of that name.
        """
        row = self._columns.row_of(target)
        ngrams = self._features.ngrams(text)
        share = max(1, len(ngrams)) ** -exponent(self._length)
        length_term = None
        if self._length == "poisson" and ngrams:
            tokens = len(self._features.tokens(text))
            target_mean, raw_mean = self._means[row]
            length_term = (tokens, poisson_log_ratio(tokens, target_mean, raw_mean))
        if self._scorer is not None and ngrams:
            scored = self.score_batch(pa.array([text]))
            total = math.fsum(self._log_ratio[row, bucket] for _, bucket in ngrams)
            length_term = (int(scored.tokens[0]), float(scored.log_weight[row, 0]) - total)
        return explain_sum(ngrams, self._log_ratio[row], share, length_term)

    def describe(self) -> dict[str, Any]:
        """Return what log-weights depend on besides the counts, as JSON values."""
        proportions = self.proportions
        return {
            "features": self._features.describe(),
            "targets": self.targets,
            "proportions": None if proportions is None else proportions.tolist(),
            "smoothing": self._smoothing,
            "length": self._length,
            **self._described_scorer(),
        }

    def _described_scorer(self) -> dict[str, Any]:
        return {} if self._scorer is None else {"scorer": self._scorer.describe()}

    def content(self) -> model_file.Content:
        """Return the content of the model file."""
        settings = {
            "smoothing": self._smoothing,
            "length": self._length,
            "raw_size": self._raw_size,
            "target_sizes": self._target_sizes,
            **self._described_scorer(),
        }
        return self._content(settings)

    @classmethod
    def from_content(cls, content: model_file.Content) -> ImportanceModel:
        """Return the model with this content; see `Estimator.from_content`."""
        settings = content.settings
        raw_size, sizes = settings["raw_size"], settings["target_sizes"]
        return cls(
            features_of_file(settings["features"], content.arrays),
            content.arrays["raw_counts"],
            target_counts_of(content),
            target_names=settings["target_names"],
            targets=settings["targets"],
            proportions=settings["proportions"],
            smoothing=settings["smoothing"],
            length=settings["length"],
            raw_size=None if raw_size is None else _size(raw_size),
            target_sizes=None if sizes is None else [_size(size) for size in sizes],
            scorer=described_scorer(settings["scorer"], SCORERS) if "scorer" in settings else None,
        )

    def counts_by_target(self) -> npt.NDArray[np.int64]:
        """int64[targets, buckets]: the counts of every target, pooled or not."""
        return self._columns.counts

    def _facts(self) -> Iterator[Fact]:
        """Give what the model was fitted to, and how."""
        if self.target_names:
            yield "targets", f"{', '.join(self.target_names)} ({self.targets})"
        yield "raw n-grams", f"{int(self._raw_counts.sum()):,}"
        yield "target n-grams", f"{int(self._target_counts.sum()):,}"
        yield "smoothing", self._smoothing
        yield "length", self._length
        if self._scorer is not None:
            yield "scorer", self._scorer.name

    def _more_facts(self) -> Iterator[Fact]:
        """Give the n-grams and the fingerprint."""
        yield "features", self._features
        yield "fingerprint", self.fingerprint


def _size(pair: Any) -> CorpusSize:
    documents, tokens = pair
    return CorpusSize(whole_number("documents", documents, 0), whole_number("tokens", tokens, 0))


def check_scorer(scorer: OwnScorer | None, length: Length, targets: TargetMode) -> None:
    """Raise SettingError unless a scorer goes with a length policy and a mode of targets."""
    if scorer is None:
        return
    if length != "sum":
        raise SettingError(
            f"length={length!r}: a scorer makes the log-weight itself, and gets the number of "
            "tokens; leave length out"
        )
    if targets == "mixture":
        raise SettingError(
            'targets="mixture": is for sums of log ratios, not for a scorer; give '
            'targets="separate" or "pooled"'
        )


def check_smoothing(smoothing: float) -> None:
    """Raise SettingError unless the pseudo-count is a finite number, 0 or more."""
    if not isinstance(smoothing, int | float) or not 0 <= smoothing < float("inf"):
        raise SettingError(f"smoothing={smoothing!r}: expected a finite number, 0 or more")


def frozen_counts(
    side: str,
    counts: npt.NDArray[np.int64],
    shape: tuple[int, ...],
    names: Sequence[str] = (),
) -> npt.NDArray[np.int64]:
    """Return a copy of counts that nobody can change.

    Args:
        side: "raw" or "target", for the message.
        counts: the counts.
        shape: the shape that they must have.
        names: names of the rows, if there are several.

    Raises:
        ModelError: the shape is another, a count is negative, or a row has no n-grams.
    """
    counts = np.array(counts, dtype=np.int64)  # A copy, so that the caller cannot change it.
    if counts.shape != shape or (counts < 0).any():
        expected = " x ".join(f"{size:,}" for size in shape)
        raise ModelError(f"{side}_counts: expected {expected} counts, none negative")
    empty = np.flatnonzero(~counts.reshape(-1, shape[-1]).any(axis=1))
    if len(empty):
        name = f"{side} {names[empty[0]]}" if names else side
        raise ModelError(
            f"the {name} corpus has no n-grams, so no model can be fitted; check that its texts "
            "are not all empty or null"
        )
    counts.setflags(write=False)
    return counts
