"""Settings and inputs, as pages list them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dsir.plural import counted
from dsir.report.markup import Child, Markup, tag
from dsir.report.wording import cut, value_of

_NAMED_PATHS = 8


def settings_table(settings: Mapping[str, Any]) -> Markup:
    """Return all settings of a run, folded away."""
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", tag("bdi", value_of(value))))
        for name, value in settings.items()
    ]
    table = tag("div", tag("table", tag("tbody", rows)), class_="scroll")
    return tag("details", tag("summary", f"All {len(rows)} settings"), table)


def inputs_list(entries: Sequence[Mapping[str, Any]]) -> Markup:
    """List inputs; with many of them the first few."""
    lines: list[Child] = []
    for entry in entries[:_NAMED_PATHS]:
        name = str(entry.get("path") or entry.get("name") or "in memory")
        rows = entry.get("rows")
        said = (
            tag("span", f" {counted(rows, 'row')}", class_="quiet")
            if isinstance(rows, int)
            else None
        )
        lines.append(tag("li", tag("bdi", cut(name)), said))
    if len(entries) > _NAMED_PATHS:
        lines.append(tag("li", f"and {len(entries) - _NAMED_PATHS:,} more", class_="quiet"))
    return tag("ul", lines)
