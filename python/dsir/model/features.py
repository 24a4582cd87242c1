"""Hashed n-gram features: the tokens, n-grams and buckets of a document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments import panels
from dsir.arguments.declared import argument
from dsir.arguments.values import amount, flag, one_of, shown, whole_number
from dsir.corpus import resolve, token_ids
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.failing_rows import naming_row
from dsir.errors import RowError, SettingError
from dsir.model import sentences
from dsir.model.kernels import FeatureKernel, extractor_in
from dsir.model.own_part import known
from dsir.model.own_tokenizer import OwnTokenizer, is_described
from dsir.model.own_tokenizers import described_tokenizer, own_tokenizer_of, tokenizer_in

Hash = Literal["fast", "sha256"]
Tokenizer = Literal[
    "wordpunct",
    "word_tokenize",
    "unicode",
    "chars",
    "codepoints",
    "bytes",
    "whitespace",
    "ids",
]
Sentences = Literal["none", "punkt"]
Normalize = Literal["NFC", "NFKC"]


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
            "codepoints" or "bytes", without white space; "whitespace" (as str.split()); "ids" for
            columns of token numbers (`text_encoding="token-ids"`). Or a vocabulary: a
            `tokenizers.Tokenizer`, or the path of a tokenizer.json or of a model that has one; a
            `dsir.kernel`; a Python function from a text to its tokens, which is slow.
        hash: "fast" combines 64-bit hashes of the tokens; "sha256" gives the reference's buckets.
        sentences: with tokenizer="word_tokenize", how a text is first cut into sentences. "none":
            the text is one sentence (NLTK's preserve_line=True). "punkt": by NLTK's splitter for
            English, as in nltk.word_tokenize; it runs in Python, and needs nltk and its data.
        normalize: "NFC" brings texts into Unicode Normalization Form C before they are cut, so that
            composed and decomposed characters make the same tokens. "NFKC" also makes one character
            of those that differ in form alone: full-width and half-width letters, ligatures,
            circled and raised digits, no-break spaces. None takes texts as they are. Only features
            are made from these texts: rows are written, and compared as duplicates, as they are.
        lower: whether tokens are in lower case. "word_tokenize" always is; a vocabulary follows its
            own rules.
        extractor: a `dsir.kernel` that makes the features of a document of the hashes of its
            tokens, in place of n-grams.

    Raises:
        SettingError: an argument is out of range, or a library or its data is missing.

    Example:
        >>> dsir.HashedNgrams(n=2).tokens("Ships sail: 3.5 knots!")
        ['ships', 'sail', ':', '3', '.', '5', 'knots', '!']
    """

    n: int = argument(
        2,
        "The longest n-gram, in tokens, 1 to 8.",
        kind=int,
        option="ngrams",
        panel=panels.NGRAMS,
    )
    buckets: int = argument(
        10_000,
        "Number of buckets that n-grams are hashed into, 2 to 2^24, e.g. 100k.",
        panel=panels.NGRAMS,
        metavar="N",
    )
    tokenizer: Tokenizer | OwnTokenizer = argument(
        "wordpunct",
        "How texts are cut into tokens: 'wordpunct' (runs of word characters and runs of other "
        "visible characters), 'word_tokenize' for NLTK's words, 'unicode' for the words of any "
        "language, 'chars', 'codepoints', 'bytes', 'whitespace', 'ids' for columns of token "
        "numbers, or a vocabulary such as tokenizer.json. Or a dsir.kernel or Python function of "
        "yours, on the command line by its file or module, such as kernels.py:camel_case.",
        panel=panels.NGRAMS,
        read=tokenizer_in,
    )
    hash: Hash = argument(
        "fast",
        "How n-grams are hashed: 'fast', or 'sha256' for the reference's buckets.",
        panel=panels.NGRAMS,
    )
    sentences: Sentences = argument(
        "none",
        "With word_tokenize: 'punkt' splits sentences with nltk first, 'none' takes a text as one "
        "sentence.",
        panel=panels.NGRAMS,
    )

    normalize: Normalize | None = argument(
        None,
        "'NFC' makes the same tokens of composed and decomposed characters (é as one character or "
        "as two). 'NFKC' also of full-width and half-width letters, ligatures and the like. By "
        "default texts are cut as they are.",
        panel=panels.NGRAMS,
        metavar="FORM",
        added=True,
    )
    lower: bool = argument(
        True,
        "Whether tokens are in lower case.",
        kind=bool,
        panel=panels.NGRAMS,
        added=True,
    )
    extractor: FeatureKernel | None = argument(
        None,
        "A dsir.kernel('features') that makes the features, in place of n-grams; on the command "
        "line by its file or module, such as kernels.py:skip_grams.",
        panel=panels.NGRAMS,
        metavar="FILE.py:NAME",
        read=extractor_in,
        added=True,
    )

    def __post_init__(self) -> None:
        """Check the arguments."""
        least, most = _core.MIN_BUCKETS, _core.MAX_BUCKETS
        # The only place that writes to an instance: numpy's integers become plain ones.
        object.__setattr__(self, "n", whole_number("n", self.n, 1, _core.MAX_ORDER))
        object.__setattr__(self, "buckets", amount("buckets", self.buckets, least, most))
        object.__setattr__(self, "tokenizer", _tokenizer_of(self.tokenizer))
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
        flag("lower", self.lower)
        as_written = self.own_tokenizer is not None or self.tokenizer in _core.TOKENIZERS_AS_WRITTEN
        if not self.lower and not as_written:
            names = ", ".join(repr(name) for name in _core.TOKENIZERS_AS_WRITTEN)
            raise SettingError(
                f"lower=False: tokenizer={self.tokenizer!r} cannot leave letters as they are; "
                f"choose one of {names}"
            )
        self._check_extractor()

    def _check_extractor(self) -> None:
        numbers = self.core_tokenizer == "ids"
        if self.hash != "fast" and (numbers or self.extractor is not None):
            what = "an extractor" if self.extractor is not None else "token numbers"
            raise SettingError(f'hash={self.hash!r}: {what} can be hashed with hash="fast" only')
        if self.extractor is not None and not isinstance(self.extractor, FeatureKernel):
            raise SettingError(
                f"extractor={shown(self.extractor)}: expected a function that is decorated with "
                "dsir.kernel('features')"
            )

    def __repr__(self) -> str:
        """Return the call that makes these features; `lower` and `extractor` only if given."""
        shown_fields = [one.name for one in fields(self)]
        if self.lower:
            shown_fields.remove("lower")
        if self.extractor is None:
            shown_fields.remove("extractor")
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown_fields)
        return f"HashedNgrams({values})"

    @property
    def unicode_version(self) -> str:
        """Unicode version of the tokeniser's tables."""
        return _core.UNICODE_VERSION

    def describe(self) -> dict[str, int | str]:
        """Return everything the buckets depend on, as plain values."""
        described: dict[str, int | str] = {"n": self.n, "buckets": self.buckets, "hash": self.hash}
        if isinstance(self.tokenizer, OwnTokenizer):
            described |= self.tokenizer.describe()
        else:
            described["tokenizer"] = self.tokenizer
        if self.extractor is not None:
            described["extractor"] = self.extractor.name
            described["extractor_digest"] = self.extractor.digest
        if self.normalize is not None:
            described["normalize"] = self.normalize
        if not self.lower:
            described["lower"] = False
        if self.sentences != "none":
            described["sentences"] = self.sentences
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
            ModelError: the features need a tokenizer or kernel that this process has not made.
        """
        names = [field.name for field in fields(cls)]
        given = {name: described[name] for name in names if name in described}
        if is_described(described):
            given["tokenizer"] = described_tokenizer(described)
        if "extractor_digest" in described:
            named = (described[key] for key in ("extractor", "extractor_digest"))
            given["extractor"] = known((FeatureKernel,), FeatureKernel.kind, *named)
        features = cls(**given)
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
            lower=self.lower,
            tokenizer_kernel=0 if self.own_tokenizer is None else self.own_tokenizer.address,
            feature_kernel=0 if self.extractor is None else self.extractor.address,
            features_per_token=0 if self.extractor is None else self.extractor.features_per_token,
        )

    @property
    def own_tokenizer(self) -> OwnTokenizer | None:
        """The tokenizer, if it is not of the core."""
        return self.tokenizer if isinstance(self.tokenizer, OwnTokenizer) else None

    @property
    def core_tokenizer(self) -> str:
        """The tokeniser with which the core cuts `prepared` texts."""
        if isinstance(self.tokenizer, OwnTokenizer):
            return self.tokenizer.core_tokenizer
        return self.tokenizer if self.sentences == "none" else "split"

    @property
    def core_normalize(self) -> Normalize | None:
        """The form into which the core brings `prepared` texts."""
        own = self.own_tokenizer
        cut_by_core = own is None or bool(own.address)
        return self.normalize if cut_by_core and self.sentences == "none" else None

    def prepared(self, text: pa.Array) -> pa.Array:
        """Return texts ready for the core with `spec`: most often unchanged.

        Args:
            text: strings of any Arrow layout; or, where columns hold token numbers, what
                `dsir.corpus.token_ids` makes of them.

        Returns:
            The same array; with `sentences="punkt"` or a Python function, an array of words joined
            by spaces; with a vocabulary, of token numbers. Nulls are unchanged, and rows that are
            not UTF-8 become rows that the core refuses.

        Raises:
            SettingError: the rows are texts and the features of token numbers, or the reverse.
        """
        if token_ids.holds_ids(text):
            if self.core_tokenizer != "ids":
                raise SettingError(
                    f"text_encoding={token_ids.ENCODING!r}: the features are of texts that are cut "
                    f"by {self.tokenizer!r}, not of token numbers"
                )
            return token_ids.for_core(text)
        if self.tokenizer == "ids":
            # The core would take four bytes of a text for a number.
            raise SettingError(
                "tokenizer='ids': takes columns of token numbers, not texts; give "
                f"text_encoding={token_ids.ENCODING!r}"
            )
        if isinstance(self.tokenizer, OwnTokenizer):
            return self.tokenizer.prepared(text, self.normalize, lower=self.lower)
        return text if self.sentences == "none" else sentences.in_words(text, self.normalize)

    def attempt(self, text: pa.Array) -> None:
        """Make the features of texts and forget them.

        Raises:
            KernelError: a kernel or function of the caller fails on a text.
        """
        _core.count(self.prepared(text), self.spec, np.zeros(self.buckets, dtype=np.int64))

    def for_filters(self, text: pa.Array, prepared: pa.Array) -> tuple[pa.Array, str, str | None]:
        """Return the texts that quality filters measure, how the core cuts them, and the form.

        The filters know words. Of a tokenizer that is not of the core, they measure the words of
        "wordpunct".

        Args:
            text: the texts as they were read.
            prepared: what `prepared` made of them.
        """
        if self.own_tokenizer is not None:
            return text, "wordpunct", self.normalize
        return prepared, self.core_tokenizer, self.core_normalize

    def tokens(self, text: str) -> list[str]:
        """Return the lower-cased tokens of a text.

        Raises:
            RowError: the text has lone surrogates, which UTF-8 cannot hold.
        """
        utf8 = utf8_of(text)
        if self.sentences == "punkt":
            return sentences.punkt().words(utf8, self.normalize)
        if isinstance(self.tokenizer, OwnTokenizer):
            return self.tokenizer.tokens(text, self.normalize, lower=self.lower)
        if self.tokenizer == "ids":
            raise SettingError('tokenizer="ids": takes token numbers, not texts')
        return _core.tokens(utf8, self.tokenizer, self.normalize, self.lower)

    def ngrams(self, text: str) -> list[tuple[str, int]]:
        """Return every n-gram of a text with its bucket, in the order of their last tokens.

        Raises:
            RowError: the text has lone surrogates.
            SettingError: the features are made by an extractor, or of token numbers, and have no
                names.
        """
        if self.extractor is not None:
            raise SettingError(
                f"extractor={self.extractor.name}: the features of a kernel have no names, so "
                "there is no n-gram to explain; model.score has the log-weight of a text"
            )
        utf8 = utf8_of(text)
        if self.core_tokenizer == "ids":
            return self._ngrams_of_ids(text)
        if self.core_tokenizer == "split":
            utf8 = " ".join(self.tokens(text)).encode()
        return _core.named_ngrams(utf8, self.spec)

    def _ngrams_of_ids(self, text: str) -> list[tuple[str, int]]:
        """Name n-grams of a vocabulary by its tokens, which stand for their numbers."""
        names = self.tokens(text)
        [ids] = self.prepared(pa.array([text], pa.large_string())).view(pa.large_binary())
        named = _core.named_ngrams(ids.as_py(), self.spec)
        spans = [
            " ".join(names[last + 1 - length : last + 1])
            for last in range(len(names))
            for length in range(1, min(self.n, last + 1) + 1)
        ]
        return [(span, bucket) for span, (_, bucket) in zip(spans, named, strict=True)]

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
            KernelError: a kernel or function of the caller fails on a text.
        """
        counts = np.zeros(self.buckets, dtype=np.int64)
        for shard in resolve(texts, text=text, name="texts", encoding=text_encoding).shards:
            for batch in shard.text_batches(on_error="raise"):
                with naming_row(shard, batch, self.attempt):
                    *_, invalid = _core.count(self.prepared(batch.text), self.spec, counts)
                if len(invalid):
                    raise bad_text_error(shard.name, batch.unit_row, batch.text, int(invalid[0]))
        return counts


def _tokenizer_of(given: object) -> Tokenizer | OwnTokenizer:
    names = get_args(Tokenizer)
    if isinstance(given, str) and given in names:
        return cast("Tokenizer", given)
    return own_tokenizer_of(given, names)


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
