"""Reads the paragraphs of the works of the demo corpus from the unpacked Debian packages."""

from __future__ import annotations

import gzip
import re
import struct
import subprocess
import zlib
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

# Bierce wrote in 1911. A demo need not repeat his entries with slurs or jibes at a people.
UNWANTED = re.compile(
    r"nigger|negro|african|squaw|indian|chinaman|chinese|hebrew|\bjew(s|ish)?\b|coolie|mongol"
    r"|mussulman|mohammedan",
    re.IGNORECASE,
)


def read_kjv(root: Path) -> tuple[list[str], list[str]]:
    """Read the verses of the King James Bible.

    The file has a header of offsets and a stream in the format of ``compress``, which gzip reads.

    Args:
        root: Where the packages are unpacked.

    Returns:
        The verses of the Old and of the New Testament, without their references.
    """
    data = (root / "usr/lib/bible.data").read_bytes()
    stream = data[data.index(b"\x1f\x9d") :]
    text = subprocess.run(["gzip", "-dc"], input=stream, capture_output=True, check=True).stdout
    old: list[str] = []
    new: list[str] = []
    verses = old
    for line in text.decode("ascii").splitlines():
        match = re.match(r"(\w+?)\d+:\d+ (.*)", line)
        if match is None:
            continue  # the title line
        if match[1] == "Mat":
            verses = new
        verses.append(match[2].strip())
    return old, new


def read_austen(root: Path) -> dict[str, list[str]]:
    """Read the novels of Jane Austen from an R data file.

    The file has one compressed object after the other; each is a vector of lines in R's XDR format.

    Args:
        root: Where the packages are unpacked.

    Returns:
        The paragraphs of each novel, by its title in capital letters.
    """
    data = (root / "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb").read_bytes()
    novels: dict[str, list[str]] = {}
    while data:
        inflate = zlib.decompressobj()
        blob = inflate.decompress(data[4:])  # the four bytes are the inflated length
        data = inflate.unused_data
        at = 18 + struct.unpack_from(">I", blob, 14)[0]  # past the name of the native encoding
        _, count = struct.unpack_from(">II", blob, at)
        at += 8
        lines = []
        for _ in range(count):
            _, length = struct.unpack_from(">Ii", blob, at)
            at += 8
            lines.append(blob[at : at + length].decode("utf-8"))
            at += length
        start = next(i for i, line in enumerate(lines) if re.match(r"(?i)chapter (1|i)\b", line))
        novels[lines[0].upper()] = [
            paragraph
            for paragraph in split_paragraphs(lines[start:])
            if not re.match(r"(?i)((volume|chapter) [ivxl\d]+$|finis$|the end$)", paragraph)
        ]
    return novels


class _Prose(HTMLParser):
    """Collects the paragraphs and list items of a page; code, tables and menus are left out."""

    _BLOCKS = frozenset({"p", "li", "dd", "dt", "ul", "ol", "dl", "div", "blockquote", "center"})
    _SKIPPED = frozenset(
        {"script", "style", "pre", "table", "svg", "blockquote", "h1", "h2", "h3", "h4", "dt"}
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[str] = []
        self._started = False
        self._skipping = 0
        self._keeping = False
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if ("class", "fancy_title") in attrs or tag == "h1":
            self._started = True
        if tag in self._BLOCKS or tag in self._SKIPPED:
            self._flush()
            self._keeping = tag in {"p", "li", "dd"}
        if tag in self._SKIPPED:
            self._skipping += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in self._BLOCKS or tag in self._SKIPPED:
            self._flush()
            self._keeping = False
        if tag in self._SKIPPED:
            self._skipping = max(0, self._skipping - 1)

    def handle_data(self, data: str) -> None:
        if self._started and self._keeping and not self._skipping:
            self._words.append(data)

    def _flush(self) -> None:
        text = " ".join("".join(self._words).split())
        self._words.clear()
        if text and not text.startswith("This page last modified"):
            self.paragraphs.append(text)


def read_sqlite(root: Path, pages: Iterable[str]) -> list[list[str]]:
    """Read pages of the SQLite documentation.

    Args:
        root: Where the packages are unpacked.
        pages: File names without ``.html``.

    Returns:
        The paragraphs of each page.
    """
    folder = root / "usr/share/doc/sqlite3"
    result = []
    for page in pages:
        parser = _Prose()
        parser.feed((folder / f"{page}.html").read_text("utf-8", errors="strict"))
        parser.close()
        result.append(parser.paragraphs)
    return result


def read_devil(root: Path) -> tuple[list[str], list[str]]:
    """Read the entries of The Devil's Dictionary.

    Args:
        root: Where the packages are unpacked.

    Returns:
        The entries from A to O and from P to Z.
    """
    packed = (root / "usr/share/dictd/devil.dict.dz").read_bytes()
    text = gzip.decompress(packed).decode("ascii")
    text = text[text.index("\nABASEMENT, n.") : text.rindex("\n abcdefghij")]
    head = re.compile(r"\n\n(?=[A-Z][A-Z' -]+(?:, |\.\s))")
    first: list[str] = []
    second: list[str] = []
    for entry in head.split(text):
        paragraphs = split_paragraphs(entry.splitlines())
        if paragraphs and UNWANTED.search(entry) is None:
            (first if paragraphs[0][0] < "P" else second).append("\n".join(paragraphs))
    return first, second


def split_paragraphs(lines: Iterable[str]) -> list[str]:
    """Join lines into paragraphs, which are separated by blank lines.

    Args:
        lines: The lines.

    Returns:
        The paragraphs, each on one line, with single spaces.
    """
    paragraphs: list[str] = []
    words: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            words += line.split()
        elif words:
            paragraphs.append(" ".join(words))
            words = []
    return paragraphs
