"""The code blocks of a page of the docs, and a way to run them in order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<why>[^\n]+) -->\n+)?```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_FILE = re.compile(r"# (?P<name>[\w.-]+\.(?:py|yaml|toml|json))\n")


class CodeBlock(NamedTuple):
    """A block of code.

    Attributes:
        language: "python", "sh" or "console", or that of a file.
        code: what is between the fences.
        why_not: why the block is not run, in words of the page; None if it is.
    """

    language: str
    code: str
    why_not: str | None

    @property
    def names_a_file(self) -> bool:
        """Whether the block is the content of a file, named by its first line."""
        return _FILE.match(self.code) is not None


def code_blocks(page: str) -> list[CodeBlock]:
    """Return the blocks of a page that have a language, in order."""
    return [
        CodeBlock(found["language"], found["code"], found["why"]) for found in _BLOCK.finditer(page)
    ]


# Amounts of large corpora, and what stands for them here.
_SCALED = {
    r"\b100_?000\b": "10",
    r"\b1e9\b": "9000",
    r"\b10GB\b": "60000",
    r"\b(?:10|1)G\b": "9000",
    r"--keep 2000\b": "--keep 40",
    r"(?<=[ '\"])/shared/": "shared/",
}
# A command may write to a folder of an earlier block; those that add to a folder are left alone.
_DSIR = """dsir() {
    local last="" word
    if [ "$1" != score ]; then
        for word in "$@"; do
            if [ "$last" = -o ] || [ "$last" = --out ]; then rm -rf "$word"; fi
            last=$word
        done
    fi
    command dsir "$@"
}
"""
_OUT = re.compile(r"""\bout="([\w/-]+)\"""")


class PageRun:
    """Runs blocks of a page one after the other: they share a folder and Python's names.

    A block of Python or YAML whose first line is a comment with the name of a file, such as
    `# count.py`, is written to this file and not run.

    Args:
        folder: where they run; `examples` is there as in the repository.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, Any] = {"__name__": "__page__"}
        (folder / "examples").symlink_to(ROOT / "examples")
        binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        self._environment = {**os.environ, "PATH": binaries, "COLUMNS": "120"}

    def run(self, block: CodeBlock) -> None:
        """Run one block; the test's current folder has to be the page's.

        Raises:
            AssertionError: a command failed.
        """
        file, code = _FILE.match(block.code), scaled(block.code)
        if file is not None:
            (self._folder / file["name"]).write_text(code, encoding="utf-8")
        elif block.language in ("python", "py"):
            for folder in _OUT.findall(code):
                shutil.rmtree(self._folder / folder, ignore_errors=True)
            exec(compile(code, "block of the page", "exec"), self._names)
        else:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", _DSIR + code],
                cwd=self._folder,
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"


def scaled(code: str) -> str:
    """Return code with amounts that the small corpus has."""
    for pattern, small in _SCALED.items():
        code = re.sub(pattern, small, code)
    return code
