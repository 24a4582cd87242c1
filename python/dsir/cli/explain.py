"""dsir explain."""

from __future__ import annotations

import json
import math
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from dsir.arguments import shown as shortened
from dsir.cli import options
from dsir.cli.command import command
from dsir.corpus import texts
from dsir.corpus.names_or_texts import exists
from dsir.errors import DsirWarning, RowError, SettingError
from dsir.model.estimators import load_estimator


@command()
def explain(
    model: options.ModelArgument,
    text: Annotated[
        str | None, typer.Argument(help="The text; without it or --file, standard input is read.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Explain the text of this UTF-8 file, all of it."),
    ] = None,
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
    as_json: options.Json = False,
) -> None:
    """Show how much each n-gram contributes to a text's log-weight.

    **Examples**

    `dsir explain model.dsir "A film that nobody should miss."`

    `dsir explain selected/ --top 50 < document.txt`
    """
    if text is not None and file is not None:
        raise SettingError("give TEXT or --file, not both")
    if text is None:
        text = _text_of(file)
    elif exists(text):
        warnings.warn(
            f"{shortened(text)}: is explained as a text, and is the name of a file; for what the "
            "file holds give --file",
            DsirWarning,
            stacklevel=2,
        )
    if not text.strip():
        warnings.warn("the text is empty: there is nothing to explain", DsirWarning, stacklevel=2)
    loaded = load_estimator(model, label=label)
    table = loaded.explain(text, target=target)
    shown = table.slice(0, top) if top > 0 else table
    if target is not None and not loaded.column_names:
        # The table explains the log-weight under one target, not the mixture's.
        log_weight = math.fsum(table["contribution"].to_pylist())
    else:
        column = list(loaded.column_names).index(target) if target is not None else 0
        log_weight = float(loaded.score(texts([text])).reshape(-1)[column])
    if as_json:
        found = {"log_weight": log_weight, "ngrams": shown.to_pylist()}
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    _print(shown.to_pylist(), log_weight, table.num_rows)


def _text_of(file: Path | None) -> str:
    """Read the text of a file, or of standard input."""
    name = "standard input" if file is None else str(file)
    try:
        data = sys.stdin.buffer.read() if file is None else file.read_bytes()
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowError(f"{name}: is not UTF-8 (at byte {error.start})") from error


def _print(rows: list[dict[str, object]], log_weight: float, total: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2))
    table.add_column("contribution", justify="right")
    table.add_column("count", justify="right")
    table.add_column("bucket", justify="right")
    table.add_column("n-gram")
    for row in rows:
        # Text, because an n-gram may look like markup.
        ngram = Text("(the number of tokens)" if row["ngram"] is None else str(row["ngram"]))
        bucket = "" if row["bucket"] is None else str(row["bucket"])
        table.add_row(f"{row['contribution']:+.3f}", str(row["count"]), bucket, ngram)
    console = Console(highlight=False)
    console.print(table)
    console.print(f"log-weight {log_weight:+.3f}; {len(rows):,} of {total:,} n-grams shown")
