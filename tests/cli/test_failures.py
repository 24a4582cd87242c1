"""Errors as one line and an exit code, where no file or option is at fault."""

from __future__ import annotations

import pytest
import typer

from dsir.cli.failures import FAILED, reported


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (RuntimeError("can't start new thread"), "no thread can be started"),
        (
            ImportError("_compute.so: failed to map segment from shared object"),
            "a library cannot be loaded",
        ),
        (
            ImportError("_fs.so: cannot allocate memory in static TLS block"),
            "a library cannot be loaded",
        ),
    ],
)
def test_a_lack_of_memory_that_is_no_memory_error(error, short, capsys):
    with pytest.raises(typer.Exit) as left, reported(debug=False, resumable=True):
        raise error
    assert left.value.exit_code == FAILED
    assert capsys.readouterr().err == (
        f"dsir: error: out of memory: {short}; use fewer threads; "
        "run the same command again to continue\n"
    )


@pytest.mark.parametrize("error", [RuntimeError("a fault"), ImportError("No module named 'x'")])
def test_other_errors_of_the_interpreter_are_not_hidden(error):
    with pytest.raises(type(error), match=str(error)), reported(debug=False):
        raise error
