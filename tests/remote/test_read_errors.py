"""What goes wrong while a file is read becomes one of dsir's errors, by whose fault it is."""

from __future__ import annotations

import errno

import pyarrow as pa
import pytest

from dsir.errors import SettingError, ShardError, StoreError
from dsir.remote.location import RemotePath
from dsir.remote.read_errors import first_line, translated
from dsir.remote.remote_file import RemoteFile
from dsir.remote.store import RemoteError, StoreFailedError


def test_a_file_that_is_not_there_can_be_closed():
    """As Python closes it when it collects it; since 3.14 it says what goes wrong then."""
    store = RemotePath("memory://read-errors/none.parquet")
    file = RemoteFile.__new__(RemoteFile)
    with pytest.raises(FileNotFoundError):
        file.__init__(store)
    file.close()
    assert file.closed


def read(raised: BaseException, cause: BaseException | None = None) -> None:
    with translated(lambda error: ShardError(f"a.parquet: {first_line(error)}")):
        raise raised from cause


def store_failed() -> StoreFailedError:
    error = StoreFailedError("HTTP status 503")
    error.url = "s3://bucket/a.parquet"
    return error


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (pa.ArrowInvalid("broken page\nin column 3"), "a.parquet: broken page"),
        (OSError("cut off"), "a.parquet: cut off"),
        (OverflowError(), "a.parquet: OverflowError"),
        (RemoteError("changed while it was being read"), "a.parquet: changed while"),
        (b"\xff".decode, "a.parquet: 'utf-8' codec"),
    ],
)
def test_a_file_at_fault(raised, message):
    if callable(raised):
        with pytest.raises(UnicodeDecodeError) as decoded:
            raised()
        raised = decoded.value
    with pytest.raises(ShardError) as caught:
        read(raised)
    assert type(caught.value) is ShardError
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize(
    ("raised", "cause"),
    [(store_failed(), None), (pa.ArrowInvalid("cannot be read"), store_failed())],
)
def test_a_store_at_fault(raised, cause):
    with pytest.raises(StoreError) as caught:
        read(raised, cause)
    assert str(caught.value) == "s3://bucket/a.parquet: cannot be read: HTTP status 503"
    assert caught.value.path == "s3://bucket/a.parquet"


@pytest.mark.parametrize(
    "raised",
    [
        pa.ArrowMemoryError("malloc of size 1048576 failed"),
        pa.ArrowMemoryError("out of memory"),
        OSError("Failed to launch worker thread"),
        OSError("ZSTD decompress failed: Allocation error : not enough memory"),
        OSError("LZ4 decompress failed: ERROR_allocation_failed"),
        OSError("zlib inflateInit failed: (unknown error)"),
        OSError("zlib deflateInit failed: insufficient memory"),
        MemoryError(),
    ],
)
def test_a_machine_short_of_memory(raised):
    with pytest.raises(MemoryError):
        read(raised)


def test_a_damaged_size_is_the_fault_of_the_file():
    with pytest.raises(ShardError, match="malloc"):
        read(pa.ArrowMemoryError(f"malloc of size {1 << 40} failed"))


@pytest.mark.parametrize(
    "raised", [SettingError("a ValueError, too"), ShardError("b: is empty"), KeyError("a bug")]
)
def test_what_is_not_of_reading_is_left_as_it_is(raised):
    with pytest.raises(type(raised)) as caught:
        read(raised)
    assert caught.value is raised


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_the_machine_at_fault(number):
    raised = OSError(number, "of the machine")
    with pytest.raises(OSError, match="of the machine") as caught:
        read(raised)
    assert caught.value is raised
