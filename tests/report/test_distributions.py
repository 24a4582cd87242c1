"""Histograms of streams."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsir.report.charts import axis_ticks
from dsir.report.distributions import evenly_spaced, histogram
from dsir.report.facts import Histogram


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


def test_a_few_large_values_do_not_squeeze_the_rest():
    spread = np.linspace(-100, 0, 950)
    far = np.concatenate([spread, np.linspace(0, 1e6, 50)])
    target = np.concatenate([np.linspace(100, 200, 60), np.linspace(200, 2e6, 40)])
    series = {"selected": lambda: iter([far]), "target": lambda: iter([target])}
    assert histogram(series).edges[-1] > 1e6
    found = histogram(series, main="selected")
    assert 183 < found.edges[-1] < 1000  # The target's median is 182.
    assert found.beyond == (False, True)
    assert found.shares["target"][-1] > 0.3
    # Without a few large values nothing is cut.
    for values in (spread, np.random.default_rng(0).normal(size=999), np.full(9, 3.0)):
        series["selected"] = lambda values=values: iter([values])
        series["target"] = lambda values=values: iter([values + 1])
        both = [histogram(series, main=main).edges.tolist() for main in ("", "selected")]
        assert both[0] == both[1]


def test_no_numbers_and_equal_numbers():
    assert histogram({"selected": lambda: iter([])}) is None
    found = histogram({"selected": lambda: iter([np.full(9, 3.0)])}, log=True)
    assert np.all(np.diff(found.edges) > 0)
    assert found.documents == {"selected": 9}


@given(st.floats(1, 1e6), st.floats(1.1, 1e4))
def test_a_logarithmic_axis_has_a_scale(low, factor):
    edges = np.geomspace(low, low * factor, 20)
    found = Histogram(edges, {}, {}, {}, beyond=(False, False), logarithmic=True)
    ticks = axis_ticks(found)
    assert 2 <= len(ticks) <= 12
    assert all(edges[0] <= one <= edges[-1] for one in ticks)
