"""NeMo Curator: a stage that adds log-weights to batches of documents, and may filter by them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from nemo_curator.stages.base import ProcessingStage
from nemo_curator.tasks import DocumentBatch

from dsir.arguments.values import name_of_column
from dsir.integrations.batches import checked_least, kept, text_column
from dsir.integrations.scorer import Model, TextScorer


class LogWeightStage(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Adds the column of log-weights; with `least`, also drops documents below this log-weight.

    With `least`, documents without a token are dropped too, and a batch of which nothing remains
    becomes None, as in filters of NeMo Curator.

    Args:
        model: a model, or the path or URL of its file, which is read here. The stage carries it to
            the workers.
        text: the text column.
        column: name of the new column.
        least: the least log-weight of the documents to keep; None to keep all.
        target: the target whose log-weights are wanted, if the model has separate targets.
        text_encoding: the encoding of a column of bytes, such as "utf-8".
        threads: how many threads to use for a batch.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range.

    Example:
        >>> from dsir.integrations.nemo_curator import LogWeightStage
        >>> pipeline.add_stage(LogWeightStage("quality.dsir", least=0.0))  # doctest: +SKIP
    """

    name = "dsir_log_weight"

    def __init__(
        self,
        model: Model,
        *,
        text: str = "text",
        column: str = "log_weight",
        least: float | None = None,
        target: str | None = None,
        text_encoding: str | None = None,
        threads: int = 1,
    ) -> None:
        self.text = name_of_column("text", text)
        self.column = name_of_column("column", column)
        self.least = None if least is None else checked_least(least)
        self.scorer = TextScorer.of(
            model, target=target, text_encoding=text_encoding, threads=threads
        )

    def inputs(self) -> tuple[list[str], list[str]]:
        """Return the attributes and columns that the stage needs."""
        return ["data"], [self.text.split(".")[0]]

    def outputs(self) -> tuple[list[str], list[str]]:
        """Return the attributes and columns that the stage adds."""
        return ["data"], [self.column]

    def process(self, task: Any) -> Any:
        """Return the batch with its log-weights; None if no document is kept.

        Raises:
            TextColumnError: there is no text column, or it does not hold texts.
            RowError: a text is not UTF-8.
        """
        data, name = task.data, f"task {task.task_id}"
        texts = text_column(data, self.text, name)
        scores = self.scorer.scores(texts, text=self.text, name=name)
        if isinstance(data, pa.Table):
            values = pa.array(scores.log_weight)
            if self.column in data.column_names:
                place = data.column_names.index(self.column)
                data = data.set_column(place, self.column, values)
            else:
                data = data.append_column(self.column, values)
        else:
            data = data.assign(**{self.column: scores.log_weight})
        if self.least is not None:
            keep = kept(scores, self.least)
            if not keep.any():
                return None
            data = data.take(np.flatnonzero(keep))
        return DocumentBatch(
            dataset_name=task.dataset_name,
            data=data,
            _metadata=task._metadata,
            _stage_perf=task._stage_perf,
        )
