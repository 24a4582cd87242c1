"""Poisson(1) counts of documents, and the counts of n-grams that they weigh."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsir import _core

U32 = (1 << 32) - 1


def thresholds() -> list[int]:
    """2^32 times the distribution function of Poisson(1), rounded, while below 2^32."""
    with localcontext() as context:
        context.prec = 60
        found, term, below = [], Decimal(-1).exp(), Decimal(0)
        for k in range(1, 20):
            below += term
            term /= k
            found.append(int((below * 2**32).to_integral_value()))
        return [threshold for threshold in found if threshold < 2**32]


THRESHOLDS = thresholds()


def weight(seed: int, source: int, row: int, replicate: int) -> int:
    """The definition of docs/reference/formats.md."""
    counter = [row & U32, row >> 32, replicate // 4, source + (1 << 31)]
    bits = _core.philox4x32(counter, [seed & U32, seed >> 32])[replicate % 4]
    return sum(bits >= threshold for threshold in THRESHOLDS)


def weights(rows: int, replicates: int, *, seed: int = 0, source: int = 0, first_row: int = 0):
    return _core.bootstrap_weights(
        seed=seed, source=source, first_row=first_row, rows=rows, replicates=replicates
    )


def test_there_are_twelve_thresholds():
    assert len(THRESHOLDS) == 12
    assert THRESHOLDS[0] == round(2**32 / math.e)


@given(
    seed=st.integers(0, (1 << 64) - 1),
    source=st.integers(0, (1 << 31) - 1),
    first_row=st.integers(0, (1 << 63) - 1) | st.just(U32 - 1),
    rows=st.integers(0, 4),
    replicates=st.integers(1, 10),
)
def test_weights_are_their_definition(seed, source, first_row, rows, replicates):
    found = weights(rows, replicates, seed=seed, source=source, first_row=first_row)
    assert found.shape == (rows, replicates)
    assert found.dtype == np.uint8
    assert found.tolist() == [
        [weight(seed, source, first_row + row, r) for r in range(replicates)] for row in range(rows)
    ]


def test_pinned_weights():
    # A change here is another interval for the same seed.
    assert weights(3, 8, seed=0).tolist() == [
        [2, 1, 1, 0, 0, 0, 1, 1],
        [1, 1, 2, 1, 1, 2, 2, 0],
        [0, 0, 0, 1, 3, 3, 0, 0],
    ]
    far = weights(1, 8, seed=(1 << 64) - 1, source=1, first_row=1 << 40)
    assert far.tolist() == [[2, 1, 2, 0, 0, 0, 2, 1]]


def test_weights_are_poisson():
    """Chi-square over 400,000 weights, against the exact probabilities."""
    found = weights(2_000, 200, seed=5)
    size = found.size
    observed = np.bincount(found.ravel(), minlength=13)
    probability = np.array([math.exp(-1) / math.factorial(k) for k in range(13)])
    # Cells of at least five expected: 0 to 7, and what is above.
    observed = np.append(observed[:7], observed[7:].sum())
    expected = size * np.append(probability[:7], 1 - probability[:7].sum())
    assert expected.min() > 5
    assert ((observed - expected) ** 2 / expected).sum() < 24.32  # 7 degrees of freedom: 0.001
    # Rows, replicates, seeds and sources draw apart.
    centred = found.astype(float) - 1
    for shift in (1, 4, 16):
        for one, other in (
            (centred[:, shift:], centred[:, :-shift]),
            (centred[shift:], centred[:-shift]),
        ):
            assert abs((one * other).mean()) < 4.5 / one.size**0.5
    for other in (weights(2_000, 200, seed=6), weights(2_000, 200, seed=5, source=1)):
        assert abs((centred * (other - 1.0)).mean()) < 4.5 / size**0.5


ROWS = ["a b a", None, "", "The queen of hearts", "Σ é 中文", "a " * 50, "x"]


@pytest.mark.parametrize("replicates", [1, 15, 16, 33])
@pytest.mark.parametrize("threads", [1, 3])
def test_replicates_are_weighted_counts(replicates, threads):
    spec = _core.FeatureSpec(n=2, buckets=40, hash="fast")
    first_row = U32 - 2
    each = np.zeros((len(ROWS), 40), dtype=np.int64)
    for row, text in enumerate(ROWS):
        _core.count(pa.array([text], pa.string()), spec, each[row])
    found = _core.BootstrapCounts(spec, replicates=replicates, seed=9, source=2)
    for begin, end in ((3, 7), (0, 3)):
        batch = pa.array(ROWS[begin:end], pa.string())
        assert not len(found.add(batch, first_row + begin, threads=threads))
    np.testing.assert_array_equal(found.counts, each.sum(axis=0))
    by = weights(len(ROWS), replicates, seed=9, source=2, first_row=first_row).astype(np.int64)
    for r in range(replicates):
        np.testing.assert_array_equal(found.replicate(r), by[:, r] @ each)


def test_rows_that_are_not_utf8_add_nothing():
    spec = _core.FeatureSpec(n=1, buckets=10, hash="fast")
    bad = pa.array([b"good", b"bad \xff", b"good", b"\xc0"]).view(pa.string())
    found = _core.BootstrapCounts(spec, replicates=20, seed=0)
    assert found.add(bad, 0, threads=2).tolist() == [1, 3]
    assert found.counts.sum() == 2


def test_arguments_are_checked():
    spec = _core.FeatureSpec(n=1, buckets=10, hash="fast")
    for replicates in (0, (1 << 24) + 1):
        with pytest.raises(ValueError, match="replicates must be"):
            _core.BootstrapCounts(spec, replicates=replicates, seed=0)
    with pytest.raises(ValueError, match="source must be below"):
        _core.BootstrapCounts(spec, replicates=1, seed=0, source=1 << 31)
    counts = _core.BootstrapCounts(spec, replicates=20, seed=0)
    with pytest.raises(ValueError, match="no such replicate"):
        counts.replicate(20)
    with pytest.raises(ValueError, match="threads must be"):
        counts.add(pa.array(["a"]), 0, threads=0)
    with pytest.raises(TypeError):
        counts.add(pa.array([1]), 0)
    assert not counts.counts.any()
