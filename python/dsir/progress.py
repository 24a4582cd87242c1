"""Progress for people: a bar on a terminal or in a notebook, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

from dsir.plural import counted

_SECONDS_BETWEEN_LINES = 30.0


# A stage calls it with each amount of work that is done.
Advance = Callable[[int], None]


def ignore(amount: int) -> None:
    """Ignore progress."""
    del amount


class Reporter(Protocol):
    """Shows the stages of a run."""

    def stage(self, name: str, total: int, unit: str) -> AbstractContextManager[Advance]:
        """Begin a stage; call the function that the context manager gives with each amount done."""

    def note(self, line: str) -> None:
        """Say something that a user should know, in one line."""


class Silent:
    """A reporter that shows nothing."""

    def note(self, line: str) -> None:
        """Say nothing."""

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Iterator[Advance]:
        """Show nothing."""
        del name, total, unit
        yield ignore


class Lines:
    """Writes a line when a stage begins and ends, and at intervals in between.

    Args:
        stream: the stream to write to.
        every: seconds between lines.
    """

    def __init__(self, stream: TextIO, every: float = _SECONDS_BETWEEN_LINES) -> None:
        self._stream = stream
        self._every = every

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Iterator[Advance]:
        """Show a stage."""
        begun = shown = time.monotonic()
        done = 0

        def advance(amount: int) -> None:
            nonlocal done, shown
            done += amount
            now = time.monotonic()
            if now - shown >= self._every and done:
                shown = now
                left = (now - begun) * max(0, total - done) / done
                rate = _amount(done / (now - begun), unit)
                self._say(
                    f"{name}: {_amount(done, unit)} of {_amount(total, unit)} "
                    f"({done / max(1, total):.0%}), {rate}/s, {_clock(left)} left"
                )

        self._say(f"{name}: {_amount(total, unit)}")
        yield advance
        seconds = time.monotonic() - begun
        self._say(f"{name}: done in {_clock(seconds)}")

    def note(self, line: str) -> None:
        """Write the line."""
        self._say(line)

    def _say(self, line: str) -> None:
        _write(self._stream, f"dsir {line}")


class Bars:
    """Draws a bar per stage, with rate and time left.

    Args:
        stream: the terminal.
        notebook: draw in the output of a notebook's cell instead. A bar then takes the place of the
            one before, so that the cell has one bar and is empty when the run is done.
    """

    def __init__(self, stream: TextIO, *, notebook: bool = False) -> None:
        self._stream = stream
        self._notebook = notebook

    def note(self, line: str) -> None:
        """Write the line above the next bar."""
        _write(self._stream, f"dsir {line}")

    @contextmanager
    def stage(self, name: str, total: int, unit: str) -> Iterator[Advance]:
        """Show a stage."""
        # Imported here because rich takes a tenth of a second to load.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        with Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[rate]:>14}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(force_jupyter=True)
            if self._notebook
            else Console(file=self._stream, force_jupyter=False),
            transient=self._notebook,
        ) as bars:
            task = bars.add_task(name, total=max(1, total), rate="")
            begun = time.monotonic()
            done = 0

            def advance(amount: int) -> None:
                nonlocal done
                done += amount
                rate = done / max(1e-9, time.monotonic() - begun)
                bars.update(task, advance=amount, rate=f"{_amount(rate, unit)}/s")

            yield advance
            bars.update(task, completed=max(1, total))


def reporter(progress: bool, stream: TextIO | None = None) -> Reporter:
    """Choose how to show progress on a stream; None for standard error, if there is one."""
    stream = stream or sys.stderr
    if not progress or stream is None or getattr(stream, "closed", False):
        return Silent()  # A program without a console has no standard error.
    if stream is sys.stderr and _in_notebook():
        return Bars(stream, notebook=True)
    terminal = getattr(stream, "isatty", None)
    return Bars(stream) if terminal is not None and terminal() else Lines(stream)


def _in_notebook() -> bool:
    """Tell whether this is a notebook in which rich can draw, which needs ipywidgets."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    is_kernel = type(shell).__name__ == "ZMQInteractiveShell"
    return is_kernel and importlib.util.find_spec("ipywidgets") is not None


def _write(stream: TextIO, line: str) -> None:
    """Write a line; that nobody can read it does not stop a run."""
    with contextlib.suppress(OSError, ValueError):
        print(line, file=stream)
        if hasattr(stream, "flush"):
            stream.flush()


def _amount(amount: float, unit: str) -> str:
    if unit != "bytes":
        return counted(round(amount), unit.removesuffix("s"))
    for name, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if amount >= size:
            return f"{amount / size:,.1f} {name}"
    return f"{amount:,.0f} bytes"


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
