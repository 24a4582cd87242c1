"""datatrove: a filter by log-weight, and a block that writes log-weights into the metadata."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.filters.base_filter import BaseFilter

from dsir.arguments.values import name_of_column, whole_number
from dsir.integrations.batches import checked_least, kept
from dsir.integrations.scorer import Model, TextScorer


class LogWeightFilter(BaseFilter):
    """Keeps documents that have a token and at least this log-weight.

    Dropped documents have the reason "log_weight" or "no_token".

    Args:
        model: a model, or the path or URL of its file, which is read here.
        least: the least log-weight of the documents to keep.
        target: the target whose log-weights are wanted, if the model has separate targets.
        threads: how many threads to use for a batch.
        batch_size: documents that are scored at a time.
        exclusion_writer: a writer of datatrove for the dropped documents.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range.

    Example:
        >>> from datatrove.data import Document
        >>> from dsir.integrations.datatrove import LogWeightFilter
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> block = LogWeightFilter(model, 0.0)
        >>> documents = [Document("a ship at sea", "1"), Document("a court of law", "2")]
        >>> [document.id for document in block.run(documents)]
        ['1']
    """

    name = "dsir log-weight"

    def __init__(
        self,
        model: Model,
        least: float,
        *,
        target: str | None = None,
        threads: int = 1,
        batch_size: int = 1000,
        exclusion_writer: Any = None,
    ) -> None:
        super().__init__(exclusion_writer, whole_number("batch_size", batch_size, 1))
        self.least = checked_least(least)
        self.scorer = TextScorer.of(model, target=target, threads=threads)

    def filter(self, doc: Any) -> bool | tuple[bool, str]:
        """Say whether to keep one document; `filter_batch` is what `run` calls."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: list[Any]) -> list[bool | tuple[bool, str]]:
        """Say which documents to keep, and why the others are dropped.

        Raises:
            SettingError: a text is not a str.
        """
        scores = self.scorer.scores([doc.text for doc in batch], name="documents")
        keep = kept(scores, self.least)
        reasons = [(False, "log_weight" if tokens else "no_token") for tokens in scores.tokens]
        return [True if keep[row] else reason for row, reason in enumerate(reasons)]


class LogWeightWriter(PipelineStep):
    """Writes the log-weight of each document into its metadata.

    Args:
        model: a model, or the path or URL of its file, which is read here.
        key: the name in the metadata.
        target: the target whose log-weights are wanted, if the model has separate targets.
        threads: how many threads to use for a batch.
        batch_size: documents that are scored at a time.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range.

    Example:
        >>> from datatrove.data import Document
        >>> from dsir.integrations.datatrove import LogWeightWriter
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> [document] = LogWeightWriter(model).run([Document("a ship at sea", "1")])
        >>> round(document.metadata["log_weight"], 1)
        2.0
    """

    type = "🏋 - SCORE"
    name = "dsir log-weight"

    def __init__(
        self,
        model: Model,
        *,
        key: str = "log_weight",
        target: str | None = None,
        threads: int = 1,
        batch_size: int = 1000,
    ) -> None:
        super().__init__()
        self.key = name_of_column("key", key)
        self.batch_size = whole_number("batch_size", batch_size, 1)
        self.scorer = TextScorer.of(model, target=target, threads=threads)

    def run(self, data: Iterable[Any], rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Give the documents with their log-weights, in their order.

        Raises:
            SettingError: a text is not a str.
        """
        del rank, world_size
        documents = iter(data)
        while batch := list(itertools.islice(documents, self.batch_size)):
            with self.track_time("batch"):
                log_weight = self.scorer.log_weight([doc.text for doc in batch], name="documents")
            for document, weight in zip(batch, log_weight.tolist(), strict=True):
                document.metadata[self.key] = weight
                self.stat_update("total")
                self.update_doc_stats(document)
                yield document
