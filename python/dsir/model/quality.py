"""Quality filters: leave documents out by their length and their wording.

The measures are those of the DSIR paper's code (Xie et al. 2023, arXiv 2302.03169), plus one for
characters and one for repeated passages, the latter after Gopher (Rae et al. 2021, arXiv
2112.11446). A threshold that is not given is off. A document that fails is never selected, but it
still counts in the fit of the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments.values import amount, share, shown
from dsir.errors import SettingError
from dsir.model import label_filter
from dsir.model.stopwords import STOP_WORDS, STOP_WORDS_VERSION

_MOST_WORDS = 1 << 31  # A document has no more bytes.
_OFF = ("none", "off")


@dataclass(frozen=True, slots=True)
class QualityFilters:
    """Thresholds that a document must meet to be selected.

    A value equal to a threshold passes. Shares are float64 quotients of two counts, from 0 to 1. A
    document without a token (null, empty, blank) passes, because it is never selected anyway and
    is counted as empty.

    "Paper" names the measure in the paper's code (github.com/p-lambda/dsir, experimental/
    preprocessing/quality_scores/compute_quality_stats.py). That code splits with word_tokenize;
    with other tokens the numbers differ somewhat.

    Args:
        min_words: least number of tokens, 0 to 2**31. Paper: `length`.
        max_words: greatest number of tokens, 0 to 2**31. Paper: `length`.
        min_repeated: least share of the most frequent token among the tokens. Paper:
            `repeating_ratio`.
        max_repeated: greatest such share.
        min_informative: least share of tokens that are neither English stop words
            (`dsir.model.stopwords`) nor punctuation. Punctuation is a token without an alphanumeric
            character. Paper: `informative_ratio`, which uses NLTK's stop words and counts only
            tokens of a single ASCII character as punctuation.
        max_informative: greatest such share.
        max_numeric: greatest share of tokens that are numbers. A number is a token of ASCII digits,
            with single full stops or commas between digits. Paper: 1 - `numeric_ratio`, which
            counts only tokens of a single digit as numbers.
        min_alphanumeric: least share of alphanumeric characters (`str.isalnum()`) among the
            characters of the tokens, that is, all but white space. Not in the paper.
        max_repeated_ngrams: greatest share of tokens in a run of five tokens that has occurred
            before in the document. After Gopher's duplicate 5-grams (there 0.15, of characters).
            Not in the paper.
        min_probability: least probability of a label, by a model of fastText, as
            `FastTextModel.score` gives it. Not in the paper.
        classifier: path or URL of that model, `.bin` or `.ftz`.
        label: that label, with or without "__label__".

    Raises:
        SettingError: a threshold is out of range, a minimum is above its maximum, or only some of
            min_probability, classifier and label are given.
        ModelError: `classifier` cannot be read, or is not a model of fastText.

    Example:
        >>> filters = dsir.QualityFilters(min_words=40, max_numeric=0.2)
        >>> dsir.select("corpus/", "wanted.jsonl", n=1000, filters=filters)  # doctest: +SKIP
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
    min_probability: float | None = None
    classifier: str | None = None
    label: str | None = None

    def __repr__(self) -> str:
        """Return the call that makes these filters; those of a classifier only if there is one."""
        of_classifier = ("min_probability", "classifier", "label")
        shown = [
            one.name
            for one in fields(self)
            if self.classifier is not None or one.name not in of_classifier
        ]
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"QualityFilters({values})"

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
        by_label = (self.min_probability, self.classifier, self.label)
        if any(value is not None for value in by_label):
            if None in by_label:
                raise SettingError(
                    "min_probability, classifier, label: give all three, e.g. min_probability=0.5, "
                    "classifier='quality.bin', label='hq'"
                )
            object.__setattr__(self, "classifier", label_filter.checked_path(self.classifier))
            assert self.classifier is not None
            label_filter.check_label(self.classifier, self.label)

    @classmethod
    def paper(cls) -> QualityFilters:
        """Return the paper's thresholds.

        More than 40 and less than 500 words, a repeated share above 0.02 and below 0.2, an
        informative share above 0.3 and below 0.7, a numeric share below 0.2: `get_quality_mask` in
        experimental/data_selection/dsir_pipeline.py of the paper's code. There, a share equal to
        its threshold fails, so these thresholds are the next floats inside.
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
        """Return the filters that a text describes, as on the command line.

        Args:
            text: thresholds such as "min_words=40,max_numeric=0.2"; or "paper", alone or followed
                by changes, such as "paper,max_words=1000,min_repeated=none".

        Raises:
            SettingError: a name is unknown or given twice, or a value is not a number.
        """
        words = [word.strip() for word in text.split(",")]
        filters = cls()
        if words[0] == "paper":
            filters = cls.paper()
            del words[0]
        given: dict[str, float | str | None] = {}
        for word in _with_commas(words):
            name, equals, value = (piece.strip() for piece in word.partition("="))
            if not equals or name not in _NAMES:
                raise SettingError(
                    f"filters={text!r}: {word!r} is not a filter; expected 'paper' first, or "
                    f"NAME=VALUE, where NAME is one of {', '.join(_NAMES)}"
                )
            if name in given:
                raise SettingError(f"filters={text!r}: {name} is given twice")
            if value.lower() in _OFF:
                given[name] = None
            else:
                given[name] = value if name in label_filter.ARGUMENTS else _number(name, value)
        return replace(filters, **given)  # type: ignore[arg-type]  # checked in __post_init__

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> QualityFilters:
        """Return the filters that `describe` described.

        Raises:
            SettingError: a name is unknown, a threshold is out of range, this version of dsir has
                other stop words, or `classifier` is another file now.
            ModelError: `classifier` cannot be read.
        """
        thresholds = {name: v for name, v in described.items() if name not in _DERIVED}
        filters = as_filters(thresholds)
        if filters is not None and filters.classifier is not None:
            digest = label_filter.digest_of(filters.classifier)
            if digest != described.get("classifier_digest"):
                raise SettingError(
                    f"classifier={filters.classifier!r:.200}: is not the file that was used; put "
                    "that file in its place"
                )
        if filters is None or filters.describe() != described:
            raise SettingError(
                f"filters={dict(described)!r:.400}: this version of dsir has other filters"
            )
        return filters

    @property
    def reasons(self) -> tuple[str, ...]:
        """Names of all thresholds, in the order in which a document is checked."""
        return REASONS

    @property
    def active(self) -> tuple[str, ...]:
        """Names of the thresholds that are given, in the same order."""
        return tuple(name for name in REASONS if getattr(self, name) is not None)

    def describe(self) -> dict[str, int | float | str]:
        """Return everything the outcome depends on besides the tokens, as plain values."""
        described: dict[str, int | float | str]
        described = {name: getattr(self, name) for name in self.active}
        if self.min_informative is not None or self.max_informative is not None:
            described["stop_words_version"] = STOP_WORDS_VERSION
        if self.classifier is not None and self.label is not None:
            described["classifier"] = self.classifier
            described["classifier_digest"] = label_filter.digest_of(self.classifier)
            described["label"] = self.label
        return described

    def apply(
        self,
        text: pa.Array,
        tokenizer: str = "wordpunct",
        threads: int = 1,
        *,
        normalize: str | None = None,
        source: pa.Array | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Return which documents pass, and which threshold each other document fails.

        Args:
            text: string, large_string, string_view, or a dictionary of one of these.
            tokenizer: name of the tokeniser whose tokens are the words.
            threads: number of threads to use; the outcome does not depend on it.
            normalize: "NFC" or "NFKC" to measure the texts in this form.
            source: the texts as they were read, for `classifier`, if `text` has been prepared.

        Returns:
            uint8[rows]: 0 for a row that passes, else 1 + the index in `reasons` of the first
            threshold that the row fails. Null, empty and blank rows, and rows that are not UTF-8,
            pass.
        """
        failed = np.zeros(len(text), dtype=np.uint8)
        if not self.active:
            return failed
        repeated = self.max_repeated_ngrams is not None
        measures = _measure(text, tokenizer, normalize, threads, repeated=repeated)
        if self.classifier is not None and self.label is not None:
            texts = text if source is None else source
            found = label_filter.probabilities(self.classifier, self.label, texts, threads)
            measures.values["probability"] = found.astype(np.float64)
        # From the last to the first, so that the first threshold that fails is the one reported.
        for name in reversed(self.active):
            threshold = getattr(self, name)
            kind, _, measure = name.partition("_")
            values = measures.values[measure]
            fails = values < threshold if kind == "min" else values > threshold
            failed[fails & measures.has_tokens] = 1 + REASONS.index(name)
        return failed


_NAMES: tuple[str, ...] = tuple(field.name for field in fields(QualityFilters))
_DERIVED = ("stop_words_version", "classifier_digest")

REASONS: tuple[str, ...] = tuple(name for name in _NAMES if name not in label_filter.ARGUMENTS)
"""Names of the thresholds, in the order in which a document is checked."""


def as_filters(filters: QualityFilters | str | Mapping[str, Any] | None) -> QualityFilters | None:
    """Return filters that are given in any of the ways that `select` allows.

    Args:
        filters: QualityFilters; a text for `QualityFilters.parse`; thresholds by name; or None.

    Returns:
        The filters; None if no threshold is given.

    Raises:
        SettingError: the filters are given in another way, or are not valid.
    """
    if isinstance(filters, str):
        filters = QualityFilters.parse(filters)
    elif isinstance(filters, Mapping):
        unknown = [name for name in filters if name not in _NAMES]
        if unknown:
            raise SettingError(
                f"filters: {unknown[0]!r} is not a filter; expected one of {', '.join(_NAMES)}"
            )
        filters = QualityFilters(**filters)  # checked in __post_init__
    elif filters is not None and not isinstance(filters, QualityFilters):
        raise SettingError(
            f"filters={shown(filters)}: expected QualityFilters(...), a text such as 'paper', or "
            "thresholds by name"
        )
    return filters if filters is not None and filters.active else None


class _Measures(NamedTuple):
    """The values that thresholds apply to, one per row, by the name without min_ or max_."""

    values: dict[str, npt.NDArray[np.float64]]
    has_tokens: npt.NDArray[np.bool_]


def _measure(
    text: pa.Array, tokenizer: str, normalize: str | None, threads: int, *, repeated: bool
) -> _Measures:
    tokens, most_frequent, informative, numbers, characters, alphanumeric, in_repeated, _ = (
        _core.quality(
            text,
            _stop_words(),
            repeated=repeated,
            tokenizer=tokenizer,
            normalize=normalize,
            threads=threads,
        )
    )
    # Rows without a token divide by 1 instead of 0; nobody looks at their quotients.
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
    return _Measures(values, tokens > 0)


@cache
def _stop_words() -> _core.StopWords:
    return _core.StopWords(STOP_WORDS)


def _checked(name: str, value: object) -> int | float:
    if name.endswith("_words"):
        return amount(name, value, 0, _MOST_WORDS)
    return share(name, value)


def _with_commas(words: Sequence[str]) -> list[str]:
    """Join words that commas have cut apart: of a path or a label, which may have commas."""
    found: list[str] = []
    for word in words:
        of_text = bool(found) and found[-1].partition("=")[0].strip() in label_filter.ARGUMENTS
        if of_text and word and "=" not in word:
            found[-1] += f",{word}"
        else:
            found.append(word)
    return found


def _number(name: str, value: str) -> int | float:
    try:
        return _checked(name, value)
    except SettingError:
        kind = "a number from 0 to 1, such as 0.2 or 20%,"
        if name.endswith("_words"):
            kind = "a whole number"
        raise SettingError(f"filters: {name}={value!r}: expected {kind} or 'none'") from None
