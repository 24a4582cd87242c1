"""The file format of importance models: magic, a JSON header, two arrays, a checksum.

docs/formats.md has it byte by byte. Nothing in it is executed, and every byte is under the
checksum, so a damaged file is an error and never another model.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.errors import ModelError
from dsir.remote import Location
from dsir.storage.atomic import atomic_file

MAGIC = b"dsirmodl"
VERSION = 2
_PREFIX = struct.Struct("<8sIIQQ")  # magic, version, bytes of header, buckets, targets
_CHECKSUM_BYTES = 32
_LARGEST_HEADER = 1 << 20
_PICKLE_PROTOCOLS = (b"\x02", b"\x03", b"\x04", b"\x05")


@dataclass(frozen=True, slots=True)
class Content:
    """What a model file holds.

    Attributes:
        settings: JSON values.
        raw_counts: int64[buckets].
        target_counts: int64[targets, buckets].
    """

    settings: dict[str, Any]
    raw_counts: npt.NDArray[np.int64]
    target_counts: npt.NDArray[np.int64]


def _encode(content: Content) -> bytes:
    header = json.dumps(content.settings, sort_keys=True).encode("utf-8")
    prefix = _PREFIX.pack(MAGIC, VERSION, len(header), *reversed(content.target_counts.shape))
    arrays = (content.raw_counts, content.target_counts)
    return b"".join([prefix, header, *(a.astype("<i8").tobytes() for a in arrays)])


def digest(content: Content) -> str:
    """SHA-256 of the file's content, in hexadecimal digits."""
    return hashlib.sha256(_encode(content)).hexdigest()


def write(path: Location, content: Content) -> None:
    """Write a model file, atomically.

    Raises:
        OSError: it cannot be written there.
    """
    body = _encode(content)
    with atomic_file(path) as file:
        file.write(body)
        file.write(hashlib.sha256(body).digest())


def read(path: Location) -> Content:
    """Read and check a model file.

    Raises:
        ModelError: it is missing, no model, of another version, or damaged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    if data[:1] == b"\x80" and data[1:2] in _PICKLE_PROTOCOLS:
        raise ModelError(f"{path}: is a pickle, which dsir never opens; fit the model again")
    if len(data) < _PREFIX.size or not data.startswith(MAGIC):
        raise ModelError(f"{path}: is not a dsir model")
    _, version, header_bytes, buckets, targets = _PREFIX.unpack_from(data)
    if version != VERSION:
        raise ModelError(f"{path}: is a model of format {version}; this dsir reads {VERSION}")
    body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    expected = _PREFIX.size + header_bytes + 8 * buckets * (1 + targets)
    if (
        header_bytes > _LARGEST_HEADER
        or len(body) != expected
        or hashlib.sha256(body).digest() != checksum
    ):
        raise ModelError(f"{path}: is damaged (its checksum does not match); fit the model again")
    arrays_at = _PREFIX.size + header_bytes
    try:
        settings = json.loads(body[_PREFIX.size : arrays_at])
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: its header is no JSON; fit the model again") from error
    if not isinstance(settings, dict):
        raise ModelError(f"{path}: its header is no JSON object; fit the model again")
    counts = np.frombuffer(body, dtype="<i8", offset=arrays_at).astype(np.int64)
    return Content(settings, counts[:buckets], counts[buckets:].reshape(targets, buckets))
