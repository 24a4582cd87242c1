"""How sentences are cut into the terms that they are compared by."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments.values import shown, whole_number
from dsir.errors import SettingError
from dsir.lexrank.languages import stemmer_of
from dsir.lexrank.stopwords import Stopwords, stopwords_of
from dsir.model import vocabulary
from dsir.model.features import HashedNgrams
from dsir.model.own_tokenizer import OwnTokenizer
from dsir.primitive_arrays import to_numpy

_AT_ONCE = 10_000
_LONGEST_TERM = 8
_TOKEN_NUMBERS = "ids"


@dataclass(frozen=True, slots=True)
class Cutting:
    """How sentences are cut into tokens and terms. The values are checked.

    Terms are the tokens with a letter or digit, without stop words, as stems, in runs of `ngram`.

    Attributes:
        tokenizer: None for words in lower case ("wordpunct"); another tokenizer of the core, by
            name; a vocabulary or kernel, as `HashedNgrams` takes them; or a function from a text to
            its tokens, such as `jieba.lcut`.
        stems: the code of a language whose stems are taken; None for words as they are.
        ngram: how many tokens a term has; with tokenizer="chars", 2 gives pairs of characters.
        stopwords: tokens to leave out.
    """

    tokenizer: Any = None
    stems: str | None = None
    ngram: int = 1
    stopwords: Stopwords = None
    _features: HashedNgrams | None = field(init=False, repr=False, compare=False)
    _stem: Callable[[str], str] | None = field(init=False, repr=False, compare=False)
    _left_out: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the arguments."""
        object.__setattr__(self, "ngram", whole_number("ngram", self.ngram, 1, _LONGEST_TERM))
        object.__setattr__(self, "_features", _features_of(self.tokenizer))
        object.__setattr__(self, "_stem", None if self.stems is None else stemmer_of(self.stems))
        # A list, because any iterable may be given, and some can be read only once.
        left_out = stopwords_of(self.stopwords)
        object.__setattr__(self, "stopwords", None if self.stopwords is None else left_out)
        object.__setattr__(self, "_left_out", frozenset(left_out))

    def __reduce__(self) -> tuple[type[Cutting], tuple[Any, ...]]:
        # Stemmers cannot be pickled.
        return Cutting, (self.tokenizer, self.stems, self.ngram, self.stopwords)

    @property
    def plain(self) -> bool:
        """Whether terms are those that the core counts by itself: words."""
        return self.tokenizer is None and self.stems is None and self.ngram == 1

    def describe(self) -> dict[str, int | str]:
        """Return what differs from words, as JSON values.

        Raises:
            SettingError: the tokenizer is a function or kernel, which no file can hold.
        """
        found: dict[str, int | str] = {}
        if self.tokenizer is not None:
            if not isinstance(self.tokenizer, str):
                raise SettingError(
                    f"tokenizer={shown(self.tokenizer)}: only a tokenizer with a name can be saved"
                )
            found["tokenizer"] = self.tokenizer
        if self.stems is not None:
            found["stems"] = self.stems
        if self.ngram != 1:
            found["ngram"] = self.ngram
        return found

    def tokens(self, text: str) -> list[str]:
        """Return all tokens of a text, for budgets of tokens."""
        if not text:
            return []
        if self._features is not None:
            return self._features.tokens(text)
        if self.tokenizer is None:
            return _core.wordpunct_tokens(text)
        return _checked(self.tokenizer(text))

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text, in order."""
        found = self._terms_of(self.tokens(text))
        if self.ngram == 1:
            return found
        runs = range(len(found) - self.ngram + 1)
        return [" ".join(found[k : k + self.ngram]) for k in runs]

    def _terms_of(self, tokens: list[str]) -> list[str]:
        """Return the terms of tokens, one token each."""
        found = [
            one
            for one in tokens
            if (one.isalnum() or any(map(str.isalnum, one))) and one not in self._left_out
        ]
        return found if self._stem is None else [self._stem(one) for one in found]

    def sequences(
        self, chunks: Sequence[pa.Array]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return the terms of all texts in order, as numbers from 1; equal terms have one number.

        Args:
            chunks: arrays of texts; a null is an empty text.

        Returns:
            int64[texts + 1]: where the terms of each text begin; int32[terms].
        """
        if self.tokenizer is None and self.ngram == 1:
            return self._word_sequences(chunks)
        numbers: dict[str, int] = {}
        found, ends = [], [0]
        for chunk in chunks:
            for begin in range(0, len(chunk), _AT_ONCE):
                for text in chunk.slice(begin, _AT_ONCE).to_pylist():
                    found += [
                        numbers.setdefault(term, len(numbers) + 1)
                        for term in self.terms(text or "")
                    ]
                    ends.append(len(found))
        return np.array(ends, dtype=np.int64), np.array(found, dtype=np.int32)

    def _word_sequences(
        self, chunks: Sequence[pa.Array]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return `sequences` of words, which the core cuts; each word is looked at once here."""
        cut = _core.TokenNumbers()
        for chunk in chunks:
            cut.add(chunk)
        ends, tokens, words, word_ends = cut.take()
        numbers: dict[str, int] = {}
        term_of = np.zeros(len(word_ends) - 1, dtype=np.int32)  # 0: no term.
        for word, (begin, end) in enumerate(itertools.pairwise(word_ends.tolist())):
            for term in self._terms_of([words[begin:end].decode()]):
                term_of[word] = numbers.setdefault(term, len(numbers) + 1)
        terms = term_of[tokens]
        is_term = terms != 0
        before = np.concatenate(([0], np.cumsum(is_term, dtype=np.int64)))
        return before[ends], terms[is_term]

    def column(self, texts: pa.Array) -> pa.Array:
        """Return the terms of texts: list<large_string>, empty for nulls."""
        found = [self.terms(text or "") for text in texts.to_pylist()]
        return pa.array(found, pa.list_(pa.large_string()))

    def add(self, counter: _core.TermCounter, texts: pa.Array, *, threads: int) -> None:
        """Add the terms of texts, which are UTF-8, to a counter."""
        column = self.column(texts)
        offsets = to_numpy(column.offsets).astype(np.int64)
        counter.add_tokens(column.flatten(), offsets, threads=threads)


def _features_of(tokenizer: Any) -> HashedNgrams | None:
    """Return what cuts by a tokenizer with a name; None for words and for functions.

    Raises:
        SettingError: there is no such tokenizer, or it does not cut texts.
    """
    if tokenizer is None:
        return None
    library = isinstance(tokenizer, OwnTokenizer) or vocabulary.is_vocabulary(tokenizer)
    if callable(tokenizer) and not library:
        if isinstance(tokenizer, type):
            raise SettingError(
                f"tokenizer={shown(tokenizer)}: expected a name, a vocabulary, or a function from "
                "a text to its tokens"
            )
        return None
    features = HashedNgrams(n=1, tokenizer=tokenizer)
    if features.tokenizer == _TOKEN_NUMBERS:
        raise SettingError(
            "tokenizer='ids': sentences are texts, not numbers; give another tokenizer"
        )
    return features


def _checked(found: object) -> list[str]:
    """Return the tokens that a function of the caller gave.

    Raises:
        SettingError: they are no list of strings.
    """
    if isinstance(found, str) or not isinstance(found, Iterable):
        raise SettingError(f"tokenizer: {shown(found)} is not a list of tokens")
    tokens = list(found)
    for one in tokens:
        if not isinstance(one, str):
            raise SettingError(f"tokenizer: gave {shown(one)}, which is no str")
    return tokens
