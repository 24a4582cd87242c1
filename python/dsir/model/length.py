"""Length policies: how the length of a document affects its log-weight."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from dsir.arguments.values import shown
from dsir.errors import SettingError

Length = Literal["sum", "mean", "poisson"] | float
_NAMED = ("sum", "mean", "poisson")


class CorpusSize(NamedTuple):
    """How many documents of a corpus have a token, and how many tokens these have."""

    documents: int
    tokens: int


def check_length(length: Length) -> Length:
    """Return a length policy; 0.0 becomes "sum" and 1.0 becomes "mean", which mean the same.

    Raises:
        SettingError: `length` is not a length policy.
    """
    if isinstance(length, str) and length in _NAMED:
        return length
    if isinstance(length, int | float) and not isinstance(length, bool) and 0 <= length <= 1:
        return "sum" if length == 0 else "mean" if length == 1 else float(length)
    raise SettingError(
        f"length={shown(length)}: expected 'sum', 'mean', 'poisson', or a number from 0 to 1"
    )


def exponent(length: Length) -> float:
    """Return the alpha in sum / n-grams^alpha."""
    return {"sum": 0.0, "mean": 1.0, "poisson": 0.0}[length] if isinstance(length, str) else length


def mean_tokens(size: CorpusSize | None, name: str) -> float:
    """Return the mean number of tokens per document, above 0.

    Args:
        size: size of a corpus.
        name: name of the corpus, for the message.

    Raises:
        SettingError: the size is not known, or is 0.
    """
    if size is None or size.documents < 1 or size.tokens < 1:
        raise SettingError(
            f"length='poisson': needs the number of documents and tokens of the {name} corpus, "
            "which dsir.fit counts"
        )
    return size.tokens / size.documents


def poisson_log_ratio(tokens: int, target_mean: float, raw_mean: float) -> float:
    """Return log [Poisson(tokens; target_mean) / Poisson(tokens; raw_mean)]; both means above 0."""
    return tokens * (math.log(target_mean) - math.log(raw_mean)) + (raw_mean - target_mean)
