"""dsir score."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from dsir.arguments import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.piped import refuse_pipes
from dsir.corpus import Paths, resolve
from dsir.errors import SettingError
from dsir.model.estimators import load_estimator
from dsir.plural import counted
from dsir.remote import folder_of, location_of
from dsir.run.folders import score_to_folder
from dsir.run.inputs import cut
from dsir.run.pipeline import Pipeline
from dsir.settings.documents import DocumentSettings
from dsir.settings.draw import DrawSettings
from dsir.settings.extra_columns import ExtraColumns
from dsir.settings.machine import Machine, MachineOptions
from dsir.settings.quotas import check_dedup
from dsir.settings.reading import ReadSettings

_ARGUMENTS = {
    **arguments_of(ReadSettings, DocumentSettings, MachineOptions),
    "dedup": arguments_of(DrawSettings)["dedup"],
}
del _ARGUMENTS["target_text"]


@command(_ARGUMENTS, resumable=lambda _: True)
def score(
    raw: options.Raw,
    model: options.ModelOption,
    out: Annotated[
        str,
        typer.Option("--out", "-o", metavar="PATH", help="Folder for the scores, e.g. scores/."),
    ],
    part: Annotated[
        str,
        typer.Option(
            metavar="I/N",
            help="This job's share of the units of work: I from 0 to N-1, e.g. 3/64 for the fourth "
            "of 64 jobs; 0/1 is all of them.",
        ),
    ] = "0/1",
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN,...",
            help="Columns whose values are stored with the scores, e.g. source,lang, so that "
            "'dsir sample' can apply quotas by them (--max-per, --group-by). By default none.",
        ),
    ] = None,
    label: options.Label = None,
    quiet: options.Quiet = False,
    **given: Any,
) -> None:
    """Compute the log-weight of every document of RAW.

    Writes a file for each unit of work (a shard, or a part of a large shard). So the jobs of an
    array can share a folder, and a job that died can run again.

    **Examples**

    `dsir score corpus/*.parquet --model model.dsir --out scores/`

    `dsir score corpus/ -m model.dsir -o scores/ --part $SLURM_ARRAY_TASK_ID/64`
    """
    refuse_pipes(raw, None, "'dsir write' reads the documents again")
    reading, documents = ReadSettings.of(given), DocumentSettings.of(given)
    extra = ExtraColumns(check_dedup(given.get("dedup")) == "exact", _columns_of(groups))
    share = _part_of(part)
    machine = Machine.of({**given, "progress": not quiet})
    loaded = load_estimator(model, label=label)
    found = resolve(
        Paths(raw),
        text=reading.text,
        name="raw",
        encoding=reading.text_encoding,
        on_error=reading.on_error,
    )
    corpus = cut(found, documents, loaded.features, machine)
    with folder_of(location_of(out)) as folder:
        scores = score_to_folder(
            Pipeline(machine, reading), corpus, loaded, documents.filters, folder, share, extra
        )
    if not quiet:
        rows = sum(shard.rows for shard in scores)
        typer.echo(f"{out}: {counted(rows, 'row')} of {counted(len(scores), 'unit')}")


def _columns_of(groups: str | None) -> tuple[str, ...]:
    columns = tuple(name.strip() for name in (groups or "").split(",")) if groups else ()
    if not all(columns) or len(set(columns)) < len(columns):
        raise SettingError(f"--groups {groups}: expected columns, separated by commas, each once")
    return columns


def _part_of(part: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", part)
    if match is None or not int(match[1]) < int(match[2]):
        raise SettingError(f"--part {part}: expected I/N with I from 0 to N-1, such as 0/64")
    return int(match[1]), int(match[2])
