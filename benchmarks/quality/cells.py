"""Measurements, kept a line each as they come, so that a run can go on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Cell = dict[str, Any]
KEY = ("target", "seed", "budget", "method")


class Cells:
    """Measurements by target, seed, budget and method, in a file of JSON Lines.

    Args:
        path: the file; what it has already is not measured again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cells: dict[tuple[Any, ...], Cell] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                cell = json.loads(line)
                self._cells[tuple(cell[name] for name in KEY)] = cell

    def __contains__(self, key: tuple[Any, ...]) -> bool:
        return key in self._cells

    def add(self, cell: Cell) -> None:
        """Keep a measurement, at the end of the file."""
        self._cells[tuple(cell[name] for name in KEY)] = cell
        with self._path.open("a") as file:
            file.write(json.dumps(cell) + "\n")

    def of(self, **wanted: Sequence[Any]) -> list[Cell]:
        """Return the measurements whose values are among the wanted ones, by name."""
        return [
            cell
            for cell in self._cells.values()
            if all(not values or cell[name] in values for name, values in wanted.items())
        ]


def against(
    cells: Iterable[Cell], reference: str
) -> list[tuple[str, bool, str, list[tuple[Cell, Cell]]]]:
    """Pair measurements with those of the reference, for each method, kind of target and budget.

    Returns:
        Method, whether its constants were chosen on these targets, budget, and the pairs of the
        method's and the reference's measurements of the same target and seed.
    """
    found = list(cells)
    known = {
        (one["target"], one["seed"], one["budget"]): one
        for one in found
        if one["method"] == reference
    }
    groups: dict[tuple[str, bool, str], list[tuple[Cell, Cell]]] = {}
    for one in found:
        other = known.get((one["target"], one["seed"], one["budget"]))
        if one["method"] != reference and other is not None:
            key = (one["method"], one["tuned"], one["budget"])
            groups.setdefault(key, []).append((one, other))
    order = list(dict.fromkeys(one["method"] for one in found))
    budgets = list(dict.fromkeys(one["budget"] for one in found))
    return [
        (*key, groups[key])
        for key in sorted(groups, key=lambda k: (order.index(k[0]), not k[1], budgets.index(k[2])))
    ]


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean."""
    return float(np.exp(np.mean(np.log(list(values)))))


def by_target(
    pairs: Iterable[tuple[Cell, Cell]], value: Callable[[Cell, Cell], float]
) -> dict[str, list[float]]:
    """Return a value of each pair, by target."""
    found: dict[str, list[float]] = {}
    for one, other in pairs:
        found.setdefault(one["target"], []).append(value(one, other))
    return found
