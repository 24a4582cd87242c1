"""Who may import whom: the layers of the package, top to bottom. Nothing imports upwards."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import dsir

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "dsir"

# Top to bottom. A room is a folder, or a module that lies in no folder. A room may import the rooms
# of lower floors, and no room of its own floor.
FLOORS: list[tuple[str, ...]] = [
    ("__main__",),
    ("cli", "compat", "integrations"),
    ("__init__",),
    ("check", "comparison"),
    ("run",),
    ("report",),
    ("stages", "graph"),
    ("lexrank", "gais"),
    ("settings",),
    ("model",),
    ("output",),
    ("corpus", "sampling"),
    ("storage", "engine", "primitive_arrays"),
    ("remote", "arguments", "progress"),
    ("_core", "errors", "facts", "formats", "kernels", "plural", "thread_pool", "version"),
    ("interrupts",),
]

# What only these may touch.
OWNERS = {
    "typer": ("cli.",),
    "rich": ("cli.", "progress"),
    "yaml": ("cli.",),
    "pickle": (),
    "polars": ("integrations.polars.",),
    "pandas": ("integrations.pandas.", "integrations.dask."),
    "datasets": (),
    "duckdb": ("integrations.duckdb.",),
    "torch": ("integrations.torch.",),
    "datatrove": ("integrations.datatrove.",),
    "nemo_curator": ("integrations.nemo_curator.",),
    "dask": ("integrations.dask.",),
    "daft": ("integrations.daft.",),
    "nltk": ("compat.", "model.sentences"),
    "sentencex": ("lexrank.",),
    "scipy": ("lexrank.", "integrations.sklearn."),
    "sklearn": ("lexrank.", "gais.", "integrations.sklearn."),
    "fsspec": ("remote.",),
    "aiohttp": ("remote.",),
    "botocore": ("remote.",),
    "ray": ("engine.ray",),
    "numba": ("kernels.", "model.kernels."),
    "tokenizers": ("model.vocabulary.",),
}

VAGUE = {"utils", "util", "common", "helpers", "helper", "misc", "manager"}

pytestmark = pytest.mark.skipif(not PACKAGE.is_dir(), reason="the sources are not there")


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of the package by its name in it, such as "stages.count"."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts)] = path
    return found


def room_of(module: str) -> str:
    """The room that a module is in: its folder, or itself."""
    return module.split(".")[0]


def floor_of(module: str) -> int:
    for number, rooms in enumerate(FLOORS):
        if room_of(module) in rooms:
            return number
    raise AssertionError(f"{module} is in no room: give {room_of(module)} a floor in FLOORS")


def imported(path: Path) -> set[str]:
    """The full names that a module imports, at its top or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def inside(name: str) -> str | None:
    """The module of the package that an imported name is, or is in."""
    if name == "dsir":
        return "__init__"
    if not name.startswith("dsir."):
        return None
    parts = name.split(".")[1:]
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        if module in modules() or module == "_core":
            return module
        if f"{module}.__init__" in modules():
            return f"{module}.__init__"
    return "__init__"


@functools.cache
def imports_of(module: str) -> frozenset[str]:
    """The modules of the package that a module imports."""
    found = {inside(name) for name in imported(modules()[module])}
    return frozenset(name for name in found if name is not None and name != module)


@pytest.mark.parametrize("module", modules())
def test_nothing_imports_upwards(module):
    for target in sorted(imports_of(module)):
        if room_of(target) != room_of(module):
            assert floor_of(target) > floor_of(module), f"{module} imports {target} from above"


def test_no_modules_import_each_other_in_a_circle():
    """Also inside a folder, and also by imports inside functions."""
    done: set[str] = set()
    path: list[str] = []

    def visit(module: str) -> None:
        assert module not in path, " imports ".join([*path[path.index(module) :], module])
        if module in done or module not in modules():
            return
        path.append(module)
        for target in sorted(imports_of(module)):
            visit(target)
        done.add(path.pop())

    for module in modules():
        visit(module)
    assert done == {*modules()}


def test_every_room_has_one_floor():
    rooms = [room for floor in FLOORS for room in floor]
    assert sorted(rooms) == sorted({room_of(module) for module in modules()} | {"_core"})


def test_no_public_function_has_the_dotted_name_of_a_module():
    there = {name.removesuffix(".__init__") for name in modules()}
    for name in dsir.__all__:
        assert name not in there or inspect.ismodule(getattr(dsir, name)), f"dsir.{name}"
    for name in dsir.graph.__all__:
        assert f"graph.{name}" not in there, f"dsir.graph.{name}"


def test_dir_shows_the_public_names():
    assert dir(dsir) == sorted(dsir.__all__)
    assert dir(dsir.graph) == sorted(dsir.graph.__all__)


@pytest.mark.parametrize("module", modules())
def test_libraries_stay_where_they_belong(module):
    for name in imported(modules()[module]):
        library = name.split(".")[0]
        allowed = OWNERS.get(library)
        if allowed is not None:
            assert any(f"{module}.".startswith(name) for name in allowed), f"{module}: {library}"


@pytest.mark.parametrize("module", [one for one in modules() if room_of(one) != "corpus"])
def test_nobody_asks_a_shard_for_its_type(module):
    """What only some shards can do is in their contract, `corpus.shard.Shard`."""
    for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            assert "Shard" not in ast.unparse(node.args[1]), f"{module}: {ast.unparse(node)}"


def test_names_say_what_is_inside():
    sources = [*PACKAGE.rglob("*"), *(ROOT / "cpp").rglob("*")]
    assert sources
    assert not [path for path in sources if path.stem.lower() in VAGUE]


def test_only_the_bindings_know_of_python():
    sources = [path for path in (ROOT / "cpp").rglob("*") if path.suffix in (".cpp", ".hpp")]
    assert sources
    for path in sources:
        text = path.read_text(encoding="utf-8")
        if "bindings" not in path.parts:
            assert "pybind11" not in text, path
            assert "Python.h" not in text, path


def test_public_names_are_documented():
    assert dsir.__doc__
    for name in dsir.__all__:
        thing = getattr(dsir, name)
        if name == "__version__":
            assert isinstance(thing, str)
            continue
        assert inspect.getdoc(thing), name
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                if not member.startswith("_") and (
                    inspect.isfunction(value) or isinstance(value, property | classmethod)
                ):
                    assert inspect.getdoc(value), f"{name}.{member}"


def test_errors_of_the_public_face_are_all_of_one_family():
    from dsir import errors

    for name in errors.__all__:
        assert name in dsir.__all__
        kind = getattr(errors, name)
        if name != "DsirWarning":
            assert issubclass(kind, dsir.DsirError)


def test_every_module_says_what_it_is_for():
    for module, path in modules().items():
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), module


# What takes long to import and is not needed until something is read or written.
HEAVY = [
    *("nltk", "polars", "pandas", "datasets", "yaml", "fsspec", "aiohttp", "urllib.request"),
    *("pyarrow.compute", "pyarrow.dataset", "pyarrow.fs", "pyarrow.json", "pyarrow.parquet"),
    *("asyncio", "email", "importlib.metadata", "multiprocessing", "ssl", "unittest"),
]


@pytest.mark.parametrize(
    ("module", "heavy"), [("dsir", [*HEAVY, "rich", "typer"]), ("dsir.cli.main", HEAVY)]
)
def test_importing_is_light(module, heavy):
    # What the libraries themselves bring along is theirs.
    code = (
        "import sys, numpy, pyarrow\n"
        f"if {module!r} != 'dsir': import typer\n"
        "before = set(sys.modules)\n"
        f"import {module}\n"
        f"print([name for name in {heavy} if name in sys.modules and name not in before])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_version_is_the_one_that_was_installed():
    assert importlib.metadata.version("dsir") == dsir.__version__
