"""The tables of arguments in docs/api.md are those that the code makes."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

import dsir
import dsir.graph

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


def test_calls_on_the_page_are_the_signatures(script):
    """Those that are written out; "..." stands for the rest of a call."""
    page = script.PAGE.read_text(encoding="utf-8")
    calls = re.findall(r"^(?:\| |## )`(?:dsir\.)?(\w+)\(([^`]*)\)`", page, re.MULTILINE)
    every = {**vars(dsir), **vars(dsir.graph)}
    public = {name: one for name, one in every.items() if callable(one)}  # Rooms are not called.
    checked = set()
    for name, arguments in calls:
        if name in public and "..." not in arguments:
            assert arguments == _arguments(public[name]), name
            checked.add(name)
    assert {"GAIS", "lexrank", "summarize", "sample", "HashedNgrams"} <= checked


def _arguments(function) -> str:
    shown, keywords = [], False
    for one in inspect.signature(function).parameters.values():
        if one.kind is one.KEYWORD_ONLY and not keywords:
            keywords = True
            shown.append("*")
        default = f"{one.default:_}" if one.default == 10_000 else repr(one.default)
        given = "" if one.default is one.empty else "=" + default.replace("'", '"')
        shown.append(one.name + given)
    return ", ".join(shown)


def test_help_names_every_argument():
    """help(dsir.select) and the signature are made from the same fields."""
    assert dsir.select.__doc__ is not None
    for name in inspect.signature(dsir.select).parameters:
        assert f"        {name}: " in dsir.select.__doc__, name
    unexpected = r"select\(\) got an unexpected keyword argument"
    with pytest.raises(TypeError, match=rf"{unexpected} 'sed'; did you mean 'seed'\?"):
        dsir.select(["a"], ["b"], n=1, sed=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=rf"{unexpected} 'buckets'; give features=HashedNgrams"):
        dsir.select(["a"], ["b"], n=1, buckets=3)  # type: ignore[call-arg]
