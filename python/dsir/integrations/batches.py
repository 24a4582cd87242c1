"""Callables that score the batches of a library: a column more, or which rows to keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments import name_of_column, shown
from dsir.errors import SettingError, TextColumnError
from dsir.integrations.scorer import BatchScores, Model, TextScorer


class _Scores:
    """What the callables share: the model, and the text column.

    Args:
        model: a model, or the path or URL of its file, which is read here.
        text: the text column.
        target: the target whose log-weights are wanted, if the model has separate targets.
        text_encoding: the encoding of a column of bytes, such as "utf-8".
        threads: how many threads to use.
    """

    def __init__(
        self,
        model: Model,
        *,
        text: str = "text",
        target: str | None = None,
        text_encoding: str | None = None,
        threads: int = 1,
    ) -> None:
        name_of_column("text", text)
        self._text = text
        self._scorer = TextScorer.of(
            model, target=target, text_encoding=text_encoding, threads=threads
        )

    def _scores(self, batch: Any) -> BatchScores:
        if not isinstance(batch, Mapping):
            return self._scorer.scores(batch, text=self._text, name="batch")
        # Columns by name, as lists or NumPy arrays.
        if self._text not in batch:
            columns = ", ".join(map(str, batch)) or "none"
            raise TextColumnError(
                f"batch: no column {self._text!r}; columns: {columns}; name the right one with "
                "text=...",
                path="batch",
            )
        column = batch[self._text]
        if not isinstance(column, list | tuple):
            column = as_arrow(column)
        return self._scorer.scores(column, text=self._text, name="batch")


class AddLogWeight(_Scores):
    """Adds the column of log-weights to a batch.

    Takes and returns an Arrow table or record batch, a pandas DataFrame, or a mapping from names to
    columns, which are lists or NumPy arrays.

    Args:
        model: a model, or the path or URL of its file.
        column: name of the new column; a column of this name is replaced.
        text: the text column.
        target: the target whose log-weights are wanted, if the model has separate targets.
        text_encoding: the encoding of a column of bytes, such as "utf-8".
        threads: how many threads to use.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range.
    """

    def __init__(self, model: Model, *, column: str = "log_weight", **options: Any) -> None:
        super().__init__(model, **options)
        name_of_column("column", column)
        self._column = column

    def __call__(self, batch: Any) -> Any:
        """Return the batch with its log-weights.

        Raises:
            TextColumnError: there is no text column, or it does not hold texts.
            RowError: a text is not UTF-8.
            SettingError: an element is not a str.
        """
        log_weight = self._scores(batch).log_weight
        if isinstance(batch, Mapping):
            as_list = isinstance(batch[self._text], list)
            return {**batch, self._column: log_weight.tolist() if as_list else log_weight}
        if isinstance(batch, pa.Table | pa.RecordBatch):
            values = pa.array(log_weight)
            if self._column in batch.schema.names:
                return batch.set_column(
                    batch.schema.names.index(self._column), self._column, values
                )
            return batch.append_column(self._column, values)
        return batch.assign(**{self._column: log_weight})


class AtLeast(_Scores):
    """Says which rows of a batch have a token and at least this log-weight.

    A row without a token has the log-weight 0, whatever the model, so it never counts.

    Args:
        least: the least log-weight of the rows to keep.
        model: a model, or the path or URL of its file.
        text: the text column.
        target: the target whose log-weights are wanted, if the model has separate targets.
        text_encoding: the encoding of a column of bytes, such as "utf-8".
        threads: how many threads to use.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range.
    """

    def __init__(self, model: Model, least: float, **options: Any) -> None:
        super().__init__(model, **options)
        self._least = checked_least(least)

    def __call__(self, batch: Any) -> list[bool]:
        """Return a bool for each row."""
        return [bool(one) for one in kept(self._scores(batch), self._least)]


def kept(scores: BatchScores, least: float) -> npt.NDArray[np.bool_]:
    """Return bool[rows]: the rows that have a token and at least this log-weight."""
    return (scores.log_weight >= least) & (scores.tokens > 0)


def checked_least(least: object) -> float:
    """Return the least log-weight of a filter.

    Raises:
        SettingError: it is not a number.
    """
    number = isinstance(least, int | float | np.number) and not isinstance(least, bool)
    if not number or np.isnan(least):  # type: ignore[call-overload]
        raise SettingError(f"least={shown(least)}: expected a number, the least log-weight to keep")
    return float(least)  # type: ignore[arg-type]


def as_arrow(column: Any) -> Any:
    """Return a column of a library as an Arrow array, with NaN as null.

    Args:
        column: a NumPy array or a pandas Series; anything else that speaks Arrow stays as it is.

    Raises:
        SettingError: its values have no common type.
    """
    if hasattr(column, "__arrow_c_array__") and not hasattr(column, "dtype"):
        return column
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise SettingError(f"batch: the column does not hold texts: {error}") from error
