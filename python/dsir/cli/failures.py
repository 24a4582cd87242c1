"""Errors as one line and an exit code: 0 done, 1 the run failed, 2 the call was wrong."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import typer

from dsir.cli.wording import in_options
from dsir.errors import DsirError, DsirWarning, SettingError

FAILED, WRONG_CALL, INTERRUPTED = 1, 2, 130


@contextmanager
def reported(*, debug: bool, resumable: bool = False) -> Iterator[None]:
    """Turn what the block raises into a line on standard error and an exit code.

    Args:
        debug: show the traceback as well.
        resumable: the run keeps its results, and the same call goes on; said on Ctrl-C.
    """
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        warnings.simplefilter("always", DsirWarning)
        try:
            yield
        except SettingError as error:
            _fail(str(error), WRONG_CALL, debug)
        except DsirError as error:
            _fail(str(error), FAILED, debug)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            _fail(f"{where}{error.strerror or error}", FAILED, debug)
        except MemoryError:
            _fail("out of memory; use fewer threads", FAILED, debug)
        except KeyboardInterrupt:
            hint = "; the same command goes on from here" if resumable else ""
            _fail(f"interrupted{hint}", INTERRUPTED, debug)


def _fail(message: str, code: int, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    say("error", in_options(message))
    raise typer.Exit(code)


def say(kind: str, message: str) -> None:
    """Write a line to standard error."""
    print(f"dsir: {kind}: {' '.join(message.split())}", file=sys.stderr)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    del filename, lineno, file, line
    say(
        "warning" if issubclass(category, DsirWarning) else category.__name__,
        in_options(str(message)),
    )
