"""The recipes of CONTRIBUTING.md work: each is applied to a copy of the package and tested."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from dsir import _core

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "CONTRIBUTING.md"
MOST_FILES = 4

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the sources are not there")

_RECIPE = re.compile(r"^### (Add [^\n]+)\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `([\w./]+)` \| (new: )?", re.MULTILINE)
_BLOCK = re.compile(
    r"^<summary><code>([\w./]+)</code>( \(new\))?</summary>\n\n```(\w+)\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Recipe(NamedTuple):
    """One recipe.

    Attributes:
        text: of the recipe.
        files: to touch, and whether each is new.
        blocks: what becomes of each file: its text, or a diff.
    """

    text: str
    files: dict[str, bool]
    blocks: dict[str, str]


def recipes() -> dict[str, Recipe]:
    """The recipes of the page by their headings."""
    found = {}
    page = PAGE.read_text("utf-8") if PAGE.is_file() else ""
    for heading, text in _RECIPE.findall(page):
        files = {file: bool(new) for file, new in _ROW.findall(text)}
        blocks = {file: block for file, _, _, block in _BLOCK.findall(text)}
        found[heading] = Recipe(text, files, blocks)
    return found


RECIPES = recipes()
each = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)


def patched(text: str, diff: str) -> str:
    """Return a file with a diff applied; each hunk must fit in exactly one place."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] != "+")
        new = "".join(line[1:] for line in lines if line[0] != "-")
        assert text.count(old) == 1, f"fits in {text.count(old)} places:\n{hunk}"
        text = text.replace(old, new)
    return text


def apply(recipe: Recipe, folder: Path) -> None:
    """Apply a recipe to a copy of the sources."""
    for file, block in recipe.blocks.items():
        path = folder / file
        if not recipe.files[file]:
            block = patched(path.read_text("utf-8"), block)
        path.write_text(block, "utf-8")


def test_which_recipes_there_are():
    assert list(RECIPES) == [
        "Add a tokenizer",
        "Add an output format",
        "Add an engine",
        "Add an estimator",
        "Add a method of summarizing",
        "Add an option of the draw",
    ]


@each
def test_files_are_few_and_shown(recipe: Recipe):
    assert 0 < len(recipe.files) <= MOST_FILES
    assert sorted(recipe.files) == sorted(recipe.blocks)
    for file, new, _, _ in _BLOCK.findall(recipe.text):
        assert bool(new) == recipe.files[file], file


@each
def test_files_are_where_the_recipe_says(recipe: Recipe):
    for file, new in recipe.files.items():
        assert (ROOT / file).parent.is_dir(), file
        assert (ROOT / file).is_file() != new, file
        if new and file.endswith(".py"):
            compile(recipe.blocks[file], file, "exec")
        elif not new:
            patched((ROOT / file).read_text("utf-8"), recipe.blocks[file])


@pytest.mark.parametrize(
    ("heading", "tests"),
    [
        ("Add an output format", ["tests/corpus/test_formats.py", "tests/corpus", "-k", "orc"]),
        ("Add an engine", ["tests/engine/test_processes.py", "-k", "selection"]),
        ("Add an estimator", ["tests/model/test_length_model.py"]),
        (
            "Add a method of summarizing",
            ["tests/graph/test_longest.py", "tests/graph/test_summary_methods.py", "-k", "longest"],
        ),
        ("Add an option of the draw", ["tests/select/test_max_tokens.py"]),
    ],
)
def test_the_recipe_works(heading: str, tests: list[str], tmp_path: Path):
    if any("Editable" in str(finder) or "Redirect" in str(finder) for finder in sys.meta_path):
        pytest.skip("an editable install comes before the copy")
    package = tmp_path / "python" / "dsir"
    shutil.copytree(ROOT / "python" / "dsir", package, ignore=shutil.ignore_patterns("_core*.so"))
    shutil.copy(_core.__file__, package)
    shutil.copytree(ROOT / "tests", tmp_path / "tests")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    apply(RECIPES[heading], tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert re.search(r"\d+ passed", done.stdout)


def test_the_tokenizer_compiles_and_keeps_its_concepts(tmp_path: Path):
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("there is no compiler")
    shutil.copytree(ROOT / "cpp", tmp_path / "cpp", ignore=shutil.ignore_patterns("seeds"))
    for file, block in RECIPES["Add a tokenizer"].blocks.items():
        if file.startswith("cpp/"):
            path = tmp_path / file
            path.write_text(patched(path.read_text(), block) if path.exists() else block)
    done = subprocess.run(
        [
            compiler,
            "-std=c++20",
            "-fsyntax-only",
            "-Wall",
            "-Wextra",
            "-Icpp",
            "cpp/chunk/chunk.cpp",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_hunk_that_fits_nowhere_or_twice_is_found():
    assert patched("a\nb\nc\n", " a\n-b\n+d\n@@\n c\n+e\n") == "a\nd\nc\ne\n"
    for text in ("a\nd\n", "a\nb\na\nb\n"):
        with pytest.raises(AssertionError, match="places"):
            patched(text, " a\n-b\n+d\n")
