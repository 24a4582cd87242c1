"""Interrupt the command at each line of Python around its work, and print how each ended.

    cp tests/cli/interrupt_each_line.py /tmp/dsir && python /tmp/dsir SIGINT

The name makes it the command, whose handlers stay until the process has ended. The work is nothing:
what is told apart is who has the exception while it begins and ends.
Prints a JSON list of [exit code, standard error, file and line of the signal].
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import dsir.cli.status
from dsir.cli import main as command
from dsir.cli.failures import reported

# Whose lines: those between the work and what is said about it.
FILES = ("/contextlib.py", "/warnings.py", "/failures.py", "/interrupts.py", "/main.py", "/dsir")
SIGNAL = signal.Signals[sys.argv[1]]


def status() -> None:
    """Work for no time."""
    with reported(debug=False, resumable=True):
        pass


class Interruption:
    """Sends the signal at a line, counted from the beginning of `status`.

    Args:
        at: the number of the line.
        place: a descriptor to write file and number of the line to.
    """

    def __init__(self, at: int, place: int) -> None:
        self._at = at
        self._place = place
        self._seen = 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Interruption | None:
        if not frame.f_code.co_filename.endswith(FILES):
            return None
        begun = self._seen or frame.f_code is status.__code__
        if event == "line" and begun:
            self._seen += 1
            if self._seen == self._at:
                where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
                os.write(self._place, where.encode())
                os.kill(os.getpid(), SIGNAL)
        return self


def ended(at: int) -> tuple[int, str, str]:
    """Run the command in a child, and interrupt it at a line.

    Returns:
        Its exit code, its standard error, and where it was interrupted: "" where it had ended.
    """
    (said, error), (place, found) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(error, 2)
        sys.settrace(Interruption(at, found))
        code: Any = "the command has not exited"
        try:
            command.main()
        except SystemExit as end:
            code = end.code
        finally:
            sys.settrace(None)
            os._exit(code if isinstance(code, int) else 99)
    os.close(error)
    os.close(found)
    _, end = os.waitpid(child, 0)
    with os.fdopen(said) as lines, os.fdopen(place) as where:
        return os.waitstatus_to_exitcode(end), lines.read(), where.read()


def main() -> None:
    """Interrupt the command at each line until it has ended before."""
    mock.patch.object(dsir.cli.status, "status", status).start()
    sys.argv = ["dsir", "status"]
    ends = []
    while not ends or ends[-1][2]:
        ends.append(ended(len(ends) + 1))
    print(json.dumps(ends))


if __name__ == "__main__":
    main()
