"""The contract of tokenizers that are not of the core: vocabularies, kernels, Python functions."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus.cast_columns import cast_column
from dsir.model.own_part import OwnPart

_LARGEST_DOCUMENT = 1 << 31  # As in cpp/ngram/kernels.hpp.


class OwnTokenizer(OwnPart, abc.ABC):
    """A tokenizer that is not of the core; see `OwnPart`.

    Attributes:
        core_tokenizer: the tokenizer of the core that cuts `prepared` texts.
        address: address of a compiled tokenizer, for the core; 0 for none.
    """

    argument: ClassVar[str] = "tokenizer"
    core_tokenizer: ClassVar[str]
    address: int = 0

    def describe(self) -> dict[str, str]:
        """Return what identifies the tokenizer in files, as plain values."""
        return {
            "tokenizer": self.kind,
            "tokenizer_name": self.name,
            "tokenizer_digest": self.digest,
        }

    def arrays(self) -> Mapping[str, npt.NDArray[np.uint8]]:
        """Return what a model file has to hold for this tokenizer: arrays by name."""
        return {}

    @abc.abstractmethod
    def prepared(self, text: pa.Array, normalize: str | None, *, lower: bool) -> pa.Array:
        """Return texts as the core's `core_tokenizer` cuts them.

        Nulls stay null, and texts that are not UTF-8 become texts that the core refuses.

        Args:
            text: strings of any Arrow layout.
            normalize: "NFC" or "NFKC" to bring texts into this form first, or None.
            lower: whether tokens are in lower case.
        """

    @abc.abstractmethod
    def tokens(self, text: str, normalize: str | None, *, lower: bool) -> list[str]:
        """Return the tokens of a text."""


def is_described(described: Mapping[str, Any]) -> bool:
    """Tell whether features were described that have a tokenizer of their own."""
    return "tokenizer_digest" in described


def texts_of(text: pa.Array, normalize: str | None) -> list[str | None | bytes]:
    """Return texts as str, nulls as None, and what the core has to refuse as bytes.

    Args:
        text: strings of any Arrow layout.
        normalize: "NFC" or "NFKC" to bring texts into this form, or None.
    """
    values = cast_column(text, pa.large_string()).cast(pa.large_binary()).to_pylist()
    return [None if value is None else _decoded(value, normalize) for value in values]


def _decoded(utf8: bytes, normalize: str | None) -> str | bytes:
    if len(utf8) > _LARGEST_DOCUMENT:
        return utf8
    try:
        return utf8.decode() if normalize is None else _core.normalized(utf8, normalize)
    except ValueError:  # Not UTF-8.
        return utf8
