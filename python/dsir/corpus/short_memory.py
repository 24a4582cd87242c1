"""A machine that is short of memory: told from inputs that are damaged."""

from __future__ import annotations

import re

_LARGEST_ALLOCATION = 1 << 36  # Bytes; what a reader may have reasons to ask for at once.

# pyarrow's readers have threads of their own.
_NO_THREAD = re.compile(r"launch worker thread|can't start new thread")


def raise_if_short_of_memory(error: BaseException) -> None:
    """Raise pyarrow's MemoryError again where memory is short, rather than the input damaged.

    pyarrow's readers trust sizes in damaged files, and ask for memory that no machine has. But a
    machine that is short of memory must not make an input one that is passed over as unreadable.
    """
    if isinstance(error, MemoryError):
        asked = re.search(r"size (\d+)", str(error))
        if asked is None or int(asked[1]) <= _LARGEST_ALLOCATION:
            raise error
    elif _NO_THREAD.search(str(error)):
        raise MemoryError("no thread can be started") from error
