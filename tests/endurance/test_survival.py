"""Short forms of what is run for long by hand: kills at random moments, writes that fail."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def modules(monkeypatch) -> tuple[ModuleType, ModuleType]:
    """The scripts, as modules."""
    monkeypatch.syspath_prepend(str(HERE))
    import fail_anywhere
    import selection_under_test

    return selection_under_test, fail_anywhere


def test_killed_anywhere():
    script = [sys.executable, HERE / "kill_anywhere.py", "--kills", "6", "--rows", "600"]
    done = subprocess.run(script, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "     6  kills\n" in done.stdout
    assert "resumed to the same bytes" in done.stdout


@pytest.fixture
def shim(modules, tmp_path) -> Path:
    built: Path | None = modules[1].built_shim(tmp_path)
    if built is None:
        pytest.skip("there is no C compiler")
    return built


@pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD")
def test_writes_that_fail(modules, shim, tmp_path):
    script = ["--step", "97", "--rows", "60"]
    done = subprocess.run(
        [sys.executable, HERE / "fail_anywhere.py", *script],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "refused, then the same bytes" in done.stdout


def test_out_of_memory(modules, tmp_path):
    """A worker gets no memory in the middle of a stage: a line, and on it goes."""
    under_test, _ = modules
    under_test.make_inputs(tmp_path, rows=90)
    expected = under_test.Trial(tmp_path)
    assert expected.run()[0] == 0
    trial = under_test.Trial(tmp_path, "short of memory")
    process = trial.start({"OUT_OF_MEMORY_UNDER_TEST": "7"})
    _, said = process.communicate(timeout=120)
    [line] = under_test.lines_said(said)
    assert process.returncode == 1
    assert line == (
        "dsir: error: out of memory; use fewer threads; run the same command again to continue"
    )
    assert not under_test.partial_files(trial, under_test.output_of(expected))
    assert not under_test.unfinished(trial)
    assert trial.run() == (0, "")
    assert under_test.output_of(trial) == under_test.output_of(expected)


def ended_for_want_of_memory(trial, megabytes: int) -> tuple[int, str]:
    """Run with so little address space; again if Python itself did not survive it.

    CPython 3.11 sometimes crashes while it makes a traceback without memory (PyTraceBack_Here), and
    waits for ever in Thread.start for a thread that died before it began. Neither has a frame of
    ours, and either is rare: 2 of 40 runs with 40 MB. But where the same allocation fails, it comes
    again: once in four runs out of four with 20 MB. So each run has a little more. A crash of ours
    would come with any size.
    """
    for more in range(5):
        code, said = trial.run_until(30, {"ADDRESS_SPACE_UNDER_TEST": str(megabytes + more)})
        if code not in (-signal.SIGSEGV, -signal.SIGKILL):
            break
    return code, said


@pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD")
def test_a_file_is_not_damaged_where_its_decompressor_gets_no_memory(modules, tmp_path):
    import fail_allocations

    shim = modules[1].built_shim(tmp_path, "failing_allocations.c")
    if shim is None:
        pytest.skip("there is no C compiler")
    for codec, ends in fail_allocations.outcomes(shim).items():
        assert set(ends) == {"read", "MemoryError"}, codec
        assert ends["MemoryError"] >= 4, codec


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS, /proc")
@pytest.mark.timeout(600)
def test_an_address_space_that_is_too_small(modules, tmp_path):
    """What dsir can catch is a line; where libc or Arrow ends the process, that is a kill."""
    under_test, _ = modules
    under_test.make_inputs(tmp_path, rows=90)
    expected = under_test.Trial(tmp_path)
    assert expected.run()[0] == 0
    whole = under_test.output_of(expected)
    trial = under_test.Trial(tmp_path, "small")
    for megabytes in (20, 48, 56, 128):
        code, said = ended_for_want_of_memory(trial, megabytes)
        lines = under_test.lines_said(said)
        assert code in (0, 1, 127, -6), said
        if code == 1:
            assert [line.startswith("dsir: error: ") for line in lines] == [True], said
            assert lines[0].endswith("; run the same command again to continue")
        assert not under_test.partial_files(trial, whole)
    assert trial.run() == (0, "")
    assert under_test.output_of(trial) == whole
    assert not under_test.unfinished(trial)
