"""--dry-run: check a call as a run would; survey the inputs by metadata and first texts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from dsir.cli.spelling import in_options
from dsir.corpus import Corpus, Paths, resolve
from dsir.corpus.sample_texts import sample_texts
from dsir.corpus.text_column import column_given_by
from dsir.errors import InputError
from dsir.model.features import HashedNgrams
from dsir.model.language_column import with_languages
from dsir.model.targets import NO_TARGETS, names_of_targets, resolve_targets
from dsir.model.writing import Writing, advise_on_scripts
from dsir.plural import counted
from dsir.remote import folder_of, location_of
from dsir.run.first_look import check_output, look_as_planned
from dsir.run.inputs import Inputs, in_units
from dsir.run.select import fitted_model
from dsir.settings.machine import Machine
from dsir.settings.plan import Plan
from dsir.storage.workdir import check_workdir

_LEAST_SHARE = 0.01
_MOST_SCRIPTS = 4
_COLUMN_OPTIONS = ("text", "target_text", "text_encoding")


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
    negatives: object = None,
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
        negatives: what a classifier learns to tell the target from; None for raw.

    Raises:
        DsirError: anything that the run would raise before it reads rows.
    """
    fitted = fitted_model(target, model, label, given, negatives)
    plan = Plan.of(given, names_of_targets(target)) if fitted is None else fitted.plan(given)
    plan.fit.refuse_negatives(negatives)
    features = plan.fit.features
    plan.documents.check_texts(features)
    machine = Machine.of({**given, "progress": False})
    text, encoding = plan.reading.text, plan.reading.text_encoding
    targets = NO_TARGETS
    if target is not None:
        targets = resolve_targets(
            target, text, plan.reading.target_text, encoding, plan.reading.on_error, negatives
        )
    found = resolve(raw, text=text, name="raw", encoding=encoding, on_error=plan.reading.on_error)
    found = with_languages(found, plan.language.column())
    corpora = (found, *targets.all_corpora)
    shards = (shard for corpus in corpora for shard in corpus.shards)
    check_output(location_of(out), shards, overwrite=overwrite, resuming=workdir is not None)
    if workdir is not None:
        with folder_of(location_of(workdir)) as folder:
            cut = targets.each(lambda corpus: in_units(corpus, machine))
            check_workdir(folder, Inputs(raw=in_units(found, machine), target=cut).identity())
    surveys = [
        survey(found, features),
        *(survey(target, features, "target_text") for target in targets.corpora),
    ]
    if targets.negatives is not None:
        surveys.append(survey(targets.negatives, features))
    if as_json:
        typer.echo(json.dumps(surveys, indent=2))
    else:
        print_survey(surveys)
    look_as_planned(found, targets, machine.engine, plan, features)
    unreadable = [one for survey in surveys for one in survey["unreadable"]]
    if unreadable and not plan.reading.skips:
        raise InputError(unreadable[0], path=None)


def survey(corpus: Corpus, features: HashedNgrams, column: str = "text") -> dict[str, Any]:
    """Look at the metadata of the shards of a corpus, and at the first texts of some.

    Args:
        corpus: the corpus.
        features: the features that documents are to be compared by.
        column: the argument that its text column is given by.

    Returns:
        name, shards, kinds, bytes, rows (None if a shard does not say), unreadable shards, what
        was found beside the shards and left out, the share of each script among the letters, and
        advice on the tokenizer.
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
    writing = Writing.of(sample_texts(corpus, remote=True))
    return {
        "name": corpus.name,
        "shards": len(corpus.shards),
        "kinds": dict(Counter(shard.kind for shard in corpus.shards)),
        "bytes": corpus.size,
        "rows": rows,
        "unreadable": unreadable,
        "left_out": [one.describe() for one in corpus.left_out],
        "scripts": {script: round(share, 4) for script, share in writing.shares.items()},
        "advice": advise_on_scripts(corpus.name, writing, features),
    }


def print_survey(surveys: list[dict[str, Any]]) -> None:
    """Print surveys as a table."""
    # Imported here because rich takes a while to load.
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2))
    for column in ("", "shards", "MB on disk", "rows"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_column("scripts")
    for found in surveys:
        kinds = ", ".join(f"{count} {kind}" for kind, count in found["kinds"].items())
        rows = "not known before reading" if found["rows"] is None else f"{found['rows']:,}"
        scripts = _listed(found["scripts"])
        table.add_row(found["name"], kinds, f"{found['bytes'] / 1e6:,.1f}", rows, scripts)
    console = Console(highlight=False)
    console.print(table)
    for found in surveys:
        for one in found["left_out"]:
            line = f"left out: {one['path']}: {one['reason']}"
            console.print(line, style="yellow", soft_wrap=True, markup=False)
        for reason in folded(found["unreadable"]):
            line = in_options(f"cannot be read: {reason}", _COLUMN_OPTIONS)
            console.print(line, style="red", soft_wrap=True, markup=False)
        for advice in found["advice"]:
            line = in_options(advice, ("tokenizer",))
            console.print(line, style="yellow", soft_wrap=True, markup=False)
    console.print("dry run: only the first rows of some files were read, nothing was written")


def folded(reasons: Sequence[str]) -> list[str]:
    """Return messages about files: of those that say the same, the first and how many more.

    Two messages say the same if they agree between the name of the file and what may differ behind
    it, e.g. the columns that the file has.
    """
    alike: dict[str, list[str]] = {}
    for reason in reasons:
        said = reason.partition(": ")[2].partition(";")[0]
        alike.setdefault(said or reason, []).append(reason)
    return [
        first if not more else f"{first} (and {counted(len(more), 'more file')} alike)"
        for first, *more in alike.values()
    ]


def _listed(scripts: Mapping[str, float]) -> str:
    """Name the scripts that matter, with their shares: "Latin 92 %, Han 8 %"."""
    shares = [(script, share) for script, share in scripts.items() if share >= _LEAST_SHARE]
    return ", ".join(f"{script} {100 * share:.0f} %" for script, share in shares[:_MOST_SCRIPTS])
