"""Kernels for code, longer patterns and long documents: tokenizer, maker of features, scorer.

`camel_case` splits identifiers where people read them as words: parseHTTPHeader and
parse_http_header give the same tokens. `skip_grams` adds pairs of tokens with one token between to
the n-grams. `length_penalty` scores documents by the mean of their distinct n-grams, so that
repeating does not pay, and takes something off for documents beyond 2,000 tokens.

Usage: ``python examples/kernels.py`` shows what they make of a few lines. Needs ``pip install
'dsir[numba]'``.
"""

from __future__ import annotations

import math

import numba

import dsir
from dsir.kernels import bucket_of, extend_hash

SPACE, OTHER, SMALL, CAPITAL, DIGIT = range(5)


@numba.njit
def kind_of(byte):
    """Return the class of a byte; every byte of a character beyond ASCII is a small letter."""
    if byte <= 32 or byte == 95:  # White space and the underscore separate.
        return SPACE
    if 97 <= byte <= 122 or byte >= 128:
        return SMALL
    if 65 <= byte <= 90:
        return CAPITAL
    return DIGIT if 48 <= byte <= 57 else OTHER


@dsir.kernel("tokenizer")
def camel_case(text, at, starts, ends):
    """Cut into the words of identifiers, numbers, and single other characters."""
    found = 0
    while found < len(starts):
        while at < len(text) and kind_of(text[at]) == SPACE:
            at += 1
        if at == len(text):
            break
        starts[found] = at
        kind = kind_of(text[at])
        at += 1
        if kind == CAPITAL and at < len(text) and kind_of(text[at]) == SMALL:
            kind = SMALL
        while kind != OTHER and at < len(text) and kind_of(text[at]) == kind:
            # The last capital of HTTPHeader begins the next word.
            if (
                kind == CAPITAL
                and at + 1 < len(text)
                and kind_of(text[at]) == CAPITAL
                and kind_of(text[at + 1]) == SMALL
            ):
                break
            at += 1
        ends[found] = at
        found += 1
    return found


@dsir.kernel("features", features_per_token=3)
def skip_grams(tokens, buckets, out):
    """Make the n-grams of order 1 and 2, and pairs with one token between."""
    gap = numba.uint64(0x9E3779B97F4A7C15)  # Sets "a _ c" apart from "a c".
    found = 0
    for place in range(len(tokens)):
        out[found] = bucket_of(tokens[place], buckets)
        found += 1
        if place >= 1:
            out[found] = bucket_of(extend_hash(tokens[place - 1], tokens[place]), buckets)
            found += 1
        if place >= 2:
            over_one = extend_hash(tokens[place - 2] ^ gap, tokens[place])
            out[found] = bucket_of(over_one, buckets)
            found += 1
    return found


@dsir.kernel("scorer")
def length_penalty(buckets, counts, log_ratio, tokens):  # noqa: ARG001
    """Return the mean log ratio of the distinct n-grams, less 0.1 for each doubling of length."""
    total = 0.0
    for bucket in buckets:
        total += log_ratio[bucket]
    return total / len(buckets) - 0.1 * max(0.0, math.log2(tokens / 2000))


def main() -> None:
    """Print what the kernels make of a line of code, and of a short and a long document."""
    features = dsir.HashedNgrams(tokenizer=camel_case, extractor=skip_grams)
    line = "def parseHTTPHeader(raw_bytes): return decode2(raw_bytes)"
    print(features.tokens(line))
    print(int(features.counts(dsir.texts([line])).sum()), "features")
    raw, wanted = dsir.texts(["a court of law", "a ship at sea"]), dsir.texts(["a ship at sea"] * 9)
    model = dsir.fit(raw, wanted, scorer=length_penalty, progress=False)
    weights = model.score(dsir.texts(["a ship at sea", "a ship at sea " * 4000]))
    print("log-weights of a text once and 4,000 times:", weights.round(2).tolist())


if __name__ == "__main__":
    main()
