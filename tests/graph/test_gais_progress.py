"""GAIS shows its stages: of the estimator if asked for, and of the command unless it is quiet."""

from __future__ import annotations

import json
from contextlib import contextmanager

import numpy as np
import pytest

import dsir
from dsir.gais import trials
from dsir.graph import GAIS
from dsir.progress import Silent

NUMBERS = np.random.default_rng(0).normal(size=(200, 3))
LABELS = (NUMBERS[:, 0] > 0).astype(int)


def begun(lines: str) -> list[str]:
    return [line for line in lines.splitlines() if ": done in " not in line]


def ended(lines: str) -> list[str]:
    return [line.partition(":")[0] for line in lines.splitlines() if ": done in " in line]


def test_each_stage_begins_and_ends(capsys):
    GAIS(0.9, epochs=3, progress=True).fit(NUMBERS, LABELS)
    shown = capsys.readouterr().err
    assert begun(shown) == [
        "dsir graph: 200 rows",
        "dsir train: 3 epochs",
        "dsir try: 11 selections",
    ]
    assert ended(shown) == ["dsir graph", "dsir train", "dsir try"]


def test_nothing_is_shown_unless_it_is_asked_for(capsys):
    GAIS(0.9, epochs=3).fit(NUMBERS, LABELS)
    dsir.graph.KMeansPrototypes(0.9).fit(NUMBERS, LABELS)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("rows", [200, trials.TRIAL_ROWS + 50])
def test_every_epoch_and_selection_counts(rows, monkeypatch):
    counted: dict[str, list[int]] = {}

    class Counting(Silent):
        @contextmanager
        def stage(self, name, total, unit):
            counted[name] = [0, total]

            def advance(amount):
                counted[name][0] += amount

            yield advance

    monkeypatch.setattr("dsir.gais.gais.reporter", lambda _: Counting())
    numbers = np.random.default_rng(1).normal(size=(rows, 2))
    gais = GAIS(0.99, epochs=2, passes=0, progress=True)
    # Every tenth label is wrong, so some rows are not trusted and all recipes are tried.
    labels = (numbers[:, 0] > 0) ^ (np.arange(rows) % 10 == 0)
    gais.fit(numbers, labels)
    assert counted["graph"] == [rows, rows]
    assert counted["train"] == [len(gais.history_), 2]
    assert counted["try"][0] == len(gais.trials_) + (rows > trials.TRIAL_ROWS)
    assert counted["try"][0] <= counted["try"][1]


def test_progress_changes_no_selection():
    loud = GAIS(0.9, epochs=3, progress=True).fit(NUMBERS, LABELS)
    quiet = GAIS(0.9, epochs=3).fit(NUMBERS, LABELS)
    np.testing.assert_array_equal(loud.sample_indices_, quiet.sample_indices_)


@pytest.mark.parametrize("progress", [None, 1, "yes"])
def test_what_is_no_answer(progress):
    with pytest.raises(dsir.SettingError, match=r"progress=.*: expected True or False"):
        GAIS(progress=progress).fit(NUMBERS, LABELS)


@pytest.mark.parametrize("quiet", [False, True])
def test_the_command_shows_files_and_stages(tmp_path, invoke_dsir, quiet):
    path = tmp_path / "rows.jsonl"
    rows = [
        {"a": a, "b": b, "label": int(label)}
        for (a, b, _), label in zip(NUMBERS.tolist(), LABELS, strict=True)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["gais", path, "--label", "label", "-o", tmp_path / "out", "--epochs", 2, "--report"]
    done = invoke_dsir(*words, *(["-q"] if quiet else []))
    assert done.returncode == 0, done.stderr
    if quiet:
        assert done.stderr == ""
        return
    assert begun(done.stderr) == [
        "dsir read: 1 file",
        "dsir report: first a selection of four fifths of the rows",
        "dsir graph: 160 rows",
        "dsir train: 2 epochs",
        "dsir try: 11 selections",
        "dsir graph: 200 rows",
        "dsir train: 2 epochs",
        "dsir try: 11 selections",
    ]
