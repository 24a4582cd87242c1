"""A small chart: a line for each method over the budgets, with the spread of each value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from dsir.report.charts import tick_label
from dsir.report.markup import Markup, joined, number, tag

_WIDTH, _HEIGHT = 720.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 24.0, 14.0, 34.0
_STYLES = 8  # Classes l0 to l7 of the style sheet; each has a colour and a dash of its own.


class Line(NamedTuple):
    """The values of one method.

    Attributes:
        name: the method.
        values: one for each budget.
        spreads: how far each value is from others of its kind; None for one seed.
    """

    name: str
    values: Sequence[float]
    spreads: Sequence[float | None]


def line_chart(
    lines: Sequence[Line],
    budgets: Sequence[str],
    *,
    title: str,
    summary: str,
    name: str,
    logarithmic: bool = False,
) -> Markup:
    """Draw the values of methods over budgets.

    Args:
        lines: the methods.
        budgets: the places on the horizontal axis, evenly spaced.
        title: what the chart shows.
        summary: the same in a sentence, for those who do not see it.
        name: tells the chart from others on the page.
        logarithmic: whether the vertical axis is logarithmic; all values are then above 0.
    """
    low, high = _range(lines, logarithmic)

    def x(place: int) -> float:
        inner = _WIDTH - _LEFT - _RIGHT
        return _LEFT + inner * (place + 0.5) / len(budgets)

    def y(value: float) -> float:
        share = (_scaled(value, logarithmic) - low) / ((high - low) or 1.0)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * min(1.0, max(0.0, share))

    drawn: list[Markup] = []
    base = _HEIGHT - _BOTTOM
    for value in _ticks(low, high, logarithmic):
        drawn.append(
            tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y(value), y2=y(value), class_="grid")
        )
        drawn.append(
            tag(
                "text",
                tick_label(value),
                x=_LEFT - 8,
                y=y(value) + 4,
                class_="tick",
                text_anchor="end",
            )
        )
    drawn.append(tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=base, y2=base, class_="axis"))
    for place, budget in enumerate(budgets):
        drawn.append(
            tag("text", budget, x=x(place), y=base + 20, class_="tick", text_anchor="middle")
        )
    for order, line in enumerate(lines):
        style = f"l{order % _STYLES}"
        # Beside each other, so that spreads of near values can be told apart.
        aside = 6.0 * (order - (len(lines) - 1) / 2)
        places = [(x(place) + aside, y(value)) for place, value in enumerate(line.values)]
        for (left, _), value, spread in zip(places, line.values, line.spreads, strict=True):
            if spread:
                least = max(value - spread, value * 1e-3) if logarithmic else value - spread
                drawn.append(
                    tag(
                        "line",
                        x1=left,
                        x2=left,
                        y1=y(least),
                        y2=y(value + spread),
                        class_=f"spread {style}",
                    )
                )
        path = "L".join(f"{number(left)} {number(up)}" for left, up in places)
        drawn.append(tag("path", d=f"M{path}", class_=f"method {style}"))
        drawn += [
            tag("circle", cx=left, cy=up, r=3.5, class_=f"mark {style}") for left, up in places
        ]
    svg = tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", summary, id=f"{name}-desc"),
        drawn,
        viewBox=f"0 0 {number(_WIDTH)} {number(_HEIGHT)}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="chart",
    )
    plot = tag("div", svg, class_="plot", tabindex="0", role="group", aria_label=title)
    return joined(tag("h3", title), _legend(lines), plot)


def _legend(lines: Sequence[Line]) -> Markup:
    return tag(
        "ul",
        [
            tag(
                "li",
                tag(
                    "svg",
                    tag("line", x1=0, x2=26, y1=6, y2=6, class_=f"method l{order % _STYLES}"),
                    class_="key-line",
                    viewBox="0 0 26 12",
                    aria_hidden="true",
                ),
                tag("bdi", line.name),
            )
            for order, line in enumerate(lines)
        ],
        class_="legend",
    )


def _scaled(value: float, logarithmic: bool) -> float:
    return math.log10(value) if logarithmic else value


def _range(lines: Sequence[Line], logarithmic: bool) -> tuple[float, float]:
    """Return the ends of the vertical axis."""
    ends = []
    for line in lines:
        for value, spread in zip(line.values, line.spreads, strict=True):
            ends += [value, value + (spread or 0.0)]
            ends.append(value if logarithmic else value - (spread or 0.0))
    scaled = [_scaled(value, logarithmic) for value in ends]
    low, high = min(scaled), max(scaled)
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin


def _ticks(low: float, high: float, logarithmic: bool) -> list[float]:
    """Return a few round numbers within the axis."""
    if logarithmic:
        powers = range(math.floor(low), math.ceil(high) + 1)
        values = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        found = [value for value in values if low <= math.log10(value) <= high]
        if len(found) >= 2:
            return found if len(found) <= 8 else [one for one in found if f"{one:e}"[0] == "1"]
        return [value for value in _ticks(10**low, 10**high, False) if value > 0]
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    step *= next((factor for factor in (1, 2, 5) if (high - low) / (step * factor) <= 6), 10)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(place * step, 12) for place in range(first, last + 1)]
