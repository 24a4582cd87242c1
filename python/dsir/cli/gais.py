"""dsir gais."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dsir.arguments import arguments_of
from dsir.cli import options
from dsir.cli.command import NGRAMS, command, with_features
from dsir.engine import thread_count
from dsir.gais.gais import GAIS, GraphName, Score, Select
from dsir.gais.labelled_files import (
    held_out_report,
    ngrams_for,
    read_instances,
    reduction_of,
    write_instances,
)
from dsir.model.features import HashedNgrams
from dsir.output.folder import check_output_folder, check_writable, clear_output_folder
from dsir.remote import location_of
from dsir.sampling import KeyRule
from dsir.settings.machine import MachineOptions

_HOW = "How to select"

_ARGUMENTS = {
    **{name: NGRAMS[name] for name in ("ngrams", "buckets")},
    **{name: one for name, one in arguments_of(KeyRule).items() if name == "seed"},
    **{name: one for name, one in arguments_of(MachineOptions).items() if name == "threads"},
}


@command(_ARGUMENTS)
def gais(
    raw: options.Raw,
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="PATH", help="Folder for the rows kept.")
    ],
    label: Annotated[str, typer.Option(help="The column of labels.")],
    features: Annotated[
        str | None,
        typer.Option(help="Columns, with commas between; default: all but the label."),
    ] = None,
    categorical: Annotated[
        str | None, typer.Option(help="Those whose values are names, with commas between.")
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="A column of texts in place of features: their n-grams.")
    ] = None,
    keep: Annotated[str, typer.Option(help="'4%' or a number of rows.")] = "4%",
    bins: Annotated[
        int | None, typer.Option(help="The label is a number: cut it into so many classes.")
    ] = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report",
            help="Try it on four fifths first: accuracy of three classifiers on the rest, against "
            "all rows and a random draw.",
        ),
    ] = False,
    select: Annotated[
        str,
        typer.Option(
            help="'coverage', 'attention-coverage', 'top' or 'sample'.", rich_help_panel=_HOW
        ),
    ] = "coverage",
    score: Annotated[
        str,
        typer.Option(
            help="'attention', 'attention-same-class' or 'confidence'.", rich_help_panel=_HOW
        ),
    ] = "attention",
    graph: Annotated[
        str,
        typer.Option(
            help="'minibatch', 'lsh', 'lsh-multilevel', 'lsh-multiview' or 'exact'.",
            rich_help_panel=_HOW,
        ),
    ] = "minibatch",
    epochs: Annotated[int, typer.Option(help="Of training at most.", rich_help_panel=_HOW)] = 100,
    passes: Annotated[
        float, typer.Option(help="Exchanges tried, a row kept.", rich_help_panel=_HOW)
    ] = 40.0,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Keep the few labelled rows of RAW that train nearly as well as all (GAIS).

    All rows are read into memory; the rows kept are written as Parquet, one part a file.

    **Examples**

    `dsir gais train.parquet --label class --keep 4% --out small/ --report`

    `dsir gais reviews/*.jsonl --label stars --text body --out small/`
    """
    hashed = with_features(given).get("features", HashedNgrams())
    seed = KeyRule(given.get("seed", 0)).seed
    folder = location_of(out)
    check_output_folder(folder, overwrite=overwrite, resuming=False)
    check_writable(folder)
    tables = read_instances(list(raw), label=label, features=_names(features), text=text)
    chosen: tuple[Select, Score, GraphName] = (select, score, graph)  # type: ignore[assignment]
    selector = GAIS(
        reduction_of(keep, len(tables)),
        select=chosen[0],
        score=chosen[1],
        graph=chosen[2],
        epochs=epochs,
        passes=passes,
        categorical=_names(categorical),
        bins=bins,
        features=ngrams_for(text, hashed.n, hashed.buckets),
        random_state=seed,
        n_jobs=thread_count(given.get("threads")),
    )
    accuracy = held_out_report(selector, tables) if report else None
    x, y = tables.inputs()
    rows = selector.fit(x, y).sample_indices_
    if overwrite:
        clear_output_folder(folder)
    description = {
        "settings": {
            "label": label,
            "features": None if tables.features is None else list(tables.features),
            "categorical": _names(categorical),
            "text": text,
            "keep": keep,
            "bins": bins,
            "select": select,
            "score": score,
            "graph": graph,
            "epochs": epochs,
            "passes": passes,
            "ngrams": hashed.n,
            "buckets": hashed.buckets,
            "seed": seed,
        },
        "rows_kept": rows.tolist(),
        "report": accuracy,
    }
    paths = write_instances(tables, rows, folder, description)
    if as_json:
        found = {
            "rows": len(tables),
            "written": len(rows),
            "report": accuracy,
            "paths": [str(path) for path in paths],
        }
        typer.echo(json.dumps(found, indent=2))
    elif not quiet:
        typer.echo(f"{out}: {len(rows):,} of {len(tables):,} rows")
        if accuracy is not None:
            typer.echo(f"accuracy on {accuracy['held_out']:,} rows held out, with")
            typer.echo(f"{'':8}  the rows kept  all rows  as many at random")
            for judge, by in accuracy["accuracy"].items():
                typer.echo(
                    f"{judge:8}  {by['kept']:13.1%}  {by['everything']:8.1%}  {by['random']:17.1%}"
                )


def _names(columns: str | None) -> list[str] | None:
    return None if columns is None else [name.strip() for name in columns.split(",")]
