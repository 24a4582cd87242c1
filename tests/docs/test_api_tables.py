"""The tables of arguments in docs/api.md are those that the code makes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import dsir

SCRIPT = Path(__file__).parents[2] / "docs" / "arguments_table.py"

pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="the sources are not there")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("arguments_table", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(script):
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.updated(page) == page, "run: python docs/arguments_table.py"
    stale = page.replace("Seed of the random draw", "Of the noise")
    assert stale != page
    assert script.updated(stale) == page


def test_help_names_every_argument():
    """help(dsir.select) and the signature are made from the same fields."""
    import inspect

    assert dsir.select.__doc__ is not None
    for name in inspect.signature(dsir.select).parameters:
        assert f"        {name}: " in dsir.select.__doc__, name
    with pytest.raises(TypeError, match=r"select\(\) got an unexpected keyword argument 'sed'"):
        dsir.select(["a"], ["b"], n=1, sed=3)  # type: ignore[call-arg]
