"""Warns of scores that say nothing: no edges, equal scores, and sentences that are not cut."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from dsir.errors import DsirWarning, warn

# Two units always have equal scores.
_FEWEST_UNITS = 3
LOOKED_AT = 200
_CHARACTERS = 300
# Scripts that put no space between words: Thai, Lao, Burmese, Khmer, kana, Chinese characters.
_UNSPACED = re.compile(
    "[\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u3005-\\u3007\\u3040-\\u30ff\\u3400-\\u4dbf"
    "\\u4e00-\\u9fff\\uf900-\\ufaff\\U00020000-\\U0003ffff]+"
)
# Words of these scripts have one to four characters on average.
_LONGEST_MEAN = 5.0


def warn_of_flat(
    scores: npt.NDArray[np.float64],
    has_edges: bool | None,
    threshold: float | None,
) -> None:
    """Warn if scores tell nothing apart.

    Args:
        scores: the scores of units; units without a term have 0.
        has_edges: whether the graph has an edge between two units; None if there is no graph.
        threshold: the threshold of the graph.
    """
    scored = scores[scores > 0]
    if len(scored) < _FEWEST_UNITS:
        return
    if has_edges is False:
        above = "" if threshold is None else f" above threshold={threshold:g}"
        reason = (
            f"no two of {len(scored):,} units have a cosine{above}, so the graph has no edges and "
            "the scores say nothing; lower the threshold, or give threshold=None"
        )
    elif float(np.ptp(scored)) <= 1e-9 * float(scored.max()):
        reason = f"all {len(scored):,} units have the same score, so their order says nothing"
    else:
        return
    warn(f"LexRank: {reason}")


def warn_of_uncut(texts: Iterable[str | None]) -> None:
    """Warn if texts are in a script without spaces, and their words are not cut.

    Args:
        texts: the first texts; a few are looked at.
    """
    runs = unspaced = letters = 0
    for _, text in zip(range(LOOKED_AT), texts, strict=False):
        beginning = (text or "")[:_CHARACTERS]
        letters += sum(map(str.isalpha, beginning))
        if not beginning.isascii():
            found = _UNSPACED.findall(beginning)
            runs += len(found)
            unspaced += sum(map(len, found))
    if not runs or 2 * unspaced < letters or unspaced / runs <= _LONGEST_MEAN:
        return
    warn(
        "LexRank: most sentences are a term or two each, as in Chinese, Japanese or Thai, which "
        "write no spaces between words, so the scores say little; cut the words first: separate "
        "them by spaces, give lists of tokens to lexrank, or to summarize tokenizer=jieba.lcut or "
        "another function, or tokenizer='chars' and ngram=2 (--tokenizer chars --ngram 2)"
    )


class GroupWarnings:
    """Collects what is warned of in many groups, to say it once."""

    def __init__(self) -> None:
        self._groups = 0
        self._warned = 0
        self._first = ""

    @contextmanager
    def group(self) -> Iterator[None]:
        """Collect the warnings of a group."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DsirWarning)
            yield
        self._groups += 1
        said = [str(one.message) for one in caught if issubclass(one.category, DsirWarning)]
        if said:
            self._warned += 1
            self._first = self._first or said[0]

    def say(self) -> None:
        """Warn once for all groups."""
        if self._warned:
            warn(f"{self._first} (so in {self._warned:,} of {self._groups:,} groups)")
