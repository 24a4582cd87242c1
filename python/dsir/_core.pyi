"""Types of the compiled core (cpp/bindings). Private: use the dsir package.

Arrays are not converted: a wrong dtype or a gap in memory is a TypeError. A value out of range is a
ValueError. Every call that computes releases the GIL.
"""

from collections.abc import Sequence
from typing import Final, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

_Real = TypeVar("_Real", np.float32, np.float64)

class _ArrowArray(Protocol):
    """Anything that exports an Arrow array: pyarrow.Array, polars.Series, ..."""

    def __arrow_c_array__(self, requested_schema: object = None, /) -> tuple[object, object]: ...

class ArrowTypeError(TypeError):
    """The array is not text, or its structure breaks Arrow's rules."""

# Text.

UNICODE_VERSION: Final[str]
"""The Unicode version of the tokenisers' tables. It is part of the format of every model."""

TOKENIZERS: Final[tuple[str, ...]]
"""The names of the tokenisers of whole texts, which users may choose."""

TOKENIZERS_AS_WRITTEN: Final[tuple[str, ...]]
"""The names of those that take `lower=False`."""

def tokens(
    utf8: str | bytes,
    tokenizer: str,
    normalize: str | None = None,
    lower: bool = True,
    kernel: int = 0,
) -> list[str]:
    """Return the tokens of a text, by the tokeniser of this name.

    `tokenizer` is one of TOKENIZERS, or "split", which cuts at spaces and does not lower-case.
    `normalize` is None, or "NFC" or "NFKC" for the tokens of the text in this form. With
    `lower=False` tokens are as they are written, except for "word_tokenize". A `kernel` other than
    0 is the address of a compiled tokenizer that cuts instead. An unknown name is a ValueError, and
    so is a text that is not UTF-8.
    """

def wordpunct_tokens(utf8: str | bytes) -> list[str]:
    """Return the lower-cased wordpunct tokens of a text."""

def word_tokens(utf8: str | bytes) -> list[str]:
    """Return the lower-cased words of one sentence, as NLTK's NLTKWordTokenizer cuts it."""

def normalized(utf8: str | bytes, normalize: str) -> str:
    """Return the text in the form "NFC" or "NFKC", by the tables of UNICODE_VERSION.

    A text that is not UTF-8, or longer than 2 GiB, is a ValueError.
    """

def lowered(utf8: str | bytes) -> str:
    """Return what str.lower() gives with the tables of UNICODE_VERSION."""

def line_spans(data: Buffer) -> tuple[NDArray[np.int64], NDArray[np.int64], bool, int]:
    """Find lines: return (starts, ends, whether all are {...}, number of lines).

    Blank lines count in the number, but have no start and end.
    """

# Parquet.

class ParquetFooter:
    """A footer that contradicts neither itself nor the size of its file.

    The row groups have the file's rows, the columns of the schema, and a value for every row; the
    column chunks lie before `data_end`, where the footer begins, and do not overlap. Otherwise it
    is a ValueError.
    """

    def __init__(self, footer: bytes, data_end: int) -> None: ...
    def chunks(
        self, group: int, columns: Sequence[int] | None = None
    ) -> list[tuple[int, int, int, bool, bool, int, int, int, int]]:
        """Return the column chunks of a row group, for some or all columns of the table.

        For each leaf of the schema in these columns: its number, physical type, bytes of a value of
        fixed length, whether it is in a list, whether it can be null, offset of its first page,
        values with nulls, codec, bytes of its pages in the file.
        """

def parquet_page_header(
    data: bytes,
) -> tuple[int, int, int, int, int, int, int, bool] | None:
    """Read the header of a page; None if it does not end within `data`.

    Returns the bytes of the header, the type of the page, its bytes decompressed and in the file,
    its values, and their encoding; for version 2, the bytes of levels before the values, and
    whether the values are compressed. A damaged header is a ValueError.
    """

def longest_parquet_value(page: Buffer, count: int) -> int:
    """Return the bytes of the longest of `count` values that are encoded plainly."""

def parquet_index_uses(page: Buffer, levels: int, distinct: int) -> int:
    """Return how often the index that is used most is used in a page of dictionary indices.

    `levels` is how many kinds of levels (version 1) the page begins with, `distinct` how many
    values the dictionary has. A damaged page is a ValueError.
    """

# JSON.

JSON_TEXT: Final[int]
"""The line is an object whose text field is a string."""
JSON_NULL: Final[int]
"""The line is an object whose text field, or an object on the path to it, is null."""
JSON_LOOK_AGAIN: Final[int]
"""The line is anything else, including what Python's json reads and RFC 8259 does not allow."""

def json_texts(
    data: Buffer, starts: NDArray[np.int64], ends: NDArray[np.int64], field: list[bytes]
) -> tuple[NDArray[np.int32] | NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]]:
    """Read the text field of lines that are JSON objects.

    Args:
        data: flat bytes.
        starts: position of each line's first byte in `data`.
        ends: position after each line's last byte.
        field: the names that lead to the text, one or more.

    Returns:
        Offsets (one more than lines; int32 if the lines take less than 2 GiB), the bytes of the
        texts, with unused bytes after the last text, and each line's JSON_... kind.
    """

# Hashing.

FAST_HASH_VERSION: Final[int]

CONTENT_HASH: Final[str]
"""The name of the hash that content_hashes() computes. It is part of the format of scores."""

def content_hashes(array: object, *, threads: int = 1) -> NDArray[np.uint64]:
    """Return 64-bit hashes that tell texts apart; null has the hash of an empty text."""

def fast_token_hash(token: bytes) -> int:
    """Return the 64-bit hash of a token, given as lower-cased UTF-8 of at least one byte."""

def fast_extend_hash(shorter: int, token: int) -> int:
    """Return the hash of an n-gram, from the hashes of its first n - 1 tokens and its last one."""

def fast_bucket(hash: int, buckets: int) -> int:  # noqa: A002
    """Return the bucket of a 64-bit hash."""

def sha256_bucket(ngram: bytes, buckets: int) -> int:
    """Return the reference's bucket: the SHA-256 as one integer, modulo the number of buckets."""

# N-grams.

MAX_ORDER: Final[int]
MIN_BUCKETS: Final[int]
MAX_BUCKETS: Final[int]
INVALID_UTF8: Final[int]
"""The status of a row that is not UTF-8; 0 is text, 1 is null."""
TOO_LONG: Final[int]
"""The status of a row of more bytes than a document may have."""

class FeatureSpec:
    """The features of a document: its hashed n-grams of orders 1 to n."""

    def __init__(
        self,
        *,
        n: int,
        buckets: int,
        hash: Literal["fast", "sha256"],  # noqa: A002
        tokenizer: str = "wordpunct",
        normalize: str | None = None,
        lower: bool = True,
        tokenizer_kernel: int = 0,
        feature_kernel: int = 0,
        features_per_token: int = 0,
    ) -> None:
        """`tokenizer="split"` is for tokens that were cut elsewhere and joined by spaces.

        "ids" is for numbers of tokens, four bytes each. The kernels are addresses, or 0 for none.
        """

class LogRatioTable:
    """log p_target - log p_raw for every target and bucket, in fixed point."""

    def __init__(self, log_ratio: NDArray[np.float64]) -> None:
        """Take float64[targets, buckets]."""

class Weighing:
    """How a document's sums of log ratios, one per target, become its log-weights.

    alpha: the sums are divided by (number of n-grams)^alpha, 0 to 1. lengths: for the Poisson term,
    the mean tokens per document of target and of raw, one pair per target; or none. shares: each
    target's share of the mixture that gives one log-weight; or none.
    """

    def __init__(
        self,
        *,
        targets: int = 1,
        alpha: float = 0.0,
        lengths: Sequence[tuple[float, float]] = (),
        shares: Sequence[float] = (),
    ) -> None: ...

def count(
    array: _ArrowArray,
    spec: FeatureSpec,
    counts: NDArray[np.int64],
    *,
    limit: int = -1,
    threads: int = 1,
) -> tuple[int, int, int, int, NDArray[np.int64]]:
    """Add the n-grams of the rows to `counts`.

    Stops after the row that takes the number of added n-grams above the limit (negative: no limit).
    Returns the numbers of rows, n-grams, rows with a token and tokens, and the rows that are not
    UTF-8.
    """

class Watching:
    """What a pass over `rows` texts makes of their tokens besides log-weights, for one pass.

    Attributes:
        ngrams: uint32[rows], as `NgramIndex.find` returns them; empty without an index.
        text: uint32[rows], the same.
        keys: uint64[bands, rows], as `band_keys` makes them; no rows without `bands`.
    """

    def __init__(
        self, rows: int, *, index: NgramIndex | None = None, most: int = 1, bands: bool = False
    ) -> None: ...
    @property
    def ngrams(self) -> NDArray[np.uint32]: ...
    @property
    def text(self) -> NDArray[np.uint32]: ...
    @property
    def keys(self) -> NDArray[np.uint64]: ...

def score(
    array: _ArrowArray,
    spec: FeatureSpec,
    table: LogRatioTable,
    weighing: Weighing,
    *,
    watching: Watching | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint8]]:
    """Return (log_weight, tokens, bytes, status); log_weight is [log-weights per row, rows].

    `watching` is filled in the same pass.
    """

class ScorePart:
    """One of several that score texts together."""

def score_part(spec: FeatureSpec, table: LogRatioTable, weighing: Weighing) -> ScorePart:
    """Return what `score_together` takes: `score` with all but its texts."""

def score_together(
    array: _ArrowArray,
    parts: Sequence[ScorePart],
    *,
    watching: Watching | None = None,
    threads: int = 1,
) -> tuple[list[NDArray[np.float64]], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint8]]:
    """Return (log_weights, tokens, bytes, status), with the log-weights of each part.

    The specs of all parts have the same tokens, which are cut once.
    """

def score_by_kernel(
    array: _ArrowArray,
    spec: FeatureSpec,
    kernel: int,
    log_ratio: NDArray[np.float64],
    *,
    watching: Watching | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint8]]:
    """Return what `score` does, by the scorer at an address, for float64[targets, buckets]."""

def log_ratio(
    target: NDArray[np.int64], raw: NDArray[np.int64], smoothing: float
) -> NDArray[np.float64]:
    """Return the log ratio of the two distributions, per bucket. Neither may be empty."""

def named_ngrams(utf8: str | bytes, spec: FeatureSpec) -> list[tuple[str, int]]:
    """Return (n-gram, bucket) for every n-gram of a text, by last token, shortest first."""

# Coverage.

LARGEST_RELEVANCE: float

def relevance(
    target: NDArray[np.int64], raw: NDArray[np.int64], prior: float
) -> NDArray[np.float64]:
    """Return log((p_target / p_raw + prior) / (1 + prior)) of every bucket."""

def raw_shares(raw: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of every bucket in raw, with half an n-gram in empty buckets."""

class LeftOneOut:
    """The relevance of documents of a target, each to the target without this document."""

    def __init__(self, target: NDArray[np.int64], raw: NDArray[np.int64], prior: float) -> None: ...
    def score(
        self, array: _ArrowArray, spec: FeatureSpec, *, threads: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
        """Return (relevance, tokens), both 0 for rows without a token."""

# Classifiers.

LARGEST_LINEAR_WEIGHT: float
MOST_TERM_COUNT: int

def term_lists(
    array: _ArrowArray,
    spec: FeatureSpec,
    positions: NDArray[np.int64],
    *,
    most: int,
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return (offsets, terms) of the rows at the positions: 256 times a bucket plus its count."""

def train_logistic(
    offsets: NDArray[np.int64],
    terms: NDArray[np.uint32],
    importance: NDArray[np.float32],
    *,
    buckets: int,
    passes: int,
    batch: int,
    rate: float,
    graded: bool = False,
    threads: int = 1,
) -> NDArray[np.float32]:
    """Return the weights of a logistic regression; a wanted document's importance is above 0.

    With `graded`, the importance is the probability to be met, 0 to 1; below 0 for none.
    """

class LinearTable:
    """Weights of hashed n-grams in fixed point."""

    def __init__(self, weights: NDArray[np.float32]) -> None:
        """Take float32[columns, buckets], at most LARGEST_LINEAR_WEIGHT in magnitude."""

    def score(
        self,
        array: _ArrowArray,
        spec: FeatureSpec,
        lines: Sequence[tuple[float, float]],
        weighing: Weighing,
        *,
        watching: Watching | None = None,
        threads: int = 1,
    ) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint8]]:
        """Return log_weight, tokens, bytes and status, as `score` of the module does."""

    def part(
        self, spec: FeatureSpec, lines: Sequence[tuple[float, float]], weighing: Weighing
    ) -> ScorePart:
        """Return what `score_together` takes: `score` with all but its texts."""

    def score_lists(
        self, offsets: NDArray[np.int64], terms: NDArray[np.uint32], *, threads: int = 1
    ) -> NDArray[np.float64]:
        """Return the scores of lists of terms; the table has one column."""

def platt(scores: NDArray[np.float64], wanted: NDArray[np.uint8]) -> tuple[float, float]:
    """Return (slope, intercept) of the log-odds by score, with both sides counting equally."""

def platt_graded(scores: NDArray[np.float64], grades: NDArray[np.float64]) -> tuple[float, float]:
    """Return the same for grades from 0 to 1, which are the probabilities to be met."""

# Models of fastText.

class FastTextScorer:
    """The scores of the labels of a supervised fastText model, one table entry per feature."""

    def __init__(
        self,
        *,
        words: NDArray[np.uint8],
        word_ends: NDArray[np.uint64],
        label_counts: NDArray[np.int64],
        kept_buckets: NDArray[np.int32] | None = None,
        table: NDArray[np.float32],
        output: NDArray[np.float32] | None = None,
        dim: int,
        word_ngrams: int,
        loss: int,
        bucket: int,
        minn: int,
        maxn: int,
    ) -> None:
        """A contradiction between the arguments is a ValueError."""

    @property
    def labels(self) -> list[bytes]:
        """The labels in the order of the file."""

    @property
    def settings(self) -> dict[str, int]:
        """The arguments that are numbers."""

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return copies of the arguments that are arrays."""

    def log_odds(self, array: _ArrowArray, label: int, *, threads: int = 1) -> NDArray[np.float64]:
        """Return the log-odds of a label; 0 for null. UTF-8 is not checked."""

    def explain(self, text: bytes, label: int) -> list[tuple[bytes, int, float]]:
        """Return (name, row, contribution) of each feature of a text, in order."""

class FastTextFile:
    """A supervised model file of fastText. Anything else is a ValueError."""

    def __init__(self, data: bytes) -> None: ...
    @property
    def scorer(self) -> FastTextScorer:
        """The scores of the labels. It keeps the file in memory."""

    def probabilities(
        self, array: _ArrowArray, *, threads: int = 1
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return (probabilities[rows, labels], status of each row), as fastText reports them."""

class Covering:
    """What each n-gram pays, by what is selected: min(wanted / (count + smoothing), largest)."""

    def __init__(
        self, wanted: NDArray[np.float64], smoothing: NDArray[np.float64], *, largest: float
    ) -> None:
        """Take float64[buckets] of each; nothing is selected."""

    def add(
        self,
        offsets: NDArray[np.int64],
        buckets: NDArray[np.uint32],
        wanted: NDArray[np.uint8],
    ) -> None:
        """Count the n-grams of the wanted documents as selected."""

    def gains(self) -> NDArray[np.float64]:
        """Return what each n-gram pays."""

    def mean_gains(
        self,
        offsets: NDArray[np.int64],
        buckets: NDArray[np.uint32],
        wanted: NDArray[np.uint8],
        *,
        threads: int = 1,
    ) -> NDArray[np.float64]:
        """Return the mean of what the n-grams of each wanted document pay; else 0."""

def bucket_lists(
    array: _ArrowArray, spec: FeatureSpec, positions: NDArray[np.int64], *, threads: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return (offsets, buckets): the buckets of every n-gram of the rows at the positions."""

def mean_entries(
    offsets: NDArray[np.int64],
    buckets: NDArray[np.uint32],
    table: LogRatioTable,
    wanted: NDArray[np.uint8],
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Return the mean of the table's entries over the n-grams of each wanted document; else 0."""

def add_counts(
    offsets: NDArray[np.int64],
    buckets: NDArray[np.uint32],
    wanted: NDArray[np.uint8],
    counts: NDArray[np.int64],
) -> None:
    """Add the n-grams of the wanted documents to counts."""

# Language models.

class KneserNey:
    """An interpolated Kneser-Ney model of trigrams over documents, which are numbers of tokens."""

    def __init__(
        self,
        offsets: NDArray[np.int64],
        tokens: NDArray[np.uint32],
        *,
        vocabulary: float,
        threads: int = 1,
    ) -> None: ...
    def log_probabilities(
        self, offsets: NDArray[np.int64], tokens: NDArray[np.uint32], *, threads: int = 1
    ) -> NDArray[np.float64]:
        """Return the natural logarithm of each document's probability."""

    @property
    def trigrams(self) -> int:
        """How many stretches of three tokens the training documents have."""

    @property
    def distinct_trigrams(self) -> int:
        """How many of these are different."""

# Chunks.

def chunk(
    array: _ArrowArray,
    *,
    tokens: int,
    stride: int,
    tokenizer: str = "wordpunct",
    normalize: str | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the windows of the rows: (row, start, length, invalid_rows), in bytes.

    A row without a token, or one that cannot be cut, has one window (row, 0, 0).
    """

def slice_texts(
    array: _ArrowArray,
    rows: NDArray[np.int64],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Return the texts of spans of the rows: (offsets, data, char_start, char_stop).

    The rows are UTF-8. There is one more offset than spans. char_start and char_stop count code
    points in the row.
    """

# Quality.

REPEATED_ORDER: Final[int]
"""The n of the n-grams that `repeated` counts."""

class StopWords:
    """A set of lower-cased tokens."""

    def __init__(self, words: Sequence[str]) -> None: ...

def quality(
    array: _ArrowArray,
    stop_words: StopWords,
    *,
    repeated: bool = False,
    tokenizer: str = "wordpunct",
    normalize: str | None = None,
    threads: int = 1,
) -> tuple[
    NDArray[np.uint32],
    NDArray[np.uint32],
    NDArray[np.uint32],
    NDArray[np.uint32],
    NDArray[np.uint32],
    NDArray[np.uint32],
    NDArray[np.uint32],
    NDArray[np.uint8],
]:
    """Return what quality filters measure, per row; 0 for null and bad rows.

    (tokens, most_frequent, informative, numbers, characters, alphanumeric, repeated, status);
    `repeated` is empty unless asked for.
    """

# Contamination.

MAX_CONTAMINATION_ORDER: int
MOST_CONTAMINATION_HITS: int

class NgramIndex:
    """The n-grams of texts, runs of n tokens, by the tokens of features."""

    def __init__(self, texts: _ArrowArray, spec: FeatureSpec, n: int) -> None: ...
    def __len__(self) -> int:
        """Return the number of different n-grams."""

    def lengths(self) -> NDArray[np.uint32]:
        """Return the number of tokens of each text; 0 for null and what is not UTF-8."""

    def find(
        self, array: _ArrowArray, *, most: int, threads: int = 1
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Return (ngrams, text) of the rows, as `dsir.model.estimator.SharedNgrams` has them."""

# Near duplicates.

MINHASH: str
MINHASH_BANDS: int
MINHASH_ROWS: int
MINHASH_ORDER: int

def band_keys(array: _ArrowArray, spec: FeatureSpec, *, threads: int = 1) -> NDArray[np.uint64]:
    """Return uint64[bands, rows]: texts that share the key of a band are near duplicates.

    All keys of a text without tokens, or that is null or not UTF-8, are 0.
    """

# Sampling.

class KeySettings:
    """How the key of a document is made: log_weight / temperature, plus Gumbel noise."""

    def __init__(
        self, *, seed: int, target: int = 0, temperature: float = 1.0, noise: bool = True
    ) -> None: ...

class Rank:
    """A document's place in the order of selection: by key, then the smaller row first."""

    def __init__(self, key: int, not_row: int) -> None: ...
    @property
    def key(self) -> int: ...
    @property
    def not_row(self) -> int: ...

class Bracket:
    """Keys between which the budget is expected to run out, as integers in the order of keys."""

    def __init__(self, least: int, above: int) -> None: ...
    @property
    def least(self) -> int: ...
    @property
    def above(self) -> int: ...

class ThresholdGuess:
    """Guesses the key at which a budget runs out, from a sample of the documents."""

    def __init__(self, settings: KeySettings, budget: int, rows: int) -> None: ...
    def add(
        self,
        log_weight: NDArray[np.float64],
        eligible: NDArray[np.uint8] | None,
        first_row: int,
        *,
        cost: NDArray[np.uint32] | None = None,
    ) -> None:
        """Sample a run of consecutive documents."""

    def bracket(self) -> Bracket | None:
        """Return the guess, or None if the sample does not allow one."""

class ThresholdSearch:
    """Finds the last rank that is selected, in bounded memory.

    Until `done`, add() every run of documents, in any order, and then call end_pass().
    """

    def __init__(self, settings: KeySettings, budget: int, *, capacity: int = 262144) -> None: ...
    def add(
        self,
        log_weight: NDArray[np.float64],
        eligible: NDArray[np.uint8] | None,
        first_row: int,
        *,
        cost: NDArray[np.uint32] | None = None,
        threads: int = 1,
    ) -> None:
        """Add a run of consecutive documents; no log-weight may be NaN.

        Without `eligible`, documents with a log-weight above -inf are eligible.
        """

    def expect(self, bracket: Bracket) -> None:
        """Set, before the first pass, where the budget may run out; saves passes if right."""

    def end_pass(self) -> None:
        """Say that every run has been added once."""

    @property
    def done(self) -> bool: ...
    @property
    def selected(self) -> int:
        """Number of documents selected."""

    @property
    def cost(self) -> int:
        """Cost of the selected documents."""

    @property
    def next_cost(self) -> int:
        """Cost of the best document that is left out; 0 if none is."""

    @property
    def threshold(self) -> Rank: ...
    @property
    def passes(self) -> int: ...

MOST_QUOTAS: Final[int]

class FirstSeen:
    """Finds hashes that occurred before, for one part of all hashes.

    The upper bits of a hash decide its part. `expected` is roughly the number of different hashes
    of the part.
    """

    def __init__(self, part: int, parts: int, expected: int) -> None: ...
    def add(
        self,
        hashes: NDArray[np.uint64],
        eligible: NDArray[np.uint8],
        repeated: NDArray[np.uint8],
    ) -> None:
        """Set `repeated` to 1 for eligible rows whose hash is of this part and occurred before."""

    @property
    def size(self) -> int:
        """Number of different hashes of the part."""

class QuotaSearch:
    """Finds the documents to select when groups have quotas, in bounded memory.

    Documents are taken by descending rank. A group closes at the first document that would take it
    above its quota. The selection ends at the first document of open groups that would take the
    cost above the budget. Make one pass after another over all documents until `done`. `quotas`
    has, for each column, every group's room and whether it counts documents (or else their cost).
    """

    def __init__(
        self,
        settings: KeySettings,
        budget: int,
        quotas: Sequence[tuple[NDArray[np.uint64], bool]],
        *,
        capacity: int = 1 << 20,
    ) -> None: ...
    def add(
        self,
        log_weight: NDArray[np.float64],
        eligible: NDArray[np.uint8],
        first_row: int,
        groups: NDArray[np.uint32],
        *,
        cost: NDArray[np.uint32] | None = None,
        threads: int = 1,
    ) -> None:
        """Add a run of consecutive documents; groups is [columns, documents]."""

    def end_pass(self) -> None:
        """Say that every run has been added once."""

    @property
    def done(self) -> bool: ...
    @property
    def selected(self) -> int: ...
    @property
    def cost(self) -> int: ...
    @property
    def next_cost(self) -> int:
        """Cost of the best document that the budget leaves out; 0 if none is."""

    @property
    def threshold(self) -> Rank: ...
    @property
    def passes(self) -> int: ...
    def outcome(
        self, column: int
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
        """Return, by group, key and not_row of the closing rank, documents taken, and room left."""

def open_in(
    settings: KeySettings,
    keys: NDArray[np.uint64],
    not_rows: NDArray[np.uint64],
    log_weight: NDArray[np.float64],
    rows: NDArray[np.int64],
    codes: NDArray[np.uint32],
) -> NDArray[np.uint8]:
    """Return 1 for each document whose group is open at its rank, else 0."""

class RisingBar:
    """Tells, as documents pass by once, which may still be selected in the end. Thread-safe."""

    def __init__(self, settings: KeySettings, budget: int) -> None: ...
    def add(
        self,
        log_weight: NDArray[np.float64],
        eligible: NDArray[np.uint8] | None,
        first_row: int | None,
        *,
        cost: NDArray[np.uint32] | None = None,
    ) -> NDArray[np.int64]:
        """Add a run of documents; return the positions of those that pass the bar, ascending.

        If first_row is None, the row numbers are unknown, and a few more documents pass.
        """

    def seen(self) -> tuple[int, NDArray[np.uint64]]:
        """Return the first bin from the bar up that has documents, and the costs from there on.

        Costs that `add_seen` has added are not among them.
        """

    def add_seen(self, first_bin: int, costs: NDArray[np.uint64]) -> None:
        """Raise the bar by documents that bars of other processes have seen.

        Raises:
            ValueError: there are no such bins.
        """

def selected_positions(
    settings: KeySettings,
    threshold: Rank,
    log_weight: NDArray[np.float64],
    eligible: NDArray[np.uint8] | None,
    first_row: int,
    *,
    threads: int = 1,
) -> NDArray[np.int64]:
    """Return the positions, within the run, of the documents at or above the threshold."""

def keys(
    settings: KeySettings, log_weight: NDArray[np.float64], first_row: int
) -> NDArray[np.float64]:
    """Return the keys that documents are selected by."""

def keys_of_rows(
    settings: KeySettings, log_weight: NDArray[np.float64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the same keys, for documents given by their global row numbers."""

def philox4x32(counter: Sequence[int], key: Sequence[int]) -> list[int]:
    """Return Philox 4x32-10 of a counter of four words under a key of two words."""

# The bootstrap.

class BootstrapCounts:
    """N-gram counts of documents, and of replicates in which documents count Poisson(1) times."""

    def __init__(
        self, spec: FeatureSpec, *, replicates: int, seed: int, source: int = 0
    ) -> None: ...
    def add(self, array: _ArrowArray, first_row: int, *, threads: int = 1) -> NDArray[np.int64]:
        """Add the n-grams of consecutive rows; return the rows that are not UTF-8, not added."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """A copy of the counts with every document counted once: int64[buckets]."""

    def replicate(self, number: int) -> NDArray[np.int64]:
        """Return the counts of a replicate: int64[buckets]."""

def bootstrap_weights(
    *, seed: int, source: int, first_row: int, rows: int, replicates: int
) -> NDArray[np.uint8]:
    """Return how often each document is in each replicate: uint8[rows, replicates], 0 to 12."""

# Graphs of text units.

class TokenNumbers:
    """The wordpunct tokens of texts in order, as numbers; see cpp/lexrank/token_numbers.hpp."""

    def __init__(self) -> None: ...
    def add(self, array: _ArrowArray) -> None:
        """Add one text per row; null rows and rows that are not UTF-8 have no tokens."""

    def take(self) -> tuple[NDArray[np.int64], NDArray[np.int32], bytes, NDArray[np.int64]]:
        """Return (offsets, numbers) of the texts, and the tokens as UTF-8 with their offsets."""

def shared_pairs(
    offsets: NDArray[np.int64], terms: NDArray[np.int32], *, least: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (offsets, pairs) of rows, and the number of rows that have each pair.

    Pairs are two terms in a row that at least `least` rows have; if there are none, all pairs.
    Terms are 1 or more. A row of a single term has the pair of 0 and that term.
    """

class TermCounter:
    """Counts the terms of units; see cpp/lexrank/term_counter.hpp."""

    def __init__(self, *, words_only: bool, stopwords: Sequence[str], keep_rows: bool) -> None: ...
    def add(self, array: _ArrowArray, *, threads: int = 1) -> NDArray[np.int64]:
        """Add one unit per row; return the rows that are not UTF-8 or are too long."""

    def add_tokens(
        self, array: _ArrowArray, offsets: NDArray[np.int64], *, threads: int = 1
    ) -> None:
        """Add units as tokens: unit r has the tokens from offsets[r] to offsets[r + 1] - 1."""

    def add_terms(
        self,
        terms: bytes,
        offsets: NDArray[np.int64],
        document_counts: NDArray[np.int64],
        documents: int,
    ) -> None:
        """Add what `sorted_terms` returned."""

    def merge(self, other: TermCounter) -> None:
        """Add the terms and document counts of another counter."""

    def take(
        self, *, threads: int = 1
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
        """Return (offsets, columns, counts, document counts); the counter loses its rows."""

    def document_counts_in(self, fitted: TermCounter) -> NDArray[np.int64]:
        """Return `fitted`'s document counts for this counter's terms, as `take` numbers them."""

    def documents_with(self, term: bytes) -> int:
        """Return the number of documents that have a term."""

    def sorted_terms(self) -> tuple[bytes, NDArray[np.int64], NDArray[np.int64]]:
        """Return the terms in the order of their bytes, their offsets, and document counts."""

    @property
    def units(self) -> int: ...
    @property
    def documents(self) -> int:
        """Number of units with at least one term."""

    @property
    def size(self) -> int:
        """Number of different terms."""

def idf(document_counts: NDArray[np.int64], documents: int) -> NDArray[np.float64]:
    """Return log(documents / n) for each term's count n; log(documents + 1) if n is 0."""

def split_sentences(
    array: _ArrowArray,
) -> tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (bytes of all sentences, their offsets, the rows' offsets in them, invalid rows)."""

class UnitRows:
    """Vectors of units."""

    @staticmethod
    def sparse(
        offsets: NDArray[np.int64],
        columns: NDArray[np.int32],
        values: NDArray[np.float32] | NDArray[np.float64],
        column_scale: NDArray[np.float64],
    ) -> UnitRows:
        """Take compressed sparse rows; each value is multiplied by the scale of its column."""

    @staticmethod
    def dense(values: NDArray[np.float32]) -> UnitRows: ...
    @property
    def size(self) -> int: ...
    @property
    def width(self) -> int: ...
    def negative_row(self) -> int:
        """Return the first row with a negative value, or -1."""

    def occupied(self) -> NDArray[np.uint8]:
        """Return 1 for rows with an entry (dense: an entry other than 0), else 0."""

def walk_cosines(
    units: UnitRows,
    *,
    damping: float,
    tolerance: float,
    max_iterations: int,
    teleport: NDArray[np.float64] | None = None,
    takes_part: NDArray[np.uint8] | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.float64], int, float, bool]:
    """Return continuous LexRank: (scores, iterations, change, converged)."""

def cosine_degrees(units: UnitRows, *, threads: int = 1) -> NDArray[np.float64]:
    """Return the sum of each row's cosines with all rows."""

def directed_degrees(
    units: UnitRows, documents: NDArray[np.int64], *, preceding: float, threads: int = 1
) -> NDArray[np.float64]:
    """Return the sums of cosines weighted by direction; see cpp/lexrank/centrality.hpp."""

def cosines_with(units: UnitRows, row: int, *, threads: int = 1) -> NDArray[np.float64]:
    """Return the cosines of one row with all rows."""

def similarity_join(
    units: UnitRows,
    *,
    threshold: float,
    strict: bool = False,
    self_edges: bool = True,
    weights: bool = True,
    top_k: int = 0,
    threads: int = 1,
    block_rows: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64] | None]:
    """Return the graph (offsets, neighbours, cosines); with top_k 0, only the threshold counts."""

def walk_graph(
    offsets: NDArray[np.int64],
    neighbours: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    *,
    damping: float,
    tolerance: float,
    max_iterations: int,
    teleport: NDArray[np.float64] | None = None,
    takes_part: NDArray[np.uint8] | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.float64], int, float, bool]:
    """Return LexRank on a graph: (scores, iterations, change, converged)."""

def graph_degrees(
    offsets: NDArray[np.int64],
    neighbours: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Return the sum of each unit's edges."""

# Graphs of labelled rows.

class AttentionGraph:
    """The nodes that each node attends to, in compressed rows."""

    def __init__(self, offsets: NDArray[np.int64], neighbours: NDArray[np.int32]) -> None: ...
    @property
    def size(self) -> int: ...
    @property
    def edges(self) -> int: ...

class NetworkMemory:
    """Memory of network_gradient, for callers that take many steps; it changes only the time."""

    def __init__(self) -> None: ...

def both_ways(
    offsets: NDArray[np.int64], neighbours: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return (offsets, neighbours) with every edge both ways, and a loop at each row."""

def run_network(
    graph: AttentionGraph,
    features: NDArray[_Real],
    weights: NDArray[_Real],
    *,
    heads: int,
    hidden: int,
    classes: int,
    threads: int = 1,
) -> tuple[NDArray[_Real], NDArray[_Real], NDArray[_Real], NDArray[_Real]]:
    """Return (embeddings, logits, attention of the first layer, of the second), each flat."""

def node_logits(
    graph: AttentionGraph,
    nodes: NDArray[np.int32],
    features: NDArray[_Real],
    weights: NDArray[_Real],
    *,
    heads: int,
    hidden: int,
    classes: int,
    threads: int = 1,
) -> NDArray[_Real]:
    """Return the logits of some nodes, flat: those of run_network, for less work."""

def network_gradient(
    graph: AttentionGraph,
    features: NDArray[_Real],
    labels: NDArray[np.int32],
    node_weights: NDArray[_Real],
    weights: NDArray[_Real],
    *,
    heads: int,
    hidden: int,
    classes: int,
    edge_dropout: float = 0.0,
    hidden_dropout: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    memory: NetworkMemory | None = None,
) -> tuple[float, NDArray[_Real]]:
    """Return the weighted cross-entropy, and its gradient with respect to the weights."""

def group_neighbours(
    rows: NDArray[np.float32],
    tables: Sequence[tuple[NDArray[np.int32], NDArray[np.int64]]],
    *,
    k: int,
    threshold: float,
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Return (offsets, neighbours, cosines, shares); a table is (members, offsets) of groups."""

def sign_codes(
    rows: NDArray[np.float32], planes: NDArray[np.float32], *, threads: int = 1
) -> NDArray[np.uint64]:
    """Return on which side of each of up to 64 planes a row is, one bit per plane."""

def cluster_prototypes(
    rows: NDArray[np.float32],
    members: NDArray[np.int32],
    offsets: NDArray[np.int64],
    wanted: NDArray[np.int64],
    *,
    iterations: int,
    seed: int,
    threads: int = 1,
) -> NDArray[np.int32]:
    """Return the rows nearest to the centres of k-means, part by part."""

def nearest_chosen(
    rows: NDArray[np.float32],
    members: NDArray[np.int32],
    offsets: NDArray[np.int64],
    chosen: NDArray[np.int32],
    ends: NDArray[np.int64],
    *,
    threads: int = 1,
) -> NDArray[np.int32]:
    """Return for each of `members` the nearest of its part's chosen rows, by row number.

    Part g has members[offsets[g]:offsets[g + 1]] and chosen[ends[g]:ends[g + 1]], at least one.
    """

class NearRows:
    """For each row of each part the rows that are near to it, for `exchange_prototypes`."""

    def __init__(
        self,
        rows: NDArray[np.float32],
        labels: NDArray[np.int32],
        members: NDArray[np.int32],
        offsets: NDArray[np.int64],
        starts: list[tuple[NDArray[np.int32], NDArray[np.int64]]],
        *,
        most: int,
        threads: int = 1,
    ) -> None:
        """Find them for searches that start from prototypes and ends; none if more than `most`."""

    @property
    def entries(self) -> int:
        """How many near rows all lists have; 0 if there are no lists."""

def exchange_prototypes(
    rows: NDArray[np.float32],
    labels: NDArray[np.int32],
    allowed: NDArray[np.uint8],
    members: NDArray[np.int32],
    offsets: NDArray[np.int64],
    prototypes: NDArray[np.int32],
    ends: NDArray[np.int64],
    *,
    passes: float,
    sharpness: float,
    local: float,
    seed: int,
    threads: int = 1,
    near: NearRows | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return (prototypes, losses of the parts before and then after)."""

def judge_candidates(
    rows: NDArray[np.float32],
    labels: NDArray[np.int32],
    members: NDArray[np.int32],
    offsets: NDArray[np.int64],
    asked: NDArray[np.int32],
    *,
    weights: NDArray[np.int32] | None = None,
    classes: int,
    trees: int,
    steps: int,
    seed: int,
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return what a nearest neighbour, a forest and a linear model make of the rows asked.

    The first array, [candidates, 3, classes, 3], counts the rows of each class, the rows that the
    judge gives to it, and those that it gives to it rightly; the second, [candidates, 3], is the
    log loss. `weights`, one for each member, say how many rows a member stands for.
    """

def shortest_paths(
    offsets: NDArray[np.int64],
    ends: NDArray[np.int32],
    lengths: NDArray[np.float32],
    *,
    source: int,
) -> NDArray[np.float32]:
    """Return the length of the shortest path from a row to each row; infinite if there is none."""

def landmark_coordinates(
    squared: NDArray[np.float32], landmarks: NDArray[np.int32], *, most: int, threads: int = 1
) -> NDArray[np.float32]:
    """Return coordinates [rows, at most `most`] by squared distances [landmarks, rows]."""

def facility_location(
    offsets: NDArray[np.int64],
    served: NDArray[np.int32],
    values: NDArray[np.float32],
    group: NDArray[np.int32],
    wanted: Sequence[int],
    *,
    rows: int,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return (candidates in the order in which they were chosen, what each added)."""

def column_coverage(
    offsets: NDArray[np.int64],
    columns: NDArray[np.int32],
    labels: NDArray[np.int32],
    priority: NDArray[np.int32],
    wanted: Sequence[int],
    *,
    width: int,
    threads: int = 1,
) -> NDArray[np.int32]:
    """Return rows that together have the columns which tell their class, class after class."""

def judged_exchanges(
    offsets: NDArray[np.int64],
    columns: NDArray[np.int32],
    values: NDArray[np.float32],
    labels: NDArray[np.int32],
    members: NDArray[np.int32],
    kept: NDArray[np.int32],
    *,
    width: int,
    classes: int,
    tries: int,
    most_exchanged: int,
    metric: Literal["accuracy", "balanced_accuracy", "f1_macro"],
    seed: int,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Exchange rows kept while judges do better on the other members.

    Returns (rows kept, tallies [before and after, judges, classes, 3]); the judges are naive Bayes,
    ridge regression and 1-NN, and a tally is that of `Verdicts`.
    """

# The machine.

def simd_level() -> Literal["scalar", "neon", "avx2", "avx512"]:
    """Return the width of the kernels in use."""

def release_free_memory() -> None:
    """Give memory that was freed back to the system, where the C library can."""

def has_sha256_instructions() -> bool:
    """Whether SHA-256 runs on the CPU's own instructions for it."""
