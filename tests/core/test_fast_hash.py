"""The hash named "fast" is a file format: its values are pinned, and written down a second time."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsir import _core

GOLDEN = Path(__file__).parents[1] / "data" / "fast_hash_v1.json"

MASK = (1 << 64) - 1
# The fractional parts of the square roots of 2, 3, 5, 7 and 11, made odd.
ROOT2, ROOT3, ROOT5, ROOT7, ROOT11 = (
    0x6A09E667F3BCC909,
    0xBB67AE8584CAA73B,
    0x3C6EF372FE94F82B,
    0xA54FF53A5F1D36F1,
    0x510E527FADE682D1,
)


def fold(a: int, b: int) -> int:
    """Both halves of the 128-bit product, folded."""
    product = a * b
    return (product & MASK) ^ (product >> 64)


def token_hash(token: bytes) -> int:
    """Hash of a token: sixteen bytes a step, the last sixteen (or first and last eight) at the end.

    A token of up to eight bytes is one word, with zeros behind it.
    """
    word = [int.from_bytes(token[at : at + 8], "little") for at in range(len(token))]
    state = len(token)
    if len(token) <= 8:
        low, high = word[0], 0
    elif len(token) <= 16:
        low, high = word[0], word[-8]
    else:
        for at in range(0, len(token) - 16, 16):
            state = fold(word[at] ^ ROOT2 ^ state, word[at + 8] ^ ROOT3)
        low, high = word[-16], word[-8]
    return fold(fold(low ^ ROOT2, high ^ ROOT3) ^ state, ROOT5)


def extend_hash(shorter: int, token: int) -> int:
    """Hash of an n-gram from its (n-1)-gram and its last token."""
    return fold(shorter ^ ROOT7, token ^ ROOT11)


def ngram_hash(tokens: list[bytes]) -> int:
    """Hash of an n-gram from its tokens."""
    value = token_hash(tokens[0])
    for token in tokens[1:]:
        value = extend_hash(value, token_hash(token))
    return value


def bucket_of(value: int, buckets: int) -> int:
    """The hash as a fraction of 2^64, times the number of buckets."""
    return value * buckets >> 64


def test_constants_are_square_roots():
    for prime, root in zip((2, 3, 5, 7, 11), (ROOT2, ROOT3, ROOT5, ROOT7, ROOT11), strict=True):
        low, high = 0, 4 << 64
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle**2 <= prime << 128 else (low, middle)
        assert root == (low & MASK) | 1


def pattern(length: int) -> bytes:
    return bytes((7 * i + length) % 256 for i in range(length))


def golden_vectors() -> dict[str, object]:
    """The content of the golden file, from the Python implementation above."""
    lengths = [*range(1, 36), 47, 48, 49, 63, 64, 65, 100, 1000]
    words = ["a", "the", "alice", "queen", "ﬁn", "日本語", "straße", "i̇", "antidisestablishment"]
    ngrams = [["alice"], ["alice", "went"], ["a", "a", "a"], ["to", "be", "or", "not", "to"], words]
    combined = 0
    for length in lengths:
        combined = extend_hash(combined, token_hash(pattern(length)))
    return {
        "version": 1,
        "pattern": "byte i of a token of L bytes is (7 i + L) mod 256",
        "tokens": {str(length): f"{token_hash(pattern(length)):016x}" for length in lengths},
        "combined": f"{combined:016x}",
        "words": {word: f"{token_hash(word.encode()):016x}" for word in words},
        "ngrams": [
            {
                "tokens": tokens,
                "hash": f"{ngram_hash([token.encode() for token in tokens]):016x}",
                "buckets": {
                    str(buckets): bucket_of(
                        ngram_hash([token.encode() for token in tokens]), buckets
                    )
                    for buckets in (2, 10_000, 1 << 24)
                },
            }
            for tokens in ngrams
        ],
    }


def core_token_hash(token: bytes) -> int:
    return _core.fast_token_hash(token)


def test_version():
    assert json.loads(GOLDEN.read_text(encoding="utf-8"))["version"] == _core.FAST_HASH_VERSION


def test_golden_file_is_the_python_implementation():
    assert json.loads(GOLDEN.read_text(encoding="utf-8")) == golden_vectors()


def test_golden_vectors():
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert len(golden["tokens"]) == 43
    combined = 0
    for length, value in golden["tokens"].items():
        found = core_token_hash(pattern(int(length)))
        assert f"{found:016x}" == value
        combined = _core.fast_extend_hash(combined, found)
    assert f"{combined:016x}" == golden["combined"]
    for word, value in golden["words"].items():
        assert f"{core_token_hash(word.encode()):016x}" == value
    for ngram in golden["ngrams"]:
        first, *others = (core_token_hash(token.encode()) for token in ngram["tokens"])
        for token in others:
            first = _core.fast_extend_hash(first, token)
        assert f"{first:016x}" == ngram["hash"]
        for buckets, bucket in ngram["buckets"].items():
            assert _core.fast_bucket(first, int(buckets)) == bucket


@given(st.binary(min_size=1, max_size=80))
def test_token_hash(token):
    assert core_token_hash(token) == token_hash(token)


@given(st.integers(0, MASK), st.integers(0, MASK), st.integers(2, 1 << 24))
def test_extension_and_bucket(shorter, token, buckets):
    assert _core.fast_extend_hash(shorter, token) == extend_hash(shorter, token)
    assert _core.fast_bucket(shorter, buckets) == bucket_of(shorter, buckets)


@given(st.text(max_size=60), st.integers(1, 8), st.integers(2, 1 << 24))
def test_buckets_of_named_ngrams(text, n, buckets):
    tokens = [token.encode() for token in _core.wordpunct_tokens(text)]
    expected = [
        (b" ".join(gram).decode(), bucket_of(ngram_hash(gram), buckets))
        for end in range(1, len(tokens) + 1)
        for gram in (tokens[end - i : end] for i in range(1, min(n, end) + 1))
    ]
    spec = _core.FeatureSpec(n=n, buckets=buckets, hash="fast")
    assert _core.named_ngrams(text, spec) == expected


def test_no_token_is_an_error():
    with pytest.raises(ValueError, match="at least one byte"):
        _core.fast_token_hash(b"")


VOCABULARY = [
    f"{stem}{ending}".encode()
    for stem in (a + b + c for a in "bcdfghklmnprst" for b in "aeiou" for c in "bdgklmnprstxz")
    for ending in ("", "s", "ed", "ing", "er", "ly", "ation", "ability", "123", "-")
]


@pytest.mark.parametrize("buckets", [64, 100, 1000])
@pytest.mark.parametrize("order", [1, 2])
def test_buckets_are_uniform(buckets, order):
    """Chi-square over the buckets of a vocabulary of similar words, and of its pairs."""
    hashes = [core_token_hash(word) for word in VOCABULARY]
    if order == 2:
        hashes = [_core.fast_extend_hash(a, b) for a in hashes[:100] for b in hashes[:200]]
    counts = np.bincount([_core.fast_bucket(h, buckets) for h in hashes], minlength=buckets)
    expected = len(hashes) / buckets
    statistic = float(((counts - expected) ** 2).sum() / expected)
    # Mean buckets - 1, variance 2 (buckets - 1): within five standard deviations, either way.
    assert abs(statistic - (buckets - 1)) < 5 * (2 * (buckets - 1)) ** 0.5


def test_hashes_are_distinct():
    assert len({core_token_hash(word) for word in VOCABULARY}) == len(set(VOCABULARY))


if __name__ == "__main__":  # python tests/core/test_fast_hash.py: prints the golden file
    json.dump(golden_vectors(), sys.stdout, ensure_ascii=False, indent=1)
    print()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a" * 20, b"c" + b"a" * 21),
        (b"-" * 18, b"+" + b"-" * 19),
        (b"]bcdefghijklmnopqrstuvwxyz01", b"abcdefghijklmnopmnopqrstuvwxyz01"),
    ],
)
def test_long_tokens_that_differ_as_the_formats_page_says_have_the_same_hash(one, other):
    assert _core.fast_token_hash(one) == _core.fast_token_hash(other) == token_hash(other)
    # The same first byte, or no fragment twice, and the hashes differ.
    assert _core.fast_token_hash(one) != _core.fast_token_hash(one[:1] + other[1:])
    assert _core.fast_token_hash(one) != _core.fast_token_hash(other[:1] + one[1:])
