"""Exchanges rows that cover columns for others while classifiers of words learn more from them.

Ours; `cpp/gais/exchanges/judged_exchanges.hpp` has the search, docs/lab/gais.md what it brings. The
classifiers see which columns a row has, each with the same weight, and rows have length 1.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.gais.column_coverage import ColumnLists, Rows
from dsir.gais.judges import Metric, Verdicts
from dsir.gais.trials import Trial
from dsir.progress import Advance, ignore
from dsir.thread_pool import ThreadPool

Labels = npt.NDArray[np.int32]
ExchangeMetric = Literal["accuracy", "balanced_accuracy", "f1_macro"]
EXCHANGE_METRICS: tuple[ExchangeMetric, ...] = get_args(ExchangeMetric)

COLUMN_JUDGES = ("naive Bayes", "ridge", "1-NN")
# The rows of more classes are not exchanged: the time of the judges grows with their number.
MOST_CLASSES = 64
# The rows of a part, and the most that are kept of it: the time of a try grows with the product.
# Where parts would keep fewer rows than the least, from which classifiers learn little, they have
# more rows.
_PART_ROWS = 4096
_PART_KEPT = 256
_LEAST_KEPT = 64
_TRIES = 4  # For each row kept.
_MOST_EXCHANGED = 6  # By a try at first; fewer and fewer, and one in the end.


def exchanged_rows(
    lists: ColumnLists,
    labels: Labels,
    chosen: Rows,
    *,
    metric: Metric,
    seed: int,
    threads: int,
    advance: Advance = ignore,
) -> tuple[Rows, list[Trial]]:
    """Return rows from which the judges learn more than from those given.

    The judges are naive Bayes, ridge regression and 1-NN. More than 4,096 rows, or 256
    rows kept, are dealt to random parts, each searched for itself.

    Args:
        lists: the columns of each row.
        labels: [rows].
        chosen: the rows kept so far, ascending, of each class one at least.
        metric: what the classifiers are measured by; not "log_loss".
        seed: decides what is tried.
        threads: how many threads to use; the result does not depend on them.
        advance: called with the rows of each part that is done.

    Returns:
        The rows kept, int64, ascending; and how the classifiers do before and after, on the rows
        that are not kept.
    """
    values = _values(lists)
    classes = int(labels.max()) + 1
    parts = _parts(labels, chosen, seed)

    def searched(number: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        members, kept = parts[number]
        return _core.judged_exchanges(
            lists.offsets,
            lists.columns,
            values,
            labels,
            members,
            kept,
            width=lists.width,
            classes=classes,
            tries=_TRIES,
            most_exchanged=_MOST_EXCHANGED,
            metric=_exchange_metric(metric),
            seed=int(np.random.SeedSequence([seed, 4, number]).generate_state(1, np.uint64)[0]),
        )

    found, tallies = [], np.zeros((2, len(COLUMN_JUDGES), classes, 3), np.int64)
    with ThreadPool(threads) as pool:
        for (members, _), (kept, told) in zip(
            parts, pool.map(searched, range(len(parts))), strict=True
        ):
            found.append(kept)
            tallies += told
            advance(len(members))
    rows = np.sort(np.concatenate(found).astype(np.int64))
    return rows, _told(tallies, metric, exchanged=not np.array_equal(rows, chosen))


def _exchange_metric(metric: Metric) -> ExchangeMetric:
    """Return a metric that judges without probabilities have; callers have checked that."""
    return next(one for one in EXCHANGE_METRICS if one == metric)


def _values(lists: ColumnLists) -> npt.NDArray[np.float32]:
    """Return the same value for each column of a row, so that the row has length 1: [entries]."""
    sizes = np.diff(lists.offsets)
    return np.repeat((1 / np.sqrt(np.maximum(sizes, 1))).astype(np.float32), sizes)


def _parts(
    labels: Labels, chosen: Rows, seed: int
) -> list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
    """Deal rows to parts, in each the same share of each class, kept or not.

    Returns:
        For each part its rows and those of them that are kept, both ascending.
    """
    count = min(-(-len(labels) // _PART_ROWS), max(1, len(chosen) // _LEAST_KEPT))
    count = max(count, -(-len(chosen) // _PART_KEPT))
    is_kept = np.zeros(len(labels), bool)
    is_kept[chosen] = True
    random = np.random.Generator(np.random.Philox([seed, 4]))
    order = np.lexsort((random.random(len(labels)), labels, ~is_kept))
    part = np.empty(len(labels), np.int64)
    part[order] = np.arange(len(labels)) % count
    return [
        (
            np.flatnonzero(part == number).astype(np.int32),
            np.flatnonzero((part == number) & is_kept).astype(np.int32),
        )
        for number in range(count)
    ]


def _told(tallies: npt.NDArray[np.int64], metric: Metric, *, exchanged: bool) -> list[Trial]:
    """Return what the judges make of the rows before and after; scores are gains over before."""
    verdicts = Verdicts(tallies, np.zeros(tallies.shape[:2]))
    accuracy, measured = verdicts.measured("accuracy"), verdicts.measured(metric)
    return [
        Trial(
            name,
            dict(zip(COLUMN_JUDGES, accuracy[number].tolist(), strict=True)),
            dict(zip(COLUMN_JUDGES, measured[number].tolist(), strict=True)),
            float((measured[number] - measured[0]).sum()),
            chosen=bool(number) == exchanged,
        )
        for number, name in enumerate(("column coverage", "rows exchanged"))
    ]
