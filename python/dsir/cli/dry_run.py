"""--dry-run: check a call as a run would, and survey the inputs without reading rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from dsir.corpus import Corpus, Paths, resolve
from dsir.corpus.text_column import find_text_column
from dsir.errors import InputError
from dsir.model.targets import names_of_targets, resolve_targets
from dsir.output.folder import check_output_folder
from dsir.remote import location_of
from dsir.settings.machine import Machine
from dsir.settings.plan import Plan


def dry_run(
    raw: Sequence[str],
    target: object,
    out: str,
    given: Mapping[str, Any],
    *,
    overwrite: bool,
    resuming: bool,
    as_json: bool,
) -> None:
    """Check a call of select() and print what it would read.

    Args:
        raw: paths, patterns or folders.
        target: the same, or a mapping from names to them.
        out: the output folder.
        given: the other arguments, by name.
        overwrite: whether the run would replace a selection in `out`.
        resuming: whether there is a work directory; then `out` may hold files of an earlier run.
        as_json: print JSON in place of a table.

    Raises:
        DsirError: anything that the run would raise before it reads rows.
    """
    plan = Plan.of(given, names_of_targets(target))
    Machine.of({**given, "progress": False})
    targets = resolve_targets(target, plan.reading.text)
    check_output_folder(location_of(out), overwrite=overwrite, resuming=resuming)
    corpora = (resolve(Paths(raw), text=plan.reading.text, name="raw"), *targets.corpora)
    surveys = [survey(corpus) for corpus in corpora]
    if as_json:
        typer.echo(json.dumps(surveys, indent=2))
    else:
        print_survey(surveys)


def survey(corpus: Corpus) -> dict[str, Any]:
    """Look at the shards of a corpus without reading rows.

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
                find_text_column(schema, shard.text, shard.name)
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
