"""Callables that score the batches of a library: a column more, or which rows to keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.values import name_of_column, number
from dsir.corpus.refused_element import refused_element
from dsir.errors import SettingError, TextColumnError
from dsir.integrations.scorer import BatchScores, Model, TextScorer
from dsir.remote.read_errors import first_line


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
        if isinstance(batch, Mapping) and _key(batch, self._text) not in batch:
            columns = ", ".join(map(str, batch)) or "none"
            raise TextColumnError(
                f"batch: no column {self._text!r}; columns: {columns}; name the right one with "
                "text=...",
                path="batch",
            )
        texts = text_column(batch, self._text, "batch")
        return self._scorer.scores(texts, text=self._text, name="batch")


class AddLogWeight(_Scores):
    """Adds the column of log-weights to a batch.

    Takes and returns an Arrow table or record batch, a DataFrame of pandas or polars, or a mapping
    from names to columns, which are lists or NumPy arrays.

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
            SettingError: an element is not a str, or the batch is of another kind.
        """
        is_frame = _is_pandas(batch) or hasattr(batch, "with_columns")
        if not is_frame and not isinstance(batch, Mapping | pa.Table | pa.RecordBatch):
            raise SettingError(
                "batch: expected an Arrow table or record batch, a DataFrame of pandas or polars, "
                f"or columns by name, found {type(batch).__name__}"
            )
        log_weight = self._scores(batch).log_weight
        if isinstance(batch, Mapping):
            as_list = isinstance(batch[_key(batch, self._text)], list)
            return {**batch, self._column: log_weight.tolist() if as_list else log_weight}
        if isinstance(batch, pa.Table | pa.RecordBatch):
            values = pa.array(log_weight)
            if self._column in batch.schema.names:
                return batch.set_column(
                    batch.schema.names.index(self._column), self._column, values
                )
            return batch.append_column(self._column, values)
        if not _is_pandas(batch):
            added = type(batch)({self._column: log_weight})
            return batch.with_columns(added.to_series())
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
        SettingError: it is not a finite number.
    """
    return float(number("least", least, expected="a number, the least log-weight to keep"))


def text_column(batch: Any, text: str, name: str) -> Any:
    """Return the texts of a batch as `TextScorer.scores` takes them.

    Of a pandas DataFrame and of columns by name this is the text column, so that columns which
    Arrow cannot hold may stand beside it; of columns by name it may also be a table of the column
    that the text is nested in. Anything else stays as it is.

    Args:
        batch: a batch of any kind.
        text: the text column.
        name: what messages call the batch.

    Raises:
        SettingError: the values of the column have no common type; or the batch is one row.
    """
    by_name = isinstance(batch, Mapping) or _is_pandas(batch)
    if not by_name:
        return batch
    key = _key(batch, text)
    # A frame may have a column twice, or the text in a nested column: its table is looked into.
    if list(batch).count(key) != 1 or (_is_pandas(batch) and key != text):
        return batch
    column = batch[key]
    if column is None or isinstance(column, str | bytes | Mapping):
        raise SettingError(
            f"{name}: is one row, but rows are scored in batches; give batched=True to map of "
            "datasets, or call map_batches of Ray Data"
        )
    if key != text:
        return pa.table({key: as_arrow(column, name)})
    return column if isinstance(column, list | tuple) else as_arrow(column, name)


def _key(batch: Any, text: str) -> str:
    """Return the key of columns by name that has the text; dots lead into a nested column."""
    return text if text in batch else text.split(".")[0]


def as_arrow(column: Any, name: str) -> Any:
    """Return a column of a library as an Arrow array, with NaN as null.

    A column of floats without a value is one of nulls, also as a categorical column: pandas and
    NumPy infer floats when a batch happens to have no text.

    Args:
        column: a NumPy array, a pandas Series or a list; anything else that speaks Arrow stays as
            it is.
        name: what messages call the column.

    Raises:
        SettingError: its values have no common type.
    """
    if hasattr(column, "__arrow_c_array__") and not hasattr(column, "dtype"):
        return column
    try:
        array = pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        why = refused_element(column) or first_line(error)
        raise SettingError(
            f"{name}: the column does not hold texts and nulls alone: {why}"
        ) from error
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    untyped = pa.types.is_floating(kind) or pa.types.is_null(kind)
    if untyped and array.null_count == len(array):
        return pa.nulls(len(array))
    return array


def _is_pandas(batch: object) -> bool:
    return hasattr(batch, "assign") and hasattr(batch, "columns")
