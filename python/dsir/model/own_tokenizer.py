"""The contract of tokenizers that are not of the core: vocabularies, kernels and Python functions.

A model file and a manifest name such a tokenizer by its digest and hold no code. Whoever reads one
finds the tokenizer among those that this process has made: `dsir.kernel` and `HashedNgrams`
remember each. A vocabulary lies in the model file itself.
"""

from __future__ import annotations

import abc
import hashlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus.cast_columns import cast_column
from dsir.errors import ModelError

_known: dict[str, OwnTokenizer] = {}

_LARGEST_DOCUMENT = 1 << 31  # As in cpp/ngram/kernels.hpp.


class OwnTokenizer(abc.ABC):
    """A tokenizer that is not of the core. Instances are frozen, and equal by their digest.

    Attributes:
        kind: "vocabulary", "kernel" or "callable", in files.
        core_tokenizer: the tokenizer of the core that cuts `prepared` texts.
        address: address of a compiled tokenizer, for the core; 0 for none.
        name: name for people.
        digest: sixteen hexadecimal digits, which differ if tokenizers may cut differently.
    """

    kind: ClassVar[str]
    core_tokenizer: ClassVar[str]
    address: int = 0
    name: str
    digest: str

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
            normalize: "NFC" to bring texts into this form first, or None.
            lower: whether tokens are in lower case.
        """

    @abc.abstractmethod
    def tokens(self, text: str, normalize: str | None, *, lower: bool) -> list[str]:
        """Return the tokens of a text."""

    def __eq__(self, other: object) -> bool:
        """Whether the other is the same tokenizer."""
        return isinstance(other, OwnTokenizer) and self.digest == other.digest

    def __hash__(self) -> int:
        """A hash of the digest."""
        return hash(self.digest)

    def __repr__(self) -> str:
        """Return one line: kind, name and digest."""
        return f"<{self.kind} {self.name} {self.digest}>"


def digest_of(*content: Any) -> str:
    """Return sixteen hexadecimal digits of JSON values."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def remember(tokenizer: OwnTokenizer) -> None:
    """Make a tokenizer known to `known_tokenizer` in this process."""
    _known[tokenizer.digest] = tokenizer


def known_tokenizer(described: Mapping[str, Any]) -> OwnTokenizer:
    """Return the tokenizer that `OwnTokenizer.describe` described.

    Raises:
        ModelError: this process has made no such tokenizer.
    """
    kind, name, digest = (described[key] for key in ("tokenizer", *_NAMED))
    found = _known.get(str(digest))
    if found is None or found.kind != kind:
        raise ModelError(
            f"the features need the {kind!s:.20} {name!s:.80} (digest {digest!s:.16}), which this "
            f"process does not have; {_WAYS_OUT.get(str(kind), '')}"
        )
    return found


_NAMED = ("tokenizer_name", "tokenizer_digest")
_WAYS_OUT = {
    "vocabulary": "make it first, with dsir.HashedNgrams(tokenizer='tokenizer.json')",
    "kernel": "import the module that defines it first; if its source, the version of numba or an "
    "option has changed, fit the model again",
    "callable": "make it first, with dsir.HashedNgrams(tokenizer=...); if its source has changed, "
    "fit the model again",
}


def is_described(described: Mapping[str, Any]) -> bool:
    """Tell whether features were described that have a tokenizer of their own."""
    return "tokenizer_digest" in described


def texts_of(text: pa.Array, normalize: str | None) -> list[str | None | bytes]:
    """Return texts as str, nulls as None, and what the core has to refuse as bytes.

    Args:
        text: strings of any Arrow layout.
        normalize: "NFC" to bring texts into this form, or None.
    """
    values = cast_column(text, pa.large_string()).cast(pa.large_binary()).to_pylist()
    return [None if value is None else _decoded(value, normalize) for value in values]


def _decoded(utf8: bytes, normalize: str | None) -> str | bytes:
    if len(utf8) > _LARGEST_DOCUMENT:
        return utf8
    try:
        return utf8.decode() if normalize is None else _core.nfc(utf8)
    except ValueError:  # Not UTF-8.
        return utf8
