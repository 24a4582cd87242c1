"""What each n-gram contributes to a log-weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_SCHEMA = pa.schema(
    [
        ("ngram", pa.string()),
        ("bucket", pa.int64()),
        ("count", pa.int64()),
        ("contribution", pa.float64()),
    ]
)


def explain_sum(
    ngrams: Sequence[tuple[str, int]],
    log_ratio: npt.NDArray[np.float64],
    share: float,
    length_term: tuple[int, float] | None,
) -> pa.Table:
    """Return a table of contributions, the greatest magnitude first.

    Args:
        ngrams: every n-gram of a text with its bucket.
        log_ratio: float64[buckets].
        share: share of its log ratio that an n-gram contributes.
        length_term: the text's number of tokens and what it contributes; None if it contributes
            nothing.
    """
    rows: list[tuple[str | None, int | None, int, float]] = [
        (ngram, bucket, count, count * share * float(log_ratio[bucket]))
        for (ngram, bucket), count in Counter(ngrams).items()
    ]
    if length_term is not None:
        rows.append((None, None, *length_term))
    return contributions_table(rows)


def contributions_table(rows: Iterable[tuple[str | None, int | None, int, float]]) -> pa.Table:
    """Return rows of (n-gram, bucket, count, contribution) as a table, the greatest first."""
    ordered = sorted(rows, key=lambda row: (-abs(row[3]), row[0] or ""))
    columns = zip(*ordered, strict=True) if ordered else [()] * 4
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, _SCHEMA, strict=True)], _SCHEMA)
