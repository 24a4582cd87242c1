"""Spark: log-weights in `DataFrame.mapInArrow`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa

from dsir.integrations.batches import AddLogWeight
from dsir.integrations.scorer import Model


def log_weight_in_arrow(
    model: Model, **options: Any
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a function for `frame.mapInArrow`, which adds the column of log-weights.

    The schema that Spark asks for is that of the frame with one column more:
    `StructType([*frame.schema.fields, StructField("log_weight", DoubleType())])`.

    Args:
        model: a model, or the path or URL of its file, which is read here. Spark sends the function
            with the model in it.
        **options: `column`, `text`, `target`, `text_encoding` and `threads`, as in
            `dsir.integrations.ray.LogWeight`.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range.

    Example:
        >>> import pyarrow as pa
        >>> from dsir.integrations.spark import log_weight_in_arrow
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> batch = pa.record_batch({"text": ["a ship at sea", "a court of law"]})
        >>> [scored] = log_weight_in_arrow(model)([batch])
        >>> [round(weight, 1) for weight in scored["log_weight"].to_pylist()]
        [2.0, -75.6]
    """
    return _Batches(AddLogWeight(model, **options))


class _Batches:
    """A function that can be pickled."""

    def __init__(self, add: AddLogWeight) -> None:
        self._add = add

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from map(self._add, batches)
