"""Types of the compiled core (cpp/bindings). Private: use the dsir package.

Arrays are taken as they are, without a conversion: a wrong dtype or a gap in memory is a TypeError.
Values out of range are a ValueError. Every call that computes releases the GIL.
"""

from collections.abc import Sequence
from typing import Final, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

_Real = TypeVar("_Real", np.float32, np.float64)

class _ArrowArray(Protocol):
    """Anything that hands over an Arrow array: pyarrow.Array, polars.Series, ..."""

    def __arrow_c_array__(self, requested_schema: object = None, /) -> tuple[object, object]: ...

class ArrowTypeError(TypeError):
    """The array is not text, or its structure is not what Arrow promises."""

# Text.

UNICODE_VERSION: Final[str]
"""The Unicode version of the tokenisers' tables. Part of the format of every model."""

TOKENIZERS: Final[tuple[str, ...]]
"""The names of the tokenizers of whole texts: what a user may choose."""

def tokens(utf8: str | bytes, tokenizer: str) -> list[str]:
    """Lower-cased tokens of a text, by the tokenizer of this name.

    `tokenizer` is one of TOKENIZERS, or "split", which cuts at spaces and does not lower-case.
    A name that no tokenizer has is a ValueError, and so is a text that is not UTF-8.
    """

def wordpunct_tokens(utf8: str | bytes) -> list[str]:
    """Lower-cased wordpunct tokens of a text."""

def word_tokens(utf8: str | bytes) -> list[str]:
    """Lower-cased words of a text, taken as one sentence, as NLTK's NLTKWordTokenizer cuts it."""

def lowered(utf8: str | bytes) -> str:
    """Lower-cased text, as str.lower() gives it with the tables of UNICODE_VERSION."""

def line_spans(data: Buffer) -> tuple[NDArray[np.int64], NDArray[np.int64], bool, int]:
    """Find lines: starts and ends of those not blank, whether all are {...}, how many there are."""

# Parquet.

def check_parquet_footer(footer: bytes, data_end: int) -> None:
    """Check that a footer does not contradict itself or the size of its file.

    The row groups have the file's rows, the columns of the schema, and a value for every row; the
    column chunks lie before `data_end`, where the footer begins, and do not overlap. Otherwise it
    is a ValueError.
    """

# JSON.

JSON_TEXT: Final[int]
"""Of a line: an object whose text field is a string."""
JSON_NULL: Final[int]
"""Of a line: an object whose text field, or one it would be in, is null."""
JSON_LOOK_AGAIN: Final[int]
"""Of a line: anything else, also what Python's json reads and RFC 8259 does not allow."""

def json_texts(
    data: Buffer, starts: NDArray[np.int64], ends: NDArray[np.int64], field: list[bytes]
) -> tuple[NDArray[np.int32] | NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]]:
    """Read the text field of lines that are JSON objects.

    Args:
        data: flat bytes.
        starts: where each line begins in them.
        ends: where it ends.
        field: the names that lead to the text, one or more.

    Returns:
        Offsets (one more than lines; int32 where the lines take less than 2 GiB), bytes of the
        texts, with room behind the last, and uint8, what each line is.
    """

# Hashing.

FAST_HASH_VERSION: Final[int]

CONTENT_HASH: Final[str]
"""The name of what content_hashes() computes. Part of the format of scores."""

def content_hashes(array: object, *, threads: int = 1) -> NDArray[np.uint64]:
    """64-bit hashes of texts, to tell them apart; that of no bytes where a text is null."""

def fast_token_hash(token: bytes) -> int:
    """64-bit hash of a token, given as lower-cased UTF-8 of at least one byte."""

def fast_extend_hash(shorter: int, token: int) -> int:
    """Hash of an n-gram from that of its (n-1)-gram and that of its last token."""

def fast_bucket(hash: int, buckets: int) -> int:  # noqa: A002
    """Bucket of a 64-bit hash."""

def sha256_bucket(ngram: bytes, buckets: int) -> int:
    """The SHA-256 digest as one integer, modulo the number of buckets: the reference's bucket."""

# N-grams.

MAX_ORDER: Final[int]
MIN_BUCKETS: Final[int]
MAX_BUCKETS: Final[int]
INVALID_UTF8: Final[int]
TOO_LONG: Final[int]
"""The status of a row that is not UTF-8; 0 is text, 1 is null."""

class FeatureSpec:
    """Which features a document has: the hashed n-grams of orders 1 to n."""

    def __init__(
        self,
        *,
        n: int,
        buckets: int,
        hash: Literal["fast", "sha256"],  # noqa: A002
        tokenizer: str = "wordpunct",
    ) -> None:
        """`tokenizer="split"` takes tokens that were made elsewhere and joined by spaces."""

class LogRatioTable:
    """log p_target - log p_raw of every target and bucket, in fixed point."""

    def __init__(self, log_ratio: NDArray[np.float64]) -> None:
        """Take float64[targets, buckets]."""

class Weighing:
    """How the sums of a document's log ratios, one a target, become its log-weights.

    alpha: they are divided by the number of n-grams to this power, 0 to 1. lengths: for the Poisson
    term, tokens a document of target and of raw, a pair a target; or none. shares: of the mixture
    that makes one log-weight of them; or none.
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
    """Add the n-grams of the rows to counts.

    Stops after the row that takes the number of added n-grams above the limit (negative: none).
    Returns rows, n-grams, rows with a token, tokens in these, and the rows that are not UTF-8.
    """

def score(
    array: _ArrowArray,
    spec: FeatureSpec,
    table: LogRatioTable,
    weighing: Weighing,
    *,
    threads: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint8]]:
    """(log_weight, tokens, bytes, status) of the rows; log_weight is [log-weights a row, rows]."""

def log_ratio(
    target: NDArray[np.int64], raw: NDArray[np.int64], smoothing: float
) -> NDArray[np.float64]:
    """Log ratio of the two distributions, per bucket. Neither may be empty."""

def named_ngrams(utf8: str | bytes, spec: FeatureSpec) -> list[tuple[str, int]]:
    """(n-gram, bucket) of every n-gram of a text, by its last token, shortest first."""

# Chunks.

def chunk(
    array: _ArrowArray,
    *,
    tokens: int,
    stride: int,
    tokenizer: str = "wordpunct",
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(row, start, length, invalid_rows): the windows of the rows, in bytes.

    A row without a token, and one that cannot be cut, has one window (row, 0, 0).
    """

def slice_texts(
    array: _ArrowArray,
    rows: NDArray[np.int64],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """(offsets, data, char_start, char_stop) of spans of the rows, which are UTF-8.

    The offsets are one more than the spans. The last two are code points in the row.
    """

# Quality.

REPEATED_ORDER: Final[int]
"""n of the n-grams that `repeated` is about."""

class StopWords:
    """A set of lower-cased tokens."""

    def __init__(self, words: Sequence[str]) -> None: ...

def quality(
    array: _ArrowArray,
    stop_words: StopWords,
    *,
    repeated: bool = False,
    tokenizer: str = "wordpunct",
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
    """Numbers of a row; 0 where it is null or bad.

    (tokens, most_frequent, informative, numbers, characters, alphanumeric, repeated, status);
    `repeated` has no entries unless asked for.
    """

# Sampling.

class KeySettings:
    """How the key of a document is made: log_weight / temperature, plus Gumbel noise."""

    def __init__(
        self, *, seed: int, target: int = 0, temperature: float = 1.0, noise: bool = True
    ) -> None: ...

class Rank:
    """The place of a document in the order of selection: its key, then the smaller row."""

    def __init__(self, key: int, not_row: int) -> None: ...
    @property
    def key(self) -> int: ...
    @property
    def not_row(self) -> int: ...

class Bracket:
    """Keys between which a budget is expected to run out, as integers in their order."""

    def __init__(self, least: int, above: int) -> None: ...
    @property
    def least(self) -> int: ...
    @property
    def above(self) -> int: ...

class ThresholdGuess:
    """Guesses where a budget runs out, from some of the documents."""

    def __init__(self, settings: KeySettings, budget: int, rows: int) -> None: ...
    def add(
        self,
        log_weight: NDArray[np.float64],
        eligible: NDArray[np.uint8] | None,
        first_row: int,
        *,
        cost: NDArray[np.uint32] | None = None,
    ) -> None:
        """Look at some of a run of consecutive documents."""

    def bracket(self) -> Bracket | None:
        """Return the guess, or None where what was seen does not tell."""

class ThresholdSearch:
    """Finds the rank down to which documents are selected, in bounded memory.

    Until done: add() every run of documents, in any order, then end_pass().
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
        """Take in a run of consecutive documents; no log-weight may be NaN.

        Without `eligible`, those are whose log-weight is above -inf.
        """

    def expect(self, bracket: Bracket) -> None:
        """Tell before the first pass where the budget may run out: it saves passes if right."""

    def end_pass(self) -> None:
        """Say that every run has been added once."""

    @property
    def done(self) -> bool: ...
    @property
    def selected(self) -> int:
        """Number of documents selected."""

    @property
    def cost(self) -> int:
        """Their cost."""

    @property
    def next_cost(self) -> int:
        """Cost of the best document left out; 0 when none is."""

    @property
    def threshold(self) -> Rank: ...
    @property
    def passes(self) -> int: ...

MOST_QUOTAS: Final[int]

class FirstSeen:
    """Tells which hashes have been seen before, of one part of all hashes.

    Parts divide them by their upper bits; `expected` is about how many of the part there are.
    """

    def __init__(self, part: int, parts: int, expected: int) -> None: ...
    def add(
        self,
        hashes: NDArray[np.uint64],
        eligible: NDArray[np.uint8],
        repeated: NDArray[np.uint8],
    ) -> None:
        """Set to 1 which eligible rows have a hash of the part that was seen before."""

    @property
    def size(self) -> int:
        """Different hashes of the part."""

class QuotaSearch:
    """Finds what is selected where groups have quotas, in bounded memory.

    Documents are taken by descending rank. A group is closed by the first that would take it above
    its quota; the end is the first of open groups that would take the cost above the budget. One
    pass after the other over all documents, until done. `quotas` has, by column, the room of every
    group, and whether that is in documents or in what they take of the budget.
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
        """Look at a run of consecutive documents; groups is [columns, documents]."""

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
        """Cost of the best document that the budget leaves out; 0 when none is."""

    @property
    def threshold(self) -> Rank: ...
    @property
    def passes(self) -> int: ...
    def outcome(
        self, column: int
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
        """Key and not_row of the closing ranks, documents taken, and room left, by group."""

def open_in(
    settings: KeySettings,
    keys: NDArray[np.uint64],
    not_rows: NDArray[np.uint64],
    log_weight: NDArray[np.float64],
    rows: NDArray[np.int64],
    codes: NDArray[np.uint32],
) -> NDArray[np.uint8]:
    """1 for each document whose group is open at its rank."""

class RisingBar:
    """Says of documents, while they go by, which may still be selected in the end. Thread-safe."""

    def __init__(self, settings: KeySettings, budget: int) -> None: ...
    def add(
        self,
        log_weight: NDArray[np.float64],
        eligible: NDArray[np.uint8] | None,
        first_row: int | None,
        *,
        cost: NDArray[np.uint32] | None = None,
    ) -> NDArray[np.int64]:
        """Take in a run of documents; positions of those that the bar lets through, ascending.

        With first_row None, of documents whose rows are not known: a few more are let through.
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
    """Positions in the run of the documents at or above the threshold."""

def keys(
    settings: KeySettings, log_weight: NDArray[np.float64], first_row: int
) -> NDArray[np.float64]:
    """The keys by which documents are selected."""

def keys_of_rows(
    settings: KeySettings, log_weight: NDArray[np.float64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The same, of documents by their global row numbers."""

def philox4x32(counter: Sequence[int], key: Sequence[int]) -> list[int]:
    """Philox 4x32-10 of a counter of four words under a key of two."""

# The bootstrap.

class BootstrapCounts:
    """N-gram counts of documents, and of replicates with Poisson(1) counts of the documents."""

    def __init__(
        self, spec: FeatureSpec, *, replicates: int, seed: int, source: int = 0
    ) -> None: ...
    def add(self, array: _ArrowArray, first_row: int, *, threads: int = 1) -> NDArray[np.int64]:
        """Add the n-grams of consecutive rows; the rows that are not UTF-8, which add nothing."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """A copy of the counts, every document once: int64[buckets]."""

    def replicate(self, number: int) -> NDArray[np.int64]:
        """The counts of a replicate: int64[buckets]."""

def bootstrap_weights(
    *, seed: int, source: int, first_row: int, rows: int, replicates: int
) -> NDArray[np.uint8]:
    """How often a document is in a replicate: uint8[rows, replicates], 0 to 12."""

# Graphs of text units.

class TermCounter:
    """Counts the terms of units; see cpp/graph/term_counter.hpp."""

    def __init__(self, *, words_only: bool, stopwords: Sequence[str], keep_rows: bool) -> None: ...
    def add(self, array: _ArrowArray, *, threads: int = 1) -> NDArray[np.int64]:
        """Add a unit for every row; the rows that are not UTF-8 or too long."""

    def add_tokens(
        self, array: _ArrowArray, offsets: NDArray[np.int64], *, threads: int = 1
    ) -> None:
        """Add units of the tokens that lie between offsets."""

    def add_terms(
        self,
        terms: bytes,
        offsets: NDArray[np.int64],
        document_counts: NDArray[np.int64],
        documents: int,
    ) -> None:
        """Add what `sorted_terms` gave."""

    def merge(self, other: TermCounter) -> None:
        """Add the terms and document counts of another."""

    def take(
        self, *, threads: int = 1
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
        """(offsets, columns, counts, document counts); the rows are handed over."""

    def document_counts_in(self, fitted: TermCounter) -> NDArray[np.int64]:
        """Document counts of another for the terms of this one, as `take` numbers them."""

    def documents_with(self, term: bytes) -> int:
        """In how many documents a term is."""

    def sorted_terms(self) -> tuple[bytes, NDArray[np.int64], NDArray[np.int64]]:
        """Terms in the order of their bytes, their offsets, and document counts."""

    @property
    def units(self) -> int: ...
    @property
    def documents(self) -> int:
        """Units with a term."""

    @property
    def size(self) -> int:
        """Different terms."""

def idf(document_counts: NDArray[np.int64], documents: int) -> NDArray[np.float64]:
    """log(documents / n) per term; log(documents + 1) if n is 0."""

def split_sentences(
    array: _ArrowArray,
) -> tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(bytes of all sentences, their offsets, offsets of rows among them, invalid rows)."""

class UnitRows:
    """Vectors of units."""

    @staticmethod
    def sparse(
        offsets: NDArray[np.int64],
        columns: NDArray[np.int32],
        values: NDArray[np.float32] | NDArray[np.float64],
        column_scale: NDArray[np.float64],
    ) -> UnitRows:
        """Compressed sparse rows; a value counts times the scale of its column."""

    @staticmethod
    def dense(values: NDArray[np.float32]) -> UnitRows: ...
    @property
    def size(self) -> int: ...
    @property
    def width(self) -> int: ...
    def negative_row(self) -> int:
        """The first row with a negative value, or -1."""

    def occupied(self) -> NDArray[np.uint8]:
        """1 for rows with an entry (dense: with one that is not zero)."""

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
    """Continuous LexRank: (scores, iterations, change, converged)."""

def cosine_degrees(units: UnitRows, *, threads: int = 1) -> NDArray[np.float64]:
    """Sums of each row's cosines with all rows."""

def cosines_with(units: UnitRows, row: int, *, threads: int = 1) -> NDArray[np.float64]:
    """Cosines of one row with all rows."""

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
    """(offsets, neighbours, cosines) of the graph; top_k 0 is by threshold alone."""

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
    """LexRank on a graph: (scores, iterations, change, converged)."""

def graph_degrees(
    offsets: NDArray[np.int64],
    neighbours: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Sums of the edges of each unit."""

# Graphs of labelled rows.

class AttentionGraph:
    """Whom nodes attend to, in compressed rows."""

    def __init__(self, offsets: NDArray[np.int64], neighbours: NDArray[np.int32]) -> None: ...
    @property
    def size(self) -> int: ...
    @property
    def edges(self) -> int: ...

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
    """(embeddings, logits, attention of the first layer, of the second), each flat."""

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
) -> tuple[float, NDArray[_Real]]:
    """The weighed cross-entropy, and its gradient with respect to the weights."""

def group_neighbours(
    rows: NDArray[np.float32],
    tables: Sequence[tuple[NDArray[np.int32], NDArray[np.int64]]],
    *,
    k: int,
    threshold: float,
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """(offsets, neighbours, cosines, shares); a table is (members, offsets) of its groups."""

def sign_codes(
    rows: NDArray[np.float32], planes: NDArray[np.float32], *, threads: int = 1
) -> NDArray[np.uint64]:
    """On which side of each of up to 64 planes every row is, a bit a plane."""

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
    """Rows nearest to the centres of k-means, part by part."""

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
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(prototypes, losses of the parts before and then after)."""

def judge_candidates(
    rows: NDArray[np.float32],
    labels: NDArray[np.int32],
    members: NDArray[np.int32],
    offsets: NDArray[np.int64],
    asked: NDArray[np.int32],
    *,
    classes: int,
    trees: int,
    steps: int,
    seed: int,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Shares right, [candidates, 3]: of the nearest neighbour, the forest, the linear model."""

def facility_location(
    offsets: NDArray[np.int64],
    served: NDArray[np.int32],
    values: NDArray[np.float32],
    group: NDArray[np.int32],
    wanted: Sequence[int],
    *,
    rows: int,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(candidates in the order they were taken, what each added)."""

# The machine.

def simd_level() -> Literal["scalar", "neon", "avx2", "avx512"]:
    """Width of the kernels in use."""

def has_sha256_instructions() -> bool:
    """Whether SHA-256 uses the CPU's instructions for it."""
