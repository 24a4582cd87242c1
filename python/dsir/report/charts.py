"""The charts of a page: SVG whose colours are the classes of the style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from dsir.report.facts import Histogram
from dsir.report.markup import Markup, joined, number, tag
from dsir.report.wording import MINUS

WIDTH = 720
_BASE, _TOP, _BOTTOM, _SIDE = 250, 14, 34, 6
_STYLES = {"raw": "raw", "selected": "selected", "target": "target"}


class Stream(NamedTuple):
    """A stream that leaves the flow.

    Attributes:
        label: what becomes of these rows.
        rows: how many they are.
    """

    label: str
    rows: int


def distribution(found: Histogram, *, title: str, summary: str, unit: str, name: str) -> Markup:
    """Draw a histogram: an area for raw, one for the selection, a line for the target.

    Args:
        found: the histogram.
        title: what the chart shows.
        summary: the same in a sentence, for those who do not see it.
        unit: what the horizontal axis measures.
        name: tells the chart from others on the page.
    """
    height = _BASE + _BOTTOM
    top = _tallest(found)
    inner = WIDTH - 2 * _SIDE

    def x(value: float) -> float:
        edges = found.edges
        if found.logarithmic:
            value, low, high = math.log(value), math.log(edges[0]), math.log(edges[-1])
        else:
            low, high = float(edges[0]), float(edges[-1])
        return _SIDE + inner * (value - low) / (high - low)

    drawn = []
    for series, shares in found.shares.items():
        style = _STYLES.get(series, "raw")
        places = [x(float(edge)) for edge in found.edges]
        heights = [_BASE - (_BASE - _TOP) * min(1.0, float(share) / top) for share in shares]
        steps = " ".join(
            f"L{number(left)} {number(up)}L{number(right)} {number(up)}"
            for left, right, up in zip(places, places[1:], heights, strict=False)
        )
        outline = f"M{number(places[0])} {_BASE}{steps}L{number(places[-1])} {_BASE}"
        if style != "target":
            drawn.append(tag("path", d=f"{outline}Z", class_=f"area {style}"))
        drawn.append(tag("path", d=outline, class_=f"outline {style}"))
    medians = [
        tag(
            "line",
            x1=x(_inside(found, found.medians[series])),
            x2=x(_inside(found, found.medians[series])),
            y1=float(_TOP - 8),
            y2=float(_BASE),
            class_=f"median {_STYLES.get(series, 'raw')}",
        )
        for series in found.shares
    ]
    axis = [tag("line", x1=0, x2=WIDTH, y1=_BASE, y2=_BASE, class_="axis")]
    for value in axis_ticks(found):
        place = x(value)
        anchor = "start" if place < 30 else "end" if place > WIDTH - 30 else "middle"
        axis.append(tag("line", x1=place, x2=place, y1=_BASE, y2=_BASE + 5, class_="axis"))
        axis.append(
            tag("text", tick_label(value), x=place, y=_BASE + 20, class_="tick", text_anchor=anchor)
        )
    svg = tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", summary, id=f"{name}-desc"),
        drawn,
        medians,
        axis,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="chart",
    )
    legend = tag(
        "ul",
        [
            tag(
                "li",
                tag("span", class_=f"key {_STYLES.get(series, 'raw')}", aria_hidden="true"),
                tag("strong", series),
                f" median {plain(found.medians[series])}",
                tag("span", f" of {found.documents[series]:,} documents", class_="quiet"),
            )
            for series in found.shares
        ],
        class_="legend",
    )
    return joined(legend, _plot(svg, title), _axis_note(found, unit))


def _plot(svg: Markup, title: str) -> Markup:
    """Return a chart that scrolls where it is wider than the screen, by keyboard as well."""
    return tag("div", svg, class_="plot", tabindex="0", role="group", aria_label=title)


def _tallest(found: Histogram) -> float:
    """Return the share that reaches the top.

    What lies beyond the bins is in the first and last of them, and may be most of a series. These
    two bars may be cut off; the note below the chart says what they hold.
    """
    low, high = found.beyond
    inner = slice(1 if low else 0, -1 if high else None)
    tallest = max(float(one[inner].max()) for one in found.shares.values())
    return tallest or max(float(one.max()) for one in found.shares.values()) or 1.0


def _axis_note(found: Histogram, unit: str) -> Markup:
    said = unit
    for place, end, beyond in zip((0, -1), ("left", "right"), found.beyond, strict=True):
        if beyond:
            held = ", ".join(
                f"{float(shares[place]):.0%} of {series}"
                for series, shares in found.shares.items()
                if shares[place] >= 0.005
            )
            said += f"; the {end}most bar holds all beyond it{f' ({held})' if held else ''}"
    return tag("p", f"{said}.", class_="axis-note")


def table_of(found: Histogram, unit: str) -> Markup:
    """Return the numbers of a histogram as a table, four bins to a row."""
    names = list(found.shares)
    rows = []
    for first in range(0, len(found.edges) - 1, 4):
        last = min(first + 4, len(found.edges) - 1)
        cells = [tag("td", f"{float(found.shares[s][first:last].sum()):.1%}") for s in names]
        ends = f"{plain(float(found.edges[first]))} to {plain(float(found.edges[last]))}"
        rows.append(tag("tr", tag("th", ends, scope="row"), cells))
    head = tag("tr", [tag("th", one, scope="col") for one in (unit, *names)])
    return numbers(tag("table", tag("thead", head), tag("tbody", rows)))


def numbers(table: Markup) -> Markup:
    """Fold a table of numbers away."""
    return tag("details", tag("summary", "The numbers"), tag("div", table, class_="scroll"))


def flow(
    read: int,
    before: Sequence[Stream],
    eligible: int,
    after: Sequence[Stream],
    selected: int,
    *,
    names: tuple[str, str, str] = ("read", "eligible", "selected"),
) -> Markup:
    """Draw what became of all rows: three bars, and streams that leave between them.

    Args:
        read: rows read.
        before: what became of the rows that could not be selected.
        eligible: rows that could be selected.
        after: what became of those that were not.
        selected: rows selected.
        names: what the rows of the three bars are.
    """
    tall, bar = 190.0, 10.0
    left, middle, right = 0.0, 300.0, 600.0
    gone = [one for one in before if one.rows]
    missed = [one for one in after if one.rows]
    height = max(tall + 60, 78 + 22.0 * max(len(gone), len(missed)) + tall * 0.5)

    def tallness(rows: int) -> float:
        return max(1.5 if rows else 0.0, tall * rows / max(1, read))

    y0 = 30.0
    shapes = [
        _band(left + bar, y0, middle, y0, tallness(eligible), "eligible"),
        _band(middle + bar, y0, right, y0, tallness(selected), "selected"),
        _rect(left, y0, bar, tallness(read), "raw"),
        _rect(middle, y0, bar, tallness(eligible), "eligible"),
        _rect(right, y0, bar, tallness(selected), "selected"),
    ]
    labels = [
        _label(left, y0 - 10, names[0], read, "start"),
        _label(middle, y0 - 10, names[1], eligible, "start"),
        _label(right, y0 - 10, names[2], selected, "start"),
    ]
    shapes += _leaving(left + bar, y0 + tallness(eligible), tallness, gone, height, "left-out")
    shapes += _leaving(middle + bar, y0 + tallness(selected), tallness, missed, height, "left-out")
    said = "; ".join(f"{one.label} {one.rows:,}" for one in (*gone, *missed))
    title = "What became of all rows"
    summary = ", ".join(
        f"{rows:,} {name}" for name, rows in zip(names, (read, eligible, selected), strict=True)
    )
    summary += f". {said}." if said else "."
    svg = tag(
        "svg",
        tag("title", title, id="flow-title"),
        tag("desc", summary, id="flow-desc"),
        shapes,
        labels,
        viewBox=f"0 0 {WIDTH} {number(height)}",
        role="img",
        aria_labelledby="flow-title flow-desc",
        class_="chart flow",
    )
    return _plot(svg, title)


def _leaving(
    x: float,
    y: float,
    tallness: Callable[[int], float],
    streams: Sequence[Stream],
    height: float,
    style: str,
) -> list[Markup]:
    """Draw the streams that leave a bar below the stream that goes on."""
    found: list[Markup] = []
    label_y = height - 14 - 22.0 * (len(streams) - 1)
    for one in streams:
        tall = tallness(one.rows)
        end = x + 46
        found.append(_band(x, y, end, label_y - 5 - min(tall, 9) / 2, tall, style, min(tall, 9)))
        found.append(
            tag(
                "text",
                tag("tspan", f"{one.rows:,}", class_="amount"),
                f" {one.label}",
                x=end + 8,
                y=label_y,
                class_="label",
            )
        )
        y += tall
        label_y += 22
    return found


def _band(
    x0: float, y0: float, x1: float, y1: float, tall: float, style: str, end: float | None = None
) -> Markup:
    """Draw a band between two places, `tall` at its beginning and `end` at its end."""
    end = tall if end is None else end
    half = (x0 + x1) / 2
    n = number
    path = (
        f"M{n(x0)} {n(y0)}C{n(half)} {n(y0)} {n(half)} {n(y1)} {n(x1)} {n(y1)}"
        f"V{n(y1 + end)}C{n(half)} {n(y1 + end)} {n(half)} {n(y0 + tall)} {n(x0)} {n(y0 + tall)}Z"
    )
    return tag("path", d=path, class_=f"band {style}")


def _rect(x: float, y: float, width: float, height: float, style: str) -> Markup:
    return tag("rect", x=x, y=y, width=width, height=height, class_=f"bar {style}")


def _label(x: float, y: float, word: str, rows: int, anchor: str) -> Markup:
    return tag(
        "text",
        tag("tspan", f"{rows:,}", class_="amount"),
        f" {word}",
        x=x,
        y=y,
        class_="label",
        text_anchor=anchor,
    )


def bar(value: float, most: float, style: str) -> Markup:
    """Draw a bar of a table; what it shows is in the cell beside it.

    Args:
        value: its length.
        most: the length that fills the cell.
        style: class of the colour.
    """
    width = 100 * min(1.0, max(0.0, value / most if most else 0.0))
    return tag(
        "svg",
        tag("rect", width=f"{number(width)}%", height="100%", class_=f"bar {style}"),
        class_="cell-bar",
        aria_hidden="true",
    )


def on_line(marks: Mapping[str, tuple[float, str]], low: float, high: float) -> Markup:
    """Draw values on a line from `low` to `high`, each with the class of its colour.

    Args:
        marks: value and class by label.
        low: left end of the line.
        high: right end.
    """

    def x(value: float) -> float:
        return 100 * (value - low) / ((high - low) or 1.0)

    shapes = [tag("line", x1="0", x2="100%", y1=10, y2=10, class_="axis")]
    shapes += [
        tag("circle", cx=f"{number(x(value))}%", cy=10, r=5, class_=f"dot {style}")
        for value, style in marks.values()
    ]
    return tag("svg", shapes, class_="line", aria_hidden="true")


def plain(value: float) -> str:
    """Return a number as a person writes it: three or four digits that count."""
    size = abs(value)
    if size >= 100 or value == round(value):
        return _minus(f"{value:,.0f}")
    return _minus(f"{value:.{1 if size >= 10 else 2 if size >= 1 else 3}f}")


def signed(value: float) -> str:
    """Return a contribution with its sign."""
    return _minus(f"{value:+.3g}" if abs(value) >= 0.001 else f"{value:+.4f}")


def _minus(number: str) -> str:
    return number.replace("-", MINUS)


def tick_label(value: float) -> str:
    """Return a round number beside an axis: no more digits than it has."""
    size = abs(value)
    return _minus(f"{value:,.0f}" if size >= 1000 or value == round(value) else f"{value:g}")


def _inside(found: Histogram, value: float) -> float:
    return min(max(value, float(found.edges[0])), float(found.edges[-1]))


def axis_ticks(found: Histogram) -> list[float]:
    """Return round numbers within a histogram."""
    low, high = float(found.edges[0]), float(found.edges[-1])
    if found.logarithmic:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        values = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        inside = [value for value in values if low <= value <= high]
        if len(inside) > 10:
            return [value for value in inside if f"{value:e}"[0] == "1"]
        # Within a factor of two or so there may be one of them, which gives no scale.
        if len(inside) > 2:
            return inside
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    step *= next((factor for factor in (1, 2, 5) if (high - low) / (step * factor) <= 8), 10)
    first = math.ceil(low / step)
    last = math.floor(high / step)
    return [round(place * step, 12) for place in range(first, last + 1)]
