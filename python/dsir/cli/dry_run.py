"""--dry-run: check a call as a run would, and survey the inputs without reading rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import typer

from dsir.corpus import Corpus, Paths, resolve
from dsir.corpus.text_column import column_given_by
from dsir.errors import InputError
from dsir.model.targets import NO_TARGETS, TargetCorpora, names_of_targets, resolve_targets
from dsir.remote import folder_of, location_of
from dsir.run.first_look import check_output, look_at_inputs
from dsir.run.inputs import Inputs, in_units
from dsir.run.select import fitted_model
from dsir.settings.machine import Machine
from dsir.settings.plan import Plan
from dsir.storage.workdir import check_workdir


def dry_run(
    raw: Paths,
    target: object,
    model: str | None,
    label: str | None,
    out: str,
    given: Mapping[str, Any],
    *,
    overwrite: bool,
    workdir: str | None,
    as_json: bool,
) -> None:
    """Check a call of select() and print what it would read.

    Args:
        raw: paths, patterns or folders.
        target: the same, or a mapping from names to them; None with a model.
        model: the model file; None with a target.
        label: the label of a model of fastText.
        out: the output folder.
        given: the other arguments, by name.
        overwrite: whether the run would replace a selection in `out`.
        workdir: the work directory; `out` may then hold files of an earlier run. None without one.
        as_json: print JSON in place of a table.

    Raises:
        DsirError: anything that the run would raise before it reads rows.
    """
    fitted_model(target, model, label, given)
    plan = Plan.of(given, names_of_targets(target))
    machine = Machine.of({**given, "progress": False})
    text, encoding = plan.reading.text, plan.reading.text_encoding
    targets = NO_TARGETS
    if target is not None:
        targets = resolve_targets(
            target, text, plan.reading.target_text, encoding, plan.reading.on_error
        )
    found = resolve(raw, text=text, name="raw", encoding=encoding, on_error=plan.reading.on_error)
    corpora = (found, *targets.corpora)
    shards = (shard for corpus in corpora for shard in corpus.shards)
    check_output(location_of(out), shards, overwrite=overwrite, resuming=workdir is not None)
    if workdir is not None:
        with folder_of(location_of(workdir)) as folder:
            cut = TargetCorpora(
                targets.names, tuple(in_units(one, machine) for one in targets.corpora)
            )
            check_workdir(folder, Inputs(raw=in_units(found, machine), target=cut).identity())
    surveys = [survey(found), *(survey(target, "target_text") for target in targets.corpora)]
    if as_json:
        typer.echo(json.dumps(surveys, indent=2))
    else:
        print_survey(surveys)
    look_at_inputs(found, targets, machine.engine, plan.reading, plan.draw)
    unreadable = [one for survey in surveys for one in survey["unreadable"]]
    if unreadable and not plan.reading.skips:
        raise InputError(unreadable[0], path=None)


def survey(corpus: Corpus, column: str = "text") -> dict[str, Any]:
    """Look at the shards of a corpus without reading rows.

    Args:
        corpus: the corpus.
        column: the argument that its text column is given by.

    Returns:
        name, shards, kinds, bytes, rows (None if a shard does not say), unreadable shards, and
        what was found beside the shards and left out.
    """
    rows: int | None = 0
    unreadable = []
    for shard in corpus.shards:
        try:
            known = shard.rows_in_metadata()
            schema = shard.schema()
            if schema is not None:
                with column_given_by(column):
                    shard.text_column(schema)
        except InputError as error:
            unreadable.append(str(error))
            continue
        rows = None if rows is None or known is None else rows + known
    return {
        "name": corpus.name,
        "shards": len(corpus.shards),
        "kinds": dict(Counter(shard.kind for shard in corpus.shards)),
        "bytes": corpus.size,
        "rows": rows,
        "unreadable": unreadable,
        "left_out": [one.describe() for one in corpus.left_out],
    }


def print_survey(surveys: list[dict[str, Any]]) -> None:
    """Print surveys as a table."""
    # Imported here because rich takes a while to load.
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2))
    for column in ("", "shards", "MB on disk", "rows"):
        table.add_column(column, justify="left" if not column else "right")
    for found in surveys:
        kinds = ", ".join(f"{count} {kind}" for kind, count in found["kinds"].items())
        rows = "not known before reading" if found["rows"] is None else f"{found['rows']:,}"
        table.add_row(found["name"], kinds, f"{found['bytes'] / 1e6:,.1f}", rows)
    console = Console(highlight=False)
    console.print(table)
    for found in surveys:
        for one in found["left_out"]:
            line = f"left out: {one['path']}: {one['reason']}"
            console.print(line, style="yellow", soft_wrap=True, markup=False)
        for reason in found["unreadable"]:
            console.print(f"cannot be read: {reason}", style="red", soft_wrap=True, markup=False)
    console.print("dry run: no row was read, nothing was written")
