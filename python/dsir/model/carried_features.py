"""Features in other processes: what model files and plans hold besides their description.

`HashedNgrams.describe` has plain values. A vocabulary is larger than that: a model file holds it as
an array, and a plan, which is JSON, as the same bytes in base 64.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.errors import SettingError
from dsir.model import vocabulary
from dsir.model.features import HashedNgrams
from dsir.model.own_part import OwnPart, remember


def arrays_of(features: HashedNgrams) -> Mapping[str, npt.NDArray[Any]]:
    """Return what a model file has to hold besides `features.describe()`: arrays by name."""
    own = features.own_tokenizer
    return {} if own is None else own.arrays()


def named_parts(features: HashedNgrams) -> tuple[OwnPart, ...]:
    """Return the kernels and functions of features, which a model file names and does not hold."""
    own = features.own_tokenizer
    tokenizer = None if own is None or own.arrays() else own
    return tuple(one for one in (tokenizer, features.extractor) if one is not None)


def features_of_file(
    described: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]
) -> HashedNgrams:
    """Return the features of a model file, from what `describe` and `arrays_of` returned.

    Raises:
        SettingError, ValueError: see `HashedNgrams.from_json`; or an array is damaged.
        ModelError: the features need a tokenizer or kernel that this process has not made.
    """
    if vocabulary.ARRAY in arrays:
        remember(vocabulary.Vocabulary.from_array(arrays[vocabulary.ARRAY]))
    return HashedNgrams.from_json(described)


def sealed_features(features: HashedNgrams) -> dict[str, str]:
    """Return what a plan has to hold besides `features.describe()`, as JSON values."""
    arrays = arrays_of(features)
    return {name: base64.b64encode(array.tobytes()).decode() for name, array in arrays.items()}


def restore_features(sealed: Mapping[str, Any]) -> None:
    """Make known in this process what `sealed_features` returned in another.

    Raises:
        SettingError: it is damaged.
    """
    packed = sealed.get(vocabulary.ARRAY)
    if packed is None:
        return
    try:
        stored = np.frombuffer(base64.b64decode(packed, validate=True), dtype=np.uint8)
        remember(vocabulary.Vocabulary.from_array(stored))
    except ValueError as error:
        raise SettingError(f"the vocabulary cannot be read: {error}") from error
