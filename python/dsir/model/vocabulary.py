"""Vocabularies of models as tokenizers: texts become the numbers of their tokens.

The numbers are made by the library `tokenizers` (extra: tokenizers), for whole batches, without the
GIL. The core hashes a number as its four bytes, so that columns that hold numbers already
(`text_encoding="token-ids"`) have the same features as the texts that they were made from.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.errors import ModelError, SettingError
from dsir.model import model_file
from dsir.model.own_part import digest_of
from dsir.model.own_tokenizer import OwnTokenizer, texts_of
from dsir.remote import location_of

MODEL_SUFFIX = ".dsir"
ARRAY = "vocabulary"
_MOST_BYTES = 1 << 28
_REFUSED = b"\xff"  # Not a whole number of ids.


class Vocabulary(OwnTokenizer):
    """The vocabulary of a model, from the JSON of the library `tokenizers`.

    Special tokens that the vocabulary would add around a text are left out. Texts are normalized by
    the vocabulary's own rules; `lower` and the case of texts do not matter to it.

    Args:
        content: what `tokenizers.Tokenizer.to_str` returns, or the file tokenizer.json holds.
        given: what the caller gave, for the message.

    Raises:
        SettingError: the library is not installed, or cannot read the content.
    """

    kind: ClassVar[str] = "vocabulary"
    way_out: ClassVar[str] = "make it first, with dsir.HashedNgrams(tokenizer='tokenizer.json')"
    core_tokenizer: ClassVar[str] = "ids"

    name = "tokenizer.json"

    def __init__(self, content: str, given: str = "tokenizer.json") -> None:
        library = _library()
        try:
            self._tokenizer = library.Tokenizer.from_str(content)
        except Exception as error:
            raise SettingError(
                f"tokenizer={given!r}: the library tokenizers cannot read it: {error!s:.200}"
            ) from error
        # Cutting off or padding would change the features of a text with those beside it.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._content = self._tokenizer.to_str()
        self.digest = digest_of(self.kind, self._content)

    @classmethod
    def read(cls, path: str | Path) -> Vocabulary:
        """Read a tokenizer.json, or the vocabulary that a model file (`.dsir`) has.

        Raises:
            SettingError: the file cannot be read, or is no vocabulary.
        """
        if Path(path).suffix == MODEL_SUFFIX:
            return cls._of_model(path)
        try:
            content = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise SettingError(f"tokenizer={str(path)!r}: cannot be read: {reason}") from error
        return cls(content, str(path))

    @classmethod
    def _of_model(cls, path: str | Path) -> Vocabulary:
        try:
            return cls.from_array(model_file.read(location_of(path)).arrays[ARRAY])
        except (ModelError, KeyError, ValueError) as error:
            why = "it has no vocabulary" if isinstance(error, KeyError) else str(error)
            raise SettingError(f"tokenizer={str(path)!r}: cannot be read: {why}") from error

    @classmethod
    def from_array(cls, stored: npt.NDArray[np.uint8]) -> Vocabulary:
        """Return the vocabulary that `arrays` stored in a model file.

        Raises:
            ValueError: the array holds no vocabulary.
        """
        unpacked = zlib.decompressobj()
        try:
            content = unpacked.decompress(stored.tobytes(), _MOST_BYTES)
        except zlib.error as error:
            raise ValueError(f"the vocabulary cannot be unpacked: {error}") from error
        if not unpacked.eof:
            raise ValueError("the vocabulary is not complete, or longer than 256 MiB")
        return cls(content.decode())

    def arrays(self) -> dict[str, npt.NDArray[np.uint8]]:
        """Return the vocabulary as a model file holds it."""
        packed = zlib.compress(self._content.encode(), 6)
        return {ARRAY: np.frombuffer(packed, dtype=np.uint8)}

    def prepared(self, text: pa.Array, normalize: str | None, *, lower: bool) -> pa.Array:  # noqa: ARG002
        """Return the numbers of the tokens of each text; see `OwnTokenizer.prepared`."""
        values = texts_of(text, normalize)
        encodings = iter(
            self._tokenizer.encode_batch_fast(
                [value for value in values if isinstance(value, str)], add_special_tokens=False
            )
        )
        packed = [
            np.asarray(next(encodings).ids, dtype="<u4").tobytes()
            if isinstance(value, str)
            else (None if value is None else _REFUSED)
            for value in values
        ]
        array = pa.array(packed, pa.large_binary())
        return pa.Array.from_buffers(pa.large_string(), len(array), array.buffers())

    def tokens(self, text: str, normalize: str | None, *, lower: bool) -> list[str]:  # noqa: ARG002
        """Return the tokens of a text, as the vocabulary writes them."""
        [value] = texts_of(pa.array([text], pa.large_string()), normalize)
        found: list[str] = self._tokenizer.encode(value, add_special_tokens=False).tokens
        return found

    def __reduce__(self) -> tuple[object, tuple[str]]:
        # Engines send features to other processes.
        return (Vocabulary, (self._content,))


def is_vocabulary(value: object) -> bool:
    """Tell whether a value is a Tokenizer of the library `tokenizers`, or one of `transformers`."""
    modules = {kind.__module__.partition(".")[0] for kind in type(value).__mro__}
    return "tokenizers" in modules or hasattr(value, "backend_tokenizer")


def of_library(value: Any) -> Vocabulary:
    """Return the vocabulary of a Tokenizer of `tokenizers`, or one of `transformers`."""
    return Vocabulary(getattr(value, "backend_tokenizer", value).to_str())


def _library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise SettingError(
            "tokenizer=...: vocabularies need the library tokenizers "
            "(pip install 'dsir[tokenizers]')"
        ) from error
    return tokenizers
