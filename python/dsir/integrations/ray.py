"""Ray Data: log-weights in `map_batches`.

For a whole selection on a Ray cluster use `dsir.select(..., engine="ray")`. This is for pipelines
that have other steps around the score.
"""

from __future__ import annotations

from dsir.integrations import batches


class LogWeight(batches.AddLogWeight):
    """Adds the column of log-weights; for `dataset.map_batches`, made once in each worker.

    Takes batches of every format: `batch_format="pyarrow"` copies least.

    Args:
        model: a model, which travels to each worker once, or the path or URL of its file, which
            each worker reads.
        column: name of the new column.
        text: the text column.
        target: the target whose log-weights are wanted, if the model has separate targets.
        text_encoding: the encoding of a column of bytes, such as "utf-8".
        threads: how many threads to use for a batch; ask Ray for as many `num_cpus`.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range.

    Example:
        >>> import pyarrow as pa
        >>> from dsir.integrations.ray import LogWeight
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> rows = ray.data.from_items([{"text": "a ship at sea"}])  # doctest: +SKIP
        >>> scored = rows.map_batches(  # doctest: +SKIP
        ...     LogWeight, fn_constructor_args=(model,), batch_format="pyarrow", concurrency=2
        ... )
        >>> LogWeight(model)(pa.table({"text": ["a ship at sea"]})).column_names
        ['text', 'log_weight']
    """
