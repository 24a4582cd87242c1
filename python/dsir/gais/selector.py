"""What the selectors of instances share: scikit-learn's and imbalanced-learn's habits."""

from __future__ import annotations

import inspect
import math
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.errors import SettingError

Self = TypeVar("Self", bound="InstanceSelector")


class InstanceSelector:
    """Base: a subclass sets `sample_indices_` in `_select`.

    Works in imbalanced-learn's pipelines and in scikit-learn's `clone`, which need not be
    installed. Nothing is checked before `fit_resample`.
    """

    sample_indices_: npt.NDArray[np.int64]

    def fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:  # noqa: N803
        """Select rows, and return those of X and y, in their order.

        Args:
            X: numbers [rows, columns], a sparse matrix in compressed rows, an Arrow table, or a
                data frame; what comes back is of the same kind.
            y: one label a row.
            params: nothing; imbalanced-learn's pipelines may pass metadata.

        Raises:
            SettingError: an argument, X or y is not as it must be.
        """
        if params:
            raise SettingError(f"fit_resample: unexpected {', '.join(params)}")
        self._select(X, y)
        return take_rows(X, self.sample_indices_), take_rows(y, self.sample_indices_)

    def fit(self: Self, X: Any, y: Any) -> Self:  # noqa: N803
        """Select rows, and return self: `sample_indices_` says which."""
        self._select(X, y)
        return self

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
        # Asked for by scikit-learn only, so it is there.
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="sampler",
            target_tags=TargetTags(required=True),
            input_tags=InputTags(sparse=True, string=True),
        )

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        given = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value is not defaults[name].default
        ]
        return f"{type(self).__name__}({', '.join(given)})"


def take_rows(values: Any, rows: npt.NDArray[np.int64]) -> Any:
    """Return rows of a table, matrix, data frame, array or list, as the kind they came in."""
    if isinstance(values, pa.Table | pa.RecordBatch | pa.Array | pa.ChunkedArray):
        return values.take(pa.array(rows.tolist(), pa.int64()))
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if isinstance(values, list | tuple):
        return [values[row] for row in rows.tolist()]
    return values[rows]


def rows_to_keep(reduction: object, rows: int, classes: int) -> int:
    """Return how many rows a reduction leaves, at least one a class.

    Raises:
        SettingError: the reduction is not from 0 up to (and without) 1.
    """
    if isinstance(reduction, bool) or not isinstance(reduction, int | float | np.floating):
        raise SettingError(f"reduction={reduction!r}: expected a number from 0 to below 1")
    if not 0 <= float(reduction) < 1:
        raise SettingError(f"reduction={reduction!r}: expected a number from 0 to below 1")
    # The nearest whole number; 1e-9 so that 0.04 x 50 is not 1.999.
    return max(classes, math.floor(rows * (1 - float(reduction)) + 0.5 + 1e-9))
