"""The kinds of estimators that a model file may hold."""

from __future__ import annotations

from pathlib import Path

from dsir.errors import ModelError, SettingError
from dsir.model import model_file
from dsir.model.classifier import ClassifierModel
from dsir.model.estimator import Estimator
from dsir.model.fasttext_model import MAGIC, FastTextModel
from dsir.model.importance import ImportanceModel
from dsir.model.label_model import LabelModel, label_number
from dsir.model.relevance import RelevanceModel
from dsir.output.folder import MODEL_FILE
from dsir.remote import Location, RemotePath, location_of
from dsir.remote.store import RemoteError

FittedModel = ImportanceModel | RelevanceModel | ClassifierModel
"""The models that `dsir.fit` makes."""

# To add a kind of model, add its class here.
ESTIMATORS: dict[str, type[Estimator]] = {
    estimator.kind: estimator
    for estimator in (
        ClassifierModel,
        ImportanceModel,
        LabelModel,
        RelevanceModel,
    )
}


def load_model(path: str | Path | RemotePath) -> Estimator | FastTextModel:
    """Read a model of any kind, by its content and not by its name.

    Args:
        path: a model file of dsir; the output folder of a selection, which has its model in
            `_dsir`; or a supervised model of fastText (`.bin`, `.ftz`). Also by URL.

    Returns:
        The model. `score` gives log-weights, or for a model of fastText the probabilities of its
        labels.

    Raises:
        ModelError: the file is missing or damaged, or this version of dsir cannot use it.

    Example:
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> dsir.fit(raw, ["ship and sea"] * 9, progress=False).save("model.dsir")
        >>> dsir.load_model("model.dsir").score(["a ship at sea", "a court of law"]).round(1)
        array([  2. , -75.6])
    """
    place = file_of(location_of(path))
    return model_of(model_file.bytes_of(place), place, name=str(path))


def model_of(data: bytes, place: Location, *, name: str) -> Estimator | FastTextModel:
    """Return the model that the bytes of a file are; see `load_model`.

    Args:
        data: the content of the file.
        place: where the file is, for messages about its format.
        name: what other messages call the model.
    """
    if data.startswith(MAGIC):
        return FastTextModel(data, name=name)
    content = model_file.parsed(data, place)
    estimator = ESTIMATORS.get(content.kind)
    if estimator is None:
        known = ", ".join(map(repr, ESTIMATORS))
        raise ModelError(
            f"{name}: is a model of kind {content.kind!r}; this version of dsir knows {known}"
        )
    return estimator.from_file(content, name)


def load_estimator(path: str | Path | RemotePath, *, label: str | None = None) -> Estimator:
    """Read a model that gives each text one log-weight, or one for each target.

    Args:
        path: as in `load_model`.
        label: for a model of fastText: the label whose log-odds are the log-weights.

    Raises:
        ModelError: the file is missing or damaged, or this version of dsir cannot use it.
        SettingError: a label is missing, is not of the model, or is given with another model.
    """
    return as_estimator(load_model(path), label=label, name=str(path))


def as_estimator(
    model: Estimator | FastTextModel, *, label: str | None, name: str = "the model"
) -> Estimator:
    """Return a model as an estimator; see `load_estimator`.

    Args:
        model: the model.
        label: the label of a model of fastText; None for other models.
        name: what messages call the model.
    """
    if isinstance(model, FastTextModel):
        if label is None:
            labels = ", ".join(map(repr, model.labels[:10]))
            more = ", ..." if len(model.labels) > 10 else ""
            raise SettingError(
                f"{name} has the labels {labels}{more}; give label=... to say which one documents "
                "are to be weighed by"
            )
        return model.for_label(label)
    if label is None:
        return model
    if not isinstance(model, LabelModel):
        raise SettingError(
            f"label={label!r:.80}: {name} is of the kind {model.kind!r}, which has no labels; "
            "leave label out"
        )
    if label_number(model.labels, label) != model.labels.index(model.label):
        raise SettingError(
            f"label={label!r:.80}: {name} weighs by {model.label!r}; give the model of fastText"
        )
    return model


def file_of(path: Location) -> Location:
    """Return the file of a model: the path itself, or the model of a selection's folder."""
    # Asking a store about a folder takes a request, so the usual name of a model is believed.
    if path.name.endswith((".dsir", ".bin", ".ftz")):
        return path
    try:
        return path / MODEL_FILE if path.is_dir() else path
    except RemoteError:
        raise
    except OSError:  # Reading it says what is wrong.
        return path
