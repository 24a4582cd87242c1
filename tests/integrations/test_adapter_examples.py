"""Every adapter has an example in its docstring, and the examples that can run do."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import dsir
import dsir.integrations

FOLDER = Path(dsir.integrations.__file__).parent
SHARED = {"__init__", "scorer", "batches"}
ADAPTERS = sorted({path.stem for path in FOLDER.glob("*.py")} - SHARED)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_examples_run(adapter):
    name = f"dsir.integrations.{adapter}"
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        pytest.skip(str(error))
    public = [
        one
        for key, one in vars(module).items()
        if not key.startswith("_") and getattr(one, "__module__", None) == name
    ]
    assert public
    for one in public:
        text = inspect.getdoc(one) or ""
        assert "Example:" in text, one
        parsed = doctest.DocTestParser().get_doctest(text, {"dsir": dsir}, name, None, None)
        library = {"sklearn": "sklearn", "spark": "pyarrow"}.get(adapter, adapter)
        if library in text and "+SKIP" not in text:
            pytest.importorskip(library)
        said: list[str] = []
        failed, _ = doctest.DocTestRunner().run(parsed, out=said.append)
        assert not failed, "".join(said)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_package_lists_every_adapter(adapter):
    assert f"`dsir.integrations.{adapter}`" in (dsir.integrations.__doc__ or "")
