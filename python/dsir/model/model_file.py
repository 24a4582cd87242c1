"""The file format of models: magic, a JSON header, arrays, a checksum.

docs/reference/formats.md describes it byte by byte. Nothing in a file is executed. The checksum
covers every byte, so a damaged file is an error and never another model.

Importance models have format 2, with two arrays of counts. Every other kind of model, and models
with a vocabulary, have format 3, whose header names the kind and the arrays.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.corpus.first_bytes import HEAD_BYTES, contents_of
from dsir.errors import ModelError
from dsir.output.writer import FileAccount
from dsir.remote import Location, RemotePath
from dsir.storage.atomic import atomic_file

RATIO = "ratio"
"""The kind of importance models."""

MAGIC = b"dsirmodl"
_COUNTS_VERSION = 2
_ARRAYS_VERSION = 3
_PREFIX = struct.Struct("<8sII")  # magic, version, bytes of header
_COUNTS_SHAPE = struct.Struct("<QQ")  # Format 2: buckets, targets.
_ARRAYS_SIZE = struct.Struct("<Q")  # Format 3: bytes of all arrays.
_CHECKSUM_BYTES = 32
_LARGEST_HEADER = 1 << 20
_PICKLE_PROTOCOLS = (b"\x02", b"\x03", b"\x04", b"\x05")
_COUNTS = frozenset({"raw_counts", "target_counts"})
_DTYPES = ("|u1", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8")


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a model file.

    Attributes:
        kind: kind of the model; see `dsir.model.estimators`.
        settings: JSON values.
        arrays: arrays by name; uint8, int32, uint32, int64, uint64, float32 or float64. An
            importance model has `raw_counts`, int64[buckets], and `target_counts`,
            int64[targets, buckets].
    """

    kind: str
    settings: dict[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]


def digest(content: Content) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal digits."""
    return _sha256(_encode(content)).hexdigest()


def write(path: Location, content: Content) -> FileAccount:
    """Write a model file, atomically, and return its account; it has no rows.

    Raises:
        OSError: the file cannot be written.
    """
    body = _encode(content)
    sha256 = _sha256(body)
    checksum = sha256.digest()
    with atomic_file(path, named=True) as file:
        for part in body:
            file.write(part)
        file.write(checksum)
        size = file.tell()
    sha256.update(checksum)  # Now it is that of the whole file.
    return FileAccount(path, size, 0, sha256.hexdigest())


def read(path: Location) -> Content:
    """Read and check a model file.

    Raises:
        ModelError: the file is missing, damaged, not a model, or of another version.
    """
    return parsed(bytes_of(path), path)


def bytes_of(path: Location) -> bytes:
    """Read a file.

    Raises:
        ModelError: the file is missing, cannot be read, or is a file of another kind, such as a
            shard; of a local file that may be large only the first bytes are read then.
    """
    try:
        if isinstance(path, RemotePath):
            data = path.read_bytes()
            _refuse_other_kinds(data[:HEAD_BYTES], path)
            return data
        with path.open("rb") as file:
            _refuse_other_kinds(file.read(HEAD_BYTES), path)
            file.seek(0)
            return file.read()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error


def _refuse_other_kinds(head: bytes, path: Location) -> None:
    found = contents_of(head)
    if found is not None:
        raise ModelError(
            f"{path}: is {found.title}, not a model; give the file of a model, or the folder of a "
            "selection"
        )


def parsed(data: bytes, path: Location) -> Content:
    """Check the bytes of a model file; see `read`."""
    if data[:1] == b"\x80" and data[1:2] in _PICKLE_PROTOCOLS:
        raise ModelError(f"{path}: is a pickle, which dsir never opens; fit the model again")
    if len(data) < _PREFIX.size + _COUNTS_SHAPE.size or not data.startswith(MAGIC):
        raise ModelError(f"{path}: is not a dsir model")
    _, version, header_bytes = _PREFIX.unpack_from(data)
    if version not in (_COUNTS_VERSION, _ARRAYS_VERSION):
        raise ModelError(
            f"{path}: is a model of format {version}; this version of dsir reads "
            f"{_COUNTS_VERSION} and {_ARRAYS_VERSION}"
        )
    sizes = _COUNTS_SHAPE if version == _COUNTS_VERSION else _ARRAYS_SIZE
    if version == _COUNTS_VERSION:
        buckets, targets = sizes.unpack_from(data, _PREFIX.size)
        array_bytes = 8 * buckets * (1 + targets)
    else:
        [array_bytes] = sizes.unpack_from(data, _PREFIX.size)
    header_at = _PREFIX.size + sizes.size
    arrays_at = header_at + header_bytes
    body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if (
        header_bytes > _LARGEST_HEADER
        or len(body) != arrays_at + array_bytes
        or hashlib.sha256(body).digest() != checksum
    ):
        raise ModelError(f"{path}: is damaged (its checksum does not match); fit the model again")
    try:
        header = json.loads(body[header_at:arrays_at])
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: its header is not JSON; fit the model again") from error
    if not isinstance(header, dict):
        raise ModelError(f"{path}: its header is not a JSON object; fit the model again")
    if version == _COUNTS_VERSION:
        counts = np.frombuffer(body, dtype="<i8", offset=arrays_at).astype(np.int64)
        target_counts = counts[buckets:].reshape(targets, buckets)
        arrays = {"raw_counts": counts[:buckets], "target_counts": target_counts}
        return Content(RATIO, header, arrays)
    try:
        return _with_arrays(header, memoryview(body)[arrays_at:])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path}: its header is not valid: {error}; fit the model again"
        ) from error


_Part = bytes | memoryview


def _sha256(parts: Sequence[_Part]) -> hashlib._Hash:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found


def _bytes_in(array: npt.NDArray[Any]) -> memoryview:
    """Return the bytes of an array, which are not copied if its numbers lie in a row."""
    return array.reshape(-1).view(np.uint8).data


def _encode(content: Content) -> list[_Part]:
    """Return the bytes of a file but for the checksum, in parts."""
    if content.kind != RATIO or set(content.arrays) != _COUNTS:
        return _encode_arrays(content)
    raw, target = content.arrays["raw_counts"], content.arrays["target_counts"]
    header = json.dumps(content.settings, sort_keys=True).encode("utf-8")
    prefix = _PREFIX.pack(MAGIC, _COUNTS_VERSION, len(header))
    shape = _COUNTS_SHAPE.pack(*reversed(target.shape))
    counts = [_bytes_in(array.astype("<i8", copy=False)) for array in (raw, target)]
    return [prefix, shape, header, *counts]


def _encode_arrays(content: Content) -> list[_Part]:
    named = [
        (name, array.astype(array.dtype.newbyteorder("<"), copy=False))
        for name, array in content.arrays.items()
    ]
    for name, array in named:
        if array.dtype.str not in _DTYPES:
            raise TypeError(f"the array {name!r} of a model is {array.dtype}")
    described = {
        "kind": content.kind,
        "settings": content.settings,
        "arrays": [[name, array.dtype.str, list(array.shape)] for name, array in named],
    }
    header = json.dumps(described, sort_keys=True).encode("utf-8")
    prefix = _PREFIX.pack(MAGIC, _ARRAYS_VERSION, len(header))
    size = _ARRAYS_SIZE.pack(sum(array.nbytes for _, array in named))
    return [prefix, size, header, *(_bytes_in(array) for _, array in named)]


def _with_arrays(header: dict[str, Any], data: memoryview) -> Content:
    """Read the arrays of format 3.

    Raises:
        KeyError, TypeError, ValueError: the header does not describe the arrays.
    """
    kind, settings = header["kind"], header["settings"]
    if not isinstance(kind, str) or not isinstance(settings, dict) or kind == "":
        raise ValueError("it has no kind or no settings")
    arrays = dict(_arrays(header["arrays"], data))
    if kind == RATIO and not arrays.keys() > _COUNTS:
        raise ValueError("an importance model with nothing but counts has format 2")
    if len(arrays) != len(header["arrays"]):
        raise ValueError("two arrays have the same name")
    return Content(kind, settings, arrays)


def _arrays(
    described: list[tuple[str, str, list[int]]], data: memoryview
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    at = 0
    for name, dtype, shape in described:
        if not isinstance(name, str) or dtype not in _DTYPES:
            raise ValueError(f"the array {name!r:.80} has the dtype {dtype!r:.80}")
        if not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError(f"the array {name!r:.80} has the shape {shape!r:.80}")
        end = at + np.dtype(dtype).itemsize * math.prod(shape)
        if end > len(data):
            raise ValueError(f"the array {name!r:.80} is incomplete")
        array = np.frombuffer(data[at:end], dtype=dtype).reshape(shape)
        yield name, array.astype(array.dtype.newbyteorder("="))
        at = end
    if at != len(data):
        raise ValueError("there are bytes after the last array")
