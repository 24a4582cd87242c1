"""Length policies: how the length of a document bears on its log-weight."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from dsir.errors import SettingError

Length = Literal["sum", "mean", "poisson"] | float
_NAMED = ("sum", "mean", "poisson")


class CorpusSize(NamedTuple):
    """The documents of a corpus that have a token, and the tokens in them."""

    documents: int
    tokens: int


def check_length(length: Length) -> Length:
    """Return a length policy; 0.0 as "sum" and 1.0 as "mean", which they are.

    Raises:
        SettingError: it is none.
    """
    if isinstance(length, str) and length in _NAMED:
        return length
    if isinstance(length, int | float) and not isinstance(length, bool) and 0 <= length <= 1:
        return "sum" if length == 0 else "mean" if length == 1 else float(length)
    raise SettingError(
        f"length={length!r}: expected 'sum', 'mean', 'poisson', or a number from 0 to 1"
    )


def exponent(length: Length) -> float:
    """Return alpha of sum / n-grams^alpha."""
    return {"sum": 0.0, "mean": 1.0, "poisson": 0.0}[length] if isinstance(length, str) else length


def mean_tokens(size: CorpusSize | None, name: str) -> float:
    """Return the tokens of a document on average, above 0.

    Args:
        size: of a corpus.
        name: of the corpus, for the message.

    Raises:
        SettingError: the size is not known.
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
