"""Builds the documentation as a web site: python docs/site/build.py build/docs.

The pages are the Markdown files of the repository, in folders as there, so that all links between
them hold. Beside them are two pages that are made here: the API, from the docstrings, and the
commands, from the parser of the command line. A warning is an error.
"""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import dsir
import dsir.graph
from dsir.cli.main import app

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BESIDE = (
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "benchmarks/README.md",
    "examples/corpus/SOURCES.md",
)
FIRST = "README.md"
API = "docs/reference/python.md"
COMMANDS = "docs/reference/commands.md"

_OPTION = re.compile(r"(?<![\w-])(--[a-z][\w-]*)")
_LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")

# After the text of the README, which is the first page of the site.
INDEX = """

```{{toctree}}
:hidden:
:maxdepth: 1

docs/README
```

```{{toctree}}
:caption: Learn
:hidden:
:maxdepth: 1

docs/quickstart
docs/concepts
docs/algorithms
docs/determinism
```

```{{toctree}}
:caption: How-to guides
:hidden:
:maxdepth: 1

{guides}
```

```{{toctree}}
:caption: Reference
:hidden:
:maxdepth: 1

docs/api
{reference}
```

```{{toctree}}
:caption: The lab
:hidden:
:maxdepth: 1

{lab}
benchmarks/README
```

```{{toctree}}
:caption: The project
:hidden:
:maxdepth: 1

docs/architecture
CONTRIBUTING
CHANGELOG
SECURITY
{more}
```
"""


def stage(folder: Path) -> None:
    """Write the sources of the site into an empty folder."""
    pages = [*BESIDE, *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
    made = {API: api_page(), COMMANDS: commands_page()}
    for page in (FIRST, *pages):
        text = (ROOT / page).read_text("utf-8")
        for name in files_linked_from(page, text):
            if name not in pages and name not in made:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name)
        if page != FIRST:
            made[page] = text
    made["index.md"] = (ROOT / FIRST).read_text("utf-8") + index(made)
    for page, text in made.items():
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        (folder / page).write_text(text, encoding="utf-8")


def index(pages: dict[str, str]) -> str:
    """Return the lists of all other pages, for the first one."""

    def below(start: str) -> list[str]:
        return sorted(page.removesuffix(".md") for page in pages if page.startswith(start))

    # Guides in the order in which the documentation names them.
    by_task = _LINK.findall(pages["docs/README.md"])
    place = {target.removesuffix(".md"): number for number, (target, _) in enumerate(by_task)}
    guides = sorted(
        below("docs/how-to/"), key=lambda page: (place.get(page.removeprefix("docs/"), 99), page)
    )
    listed = {
        "guides": guides,
        "reference": below("docs/reference/"),
        "lab": below("docs/lab/"),
    }
    known = {one for group in listed.values() for one in group}
    known |= set(re.findall(r"^[\w/]+$", INDEX, re.MULTILINE))
    listed["more"] = [one for one in below("") if one not in known]
    return INDEX.format(**{name: "\n".join(group) for name, group in listed.items()})


def files_linked_from(page: str, text: str) -> Iterator[str]:
    """Give the files of the repository that a page links to or shows."""
    for target, _ in _LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path = (ROOT / page).parent.joinpath(target).resolve()
        if path.is_file() and path.is_relative_to(ROOT):
            yield str(path.relative_to(ROOT))


def api_page() -> str:
    """Return the page of all public names, by Sphinx's autodoc."""
    lines = ["# Python, name by name", "", "[The API](../api.md) says what there is, by topic."]
    for title, module in (("dsir", dsir), ("dsir.graph", dsir.graph)):
        lines += ["", f"## {title}", "", "```{eval-rst}", f".. currentmodule:: {title}", ""]
        for name in sorted(module.__all__, key=str.lower):
            one = getattr(module, name)
            if name == "__version__" or inspect.ismodule(one):
                continue
            lines += [*_directive(f"{title}.{name}", one), ""]
        lines += ["```"]
    lines += ["", "## dsir.integrations", ""]
    for adapter in sorted((ROOT / "python/dsir/integrations").glob("[a-z]*.py")):
        if adapter.stem in ("scorer", "batches"):
            continue
        lines += ["```{eval-rst}", f".. automodule:: dsir.integrations.{adapter.stem}"]
        lines += ["   :members:", "   :member-order: bysource", "```", ""]
    return "\n".join(lines) + "\n"


def _directive(name: str, one: object) -> list[str]:
    if inspect.isclass(one):
        if issubclass(one, Exception):
            return [f".. autoexception:: {name}"]
        return [f".. autoclass:: {name}", "   :members:", "   :exclude-members: __new__, __init__"]
    return [f".. autofunction:: {name}"]


def commands_page() -> str:
    """Return the page of all commands with their options."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group)
    lines = [
        "# Commands, option by option",
        "",
        "[The command line](cli.md) says what goes for all.",
        "",
    ]
    for name in group.list_commands(context):
        command = group.resolve_command(context, [name])[1]
        lines += [f"## dsir {name}", "", _markdown(command.help), ""]
        for kind in ("argument", "option"):
            known = [one for one in command.params if one.param_type_name == kind and one.help]
            rows = [one for one in known if not one.hidden]
            if rows:
                lines += [f"| {kind} | what it does |", "|---|---|"]
                lines += [f"| {_names(one)} | {_cell(one.help)} |" for one in rows]
                lines += [""]
    return "\n".join(lines) + "\n"


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{str(parameter.metavar or parameter.name).upper().strip('[]')}`"
    return ", ".join(f"`{one}`" for one in (*parameter.opts, *parameter.secondary_opts))


def _markdown(text: str | None) -> str:
    return _options_as_code(inspect.cleandoc(text or ""))


def _cell(text: str) -> str:
    return _options_as_code(" ".join(text.split()).replace("|", "\\|"))


def _options_as_code(text: str) -> str:
    """Return Markdown with options as code, so that their dashes stay what they are."""
    parts = re.split("(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else _OPTION.sub(r"`\1`", part) for part in parts)


def main() -> None:
    """Build the site in the folder that is named, `html` in it."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    out = Path(sys.argv[1])
    sources = out / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    stage(sources)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-c", str(HERE), "-W", "--keep-going"]
    done = subprocess.run(
        [*command, "-q", "-d", str(out / "doctrees"), str(sources), str(out / "html")], check=False
    )
    if done.returncode == 0:
        print(f"{out / 'html' / 'index.html'}: {len(list(sources.rglob('*.md')))} pages")
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
