"""Histograms of streams of numbers, over bins that all series share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from dsir.report.facts import Histogram

BINS = 48
_FEWEST_BINS = 16
_MOST_KEPT = 1 << 20
_FAR = 8

Numbers = npt.NDArray[np.float64]
Series = Callable[[], Iterator[Numbers]]


def histogram(
    series: Mapping[str, Series],
    *,
    main: str = "",
    cut_below: frozenset[str] = frozenset(),
    log: bool = False,
) -> Histogram | None:
    """Return the distributions of several series over the same bins.

    The bins reach from the least 1 % to the greatest 1 % of any series, but where a few values are
    far out they end before: 8 interquartile ranges of the main series above its upper quartile, or
    at the largest median.

    Args:
        series: for each name, a function that gives its numbers anew, in runs. They are read
            twice, and never held at once.
        main: the series that has to show its shape; "" for none.
        cut_below: series whose lower half may lie below the first bin, because its tail would
            leave no room for the others.
        log: bins equally wide on a logarithmic scale, for numbers of 1 and more.

    Returns:
        The histogram; None if no series has a number.
    """
    kept = {name: evenly_spaced(numbers()) for name, numbers in series.items()}
    kept = {name: values for name, values in kept.items() if len(values)}
    if not kept:
        return None
    only = len(kept) == 1
    low = min(
        float(np.quantile(values, 0.5 if name in cut_below and not only else 0.01))
        for name, values in kept.items()
    )
    high = max(float(np.quantile(values, 0.99)) for values in kept.values())
    if main in kept and not only:
        lower, upper = np.quantile(kept[main], (0.25, 0.75))
        if upper > lower:
            middle = max(float(np.median(values)) for values in kept.values())
            high = min(high, max(middle, float(upper + _FAR * (upper - lower))))
    # The fewer documents, the wider the bins have to be to show a shape.
    fewest = min(len(values) for values in kept.values())
    bins = min(BINS, max(_FEWEST_BINS, round(3 * fewest**0.5)))
    if log:
        low, high = max(1.0, low), max(1.0, high)
        edges = np.geomspace(low, max(high, low * 2), bins + 1)
    else:
        room = (high - low) * 0.02 or 0.5
        edges = np.linspace(low - room, high + room, bins + 1)
    shares, documents, below, above = {}, {}, 0, 0
    for name in kept:
        counts = np.zeros(bins, dtype=np.int64)
        for numbers in series[name]():
            at = np.searchsorted(edges, numbers, side="right") - 1
            below += int(np.count_nonzero(numbers < edges[0]))
            above += int(np.count_nonzero(numbers > edges[-1]))
            counts += np.bincount(np.clip(at, 0, bins - 1), minlength=bins)
        documents[name] = int(counts.sum())
        shares[name] = counts / max(1, documents[name])
    medians = {name: float(np.median(values)) for name, values in kept.items()}
    return Histogram(edges, shares, medians, documents, (below > 0, above > 0), log)


def evenly_spaced(runs: Iterator[Numbers], most: int = _MOST_KEPT) -> Numbers:
    """Return all numbers of a stream, or every 2nd, 4th, 8th, ... if there are too many.

    Args:
        runs: the numbers.
        most: how many to keep at most.
    """
    kept: list[Numbers] = []
    step, first, total = 1, 0, 0
    for numbers in runs:
        kept.append(numbers[first::step])
        total += len(kept[-1])
        first = (first - len(numbers)) % step
        while total > most:
            whole = np.concatenate(kept)
            kept = [whole[::2]]
            # The next one to keep is one or two old steps away.
            if len(whole) % 2:
                first += step
            step *= 2
            total = len(kept[0])
    return np.concatenate(kept) if kept else np.zeros(0)
