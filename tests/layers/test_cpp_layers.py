"""Who may include whom in the C++ core: its rooms, top to bottom. Nothing includes upwards.

A room is a folder of cpp/ with C++ files. Lines of `#include "..."` are read as text; they name a
file from cpp/ on or a neighbour in the same folder.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

CPP = Path(__file__).parents[2] / "cpp"

# Top to bottom. A file may include files of lower rooms and of its own room, but not of the rooms
# beside its own.
ROOMS: list[tuple[str, ...]] = [
    ("fuzz",),
    ("bindings", "tests"),
    ("classifier", "gais/exchanges", "gais/judges"),
    (
        "chunk",
        "contamination",
        "coverage",
        "fasttext",
        "gais",
        "language_model",
        "lexrank",
        "minhash",
        "quality",
    ),
    ("ngram",),
    ("digest", "json", "sampling", "text"),
    ("simd",),
    ("hashing",),
    ("arrow", "numeric", "parallel", "parquet", "unicode"),
]

# Rooms whose files belong to no namespace of that name: programs, each with a main().
PROGRAMS = {"fuzz", "tests"}

# The entry point of the Python module, and C structures that Arrow names.
WITHOUT_NAMESPACE = {"bindings/module.cpp", "arrow/c_data.hpp"}

# What only one room may use.
OWNERS = {
    r"pybind11|\bPython\.h\b|\bPyObject\b|\bpy::": "bindings",
    r"<(immintrin|arm_neon|cpuid|sys/auxv)\.h>|\b_mm\d*_|\bv\w+q_[usf]\d+\(": "simd",
}

pytestmark = pytest.mark.skipif(not CPP.is_dir(), reason="the sources are not there")


@functools.cache
def files() -> dict[str, str]:
    """The text of every C++ file by its path from cpp/ on."""
    paths = sorted([*CPP.rglob("*.hpp"), *CPP.rglob("*.cpp")])
    return {path.relative_to(CPP).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def room_of(file: str) -> str:
    return file.rpartition("/")[0]


def level_of(room: str) -> int:
    for level, rooms in enumerate(ROOMS):
        if room in rooms:
            return level
    raise AssertionError(f"cpp/{room} has no level: give it a place in ROOMS")


@functools.cache
def included(file: str) -> tuple[str, ...]:
    """The files of cpp/ that a file includes."""
    found = []
    for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', files()[file], flags=re.MULTILINE):
        beside = f"{room_of(file)}/{name}"
        assert name in files() or beside in files(), f"{file} includes {name}, which is not there"
        found.append(name if name in files() else beside)
    return tuple(found)


@pytest.mark.parametrize("file", files())
def test_nothing_includes_upwards_or_sideways(file):
    room = room_of(file)
    for target in included(file):
        other = room_of(target)
        assert other == room or level_of(other) > level_of(room), f"{file} includes {target}"


def test_rooms_name_only_what_is_there():
    named = [room for rooms in ROOMS for room in rooms]
    assert sorted(named) == sorted({room_of(file) for file in files()})


def units() -> dict[str, set[str]]:
    """Which units each unit includes; a unit is a header with the source of the same name."""
    graph: dict[str, set[str]] = {}
    for file in files():
        unit = file.rpartition(".")[0]
        targets = {target.rpartition(".")[0] for target in included(file)}
        graph.setdefault(unit, set()).update(targets - {unit})
    return graph


def circle_of(graph: dict[str, set[str]]) -> list[str]:
    """One circle of a graph, or nothing."""
    done: set[str] = set()

    def search(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for target in sorted(graph.get(node, ())):
            if circle := search(target, [*path, node]):
                return circle
        done.add(node)
        return []

    for node in sorted(graph):
        if circle := search(node, []):
            return circle
    return []


def test_files_do_not_include_each_other_in_a_circle():
    assert circle_of(units()) == []


def test_a_circle_would_be_found():
    assert circle_of({"a": {"b"}, "b": {"c", "d"}, "c": set(), "d": {"b"}}) == ["b", "d", "b"]


@pytest.mark.parametrize("file", files())
def test_what_belongs_to_one_room_stays_there(file):
    for pattern, owner in OWNERS.items():
        if room_of(file) != owner:
            found = re.search(pattern, files()[file])
            assert found is None, f"{file} has {found and found.group()}: only cpp/{owner} may"


def test_owners_have_what_only_they_may_use():
    for pattern, owner in OWNERS.items():
        assert any(re.search(pattern, files()[f]) for f in files() if room_of(f) == owner), pattern


@pytest.mark.parametrize("file", [f for f in files() if room_of(f) not in PROGRAMS])
def test_the_namespace_is_the_room(file):
    namespaces = re.findall(r"^namespace (dsir[\w:]*) \{", files()[file], flags=re.MULTILINE)
    expected = "dsir::" + room_of(file).replace("/", "::")
    assert set(namespaces) <= {expected}, f"{file} opens {namespaces}"
    assert namespaces or file in WITHOUT_NAMESPACE, f"{file} opens no namespace"
