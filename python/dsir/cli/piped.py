"""Inputs of a command that are pipes: "-" for standard input, and named pipes such as <(zcat x)."""

from __future__ import annotations

import itertools
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from dsir.corpus import Paths
from dsir.corpus.pipe import Pipe
from dsir.errors import SettingError

Targets = Paths | dict[str, Paths]
STANDARD_INPUT = "-"
_ALSO = {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}


@contextmanager
def piped(
    raw: Sequence[str] | None, target: Targets | None = None
) -> Iterator[tuple[Paths, Targets | None]]:
    """Return the inputs of a command with pipes in place of their names.

    A pipe is copied to a temporary file when the run resolves its inputs, and the copy is removed
    at the end of the block.

    Args:
        raw: the values of RAW.
        target: the sources of --target.

    Raises:
        SettingError: a pipe is given twice, or standard input is closed or a terminal.
    """
    with tempfile.TemporaryDirectory(prefix="dsir-piped-") as folder:
        pipes: dict[object, Pipe] = {}

        def opened(entry: str | Pipe) -> str | Pipe:
            key = _pipe(entry) if isinstance(entry, str) else None
            if not isinstance(entry, str) or key is None:
                return entry
            if key in pipes:
                raise SettingError(
                    f"{entry}: is given twice, but can be read once; save it to a file, and give "
                    "that twice"
                )
            pipes[key] = _opened(entry, Path(folder))
            return pipes[key]

        found = Paths(map(opened, raw or ()))
        if isinstance(target, dict):
            yield found, {name: Paths(map(opened, paths)) for name, paths in target.items()}
        else:
            yield found, None if target is None else Paths(map(opened, target))


def negatives_in(entries: Sequence[str] | None) -> Paths | None:
    """Return the sources of --negatives; None if there are none.

    Raises:
        SettingError: one of them is a pipe.
    """
    refuse_pipes(entries or (), None, "negatives are files")
    return Paths(entries) if entries else None


def refuse_pipes(raw: Sequence[str], target: Targets | None, why: str) -> None:
    """Refuse pipes where the inputs are read again by another process or a later call.

    Args:
        raw: the values of RAW.
        target: the sources of --target.
        why: such as "the workers of 'dsir work' cannot read it".

    Raises:
        SettingError: one of them is a pipe.
    """
    targets = target.values() if isinstance(target, dict) else (target or (),)
    for entry in itertools.chain(raw, *targets):
        if isinstance(entry, str) and _pipe(entry) is not None:
            name = "standard input" if _is_standard(entry) else "a pipe"
            raise SettingError(f"{entry}: is {name}, and {why}; save it to a file, and give that")


def _is_standard(entry: str) -> bool:
    return entry == STANDARD_INPUT or entry in _ALSO


def _pipe(entry: str) -> object | None:
    """Return what tells a pipe from others; None if an entry is not the name of a pipe."""
    if _is_standard(entry):
        return STANDARD_INPUT
    try:
        status = os.stat(entry)  # noqa: PTH116 - a pattern or a URL is no path
    except (OSError, ValueError):
        return None
    kinds = (stat.S_ISFIFO, stat.S_ISCHR, stat.S_ISSOCK)
    if not any(is_kind(status.st_mode) for is_kind in kinds):
        return None
    return status.st_dev, status.st_ino


def _opened(entry: str, folder: Path) -> Pipe:
    if not _is_standard(entry):
        return Pipe(entry, lambda: Path(entry).open("rb"), folder)
    stream = sys.stdin
    if stream is None or stream.closed:
        raise SettingError(f"{entry}: standard input is closed; pipe a file into the command")
    if stream.isatty():
        raise SettingError(
            f"{entry}: standard input is a terminal; pipe a file into the command, e.g. "
            "zcat raw.jsonl.gz | dsir ..."
        )
    return Pipe("standard input", _standard_input, folder)


def _standard_input() -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer)
