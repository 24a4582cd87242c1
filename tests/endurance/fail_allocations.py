"""Compressed files read while one allocation after another fails: none is taken for damaged.

    python tests/endurance/fail_allocations.py

Libraries that decompress say in words of their own that they got no memory, and pyarrow hands these
on as an error of reading. With on_error="skip" such a file would be left out for good.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

_SHIM = "DSIR_FAILING_ALLOCATIONS"
_LEAST = (600, 2_000, 7_000, 20_000, 100_000)  # Bytes: which allocations are counted.
_AFTER = 12
_CODECS = {"zstd": ".zst", "lz4": ".lz4", "gzip": ".gz", "bz2": ".bz2"}


def outcomes(shim: Path) -> dict[str, dict[str, int]]:
    """Read a file of each codec in a process of its own that has loaded the shim.

    Returns:
        By codec, how many readings ended how: "read", "MemoryError", or what was said of the file.
    """
    # Without the stream of the process: where Python itself gets no memory, it says so there.
    done = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "LD_PRELOAD": str(shim), _SHIM: str(shim)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        timeout=120,
    )
    found: dict[str, dict[str, int]] = json.loads(done.stdout)
    return found


def _read(path: Path, fail: ctypes._NamedFuncPointer, least: int, after: int) -> str:
    from dsir.corpus import resolve
    from dsir.errors import DsirError

    (shard,) = resolve(path, text="text").shards
    fail(least, after)
    try:
        for _ in shard.text_batches(on_error="raise"):
            pass
    except MemoryError:
        return "MemoryError"
    except DsirError as error:
        return str(error)
    finally:
        fail(0, -1)
    return "read"


def _readings(shim: str, folder: Path) -> dict[str, Counter[str]]:
    import pyarrow as pa

    fail = ctypes.CDLL(shim).fail_allocation
    fail.argtypes = [ctypes.c_size_t, ctypes.c_int]
    lines = random.Random(0).randbytes(1 << 19).hex().encode()
    found = {}
    for codec, suffix in _CODECS.items():
        path = folder / f"a.txt{suffix}"
        with pa.CompressedOutputStream(str(path), codec) as stream:
            stream.write(lines)
        found[codec] = Counter(
            _read(path, fail, least, after) for least in _LEAST for after in range(_AFTER)
        )
    return found


def main() -> None:
    """Print how the readings ended; started by itself, with the shim."""
    if _SHIM in os.environ:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(_readings(os.environ[_SHIM], Path(folder))))
        return
    from fail_anywhere import built_shim

    with tempfile.TemporaryDirectory() as folder:
        shim = built_shim(Path(folder), "failing_allocations.c")
        if shim is None:
            sys.exit("there is no C compiler (cc) here")
        for codec, ends in outcomes(shim).items():
            print(codec, *(f"{count:6,}  {end}" for end, count in ends.items()), sep="\n")


if __name__ == "__main__":
    main()
