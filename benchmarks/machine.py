"""The machine that a figure was measured on, and the build that was measured."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

from dsir import _core

_PACKAGES = (
    *("dsir", "numpy", "pyarrow", "data-selection", "nltk"),
    *("scikit-learn", "fasttext-wheel", "fasttext", "orjson", "matplotlib"),
)


def describe() -> dict[str, object]:
    """Return machine, commit, build and versions as plain values."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "simd": _core.simd_level(),
        "sha256_instructions": _core.has_sha256_instructions(),
        "load_at_the_start": round(os.getloadavg()[0], 2),
        "commit": _commit(),
        "build": _build(),
        "versions": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _build() -> dict[str, object]:
    """Return the size of the core, its compiler, and the ABI of this Python."""
    path = Path(str(_core.__file__))
    comment = path.read_bytes().partition(b"GCC: (")[2][:80]
    compiler = comment.split(b"\0")[0].decode("ascii", "replace")
    return {
        "core_bytes": path.stat().st_size,
        "compiler": f"GCC: ({compiler}" if compiler else "unknown",
        "abi": sys.implementation.cache_tag,
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
