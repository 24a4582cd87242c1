"""The page of explained documents."""

from __future__ import annotations

from collections.abc import Sequence

from dsir.plural import counted
from dsir.report.charts import bar, plain, signed
from dsir.report.explaining import ExplainedSelection, ExplainedText
from dsir.report.markup import Markup, joined, tag
from dsir.report.page import Section, note, page
from dsir.report.rounds import Paid
from dsir.report.sample_text import marked_text
from dsir.report.select_tables import contributions


def explain_page(title: str, texts: Sequence[ExplainedText], top: int, characters: int) -> Markup:
    """Return the page of documents with what their n-grams contribute.

    Args:
        title: the name of the model or selection.
        texts: the documents.
        top: how many n-grams to show of each; 0 for all.
        characters: how much of each text to show.
    """
    sections = [
        Section(
            f"document-{number}",
            "Text" if one.row is None else f"Row {one.row:,}",
            _about(one),
            _document(one, top, characters),
        )
        for number, one in enumerate(texts)
    ]
    lead = (
        "Shaded tokens raise the log-weight; tokens with a dotted line lower it. The darker, the "
        "more."
    )
    return page(title=title, kind="Explanation", lead=lead, figures=[], sections=sections)


def explain_selection_page(title: str, found: ExplainedSelection) -> Markup:
    """Return the page of what n-grams contribute to a whole selection."""
    most = max((abs(one.amount) for one in (*found.lifting, *found.lowering)), default=1.0)
    tables = tag(
        "div",
        contributions("Raise log-weights", found.lifting, most, "selected"),
        contributions("Lower log-weights", found.lowering, most, "against"),
        class_="pair",
    )
    how = f"Mean over {found.documents:,} of {counted(found.rows, 'row')}."
    section = Section("ngrams", "N-grams", how, tables)
    lead = "What n-grams contribute to the log-weights of the selected documents, on average."
    return page(title=title, kind="Explanation", lead=lead, figures=[], sections=[section])


def _about(one: ExplainedText) -> str:
    parts = [f"Log-weight {plain(one.log_weight)}."]
    if one.target:
        parts.append(f"Target {one.target}.")
    if one.where:
        parts.append(f"From {one.where}.")
    return " ".join(parts)


def _document(one: ExplainedText, top: int, characters: int) -> Markup:
    shown = one.ngrams[:top] if top > 0 else one.ngrams
    most = max((abs(entry["contribution"]) for entry in shown), default=1.0)
    rows = [
        tag(
            "tr",
            tag("th", tag("span", name_of(entry)[:200], class_="gram"), scope="row"),
            tag("td", bar(abs(entry["contribution"]), most, style_of(entry)), class_="bars"),
            tag("td", signed(entry["contribution"])),
            tag("td", entry["count"]),
        )
        for entry in shown
    ]
    text = tag("div", marked_text(one.text, characters), class_="sample")
    why = [] if one.paid is None else [_paid(one.paid, top)]
    table = _ngram_table("n-gram", "contribution", rows, len(one.ngrams))
    return joined(text, table, *why)


def _ngram_table(what: str, amount: str, rows: list[Markup], total: int) -> Markup:
    """Return a table of n-grams with a bar, an amount and a count, and of how many they are."""
    head = tag(
        "tr",
        tag("th", what, scope="col"),
        tag("td"),
        tag("th", amount, scope="col"),
        tag("th", "count", scope="col"),
    )
    table = tag("table", tag("thead", head), tag("tbody", rows))
    told = note(f"{len(rows):,} of {counted(total, 'n-gram')}.")
    return joined(tag("div", table, class_="scroll"), told)


def taken_in(paid: Paid) -> str:
    """Say which round took a document, and for what gain."""
    return (
        f"Taken in round {paid.turn} of {paid.rounds}, with a gain of {paid.gain:.3f}: the mean "
        "over its n-grams of the share that the target has, over the share that was selected then."
    )


def _paid(paid: Paid, top: int) -> Markup:
    shown = paid.ngrams[:top] if top > 0 else paid.ngrams
    most = max((entry["gain"] for entry in shown), default=1.0)
    rows = [
        tag(
            "tr",
            tag("th", tag("span", str(entry["ngram"])[:200], class_="gram"), scope="row"),
            tag("td", bar(entry["gain"], most, "selected"), class_="bars"),
            tag("td", plain(entry["gain"])),
            tag("td", entry["count"]),
        )
        for entry in shown
    ]
    table = _ngram_table("n-gram that paid", "gain", rows, len(paid.ngrams))
    return joined(tag("p", taken_in(paid)), table)


def style_of(entry: dict[str, object]) -> str:
    """Return the class of a contribution's colour."""
    amount = entry["contribution"]
    return "selected" if isinstance(amount, float) and amount > 0 else "against"


def name_of(entry: dict[str, object]) -> str:
    """Return the n-gram of a contribution; that of a text's length, or of any text, has none."""
    return "(the text as a whole)" if entry["ngram"] is None else str(entry["ngram"])
