"""Hashed n-gram features: the tokens, n-grams and buckets of a document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments import one_of, whole_number
from dsir.corpus import resolve
from dsir.corpus.bad_text import bad_text_error
from dsir.errors import RowError, SettingError
from dsir.model import sentences

Hash = Literal["fast", "sha256"]
Tokenizer = Literal["wordpunct", "word_tokenize"]
Sentences = Literal["none", "punkt"]


@dataclass(frozen=True, slots=True)
class HashedNgrams:
    """The n-grams of orders 1 to n of a document, each hashed into one of `buckets` buckets.

    Tokens are those of the reference, for all of Unicode in the version `unicode_version`: the
    lower-cased text, cut into runs of word characters and runs of other visible characters (NLTK's
    WordPunctTokenizer), or into words by the rules of NLTK's word_tokenize. Instances are frozen
    and comparable; `fingerprint` names them in files.

    Source: Xie et al. 2023 (arXiv 2302.03169), section 3.

    Args:
        n: the longest n-gram, 1 to 8.
        buckets: 2 to 2**24.
        tokenizer: "wordpunct", or "word_tokenize" (NLTKWordTokenizer: "do|n't", "3.88", "u.s").
        hash: "fast" combines 64-bit hashes of the tokens; "sha256" gives the reference's buckets.
        sentences: with tokenizer="word_tokenize", what is cut into sentences before. "none": the
            text is one sentence (NLTK's preserve_line=True). "punkt": NLTK's sentence splitter for
            English, as in nltk.word_tokenize; it runs in Python, and needs nltk and its data.

    Raises:
        SettingError: an argument is out of range, or nltk or its data is missing.
    """

    n: int = 2
    buckets: int = 10_000
    tokenizer: Tokenizer = "wordpunct"
    hash: Hash = "fast"
    sentences: Sentences = "none"

    def __post_init__(self) -> None:
        """Check the arguments."""
        least, most = _core.MIN_BUCKETS, _core.MAX_BUCKETS
        # The only place that writes to an instance: numpy's integers become plain ones.
        object.__setattr__(self, "n", whole_number("n", self.n, 1, _core.MAX_ORDER))
        object.__setattr__(self, "buckets", whole_number("buckets", self.buckets, least, most))
        one_of("tokenizer", self.tokenizer, get_args(Tokenizer))
        one_of("hash", self.hash, get_args(Hash))
        one_of("sentences", self.sentences, get_args(Sentences))
        if self.sentences == "punkt":
            if self.tokenizer != "word_tokenize":
                raise SettingError(
                    f'sentences="punkt": goes with tokenizer="word_tokenize", not {self.tokenizer}'
                )
            sentences.punkt()

    @property
    def unicode_version(self) -> str:
        """Unicode version of the tokeniser's tables."""
        return _core.UNICODE_VERSION

    def describe(self) -> dict[str, int | str]:
        """Return everything the buckets depend on, as plain values."""
        described: dict[str, int | str] = asdict(self)
        if self.sentences == "none":
            del described["sentences"]
        else:
            splitter = sentences.punkt()
            described["punkt_language"] = sentences.LANGUAGE
            described["punkt_digest"] = splitter.digest
            described["nltk"] = splitter.nltk_version
        if self.hash == "fast":
            described["hash_version"] = _core.FAST_HASH_VERSION
        described["unicode"] = self.unicode_version
        return described

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> HashedNgrams:
        """Return the features that were described, with what this version of dsir has of the rest.

        The versions in the description (Unicode, hash, Punkt) are not looked at: compare it with
        what `describe` says of the features.

        Raises:
            KeyError, TypeError: it describes no features.
            SettingError: an argument is out of range, or nltk or its data is missing.
        """
        return cls(
            n=described["n"],
            buckets=described["buckets"],
            tokenizer=described["tokenizer"],
            hash=described["hash"],
            sentences=described.get("sentences", "none"),
        )

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that differ where the buckets may differ."""
        text = json.dumps(self.describe(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def spec(self) -> _core.FeatureSpec:
        """The same settings, as the core takes them."""
        return _core.FeatureSpec(
            n=self.n, buckets=self.buckets, hash=self.hash, tokenizer=self.core_tokenizer
        )

    @property
    def core_tokenizer(self) -> Literal["wordpunct", "word_tokenize", "split"]:
        """The tokeniser by which the core cuts texts that are `prepared`."""
        return self.tokenizer if self.sentences == "none" else "split"

    def prepared(self, text: pa.Array) -> pa.Array:
        """Return texts as the core takes them with `spec`: as they are, unless Punkt has to run.

        Args:
            text: strings of any Arrow layout.

        Returns:
            The same array, or with `sentences="punkt"` one of words joined by spaces: nulls and
            rows that are not UTF-8 stay what they are.
        """
        return text if self.sentences == "none" else sentences.in_words(text)

    def tokens(self, text: str) -> list[str]:
        """Return the lower-cased tokens of a text.

        Raises:
            RowError: the text has lone surrogates, which no UTF-8 can hold.
        """
        utf8 = utf8_of(text)
        if self.sentences == "punkt":
            return sentences.punkt().words(utf8)
        if self.tokenizer == "word_tokenize":
            return _core.word_tokens(utf8)
        return _core.wordpunct_tokens(utf8)

    def ngrams(self, text: str) -> list[tuple[str, int]]:
        """Return every n-gram of a text with its bucket, in order of its last token.

        Raises:
            RowError: the text has lone surrogates.
        """
        utf8 = utf8_of(text)
        if self.sentences == "punkt":
            utf8 = " ".join(self.tokens(text)).encode()
        return _core.named_ngrams(utf8, self.spec)

    def counts(self, texts: object, *, text: str = "text") -> npt.NDArray[np.int64]:
        """Count the n-grams per bucket, summed over texts.

        Args:
            texts: a list of str, an Arrow array or table, a path, or whatever else `resolve` takes.
            text: the text column, where there are columns.

        Returns:
            int64[buckets].

        Raises:
            InputError: a text cannot be read, or is not UTF-8.
        """
        counts = np.zeros(self.buckets, dtype=np.int64)
        for shard in resolve(texts, text=text, name="texts").shards:
            for batch in shard.text_batches(on_error="raise"):
                *_, invalid = _core.count(self.prepared(batch.text), self.spec, counts)
                if len(invalid):
                    raise bad_text_error(shard.name, batch.first_row, batch.text, int(invalid[0]))
        return counts


def check_features(features: object) -> None:
    """Raise SettingError unless they are features."""
    if not isinstance(features, HashedNgrams):
        raise SettingError(f"features={features!r}: expected HashedNgrams(...)")


def utf8_of(text: str) -> bytes:
    """Encode a text, with an error that callers of dsir can catch.

    Raises:
        RowError: the text has lone surrogates.
        SettingError: it is not a str.
    """
    if not isinstance(text, str):
        raise SettingError(f"expected a str, found {type(text).__name__}")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RowError(
            f"the text has a lone surrogate at position {error.start}, which is no character"
        ) from error
