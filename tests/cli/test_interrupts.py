"""Ctrl-C and SIGTERM at any moment: one line, the exit code, and no traceback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dsir import interrupts

# Sends the signal when a module is imported that has not been before.
HOOK = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))
sys.meta_path.insert(0, Finder())
"""


def heed_interrupts() -> None:
    """A shell's background jobs ignore Ctrl-C, and what they start inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(params=["dsir", "python -m dsir"])
def command(request, dsir_command) -> list[str]:
    """The two ways to start the command."""
    return [dsir_command] if request.param == "dsir" else [sys.executable, "-m", "dsir"]


@pytest.mark.parametrize(
    "module", ["numpy", "pyarrow.lib", "typer", "dsir.errors", "dsir.cli.select"]
)
@pytest.mark.parametrize(
    ("sent", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_while_libraries_are_loaded(command, tmp_path, module, sent, code, word):
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    settings = {"INTERRUPT_AT": module, "SIGNAL": str(int(sent)), "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [*command, "select", "--help"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=heed_interrupts,
    )
    assert (done.returncode, done.stderr) == (code, f"dsir: error: {word}\n")


# The command, with a task that ends so many seconds after it is told to. So long after a signal,
# another one counts as the same.
SLOW = """
import sys, time
from dsir import interrupts
from dsir.cli.main import main
from dsir.engine import Stopped
from dsir.run import pipeline

score_shard = pipeline.score_shard

def slow(task, progress):
    sys.stderr.write("at work\\n")  # At once: print would write the end of the line apart.
    sys.stderr.flush()
    try:
        while True:
            progress(0)
    except Stopped:
        sys.stderr.write("told\\n")
        sys.stderr.flush()
        time.sleep({seconds})
        raise

pipeline.score_shard = slow
interrupts._GRACE_SECONDS = {grace}
main()
"""


def started(tmp_path: Path, parquet: list[Path], target: Path, seconds: float, grace: float) -> Any:
    script = tmp_path / "dsir"
    script.write_text(SLOW.format(seconds=seconds, grace=grace))
    call = [sys.executable, script, "select", *parquet, "-t", target, "-n", 9, "-q"]
    call += ["--out", tmp_path / "out", "--workdir", tmp_path / "work", "--threads", 2]
    process = subprocess.Popen(
        [str(word) for word in call],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "at work\n"
    return process


def said_at_the_end(said: str) -> list[str]:
    """Return what the command said, without the lines of its slow task."""
    return [line for line in said.splitlines() if line not in ("at work", "told")]


@pytest.mark.parametrize("between", [0.0, 0.005, 0.02, 0.1])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_two_signals_at_once_are_one(parquet, target, tmp_path, between, second):
    process = started(tmp_path, parquet, target, 0.3, grace=60)
    process.send_signal(signal.SIGINT)
    time.sleep(between)
    process.send_signal(second)
    _, said = process.communicate(timeout=60)
    lines = said_at_the_end(said)
    expected = "dsir: error: interrupted; run the same command again to continue"
    if second == signal.SIGTERM and between < 0.1:  # To a busy machine either may come first.
        assert process.returncode in (130, 143)
    else:
        assert (process.returncode, lines) == (130, [expected])
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.rglob("*.tmp-*"))


def test_a_comparison_leaves_nothing_behind(parquet, target, tmp_path):
    script, scratch, out = tmp_path / "dsir", tmp_path / "scratch", tmp_path / "compared"
    script.write_text(SLOW.format(seconds=0, grace=60))
    scratch.mkdir()
    call = [sys.executable, script, "compare", *parquet, "-t", target, "-q", "-o", out]
    process = subprocess.Popen(
        [str(word) for word in [*call, "--methods", "top-k", "--seeds", 1]],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
        preexec_fn=heed_interrupts,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "at work\n"
    assert list(scratch.iterdir())
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said_at_the_end(said)) == (130, ["dsir: error: interrupted"])
    assert not list(scratch.iterdir())
    assert not out.exists()


def test_a_second_ctrl_c_later_ends_at_once(parquet, target, tmp_path):
    process = started(tmp_path, parquet, target, 600, grace=0.5)
    process.send_signal(signal.SIGINT)
    while process.stderr.readline() != "told\n":  # The first signal has been heard.
        assert process.poll() is None
    time.sleep(0.8)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said_at_the_end(said) == [
        "dsir: error: interrupted and ended at once: the next run removes unfinished files"
    ]


@pytest.mark.parametrize(
    ("sent", "code", "word"), [("SIGINT", 130, "interrupted"), ("SIGTERM", 143, "terminated")]
)
def test_at_each_line_around_the_work(tmp_path, sent, code, word):
    script = tmp_path / "dsir"
    shutil.copy(Path(__file__).parent / "interrupt_each_line.py", script)
    done = subprocess.run(
        [sys.executable, script, sent],
        capture_output=True,
        text=True,
        timeout=280,
        preexec_fn=heed_interrupts,
    )
    assert done.returncode == 0, done.stderr
    ends = json.loads(done.stdout)
    said = [
        f"dsir: error: {word}{hint}\n" for hint in ("", "; run the same command again to continue")
    ]
    expected = [(code, line) for line in said] + [(0, "")]
    assert {(left, line) for left, line, _ in ends} == set(expected)
    # First it has not begun, then it is at work, and in the end nothing can be interrupted.
    order = [expected.index((left, line)) for left, line, _ in ends]
    assert order == sorted(order)


def test_a_program_that_imports_dsir_keeps_its_handlers(tmp_path):
    code = """
import signal, sys
before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
import dsir, dsir.cli.main
assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
"""
    script = tmp_path / "training.py"
    script.write_text(code)
    for call in (["-c", code], [str(script)], [str(script), "-m", "dsir"], ["-c", code, "dsir"]):
        done = subprocess.run([sys.executable, *call], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["/bin/dsir", "select", "-m", "model.dsir"], True),
        (["-m", "dsir", "select"], True),
        (["-X", "dev", "-W", "error", "-m", "dsir"], True),
        (["-I", "C:\\Scripts/dsir.exe"], True),
        (["-m", "pytest", "dsir"], False),
        (["-c", "import dsir", "dsir"], False),
        (["train.py", "-m", "dsir"], False),
        (["-m"], False),
        ([], False),
    ],
)
def test_which_process_is_the_command(monkeypatch, words, expected):
    monkeypatch.setattr(sys, "orig_argv", ["python", *words])
    assert interrupts.is_command() is expected


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("how", ["full", "closed"])
@pytest.mark.parametrize(("words", "code"), [(["select"], 2), (["--version"], 0)])
def test_standard_error_that_takes_nothing(dsir_command, how, words, code):
    """The exit code is what it would be, and nothing goes to standard output in its place."""
    redirect = "2>/dev/full" if how == "full" else "2>&-"
    call = " ".join([dsir_command, *words])
    done = subprocess.run(["sh", "-c", f"{call} {redirect}"], capture_output=True, text=True)
    assert done.returncode == code
    assert "error" not in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_run_whose_standard_error_takes_nothing(dsir_command, parquet, target, tmp_path):
    for redirect in ("2>/dev/full", "2>&-"):
        out = tmp_path / redirect.strip("2>/&-")
        call = [dsir_command, "select", *parquet, "-t", target, "-n", 9, "-o", f"{out}-out"]
        shell = " ".join(map(str, call))
        done = subprocess.run(["sh", "-c", f"{shell} {redirect}"], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        assert Path(f"{out}-out/_dsir/selection.json").exists()


SWALLOWED = """
import os, signal, time
from dsir.interrupts import answer_signals, raising

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)  # Here the exception is raised, and Python drops it.

answer_signals()
with raising():
    found = Finalized()
    del found
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_an_interrupt_that_python_drops_is_raised_again(tmp_path):
    script = tmp_path / "dsir"
    script.write_text(SWALLOWED)
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=heed_interrupts,
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
    assert "Exception ignored" in done.stderr


SLOW_END = """
import os, signal, time
from dsir import interrupts

interrupts._UNHEARD_SECONDS = 0.5
interrupts.answer_signals()
try:
    with interrupts.raising():
        os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # As Python does when it ends.
    time.sleep(2)
    raise SystemExit(interrupts.told_once()[1])
"""


def test_no_alarm_comes_while_the_interpreter_ends(tmp_path):
    """On a busy machine that takes longer than an interrupt has to be heard."""
    script = tmp_path / "dsir"
    script.write_text(SLOW_END)
    call = [sys.executable, script]
    done = subprocess.run(call, capture_output=True, timeout=120, preexec_fn=heed_interrupts)
    assert (done.returncode, done.stderr) == (130, b"")
