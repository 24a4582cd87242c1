"""The documentation holds: links lead somewhere, options exist, Python blocks compile."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

from dsir.cli.main import app

ROOT = Path(__file__).parents[2]
# What a build or an editor leaves in the folder, and hidden folders such as .venv.
_NOT_OURS = ("build", "demo-out", "dist", "node_modules")
_FENCE = re.compile(r"^[ \t]*```(\w*)[^\n]*\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"\[[^\[\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_SHELL = ("", "sh", "bash", "shell", "console")


class Block(NamedTuple):
    """A fenced block of a page: its language, and what is in it."""

    language: str
    text: str


def _is_ours(path: Path) -> bool:
    folders = path.relative_to(ROOT).parts[:-1]
    return not any(part.startswith(".") or part in _NOT_OURS for part in folders)


PAGES = sorted(path for path in ROOT.rglob("*.md") if _is_ours(path))


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [Block(language, text) for language, text in _FENCE.findall(page)]


def anchors_of(page: str) -> set[str]:
    """Return the anchors of a page's headings, by GitHub's rule."""
    anchors: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", page)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        again = 0
        while (anchor := f"{slug}-{again}" if again else slug) in anchors:
            again += 1
        anchors.add(anchor)
    return anchors


def broken_links(path: Path, page: str) -> Iterator[str]:
    """Give the relative links of a page that lead nowhere.

    Args:
        path: where the page is.
        page: its text.
    """
    for link in _LINK.findall(_SPAN.sub("code", _FENCE.sub("", page))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        to = (path.parent / name).resolve() if name else path
        if not to.exists() or (anchor and anchor not in anchors_of(to.read_text("utf-8"))):
            yield link


@cache
def options_of(command: str) -> frozenset[str] | None:
    """Return the options of a command of dsir, long and short; None if there is no such command."""
    group = typer.main.get_command(app)
    if command not in group.list_commands(typer.Context(group)):
        return None
    _, found, _ = group.resolve_command(typer.Context(group), [command])
    names = [name for option in found.params for name in (*option.opts, *option.secondary_opts)]
    return frozenset([*names, "--help", "-h"])


def calls_in(page: str) -> Iterator[list[str]]:
    """Give the calls of dsir in the shell blocks and code spans of a page, as words."""
    lines = [" ".join(span.split()) for span in _SPAN.findall(_FENCE.sub("", page))]
    for language, text in blocks_of(page):
        if language in _SHELL:
            lines += text.replace("\\\n", " ").splitlines()
    for line in lines:
        call = re.match(r"\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(dsir [a-z]+\b.*)", line)
        if call:
            yield shlex.split(call[1], comments=True)


def unknown_options(page: str) -> Iterator[str]:
    """Give the commands and options that a page names and dsir does not have."""
    for _, command, *words in calls_in(page):
        known = options_of(command)
        if known is None:
            yield f"dsir {command}"
            continue
        for word in words:
            option = word.partition("=")[0].strip("[].,")
            # A number may be negative, and a lone dash is standard input.
            if re.fullmatch(r"--?[A-Za-z][\w-]*", option) and option not in known:
                yield f"dsir {command} {option}"


def blocks_that_do_not_compile(page: str) -> Iterator[str]:
    """Give the Python blocks of a page that are no Python."""
    for language, text in blocks_of(page):
        if language in ("python", "py"):
            try:
                ast.parse(text)
            except SyntaxError as error:
                yield f"{error}: {text}"


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_links_lead_somewhere(path: Path) -> None:
    assert list(broken_links(path, path.read_text("utf-8"))) == []


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_options_exist(path: Path) -> None:
    assert list(unknown_options(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_python_compiles(path: Path) -> None:
    assert list(blocks_that_do_not_compile(path.read_text("utf-8"))) == []


def test_every_page_of_the_docs_is_linked_from_another() -> None:
    linked = set()
    for path in PAGES:
        for link in _LINK.findall(_SPAN.sub("code", _FENCE.sub("", path.read_text("utf-8")))):
            if not re.match(r"[a-z]+:|#", link):
                linked.add((path.parent / link.partition("#")[0]).resolve())
    pages = {path for path in PAGES if path.is_relative_to(ROOT / "docs")}
    assert pages - linked == set()


def test_calls_of_most_commands_are_seen() -> None:
    seen = {call[1] for path in PAGES for call in calls_in(path.read_text("utf-8"))}
    assert {"select", "fit", "score", "sample", "write", "verify", "lexrank", "gais"} <= seen


# The checks find what they are there to find.


@pytest.mark.parametrize(
    "link", ["missing.md", "page.md#no-such-heading", "#nowhere", "other.md#first", "no/page.md"]
)
def test_a_broken_link_is_found(tmp_path: Path, link: str) -> None:
    page = f"# Page\n\n## First\n\nSee [this\npage]({link}), [that](other.md#other).\n"
    path = tmp_path / "page.md"
    path.write_text(page)
    (tmp_path / "other.md").write_text("# Other\n\n```\n# First\n```\n")
    assert list(broken_links(path, page)) == [link]


def test_good_links_pass(tmp_path: Path) -> None:
    page = (
        "# A `f(x, *y) -> Z`\n## Two\n## Two\n"
        "[1](#a-fx-y---z) [2](#two-1) [3](https://x.org/y.md#z) [4](.) `[5](no.md)`\n"
        "```\n[6](no.md)\n```\n"
    )
    path = tmp_path / "page.md"
    path.write_text(page)
    assert list(broken_links(path, page)) == []


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("```sh\ndsir select a -t b \\\n    --nn 3\n```\n", ["dsir select --nn"]),
        ("```sh\nA=1 dsir fit a -x 3 --seed=1\n```\n", ["dsir fit -x", "dsir fit --seed"]),
        ("Say `dsir verify OUT --quickly`.\n", ["dsir verify --quickly"]),
        ("```\n$ dsir draw a\n```\n", ["dsir draw"]),
        ("```sh\ndsir select a -t b -n 3 --out c  # --nn\n```\n", []),
        ("```python\ndsir select --nn\n```\n", []),
    ],
)
def test_an_unknown_option_is_found(page: str, found: list[str]) -> None:
    assert list(unknown_options(page)) == found


def test_python_that_does_not_compile_is_found() -> None:
    page = "```python\nx = 1\n```\n\n```python\nx = = 1\n```\n\n```sh\nx = = 1\n```\n"
    assert len(list(blocks_that_do_not_compile(page))) == 1
