"""Text columns of bytes or of token numbers, in an encoding that the caller names."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import pyarrow as pa

from dsir.arguments.values import shown
from dsir.corpus import token_ids
from dsir.corpus.bad_text import snippet_of
from dsir.corpus.cast_columns import cast_column
from dsir.errors import SettingError

_UTF_8 = "utf-8"


def encoding_of(name: object) -> str:
    """Return the usual name of an encoding, such as "iso8859-1" for "latin-1".

    Raises:
        SettingError: it is no encoding of text that Python knows, nor "token-ids".
    """
    if isinstance(name, str) and name == token_ids.ENCODING:
        return token_ids.ENCODING
    try:
        assert isinstance(name, str)
        "a".encode(name)  # Refuses codecs that are not of text, such as base64.
        return codecs.lookup(name).name
    except (AssertionError, LookupError, ValueError):
        raise SettingError(
            f"text_encoding={shown(name)}: expected an encoding, such as 'utf-8', 'latin-1' or "
            "'utf-16', or 'token-ids' for lists of token numbers"
        ) from None


def text_type(data_type: pa.DataType, encoding: str) -> pa.DataType | None:
    """Return the type of texts that a column becomes; None if it holds no bytes or numbers."""
    if encoding == token_ids.ENCODING:
        return token_ids.PACKED if token_ids.is_list_of_ids(data_type) else None
    if pa.types.is_dictionary(data_type):
        values = text_type(data_type.value_type, encoding)
        if values is None or encoding != _UTF_8:
            return values
        return pa.dictionary(data_type.index_type, values, ordered=data_type.ordered)
    for kind, text in (
        (pa.binary(), pa.string()),
        (pa.large_binary(), pa.large_string()),
        (pa.binary_view(), pa.string_view()),
    ):
        if data_type == kind:
            return text if encoding == _UTF_8 else pa.large_string()
    if pa.types.is_fixed_size_binary(data_type):
        return pa.string() if encoding == _UTF_8 else pa.large_string()
    return None


def as_text(array: pa.Array, encoding: str) -> pa.Array:
    """Return an array of bytes as texts, or one of token numbers as `token_ids.PACKED`.

    UTF-8 is not copied and not checked: the core finds what is not UTF-8. In other encodings a text
    that cannot be decoded is null.
    """
    if encoding == token_ids.ENCODING:
        return token_ids.packed(array)
    if encoding == _UTF_8:
        return _viewed(array)
    return pa.array([decoded(value, encoding) for value in array.to_pylist()], pa.large_string())


def undecodable(array: pa.Array, text: pa.Array) -> Iterator[tuple[int, str]]:
    """Give the places of the texts that `as_text` could not decode, and how each begins.

    Args:
        array: the bytes or numbers.
        text: what `as_text` made of them.
    """
    if token_ids.holds_ids(text):
        yield from token_ids.unreadable(array, text)
        return
    if text.null_count == array.null_count:
        return
    for place, (value, there) in enumerate(
        zip(array.to_pylist(), text.is_valid().to_pylist(), strict=True)
    ):
        if value is not None and not there:
            yield place, snippet_of(value)


def _viewed(array: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(
            array.indices, _viewed(array.dictionary), ordered=array.type.ordered
        )
    if pa.types.is_fixed_size_binary(array.type):
        array = cast_column(array, pa.binary())
    return array.view(text_type(array.type, _UTF_8))


def decoded(value: bytes | None, encoding: str) -> str | None:
    """Return bytes as a text; None for None, and for what is not in this encoding."""
    if value is None:
        return None
    try:
        text = value.decode(encoding)
        text.encode()  # Some encodings give half a surrogate pair, which is no text.
    except (ValueError, LookupError):
        return None
    return text
