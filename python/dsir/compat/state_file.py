"""The file that save() writes: magic, a JSON header, arrays, a checksum. Never a pickle.

Little-endian: 8 bytes `dsirstat`, 4 bytes format version, 8 bytes length of the header, the header
(JSON), the arrays one after the other (C order, of the dtypes and shapes in the header), and the
SHA-256 of everything before. Nothing in it is executed.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from dsir import _core
from dsir.compat.dataset import default_load_dataset_fn, default_parse_example_fn
from dsir.compat.ngram_counts import word_tokenize, word_tokenize_unsplit, wordpunct
from dsir.errors import ModelError, SettingError
from dsir.storage.atomic import atomic_file

MAGIC = b"dsirstat"
VERSION = 1
_PREFIX = struct.Struct("<8sIQ")
_CHECKSUM_BYTES = 32
_NAMED: dict[str, Any] = {
    "default_load_dataset_fn": default_load_dataset_fn,
    "default_parse_example_fn": default_parse_example_fn,
    "wordpunct": wordpunct,
    "word_tokenize": word_tokenize,
    "word_tokenize_unsplit": word_tokenize_unsplit,
}
_CONVERT = (
    "to convert it, load it with data-selection and write it again with "
    "dsir.compat.HashedNgramDSIR.from_reference(the_loaded_object).save(path)"
)


def write(path: Path, attributes: Mapping[str, Any]) -> None:
    """Write attributes to a file, atomically.

    Raises:
        SettingError: an attribute has a type that cannot be written.
    """
    arrays: list[bytes] = []
    encoded = {name: _encode(value, name, arrays) for name, value in attributes.items()}
    content = {"unicode": _core.UNICODE_VERSION, "attributes": encoded}
    header = json.dumps(content, allow_nan=False).encode("ascii")
    body = b"".join([_PREFIX.pack(MAGIC, VERSION, len(header)), header, *arrays])
    with atomic_file(path, named=True) as file:
        file.write(body)
        file.write(hashlib.sha256(body).digest())


def read(path: Path, present: Mapping[str, Any], exclude: Sequence[str]) -> dict[str, Any]:
    """Read attributes from a file.

    Args:
        path: the file.
        present: attributes of the object that loads. Where the file names a function, which could
            not be saved, this object keeps the function of its own that it has under that name; if
            it has none but a default, the attribute becomes a `NotSaved`.
        exclude: names to leave out.

    Raises:
        ModelError: the file is missing, damaged or of another kind.
    """
    content, arrays = _header_and_arrays(path)
    try:
        if content["unicode"] != _core.UNICODE_VERSION:
            raise ModelError(
                f"{path}: was made with the tables of Unicode {content['unicode']}, but this "
                f"version of dsir has {_core.UNICODE_VERSION}; fit again"
            )
        decoded = {
            name: _decode(value, arrays)
            for name, value in content["attributes"].items()
            if name not in exclude
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path}: its header is not valid ({error}); fit again") from error
    for name, value in list(decoded.items()):
        if isinstance(value, _Function):
            own = present.get(name)
            if not callable(own) or any(own is known for known in _NAMED.values()):
                # The default would read other texts than the function did, without a word.
                decoded[name] = NotSaved(name, value.name, str(path))
            else:
                del decoded[name]
    return decoded


class NotSaved:
    """Stands for a function that a saved object had; raises ModelError when it is called.

    Args:
        attribute: the attribute that held the function.
        function: the name of the function.
        path: the file that the object was saved to.
    """

    def __init__(self, attribute: str, function: str, path: str) -> None:
        self.attribute = attribute
        self.path = path
        self.__qualname__ = function

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Raise ModelError, which says what to do."""
        raise ModelError(
            f"{self.path}: was saved with {self.attribute}={self.__qualname__}, a function, and "
            f"functions are not saved; set {self.attribute} to the function"
        )

    def __repr__(self) -> str:
        return f"<{self.__qualname__}, which was not saved: set {self.attribute} to it>"


class _Function:
    """The name of a function that the saved object had."""

    def __init__(self, name: str) -> None:
        self.name = name


def _header_and_arrays(path: Path) -> tuple[dict[str, Any], memoryview]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    if data[:1] == b"\x80" and not data.startswith(MAGIC):
        raise ModelError(f"{path}: is a pickle, which dsir never opens; {_CONVERT}")
    if len(data) < _PREFIX.size or not data.startswith(MAGIC):
        raise ModelError(f"{path}: is not a file that save() of dsir.compat wrote")
    _, version, header_bytes = _PREFIX.unpack_from(data)
    if version != VERSION:
        raise ModelError(f"{path}: has format {version}; this version of dsir reads {VERSION}")
    body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if hashlib.sha256(body).digest() != checksum:
        raise ModelError(f"{path}: is damaged (its checksum does not match); save it again")
    end = _PREFIX.size + header_bytes
    try:
        content = json.loads(body[_PREFIX.size : end])
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: its header is not JSON; save it again") from error
    return content, memoryview(body)[end:]


def _encode(value: Any, name: str, arrays: list[bytes]) -> Any:
    """Return a value as JSON: scalars as they are, others as an object that names their kind."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        offset = sum(map(len, arrays))
        little = np.asarray(value, dtype=value.dtype.newbyteorder("<"), order="C")
        arrays.append(little.tobytes())
        return {"array": [little.dtype.str, list(value.shape), offset]}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_encode(one, name, arrays) for one in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _encode(one, name, arrays) for key, one in value.items()}}
    if callable(value):
        known = next((title for title, one in _NAMED.items() if one is value), None)
        if known is not None:
            return {"known": known}
        return {"function": getattr(value, "__qualname__", type(value).__qualname__)}
    raise SettingError(
        f"{name}: the type {type(value).__name__} cannot be saved; numbers, strings, paths, arrays "
        "of numbers, and lists and dicts of these can"
    )


def _decode(value: Any, arrays: memoryview) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind in ("list", "tuple"):
        items = [_decode(one, arrays) for one in content]
        return tuple(items) if kind == "tuple" else items
    if kind == "dict":
        return {key: _decode(one, arrays) for key, one in content.items()}
    if kind == "array":
        dtype, shape, offset = np.dtype(content[0]), tuple(content[1]), content[2]
        if dtype.kind not in "biuf" or any(length < 0 for length in shape):
            raise ValueError(f"an array of {dtype} of shape {shape}")
        flat = np.frombuffer(arrays, dtype=dtype, count=math.prod(shape), offset=offset)
        return flat.reshape(shape).astype(dtype.newbyteorder("="))
    decode: dict[str, Callable[[Any], Any]] = {
        "float": float,
        "path": Path,
        "known": _NAMED.__getitem__,
        "function": _Function,
    }
    return decode[kind](content)
