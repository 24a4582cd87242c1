"""The kinds of estimators that a model file may hold."""

from __future__ import annotations

from pathlib import Path

from dsir.errors import ModelError
from dsir.model import model_file
from dsir.model.estimator import Estimator
from dsir.model.importance import ImportanceModel
from dsir.remote import RemotePath, location_of

# To add a kind of model, add its class here.
ESTIMATORS: dict[str, type[Estimator]] = {
    estimator.kind: estimator for estimator in (ImportanceModel,)
}


def load_model(path: str | Path | RemotePath) -> Estimator:
    """Read a model of any kind.

    Raises:
        ModelError: the file is missing or damaged, or this version of dsir cannot use it.
    """
    content = model_file.read(location_of(path))
    estimator = ESTIMATORS.get(content.kind)
    if estimator is None:
        known = ", ".join(map(repr, ESTIMATORS))
        raise ModelError(
            f"{path}: is a model of kind {content.kind!r}; this version of dsir knows {known}"
        )
    return estimator.from_file(content, path)
