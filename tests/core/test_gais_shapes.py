"""Shapes of attention networks whose products leave 63 bits are refused, and not wrapped around."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsir import _core

SIZES = st.one_of(st.integers(1, 6), st.integers(0, 62).map(lambda bits: 1 << bits),
                  st.integers(1, 2**63 - 1))  # fmt: skip


def graph() -> _core.AttentionGraph:
    return _core.AttentionGraph(np.array([0, 1, 2], np.int64), np.array([1, 0], np.int32))


def weights_of(features: int, heads: int, hidden: int, classes: int) -> int:
    joined, logits = heads * hidden, heads * classes
    return features * joined + 3 * joined + joined * logits + 2 * logits + classes


@pytest.mark.parametrize(
    ("heads", "hidden", "classes"),
    # Modulo 2**64 these come to so few weights that they could be given.
    [(1 << 62, 4, 4), (1 << 32, 1 << 32, 5), (2, 1 << 62, 3), (1 << 61, 8, 8), (1 << 62, 2, 2)],
)
def test_what_wraps_around_is_refused(heads, hidden, classes):
    x = np.ones((2, 3), np.float64)
    shape = {"heads": heads, "hidden": hidden, "classes": classes}
    wrapped = weights_of(3, heads, hidden, classes) % (1 << 64)
    for count in {min(wrapped, 1000), 0, classes % 1000}:
        weights = np.zeros(count)
        with pytest.raises(ValueError, match="the shape of the network is too large"):
            _core.run_network(graph(), x, weights, **shape)
        with pytest.raises(ValueError, match="the shape of the network is too large"):
            _core.network_gradient(
                graph(), x, np.zeros(2, np.int32), np.ones(2), weights, **shape, edge_dropout=0.0
            )


@given(SIZES, SIZES, SIZES)
def test_any_shape(heads, hidden, classes):
    x = np.ones((2, 3), np.float64)
    expected = weights_of(3, heads, hidden, classes)
    what = f"expected {expected} weights" if expected < 1 << 63 else "too large"
    with pytest.raises(ValueError, match=what):
        _core.run_network(
            graph(), x, np.zeros(0), heads=heads, hidden=hidden, classes=classes, threads=1
        )


def test_features_without_rows_may_be_as_wide_as_an_index():
    """An array without rows has a width, and no memory for it."""
    nothing = _core.AttentionGraph(np.zeros(1, np.int64), np.zeros(0, np.int32))
    wide = np.zeros((0, 1 << 59), np.float64)
    with pytest.raises(ValueError, match="too large"):
        _core.run_network(nothing, wide, np.zeros(9), heads=4, hidden=4, classes=2)
