"""Files of slices: one task writes a slice for each of many other tasks, which read it alone.

A file is the slices, one after the other, and then an index: for each slice where it begins, how
long it is, and a checksum of both and of its bytes. The marker says how many slices there are. A
reader reads two ranges of the file, here or in a store.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from dsir.errors import WorkdirError
from dsir.remote.remote_file import RemoteFile
from dsir.remote.store import RemoteError
from dsir.storage.place import Place

SUFFIX = ".slices"
_INDEX = struct.Struct("<QQQ")  # Start, bytes, CRC-32.

Write = Callable[..., None]


@contextmanager
def slices_at(place: Place) -> Iterator[Write]:
    """Give a function that writes a slice, made of arrays; the file appears when the block ends."""
    index: list[bytes] = []
    at = 0
    with place.file(SUFFIX) as file:

        def write(*arrays: npt.NDArray[np.generic]) -> None:
            nonlocal at
            size = sum(array.nbytes for array in arrays)
            checksum = zlib.crc32(struct.pack("<QQ", at, size))
            for array in arrays:
                data = np.ascontiguousarray(array).data
                checksum = zlib.crc32(data, checksum)
                file.write(data)
            index.append(_INDEX.pack(at, size, checksum))
            at += size

        yield write
        file.write(b"".join(index))


def read_slice(place: Place, number: int, count: int) -> bytes:
    """Return a slice of a file.

    Args:
        place: where the file is.
        number: the slice.
        count: how many the file has.

    Raises:
        WorkdirError: the file is missing or damaged, or the store cannot be read.
    """
    path = place.path(SUFFIX)
    try:
        if place.mirror is not None and not path.exists():
            with RemoteFile(place.mirror.remote / path.name, window=0, tail=0) as remote:

                def read(start: int, size: int) -> bytes:
                    remote.seek(start)
                    return remote.read(size)

                found = _slice_in(remote.size, number, count, read)
        else:
            with path.open("rb", buffering=0) as file:
                descriptor = file.fileno()
                found = _slice_in(
                    os.fstat(descriptor).st_size,
                    number,
                    count,
                    lambda start, size: os.pread(descriptor, size, start),
                )
    except RemoteError as error:
        raise WorkdirError(f"{error.url}: {error}") from error
    except FileNotFoundError:
        raise place.damaged(path, "it is missing") from None
    except OSError as error:
        raise place.damaged(path, str(error)) from error
    if found is None:
        raise place.damaged(path, "its checksum does not match")
    return found


def _slice_in(
    size: int, number: int, count: int, read: Callable[[int, int], bytes]
) -> bytes | None:
    at = size - _INDEX.size * (count - number)
    entry = read(at, _INDEX.size) if at >= 0 else b""
    if len(entry) != _INDEX.size:
        return None
    start, length, checksum = _INDEX.unpack(entry)
    if start + length > size:
        return None
    data = read(start, length) if length else b""
    return data if zlib.crc32(data, zlib.crc32(entry[:16])) == checksum else None
