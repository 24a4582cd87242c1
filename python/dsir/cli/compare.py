"""dsir compare."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

import dsir
from dsir.arguments.declared import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.piped import negatives_in, piped
from dsir.comparison.compare import COMPARE_SETTINGS, CompareCall
from dsir.settings.ngram_options import NGRAMS, with_features

if TYPE_CHECKING:
    from dsir.comparison.result import Comparison

_ARGUMENTS = {
    name: one
    for name, one in arguments_of(*COMPARE_SETTINGS).items()
    if name == "methods" or name in CompareCall.__annotations__
}

_HEADINGS = (
    "budget",
    "method",
    "perplexity",
    "ratio",
    "KL red.",
    "distinct",
    "docs",
    "median",
    "sec",
)

Out = Annotated[
    str | None,
    typer.Option(
        "--out",
        "-o",
        metavar="PATH",
        help="Folder for the comparison (_dsir/compare.json) and its page (_dsir/report.html), "
        "e.g. compared/. By default nothing is written.",
    ),
]


@command({**_ARGUMENTS, **NGRAMS}, reads_models=True)
def compare(
    raw: options.Raw,
    target: options.Target,
    negatives: options.Negatives = None,
    out: Out = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Compare methods of selection on documents of the target that no method sees.

    Part of the target is kept out, and the rest is given to every method. What each selects is
    measured on the part kept out: the perplexity of a model of trigrams that is trained on the
    selection, and the KL reduction. The last lines say which method to take, and why. Equal inputs
    and settings give equal measures, for any number of threads.

    **Examples**

    `dsir compare corpus/*.parquet --target wanted.jsonl`

    `dsir compare corpus/ -t wanted.jsonl --methods coverage,resample --budgets 1%,5% -o compared/`

    `dsir compare corpus/ -t wanted.jsonl --methods "top-k,svm: estimator=classifier,method=top-k"`

    `dsir compare corpus/ -t wanted.jsonl --methods "coverage,hq: model=quality.bin,label=hq"`
    """
    given = with_features(given)
    sources, given = options.targets_of(target, given)
    with piped(raw, sources) as (inputs, targets):
        found = dsir.compare(
            inputs,
            targets,
            negatives=negatives_in(negatives),
            out=out,
            overwrite=overwrite,
            progress=not quiet,
            **given,
        )
    if as_json:
        typer.echo(json.dumps(found.describe(), indent=2))
    elif not quiet:
        _print(found)
        if out is not None:
            typer.echo(f"the page: {out.rstrip('/')}/_dsir/report.html")


def _print(found: Comparison) -> None:
    """Print the table and the recommendation."""
    # Imported here because rich takes a while to load.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1, 0, 0))
    for number, name in enumerate(_HEADINGS):
        table.add_column(name, justify="left" if number < 2 else "right", no_wrap=number != 1)
    before = None
    for row in found.table.to_pylist():
        budget = row["budget"] if row["budget"] != before else ""
        before = row["budget"]
        best = row["method"] == found.recommendation.method
        line = (
            budget,
            row["method"],
            _with_spread(row["perplexity"], row["perplexity_spread"], ".1f"),
            f"{row['perplexity_ratio']:.2f}",
            _with_spread(row["kl_reduction"], row["kl_reduction_spread"], ".3f"),
            f"{row['distinct_trigrams']:.1%}",
            f"{row['documents']:,.0f}",
            f"{row['median_tokens']:,.0f}",
            f"{row['seconds']:.1f}",
        )
        # Text, because a name may look like markup.
        table.add_row(*map(Text, line), style="bold" if best else None)
    console = Console(highlight=False)
    console.print(table)
    typer.echo(
        "perplexity of documents kept out (ratio: to random's), KL reduction, share of distinct "
        "trigrams,\ndocuments, tokens of the one in the middle, seconds of fit and draw"
    )
    typer.echo(f"\ntake {found.recommendation.method}")
    for reason in found.recommendation.reasons:
        typer.echo(f"- {reason}")


def _with_spread(value: float, spread: float | None, form: str) -> str:
    said = "" if spread is None else f"\N{PLUS-MINUS SIGN}{spread:{form}}"
    return f"{value:{form}}{said}"
