"""Whole processes: seconds from outside and of the call inside, peak resident memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

# What is imported before the clock starts is what both sides have in memory by then. What dsir
# imports where it is used counts.
_SELECT = """
from dsir.cli.main import main
begun = time.perf_counter()
try:
    main()
finally:
    seconds = time.perf_counter() - begun
    tell()
"""

# The first argument is where the process says what it took.
_TELL = """
import json, sys, time
_told = sys.argv.pop(1)
def tell():
    status = open("/proc/self/status").read()
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    open(_told, "w").write(json.dumps([seconds, peak]))
"""


class Ran(NamedTuple):
    """What a process took.

    Attributes:
        seconds: wall, from outside: Python started, everything imported.
        peak_mb: its peak resident memory in MB (10^6 bytes).
        inside: wall seconds of the call alone, imports done.
    """

    seconds: float
    peak_mb: float
    inside: float


def run(command: list[str]) -> float:
    """Run a command to its end; returns wall seconds.

    Raises:
        SystemExit: it failed; its errors are shown.
    """
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        shown = " ".join(part if len(part) < 200 else part[:200] + "..." for part in command[:12])
        raise SystemExit(f"{shown}: exit code {done.returncode}\n{done.stderr}")
    return seconds


def run_code(code: str, arguments: list[str]) -> Ran:
    """Run Python code that sets `seconds` to what its call took and then calls `tell()`.

    The peak is what the process read of itself at its end. What the system says of a child counts
    the memory of its parent at the time of the fork as well.
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
) -> Ran:
    """Run `dsir select` with this installation, in a process of its own."""
    command = ["select", *raw, "--target", str(target), "--n", str(n), "--out", str(out)]
    command += ["--overwrite", "--threads", str(threads), "--quiet", "--fit-tokens", fit_tokens]
    return run_code(_SELECT, command)
