"""Why the core refused a text, in words, and the beginning of the text to show."""

from __future__ import annotations

import pyarrow as pa

from dsir.corpus.cast_columns import cast_column
from dsir.errors import RowError

_SNIPPET_BYTES = 200
_LARGEST_DOCUMENT = 1 << 31  # As in cpp/ngram/kernels.hpp.


def why_bad(text: pa.Array, position: int) -> str:
    """Say what is wrong with a text that the core has refused."""
    import pyarrow.compute as pc  # Here: long to import.

    one = text.slice(position, 1)
    if pa.types.is_dictionary(one.type):
        one = one.dictionary.slice(one.indices[0].as_py(), 1)
    # A view cannot be longer than 2 GiB, and pyarrow has no kernel for its length.
    is_view = pa.types.is_string_view(one.type)
    length = 0 if is_view else pc.binary_length(one)[0].as_py() or 0
    return (
        "the text is longer than 2 GiB" if length > _LARGEST_DOCUMENT else "the text is not UTF-8"
    )


def snippet_of(data: bytes) -> str:
    r"""Return at most the first 200 bytes of a bad text or line, as a string.

    Bytes that are not UTF-8 become escapes such as \xff. No character is cut in two.
    """
    cut = data[:_SNIPPET_BYTES]
    if len(data) > len(cut):
        end = len(cut)
        while end > len(cut) - 3 and data[end] & 0xC0 == 0x80:
            end -= 1
        # Four continuation bytes in a row are not UTF-8: there is no character to keep whole.
        cut = cut[:end] if data[end] & 0xC0 != 0x80 else cut
    return cut.decode("utf-8", "backslashreplace")


def snippet_at(text: pa.Array, position: int) -> str:
    """Return the beginning of one text of an array, which need not be UTF-8."""
    import pyarrow.compute as pc  # Here: long to import.

    one = text.slice(position, 1)
    if pa.types.is_dictionary(one.type) or pa.types.is_string_view(one.type):
        one = cast_column(one, pa.large_string())
    raw = one.view(pa.large_binary() if pa.types.is_large_string(one.type) else pa.binary())
    return snippet_of(pc.binary_slice(raw, 0, _SNIPPET_BYTES + 4)[0].as_py() or b"")


def bad_text_error(name: str, file_row: int, text: pa.Array, position: int) -> RowError:
    """Return the error for a text that the core has refused, for `on_error="raise"`.

    Args:
        name: what messages call the shard.
        file_row: the row in the file of the first text in the batch.
        text: the texts of the batch.
        position: where in the batch the refused text is.
    """
    row = file_row + position
    return RowError(
        f'{name}: row {row}: {why_bad(text, position)}; on_error="skip" passes over such rows',
        path=name,
        row=row,
    )
