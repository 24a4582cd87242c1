"""The page of a comparison of methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dsir.plural import counted
from dsir.report.charts import bar, numbers, plain
from dsir.report.line_chart import Line, line_chart
from dsir.report.markup import Child, Markup, joined, tag
from dsir.report.page import Figure, Section, facts_list, note, page
from dsir.report.settings_table import settings_table
from dsir.report.wording import NOTHING, TIMES, cut, nats, percent, short, value_of

_MEASURES = (
    ("perplexity", "Perplexity of the documents kept out; lower is better", True),
    ("kl_reduction", "KL reduction in nats; higher is better", False),
    ("distinct_trigrams", "Distinct trigrams, as a share; higher is more varied", False),
)
_LONGEST_TEXT = 1000
_LONGEST_COMMAND = 20_000


def compare_page(content: Mapping[str, Any]) -> Markup:
    """Return the page of a comparison.

    Args:
        content: what `Comparison.describe` returns.
    """
    settings, table = content["settings"], content["table"]
    recommendation = content["recommendation"]
    budgets = list(dict.fromkeys(row["budget"] for row in table))
    chosen = [row for row in table if row["method"] == recommendation["method"]]
    ratio = _mean(row["perplexity_ratio"] for row in chosen)
    seeds = settings.get("seeds") or []
    figures = [
        Figure("Take", cut(recommendation["method"], 40), _level(recommendation["level"])),
        Figure("Perplexity", f"{ratio:.2f}{TIMES}", "of random's, mean over the budgets"),
        Figure(
            "KL reduction",
            nats(_mean(row["kl_reduction"] for row in chosen), 3),
            "nats, mean over the budgets",
        ),
        Figure("Trials", str(len(content["cells"])), _trials(table, budgets, seeds)),
    ]
    sections = [
        Section(
            "recommendation",
            "Recommendation",
            "Methods are compared seed by seed. A difference counts if it is more than twice its "
            "standard error over the seeds.",
            tag("ul", [tag("li", cut(one, _LONGEST_TEXT)) for one in recommendation["reasons"]]),
        ),
        Section(
            "ranking",
            "Ranking",
            "Measured on documents of the target that no method saw; the best of each budget "
            "first.",
            joined([_ranking(budget, table) for budget in budgets]),
        ),
    ]
    if len(budgets) > 1:  # Of one budget, the table says all.
        sections.append(
            Section(
                "charts",
                "By budget",
                "A line for each method; bars are the standard deviation over the seeds.",
                joined([_chart(measure, table, budgets) for measure in _MEASURES]),
            )
        )
    if content.get("shares"):
        sections.append(
            Section(
                "shares",
                f"Tokens by {cut(str(settings.get('shares_by')), 40)}",
                "The share of each value in the tokens of a selection, and in raw.",
                joined([_shares(budget, content["shares"]) for budget in budgets]),
            )
        )
    sections += [
        Section(
            "overlaps",
            "Overlap",
            "Rows that two selections have in common, as a share of the rows that either has.",
            joined([_overlaps(budget, content["overlaps"]) for budget in budgets]),
        ),
        Section("asked", "What was asked", "The inputs and the methods.", _asked(settings)),
        Section(
            "settings",
            "Settings",
            "The same inputs and settings give the same measures.",
            _repeat(settings),
        ),
    ]
    lead = joined(
        "Take ",
        tag("bdi", cut(recommendation["method"], 60)),
        f". {cut(recommendation['reasons'][0], 400)}" if recommendation["reasons"] else ".",
    )
    return page(
        title=cut(_title(settings), 80),
        kind="Comparison",
        lead=lead,
        figures=figures,
        sections=sections,
    )


def _title(settings: Mapping[str, Any]) -> str:
    """Return what was compared, by the file names of the target."""
    target = settings.get("target")
    if isinstance(target, Mapping):
        return ", ".join(map(str, target))
    if isinstance(target, list) and target:
        return str(target[0]).rstrip("/").rpartition("/")[2] or str(target[0])
    return "Methods"


def _level(level: Sequence[str]) -> str:
    return f"level with it: {cut(', '.join(level), 80)}" if level else "no other is level with it"


def _trials(table: Sequence[Any], budgets: Sequence[str], seeds: Sequence[Any]) -> str:
    methods = len(dict.fromkeys(row["method"] for row in table))
    return (
        f"{counted(methods, 'method')}, {counted(len(budgets), 'budget')}, "
        f"{counted(len(seeds), 'seed')}"
    )


def _ranking(budget: str, table: Sequence[Mapping[str, Any]]) -> Markup:
    """Return the measures of a budget, and folded away what the selections are like."""
    rows = [row for row in table if row["budget"] == budget]
    most = max(row["perplexity"] for row in rows)
    measures = [
        [
            tag("td", _with_spread(row, "perplexity")),
            tag("td", bar(row["perplexity"], most, "selected"), class_="bars"),
            tag("td", f"{row['perplexity_ratio']:.2f}{TIMES}"),
            tag("td", _with_spread(row, "kl_reduction")),
            tag("td", percent(row["distinct_trigrams"])),
        ]
        for row in rows
    ]
    names = ("perplexity", "", "of random's", "KL reduction", "distinct trigrams")
    shown = _table_of(budget, rows, names, measures)
    selections = [
        [
            tag("td", short(row["documents"])),
            tag("td", short(_number(row, "tokens"))),
            tag("td", short(_number(row, "median_tokens"))),
            tag("td", _optional(row, "effective_sample_size")),
            tag("td", f"{_number(row, 'seconds'):.1f}"),
        ]
        for row in rows
    ]
    others = ("documents", "tokens", "median length", "effective sample size", "seconds")
    label = f"Ranking at {budget}"
    drawn = tag("div", shown, class_="scroll", tabindex="0", role="group", aria_label=label)
    return joined(drawn, numbers(_table_of(budget, rows, others, selections)))


def _table_of(
    budget: str,
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    cells: Sequence[Sequence[Markup]],
) -> Markup:
    """Return a table with a row for each method."""
    head = [tag("th", "method", scope="col")]
    head += [tag("th", name, scope="col") if name else tag("td") for name in names]
    body = [
        tag("tr", tag("th", tag("bdi", row["method"]), scope="row"), found)
        for row, found in zip(rows, cells, strict=True)
    ]
    caption = tag("caption", "Budget ", tag("bdi", budget))
    return tag("table", caption, tag("thead", tag("tr", head)), tag("tbody", body))


def _with_spread(row: Mapping[str, Any], name: str) -> str:
    spread = row.get(f"{name}_spread")
    value = plain(row[name]) if name == "perplexity" else nats(row[name], 3)
    if not isinstance(spread, int | float):
        return value
    said = plain(spread) if name == "perplexity" else nats(spread, 3)
    return f"{value} \N{PLUS-MINUS SIGN} {said}"


def _optional(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return short(value) if isinstance(value, int | float) else NOTHING


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _chart(
    measure: tuple[str, str, bool], table: Sequence[Mapping[str, Any]], budgets: Sequence[str]
) -> Markup:
    name, title, logarithmic = measure
    methods = sorted(dict.fromkeys(row["method"] for row in table))
    by_cell = {(row["method"], row["budget"]): row for row in table}
    lines = []
    for method in methods:
        rows = [by_cell.get((method, budget)) for budget in budgets]
        present = [row for row in rows if row is not None]
        if len(present) == len(budgets):
            spreads = [row.get(f"{name}_spread") for row in present]
            lines.append(Line(method, [row[name] for row in present], spreads))
    summary = "; ".join(
        f"{line.name}: "
        + ", ".join(
            f"{plain(value)} at {budget}"
            for value, budget in zip(line.values, budgets, strict=True)
        )
        for line in lines
    )
    return line_chart(
        lines, budgets, title=title, summary=f"{summary}.", name=name, logarithmic=logarithmic
    )


def _overlaps(budget: str, overlaps: Sequence[Mapping[str, Any]]) -> Markup:
    rows = [row for row in overlaps if row.get("budget") == budget]
    known = {(row.get("method"), row.get("other")): row.get("overlap") for row in rows}
    methods = list(dict.fromkeys(one for pair in known for one in pair))
    body = []
    for method in methods:
        cells: list[Child] = []
        for other in methods:
            share = known.get((method, other), known.get((other, method)))
            cells.append(tag("td", percent(share) if isinstance(share, int | float) else NOTHING))
        body.append(tag("tr", tag("th", tag("bdi", str(method)), scope="row"), cells))
    head = tag("tr", tag("td"), [tag("th", tag("bdi", str(one)), scope="col") for one in methods])
    caption = tag("caption", "Budget ", tag("bdi", budget))
    drawn = tag("table", caption, tag("thead", head), tag("tbody", body))
    label = f"Overlap at {budget}"
    return tag("div", drawn, class_="scroll", tabindex="0", role="group", aria_label=label)


def _shares(budget: str, shares: Sequence[Mapping[str, Any]]) -> Markup:
    rows = [row for row in shares if row.get("budget") == budget]
    values = list(dict.fromkeys(str(row.get("value")) for row in rows))
    methods = list(dict.fromkeys(str(row.get("method")) for row in rows))
    known = {(str(row.get("value")), str(row.get("method"))): row for row in rows}
    body = []
    for value in values:
        of_value = [known.get((value, method), {}) for method in methods]
        raw = of_value[0].get("raw_share")
        cells: list[Child] = [tag("td", percent(raw if isinstance(raw, float) else None))]
        for row in of_value:
            share = row.get("share")
            cells.append(tag("td", percent(share if isinstance(share, float) else None)))
        body.append(tag("tr", tag("th", tag("bdi", cut(value, 80)), scope="row"), cells))
    names = [tag("th", "raw", scope="col")]
    names += [tag("th", tag("bdi", one), scope="col") for one in methods]
    caption = tag("caption", "Budget ", tag("bdi", budget))
    head = tag("tr", tag("td"), names)
    return numbers_of(
        budget, tag("table", caption, tag("thead", head), tag("tbody", body)), folded=len(rows) > 60
    )


def numbers_of(budget: str, table: Markup, *, folded: bool) -> Markup:
    """Return a table, folded away if it is long."""
    if folded:
        return joined(tag("h3", "Budget ", tag("bdi", budget)), numbers(table))
    label = f"Shares at {budget}"
    return tag("div", table, class_="scroll", tabindex="0", role="group", aria_label=label)


def _asked(settings: Mapping[str, Any]) -> Markup:
    found: list[tuple[str, Child]] = []
    for title, name in (("Raw", "raw"), ("Target", "target")):
        value = settings.get(name)
        found.append((title, "in memory" if value is None else tag("bdi", _short(value))))
    parts = settings.get("documents")
    if isinstance(parts, list):
        said = ", ".join(value_of(one[1]) for one in parts if isinstance(one, list) and one[1:])
        found.append(("Documents kept out", f"{said} (by seed)"))
    methods = settings.get("methods")
    if isinstance(methods, Mapping):
        for name, given in methods.items():
            found.append((cut(str(name), 60), tag("bdi", _short(given))))
    arguments = settings.get("arguments")
    if arguments:
        found.append(("For all methods", tag("bdi", _short(arguments))))
    return facts_list(found)


def _repeat(settings: Mapping[str, Any]) -> Markup:
    command = settings.get("command")
    parts: list[Child] = []
    if isinstance(command, str) and len(command) <= _LONGEST_COMMAND:
        parts += [
            tag("h3", "Compare again"),
            tag("pre", tag("code", command, id="command")),
            tag("button", "Copy", type="button", data_copies="command", hidden=True),
        ]
    else:
        parts.append(
            note(
                "The command is long; compare.json has it."
                if command
                else "The inputs or a method were in memory, so no command repeats the comparison; "
                "call dsir.compare with the settings below."
            )
        )
    others = {name: _short(value) for name, value in settings.items() if name != "command"}
    parts.append(settings_table(others))
    return joined(parts)


def _short(value: object) -> str:
    """Return a setting as a person reads it; long lists of files are cut off."""
    return cut(value_of(value), _LONGEST_TEXT)


def _mean(values: Iterable[float]) -> float:
    found = [float(value) for value in values]
    return sum(found) / max(1, len(found))
