"""What the tasks of a draw find out, in files: for workers that share nothing but a folder.

The results are those of `stages.draw_apart` and of what it uses: numbers in the marker, arrays in a
file beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.engine import Progress
from dsir.errors import WorkdirError
from dsir.stages.draw_apart import PieceSurvey
from dsir.stages.group_search.digits import GroupBins
from dsir.stages.group_search.sizes import GroupCounts, Taken
from dsir.stages.group_search.slices import Refused
from dsir.stages.rank_search import Bins
from dsir.stages.survey import Survey
from dsir.stages.turn import Candidates
from dsir.storage.marker import Marker, is_whole
from dsir.storage.place import Place

# Results that are columns of whole numbers, by the name of their kind.
_COLUMNS: dict[str, type[Any]] = {
    "bins": Bins,
    "candidates": Candidates,
    "group bins": GroupBins,
    "refused": Refused,
    "taken": Taken,
}
_OTHER = "it does not hold the numbers that its marker describes"
_COUNTED = (
    *("rows", "eligible", "eligible_tokens", "eligible_bytes", "total", "duplicates", "empty"),
)


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A task of a draw, and where its result is stored."""

    stage: Callable[[Any, Progress], Any]
    task: Any
    place: Place


def run_stored(task: StoredTask, progress: Progress) -> None:
    """Run a task, unless its result is there, and store the result."""
    if task.place.finished() is not None:
        return
    try:
        result = task.stage(task.task, progress)
    except WorkdirError:
        # Others have done it meanwhile, and have removed what it was reading.
        if task.place.finished() is not None:
            return
        raise
    _store(task.place, result)


def _store(place: Place, result: object) -> None:
    if result is None:
        place.finish({"kind": "nothing"})
        return
    if isinstance(result, PieceSurvey):
        counts = result.counts
        if result.groups is not None:
            _save(place, np.stack(result.groups))
        place.finish(
            {
                **{name: getattr(counts, name) for name in _COUNTED},
                "passed_over": counts.passed_over,
                "filtered": counts.filtered.tolist(),
                # JSON has no NaN.
                "greatest": [
                    [None if math.isnan(one) else one for one in column]
                    for column in result.greatest
                ],
                "grouped": result.groups is not None,
            }
        )
        return
    if isinstance(result, np.ndarray):
        kind, array = "sums", result
    else:
        kinds = [kind for kind, columns in _COLUMNS.items() if isinstance(result, columns)]
        if not kinds:
            raise TypeError(f"no result of a draw: {type(result)}")
        (kind,), array = kinds, np.stack(result)  # type: ignore[call-overload]
    _save(place, array)
    place.finish({"kind": kind})


def _save(place: Place, array: npt.NDArray[Any]) -> None:
    with place.file(".npy") as file:
        np.save(file, array)


def load_result(place: Place) -> Any:
    """Read the result of a task: what the stage of the task returned.

    Raises:
        WorkdirError: there is none, or it is damaged.
    """
    marker = place.finished()
    if marker is None:
        raise WorkdirError(f"{place.path('.json')}: has gone; start again")
    kind = marker.get("kind")
    if kind == "nothing":
        return None
    if kind is None:
        survey = _survey_in(marker)
        grouped = marker.get("grouped")
        return survey._replace(groups=_columns_in(place, GroupCounts)) if grouped else survey
    if kind == "sums":
        return _array_in(place, 3, np.float64)
    if kind not in _COLUMNS:
        raise marker.damaged("it is no result of a draw")
    return _columns_in(place, _COLUMNS[kind])


def _columns_in(place: Place, kind: Any) -> Any:
    columns = _array_in(place, 2, np.uint64)
    if len(columns) != len(kind._fields):
        raise place.damaged(place.path(".npy"), _OTHER)
    return kind(*columns)


def _array_in(place: Place, dimensions: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    path = place.fetched(".npy")
    try:
        found: npt.NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise place.damaged(path, str(error)) from error
    if found.ndim != dimensions or found.dtype != dtype:
        raise place.damaged(path, _OTHER)
    return found


def _survey_in(marker: Marker) -> PieceSurvey:
    greatest = marker.entries("greatest", _column)
    counts = Survey(len(greatest), None)
    for name in _COUNTED:
        setattr(counts, name, marker.whole(name))
    counts.passed_over = dict(marker.named("passed_over", _account))
    filtered = marker.entries("filtered", _whole)
    if len(filtered) != len(counts.filtered):
        raise marker.damaged("its 'filtered' is not as it was written")
    counts.filtered[:] = filtered
    return PieceSurvey(counts, greatest)


def _column(values: Any) -> list[float]:
    if not isinstance(values, list) or not all(
        one is None or isinstance(one, float) for one in values
    ):
        raise TypeError("is no list of numbers")
    return [math.nan if one is None else one for one in values]


def _account(name: str, count: Any) -> tuple[str, int]:
    return name, _whole(count)


def _whole(value: Any) -> int:
    if not is_whole(value):
        raise TypeError("is no whole number")
    return value
