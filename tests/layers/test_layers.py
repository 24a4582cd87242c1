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

# Top to bottom. A module may import those of lower layers and of its own. Within a layer a name
# that ends in a dot stands for a folder.
LAYERS: list[tuple[str, ...]] = [
    ("cli.", "compat."),
    ("__init__",),
    ("check.", "check.verify", "check.diff", "check.reselect", "check.rewrite"),
    ("run.select", "run.select"),
    ("run.select_run", "run.select_run", "run.write_folder", "run.write_folder"),
    ("run.fit", "run.fit", "run.folders", "run.folders"),
    ("run.drawn_accounts", "run.drawn_accounts"),
    ("run.selection", "run.selection"),
    ("run.pipeline", "run.pipeline"),
    ("run.combining", "run.combining"),
    ("graph.", "lexrank.", "gais."),
    ("run.status", "run.status", "run.__init__"),
    ("stages.",),
    (
        "settings.",
        "settings.bad_data",
        "settings.documents",
        "settings.fit",
        "settings.budget",
        "settings.quotas",
        "settings.memory",
    ),
    ("sampling",),
    ("storage.workdir", "storage.workdir_lock"),
    ("model.",),
    ("output.",),
    ("corpus.",),
    ("storage.",),
    ("engine.", "progress"),
    ("arguments", "primitive_arrays", "check.json_differences"),
    ("remote.",),
    ("_core", "errors", "version"),
]

# What only these may touch.
OWNERS = {
    "typer": ("cli.",),
    "rich": ("cli.", "progress"),
    "yaml": ("cli.",),
    "pickle": (),
    "polars": (),
    "pandas": (),
    "datasets": (),
    "nltk": ("compat.", "model.sentences"),
    "sentencex": ("graph.",),
    "scipy": ("graph.",),
    "sklearn": ("graph.",),
    "fsspec": ("remote.",),
    "aiohttp": ("remote.",),
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


def layer_of(module: str) -> int:
    for level, names in enumerate(LAYERS):
        for name in names:
            if module == name or (name.endswith(".") and f"{module}.".startswith(name)):
                return level
    raise AssertionError(f"{module} belongs to no layer: give it a place in LAYERS")


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


@pytest.mark.parametrize("module", modules())
def test_nothing_imports_upwards(module):
    for name in imported(modules()[module]):
        target = inside(name)
        if target is not None and target != module:
            assert layer_of(target) >= layer_of(module), f"{module} imports {target} from above"


def test_layers_name_only_what_is_there():
    there = [*modules(), "_core"]
    for names in LAYERS:
        for name in names:
            assert any(f"{module}.".startswith(name) for module in there), name


@pytest.mark.parametrize("module", modules())
def test_libraries_stay_where_they_belong(module):
    for name in imported(modules()[module]):
        library = name.split(".")[0]
        allowed = OWNERS.get(library)
        if allowed is not None:
            assert any(f"{module}.".startswith(name) for name in allowed), f"{module}: {library}"


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
