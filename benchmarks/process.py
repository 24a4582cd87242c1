"""Whole processes: seconds from outside, peak resident memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

_SELECT = """
import sys
from dsir.cli.main import main
peak_file = sys.argv.pop(1)
try:
    main()
finally:
    status = open("/proc/self/status").read()
    open(peak_file, "w").write(status.partition("VmHWM:")[2].split()[0])
"""


class Ran(NamedTuple):
    """What a process took: wall seconds, and its peak resident memory in MB (10^6 bytes)."""

    seconds: float
    peak_mb: float


def run(command: list[str]) -> float:
    """Run a command to its end; returns wall seconds.

    Raises:
        SystemExit: it failed; its errors are shown.
    """
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
    return seconds


def run_select(raw: list[str], target: Path, n: int, out: Path, threads: int) -> Ran:
    """Run `dsir select` with this installation, in a process of its own.

    The peak is what the process read of itself at its end. What the system says of a child counts
    the memory of its parent at the time of the fork as well.
    """
    with tempfile.NamedTemporaryFile("r") as peak:
        command = [sys.executable, "-c", _SELECT, peak.name, "select", *raw]
        command += ["--target", str(target), "--n", str(n), "--out", str(out)]
        seconds = run([*command, "--overwrite", "--threads", str(threads), "--quiet"])
        return Ran(seconds, int(peak.read()) * 1024 / 1e6)
