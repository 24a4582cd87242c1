"""Let every write of a selection fail in turn, and see that it says so and comes to the same end.

    python tests/endurance/fail_anywhere.py --step 1

A selection runs under a shim (failing_writes.c) that makes its k-th write, fsync, rename, mkdir or
open for writing fail, with ENOSPC or EIO, once or from then on, for k = 1, 1 + step, ... until
there is no more to fail. Each run must end with exit code 1 and one line that names a path of the
run and says what to do (or, where it can do without what failed, with 0 and the right output), and
with no partial file under a final name; the same command without the shim must then write, byte for
byte, what an undisturbed run writes. Exits with 1 if anything was not as it should be.
"""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from selection_under_test import (
    Trial,
    lines_said,
    make_inputs,
    output_of,
    partial_files,
    unfinished,
)

_SLOW = {"FSYNC_UNDER_TEST": "1"}


class WrongError(Exception):
    """Something was not as it should be."""


def built_shim(folder: Path, source: str = "failing_writes.c") -> Path | None:
    """Compile a shim with the system's compiler; None where there is none."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    shim = folder / Path(source).with_suffix(".so")
    options = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(
        [compiler, *options, "-o", shim, Path(__file__).with_name(source), "-ldl"], check=True
    )
    return shim


def fail_at(
    trial: Trial, shim: Path, call: int, code: int, *, on: bool = False
) -> tuple[int, str, str, int]:
    """Run with a call failing.

    Returns:
        Exit code, what was said, which call failed ("" where there was no such), and how many
        calls there were.
    """
    log = trial.folder / f"{trial.name}.log"
    code_and_said = trial.run(
        {
            "LD_PRELOAD": str(shim),
            "FAILING_UNDER": str(trial.folder / trial.name) + "/",
            "FAILING_AT": str(call),
            "FAILING_ERRNO": str(code),
            "FAILING_ON": "1" if on else "",
            "FAILING_LOG": str(log),
            **_SLOW,
        }
    )
    lines = log.read_text().splitlines()
    log.unlink()
    failed = next((line[7:] for line in lines if line.startswith("failed ")), "")
    total = int(lines[-1].split()[1])
    return *code_and_said, failed, total


def check(trial: Trial, expected: dict[str, bytes], code: int, said: str, failed: str) -> str:
    """Say how a run ended in which a call failed, and bring it to its end.

    Raises:
        WrongError: it did not end as it should.
    """
    here = f"{failed} failing: exit code {code}: {said}"
    wrong = partial_files(trial, expected)
    if wrong:
        raise WrongError(f"{here}: {'; '.join(wrong)}")
    lines = lines_said(said)
    if code == 0:
        if lines or output_of(trial) != expected:
            raise WrongError(f"{here}: but the output is not that of an undisturbed run")
        return "done without"
    if code != 1 or len(lines) != 1 or not lines[0].startswith("dsir: error: "):
        raise WrongError(f"{here}: expected exit code 1 and one line")
    if str(trial.folder / trial.name) not in lines[0] or "the same command" not in lines[0]:
        raise WrongError(f"{here}: expected the path and what to do")
    code, said = trial.run()
    if code != 0 or lines_said(said):
        raise WrongError(f"{failed} failed once: the same command again: {code}: {said}")
    if output_of(trial) != expected or unfinished(trial):
        raise WrongError(f"{failed} failed once: the same command again wrote something else")
    return "refused, then the same bytes"


def run(folder: Path, shim: Path, step: int, rows: int, first: int = 1) -> Counter[str]:
    """Let every `step`-th call fail, from the `first` on.

    Raises:
        WrongError: something was not as it should be.
    """
    make_inputs(folder, rows)
    trial = Trial(folder)
    code, said, _, total = fail_at(trial, shim, 0, 0)
    if code != 0:
        raise WrongError(f"the undisturbed run failed: {said}")
    expected = output_of(trial)
    tally: Counter[str] = Counter({"calls that may fail": total})
    for call in range(first, 10 * total, step):
        trial = Trial(folder, f"call-{call:05d}")
        kind = errno.ENOSPC if call // step % 2 else errno.EIO
        on = bool(call // step % 3 == 2)
        code, said, failed, _ = fail_at(trial, shim, call, kind, on=on)
        if not failed:
            break
        how = check(trial, expected, code, said, failed)
        tally[f"{failed.split()[0]} {os.strerror(kind)}"] += 1
        tally[how] += 1
        shutil.rmtree(folder / trial.name)
    return tally


def main() -> None:
    """Read the command line and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--first", type=int, default=1, help="go on from a call")
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dsir-fail-") as name:
        shim = built_shim(Path(name))
        if shim is None:
            sys.exit("there is no C compiler (cc) here")
        try:
            tally = run(Path(name), shim, options.step, options.rows, options.first)
        except (WrongError, subprocess.TimeoutExpired) as error:
            sys.exit(str(error))
    for what, count in sorted(tally.items()):
        print(f"{count:6,}  {what}")
    print(f"{time.monotonic() - begun:6.0f}  seconds")


if __name__ == "__main__":
    main()
