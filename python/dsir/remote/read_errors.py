"""What goes wrong while a file is read, told apart: the file, its store, or this machine.

pyarrow, the system and the clients of stores raise errors of many kinds. A reader turns them into
dsir's own with `translated`, at the one place where it calls them, so that nobody further up has to
look for what is behind an error. Where a file that cannot be read is passed over, a StoreError is
raised again first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa

from dsir.errors import DsirError
from dsir.remote.store import raise_if_store_failed

# pyarrow raises its own errors, OSError for input and decompression, UnicodeDecodeError (a
# ValueError) for names in a schema that are not UTF-8, and OverflowError for damaged sizes.
_READ_ERRORS = (pa.ArrowException, OSError, ValueError, OverflowError)

_LARGEST_ALLOCATION = 1 << 36  # Bytes; what a reader may have reasons to ask for at once.

# pyarrow's readers have threads of their own.
_NO_THREAD = re.compile(r"launch worker thread|can't start new thread")


@contextmanager
def translated(refuse: Callable[[Exception], Exception]) -> Iterator[None]:
    """Raise dsir's own errors in place of those that reading a file raises in the block.

    Args:
        refuse: makes the error for a file that is at fault, of what was raised. Errors of dsir
            that the block raises are left as they are.

    Raises:
        StoreError: the store failed: that must not make its files ones that are passed over as
            unreadable.
        MemoryError: this machine is short of memory, or of threads: neither must that.
    """
    try:
        yield
    except DsirError:  # SettingError is a ValueError.
        raise
    except _READ_ERRORS as error:
        _raise_if_short_of_memory(error)
        raise_if_store_failed(error)
        raise refuse(error) from error


def first_line(error: BaseException) -> str:
    """Return what an error says in one line: the first of its message, or its kind."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _raise_if_short_of_memory(error: BaseException) -> None:
    """Raise MemoryError when memory is short, rather than the file damaged.

    pyarrow trusts sizes in damaged files, and asks for memory that no machine has. But a machine
    that is short of memory must not make a file one that is passed over as unreadable.
    """
    if isinstance(error, MemoryError):
        asked = re.search(r"size (\d+)", str(error))
        if asked is None or int(asked[1]) <= _LARGEST_ALLOCATION:
            raise error
    elif _NO_THREAD.search(str(error)):
        raise MemoryError("no thread can be started") from error
