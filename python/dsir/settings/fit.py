"""How a model is fitted: features, targets, smoothing, and how much of raw is counted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, get_args

from dsir.arguments import panels
from dsir.arguments.declared import argument, chosen, described
from dsir.arguments.values import amount, number, one_of, shown
from dsir.errors import SettingError, warn
from dsir.model import classifier
from dsir.model.features import HashedNgrams, check_features
from dsir.model.importance import check_scorer
from dsir.model.kernels import SCORERS
from dsir.model.length import Length, check_length
from dsir.model.own_scorer import (
    OwnScorer,
    Scorer,
    described_scorer,
    own_scorer_of,
    scorer_in,
)
from dsir.model.proportions import shares
from dsir.model.targets import Proportions, TargetMode, check_targets, in_order
from dsir.sampling import METHODS
from dsir.settings.documents import features_of
from dsir.settings.option_text import length_in, proportions_in

FitTokens = int | str  # A number, "auto" or "all".
EstimatorName = Literal["auto", "ratio", "relevance", "classifier"]
_AUTO_NGRAMS_PER_BUCKET = 100_000
_SHARES_TOLERANCE = 1e-3  # Three thirds written as 0.333 are meant to add up to 1.


class FitArguments(TypedDict, total=False):
    """Arguments of `dsir.fit` and `dsir.select`; see `FitSettings`."""

    features: HashedNgrams | None
    estimator: EstimatorName
    targets: TargetMode
    proportions: Proportions
    smoothing: float
    length: Length
    scorer: OwnScorer | Scorer | None
    grades: str | None
    fit_tokens: FitTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How to make a model; see `dsir.fit`.

    Attributes:
        features: the n-grams.
        estimator: the kind of model; never "auto".
        targets: how several targets are combined.
        proportions: shares of the targets, in their order; None for their shares of the n-grams.
        smoothing: pseudo-count added to every bucket of a target.
        length: how the log-weight depends on the length of a document.
        scorer: what makes log-weights in place of sums of log ratios.
        grades: the column of the targets with the grades that a classifier learns; None for none.
        fit_tokens: n-grams of raw to count.

    Raises:
        SettingError: a setting is out of range.
    """

    features: HashedNgrams = argument(
        HashedNgrams(),
        "The n-grams that documents are compared by, as HashedNgrams(...).",
        option="",
    )
    estimator: EstimatorName = argument(
        "auto",
        "How a document's n-grams become its log-weight: 'ratio' adds up their log ratios (the "
        "reference); 'relevance' takes the mean of a ratio that n-grams which the target lacks "
        "hardly lower, with 2^20 buckets unless you give others; 'classifier' takes the log-odds "
        "of a logistic regression that learns to tell the target from raw, with 2^18 buckets "
        "unless you give others. 'auto' is 'relevance' for the methods 'coverage' and 'cap', which "
        "need it, and 'ratio' for all others.",
        panel=panels.NGRAMS,
    )
    targets: TargetMode = argument(
        "pooled",
        "How several named targets are combined: 'pooled' counts them as one; 'separate' draws "
        "for each target in turn its proportion of the budget, from the documents that no earlier "
        "target took; 'mixture' makes one draw by the weight log sum_k proportion_k "
        "exp(log-weight_k).",
        panel=panels.NGRAMS,
    )
    proportions: tuple[float, ...] | None = argument(
        None,
        "Shares of separate or mixed targets, e.g. web=0.7,books=0.3. By default each "
        "target takes its share of the n-grams.",
        panel=panels.NGRAMS,
        metavar="NAME=SHARE,...",
        read=proportions_in,
    )
    smoothing: float = argument(
        0.0,
        "Pseudo-count added to every bucket of a target, 0 or more, e.g. 0.5.",
        kind=float,
        panel=panels.NGRAMS,
    )
    length: Length = argument(
        "sum",
        "How the log-weight depends on the number of n-grams: their 'sum' (the reference), their "
        "'mean', a number alpha from 0 to 1 for sum / n-grams^alpha, or 'poisson' for the sum plus "
        "the log-ratio of the likelihoods of the document's number of tokens.",
        panel=panels.NGRAMS,
        read=length_in,
    )
    scorer: OwnScorer | None = argument(
        None,
        "A dsir.kernel('scorer'), or a Python function, that makes the log-weight of a document of "
        "its n-grams, in place of the sum of their log ratios; on the command line by its file or "
        "module, such as kernels.py:length_penalty.",
        panel=panels.NGRAMS,
        metavar="FILE.py:NAME",
        read=scorer_in,
    )
    grades: str | None = argument(
        None,
        "A column of the target with numbers that say how much each document is wanted, e.g. "
        "quality from 0 to 5. The classifier then learns the grades of the target's documents, "
        "and nothing from raw; log-weights are above 0 for documents above the middle of the "
        "grades. For estimator 'classifier'; dots lead into nested columns.",
        panel=panels.NGRAMS,
        metavar="COLUMN",
    )
    fit_tokens: FitTokens = argument(
        "auto",
        "N-grams of raw to count: 'auto' counts 100,000 for each bucket, 'all' counts all, or give "
        "a number, e.g. 50M. Every file counts an equal share of the number. Targets are "
        "always counted completely.",
        panel=panels.NGRAMS,
    )

    def __post_init__(self) -> None:
        """Check the settings."""
        check_features(self.features)
        one_of("estimator", self.estimator, get_args(EstimatorName))
        if self.estimator == "auto":
            object.__setattr__(self, "estimator", "ratio")
        one_of("targets", self.targets, get_args(TargetMode))
        number("smoothing", self.smoothing, least=0, expected="a finite number, 0 or more")
        object.__setattr__(self, "length", check_length(self.length))
        if self.scorer is not None:
            object.__setattr__(self, "scorer", own_scorer_of(self.scorer))
            check_scorer(self.scorer, self.length, self.targets)
        object.__setattr__(self, "fit_tokens", check_fit_tokens(self.fit_tokens))
        if self.grades is not None:
            self._check_grades()
        if self.estimator != "ratio":
            self._refuse_ratios()

    def _check_grades(self) -> None:
        if not isinstance(self.grades, str) or not self.grades:
            raise SettingError(f"grades={shown(self.grades)}: expected the name of a column")
        if self.estimator != classifier.ClassifierModel.kind:
            raise SettingError(
                f'grades={shown(self.grades)}: are for estimator="classifier", not '
                f'"{self.estimator}"'
            )

    def _refuse_ratios(self) -> None:
        # Relevance is a mean; a classifier has a length of its own.
        lengths = ("sum", "mean") if self.estimator == "relevance" else ("sum",)
        for name, without in (("smoothing", (0.0,)), ("length", lengths), ("scorer", (None,))):
            if getattr(self, name) not in without:
                raise SettingError(
                    f'{name}={shown(getattr(self, name))}: is for estimator="ratio"; leave it out'
                )
        if self.estimator == "relevance" and self.targets == "mixture":
            raise SettingError(
                'targets="mixture": is not for estimator="relevance"; give targets="separate" or '
                '"pooled"'
            )

    @classmethod
    def of(cls, given: Mapping[str, Any], target_names: Sequence[str]) -> FitSettings:
        """Check the arguments of a call.

        Args:
            given: arguments by name; those left out have their defaults.
            target_names: names of the targets; none for a single target without a name.

        Raises:
            SettingError: an argument is out of range, or arguments do not go together.
        """
        targets = given.get("targets", "pooled")
        check_targets(targets, target_names)
        proportions = in_order(given.get("proportions"), target_names, targets)
        found = chosen(cls, given)
        found["proportions"] = None if proportions is None else tuple(proportions)
        found["estimator"] = estimator_of(given)
        found["features"] = features_of(given, estimator=found["estimator"])
        if proportions is not None:
            _warn_of_scaling(proportions)
        return cls(**found)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> FitSettings:
        """Return settings from what `describe` returned; the names of targets are not needed.

        Raises:
            SettingError: a setting is out of range.
        """
        found = chosen(cls, given)
        proportions = found.get("proportions")
        if proportions is not None:
            shares("proportions", proportions)
            found["proportions"] = tuple(proportions)
        found["estimator"] = estimator_of(given)
        found["features"] = HashedNgrams.from_json(found["features"])
        if found.get("scorer") is not None:
            found["scorer"] = described_scorer(found["scorer"], SCORERS)
        return cls(**found)

    def refuse_negatives(self, negatives: object) -> None:
        """Raise SettingError if negatives are given to an estimator that has no use for them."""
        if negatives is not None and self.grades is not None:
            raise SettingError(
                "negatives: cannot be given with grades=..., which say of each document how much "
                "it is wanted; give unwanted documents low grades"
            )
        if negatives is not None and self.estimator != classifier.ClassifierModel.kind:
            raise SettingError(f'negatives: are for estimator="classifier", not "{self.estimator}"')

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values.

        The estimator is named only if it is not "ratio", a scorer and grades only if there are any.
        """
        found = described(self)
        if self.scorer is None:
            del found["scorer"]
        if self.grades is None:
            del found["grades"]
        if self.estimator == "ratio":
            del found["estimator"]
        return found


def estimator_of(given: Mapping[str, Any]) -> str:
    """Return the kind of model that a call asks for, by its estimator or its method.

    Raises:
        SettingError: there is no such estimator, or the method needs another.
    """
    estimator, method = given.get("estimator", "auto"), given.get("method", "resample")
    one_of("estimator", estimator, get_args(EstimatorName))
    needs = isinstance(method, str) and method in METHODS and METHODS[method].calibrated
    if needs and estimator not in ("auto", "relevance"):
        raise SettingError(
            f'method="{method}": needs estimator="relevance", not "{estimator}"; leave it out'
        )
    if estimator == "auto":
        return "relevance" if needs else "ratio"
    return str(estimator)


def _warn_of_scaling(proportions: Sequence[float]) -> None:
    """Warn of proportions that do not add up to 1: they may be percentages, or one is wrong."""
    total = math.fsum(proportions)
    if abs(total - 1) > _SHARES_TOLERANCE:
        scaled = ", ".join(f"{one / total:.3g}" for one in proportions[:8])
        more = ", ..." if len(proportions) > 8 else ""
        warn(f"proportions: add up to {total:g}, not to 1, and are scaled to {scaled}{more}")


def check_fit_tokens(fit_tokens: FitTokens) -> FitTokens:
    """Return "auto", "all" or a positive int.

    Raises:
        SettingError: the argument is none of these.
    """
    if isinstance(fit_tokens, str):
        if fit_tokens in ("auto", "all"):
            return fit_tokens
        if not fit_tokens[:1].isdecimal():
            raise SettingError(
                f"fit_tokens={shown(fit_tokens)}: expected 'auto' or 'all' or a number"
            )
    return amount("fit_tokens", fit_tokens, 1)


def limit_per_file(fit_tokens: FitTokens, buckets: int, files: int) -> int:
    """Return the number of n-grams after which the count of a file stops; -1 for no limit.

    As in the reference, every file gets an equal share of the budget.
    """
    if fit_tokens == "all":
        return -1
    total = _AUTO_NGRAMS_PER_BUCKET * buckets if fit_tokens == "auto" else int(fit_tokens)
    return total // files
