"""Translated messages of programs as documents, from the catalogues that gettext makes (.mo)."""

from __future__ import annotations

import struct
from pathlib import Path

_MAGIC = 0x950412DE
_LEAST_CHARACTERS = 1200


def messages_in(path: Path) -> list[str]:
    """Return the translations in a catalogue, in its order; plural forms one by one.

    Raises:
        ValueError: the file is not a catalogue of a little-endian machine.
    """
    content = path.read_bytes()
    if len(content) < 20 or struct.unpack_from("<I", content)[0] != _MAGIC:
        raise ValueError(f"{path}: is not a catalogue of gettext")
    count, _, translations = struct.unpack_from("<3I", content, 8)
    found = []
    for number in range(1, count):  # The first entry describes the catalogue.
        length, at = struct.unpack_from("<2I", content, translations + 8 * number)
        found += content[at : at + length].decode().split("\0")
    return found


def documents_of(folder: Path) -> dict[str, list[str]]:
    """Return the messages of all catalogues in FOLDER/LANGUAGE/LC_MESSAGES, some to a document.

    Args:
        folder: what has a folder for each language.

    Returns:
        The columns `source`, such as "th/sc", and `text`: messages of one catalogue that follow one
        another, one a line, 1,200 characters or a little more in all.
    """
    columns: dict[str, list[str]] = {"source": [], "text": []}
    for path in sorted(folder.glob("*/LC_MESSAGES/*.mo")):
        lines: list[str] = []
        for message in messages_in(path):
            lines.append(message)
            if sum(map(len, lines)) >= _LEAST_CHARACTERS:
                columns["source"].append(f"{path.parts[-3]}/{path.stem}")
                columns["text"].append("\n".join(lines))
                lines = []
    return columns
