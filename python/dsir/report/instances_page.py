"""The page of the labelled rows that GAIS kept."""

from __future__ import annotations

from collections.abc import Mapping

from dsir.report import charts
from dsir.report.charts import Stream, bar
from dsir.report.instances import InstancesFacts
from dsir.report.markup import Markup, joined, tag
from dsir.report.page import Figure, Section, facts_list, note, page
from dsir.report.select_tables import share_table
from dsir.report.settings_table import settings_table
from dsir.report.wording import percent, value_of

_STYLES = {"everything": "raw", "kept": "selected", "random": "target"}
_JUDGES = {"1-NN": "nearest neighbour", "forest": "random forest", "linear": "linear model"}


def instances_page(facts: InstancesFacts) -> Markup:
    """Return the page of the rows that GAIS kept."""
    accounts = facts.content["accounts"]
    rows, kept = accounts["rows"], accounts["written"]
    share = percent(kept / max(1, rows))
    figures = [Figure("Kept", f"{kept:,}", f"{share} of {rows:,} rows")]
    figures.append(Figure("Classes", f"{facts.classes.distinct:,}", "among the rows kept"))
    report = facts.content.get("report")
    if isinstance(report, Mapping):
        for judge, found in report["accuracy"].items():
            beside = f"all rows {percent(found['everything'])}, random {percent(found['random'])}"
            figures.append(
                Figure(_JUDGES.get(judge, judge).capitalize(), percent(found["kept"]), beside)
            )
    drawing = charts.flow(
        rows, [], rows, [Stream("left out", rows - kept)], kept, names=("read", "labelled", "kept")
    )
    sections = [
        Section("asked", "What was asked", "The settings that decide most.", _asked(facts)),
        Section("accounts", "What became of every row", "Bars are rows.", tag("figure", drawing)),
        Section(
            "accuracy",
            "Accuracy",
            "Classifiers that were trained on all rows, on the rows kept, and on as many random "
            "rows, judged on rows that none of them saw.",
            _accuracy(report),
        ),
        Section("classes", "Classes", "The labels of the rows kept.", share_table(facts.classes)),
        Section(
            "settings",
            "Settings",
            "The same inputs and settings keep the same rows.",
            settings_table(facts.content["settings"]),
        ),
    ]
    lead = f"{kept:,} of {rows:,} labelled rows were kept, {share}."
    return page(title=facts.name, kind="GAIS", lead=lead, figures=figures, sections=sections)


def _asked(facts: InstancesFacts) -> Markup:
    settings = facts.content["settings"]
    shown = {
        "label": "Label",
        "text": "Text",
        "features": "Features",
        "categorical": "Categories",
        "keep": "Keep",
        "shares": "Shares of classes",
        "metric": "Judged by",
        "weights": "Weights",
        "select": "Chosen by",
        "score": "Score",
        "graph": "Graph",
        "seed": "Seed",
    }
    return facts_list(
        [
            (name, value_of(settings[key]))
            for key, name in shown.items()
            if settings.get(key) is not None
        ]
    )


def _accuracy(report: object) -> Markup:
    if not isinstance(report, Mapping):
        return note("Not measured: give --report to dsir gais.")
    parts = []
    for judge, found in report["accuracy"].items():
        rows = [
            tag(
                "tr",
                tag(
                    "th",
                    {"everything": "all rows", "kept": "rows kept", "random": "random rows"}.get(
                        name, name
                    ),
                    scope="row",
                ),
                tag("td", bar(value, 1.0, _STYLES.get(name, "raw")), class_="bars"),
                tag("td", percent(value)),
            )
            for name, value in found.items()
        ]
        parts.append(
            tag("table", tag("caption", _JUDGES.get(judge, judge).capitalize()), tag("tbody", rows))
        )
    remark = note(
        f"Measured on {report['held_out']:,} rows that were held out; {report['rows_kept']:,} of "
        f"the others were kept. The largest class alone has {percent(report['majority'])}."
    )
    return joined(tag("div", parts, class_="pair"), remark)
