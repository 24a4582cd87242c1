"""What the tasks of a draw find out, in files: for workers that share nothing but a folder.

The results are those of `stages.draw_apart`: numbers in the marker, arrays in a file beside it.
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
from dsir.stages.draw_apart import Bins, Candidates, PieceSurvey
from dsir.stages.survey import Survey
from dsir.storage.marker import Marker, is_whole
from dsir.storage.place import Place

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
    if task.place.finished() is None:
        _store(task.place, task.stage(task.task, progress))


def _store(place: Place, result: object) -> None:
    if isinstance(result, PieceSurvey):
        counts = result.counts
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
            }
        )
        return
    if isinstance(result, Bins):
        kind, array = "bins", np.stack([result.digits, result.documents, result.costs])
    elif isinstance(result, Candidates):
        kind, array = "candidates", np.stack(result)
    elif isinstance(result, np.ndarray):
        kind, array = "sums", result
    else:
        raise TypeError(f"no result of a draw: {type(result)}")
    with place.file(".npy") as file:
        np.save(file, array)
    place.finish({"kind": kind})


def load_result(place: Place) -> PieceSurvey | Bins | Candidates | npt.NDArray[np.float64]:
    """Read the result of a task.

    Raises:
        WorkdirError: there is none, or it is damaged.
    """
    marker = place.finished()
    if marker is None:
        raise WorkdirError(f"{place.path('.json')}: has gone; start again")
    kind = marker.get("kind")
    if kind is None:
        return _survey_in(marker)
    shape = {"sums": 3, "bins": 2, "candidates": 2}.get(kind)
    dtype = np.float64 if kind == "sums" else np.uint64
    path = place.fetched(".npy")
    try:
        found: npt.NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise place.damaged(path, str(error)) from error
    if found.ndim != shape or found.dtype != dtype or (shape == 2 and len(found) != 3):
        raise place.damaged(path, "it does not hold the numbers that its marker describes")
    if kind == "sums":
        return found
    return Bins(*found) if kind == "bins" else Candidates(*found)


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
