"""dsir write."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dsir.arguments import parse_byte_size
from dsir.cli import options
from dsir.cli.failures import reported
from dsir.engine import open_engine
from dsir.model.estimators import load_model
from dsir.output.folder import check_output_folder, check_writable
from dsir.progress import reporter
from dsir.remote import folder_of, location_of
from dsir.run.pipeline import Pipeline
from dsir.run.write_folder import write_from_folder

_SHOWN = ("kl_reduction", "targets")


def write(
    rows: Annotated[
        str, typer.Argument(metavar="ROWS", help="Folder of selected rows, from 'dsir sample'.")
    ],
    model: Annotated[
        str,
        typer.Option("--model", "-m", metavar="PATH", help="The model file; for the KL reduction."),
    ],
    out: options.Out,
    overwrite: options.Overwrite = False,
    shard_size: options.ShardSize = "256MB",
    weight_column: options.WeightColumn = "log_weight",
    target_column: options.TargetColumn = "target",
    threads: options.Threads = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write the drawn documents, in the format of the input.

    The inputs are read again where they were scored; one that has changed is refused. What is
    written has a selection.json, which `dsir verify` and `dsir diff` read.

    **Example**

    `dsir write rows/ --model model.dsir --out selected/`
    """
    with reported(debug=debug):
        size = parse_byte_size("shard_size", shard_size)
        folder = location_of(out)
        check_output_folder(folder, overwrite=overwrite, resuming=False)
        check_writable(folder)
        loaded = load_model(model)
        pipeline = Pipeline(open_engine(threads=threads), reporter(not quiet))
        with folder_of(location_of(rows)) as source:
            written = write_from_folder(
                pipeline,
                source,
                folder,
                model=loaded,
                model_path=location_of(model),
                shard_size=size,
                weight_column=weight_column,
                target_column=target_column,
                overwrite=overwrite,
            )
        found = {
            "rows": written.rows,
            **{name: written.metrics[name] for name in _SHOWN if name in written.metrics},
            "paths": [str(path) for path in written.paths],
        }
        if as_json:
            typer.echo(json.dumps(found, indent=2))
        elif not quiet:
            kl = written.metrics.kl_reduction
            typer.echo(
                f"{out}: {written.rows:,} rows in {len(written.paths):,} shards"
                + ("" if kl is None else f", KL reduction {kl:.4f}")
            )
