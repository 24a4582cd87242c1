"""verify() shows its stages if it is asked to, `dsir verify` unless it is quiet."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager

import pytest

import dsir
from dsir.progress import Bars, Silent

FILES = ["check"]
AGAIN = ["fit target", "fit raw", "score", "sample", "write", "compare"]


@pytest.fixture(scope="module")
def out(small_world, target, tmp_path_factory):
    """A selection that was written."""
    folder = tmp_path_factory.mktemp("progress")
    raw = small_world.write_parquet(folder / "raw", parts=2)
    given = {"n": 40, "min_tokens": 20, "length": "mean", "shard_size": "4kB", "progress": False}
    dsir.select(raw, target, out=folder / "out", **given)
    return folder / "out"


def stages(shown: str) -> list[str]:
    """The stages that have begun and ended, in order."""
    lines = [line.removeprefix("dsir ") for line in shown.splitlines()]
    begun = [line.partition(":")[0] for line in lines if ": done in " not in line]
    assert begun == [line.partition(":")[0] for line in lines if ": done in " in line]
    return begun


def test_all_stages_are_shown(out, capsys):
    assert dsir.verify(out, progress=True).stands
    assert stages(capsys.readouterr().err) == FILES + AGAIN


def test_a_quick_check_shows_only_the_files(out, capsys):
    assert dsir.verify(out, quick=True, progress=True).stands
    assert stages(capsys.readouterr().err) == FILES


def test_in_python_nothing_is_shown_unless_it_is_asked_for(out, capsys):
    assert dsir.verify(out).stands
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_the_command_shows_progress_unless_it_is_quiet(out, invoke_dsir):
    done = invoke_dsir("verify", out)
    assert (done.returncode, stages(done.stderr)) == (0, FILES + AGAIN)
    done = invoke_dsir("verify", out, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_file_and_row_counts(out, monkeypatch):
    counted: dict[str, list[int]] = {}

    class Counting(Silent):
        @contextmanager
        def stage(self, name, total, unit):
            counted[name] = [0, total]

            def advance(amount):
                counted[name][0] += amount

            yield advance

    monkeypatch.setattr("dsir.settings.machine.reporter", lambda _: Counting())
    found = dsir.verify(out, progress=True)
    assert counted["check"] == [found.files, found.files]
    assert counted["compare"] == [found.rows.derived, found.rows.derived]
    for done, total in counted.values():
        assert done == total


def test_on_a_terminal_there_are_bars(out, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    monkeypatch.setattr("dsir.settings.machine.reporter", lambda _: Bars(stream))
    assert dsir.verify(out, progress=True).stands
    for name in FILES + AGAIN:
        assert f"{name} " in stream.getvalue()
    assert "100%" in stream.getvalue()


@pytest.mark.parametrize("stream", [None, "closed"])
def test_without_standard_error_it_verifies_in_silence(out, monkeypatch, stream):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed if stream else None)
    assert dsir.verify(out, progress=True).stands
