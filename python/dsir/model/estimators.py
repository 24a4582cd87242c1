"""The kinds of estimators that a model file may hold."""

from __future__ import annotations

from pathlib import Path

from dsir.errors import ModelError
from dsir.model import model_file
from dsir.model.estimator import Estimator
from dsir.model.importance import ImportanceModel
from dsir.model.relevance import RelevanceModel
from dsir.output.folder import MODEL_FILE
from dsir.remote import Location, RemotePath, location_of

FittedModel = ImportanceModel | RelevanceModel
"""The models that `dsir.fit` makes."""

# To add a kind of model, add its class here.
ESTIMATORS: dict[str, type[Estimator]] = {
    estimator.kind: estimator for estimator in (ImportanceModel, RelevanceModel)
}


def load_model(path: str | Path | RemotePath) -> Estimator:
    """Read a model of any kind.

    Args:
        path: the model file, or the output folder of a selection, which has its model in `_dsir`.

    Raises:
        ModelError: the file is missing or damaged, or this version of dsir cannot use it.
    """
    content = model_file.read(_file_of(location_of(path)))
    estimator = ESTIMATORS.get(content.kind)
    if estimator is None:
        known = ", ".join(map(repr, ESTIMATORS))
        raise ModelError(
            f"{path}: is a model of kind {content.kind!r}; this version of dsir knows {known}"
        )
    return estimator.from_file(content, path)


def _file_of(path: Location) -> Location:
    # Asking a store about a folder takes a request, so the usual name of a model is believed.
    is_folder = not path.name.endswith(".dsir") and path.is_dir()
    return path / MODEL_FILE if is_folder else path
