"""What selections are made of: rows that they share, and the values of a column."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsir.settings.extra_columns import ExtraColumns
from dsir.stages.merged_groups import merge_groups
from dsir.stages.shard_scores import ShardScores

_OTHERS = "(others)"
_MOST_VALUES = 20


class Trial(NamedTuple):
    """One method with one budget and one seed.

    Attributes:
        method: number of the method.
        budget: number of the budget.
        seed: number of the seed.
    """

    method: int
    budget: int
    seed: int


@dataclass(slots=True)
class Drawn:
    """The selection of a trial.

    Attributes:
        rows: by unit, int64, rows of the unit, ascending.
        tokens: by unit, uint32, the tokens of these rows.
        effective_sample_size: of the weights; None for methods that do not draw by weight.
        seconds: how long the draw took.
    """

    rows: list[npt.NDArray[np.int64]]
    tokens: list[npt.NDArray[np.uint32]]
    effective_sample_size: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of the tokens by the values of a column.

    Attributes:
        values: the values with the greatest shares, as text; a last one for all others if there
            are more.
        raw: the share of each in raw.
        selected: by method and budget, the mean share over the seeds.
    """

    values: Sequence[str]
    raw: Sequence[float]
    selected: Mapping[tuple[int, int], Sequence[float]]


def first_rows(scores: Sequence[ShardScores]) -> list[int]:
    """Return the number in the corpus of each unit's first row."""
    return [0, *itertools.accumulate(unit.rows for unit in scores)][: len(scores)]


def overlaps(
    drawn: Mapping[Trial, Drawn], scores: Sequence[ShardScores]
) -> dict[tuple[int, int, int], float]:
    """Return the mean overlap of each pair of methods, by budget."""
    starts = first_rows(scores)
    found: dict[tuple[int, int, int], list[float]] = {}
    by_cell: dict[tuple[int, int], list[tuple[int, npt.NDArray[np.int64]]]] = {}
    for trial, one in drawn.items():
        parts = [rows + first for first, rows in zip(starts, one.rows, strict=True)]
        everything = np.concatenate([np.zeros(0, np.int64), *parts])
        by_cell.setdefault((trial.budget, trial.seed), []).append((trial.method, everything))
    for (budget, _), selections in by_cell.items():
        for (first, mine), (second, others) in itertools.combinations(selections, 2):
            common = len(np.intersect1d(mine, others, assume_unique=True))
            share = common / max(1, len(mine) + len(others) - common)
            found.setdefault((budget, first, second), []).append(share)
    return {key: float(np.mean(shares)) for key, shares in found.items()}


def shares_of(
    column: str | None,
    drawn: Mapping[Trial, Drawn],
    scores: Sequence[ShardScores],
    extra: ExtraColumns,
) -> Shares | None:
    """Return the shares of a column's values in raw and in all selections; None for no column."""
    if column is None:
        return None
    own = [unit.of_columns(0, 1) for unit in scores]
    for unit in own:
        unit.columns = [extra.groups.index(column)]
    names = merge_groups(own, (column,)).names[0]
    of_raw = np.zeros(len(names))
    selected = {trial: np.zeros(len(names)) for trial in drawn}
    for number, unit in enumerate(own):
        codes = [np.zeros(0, np.uint32)]
        for batch in unit.batches():
            assert batch.group_codes is not None
            codes.append(batch.group_codes[0])
            of_raw += np.bincount(codes[-1], batch.tokens, minlength=len(names))
        joined = np.concatenate(codes)
        for trial, one in drawn.items():
            found = joined[one.rows[number]]
            selected[trial] += np.bincount(found, one.tokens[number], minlength=len(names))
    by_method: dict[tuple[int, int], list[npt.NDArray[np.float64]]] = {}
    for trial, sums in selected.items():
        by_method.setdefault((trial.method, trial.budget), []).append(sums / sums.sum())
    means = {pair: np.mean(found, axis=0) for pair, found in by_method.items()}
    return _largest(names, of_raw / max(1.0, of_raw.sum()), means)


def _largest(
    names: Sequence[str],
    raw: npt.NDArray[np.float64],
    selected: Mapping[tuple[int, int], npt.NDArray[np.float64]],
) -> Shares:
    """Return the values with the greatest shares anywhere; the others are added up."""
    greatest = np.max([raw, *selected.values()], axis=0)
    order = np.lexsort([np.arange(len(names)), -greatest])
    kept, rest = order[:_MOST_VALUES], order[_MOST_VALUES:]
    kept = kept[np.argsort(-raw[kept], kind="stable")]

    def of(shares: npt.NDArray[np.float64]) -> list[float]:
        others = [float(shares[rest].sum())] if len(rest) else []
        return [*shares[kept].tolist(), *others]

    values = [_as_text(names[number]) for number in kept]
    if len(rest):
        values.append(_OTHERS)
    return Shares(values, of(raw), {key: of(shares) for key, shares in selected.items()})


def _as_text(name: str) -> str:
    """Return a value of a column as a person reads it; it comes as JSON."""
    value = json.loads(name)
    return value if isinstance(value, str) else name
