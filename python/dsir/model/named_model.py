"""A model that a setting names: by the path of its file, or by a name of the caller's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dsir.arguments.values import is_utf8, shown
from dsir.errors import ModelError, SettingError
from dsir.model import model_file
from dsir.model.estimator import Estimator
from dsir.model.estimators import as_estimator, file_of, model_of
from dsir.model.fasttext_model import FastTextModel
from dsir.model.label_model import LabelModel
from dsir.remote import location_of

Loaded = Estimator | FastTextModel


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model of one log-weight a text, and what tells it from others.

    Attributes:
        name: absolute path or URL of the file, with ":" and a label behind it for a model of
            fastText; or the name and label of a model that the caller has loaded.
        digest: sixteen hexadecimal digits, which differ between models that weigh differently.
        estimator: the model.
    """

    name: str
    digest: str
    estimator: Estimator = field(compare=False, repr=False)

    @classmethod
    def of(cls, where: str, text: str, loaded: Mapping[str, Loaded]) -> NamedModel:
        """Return the model that "PATH", "PATH:LABEL", "NAME" or "NAME:LABEL" stands for.

        Args:
            where: what the text is part of, for messages.
            text: the name of one of the loaded models, or else the path or URL of a model file or
                of a selection; a label follows after a colon.
            loaded: models by name.

        Raises:
            SettingError: the text names no path, a label is missing, is not of the model or is
                given with another model, or the model has several log-weights a text.
            ModelError: the file cannot be read, or is no model.
        """
        name, colon, label = text.partition(":")
        if name in loaded:
            model, path = loaded[name], name
            estimator = _estimator(where, model, label if colon else None, text)
            digest = estimator.fingerprint
        else:
            path, label = _path_and_label(where, text)
            place = file_of(location_of(path))
            try:
                data = model_file.bytes_of(place)
                model = model_of(data, place, name=path)
            except ModelError as error:
                raise ModelError(f"{where}: {error}") from error
            estimator = _estimator(where, model, label or None, path)
            digest = hashlib.sha256(data).hexdigest()[:16]
        if isinstance(estimator, LabelModel):
            path = f"{path}:{estimator.label}"
        if estimator.column_names:
            names = ", ".join(map(repr, list(estimator.column_names)[:10]))
            raise SettingError(
                f"{where}: the model has a log-weight for each of {names}; give a model with one, "
                'such as of fit(targets="pooled")'
            )
        return cls(path, digest, estimator)


def is_file(name: str) -> bool:
    """Tell whether the name of a model is of its file, and not of the caller's."""
    return name.startswith("/") or "://" in name


def _path_and_label(where: str, text: str) -> tuple[str, str]:
    """Return the path or URL in "PATH" or "PATH:LABEL", a path made absolute; and the label or "".

    A colon may also be part of a path: the longest path that is there wins.
    """
    if not text or "\0" in text or not is_utf8(text):
        raise SettingError(f"{where}: {shown(text)} is not the path of a model")
    place = location_of(text)
    if not isinstance(place, Path):
        head, slash, last = text.rpartition("/")
        last, _, label = last.partition(":")
        return f"{head}{slash}{last}", label
    path, label = text, ""
    while not _is_there(path) and ":" in path:
        path, _, last = path.rpartition(":")
        label = f"{last}:{label}" if label else last
    if not path or not _is_there(path):  # The error is to name what was most likely meant.
        path, _, label = text.partition(":")
    return str(location_of(path or text)), label


def _is_there(path: str) -> bool:
    """Tell whether there is a file; a name that the system refuses is none."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises where it may not look.


def _estimator(where: str, model: Loaded, label: str | None, name: str) -> Estimator:
    if isinstance(model, FastTextModel) and label is None:
        labels = ", ".join(map(repr, model.labels[:10]))
        more = ", ..." if len(model.labels) > 10 else ""
        first = model.labels[0].removeprefix("__label__")
        raise SettingError(
            f"{where}: {name} has the labels {labels}{more}; say which one after a colon, such as "
            f"'model:{name}:{first}'"
        )
    try:
        return as_estimator(model, label=label, name=name)
    except SettingError as error:
        raise SettingError(f"{where}: {error}") from error
