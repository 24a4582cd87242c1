"""The options of budgets in bytes, duplicates and quotas."""

from __future__ import annotations

from typing import Annotated

import typer

from dsir.cli import options

Bytes = Annotated[
    str | None,
    typer.Option(
        "--bytes",
        metavar="SIZE",
        help="Bytes of text, such as 10GB: documents until the next would pass it.",
        rich_help_panel=options.BUDGET_PANEL,
    ),
]
MaxPerText = Annotated[
    str | None,
    typer.Option(
        "--max-per",
        metavar="COLUMN=MOST,...",
        help="The most that one value of a column may take: a share of the budget (0.2), or "
        "documents (5).",
        rich_help_panel=options.DRAW_PANEL,
    ),
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="The budget is for each value of it.",
        rich_help_panel=options.DRAW_PANEL,
    ),
]
Dedup = Annotated[
    str,
    typer.Option(
        help="'exact': of rows with the same text only the first may be selected.",
        rich_help_panel=options.DRAW_PANEL,
    ),
]


def max_per_of(value: str | None) -> dict[str, float | int] | None:
    """Read --max-per: COLUMN=MOST, separated by commas; a whole number is one of documents.

    Raises:
        SettingError: it is not of that form.
    """
    numbers = options.numbers_by_name("--max-per", value, "source=0.2")
    if value is None or numbers is None:
        return None
    whole = {entry.rpartition("=")[0].strip() for entry in value.split(",") if _is_whole(entry)}
    return {name: int(most) if name in whole else most for name, most in numbers.items()}


def _is_whole(entry: str) -> bool:
    return entry.rpartition("=")[2].strip().isdecimal()
