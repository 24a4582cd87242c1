"""Which tokenizers go with which settings of reading and preparing."""

from __future__ import annotations

from dsir.corpus import token_ids
from dsir.errors import SettingError
from dsir.model.features import HashedNgrams
from dsir.settings.documents import DocumentSettings, WindowSettings
from dsir.settings.reading import ReadSettings


def check_tokens(
    reading: ReadSettings, documents: DocumentSettings, features: HashedNgrams
) -> None:
    """Raise SettingError unless the tokenizer goes with the other settings.

    Args:
        reading: how raw is read.
        documents: how its documents are prepared.
        features: those of the model, fitted or to be fitted.
    """
    check_columns(reading, documents, features)
    if documents.decontaminate is not None:
        refuse_ids("decontaminate", reading)
    if documents.filters is not None:
        refuse_ids("filters", reading)


def check_columns(reading: ReadSettings, windows: WindowSettings, features: HashedNgrams) -> None:
    """Raise SettingError unless the tokenizer goes with the text column and with windows of it."""
    numbers = reading.text_encoding == token_ids.ENCODING
    if numbers and features.core_tokenizer != "ids":
        raise SettingError(
            f"text_encoding={token_ids.ENCODING!r}: token numbers go with tokenizer='ids', or with "
            f"the vocabulary that they are from, not with {features.tokenizer!r}"
        )
    if features.tokenizer == "ids" and not numbers:
        raise SettingError(
            f"tokenizer='ids': goes with columns of token numbers, text_encoding="
            f"{token_ids.ENCODING!r}"
        )
    if windows.chunk_tokens is not None and features.own_tokenizer is not None:
        raise SettingError(
            f"chunk_tokens: windows are cut by tokenizers of the core, not by "
            f"{features.own_tokenizer!r}; cut the texts before, or choose another tokenizer"
        )
    if windows.chunk_tokens is not None:
        refuse_ids("chunk_tokens", reading)


def refuse_ids(name: str, reading: ReadSettings) -> None:
    """Raise SettingError if the corpus holds token numbers, and an argument needs texts."""
    if reading.text_encoding == token_ids.ENCODING:
        raise SettingError(f"{name}: needs texts, not text_encoding={token_ids.ENCODING!r}")
