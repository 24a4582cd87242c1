"""A figure: the values of all rounds, their unit, and the aim."""

from __future__ import annotations

import statistics
from typing import Any, Literal, TypedDict

Better = Literal["higher", "lower"]


class Figure(TypedDict):
    """One line of a result, as in the JSON file.

    Attributes:
        name: what was measured.
        unit: "x" for a ratio of two values of one round; "MB" for memory; "s"; "MB/s"; or "".
        rounds: the value of every round.
        median: their median.
        better: which direction is better.
        asked: the aim, or None.
        met: whether the median meets the aim; None without an aim.
    """

    name: str
    unit: str
    rounds: list[float]
    median: float
    better: Better
    asked: float | None
    met: bool | None


def figure(
    name: str,
    unit: str,
    rounds: list[float],
    *,
    better: Better = "higher",
    asked: float | None = None,
) -> Figure:
    """Return a figure of the values of all rounds."""
    median = statistics.median(rounds)
    met = None if asked is None else (median >= asked if better == "higher" else median <= asked)
    return {
        "name": name,
        "unit": unit,
        "rounds": [float(f"{value:.6g}") for value in rounds],
        "median": float(f"{median:.6g}"),
        "better": better,
        "asked": asked,
        "met": met,
    }


def ratio(
    name: str,
    above: list[float],
    below: list[float],
    *,
    better: Better = "higher",
    asked: float | None = None,
) -> Figure:
    """Return a figure of the ratios, computed round by round."""
    values = [a / b for a, b in zip(above, below, strict=True)]
    return figure(name, "x", values, better=better, asked=asked)


def table(figures: list[Figure]) -> str:
    """Return figures as a table: median, least and greatest round, and aim."""
    lines = [("", "median", "least", "greatest", "asked", "")]
    for one in figures:
        sign = ">=" if one["better"] == "higher" else "<="
        lines.append(
            (
                one["name"],
                f"{_short(one['median'])} {one['unit']}".rstrip(),
                _short(min(one["rounds"])),
                _short(max(one["rounds"])),
                "" if one["asked"] is None else f"{sign} {_short(one['asked'])}",
                {None: "", True: "met", False: "MISSED"}[one["met"]],
            )
        )
    return align(lines)


def align(lines: list[tuple[str, ...]]) -> str:
    """Return rows of cells as text in columns; the first is left-aligned, the others right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def all_figures(result: dict[str, Any]) -> list[tuple[str, Figure]]:
    """Return (benchmark, figure) for every figure of a run's JSON."""
    found = []
    for benchmark, part in result.items():
        if isinstance(part, dict):
            found += [(benchmark, one) for one in part.get("figures", [])]
    return found


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
