"""Histograms of streams."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsir.report.distributions import evenly_spaced, histogram


@given(st.lists(st.integers(0, 30), max_size=30), st.integers(4, 40))
def test_evenly_spaced_numbers_of_a_stream(sizes, most):
    ends = np.cumsum([0, *sizes])
    runs = [np.arange(a, b, dtype=float) for a, b in itertools.pairwise(ends)]
    found = evenly_spaced(iter(runs), most)
    total = int(ends[-1])
    assert len(found) <= most
    step = int(found[1] - found[0]) if len(found) > 1 else max(1, total)
    assert found.tolist() == list(range(0, total, step))
    assert step == 1 or total > most


def test_a_tail_does_not_squeeze_the_rest():
    raw = np.concatenate([np.linspace(-1e6, -10, 400), np.linspace(0, 10, 600)])
    found = histogram(
        {"raw": lambda: iter([raw]), "selected": lambda: iter([np.arange(5.0)])},
        cut_below=frozenset({"raw"}),
    )
    assert found.edges[0] > -20
    assert found.beyond == (True, False)
    assert found.shares["raw"][0] >= 0.4
    assert {name: round(float(one.sum()), 9) for name, one in found.shares.items()} == {
        "raw": 1.0,
        "selected": 1.0,
    }


def test_no_numbers_and_equal_numbers():
    assert histogram({"selected": lambda: iter([])}) is None
    found = histogram({"selected": lambda: iter([np.full(9, 3.0)])}, log=True)
    assert np.all(np.diff(found.edges) > 0)
    assert found.documents == {"selected": 9}
