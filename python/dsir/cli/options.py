"""The options that are no settings: inputs, folders, what is printed. Each in one place."""

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
        help="Files, patterns or folders: Parquet, JSON Lines (.gz, .zst), Arrow; "
        "also by URL: s3://, gs://, hf://, https://.",
    ),
]
Target = Annotated[
    list[str],
    typer.Option(
        "--target",
        "-t",
        metavar="[NAME=]SOURCE",
        help="A sample of what is wanted. Several without names are taken as one target; with "
        "names, --targets says what becomes of them.",
    ),
]
Out = Annotated[str, typer.Option("--out", "-o", metavar="PATH", help="Folder for the selection.")]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="The model file.")]
ModelOption = Annotated[str, typer.Option("--model", "-m", metavar="PATH", help="The model file.")]
SelectionFolder = Annotated[
    str, typer.Argument(metavar="FOLDER", help="The folder of a selection.")
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace what an earlier run wrote to the output folder."),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Show no progress and no table.", rich_help_panel=arguments.RUN
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print the accounts as JSON on standard output.",
        rich_help_panel=arguments.RUN,
    ),
]
Debug = Annotated[
    bool,
    typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=arguments.RUN),
]


def targets_of(entries: Sequence[str]) -> Paths | dict[str, Paths]:
    """Read --target: sources, or NAME=SOURCE, several of one name together.

    What exists under the whole of its name is a source, even with an equals sign in it.

    Raises:
        SettingError: only some have names.
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
        raise SettingError(f"--target {plain[0]}: has no name, others have; give NAME=SOURCE")
    return {name: Paths(sources) for name, sources in named.items()}
