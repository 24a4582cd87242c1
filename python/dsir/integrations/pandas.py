"""pandas: log-weights of a column of texts, as `series.dsir.log_weight(model)`."""

from __future__ import annotations

import pandas as pd

from dsir.integrations.batches import as_arrow
from dsir.integrations.scorer import Model, TextScorer


@pd.api.extensions.register_series_accessor("dsir")
class SeriesAccessor:
    """What dsir does with a Series of texts; importing this module gives every Series `.dsir`.

    Args:
        series: the texts. None, NaN and NA are nulls.

    Example:
        >>> import pandas as pd
        >>> import dsir.integrations.pandas
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> frame = pd.DataFrame({"text": ["a ship at sea", None, "a court of law"]})
        >>> frame["log_weight"] = frame["text"].dsir.log_weight(model)
        >>> frame["log_weight"].round(1).tolist()
        [2.0, 0.0, -75.6]
    """

    def __init__(self, series: pd.Series) -> None:
        self._series = series

    def log_weight(
        self,
        model: Model,
        *,
        target: str | None = None,
        text_encoding: str | None = None,
        threads: int = 1,
    ) -> pd.Series:
        """Return the log-weights of the texts.

        Args:
            model: a model, or the path or URL of its file.
            target: the target whose log-weights are wanted, if the model has separate targets.
            text_encoding: the encoding of a column of bytes, such as "utf-8".
            threads: how many threads to use; the result does not depend on it.

        Returns:
            A Series of float64 with the same index, named "log_weight": the numbers of
            `model.score`, 0 for nulls and for texts without a token.

        Raises:
            ModelError: the model cannot be read.
            TextColumnError: the Series does not hold texts.
            RowError: a text is not UTF-8.
            SettingError: an argument is out of range, or an element is not a str.
        """
        scorer = TextScorer.of(model, target=target, text_encoding=text_encoding, threads=threads)
        named = self._series.name
        name = "the Series" if named is None else f"Series {named!r}"
        log_weight = scorer.log_weight(as_arrow(self._series, name), name=name)
        return pd.Series(log_weight, index=self._series.index, name="log_weight")
