"""Dask: log-weights of a column of a Dask data frame, partition by partition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dsir.arguments.values import shown
from dsir.errors import SettingError
from dsir.integrations.batches import as_arrow
from dsir.integrations.scorer import Model, TextScorer


def log_weight(
    series: Any,
    model: Model,
    *,
    target: str | None = None,
    text_encoding: str | None = None,
    threads: int = 1,
) -> Any:
    """Return the log-weights of a Dask Series of texts, as a Dask Series.

    Args:
        series: the texts, such as `frame["text"]`.
        model: a model, or the path or URL of its file, which is read here. Dask sends the model
            once, as one key of the graph.
        target: the target whose log-weights are wanted, if the model has separate targets.
        text_encoding: the encoding of a column of bytes, such as "utf-8".
        threads: how many threads to use for a partition; the result does not depend on it.

    Returns:
        A Dask Series of float64 named "log_weight": the numbers of `model.score`, 0 for nulls and
        for texts without a token.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range.

    Example:
        >>> import dask.dataframe as dd
        >>> import pandas as pd
        >>> from dsir.integrations.dask import log_weight
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> texts = pd.DataFrame({"text": ["a ship at sea", "a court of law"]})
        >>> frame = dd.from_pandas(texts, npartitions=2)
        >>> scored = frame.assign(log_weight=log_weight(frame["text"], model))
        >>> scored.compute()["log_weight"].round(1).tolist()
        [2.0, -75.6]
    """
    from dask.delayed import delayed

    if not hasattr(series, "map_partitions"):
        raise SettingError(
            f"series={shown(series)}: expected a Series of Dask; for one of pandas there is "
            "dsir.integrations.pandas"
        )
    scorer = TextScorer.of(model, target=target, text_encoding=text_encoding, threads=threads)
    meta = pd.Series(dtype=np.float64, name="log_weight")
    return series.map_partitions(_scored, delayed(scorer, pure=False), meta=meta)


def _scored(texts: pd.Series, scorer: TextScorer) -> pd.Series:
    name = f"column {texts.name!r}"
    log_weight = scorer.log_weight(as_arrow(texts, name), name=name)
    return pd.Series(log_weight, index=texts.index, name="log_weight")
