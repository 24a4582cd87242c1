"""Whole processes: seconds from outside, peak memory from the system's own accounts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import NamedTuple


class Ran(NamedTuple):
    """What a process took: wall seconds, and its peak resident memory in MB (10^6 bytes)."""

    seconds: float
    peak_mb: float


def run(command: list[str]) -> Ran:
    """Run a command to its end.

    Raises:
        SystemExit: it failed; its errors are shown.
    """
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    errors = process.stderr.read() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{errors}")
    return Ran(seconds, usage.ru_maxrss * 1024 / 1e6)


def dsir_select(raw: list[str], target: str, n: int, out: str, threads: int) -> list[str]:
    """Return the command that selects with this installation."""
    program = "import sys; from dsir.cli.main import main; sys.argv[0] = 'dsir'; main()"
    return [
        *(sys.executable, "-c", program, "select", *raw, "--target", target),
        *("--n", str(n), "--out", out, "--overwrite", "--threads", str(threads), "--quiet"),
    ]
