"""The base class of the instance selectors: the interface of scikit-learn and imbalanced-learn."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.pandas_index import described_index
from dsir.corpus.take_rows import take_rows as take_of_batch
from dsir.corpus.take_rows import take_values
from dsir.errors import SettingError
from dsir.facts import Fact, Facts, call_of, given_arguments
from dsir.gais.labelled_table import check_missing, present_rows
from dsir.gais.labels import label_column

Self = TypeVar("Self", bound="InstanceSelector")


class InstanceSelector(Facts):
    """Base class of selectors; a subclass sets `sample_indices_` in `_select`.

    Works in imbalanced-learn's pipelines and with scikit-learn's `clone`; neither library need be
    installed. scikit-learn's own Pipeline has no steps that leave rows out, so a selector can only
    be its last step. `fit` and `fit_resample` check the arguments.

    Attributes:
        sample_indices_: int64, ascending: the rows kept.
        sampling_strategy_: how many rows of each label are kept.
        n_features_in_: how many columns X has; not there if X is texts.
        feature_names_in_: their names, if all of them are text.
    """

    sample_indices_: npt.NDArray[np.int64]
    sampling_strategy_: dict[Any, int]
    n_features_in_: int
    feature_names_in_: npt.NDArray[np.object_]
    # Whether the selection depends on X, and not on the labels alone.
    _reads_rows: ClassVar[bool] = True

    def fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:  # noqa: N803
        """Select rows, and return the selected rows of X and y, in their order.

        Args:
            X: numbers [rows, columns], a sparse matrix in compressed rows, an Arrow table, or a
                data frame; the same kind is returned. With distance="precomputed" X has the
                distances of pairs, and those among the selected rows are returned.
            y: one label for each row: an array, list, column, or a table with one column.
            params: must be empty; imbalanced-learn's pipelines may pass metadata.

        Raises:
            SettingError: an argument, X or y cannot be used.
        """
        if params:
            raise SettingError(f"fit_resample: unexpected arguments: {', '.join(params)}")
        self._fit(X, y)
        return self._taken(X, self.sample_indices_), take_rows(y, self.sample_indices_)

    def fit(self: Self, X: Any, y: Any) -> Self:  # noqa: N803
        """Select rows, and return self; `sample_indices_` has their numbers."""
        self._fit(X, y)
        return self

    def _fit(self, X: Any, y: Any) -> None:  # noqa: N803
        """Select rows; with missing="drop", of those that have no missing value."""
        if y is None:
            raise SettingError(
                f"{type(self).__name__} requires y to be passed, but the target y is None; give a "
                "label for each row"
            )
        missing = getattr(self, "missing", "raise")
        check_missing(missing)
        self._see_columns(X)
        if missing != "drop":
            self._select(X, y)
            return
        texts = getattr(self, "features", None) is not None
        reads = self._reads_rows and not self._pairwise
        rows = present_rows(X if reads else None, y, texts=texts)
        if len(rows) == 0:
            raise SettingError("missing='drop': every row has a missing value")
        labels = label_column(y)
        self._select(None if X is None else self._taken(X, rows), take_rows(y, rows))
        self.sample_indices_ = rows[self.sample_indices_]
        self._place(rows, len(labels))

    @property
    def _pairwise(self) -> bool:
        """Whether X has the distances of all pairs of rows."""
        return False

    def _taken(self, X: Any, rows: npt.NDArray[np.int64]) -> Any:  # noqa: N803
        """Return rows of X; of the distances of pairs those among the rows."""
        return take_pairs(X, rows) if self._pairwise else take_rows(X, rows)

    def _see_columns(self, X: Any) -> None:  # noqa: N803
        """Set how many columns X has, and their names, as scikit-learn's estimators do."""
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                delattr(self, name)
        if X is None or getattr(self, "features", None) is not None:
            return
        names = list(X.columns) if not hasattr(X, "collect") and hasattr(X, "columns") else []
        if isinstance(X, pa.Table | pa.RecordBatch):
            index = described_index(X.schema)  # The index of pandas is no feature.
            names = [name for name in X.schema.names if name not in index]
        if names:
            self.n_features_in_ = len(names)
            if all(isinstance(name, str) for name in names):
                self.feature_names_in_ = np.array(names, dtype=object)
            return
        shape = X.shape if hasattr(X, "shape") else ()
        if isinstance(X, list | tuple) and len(X) > 0:
            shape = np.shape(X[0])
        if shape:
            self.n_features_in_ = int(shape[-1])

    def _count_kept(self, labels: npt.NDArray[np.int32], classes: npt.NDArray[Any]) -> None:
        """Set `sampling_strategy_` for the rows kept of some labels."""
        counts = np.bincount(labels[self.sample_indices_], minlength=len(classes))
        self.sampling_strategy_ = dict(zip(classes.tolist(), counts.tolist(), strict=True))

    def _place(self, rows: npt.NDArray[np.int64], total: int) -> None:
        """Give what was found for each of some rows the length of all rows."""

    def _select(self, X: Any, y: Any) -> None:  # noqa: N803
        raise NotImplementedError

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments by name."""
        del deep
        return {name: getattr(self, name) for name in self._argument_names()}

    def set_params(self: Self, **params: Any) -> Self:
        """Change arguments, and return self.

        Raises:
            SettingError: there is no such argument.
        """
        for name, value in params.items():
            if name not in self._argument_names():
                raise SettingError(f"{type(self).__name__} has no argument {name!r}")
            setattr(self, name, value)
        return self

    @classmethod
    def _argument_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def __sklearn_tags__(self) -> Any:
        # Only scikit-learn calls this, so it is installed.
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="sampler",
            target_tags=TargetTags(required=True),
            input_tags=InputTags(sparse=True, string=not self._pairwise, pairwise=self._pairwise),
        )

    def _facts(self) -> Iterator[Fact]:
        """Give the arguments that are not the defaults, and what was selected."""
        yield from given_arguments(self)
        if hasattr(self, "sample_indices_"):
            yield "rows selected", f"{len(self.sample_indices_):,}"

    def __repr__(self) -> str:
        return call_of(self)


def argument_defaults(selector: type[InstanceSelector]) -> dict[str, Any]:
    """Return the default of each argument of a selector, by name."""
    parameters = inspect.signature(selector.__init__).parameters.values()
    return {one.name: one.default for one in parameters if one.name != "self"}


def take_rows(values: Any, rows: npt.NDArray[np.int64]) -> Any:
    """Return rows of a table, matrix, data frame, array or list, as the same kind."""
    if isinstance(values, pa.RecordBatch):
        return take_of_batch(values, rows)
    if isinstance(values, pa.Array):
        return take_values(values, rows)
    if isinstance(values, pa.ChunkedArray):
        return pa.chunked_array([take_values(one_array(values), rows)], values.type)
    if isinstance(values, pa.Table):
        columns = [take_rows(column, rows) for column in values.columns]
        return pa.Table.from_arrays(columns, schema=values.schema)
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if isinstance(values, list | tuple):
        return [values[row] for row in rows.tolist()]
    return values[rows]


def take_pairs(values: Any, rows: npt.NDArray[np.int64]) -> Any:
    """Return some rows of a square table, and of these the same columns, as the same kind."""
    if hasattr(values, "iloc"):
        return values.iloc[rows, rows]
    if isinstance(values, list | tuple):
        return [take_rows(row, rows) for row in take_rows(values, rows)]
    taken = take_rows(values, rows)
    if isinstance(taken, pa.Table | pa.RecordBatch):
        return taken.select(rows.tolist())
    return taken[:, rows]


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """Return the values of a column in one array."""
    chunks = column.unify_dictionaries().chunks
    return pa.concat_arrays(chunks) if chunks else pa.array([], column.type)


def rows_to_keep(reduction: object, rows: int, classes: int) -> int:
    """Return how many rows a reduction keeps, at least one for each class.

    Raises:
        SettingError: the reduction is not a number from 0 to below 1.
    """
    if isinstance(reduction, bool) or not isinstance(reduction, int | float | np.floating):
        raise SettingError(f"reduction={reduction!r}: expected a number from 0 to below 1")
    if not 0 <= float(reduction) < 1:
        raise SettingError(f"reduction={reduction!r}: expected a number from 0 to below 1")
    # Rounded to the nearest whole number; the 1e-9 is for products that floating point leaves just
    # below one half.
    return max(classes, math.floor(rows * (1 - float(reduction)) + 0.5 + 1e-9))
