"""The hash that tells texts apart: golden vectors, a definition in Python, and its spread."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsir import _core

_MASK = (1 << 64) - 1
R2, R3, R5 = 0x6A09E667F3BCC909, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B


def fold(a: int, b: int) -> int:
    product = a * b
    return (product & _MASK) ^ (product >> 64)


def defined(data: bytes) -> int:
    """docs/reference/formats.md, word for word."""

    def word(piece: bytes) -> int:
        return int.from_bytes(piece.ljust(8, b"\0"), "little")

    state, low, high = len(data), 0, 0
    if len(data) <= 8:
        low = word(data)
    else:
        if len(data) > 16:
            for at in range(0, len(data) - 16, 16):
                a, b = word(data[at : at + 8]), word(data[at + 8 : at + 16])
                state = fold(a ^ R2 ^ state, b ^ R3)
            low, high = word(data[-16:-8]), word(data[-8:])
        else:
            low, high = word(data[:8]), word(data[-8:])
    return fold(fold(low ^ R2, high ^ R3) ^ state, R5)


def hashes(texts: list[str | None], kind: pa.DataType | None = None) -> list[int]:
    return _core.content_hashes(pa.array(texts, kind or pa.string())).tolist()


GOLDEN = {
    "": 0x1EB244682E62CA05,
    "a": 0x6D0E3D8705C62FC6,
    "A": 0x37AE388976CBB00C,
    "Ünder": 0xB517A92A84790FB9,
    "eight by": 0x08F01DE0C189747A,
    "nine byte": 0x1EC5FC15F400889F,
    "sixteen bytes 16": 0x6CF7874CAC4ADF43,
    "seventeen bytes17": 0xE56A375D800E38C8,
    "the quick brown fox jumps over the lazy dog\n" * 3: 0xCB715E905A260BD3,
}


def test_golden_vectors():
    assert _core.CONTENT_HASH == "fast-1"
    assert dict(zip(GOLDEN, hashes(list(GOLDEN)), strict=True)) == GOLDEN


@given(st.lists(st.one_of(st.none(), st.text(max_size=80)), max_size=8))
def test_it_is_what_the_formats_say(texts):
    expected = [defined((text or "").encode()) for text in texts]
    assert hashes(texts) == expected
    for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())):
        array = pa.array(texts, pa.string())
        array = array.dictionary_encode() if pa.types.is_dictionary(kind) else array.cast(kind)
        assert _core.content_hashes(array, threads=3).tolist() == expected
        assert _core.content_hashes(array[1:]).tolist() == expected[1:]


@pytest.mark.parametrize("length", [5, 8, 9, 16, 17, 40, 200])
def test_every_bit_changes_half_of_the_hash(length):
    rng = np.random.default_rng(length)
    changed = np.zeros(64)
    tried = 0
    for _ in range(40):
        text = rng.integers(0, 64, length, dtype=np.uint8) + 32
        for bit in rng.integers(0, 5 * length, 40).tolist():
            other = text.copy()
            other[bit // 5] ^= 1 << (bit % 5)
            one, two = hashes([text.tobytes().decode(), other.tobytes().decode()])
            changed += np.unpackbits(np.array([one ^ two], np.uint64).view(np.uint8))
            tried += 1
    assert tried == 1600
    # Six standard deviations of a fair coin.
    assert np.abs(changed / tried - 0.5).max() < 0.075


def test_no_two_of_many_texts():
    texts = [f"{i:x}" * (1 + i % 9) for i in range(200_000)]
    texts = list(dict.fromkeys(texts))
    assert len(set(hashes(texts))) == len(texts)
