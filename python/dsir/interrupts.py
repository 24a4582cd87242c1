"""Ctrl-C and SIGTERM of the command `dsir`: one line and an exit code, whatever it is doing.

Python's own answer to Ctrl-C is an exception wherever the program is. While libraries are loaded
and while the interpreter ends, nobody catches that exception, and a second one stops what the first
one began to tidy up. So the command answers signals itself:

- before its work, it ends at once;
- at work, it raises `KeyboardInterrupt` in the main thread once, which ends the run in good order.
  Python drops an exception that meets a finalizer or a weak reference's callback, so it is raised
  again after two seconds unless the run has begun to end;
- while it ends, it ignores further signals for a second, because one keystroke can arrive twice
  (from the terminal and from a parent process), and then ends at once. What is left under temporary
  names, the next run removes.

A program that imports dsir keeps its own handlers.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_GRACE_SECONDS = 1.0
_UNHEARD_SECONDS = 2.0
_NAMES = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
INTERRUPTED = _CODES[signal.SIGINT]


class Terminated(KeyboardInterrupt):
    """SIGTERM: ends the run as Ctrl-C does, unfinished files removed."""


_EXCEPTIONS: dict[int, type[KeyboardInterrupt]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: Terminated,
}


class _State:
    """What the command is doing.

    Attributes:
        at_work: it runs, and can be interrupted in good order.
        number: the signal that has raised an exception.
        told: whether its user knows about that.
        hint: what the user can do then.
        ends_since: when it began to end, by the monotonic clock; None before.
        heard: whether the exception has reached somebody who ends the run.
    """

    def __init__(self) -> None:
        self.at_work = False
        self.number = signal.SIGINT
        self.told = False
        self.hint = ""
        self.ends_since: float | None = None
        self.heard = False


_state = _State()


def is_command() -> bool:
    """Tell whether this process is the command `dsir`, and no program that imports the package."""
    words = iter(sys.orig_argv[1:])
    for word in words:
        if word == "-m":
            return next(words, "") == "dsir"
        if word in ("-X", "-W"):
            next(words, "")
        elif not word.startswith("-"):
            return Path(word).name in ("dsir", "dsir.exe")
        elif word.startswith("-c"):
            return False
    return False


def answer_signals() -> None:
    """Answer the signals of this process, the command, from now on."""
    for number in _NAMES:
        _install(number)


@contextmanager
def answering() -> Iterator[None]:
    """Answer the signals in the block, whatever they did before and do after it.

    Only the main thread gets signals; in other threads the block is as it is without this.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _NAMES}
    try:
        answer_signals()
        yield
    finally:
        for number, handler in before.items():
            if handler is not _answer:
                signal.signal(number, handler)


@contextmanager
def raising(hint: str = "") -> Iterator[None]:
    """Let the first signal raise KeyboardInterrupt or Terminated in the block.

    Args:
        hint: what the user can do after that; see `told_once`.
    """
    with answering():
        _state.ends_since, _state.heard = None, False
        _state.told, _state.hint = False, hint
        try:
            _state.at_work = True
            yield
        finally:
            if _state.ends_since is None:
                _state.ends_since = time.monotonic()
            _state.at_work = False
            # An alarm that came while the interpreter ends, without handlers, would kill it.
            _stop_the_alarm()


def told_once() -> tuple[str, int]:
    """Return the message and the exit code of the signal that has interrupted the work.

    The message is empty the second time: a run ends with one line.
    """
    message = "" if _state.told else f"{_NAMES[_state.number]}{_state.hint}"
    _state.told = True
    return message, _CODES[_state.number]


def heard() -> None:
    """Say that the run has begun to end, so that its interrupt need not be raised again."""
    _state.heard = True


def _install(number: signal.Signals) -> None:
    # A shell's background jobs ignore Ctrl-C.
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, _answer)


def _answer(number: int, frame: FrameType | None) -> None:
    del frame
    now = time.monotonic()
    if _state.ends_since is not None:
        if now - _state.ends_since > _GRACE_SECONDS:
            _end("and ended at once: the next run removes unfinished files", number)
        return
    _state.ends_since = now
    _state.number = signal.Signals(number)
    if not _state.at_work:
        _end("", number)
    if is_command():
        signal.signal(signal.SIGALRM, functools.partial(_raise_again, number))
        signal.setitimer(signal.ITIMER_REAL, _UNHEARD_SECONDS, _UNHEARD_SECONDS)
    raise _EXCEPTIONS[number]


def _raise_again(number: int, alarm: int, frame: FrameType | None) -> None:
    del alarm, frame
    if _state.at_work and not _state.heard and not _state.told:
        raise _EXCEPTIONS[number]
    _stop_the_alarm()


def _stop_the_alarm() -> None:
    if is_command():
        signal.setitimer(signal.ITIMER_REAL, 0)


def _end(more: str, number: int) -> None:
    """End the process here and now."""
    line = f"dsir: error: {_NAMES[signal.Signals(number)]} {more}".rstrip() + "\n"
    with contextlib.suppress(OSError):
        os.write(2, line.encode())
    os._exit(_CODES[signal.Signals(number)])
