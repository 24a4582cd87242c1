"""ClassifierModel: logistic regression on hashed n-grams, target against raw or against negatives.

docs/algorithms.md, section 16.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments.values import whole_number
from dsir.errors import SettingError
from dsir.facts import Fact, Facts
from dsir.model import model_file
from dsir.model.carried_features import features_of_file
from dsir.model.counted_model import CountedModel, Scored, target_counts_of
from dsir.model.explanation import contributions_table
from dsir.model.features import HashedNgrams
from dsir.model.importance import frozen_counts
from dsir.model.target_columns import TargetColumns
from dsir.model.targets import Proportions, TargetMode, check_target_names, check_targets

BUCKETS = 1 << 18
"""Buckets by default; with 2^20 nothing was better."""

FORMAT = 1
"""Of what is learned of given documents; another number says that it differs."""

_TERM_UNIT = 1 << 12  # Weights of terms are multiples of 1 / this.


class Line(NamedTuple):
    """The log-odds of a document: slope * score + intercept."""

    slope: float
    intercept: float

    @classmethod
    def from_json(cls, described: Sequence[float]) -> Line:
        """Return the line of a model file or a work directory.

        Raises:
            TypeError, ValueError: it is not two numbers.
        """
        return cls(*map(float, described))


@dataclass(frozen=True, slots=True)
class Learned:
    """What one column of a classifier was learned from, and how well it does on held-out documents.

    Attributes:
        wanted: different documents of the target that it was learned from.
        others: different documents of the other side.
        held_out: documents of both sides that it was calibrated on, and not learned from.
        auc: the chance that a held-out document of the target has a greater log-weight than one of
            the other side.
        accuracy: the mean over both sides of the share of held-out documents whose log-weight has
            the right sign.
        grades: the least and the greatest grade; None if it was not learned from grades. `wanted`
            are the graded documents then, `others` is 0, `auc` is the chance that of two documents
            the one with the greater grade has the greater log-weight, and the two sides are the
            grades above and below the middle.
    """

    wanted: int
    others: int
    held_out: int
    auc: float
    accuracy: float
    grades: tuple[float, float] | None = None

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> Learned:
        """Return what `describe` described.

        Raises:
            KeyError, TypeError, ValueError: it is not what `describe` returns.
        """
        auc, accuracy = float(described["auc"]), float(described["accuracy"])
        if not (0 <= auc <= 1 and 0 <= accuracy <= 1):
            raise ValueError("auc and accuracy must be 0 to 1")
        grades = described.get("grades")
        if grades is not None:
            least, greatest = map(float, grades)
            if not -math.inf < least < greatest < math.inf:
                raise ValueError("grades must be two finite numbers, the least first")
            grades = least, greatest
        return cls(
            wanted=whole_number("wanted", described["wanted"], 0),
            others=whole_number("others", described["others"], 0),
            held_out=whole_number("held_out", described["held_out"], 0),
            auc=auc,
            accuracy=accuracy,
            grades=grades,
        )

    def describe(self) -> dict[str, Any]:
        """Return the values as JSON; grades only if there are any."""
        found = asdict(self)
        if self.grades is None:
            del found["grades"]
        else:
            found["grades"] = list(self.grades)
        return found

    def __str__(self) -> str:
        """Return what it was learned from, in words."""
        if self.grades is None:
            return f"{self.wanted:,} against {self.others:,}"
        return f"{self.wanted:,} with grades from {self.grades[0]:g} to {self.grades[1]:g}"


class Column(NamedTuple):
    """One column of a classifier.

    Attributes:
        weights: float32[buckets].
        line: turns scores into log-odds.
        learned: the account.
    """

    weights: npt.NDArray[np.float32]
    line: Line
    learned: Learned


class ClassifierModel(Facts, CountedModel):
    """The log-weight of a text is its log-odds to be of the target and not of the other side.

    A logistic regression over the hashed n-grams of a text: an n-gram that a text has c times
    weighs 1 + log c, and a text's vector is scaled to length 1. The log-odds are calibrated on
    documents that nothing was learned from, with both sides counting equally; so a log-weight
    estimates log p_target(text) / p_other(text), as that of an `ImportanceModel` does, without the
    assumption that n-grams are independent.

    Several targets, each with a classifier of its own unless they are pooled: see
    `ImportanceModel`.

    Args:
        features: the n-grams and their buckets.
        raw_counts: int64[buckets], n-grams of the raw corpus.
        target_counts: int64[buckets], n-grams of the target; int64[targets, buckets] with names.
        columns: what was learned, for each column.
        target_names: names of the targets; empty for a single target without a name.
        targets: how several targets are combined.
        proportions: shares of the targets, by name or in order; None for their shares of n-grams.

    Raises:
        ModelError: raw or a target has no n-grams.
        SettingError: an argument is out of range.

    Example:
        >>> seas = [f"ship {i} and sail and sea" for i in range(40)]
        >>> laws = [f"judge {i} and court of law" for i in range(40)]
        >>> model = dsir.fit(seas + laws, seas[:20], estimator="classifier", progress=False)
        >>> above, below = model.score(["a ship at sea", "a court of law"])
        >>> bool(above > below)
        True
    """

    kind: ClassVar[str] = "classifier"

    def __init__(
        self,
        features: HashedNgrams,
        raw_counts: npt.NDArray[np.int64],
        target_counts: npt.NDArray[np.int64],
        columns: Sequence[Column],
        *,
        target_names: Sequence[str] = (),
        targets: TargetMode = "pooled",
        proportions: Proportions = None,
    ) -> None:
        if target_names:
            check_target_names(target_names)
        check_targets(targets, target_names)
        shape = (len(target_names), features.buckets) if target_names else (features.buckets,)
        self._features = features
        self._raw_counts = frozen_counts("raw", raw_counts, (features.buckets,))
        self._target_counts = frozen_counts("target", target_counts, shape, target_names)
        self._columns = TargetColumns.of(
            target_names, targets, self._target_counts.reshape(-1, features.buckets), proportions
        )
        self._weighing = self._columns.weighing("sum", [])
        if len(columns) != len(self._columns.ratio_counts):
            raise SettingError(
                f"columns: expected {len(self._columns.ratio_counts)}, found {len(columns)}"
            )
        self._learned = tuple(column.learned for column in columns)
        self._lines = [Line(*column.line) for column in columns]
        if not all(math.isfinite(number) for line in self._lines for number in line):
            raise SettingError("lines: expected finite numbers")
        self._weights = np.stack([column.weights for column in columns])
        largest = np.abs(self._weights).max()
        if self._weights.shape[1] != features.buckets or not largest <= _LARGEST:
            raise SettingError(
                f"weights: expected {features.buckets:,} a column, at most {_LARGEST:g} in size"
            )
        self._weights.setflags(write=False)

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """Weight of every bucket, float32[buckets]; several classifiers: [targets, buckets]."""
        return self._weights[0] if self.targets == "pooled" else self._weights

    @property
    def lines(self) -> list[tuple[float, float]]:
        """Slope and intercept of the log-odds of each classifier, by its scores."""
        return [(line.slope, line.intercept) for line in self._lines]

    @property
    def learned(self) -> tuple[Learned, ...]:
        """What each classifier was learned from, and how well it does."""
        return self._learned

    @property
    def proportions(self) -> npt.NDArray[np.float64] | None:
        """float64[targets], adding up to 1: shares of separate or mixed targets; None if pooled."""
        return self._columns.proportions

    @functools.cached_property
    def table(self) -> _core.LinearTable:
        """The weights in fixed point, which is how the core adds them up."""
        return _core.LinearTable(self._weights)

    def part(self) -> _core.ScorePart:
        """See `CountedModel.part`."""
        return self.table.part(self._features.spec, self._lines, self._weighing)

    def _score(
        self, prepared: pa.Array, threads: int, watching: _core.Watching | None = None
    ) -> Scored:
        return self.table.score(
            prepared,
            self._features.spec,
            self._lines,
            self._weighing,
            watching=watching,
            threads=threads,
        )

    def explain(self, text: str, *, target: str | None = None) -> pa.Table:
        """Return what each n-gram contributes to a text's log-weight; see `Estimator.explain`.

        One row has no n-gram and no bucket: it is the log-odds of a text whose n-grams all weigh
        nothing, and its `count` is the text's number of n-grams. N-grams that share a bucket share
        its contribution. For a mixture, the table explains the log-weight under one target.
        """
        row = self._columns.row_of(target)
        ngrams = self._features.ngrams(text)
        if not ngrams:
            return contributions_table([])
        line = self._lines[row]
        times = Counter(bucket for _, bucket in ngrams)
        terms = {bucket: _term_weight(count) for bucket, count in times.items()}
        length = math.sqrt(math.fsum(term * term for term in terms.values()))
        rows: list[tuple[str | None, int | None, int, float]] = []
        for (ngram, bucket), count in Counter(ngrams).items():
            whole = line.slope * terms[bucket] * float(self._weights[row, bucket]) / length
            rows.append((ngram, bucket, count, whole * count / times[bucket]))
        return contributions_table([*rows, (None, None, len(ngrams), line.intercept)])

    def content(self) -> model_file.Content:
        """Return the content of the model file."""
        settings = {
            "lines": [list(line) for line in self._lines],
            "learned": [one.describe() for one in self._learned],
        }
        return self._content(settings, {"weights": self._weights})

    @classmethod
    def from_content(cls, content: model_file.Content) -> ClassifierModel:
        """Return the model with this content; see `Estimator.from_content`."""
        settings = content.settings
        weights = content.arrays["weights"]
        if weights.ndim != 2 or weights.dtype != np.float32:
            raise ValueError(f"the weights are {weights.dtype} in {weights.ndim} dimensions")
        lines = [Line.from_json(line) for line in settings["lines"]]
        learned = [Learned.from_json(one) for one in settings["learned"]]
        return cls(
            features_of_file(settings["features"], content.arrays),
            content.arrays["raw_counts"],
            target_counts_of(content),
            [Column(*one) for one in zip(weights, lines, learned, strict=True)],
            target_names=settings["target_names"],
            targets=settings["targets"],
            proportions=settings["proportions"],
        )

    def _facts(self) -> Iterator[Fact]:
        """Give what the model was learned from, and how well it does."""
        if self.target_names:
            yield "targets", f"{', '.join(self.target_names)} ({self.targets})"
        yield (
            "documents",
            ", ".join(map(str, self._learned)),
        )
        yield "held-out AUC", ", ".join(f"{one.auc:.4f}" for one in self._learned)

    def _more_facts(self) -> Iterator[Fact]:
        """Give the accuracy, the n-grams and the fingerprint."""
        yield "held-out accuracy", ", ".join(f"{one.accuracy:.4f}" for one in self._learned)
        yield "held-out documents", ", ".join(f"{one.held_out:,}" for one in self._learned)
        yield "features", self._features
        yield "fingerprint", self.fingerprint


_LARGEST = float(_core.LARGEST_LINEAR_WEIGHT)


def _term_weight(count: int) -> float:
    """Return 1 + log(count), rounded as in the core."""
    limited = min(count, _core.MOST_TERM_COUNT)
    return round((1 + math.log(limited)) * _TERM_UNIT) / _TERM_UNIT
