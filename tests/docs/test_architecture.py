"""The tables of rooms in docs/architecture.md are those that the layer tests hold."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the sources are not there")


def layers(name: str, constant: str) -> list[tuple[str, ...]]:
    path = ROOT / "tests" / "layers" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, constant)


def tables() -> list[list[tuple[str, ...]]]:
    """The floors of every table of rooms."""
    found = []
    for table in PAGE.read_text("utf-8").split("| floor | room |")[1:]:
        floors: dict[int, list[str]] = {}
        for floor, room in re.findall(r"^\| (\d+) \| `([\w/]+)` \| ", table, re.MULTILINE):
            floors.setdefault(int(floor), []).append(room)
        assert list(floors) == list(range(len(floors)))
        found.append([tuple(sorted(rooms)) for rooms in floors.values()])
    return found


@pytest.mark.parametrize(
    ("number", "name", "constant"),
    [(0, "test_layers", "FLOORS"), (1, "test_cpp_layers", "ROOMS")],
)
def test_rooms_and_floors_are_those_of_the_code(number, name, constant):
    assert tables()[number] == [tuple(sorted(rooms)) for rooms in layers(name, constant)]


def test_every_file_that_the_page_names_is_there():
    named = re.findall(r"`((?:\w+/)+\w+\.(?:py|hpp|md|cpp))`", PAGE.read_text("utf-8"))
    assert len(named) > 20
    for name in named:
        assert (ROOT / name).is_file() or (ROOT / "python" / "dsir" / name).is_file(), name


def test_the_picture_needs_nothing_from_elsewhere():
    path = PAGE.with_suffix(".svg")
    ElementTree.parse(path)
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert "http" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
