"""Stop words: a short list of English function words, or the caller's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from dsir.errors import SettingError

Stopwords = Literal["en"] | Iterable[str] | None

# As the tokeniser leaves them: lower case, and contractions in parts ("don't" is don, ', t).
_ENGLISH = """
a about above after again against all also am an and any are aren as at
be because been before being below between both but by
can cannot could couldn did didn do does doesn doing don down during
each either else few for from further had hadn has hasn have haven having he her here hers herself
him himself his how i if in into is isn it its itself just ll m may me might mightn more most must
mustn my myself needn no nor not now of off on once only or other ought our ours ourselves out over
own re s same shall shan she should shouldn so some such t than that the their theirs them
themselves then there these they this those though through to too under until up upon us ve very
was wasn we were weren what when where whether which while who whom whose why will with within
without won would wouldn yet you your yours yourself yourselves d
"""


def stopwords_of(stopwords: Stopwords) -> list[str]:
    """Return stop words as a sorted list.

    Args:
        stopwords: None for none, "en", or words as the tokeniser leaves them (lower case).

    Raises:
        SettingError: another name, or something that is no word.
    """
    if stopwords is None:
        return []
    if isinstance(stopwords, str):
        if stopwords != "en":
            raise SettingError(f"stopwords={stopwords!r}: expected None, 'en' or a list of words")
        return sorted(_ENGLISH.split())
    words = list(stopwords)
    for word in words:
        if not isinstance(word, str):
            raise SettingError(f"stopwords: {word!r} is {type(word).__name__}, not str")
    return sorted(set(words))
