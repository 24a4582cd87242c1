"""The options that are no settings: inputs, folders, what is printed. Each is defined once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dsir import arguments
from dsir.corpus import Paths
from dsir.errors import SettingError

_NAMED_SOURCE = re.compile(r"([\w.-]+)=(.+)", re.DOTALL)

Raw = Annotated[
    list[str],
    typer.Argument(
        metavar="RAW",
        help="The input: files, patterns or folders of Parquet, JSON Lines (also .gz, .zst) or "
        "Arrow, e.g. corpus/*.parquet; also by URL: s3://, gs://, hf://, https://.",
    ),
]
Target = Annotated[
    list[str],
    typer.Option(
        "--target",
        "-t",
        metavar="[NAME=]SOURCE",
        help="A sample of the documents that you want, e.g. wanted.jsonl. May be repeated: sources "
        "without names count as one target; for named targets, e.g. law=law/, --targets says how "
        "they share the budget.",
    ),
]
Out = Annotated[
    str,
    typer.Option(
        "--out",
        "-o",
        metavar="PATH",
        help="Folder to write the selection to, e.g. selected/ or s3://bucket/selected.",
    ),
]
ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="The model file, or the folder of a selection, e.g. model.dsir or selected/.",
    ),
]
ModelOption = Annotated[
    str, typer.Option("--model", "-m", metavar="PATH", help="The model file, e.g. model.dsir.")
]
PlannedWorkdir = Annotated[
    str,
    typer.Argument(metavar="WORKDIR", help="The --workdir of a 'dsir plan', e.g. /shared/work/."),
]
SelectionFolder = Annotated[
    str, typer.Argument(metavar="FOLDER", help="The folder of a selection, e.g. selected/.")
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        metavar="",
        help="Replace what an earlier run wrote to the output folder. By default a folder that is "
        "not empty is an error.",
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        metavar="",
        help="Show no progress and no table; errors and warnings still appear.",
        rich_help_panel=arguments.RUN,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        metavar="",
        help="Print the result as JSON on standard output, in place of a table.",
        rich_help_panel=arguments.RUN,
    ),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        metavar="",
        help="Show the traceback of an error as well as its message.",
        rich_help_panel=arguments.RUN,
    ),
]


def targets_of(entries: Sequence[str]) -> Paths | dict[str, Paths]:
    """Read the values of --target: SOURCE, or NAME=SOURCE; a name may have several sources.

    A value that is an existing path is a source, even with an equals sign in it.

    Raises:
        SettingError: some sources have names and others do not.
    """
    named: dict[str, list[str]] = {}
    plain = []
    for entry in entries:
        match = _NAMED_SOURCE.fullmatch(entry)
        if match is None or Path(entry).exists():
            plain.append(entry)
        else:
            named.setdefault(match[1], []).append(match[2])
    if not named:
        return Paths(plain)
    if plain:
        raise SettingError(
            f"--target {plain[0]}: has no name, but other targets do; give NAME=SOURCE"
        )
    return {name: Paths(sources) for name, sources in named.items()}
