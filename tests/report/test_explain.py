"""dsir explain: for a text, rows of a selection, and the whole of it."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest

import dsir


@pytest.fixture(scope="module")
def loaded(selected):
    return dsir.load(selected)


def test_rows_are_explained_by_their_place(selected, loaded, world, invoke_dsir):
    done = invoke_dsir("explain", selected, "--row", 7, "--row", 0, "--json", "--top", 0)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [one["row"] for one in rows] == [7, 0]
    for one in rows:
        text = world.texts[loaded.rows[one["row"]]]
        assert one["ngrams"] == loaded.model.explain(text).to_pylist()
        assert one["log_weight"] == loaded.log_weights[one["row"]]
        assert loaded.explain(one["row"]).to_pylist() == one["ngrams"]
        assert sum(n["contribution"] for n in one["ngrams"]) == pytest.approx(one["log_weight"])
    done = invoke_dsir("explain", selected, "--row", 7, "--top", 2)
    assert done.stdout.startswith("row 7 (part-")
    assert "2 of" in done.stdout.splitlines()[-1]


def test_separate_targets_explain_what_took_the_row(select_to, invoke_dsir, target, tmp_path):
    folder = select_to(tmp_path / "out", target={"a": target, "b": target}, targets="separate")
    loaded = dsir.load(folder)
    row = int(np.flatnonzero(loaded.target == 1)[0])
    [one] = json.loads(invoke_dsir("explain", folder, "--row", row, "--json").stdout)["rows"]
    assert one["target"] == "b"
    assert one["log_weight"] == loaded.log_weights[row]


def test_a_mixture_is_explained_by_its_strongest_target(select_to, target, tmp_path, world):
    other = tmp_path / "other.jsonl"
    other.write_text('{"text": "court judge law statute"}\n' * 30)
    folder = select_to(tmp_path / "out", target={"a": target, "b": other}, targets="mixture")
    loaded = dsir.load(folder)
    table = loaded.explain(0)
    text = world.texts[loaded.rows[0]]
    sums = {
        name: sum(loaded.model.explain(text, target=name)["contribution"].to_pylist())
        for name in "ab"
    }
    assert sum(table["contribution"].to_pylist()) == max(sums.values())


def test_a_whole_selection_is_explained_by_means(selected, loaded, world, invoke_dsir):
    found = json.loads(invoke_dsir("explain", selected, "--all", "--json", "--top", 3).stdout)
    assert (found["documents"], found["rows"]) == (60, 60)
    sums: dict[str, float] = {}
    for row in loaded.rows:
        for one in loaded.model.explain(world.texts[row]).to_pylist():
            sums[one["ngram"]] = sums.get(one["ngram"], 0.0) + one["contribution"]
    best = sorted(sums.values(), reverse=True)[:3]
    assert [one["amount"] for one in found["lifting"]] == pytest.approx([s / 60 for s in best])
    worst = sorted(sums.values())[:3]
    assert [one["amount"] for one in found["lowering"]] == pytest.approx([s / 60 for s in worst])
    done = invoke_dsir("explain", selected, "--all", "--top", 3)
    assert done.stdout.splitlines()[-1] == "over 60 of 60 rows"


def test_a_terminal_shows_the_text_in_colour_and_a_pipe_does_not(
    selected, world, invoke_dsir, monkeypatch
):
    text = f"{world.target[0]} \x1b[31m judge"
    plain = invoke_dsir("explain", selected, text).stdout
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = invoke_dsir("explain", selected, text).stdout
    assert "[U+001B]" in coloured  # The text's own escape does nothing.
    assert re.search("\x1b\\[[0-9;]*(36|46)[0-9;]*m", coloured)
    assert re.search("\x1b\\[[0-9;]*4;[0-9;]*mjudge", coloured)  # Against is underlined.


@pytest.mark.parametrize("what", [["--row", 3, "--row", 5], ["--all"], ["<b>ship</b> and sail"]])
def test_a_page_of_it(what, selected, invoke_dsir, tmp_path, page):
    path = tmp_path / "why.html"
    done = invoke_dsir("explain", selected, *what, "--html", path)
    assert done.returncode == 0, done.stderr
    read = type(page)(path.read_text(encoding="utf-8"))
    assert read.unbalanced == []
    assert len(read.all("h1")) == 1
    assert not read.all("b")
    assert len(read.all("section")) == (2 if "--row" in what else 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--row", 60], r"--row 60: the selection has 60 rows, from 0"),
        (["--row", -1], r"--row"),
        (["a text", "--row", 1], "give TEXT or --row, not both"),
        (["--all", "--row", 1], "give --row or --all, not both"),
        (["--row", 1, "--target", "a"], "--target a: rows of a selection"),
    ],
)
def test_what_is_refused(words, message, selected, invoke_dsir):
    done = invoke_dsir("explain", selected, *words)
    assert done.returncode == 2
    assert re.search(message, done.stderr), done.stderr


@pytest.mark.parametrize("what", [["--row", 3], ["--all"], ["a text"]])
@pytest.mark.parametrize("folder", ["", "pages/"])
def test_a_folder_for_the_page_is_refused_before_the_work(
    what, folder, selected, invoke_dsir, tmp_path
):
    (tmp_path / "pages").mkdir()
    shutil.copytree(selected, tmp_path / "copy")
    for model in (tmp_path / "copy" / "_dsir").glob("model*"):
        model.write_bytes(b"damaged")  # Whoever reads it first says so.
    done = invoke_dsir("explain", tmp_path / "copy", *what, "--html", f"{tmp_path}/{folder}")
    assert done.returncode == 1
    assert "is a folder, not a file" in done.stderr, done.stderr
    assert not done.stdout


def test_what_is_not_of_an_n_gram_is_named(select_to, invoke_dsir, tmp_path):
    folder = select_to(tmp_path / "out", length="poisson", smoothing=1.0)
    done = invoke_dsir("explain", folder, "--row", 0, "--top", 0, "--html", tmp_path / "why.html")
    assert done.stdout.count("(the text as a whole)") == 1
    assert "(the text as a whole)" in (tmp_path / "why.html").read_text("utf-8")


def test_rows_need_a_folder(selected, invoke_dsir):
    done = invoke_dsir("explain", selected / "_dsir/model.dsir", "--row", 1)
    assert done.returncode == 1
    assert "no such folder" in done.stderr


@pytest.mark.parametrize("what", [["--row", 0], ["--all"]])
def test_no_number_of_n_grams_below_one_hides_any(what, selected, invoke_dsir):
    words = ("explain", selected, *what, "--json", "--top")
    assert invoke_dsir(*words, -1_000_000).stdout == invoke_dsir(*words, 0).stdout
