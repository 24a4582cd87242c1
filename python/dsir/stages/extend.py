"""Scores that gain columns: the log-weights stay, and the values of the new columns are read.

A work directory's scores may lack what another draw needs: content hashes, or the values of a
column that quotas are by. Reading these takes a pass over the input, but no text is scored again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dsir import _core
from dsir.corpus import TextBatch
from dsir.corpus.token_ids import for_core
from dsir.model.features import HashedNgrams
from dsir.settings.extra_columns import ExtraColumns
from dsir.stages.group_codes import GroupEncoder
from dsir.stages.score_table import ScoreForm, Scores, join


@dataclass(frozen=True, slots=True)
class EarlierScores:
    """The scores that a work directory had, with fewer columns.

    Attributes:
        fingerprint: of the markers of these scores.
        extra: the columns that they have beside log-weights.
    """

    fingerprint: str
    extra: ExtraColumns


class ColumnAdder:
    """Adds columns to the scores of one shard.

    Args:
        had: the columns that the scores have.
        wanted: the columns that they are to have; those of quotas begin with those of `had`.
        features: cut the texts into tokens.
        threads: how many threads may hash texts.
    """

    def __init__(
        self, had: ExtraColumns, wanted: ExtraColumns, features: HashedNgrams, threads: int
    ) -> None:
        self.columns = wanted.groups[len(had.groups) :]
        self._hashes = wanted.content and not had.content
        self._bands = wanted.bands and not had.bands
        self._features = features
        self._encoder = GroupEncoder(len(self.columns))
        self._threads = threads

    @property
    def names(self) -> list[list[str]]:
        """The values of the new columns by their code, a list for each column."""
        return self._encoder.names

    def extended(
        self, written: Iterator[Scores], form: ScoreForm, batches: Iterator[TextBatch]
    ) -> Iterator[Scores]:
        """Give the scores with the new columns.

        Args:
            written: the scores, in order.
            form: which columns they have.
            batches: the texts of the same rows with the values of the new columns.

        Raises:
            ValueError: there are more or fewer rows than scores.
        """
        take = _taking(written, form)
        for batch in batches:
            yield self._with_columns(take(len(batch.text)), batch)
        if take(1).rows:
            raise ValueError("there are fewer rows than scores")

    def _with_columns(self, scores: Scores, batch: TextBatch) -> Scores:
        if scores.rows != len(batch.text):
            raise ValueError("there are more rows than scores")
        if self._hashes:
            hashes = _core.content_hashes(for_core(batch.text), threads=self._threads)
            scores = scores._replace(content=hashes)
        if self._bands:
            prepared = self._features.prepared(batch.text)
            keys = _core.band_keys(prepared, self._features.spec, threads=self._threads)
            scores = scores._replace(bands=keys)
        codes = self._encoder.encode(batch.groups)
        if codes is None:
            return scores
        before = [] if scores.group_codes is None else [scores.group_codes]
        return scores._replace(group_codes=np.concatenate([*before, codes]))


def _taking(written: Iterator[Scores], form: ScoreForm) -> Callable[[int], Scores]:
    """Return what takes the next so many rows of scores, or as many as there are."""
    waiting = form.nothing

    def take(rows: int) -> Scores:
        nonlocal waiting
        parts = [waiting]
        while sum(part.rows for part in parts) < rows:
            more = next(written, None)
            if more is None:
                break
            parts.append(more)
        joined = join(parts, form)
        waiting = joined.at(slice(rows, None))
        return joined.at(slice(0, rows))

    return take
