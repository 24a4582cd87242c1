"""Writes manual pages of `dsir` and of each of its commands, from the parser of the command line.

python packaging/man_pages.py build/man
man -l build/man/dsir-select.1
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from dsir.cli.main import app
from dsir.version import __version__


def commands() -> dict[str, Any]:
    """Return the commands by name, with all their options."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group)
    return {
        name: group.resolve_command(context, [name])[1] for name in group.list_commands(context)
    }


def pages() -> dict[str, str]:
    """Return the text of every page, in roff, by the name of its file."""
    known = commands()
    found = {"dsir.1": _main_page(known)}
    return found | {f"dsir-{name}.1": _page(name, command) for name, command in known.items()}


def _main_page(known: dict[str, Any]) -> str:
    group: Any = typer.main.get_command(app)
    lines = [
        *_head("dsir", _first_sentence(group.help)),
        ".SH SYNOPSIS",
        ".B dsir",
        r"\fICOMMAND\fR [\fIOPTIONS\fR]",
        ".SH DESCRIPTION",
        *_paragraphs(group.help),
        ".SH COMMANDS",
    ]
    for name, command in known.items():
        summary = _first_sentence(command.help)
        lines += [".TP", rf"\fBdsir\-{name}\fR(1)".replace("-(", "("), _escaped(summary)]
    lines += [".SH OPTIONS", *_options(group)]
    lines += [
        ".SH EXIT STATUS",
        ".TP\n.B 0\nThe command did what it was asked to do.",
        ".TP\n.B 1\nThe run failed.",
        ".TP\n.B 2\nThe call was wrong; nothing was done.",
    ]
    return "\n".join(lines) + "\n"


def _page(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    words = " ".join(_shown_argument(one) for one in arguments)
    lines = [
        *_head(f"dsir-{name}", _first_sentence(command.help)),
        ".SH SYNOPSIS",
        rf".B dsir {name}",
        rf"{words} [\fIOPTIONS\fR]".strip(),
        ".SH DESCRIPTION",
        *_paragraphs(command.help),
    ]
    told = [one for one in arguments if getattr(one, "help", None)]
    if told:
        lines.append(".SH ARGUMENTS")
        for one in told:
            lines += [".TP", rf"\fI{_escaped(_name_of(one))}\fR", _spans(one.help)]
    lines += [".SH OPTIONS", *_options(command)]
    lines += [".SH SEE ALSO", r"\fBdsir\fR(1)"]
    return "\n".join(lines) + "\n"


def _head(title: str, summary: str) -> Iterator[str]:
    yield f'.TH "{title.upper()}" 1 "" "dsir {__version__}" "dsir"'
    yield ".SH NAME"
    yield rf"{_escaped(title)} \- {_escaped(summary.rstrip('.'))}"


def _options(command: Any) -> Iterator[str]:
    """Give the options by the panels of --help."""
    panels: dict[str, list[Any]] = {}
    for option in command.params:
        if option.param_type_name == "option" and not option.hidden:
            panels.setdefault(getattr(option, "rich_help_panel", None) or "", []).append(option)
    for panel, options in panels.items():
        if panel:
            yield f".SS {_escaped(panel)}"
        for option in options:
            yield ".TP"
            names = ", ".join(
                rf"\fB{_escaped(one)}\fR"
                for one in (*sorted(option.opts, key=len), *option.secondary_opts)
            )
            takes = "" if option.is_flag or option.count else _metavar(option)
            yield f"{names} {takes}".strip()
            default = "" if _default_of(option) is None else f" [default: {_default_of(option)}]"
            yield _spans(f"{option.help or ''}{default}") or r"\&"


def _metavar(option: Any) -> str:
    return rf"\fI{_escaped(str(option.metavar or _kind_of(option)).upper())}\fR"


def _kind_of(option: Any) -> str:
    """Return the name of the type of an option, which typer keeps in one of two places."""
    if hasattr(option, "type_descriptor"):
        return str(getattr(option.type_descriptor.annotation, "__name__", "value"))
    return str(option.type.name)


def _default_of(option: Any) -> Any:
    shown = getattr(option, "show_default", None)
    if isinstance(shown, str):
        return shown
    default = option.default
    return default if shown and default not in (None, "", (), []) and not option.is_flag else None


def _name_of(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper().strip("[]")


def _shown_argument(argument: Any) -> str:
    dots = "..." if argument.nargs == -1 else ""
    shown = rf"\fI{_escaped(_name_of(argument))}\fR{dots}"
    return shown if argument.required else f"[{shown}]"


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def _paragraphs(text: str | None) -> Iterator[str]:
    """Give the paragraphs of a help text in Markdown: headings in bold, and lines of code."""
    for paragraph in (text or "").split("\n\n"):
        heading = re.fullmatch(r"\*\*(.+)\*\*", paragraph.strip())
        code = re.fullmatch(r"`([^`]+)`", paragraph.strip())
        if heading is not None:
            yield f".SS {_escaped(heading[1])}"
        elif code is not None:
            yield f".PP\n.nf\n.RS\n{_escaped(code[1])}\n.RE\n.fi"
        else:
            yield f".PP\n{_spans(paragraph)}"


def _spans(text: str) -> str:
    """Return a paragraph with its code spans in bold."""
    return re.sub(r"`([^`]+)`", r"\\fB\1\\fR", _escaped(text))


def _escaped(text: str) -> str:
    """Return a text as roff prints it, on one line."""
    text = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text.startswith((".", "'")) else text


def main() -> None:
    """Write the pages into the folder that is named."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    print(f"{folder}: {len(pages())} pages")


if __name__ == "__main__":
    main()
