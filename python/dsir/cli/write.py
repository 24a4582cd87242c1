"""dsir write."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dsir.arguments.declared import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.tables import print_how_to_load
from dsir.model.estimators import load_estimator
from dsir.output.folder import check_output_folder
from dsir.plural import counted
from dsir.remote import folder_of, location_of
from dsir.run.pipeline import Pipeline
from dsir.run.write_folder import write_from_folder
from dsir.settings.machine import Machine, MachineOptions
from dsir.settings.output import OutputSettings

_SHOWN = ("kl_reduction", "random_kl_reduction", "targets")


@command(arguments_of(OutputSettings, MachineOptions), reads_models=True)
def write(
    rows: Annotated[
        str,
        typer.Argument(
            metavar="ROWS", help="Folder of selected rows, from 'dsir sample', e.g. rows/."
        ),
    ],
    model: options.ModelOption,
    out: options.Out,
    label: options.Label = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Write the drawn documents, in the format of the input.

    The inputs are read again from the paths that were scored; an input that has changed is an
    error. The output has a _dsir/selection.json, which `dsir verify` and `dsir diff` read.

    **Example**

    `dsir write rows/ --model model.dsir --out selected/`
    """
    output = OutputSettings.of(given)
    pipeline = Pipeline(Machine.of({**given, "progress": not quiet}))
    folder = location_of(out)
    check_output_folder(folder, overwrite=overwrite, resuming=False)
    loaded = load_estimator(model, label=label)
    with folder_of(location_of(rows)) as source:
        written = write_from_folder(
            pipeline,
            source,
            folder,
            model=loaded,
            model_path=location_of(model),
            output=output,
            overwrite=overwrite,
        )
    found: dict[str, Any] = {
        "rows": written.rows,
        **{name: written.metrics[name] for name in _SHOWN if name in written.metrics},
        "paths": [str(path) for path in written.paths],
    }
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    elif not quiet:
        kl, by_chance = written.metrics.kl_reduction, written.metrics.random_kl_reduction
        over = f" over {loaded.features.buckets:,} buckets"
        typer.echo(
            f"{out}: {counted(written.rows, 'row')} in {counted(len(written.paths), 'shard')}"
            + ("" if kl is None else f", KL reduction {kl:.4f}{over}")
            + ("" if by_chance is None else f" (of a random draw: about {by_chance:.4f})")
        )
        print_how_to_load(out)
