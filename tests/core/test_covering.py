"""What n-grams pay in a coverage selection, updated n-gram by n-gram, against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from dsir import _core

BUCKETS = 4000
LARGEST = 10.0


def lists_of(draw, documents, longest):
    lengths = draw.integers(0, longest, documents)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    buckets = draw.integers(0, BUCKETS, offsets[-1]).astype(np.uint32)
    return offsets, buckets, (draw.random(documents) < 0.5).astype(np.uint8)


@pytest.mark.parametrize("longest", [5, 300])  # A few entries change, or most of them.
@pytest.mark.parametrize("threads", [1, 3])
def test_gains_are_those_of_all_that_was_added(longest, threads):
    draw = np.random.default_rng(longest)
    wanted = np.where(draw.random(BUCKETS) < 0.4, draw.random(BUCKETS) * 40, 0.0)
    smoothing = draw.random(BUCKETS) * 3 + 0.01
    covering = _core.Covering(wanted, smoothing, largest=LARGEST)
    counts = np.zeros(BUCKETS, dtype=np.int64)
    pool = lists_of(draw, 60, 80)
    for _ in range(4):
        gains = np.minimum(wanted / (counts + smoothing), LARGEST)
        assert np.array_equal(covering.gains(), gains)
        table = _core.LogRatioTable(gains[np.newaxis])
        offsets, buckets, open_rows = pool
        assert np.array_equal(
            covering.mean_gains(*pool, threads=threads),
            _core.mean_entries(offsets, buckets, table, open_rows),
        )
        for _ in range(2):
            added = lists_of(draw, 8, longest)
            covering.add(*added)
            _core.add_counts(*added, counts)


def test_what_is_refused():
    some = np.ones(5)
    for wanted, smoothing, largest in (
        (some, np.ones(4), 1.0),
        (some, some * 0, 1.0),
        (some, some * np.nan, 1.0),
        (-some, some, 1.0),
        (some, some, 24.0),
    ):
        with pytest.raises(ValueError, match="must be"):
            _core.Covering(wanted, smoothing, largest=largest)
    covering = _core.Covering(some, some, largest=1.0)
    with pytest.raises(ValueError, match="out of range"):
        covering.add(np.array([0, 1]), np.array([5], np.uint32), np.ones(1, np.uint8))
