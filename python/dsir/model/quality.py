"""Quality filters: which documents are no candidates, by their length and their wording.

The measures are those of the code of the DSIR paper (Xie et al. 2023, arXiv 2302.03169), with one
each for characters and for repeated passages, the latter after Gopher (Rae et al. 2021, arXiv
2112.11446). Every threshold is off unless given. A document that fails is never selected;
it still counts in the fit of the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from numbers import Real
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments import whole_number
from dsir.errors import SettingError
from dsir.model.stopwords import STOP_WORDS, STOP_WORDS_VERSION

_MOST_WORDS = 1 << 31  # A document has no more bytes.
_OFF = ("none", "off")


@dataclass(frozen=True, slots=True)
class QualityFilters:
    """Thresholds that a document must meet to be selected.

    A value equal to a threshold passes. Shares are float64 quotients of two counts, from 0 to 1. A
    document without a token (null, empty, blank) passes: it is never selected anyway, and counted
    as empty.

    "Paper" names the measure of the paper's code (github.com/p-lambda/dsir, experimental/
    preprocessing/quality_scores/compute_quality_stats.py). It splits with word_tokenize; with other
    tokens the numbers differ somewhat.

    Args:
        min_words: tokens, at least; 0 to 2**31. Paper: `length`.
        max_words: tokens, at most; 0 to 2**31. Paper: `length`.
        min_repeated: share of the most frequent token among the tokens, at least. Paper:
            `repeating_ratio`.
        max_repeated: the same, at most.
        min_informative: share of the tokens that are neither stop words (`dsir.model.stopwords`,
            English) nor punctuation, at least. Punctuation is a token without an alphanumeric
            character.
            Paper: `informative_ratio`, which takes NLTK's stop words, and for punctuation the
            tokens of a single ASCII character only.
        max_informative: the same, at most.
        max_numeric: share of the tokens that are numbers, at most. A number is a token of ASCII
            digits, with single full stops or commas between digits. Paper: 1 - `numeric_ratio`,
            which takes only tokens of a single digit for numbers.
        min_alphanumeric: share of alphanumeric characters (`str.isalnum()`) among the characters of
            the tokens, which are all but white space, at least. Not in the paper.
        max_repeated_ngrams: share of the tokens that lie in a run of five tokens that has occurred
            before in the document, at most. After Gopher's duplicate 5-grams (there 0.15, of
            characters). Not in the paper.

    Raises:
        SettingError: a threshold is out of range, or a least is above its most.
    """

    min_words: int | None = None
    max_words: int | None = None
    min_repeated: float | None = None
    max_repeated: float | None = None
    min_informative: float | None = None
    max_informative: float | None = None
    max_numeric: float | None = None
    min_alphanumeric: float | None = None
    max_repeated_ngrams: float | None = None

    def __post_init__(self) -> None:
        """Check the thresholds."""
        for name in REASONS:
            value = getattr(self, name)
            if value is not None:
                # The only place that writes to an instance: numpy's numbers become plain ones.
                object.__setattr__(self, name, _checked(name, value))
        for measure in ("words", "repeated", "informative"):
            least, most = getattr(self, f"min_{measure}"), getattr(self, f"max_{measure}")
            if least is not None and most is not None and least > most:
                raise SettingError(
                    f"min_{measure}={least} is above max_{measure}={most}: nothing can pass"
                )

    @classmethod
    def paper(cls) -> QualityFilters:
        """Return the paper's thresholds.

        More than 40 and less than 500 words, a repeated share above 0.02 and below 0.2, an
        informative share above 0.3 and below 0.7, a numeric share below 0.2: `get_quality_mask` in
        experimental/data_selection/dsir_pipeline.py of the paper's code. A share equal to its
        threshold fails there, so the thresholds are the next floats inside.
        """
        return cls(
            min_words=41,
            max_words=499,
            min_repeated=math.nextafter(0.02, 1),
            max_repeated=math.nextafter(0.2, 0),
            min_informative=math.nextafter(0.3, 1),
            max_informative=math.nextafter(0.7, 0),
            max_numeric=math.nextafter(0.2, 0),
        )

    @classmethod
    def parse(cls, text: str) -> QualityFilters:
        """Make filters of words, as on the command line.

        Args:
            text: thresholds such as "min_words=40,max_numeric=0.2"; "paper", or "paper" and what is
                to differ, such as "paper,max_words=1000,min_repeated=none".

        Raises:
            SettingError: a name is not known, comes twice, or its value is no number.
        """
        parts = [part.strip() for part in text.split(",")]
        filters = cls()
        if parts[0] == "paper":
            filters = cls.paper()
            del parts[0]
        given: dict[str, float | None] = {}
        for part in parts:
            name, equals, value = (piece.strip() for piece in part.partition("="))
            if not equals or name not in REASONS:
                raise SettingError(
                    f"filters={text!r}: {part!r} is no filter; expected 'paper' first, or "
                    f"NAME=VALUE with {', '.join(REASONS)}"
                )
            if name in given:
                raise SettingError(f"filters={text!r}: {name} is given twice")
            given[name] = None if value.lower() in _OFF else _number(name, value)
        return replace(filters, **given)  # type: ignore[arg-type]  # checked in __post_init__

    @classmethod
    def from_json(cls, described: Mapping[str, float]) -> QualityFilters:
        """Make filters again of what `describe` returned.

        Raises:
            SettingError: a name is not known, a threshold is out of range, or this version of dsir
                has other stop words.
        """
        thresholds = {name: v for name, v in described.items() if name != "stop_words_version"}
        filters = as_filters(thresholds)
        if filters is None or filters.describe() != described:
            raise SettingError(f"filters={dict(described)!r:.400}: this version has other filters")
        return filters

    @property
    def reasons(self) -> tuple[str, ...]:
        """What a document can fail by, in the order in which it is looked at: every threshold."""
        return REASONS

    @property
    def active(self) -> tuple[str, ...]:
        """The thresholds that are given, in the same order."""
        return tuple(name for name in REASONS if getattr(self, name) is not None)

    def describe(self) -> dict[str, int | float]:
        """Return what the outcome depends on, besides the tokens, as plain values."""
        described = {name: getattr(self, name) for name in self.active}
        if self.min_informative is not None or self.max_informative is not None:
            described["stop_words_version"] = STOP_WORDS_VERSION
        return described

    def apply(
        self, text: pa.Array, tokenizer: str = "wordpunct", threads: int = 1
    ) -> npt.NDArray[np.uint8]:
        """Tell which documents pass, and what the others fail by.

        Args:
            text: string, large_string, string_view, or a dictionary of one of these.
            tokenizer: whose tokens are the words.
            threads: how many threads may be used; the outcome does not depend on it.

        Returns:
            uint8, one a row: 0 where it passes, else 1 + the index in `reasons` of the first
            threshold that it fails. Null, empty and blank rows and those that are not UTF-8 pass.
        """
        failed = np.zeros(len(text), dtype=np.uint8)
        if not self.active:
            return failed
        measures = _measure(text, tokenizer, threads, repeated=self.max_repeated_ngrams is not None)
        # From the last to the first, so that the first stays.
        for name in reversed(self.active):
            threshold = getattr(self, name)
            kind, _, measure = name.partition("_")
            values = measures.values[measure]
            fails = values < threshold if kind == "min" else values > threshold
            failed[fails & measures.has_tokens] = 1 + REASONS.index(name)
        return failed


REASONS: tuple[str, ...] = tuple(field.name for field in fields(QualityFilters))
"""The thresholds by name, in the order in which a document is held against them."""


def as_filters(filters: QualityFilters | str | Mapping[str, float] | None) -> QualityFilters | None:
    """Take filters in the ways in which they can be given.

    Args:
        filters: QualityFilters; words for `QualityFilters.parse`; thresholds by name; or None.

    Returns:
        None where no threshold is given.

    Raises:
        SettingError: they are none of these, or not valid.
    """
    if isinstance(filters, str):
        filters = QualityFilters.parse(filters)
    elif isinstance(filters, Mapping):
        unknown = [name for name in filters if name not in REASONS]
        if unknown:
            raise SettingError(
                f"filters: {unknown[0]!r} is no filter; known are {', '.join(REASONS)}"
            )
        filters = QualityFilters(**filters)  # type: ignore[arg-type]  # checked in __post_init__
    elif filters is not None and not isinstance(filters, QualityFilters):
        raise SettingError(
            f"filters={filters!r}: expected QualityFilters(...), or words such as 'paper'"
        )
    return filters if filters is not None and filters.active else None


class _Measures(NamedTuple):
    """What thresholds are held against, one value a row, by the name without min_ or max_."""

    values: Mapping[str, npt.NDArray[np.float64]]
    has_tokens: npt.NDArray[np.bool_]


def _measure(text: pa.Array, tokenizer: str, threads: int, *, repeated: bool) -> _Measures:
    tokens, most_frequent, informative, numbers, characters, alphanumeric, in_repeated, _ = (
        _core.quality(text, _stop_words(), repeated=repeated, tokenizer=tokenizer, threads=threads)
    )
    # Rows without a token divide by one instead; what comes of it is not looked at.
    words = np.maximum(tokens, 1).astype(np.float64)
    values = {
        "words": tokens.astype(np.float64),
        "repeated": most_frequent / words,
        "informative": informative / words,
        "numeric": numbers / words,
        "alphanumeric": alphanumeric / np.maximum(characters, 1).astype(np.float64),
    }
    if repeated:
        values["repeated_ngrams"] = in_repeated / words
    return _Measures(MappingProxyType(values), tokens > 0)


@cache
def _stop_words() -> _core.StopWords:
    return _core.StopWords(STOP_WORDS)


def _checked(name: str, value: object) -> int | float:
    if name.endswith("_words"):
        return whole_number(name, value, 0, _MOST_WORDS)
    if isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) <= 1:
        return float(value)
    raise SettingError(f"{name}={value!r}: expected a share, from 0 to 1")


def _number(name: str, value: str) -> int | float:
    try:
        return int(value) if name.endswith("_words") else float(value)
    except ValueError:
        kind = "a whole number" if name.endswith("_words") else "a number"
        raise SettingError(f"filters: {name}={value!r}: expected {kind} or 'none'") from None
