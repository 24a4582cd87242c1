"""Errors as one line and an exit code, where no file or option is at fault."""

from __future__ import annotations

import pytest
import typer

from dsir.cli.failures import FAILED, reported


def test_a_thread_that_cannot_be_started(capsys):
    with pytest.raises(typer.Exit) as left, reported(debug=False, resumable=True):
        raise RuntimeError("can't start new thread")
    assert left.value.exit_code == FAILED
    assert capsys.readouterr().err == (
        "dsir: error: out of memory: no thread can be started; use fewer threads; "
        "run the same command again to continue\n"
    )


def test_other_errors_of_the_interpreter_are_not_hidden():
    with pytest.raises(RuntimeError, match="a fault"), reported(debug=False):
        raise RuntimeError("a fault")
