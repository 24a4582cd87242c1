"""Hugging Face datasets: functions for `map` and `filter`, also of streams.

Call both with `batched=True`; the batches may be in any format (Python, NumPy, Arrow, pandas,
polars). The functions can be pickled and have the same content for the same model, so that the
cache of `datasets` finds its files again.
"""

from __future__ import annotations

from dsir.integrations import batches


class LogWeight(batches.AddLogWeight):
    """Adds the column of log-weights, for `dataset.map(..., batched=True)`.

    Args:
        model: a model, or the path or URL of its file.
        column: name of the new column.
        text: the text column.
        target: the target whose log-weights are wanted, if the model has separate targets.
        text_encoding: the encoding of a column of bytes, such as "utf-8".
        threads: how many threads to use for a batch.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range.

    Example:
        >>> from datasets import Dataset
        >>> from dsir.integrations.datasets import LogWeight
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> rows = Dataset.from_dict({"text": ["a ship at sea", "a court of law"]})
        >>> scored = rows.to_iterable_dataset().map(LogWeight(model), batched=True)
        >>> [round(row["log_weight"], 1) for row in scored]
        [2.0, -75.6]
    """


class AtLeast(batches.AtLeast):
    """Keeps rows by their log-weight, for `dataset.filter(..., batched=True)`.

    A row without a token is not kept.

    Args:
        model: a model, or the path or URL of its file.
        least: the least log-weight of the rows to keep.
        text: the text column.
        target: the target whose log-weights are wanted, if the model has separate targets.
        text_encoding: the encoding of a column of bytes, such as "utf-8".
        threads: how many threads to use for a batch.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range.

    Example:
        >>> from datasets import Dataset
        >>> from dsir.integrations.datasets import AtLeast
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> rows = Dataset.from_dict({"text": ["a ship at sea", "a court of law"]})
        >>> kept = rows.to_iterable_dataset().filter(AtLeast(model, 0), batched=True)
        >>> [row["text"] for row in kept]
        ['a ship at sea']
    """
