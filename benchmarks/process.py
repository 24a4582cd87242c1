"""Whole processes: seconds from outside, seconds of the call inside, and peak resident memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

# Imports before the clock starts are not timed, as on the other side of a ratio. Modules that dsir
# imports at their first use are timed.
_SELECT = """
from dsir.cli.main import main
begun = time.perf_counter()
try:
    main()
finally:
    seconds = time.perf_counter() - begun
    tell()
"""

# The first argument is the file to which the process writes its seconds and its peak.
_TELL = """
import json, sys, time
_told = sys.argv.pop(1)
def tell():
    status = open("/proc/self/status").read()
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    open(_told, "w").write(json.dumps([seconds, peak]))
"""


# Where Python may not keep its bytecode, each start compiles all modules that it imports.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


class Ran(NamedTuple):
    """The time and memory that a process took.

    Attributes:
        seconds: wall seconds from outside, with the start of Python and all imports.
        peak_mb: peak resident memory in MB (10^6 bytes).
        inside: wall seconds of the call alone, after the imports.
    """

    seconds: float
    peak_mb: float
    inside: float


def run(command: list[str]) -> float:
    """Run a command to its end; return wall seconds.

    Raises:
        SystemExit: the command failed; the message has its standard error.
    """
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    seconds = time.perf_counter() - begun
    if done.returncode:
        shown = " ".join(part if len(part) < 200 else part[:200] + "..." for part in command[:12])
        raise SystemExit(f"{shown}: exit code {done.returncode}\n{done.stderr}")
    return seconds


def run_code(code: str, arguments: list[str]) -> Ran:
    """Run Python code that sets `seconds` to the time of its call and then calls `tell()`.

    The process itself reads its peak at its end, because the peak that the system reports for a
    child includes the memory of its parent at the time of the fork.
    """
    with tempfile.NamedTemporaryFile("r") as told:
        seconds = run([sys.executable, "-c", _TELL + code, told.name, *arguments])
        inside, peak_mb = json.load(told)
        return Ran(seconds, peak_mb, inside)


def run_select(
    raw: list[str],
    target: Path,
    n: int,
    out: Path,
    threads: int,
    *,
    fit_tokens: str = "auto",
    method: str = "resample",
) -> Ran:
    """Run `dsir select` with this installation, in a process of its own."""
    command = ["select", *raw, "--target", str(target), "--n", str(n), "--out", str(out)]
    command += ["--overwrite", "--threads", str(threads), "--quiet", "--fit-tokens", fit_tokens]
    command += ["--method", method]
    return run_code(_SELECT, command)
