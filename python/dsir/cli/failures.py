"""Errors as one line and an exit code: 0 done, 1 the run failed, 2 the call was wrong."""

from __future__ import annotations

import errno
import functools
import sys
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

import typer

from dsir.cli.spelling import in_options
from dsir.errors import DsirError, DsirWarning, SettingError, StoreError
from dsir.interrupts import raising, told_once
from dsir.remote.store import RemoteError

FAILED, WRONG_CALL = 1, 2

_REMEDIES = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EIO: "check the disk",
    errno.EROFS: "make it writable",
    errno.EMFILE: "allow more open files (ulimit -n) or use fewer threads",
    errno.ENFILE: "close other programs' files",
}

# Signs of a lack of memory in errors of other types. A library that is loaded in the middle of a
# run needs address space too.
_SHORT_OF = {
    "can't start new thread": "no thread can be started",
    "failed to map segment": "a library cannot be loaded",
    "cannot allocate memory": "a library cannot be loaded",
}


@contextmanager
def reported(*, debug: bool, resumable: bool = False, names: Iterable[str] = ()) -> Iterator[None]:
    """Turn an exception of the block into a line on standard error and an exit code.

    Args:
        debug: show the traceback as well.
        resumable: the run keeps its results and the same call continues it; messages then say so.
        names: arguments that are options of the command; messages name them as options.
    """
    names = list(names)
    go_on = "run the same command again to continue"
    hint = f"; {go_on}" if resumable else ""
    with warnings.catch_warnings():
        warnings.showwarning = functools.partial(_show_warning, list(names))
        warnings.simplefilter("always", DsirWarning)
        try:
            with raising(hint):
                yield
        except SettingError as error:
            _fail(in_options(str(error), names), WRONG_CALL, debug)
        except (DsirError, OSError) as error:
            message = str(error)
            if isinstance(error, RemoteError):
                message = f"{error.url}: {error}"
            elif isinstance(error, OSError):
                where = f"{error.filename}: " if error.filename else ""
                message = f"{where}{error.strerror or error}"
            remedy = _remedy(error)
            if remedy:
                message += f"; {remedy}, then {go_on if resumable else 'start again'}"
            _fail(in_options(message, names), FAILED, debug)
        except ValueError as error:
            if not str(error).startswith("DSIR_SIMD="):  # Read when a kernel is first used.
                raise
            _fail(str(error), WRONG_CALL, debug)
        except MemoryError:
            _fail(f"out of memory; use fewer threads{hint}", FAILED, debug)
        except (RuntimeError, ImportError) as error:
            short = next((_SHORT_OF[sign] for sign in _SHORT_OF if sign in str(error)), None)
            if short is None:
                raise
            _fail(f"out of memory: {short}; use fewer threads{hint}", FAILED, debug)
        except KeyboardInterrupt:
            if debug:
                traceback.print_exc()
            raise typer.Exit(say_interrupted()) from None


def _remedy(error: BaseException) -> str | None:
    """Say what to do about a disk or a store that failed; None for other errors."""
    if isinstance(error, StoreError):
        return "check the store"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _REMEDIES:
            return _REMEDIES[cause.errno]
        cause = cause.__cause__
    return None


def _fail(message: str, code: int, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    say("error", message)
    raise typer.Exit(code)


def say_interrupted() -> int:
    """Say, unless that was done, which signal has ended the run; returns the exit code."""
    message, code = told_once()
    if message:
        say("error", message)
    return code


def say(kind: str, message: str) -> None:
    """Write a line to standard error; that nobody can read it does not change the exit code."""
    stream = sys.stderr
    if stream is None:  # Not print(file=None), which writes to standard output.
        return
    try:
        print(f"dsir: {kind}: {' '.join(message.split())}", file=stream, flush=True)
    except (OSError, ValueError):
        # Closed, or on a full disk. Python would try again at its end, and exit with 120.
        sys.stderr = None


def let_go_of_standard_error() -> None:
    """Give up a standard error that takes nothing.

    Otherwise Python tries at its end to write what is left in the buffer, and exits with 120.
    Before Python 3.14 the buffer is empty after a write that failed.
    """
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except (OSError, ValueError):
        sys.stderr = None


def _show_warning(
    names: list[str],
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
        in_options(str(message), names),
    )
