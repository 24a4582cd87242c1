"""The quality filter that asks a model of fastText for the probability of a label."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.values import is_utf8, shown
from dsir.errors import SettingError
from dsir.model import model_file
from dsir.model.fasttext_model import FastTextModel
from dsir.model.label_model import label_number
from dsir.remote import RemotePath, location_of

ARGUMENTS = ("classifier", "label")
"""What the threshold `min_probability` needs besides its value."""


class _Loaded(NamedTuple):
    model: FastTextModel
    digest: str


def checked_path(value: object, name: str = "classifier", example: str = "quality.bin") -> str:
    """Return the path or URL of a model file as a string; a path is made absolute.

    Args:
        value: what was given.
        name: the argument, for the message.
        example: the name of such a file, for the message.

    Raises:
        SettingError: it is neither.
    """
    text = str(value) if isinstance(value, str | Path | RemotePath) else ""
    if not text or "\0" in text or not is_utf8(text):
        raise SettingError(
            f"{name}={shown(value)}: expected the path of a model of fastText, e.g. {example}"
        )
    place = location_of(text)
    return str(place.absolute() if isinstance(place, Path) else place)


def check_label(path: str, label: object) -> None:
    """Raise an error unless the file is a model of fastText that has the label.

    Raises:
        ModelError: the file cannot be read, or is not such a model.
        SettingError: the model has no such label.
    """
    label_number(_loaded(path).model.labels, label)


def model_of(path: str) -> FastTextModel:
    """Return the model of a file, which is read once and again when it has been replaced.

    Raises:
        ModelError: the file cannot be read, or is not a supervised model of fastText.
    """
    return _loaded(path).model


def digest_of(path: str) -> str:
    """Return sixteen hexadecimal digits of the SHA-256 of a model file."""
    return _loaded(path).digest


def probabilities(path: str, label: str, texts: pa.Array, threads: int) -> npt.NDArray[np.float32]:
    """Return the probability of a label for each text; 0 for null and what is not UTF-8."""
    model = _loaded(path).model
    found, _ = model.score_batch(texts, threads=threads)
    return found[:, label_number(model.labels, label)]


def _loaded(path: str) -> _Loaded:
    place = location_of(path)
    if isinstance(place, Path):
        try:
            status = place.stat()
        except OSError:  # Reading it says what is wrong.
            return _read(path, 0, 0)
        return _read(path, status.st_size, status.st_mtime_ns)
    return _read(path, 0, 0)


@functools.lru_cache(maxsize=4)
def _read(path: str, size: int, mtime: int) -> _Loaded:
    """Read a model once, and again when the file has been replaced."""
    del size, mtime
    data = model_file.bytes_of(location_of(path))
    return _Loaded(FastTextModel(data, name=path), hashlib.sha256(data).hexdigest()[:16])
