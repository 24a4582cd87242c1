"""Hashed n-gram features: the tokens, n-grams and buckets of a document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core, arguments
from dsir.arguments import amount, argument, one_of, whole_number
from dsir.corpus import resolve
from dsir.corpus.bad_text import bad_text_error
from dsir.errors import RowError, SettingError
from dsir.model import sentences

Hash = Literal["fast", "sha256"]
Tokenizer = Literal[
    "wordpunct", "word_tokenize", "unicode", "chars", "codepoints", "bytes", "whitespace"
]
Sentences = Literal["none", "punkt"]
Normalize = Literal["NFC"]


@dataclass(frozen=True, slots=True)
class HashedNgrams:
    """The n-grams of orders 1 to n of a document, each hashed into one of `buckets` buckets.

    Tokens are the reference's, for all of Unicode in the version `unicode_version`: the lower-cased
    text, cut into runs of word characters and runs of other visible characters (NLTK's
    WordPunctTokenizer), or into words by the rules of NLTK's word_tokenize. Other tokenizers are
    for languages that these cut badly: words by Unicode Standard Annex 29, and characters.
    Instances are frozen and comparable; `fingerprint` identifies them in files.

    Source: Xie et al. 2023 (arXiv 2302.03169), section 3; docs/algorithms.md, section 1.

    Args:
        n: the longest n-gram, 1 to 8.
        buckets: 2 to 2**24.
        tokenizer: "wordpunct"; "word_tokenize" (NLTKWordTokenizer: "do|n't", "3.88", "u.s");
            "unicode" (words by Unicode Standard Annex 29: "don't", "3.88", and single characters of
            Chinese, Japanese, Thai, Lao, Khmer and Burmese); "chars" (extended grapheme clusters),
            "codepoints" or "bytes", without white space; "whitespace" (as str.split()).
        hash: "fast" combines 64-bit hashes of the tokens; "sha256" gives the reference's buckets.
        sentences: with tokenizer="word_tokenize", how a text is first cut into sentences. "none":
            the text is one sentence (NLTK's preserve_line=True). "punkt": by NLTK's splitter for
            English, as in nltk.word_tokenize; it runs in Python, and needs nltk and its data.
        normalize: "NFC" brings texts into Unicode Normalization Form C before they are cut, so that
            composed and decomposed characters make the same tokens; None takes texts as they are.
            Only features are made from these texts: rows are written, and compared as duplicates,
            as they are.

    Raises:
        SettingError: an argument is out of range, or nltk or its data is missing.

    Example:
        >>> dsir.HashedNgrams(n=2).tokens("Ships sail: 3.5 knots!")
        ['ships', 'sail', ':', '3', '.', '5', 'knots', '!']
    """

    n: int = argument(
        2,
        "The longest n-gram, in tokens, 1 to 8.",
        kind=int,
        option="ngrams",
        panel=arguments.NGRAMS,
    )
    buckets: int = argument(
        10_000,
        "Number of buckets that n-grams are hashed into, 2 to 2^24, e.g. 100k.",
        panel=arguments.NGRAMS,
        metavar="N",
    )
    tokenizer: Tokenizer = argument(
        "wordpunct",
        "How texts are cut into tokens: 'wordpunct' (runs of word characters and runs of other "
        "visible characters), 'word_tokenize' for NLTK's words, 'unicode' for the words of any "
        "language, 'chars', 'codepoints', 'bytes', or 'whitespace'.",
        panel=arguments.NGRAMS,
    )
    hash: Hash = argument(
        "fast",
        "How n-grams are hashed: 'fast', or 'sha256' for the reference's buckets.",
        panel=arguments.NGRAMS,
    )
    sentences: Sentences = argument(
        "none",
        "With word_tokenize: 'punkt' splits sentences with nltk first, 'none' takes a text as one "
        "sentence.",
        panel=arguments.NGRAMS,
    )

    normalize: Normalize | None = argument(
        None,
        "'NFC' makes the same tokens of composed and decomposed characters (é as one character or "
        "as two). By default texts are cut as they are.",
        panel=arguments.NGRAMS,
        metavar="NFC",
        added=True,
    )

    def __post_init__(self) -> None:
        """Check the arguments."""
        least, most = _core.MIN_BUCKETS, _core.MAX_BUCKETS
        # The only place that writes to an instance: numpy's integers become plain ones.
        object.__setattr__(self, "n", whole_number("n", self.n, 1, _core.MAX_ORDER))
        object.__setattr__(self, "buckets", amount("buckets", self.buckets, least, most))
        one_of("tokenizer", self.tokenizer, get_args(Tokenizer))
        one_of("hash", self.hash, get_args(Hash))
        one_of("sentences", self.sentences, get_args(Sentences))
        if self.normalize is not None:
            one_of("normalize", self.normalize, get_args(Normalize))
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
        if self.normalize is None:
            del described["normalize"]
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
        """Return the features that `describe` described.

        Raises:
            SettingError: a value is out of range, or the values stand for other features in this
                version of dsir, e.g. because its Unicode tables are newer.
        """
        names = [field.name for field in fields(cls)]
        features = cls(**{name: described[name] for name in names if name in described})
        if features.describe() != described:
            mine = features.describe()
            name = min(n for n in {*described, *mine} if described.get(n) != mine.get(n))
            raise SettingError(
                f"features.{name:.80} is {described.get(name)!r:.80}, but {mine.get(name)!r} in "
                "this version of dsir"
            )
        return features

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits, which differ between features whose buckets may differ."""
        text = json.dumps(self.describe(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def spec(self) -> _core.FeatureSpec:
        """The same settings for the core."""
        return _core.FeatureSpec(
            n=self.n,
            buckets=self.buckets,
            hash=self.hash,
            tokenizer=self.core_tokenizer,
            normalize=self.core_normalize,
        )

    @property
    def core_tokenizer(self) -> str:
        """The tokeniser with which the core cuts `prepared` texts."""
        return self.tokenizer if self.sentences == "none" else "split"

    @property
    def core_normalize(self) -> Normalize | None:
        """The form into which the core brings `prepared` texts."""
        return self.normalize if self.sentences == "none" else None

    def prepared(self, text: pa.Array) -> pa.Array:
        """Return texts ready for the core with `spec`: unchanged, unless Punkt has to run.

        Args:
            text: strings of any Arrow layout.

        Returns:
            The same array; with `sentences="punkt"`, an array of words joined by spaces, in which
            nulls and rows that are not UTF-8 are unchanged.
        """
        return text if self.sentences == "none" else sentences.in_words(text, self.normalize)

    def tokens(self, text: str) -> list[str]:
        """Return the lower-cased tokens of a text.

        Raises:
            RowError: the text has lone surrogates, which UTF-8 cannot hold.
        """
        utf8 = utf8_of(text)
        if self.sentences == "punkt":
            return sentences.punkt().words(utf8, self.normalize)
        return _core.tokens(utf8, self.tokenizer, self.normalize)

    def ngrams(self, text: str) -> list[tuple[str, int]]:
        """Return every n-gram of a text with its bucket, in the order of their last tokens.

        Raises:
            RowError: the text has lone surrogates.
        """
        utf8 = utf8_of(text)
        if self.sentences == "punkt":
            utf8 = " ".join(self.tokens(text)).encode()
        return _core.named_ngrams(utf8, self.spec)

    def counts(
        self, texts: object, *, text: str = "text", text_encoding: str | None = None
    ) -> npt.NDArray[np.int64]:
        """Count the n-grams per bucket, summed over texts.

        Args:
            texts: a list of str, an Arrow array or table, a path, or whatever else `resolve` takes.
            text: name of the text column, if the texts have columns.
            text_encoding: the encoding of a text column of bytes, such as "utf-8"; None if such
                a column is an error.

        Returns:
            int64[buckets].

        Raises:
            InputError: a text cannot be read, or is not UTF-8.
        """
        counts = np.zeros(self.buckets, dtype=np.int64)
        for shard in resolve(texts, text=text, name="texts", encoding=text_encoding).shards:
            for batch in shard.text_batches(on_error="raise"):
                *_, invalid = _core.count(self.prepared(batch.text), self.spec, counts)
                if len(invalid):
                    raise bad_text_error(shard.name, batch.unit_row, batch.text, int(invalid[0]))
        return counts


def check_features(features: object) -> None:
    """Raise SettingError unless `features` is a HashedNgrams."""
    if not isinstance(features, HashedNgrams):
        raise SettingError(f"features={features!r}: expected HashedNgrams(...)")


def utf8_of(text: str) -> bytes:
    """Return the UTF-8 of a text, or raise an error of dsir's own.

    Raises:
        RowError: the text has lone surrogates.
        SettingError: the text is not a str.
    """
    if not isinstance(text, str):
        raise SettingError(f"expected a str, found {type(text).__name__}")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RowError(
            f"the text has a lone surrogate at position {error.start}, which is not a character"
        ) from error
