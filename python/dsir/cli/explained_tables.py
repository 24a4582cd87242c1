"""Explained documents in a terminal: the text in colour, and what its n-grams contribute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dsir.plural import counted
from dsir.report.explain_page import name_of, taken_in
from dsir.report.facts import Contribution
from dsir.report.markup import seen
from dsir.report.sample_text import level_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from dsir.report.explaining import ExplainedSelection, ExplainedText
    from dsir.report.rounds import Paid

# What is against is underlined as well, so that colour alone says nothing.
_STYLES = {
    "f1": "cyan",
    "f2": "bold cyan",
    "f3": "bold black on cyan",
    "a1": "underline yellow",
    "a2": "underline red",
    "a3": "bold underline red",
}


def print_explained(found: Sequence[ExplainedText], top: int) -> None:
    """Print documents; the texts themselves only to a terminal.

    Args:
        found: the documents.
        top: how many n-grams to print of each; 0 for all.
    """
    from rich.console import Console

    console = Console(highlight=False)
    for number, one in enumerate(found):
        if number:
            console.print()
        if one.row is not None:
            target = f", target {one.target}" if one.target else ""
            console.print(_plain(f"row {one.row:,} ({one.where}{target})"), style="bold")
        if console.is_terminal:
            console.print(_coloured(one))
            console.print()
        _print_ngrams(console, one, top)
        if one.paid is not None:
            _print_paid(console, one.paid, top)


def print_explained_selection(found: ExplainedSelection) -> None:
    """Print what n-grams contribute to a selection on average."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2))
    table.add_column("mean contribution", justify="right")
    table.add_column("documents", justify="right")
    table.add_column("n-gram")
    for one in (*found.lifting, *reversed(found.lowering)):
        table.add_row(*_row(one))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"over {found.documents:,} of {counted(found.rows, 'row')}")


def _row(one: Contribution) -> tuple[Any, ...]:
    return f"{one.amount:+.4g}", f"{one.documents:,}", _plain(one.ngram)


def _print_ngrams(console: Console, one: ExplainedText, top: int) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2))
    table.add_column("contribution", justify="right")
    table.add_column("count", justify="right")
    table.add_column("bucket", justify="right")
    table.add_column("n-gram")
    shown = one.ngrams[:top] if top > 0 else one.ngrams
    for row in shown:
        bucket = "" if row["bucket"] is None else str(row["bucket"])
        table.add_row(
            f"{row['contribution']:+.3f}", str(row["count"]), bucket, _plain(name_of(row))
        )
    console.print(table)
    said = f"{len(shown):,} of {len(one.ngrams):,} n-grams shown"
    console.print(f"log-weight {one.log_weight:+.3f}; {said}")


def _print_paid(console: Console, paid: Paid, top: int) -> None:
    from rich.table import Table

    console.print()
    console.print(f"{taken_in(paid)} These n-grams paid:")
    table = Table(box=None, padding=(0, 2))
    table.add_column("gain", justify="right")
    table.add_column("count", justify="right")
    table.add_column("n-gram")
    shown = paid.ngrams[:top] if top > 0 else paid.ngrams
    for row in shown:
        table.add_row(f"{row['gain']:.3f}", str(row["count"]), _plain(str(row["ngram"])))
    console.print(table)
    console.print(f"{len(shown):,} of {len(paid.ngrams):,} n-grams shown")


def _coloured(one: ExplainedText) -> Text:
    """Return the beginning of a text, its tokens in the colours of their contributions."""
    from rich.text import Text

    text = Text()
    most = max((abs(amount) for _, amount in one.text.pieces), default=0.0)
    for piece, amount in one.text.pieces:
        text.append(seen(piece), style=_STYLES.get(level_of(amount, most), ""))
    if one.text.left_out:
        text.append(f"… {one.text.left_out:,} more characters", style="dim")
    return text


def _plain(text: str) -> Text:
    """Return a text as it is: it may look like markup, or hold control characters."""
    from rich.text import Text

    return Text(seen(text))
