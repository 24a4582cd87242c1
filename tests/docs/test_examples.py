"""Every public name has an example in its docstring, and the examples that can run do."""

from __future__ import annotations

import doctest
import inspect

import pytest

import dsir
from dsir import graph

NAMES = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (dsir, graph)
    for name in module.__all__
}
PUBLIC = {
    name: one
    for name, one in NAMES.items()
    if callable(one) and not (inspect.isclass(one) and issubclass(one, Exception))
}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_an_example_that_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = inspect.getdoc(PUBLIC[name]) or ""
    assert "Example:" in text, name
    if PUBLIC[name] is dsir.kernel:
        pytest.importorskip("numba")
    parsed = doctest.DocTestParser().get_doctest(text, {"dsir": dsir}, name, None, None)
    assert parsed.examples, name
    said: list[str] = []
    failed, _ = doctest.DocTestRunner().run(parsed, out=said.append)
    assert not failed, "".join(said)


def test_most_examples_run():
    skipped = [name for name, one in PUBLIC.items() if "+SKIP" in (inspect.getdoc(one) or "")]
    assert len(skipped) < len(PUBLIC) / 3
