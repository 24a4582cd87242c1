"""dsir explain."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from dsir.arguments.values import shown
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.explained_tables import print_explained, print_explained_selection
from dsir.corpus.names_or_texts import exists
from dsir.errors import RowError, SettingError, warn
from dsir.model.estimators import load_estimator
from dsir.remote import Location, location_of
from dsir.report.explain_page import explain_page, explain_selection_page
from dsir.report.explaining import (
    SHOWN_CHARACTERS,
    ExplainedSelection,
    ExplainedText,
    explain_rows,
    explain_selection,
    explain_text,
)
from dsir.report.folder import open_selection
from dsir.report.write import page_file, write_page


@command(reads_models=True)
def explain(
    model: options.ModelArgument,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT", help="The text; without it, --file or --row, standard input is read."
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Explain the text of this UTF-8 file, all of it."),
    ] = None,
    row: Annotated[
        list[int] | None,
        typer.Option(
            "--row",
            metavar="N",
            help="Explain this row of the selection in the folder MODEL, e.g. 0 for the first row "
            "of data/. May be repeated.",
        ),
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            metavar="",
            help="Explain the whole selection in the folder MODEL: what n-grams contribute on "
            "average, over at most 1,000 rows that are spread evenly.",
        ),
    ] = False,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The target to explain the log-weight of, e.g. law, if the model has several "
            "targets that are not pooled.",
        ),
    ] = None,
    label: options.Label = None,
    top: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="How many n-grams to show, the largest contributions first, e.g. 50; 0 shows all.",
        ),
    ] = 20,
    html: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write a page with the text in colour as well, e.g. why.html."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show how much each n-gram contributes to a text's log-weight.

    Of a row of a coverage selection (--method coverage) it also says which round took it, and which
    n-grams paid: those that the target has and the selection lacked then. That reads the texts of
    the whole selection.

    In a terminal, and on the page of --html, the text is shown with its tokens in colour.

    **Examples**

    `dsir explain model.dsir "A film that nobody should miss."`

    `dsir explain selected/ --top 50 < document.txt`

    `dsir explain selected/ --row 17 --row 30 --html why.html`

    `dsir explain selected/ --all`
    """
    given = [name for name, there in _kinds(text, file, row, every).items() if there]
    if len(given) > 1:
        raise SettingError(f"give {given[0]} or {given[1]}, not both")
    if (row or every) and (target is not None or label is not None):
        one = f"target={target!r}" if target is not None else f"label={label!r}"
        raise SettingError(f"{one}: rows of a selection have the one that took them")
    page = None if html is None else page_file(html)
    if every:
        whole = explain_selection(open_selection(location_of(model)), top)
        _write(page, lambda _: explain_selection_page(_title(model), whole))
        if as_json:
            _echo(_described_selection(whole))
        else:
            print_explained_selection(whole)
        return
    if row:
        found = explain_rows(open_selection(location_of(model)), row)
    else:
        given_text = _text_of(file) if text is None else text
        if text is not None and exists(text):
            warn(
                f"{shown(text)}: is explained as a text, and is the name of a file; for what the "
                "file holds give --file"
            )
        if not given_text.strip():
            warn("the text is empty: there is nothing to explain")
        found = [explain_text(load_estimator(model, label=label), given_text, target)]
    _write(page, lambda most: explain_page(_title(model), found, top, most))
    if as_json:
        _echo({"rows": [_described(one, top) for one in found]} if row else _of_one(found[0], top))
    else:
        print_explained(found, top)


def _kinds(
    text: str | None, file: Path | None, row: list[int] | None, every: bool
) -> dict[str, bool]:
    return {
        "TEXT": text is not None,
        "--file": file is not None,
        "--row": bool(row),
        "--all": every,
    }


def _title(model: str) -> str:
    return location_of(model).name or model


def _write(page: Location | None, page_of: Any) -> None:
    if page is not None:
        write_page(page, page_of, SHOWN_CHARACTERS)


def _described(one: ExplainedText, top: int) -> dict[str, Any]:
    return {"row": one.row, "from": one.where, "target": one.target, **_of_one(one, top)}


def _of_one(one: ExplainedText, top: int) -> dict[str, Any]:
    ngrams = one.ngrams[:top] if top > 0 else one.ngrams
    found: dict[str, Any] = {"log_weight": one.log_weight, "ngrams": ngrams}
    if one.paid is not None:
        paid = one.paid._asdict()
        paid["round"] = paid.pop("turn")
        found["coverage"] = {**paid, "ngrams": paid["ngrams"][: top or None]}
    return found


def _described_selection(found: ExplainedSelection) -> dict[str, Any]:
    return {
        "documents": found.documents,
        "rows": found.rows,
        "lifting": [one._asdict() for one in found.lifting],
        "lowering": [one._asdict() for one in found.lowering],
    }


def _echo(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _text_of(file: Path | None) -> str:
    """Read the text of a file, or of standard input."""
    name = "standard input" if file is None else str(file)
    try:
        data = sys.stdin.buffer.read() if file is None else file.read_bytes()
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowError(f"{name}: is not UTF-8 (at byte {error.start})") from error
