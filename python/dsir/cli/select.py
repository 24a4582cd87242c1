"""dsir select."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

import dsir
from dsir.arguments.declared import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.dry_run import dry_run as look
from dsir.cli.piped import negatives_in, piped, refuse_pipes
from dsir.cli.tables import print_accounts, print_how_to_load
from dsir.run.row_lists import check_row_list
from dsir.run.select import SELECT_SETTINGS
from dsir.settings.ngram_options import NGRAMS, with_features

Workdir = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="Folder that keeps the results of every stage, e.g. work/. The same call continues "
        "where it stopped; a call with other settings repeats only the stages that depend on them.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="PATH",
        help="In place of --target: a model that was fitted before, its file or the folder of a "
        "selection, e.g. model.dsir; or a model of fastText, with --label.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        metavar="",
        help="Check the call and show which inputs it would read. It reads only the first rows of "
        "some files, and writes nothing.",
    ),
]


@command(
    {**arguments_of(*SELECT_SETTINGS), **NGRAMS},
    resumable=lambda given: given["workdir"] is not None,
    reads_models=True,
)
def select(
    raw: options.Raw,
    out: options.Out,
    target: options.Target = None,  # type: ignore[assignment]
    negatives: options.Negatives = None,
    model: Model = None,
    label: options.Label = None,
    workdir: Workdir = None,
    overwrite: options.Overwrite = False,
    rows_out: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Also write a list of the selected rows: a Parquet file of (file, row), e.g. "
            "rows.parquet, or a folder of NumPy arrays of document numbers, e.g. rows/.",
        ),
    ] = None,
    dry_run: DryRun = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Select the documents of RAW that are distributed like the target.

    Parquet in, Parquet out, with every column and the log-weight; JSON Lines in, the original lines
    out, byte for byte. Equal inputs, settings and seed give equal files, for any number of threads.

    **Examples**

    `dsir select corpus/*.parquet --target wanted.jsonl --n 100000 --out selected/`

    `dsir select corpus/ -t wanted.parquet --tokens 1000000000 -o out/ --workdir work/`

    `dsir select corpus/ -t wanted.parquet --fraction 0.02 -o out/ --length mean --temperature 0.1`

    `dsir select corpus/ -t law=law/ -t news=news.jsonl --targets separate --n 100000 -o out/`

    `dsir select corpus/ -t wanted.jsonl --preprocessing paper --n 100000 -o out/`

    `dsir select corpus/ -t wanted.jsonl --bytes 10GB --dedup exact --max-per source=0.2 -o out/`

    `dsir select corpus/ -t good.jsonl --estimator classifier --negatives bad.jsonl --n 99 -o out/`

    `dsir select s3://corpus/web/ -t wanted.jsonl --n 100000 -o s3://corpus/selected`

    `zcat wanted.jsonl.gz | dsir select corpus/ -t - --n 100000 -o out/`

    `dsir select --config run.yaml --seed 7`
    """
    given = with_features(given)
    sources, given = options.targets_of(target, given) if target else (None, given)
    if workdir is not None:
        refuse_pipes(
            raw,
            sources,
            f"--workdir {workdir} keeps results for later calls, which cannot read it again",
        )
    unwanted = negatives_in(negatives)
    if rows_out is not None:
        check_row_list(rows_out)
    with piped(raw, sources) as (inputs, targets):
        if dry_run:
            look(
                inputs,
                targets,
                model,
                label,
                out,
                given,
                overwrite=overwrite,
                workdir=workdir,
                as_json=as_json,
                negatives=unwanted,
            )
            return
        selection = dsir.select(
            inputs,
            targets,
            negatives=unwanted,
            model=model,
            label=label,
            out=out,
            workdir=workdir,
            overwrite=overwrite,
            progress=not quiet,
            **given,
        )
    if rows_out is not None:
        selection.write_row_list(rows_out)
    paths = [str(path) for path in selection.paths]
    if as_json:
        skipped = [entry.to_json() for entry in selection.skipped]
        found = {"metrics": selection.metrics, "paths": paths, "skipped": skipped}
        typer.echo(json.dumps(found, indent=2))
    elif not quiet:
        buckets = selection.model.features.buckets
        stages = selection.metrics["stages"]
        print_accounts(selection.metrics, stages, paths, buckets, dedup=given.get("dedup"))
        print_how_to_load(out)
