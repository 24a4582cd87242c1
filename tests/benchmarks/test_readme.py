"""The README's figures are those of the run that lies beside the benchmarks."""

from __future__ import annotations

import copy
import json

import pytest

from benchmarks import readme


@pytest.fixture(scope="module")
def result():
    return json.loads(readme.RESULTS.read_text(encoding="utf-8"))


def test_the_readme_says_what_was_measured(result):
    text = readme.README.read_text(encoding="utf-8")
    assert readme.with_figures(text, result) == text


def test_another_run_has_another_table(result):
    other = copy.deepcopy(result)
    for one in other["scoring"]["figures"]:
        if one["name"] == "score fast / reference":
            one["median"] = 123456.0
    assert "123,456\u00d7" in "\n".join(readme.lines_of(other))


def test_a_run_that_lacks_a_figure_is_refused(result):
    other = {name: part for name, part in result.items() if name != "memory"}
    with pytest.raises(SystemExit, match=r"no figure .* of 'memory'"):
        readme.lines_of(other)
