"""Tells what is at fault when reading a file fails: the file, its store, or this machine.

pyarrow, the system and the clients of stores raise errors of many types. A reader turns them into
dsir's own with `translated`, at the one place where it calls them, so callers need not look behind
an error for its cause. Code that skips unreadable files raises a StoreError again before it skips.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa

from dsir.errors import DsirError
from dsir.remote.store import raise_if_store_failed

# pyarrow raises its own errors, OSError for input and decompression, UnicodeDecodeError (a
# ValueError) for names in a schema that are not UTF-8, and OverflowError for damaged sizes.
_READ_ERRORS = (pa.ArrowException, OSError, ValueError, OverflowError)

_LARGEST_ALLOCATION = 1 << 36  # Bytes: the most that a reader may need at once (64 GiB).

# pyarrow's readers start threads of their own, and say so in these words if that fails.
_NO_THREAD = re.compile(r"launch worker thread|can't start new thread")

# Libraries that decompress for pyarrow say in these words that they got no memory. They ask for no
# more than the largest window, 128 MB.
_NO_MEMORY = re.compile(
    r"not enough memory|ERROR_allocation_failed|((in|de)flateInit|Brotli init|LZ4 init) failed"
)

# This machine, not the file: every further file would fail as well.
_OF_THE_MACHINE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


@contextmanager
def translated(refuse: Callable[[Exception], Exception]) -> Iterator[None]:
    """Turn the errors that reading a file raises in a block into dsir's own.

    Errors of dsir leave the block unchanged.

    Args:
        refuse: makes the error for a file that is at fault from the error that was raised.

    Raises:
        StoreError: the store failed, so its files must not be skipped as unreadable.
        MemoryError: this machine is short of memory or threads; here too no file is at fault.
        OSError: too many files are open; the error is the system's own.
    """
    try:
        yield
    except DsirError:  # SettingError is a ValueError.
        raise
    except _READ_ERRORS as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
            raise
        _raise_if_short_of_memory(error)
        raise_if_store_failed(error)
        raise refuse(error) from error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message; without a message, the name of its type."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _raise_if_short_of_memory(error: BaseException) -> None:
    """Raise MemoryError if memory or threads are short and the file is not at fault.

    pyarrow trusts the sizes in damaged files and may ask for more memory than any machine has: then
    the file is damaged. A smaller request that fails means that this machine is short of memory,
    and the file must not be skipped as unreadable.
    """
    if isinstance(error, MemoryError):
        asked = re.search(r"size (\d+)", str(error))
        if asked is None or int(asked[1]) <= _LARGEST_ALLOCATION:
            raise error
    elif _NO_THREAD.search(str(error)):
        raise MemoryError("no thread can be started") from error
    elif _NO_MEMORY.search(str(error)):
        raise MemoryError(first_line(error)) from error
