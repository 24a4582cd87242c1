"""The reference's two functions, hash_buckets and get_ngram_counts, and its tokenisers."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.errors import SettingError, warn
from dsir.model import sentences
from dsir.model.features import HashedNgrams, utf8_of

Tokenizer = Callable[[str], Sequence[str]]
_UNSPLIT = (
    "tokenizer='word_tokenize': sentences are not split, because NLTK (3.9 or later) or its "
    "sentence data (Punkt) is not installed. Each text is cut into words as one sentence "
    "(preserve_line=True): periods inside it stay with the word before them, so counts and weights "
    "differ from the reference's. For the reference's, run pip install 'dsir[nltk]' and "
    "python -m nltk.downloader punkt_tab"
)
_WORDPUNCT = re.compile(r"\w+|[^\w\s]+")


def wordpunct(text: str) -> list[str]:
    """Cut a text into runs of word characters and runs of other visible characters.

    This function uses the running Python's Unicode tables and keeps the text's case. When it is
    the tokeniser, the core counts instead: the same tokens, by its own tables and in lower case.
    """
    return _WORDPUNCT.findall(text)


def word_tokenize(text: str) -> list[str]:
    """Cut a text into sentences and words with nltk, keeping the text's case.

    When this is the tokeniser, nltk splits the sentences and the core cuts them into the same
    words, in lower case.

    Raises:
        SettingError: nltk or its data is missing.
    """
    sentences.punkt()
    tokenize: Tokenizer = importlib.import_module("nltk.tokenize").word_tokenize
    return list(tokenize(text))


def word_tokenize_unsplit(text: str) -> list[str]:
    """Cut a text into words as one sentence (NLTK's preserve_line=True).

    nltk keeps the text's case. If nltk is not installed, the core cuts the text, in lower case.
    When this is the tokeniser, the core is always used.
    """
    try:
        nltk_tokenize = importlib.import_module("nltk.tokenize")
    except ImportError:
        return _core.word_tokens(utf8_of(text))
    return list(nltk_tokenize.word_tokenize(text, preserve_line=True))


def tokenizer_named(name: str) -> Tokenizer:
    """Return the reference's tokeniser of this name.

    Warns:
        DsirWarning: NLTK's sentence data is missing, so "word_tokenize" does not split sentences.

    Raises:
        SettingError: the reference has no tokeniser of this name.
    """
    if name == "wordpunct":
        return wordpunct
    if name != "word_tokenize":
        raise SettingError(f"tokenizer={name!r}: expected 'wordpunct' or 'word_tokenize'")
    try:
        sentences.punkt()
    except SettingError:
        warn(_UNSPLIT)
        return word_tokenize_unsplit
    return word_tokenize


def hash_buckets(text: str, num_buckets: int = 10000) -> int:
    """Return the bucket of an n-gram: its SHA-256 as one integer, modulo the number of buckets.

    Args:
        text: the n-gram, its tokens joined by one space.
        num_buckets: the number of buckets.

    Raises:
        RowError: the text has lone surrogates.
    """
    return int.from_bytes(hashlib.sha256(utf8_of(text)).digest(), "big") % num_buckets


def get_ngram_counts(
    line: str,
    n: int = 2,
    num_buckets: int = 10000,
    counts: npt.NDArray[Any] | None = None,
    tokenizer: Tokenizer = wordpunct,
) -> npt.NDArray[Any]:
    """Count the hashed n-grams of a text, per bucket.

    Args:
        line: the text.
        n: the longest n-gram.
        num_buckets: the number of buckets.
        counts: array to add to, in place; None for a new one.
        tokenizer: cuts the lower-cased text into tokens.

    Returns:
        `counts`, or int64[num_buckets] if none were given.

    Raises:
        RowError: the text has lone surrogates.
        SettingError: `line` is not a str, or `counts` is too short.
    """
    if counts is not None and len(counts) < num_buckets:
        raise SettingError(f"counts: has {len(counts):,} entries for {num_buckets:,} buckets")
    in_core = features_in_core(n, num_buckets, tokenizer)
    if in_core is None:
        found = np.zeros(num_buckets, dtype=np.int64) if counts is None else counts
        utf8_of(line)
        add_ngrams(tokenizer(line.lower()), n, found[:num_buckets])
        return found
    found = np.zeros(num_buckets, dtype=np.int64)
    utf8_of(line)
    text = in_core.prepared(pa.array([line], type=pa.large_string()))
    _core.count(text, in_core.spec, found)
    if counts is None:
        return found
    counts[:num_buckets] += found
    return counts


def features_in_core(n: int, num_buckets: int, tokenizer: Tokenizer) -> HashedNgrams | None:
    """Return the features as the core counts them, or None if the core cannot count them.

    Raises:
        SettingError: the tokeniser is word_tokenize, and nltk or its data is missing.
    """
    if max(n, 1) > _core.MAX_ORDER or not _core.MIN_BUCKETS <= num_buckets <= _core.MAX_BUCKETS:
        return None
    features = HashedNgrams(n=max(int(n), 1), buckets=int(num_buckets), hash="sha256")
    if tokenizer is wordpunct:
        return features
    if tokenizer is word_tokenize_unsplit:
        return replace(features, tokenizer="word_tokenize")
    if tokenizer is word_tokenize or _is_of_nltk(tokenizer):
        return replace(features, tokenizer="word_tokenize", sentences="punkt")
    return None


def _is_of_nltk(tokenizer: Tokenizer) -> bool:
    """Whether the tokeniser is nltk.word_tokenize itself; then its module is already imported."""
    module = sys.modules.get("nltk.tokenize")
    return (
        getattr(tokenizer, "__module__", None) == "nltk.tokenize"
        and getattr(module, "word_tokenize", None) is tokenizer
    )


def add_ngrams(tokens: Sequence[str], n: int, counts: npt.NDArray[Any]) -> int:
    """Add the n-grams of orders 1 to n to `counts`, and return how many were added."""
    added = 0
    for order in range(1, max(n, 1) + 1):
        for start in range(len(tokens) - order + 1):
            ngram = " ".join(tokens[start : start + order])
            counts[hash_buckets(ngram, len(counts))] += 1
            added += 1
    return added
