"""Kernels and functions of the user that options name, each command in a new process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from own_code import (
    ASKS,
    DRAW,
    KERNELS,
    LAB,
    MODEL,
    OF_FUNCTIONS,
    OF_KERNELS,
    numba,
    options_of,
    run,
    select,
    settings_in,
    write_inputs,
)

import dsir

OF_A_MODULE = ("tokenizer=dashes:at_dashes", "extractor=dashes:with_first")
OF_AN_OBJECT = ("tokenizer=lab/functions.py:cut",)
EACH = pytest.mark.parametrize(
    ("named", "source"),
    [
        pytest.param(OF_KERNELS, "kernels-of-mine.py", marks=numba),
        pytest.param(OF_A_MODULE, "dashes", marks=numba),
        (OF_FUNCTIONS, LAB),
        (OF_AN_OBJECT, LAB),
    ],
    ids=["kernels", "module", "functions", "object"],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_inputs(tmp_path)


@EACH
def test_an_option_or_a_configuration_names_code(folder, named, source, contents):
    select(folder, "out", *options_of(named))
    described = json.dumps(settings_in(folder, "out"))
    assert all(one.rpartition(":")[2] in described or "Cut" in described for one in named)
    given = dict(one.split("=") for one in named)
    config = folder / "run.json"
    config.write_text(json.dumps({"raw": "raw.parquet", "target": "t.parquet", **given}))
    run(folder, "select", "--config", config, *DRAW, "-o", "of-config")
    assert settings_in(folder, "of-config") == settings_in(folder, "out")
    assert contents(folder / "of-config/data") == contents(folder / "out/data")
    run(folder, "score", "raw.parquet", *MODEL, "-o", "scores", says=ASKS, code=1)
    config.write_text(json.dumps({"model": MODEL[1], "kernels": [source]}))
    run(folder, "score", "raw.parquet", "--config", config, "-o", "scores", says="90 rows")


def test_every_command_that_reads_a_model_takes_its_code(folder, contents):
    select(folder, "out", *options_of(OF_FUNCTIONS))
    kernels = ("--kernels", LAB)
    run(folder, "verify", "out", says=ASKS, code=1)
    run(folder, "verify", "out", *kernels, says="verified")
    run(folder, "score", "raw.parquet", *MODEL, *kernels, "-o", "scores", says="90 rows")
    run(folder, "sample", "scores", "--n", "9", "--min-tokens", "1", "-o", "rows", "-q")
    run(folder, "write", "rows", *MODEL, *kernels, "-o", "written", "-q")
    assert contents(folder / "written/data") == contents(folder / "out/data")
    run(folder, "report", "out", *kernels, says="report.html")
    run(folder, "explain", "out", "of row1", *kernels, says="row1")
    run(folder, "select", "raw.parquet", *MODEL, *DRAW, *kernels, "-o", "of-model")
    assert contents(folder / "of-model/data") == contents(folder / "out/data")
    select(folder, "again", "--config", "out/_dsir/selection.json", *options_of(OF_FUNCTIONS))
    assert contents(folder / "again/data") == contents(folder / "out/data")


def test_the_python_call_gives_the_same(folder, contents, monkeypatch):
    select(folder, "out", *options_of(OF_FUNCTIONS))
    monkeypatch.syspath_prepend(str(folder / "lab"))
    import functions

    with pytest.warns(dsir.DsirWarning):
        dsir.select(
            str(folder / "raw.parquet"),
            str(folder / "t.parquet"),
            features=dsir.HashedNgrams(tokenizer=functions.pieces),
            scorer=functions.spread,
            out=folder / "python",
            n=9,
            min_tokens=1,
            progress=False,
        )
    assert contents(folder / "python/data") == contents(folder / "out/data")


def test_a_finished_selection_is_no_word_for_code(folder):
    """Its settings say that code is needed; only options bring it."""
    select(folder, "out", *options_of(OF_FUNCTIONS))
    path = folder / "out/_dsir/selection.json"
    config = ("--config", path.relative_to(folder))
    asks = "selection was made with the function pieces, whose code it does not hold; give --tok"
    select(folder, "again", *config, says=asks, code=2)
    tokenizer = options_of(OF_FUNCTIONS[:1])
    asks = "selection was made with the function spread, whose code it does not hold; give --sco"
    select(folder, "again", *config, *tokenizer, says=asks, code=2)
    (folder / "evil.py").write_text(
        "open('was-here', 'w').close()\ndef f(text): return text.split()\n"
    )
    content = json.loads(path.read_text())
    for of_features, name, value in (
        (True, "tokenizer", "evil.py:f"),
        (True, "extractor", "evil.py:f"),
        (False, "scorer", "evil.py:f"),
        (False, "kernels", ["evil.py"]),
        (False, "methods", "x: tokenizer=evil.py:f"),
    ):
        changed = {
            **content["settings"],
            "features": {"n": 2, "tokenizer": "bytes"},
            "scorer": None,
        }
        (changed["features"] if of_features else changed)[name] = value
        path.write_text(json.dumps({**content, "settings": changed}))
        for command in ("select", "compare"):
            words = [command, "raw.parquet", "-t", "t.parquet", *config, "--overwrite", "-o", "x"]
            subprocess.run(
                [sys.executable, "-m", "dsir", *map(str, words)], cwd=folder, check=False
            )
        assert not (folder / "was-here").exists(), name
    path.write_text(json.dumps({"tokenizer": "evil.py:f", "raw": "raw.parquet"}))
    says = "selection.json: cannot be read: has no settings of a selection"
    select(folder, "again", *config, says=says, code=2)
    assert not (folder / "was-here").exists()
    select(folder, "again", "--tokenizer", "evil.py:f")
    assert (folder / "was-here").exists()


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("tokenizer", "none.py:cut", "there is no file none.py"),
        ("tokenizer", "lab:cut", "the module lab has no cut"),
        ("tokenizer", "nowhere.inside:cut", "there is no module nowhere that Python finds"),
        ("tokenizer", LAB, f"does not say which function of the file is meant; give {LAB}:NAME"),
        ("tokenizer", f"{LAB}:peices", f"{LAB} has no peices; did you mean pieces?"),
        ("tokenizer", f"{LAB}:seven", "is 7; expected a function from a text to its tokens"),
        ("tokenizer", f"{LAB}:Cut", "is a class; expected a function from a text to its tokens"),
        ("tokenizer", "string:nothing", "/string.py) has no nothing"),
        ("scorer", "spread", "expected a function, or one that is decorated with"),
        ("scorer", f"{LAB}:seven", "is 7; expected a function, or one that is decorated with"),
        ("extractor", f"{LAB}:pieces", "expected a function that is decorated with"),
        ("tokenizer", "raises.py:f", "raises.py cannot be imported: line 2 raised KeyError: 'k'"),
        ("scorer", "raises:f", "the module raises cannot be imported: raised KeyError: 'k'"),
        ("tokenizer", "exits.py:f", "exits.py cannot be imported: line 2 raised SystemExit: 3"),
        ("tokenizer", "syntax.py:f", "syntax.py cannot be imported: raised SyntaxError: "),
        ("tokenizer", "needs.py:f", "line 1 raised ModuleNotFoundError: No module named 'gone'"),
        (
            "tokenizer",
            "package/own.py:f",
            "line 1 imports from its own package, which a file alone",
        ),
        ("kernels", "none.py", "there is no file none.py"),
        ("kernels", f"{LAB}:cut", "expected a Python file, such as kernels.py, or the name of a"),
        ("kernels", "raises.py", "raises.py cannot be imported: line 2 raised KeyError: 'k'"),
    ],
)
def test_what_cannot_be_imported_is_one_line(folder, option, value, says):
    (folder / "raises.py").write_text("x = {}\nx['k']\n")
    (folder / "exits.py").write_text("import sys\nsys.exit(3)\n")
    (folder / "syntax.py").write_text("def f(:\n")
    (folder / "needs.py").write_text("import gone\n")
    (folder / "package").mkdir()
    (folder / "package/own.py").write_text("from .other import f\n")
    said = f"dsir: error: --{option} {value}: {says}"
    if "expected" in says or "has no" in says or "line 1" in says:
        said = says
    select(folder, "out", f"--{option}", value, says=said, code=2)


@numba
def test_kernels_in_the_wrong_place_say_which_option_takes_them(folder):
    mine = "kernels-of-mine.py"
    for option, name, says in (
        ("tokenizer", "largest", f"is a scorer kernel; give it as --scorer {mine}:largest"),
        ("extractor", "at_dashes", f"is a kernel; give it as --tokenizer {mine}:at_dashes"),
        ("tokenizer", "nothing", "has no nothing; its kernels are at_dashes, with_first, largest"),
    ):
        select(folder, "out", f"--{option}", f"{mine}:{name}", says=says, code=2)
    changed = KERNELS.replace("DASH = 45", "DASH = 46").replace("+= 2", "+= two")
    (folder / mine).write_text(changed)
    says = "numba cannot compile with_first"
    select(folder, "out", "--tokenizer", f"{mine}:at_dashes", says=says, code=2)


@pytest.mark.parametrize(
    ("named", "old", "new"),
    [
        pytest.param(OF_KERNELS, "DASH = 45", "DASH = 46", marks=numba),
        (OF_FUNCTIONS, ".min()", ".mean()"),
    ],
    ids=["kernels", "functions"],
)
def test_changed_code_is_another_kernel(folder, named, old, new):
    select(folder, "out", *options_of(named))
    file = folder / named[0].split("=")[1].rpartition(":")[0]
    file.write_text(file.read_text().replace(old, new))
    says = "which this process does not have (it has one of this name with the digest "
    given = ("-m", "out/_dsir/model.dsir", "--kernels", file.relative_to(folder))
    run(folder, "score", "raw.parquet", *given, "-o", "scores", says=says, code=1)


def test_methods_of_a_comparison_name_code(folder):
    methods = "spread: scorer=lab/functions.py:spread"
    words = ["compare", "raw.parquet", "-t", "t.parquet", "--methods", methods, "--budgets", "n=9"]
    run(folder, *words, "--seeds", "1", "--min-tokens", "1", says="spread")
    words[5] = "spread: scorer=lab/functions.py:spraed"
    run(folder, *words, says="has no spraed; did you mean spread?", code=2)


def test_summaries_are_cut_by_functions(folder):
    """As in `summarize`: tokens are what the function gives, in its case."""
    given = ["lexrank", "raw.parquet", "--summary", "2", "-q", "--no-split", "--tokenizer"]
    run(folder, *given, "lab/functions.py:pieces", "-o", "ranked")
    settings = json.loads((folder / "ranked/_dsir/ranking.json").read_text())["settings"]
    assert settings["tokenizer"] == "pieces"
    run(folder, *given, "lab/functions.py:peices", "-o", "x", says="did you mean pieces?", code=2)
