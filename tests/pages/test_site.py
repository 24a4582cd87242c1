"""The documentation builds as a web site, without a warning, and has every page and name."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dsir

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs/site/build.py"

pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="the sources are not there")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("site_build", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(600)
def test_it_builds_without_a_warning(tmp_path):
    for library in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(library)
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    names = (tmp_path / "html/docs/reference/python.html").read_text("utf-8")
    for name in dsir.__all__:
        if name not in ("__version__", "graph"):
            assert f'id="dsir.{name}"' in names, name
    assert 'id="dsir.integrations.sklearn.NgramVectorizer"' in names
    commands = (tmp_path / "html/docs/reference/commands.html").read_text("utf-8")
    assert "--max-per" in commands
    # An option in a help text is code, and keeps its two dashes.
    assert not re.search("\N{EN DASH}[a-z]", commands)
    assert names.count('<a class="reference internal" href="#dsir.') > 480
    # A property's docstring with a colon stays whole.
    assert "Weight of every bucket, float32[buckets]; several classifiers: [targets" in names
    first = (tmp_path / "html/index.html").read_text("utf-8")
    assert "Point it at terabytes of text" in first
    assert 'href="docs/quickstart.html"' in first
    # Nothing is fetched from elsewhere when a page is opened.
    for page in (tmp_path / "html").rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r'<(?:script|img|iframe)[^>]* src="https?:', text), page
        assert not re.search(r'<link[^>]*rel="stylesheet"[^>]* href="https?:', text), page


def test_every_page_is_in_the_index(script, tmp_path):
    script.stage(tmp_path)
    listed = set(re.findall(r"^[\w/.-]+$", (tmp_path / "index.md").read_text("utf-8"), re.M))
    pages = {str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*.md")} - {"index.md"}
    assert {page.removesuffix(".md") for page in pages} == listed
    assert {str(one.relative_to(ROOT)) for one in (ROOT / "docs").rglob("*.md")} <= pages


def test_guides_are_in_the_order_of_the_documentation(script, tmp_path):
    script.stage(tmp_path)
    index = (tmp_path / "index.md").read_text("utf-8")
    guides = re.findall(r"^docs/(how-to/[\w-]+)$", index, re.M)
    named = re.findall(r"\((how-to/[\w-]+)\.md\)", (ROOT / "docs/README.md").read_text("utf-8"))
    assert guides == list(dict.fromkeys(named))


def test_every_command_and_option_is_on_the_page(script):
    page = script.commands_page()
    for words in (
        "## dsir select",
        "`--out`, `-o`",
        "`--max-per`",
        "## dsir gais",
        "`--ray-address`",
    ):
        assert words in page, words
