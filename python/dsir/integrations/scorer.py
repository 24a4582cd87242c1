"""TextScorer: the log-weights of a batch of texts, for libraries that call dsir batch by batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.values import shown, whole_number
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.batches import table_bytes
from dsir.corpus.encoded_text import encoding_of, text_type
from dsir.corpus.failing_rows import naming_row
from dsir.corpus.memory import MemoryShard
from dsir.corpus.tables import speaks_arrow, table_of, table_of_texts
from dsir.corpus.text_column import is_text
from dsir.errors import SettingError, TextColumnError
from dsir.model.estimator import Estimator
from dsir.model.estimators import load_model
from dsir.model.fasttext_model import FastTextModel
from dsir.remote import RemotePath

Model = Estimator | str | Path | RemotePath
"""A model, or the place of its file."""


class BatchScores(NamedTuple):
    """The scores of a batch of texts.

    Attributes:
        log_weight: float64[rows], what `model.score` gives: 0 for rows without a token.
        tokens: uint32[rows]; 0 if a text is null or empty.
    """

    log_weight: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class TextScorer:
    """Scores batches of texts with a model, all texts of a batch in one call of the core.

    Instances can be pickled: the model goes along as its content, so send an instance once.

    Attributes:
        model: the model.
        target: the column of log-weights to give, if the model has several; else None.
        text_encoding: the encoding of columns of bytes; None if such a column is an error.
        threads: how many threads to use; the scores do not depend on it.
    """

    model: Estimator
    target: str | None = None
    text_encoding: str | None = None
    threads: int = 1

    @classmethod
    def of(
        cls,
        model: Model,
        *,
        target: str | None = None,
        text_encoding: str | None = None,
        threads: int = 1,
    ) -> TextScorer:
        """Check the arguments, and read the model if it is a path.

        Args:
            model: a model, or the path or URL of its file.
            target: the target whose log-weights are wanted, if the model has separate targets.
            text_encoding: the encoding of a column of bytes, such as "utf-8".
            threads: how many threads to use.

        Raises:
            ModelError: the model cannot be read.
            SettingError: an argument is out of range, or `target` is missing or not known.
        """
        given = load_model(model) if isinstance(model, str | Path | RemotePath) else model
        if isinstance(given, FastTextModel):
            raise SettingError(
                f"model={shown(model)}: a model of fastText has several labels; give "
                "dsir.LabelModel of one"
            )
        if not isinstance(given, Estimator):
            raise SettingError(
                f"model={shown(model)}: expected a model, as dsir.fit returns it, or its path"
            )
        _check_target(target, list(given.column_names))
        encoding = None if text_encoding is None else encoding_of(text_encoding)
        return cls(given, target, encoding, whole_number("threads", threads, 1))

    def scores(self, source: Any, *, text: str = "text", name: str = "texts") -> BatchScores:
        """Score a batch.

        Args:
            source: an Arrow array, table or anything else that speaks Arrow; or texts, as str or
                None. Nothing is taken for a path.
            text: the text column, if the source has columns; dots lead into nested columns.
            name: what messages call the batch.

        Raises:
            TextColumnError: there is no such column, or it does not hold texts.
            RowError: a text is not UTF-8.
            SettingError: an element is not a str, or the Arrow data is not valid.
        """
        table = text_table(source, text, name, self.text_encoding)
        shard = MemoryShard(name, table_bytes(table), text, table, self.text_encoding)
        log_weight, tokens = [np.zeros(0)], [np.zeros(0, np.uint32)]
        column = 0 if self.target is None else list(self.model.column_names).index(self.target)
        for batch in shard.text_batches(on_error="raise"):
            with naming_row(shard, batch, self.model.score_batch):
                scored = self.model.score_batch(batch.text, threads=self.threads)
            if len(scored.bad):
                raise bad_text_error(name, batch.unit_row, batch.text, int(scored.bad[0]))
            log_weight.append(scored.log_weight[column])
            tokens.append(scored.tokens)
        return BatchScores(np.concatenate(log_weight), np.concatenate(tokens))

    def log_weight(
        self, source: Any, *, text: str = "text", name: str = "texts"
    ) -> npt.NDArray[np.float64]:
        """Return float64[rows]; see `scores`."""
        return self.scores(source, text=text, name=name).log_weight


def text_table(source: Any, text: str, name: str, encoding: str | None = None) -> pa.Table:
    """Return a batch as a table; an array of texts becomes one column. Nothing is a path.

    A column of Arrow's type null is one of texts that are all null, because libraries infer this
    type from a batch that happens to have no text.

    Args:
        source: what speaks Arrow, or an iterable of str and None.
        text: the name of the text column.
        name: what messages call the batch.
        encoding: the encoding of a column of bytes; None if such a column is an error.

    Raises:
        SettingError: the source holds something else, or is a single str.
        TextColumnError: the source is one column, and holds no texts.
    """
    if isinstance(source, str | bytes) or not (speaks_arrow(source) or _can_be_iterated(source)):
        raise SettingError(f"{name}: expected a column or a list of texts, found {shown(source)}")
    if not speaks_arrow(source):
        return table_of_texts(source, text, name)
    table = table_of(source, text, name)
    if table.column_names.count(text) == 1:
        place = table.column_names.index(text)
        if pa.types.is_null(table.schema.field(place).type):
            nulls = pa.nulls(table.num_rows, pa.string())
            return table.set_column(place, pa.field(text, pa.string()), nulls)
    if _is_column(source):
        _check_column(table.schema.field(0).type, name, encoding)
    return table


def _is_column(source: object) -> bool:
    """Tell whether a source is one column: an Arrow array, or a Series of a library."""
    if isinstance(source, pa.Array | pa.ChunkedArray):
        return not pa.types.is_struct(source.type)
    return hasattr(source, "dtype")


def _check_column(kind: pa.DataType, name: str, encoding: str | None) -> None:
    decoded = text_type(kind, encoding or "utf-8")
    if is_text(kind) or (encoding is not None and decoded is not None):
        return
    hint = "; say how its bytes are text, e.g. with text_encoding='utf-8'" if decoded else ""
    raise TextColumnError(f"{name}: holds {kind}, not text{hint}", path=name)


def _can_be_iterated(source: object) -> bool:
    return isinstance(source, Iterable) and not isinstance(source, dict | set | frozenset)


def _check_target(target: str | None, names: list[str]) -> None:
    if target is None and len(names) > 1:
        raise SettingError(
            f"the model has a log-weight for each of its targets: {', '.join(names)}; name one, "
            f"e.g. target={names[0]!r}"
        )
    if target is not None and target not in names:
        known = f"; it has {', '.join(names)}" if names else "; it has one log-weight, without name"
        raise SettingError(f"target={shown(target)}: the model has no such target{known}")
