"""The options that are no settings: inputs, folders, what is printed. Each is defined once."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import typer

from dsir.arguments import panels
from dsir.cli.piped import STANDARD_INPUT
from dsir.corpus import Paths
from dsir.errors import SettingError
from dsir.formats import how_read
from dsir.remote import is_url

_NAMED_SOURCE = re.compile(r"([\w.-]+)=(.+)", re.DOTALL)

Raw = Annotated[
    list[str],
    typer.Argument(
        metavar="RAW",
        help="The input: files, patterns or folders of Parquet, JSON Lines (also .gz, .zst), CSV, "
        "plain text (a row per line) or Arrow, e.g. corpus/*.parquet; also by URL: s3://, gs://, "
        "hf://, https://; '-' is standard input.",
    ),
]
Target = Annotated[
    list[str],
    typer.Option(
        "--target",
        "-t",
        metavar="SOURCE",
        help="A sample of the documents that you want, e.g. wanted.jsonl. May be repeated: sources "
        "without names count as one target; for named targets, e.g. law=law/, --targets says how "
        "they share the budget. A text column other than --text follows a colon: wanted.csv:body. "
        "'-' is standard input.",
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
Negatives = Annotated[
    list[str] | None,
    typer.Option(
        "--negatives",
        metavar="SOURCE",
        help="With --estimator classifier: a sample of unwanted documents, e.g. spam.jsonl, "
        "which the target is told from in place of RAW. May be repeated.",
    ),
]
ModelOption = Annotated[
    str, typer.Option("--model", "-m", metavar="PATH", help="The model file, e.g. model.dsir.")
]
ModelIfAny = Annotated[
    str | None,
    typer.Option("--model", "-m", metavar="PATH", help="The model file, e.g. model.dsir."),
]
Kernels = Annotated[
    list[str] | None,
    typer.Option(
        "--kernels",
        metavar="FILE.py|MODULE",
        help="A Python file or module with the kernels and functions that a model needs, e.g. "
        "kernels.py. Its code is run; a model file itself never brings code. May be repeated.",
        rich_help_panel=panels.RUN,
    ),
]
Label = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="With a model of fastText: the label whose log-odds are the log-weights, e.g. hq.",
    ),
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
        rich_help_panel=panels.RUN,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        metavar="",
        help="Print the result as JSON on standard output, in place of a table.",
        rich_help_panel=panels.RUN,
    ),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        metavar="",
        help="Show the traceback of an error as well as its message.",
        rich_help_panel=panels.RUN,
    ),
]


def targets_of(
    entries: Sequence[str], given: dict[str, Any]
) -> tuple[Paths | dict[str, Paths], dict[str, Any]]:
    """Read the values of --target: SOURCE, or NAME=SOURCE; a name may have several sources.

    A source may end in a colon and its text column. A value that is an existing path is a source,
    even with an equals sign or a colon in it.

    Args:
        entries: the values.
        given: the other arguments.

    Returns:
        The sources, and the other arguments with the text columns in `target_text`.

    Raises:
        SettingError: some sources have names and others do not, or sources of one target have
            different text columns.
    """
    named: dict[str, list[str]] = {}
    columns: dict[str, set[str | None]] = {}
    plain = []
    for entry in entries:
        if entry == "arget" and not Path(entry).exists():
            raise SettingError("-target: is read as -t arget; write --target, or -t")
        match = _NAMED_SOURCE.fullmatch(entry)
        name = "" if match is None or Path(entry).exists() else match[1]
        source, column = _with_column(match[2] if match is not None and name else entry)
        columns.setdefault(name, set()).add(column)
        if name:
            named.setdefault(name, []).append(source)
        else:
            plain.append(source)
    if named and plain:
        raise SettingError(
            f"--target {plain[0]}: has no name, but other targets do; give NAME=SOURCE"
        )
    return (
        {name: Paths(sources) for name, sources in named.items()} if named else Paths(plain),
        _with_text_columns(columns, given),
    )


def _with_column(source: str) -> tuple[str, str | None]:
    """Divide SOURCE:COLUMN; a source alone has None for a column.

    The last colon divides, if what is before it is a file, a folder, a URL, or ends like a file,
    and what is behind it has no slash: a drive (C:), a scheme and a port are no sources.
    """
    head, colon, column = source.rpartition(":")
    if head == STANDARD_INPUT and column:
        return head, column
    if not colon or not column or len(head) < 2 or re.search(r"[/\\]", column):
        return source, None
    if not is_url(source) and os.path.lexists(Path(source).expanduser()):
        return source, None
    below = head.partition("://")[2]
    is_source = (
        "/" in below.strip("/") if is_url(head) else Path(head).expanduser().exists()
    ) or how_read(PurePosixPath(head)) is not None
    return (head, column) if is_source else (source, None)


def _with_text_columns(
    columns: dict[str, set[str | None]], given: dict[str, Any]
) -> dict[str, Any]:
    """Return arguments with the columns that follow sources in `target_text`.

    Args:
        columns: the columns of the sources by the name of their target, "" for none.
        given: the arguments.
    """
    found = {name: one for name, one in columns.items() if one != {None}}
    if not found:
        return given
    for name, several in found.items():
        if len(several) > 1:
            raise SettingError(
                f"--target {name}: its sources have different text columns; give all sources the "
                "same SOURCE:COLUMN, or targets of their own"
            )
    chosen = {name: str(next(iter(one))) for name, one in found.items()}
    before = given.get("target_text")
    if "" in chosen:
        if before not in (None, chosen[""]):
            raise SettingError(
                f"--target-text {before}: the target has the text column {chosen['']} behind its "
                "colon"
            )
        return {**given, "target_text": chosen[""]}
    if isinstance(before, str):
        before = dict.fromkeys(columns, before)
    return {**given, "target_text": {**(before or {}), **chosen}}
