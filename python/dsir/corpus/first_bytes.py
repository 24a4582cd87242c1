"""Tells what a file holds by its first bytes, when its name says otherwise."""

from __future__ import annotations

import re
from typing import NamedTuple

import pyarrow as pa

from dsir.formats import Compression
from dsir.remote.reading import open_source

HEAD_BYTES = 512
_TAR_MAGIC = slice(257, 262)
_WEB_PAGE = re.compile(rb"\s*<(!doctype html|html|head)[\s>]", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml[\s]", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


class Contents(NamedTuple):
    """What a file holds.

    Attributes:
        title: in a few words, such as "Parquet".
        advice: what the user can do.
        compression: how the file is compressed, if dsir can decompress it.
    """

    title: str
    advice: str
    compression: Compression | None = None


# Files begin with these bytes. Those of letters have enough after them to tell them from texts.
_MAGIC: tuple[tuple[re.Pattern[bytes], Contents], ...] = tuple(
    (re.compile(pattern, re.DOTALL), Contents(*contents))
    for pattern, contents in (
        (rb"\x1f\x8b\x08", ("gzip", "decompress it, or let its name end in .gz", "gzip")),
        (
            rb"(\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)",
            ("zstd", "decompress it, or let its name end in .zst", "zstd"),
        ),
        (
            rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)",
            ("bz2", "decompress it, or let its name end in .bz2", "bz2"),
        ),
        (rb"\x04\x22\x4d\x18", ("lz4", "decompress it, or let its name end in .lz4", "lz4")),
        (rb"\xfd7zXZ\x00", ("xz", "decompress it, and compress it as gzip or zstd if at all")),
        (rb"PK\x03\x04", ("a zip archive", "unzip it")),
        (rb"7z\xbc\xaf\x27\x1c", ("a 7z archive", "unpack it")),
        (rb"PAR1[\x00-\x1f]", ("Parquet", "let its name end in .parquet")),
        (rb"PARE", ("encrypted Parquet", "decrypt it")),
        (rb"ARROW1\x00\x00", ("an Arrow file", "let its name end in .arrow")),
        (rb"FEA1[\x00-\x1f]", ("Feather version 1", "write it again as version 2")),
        (rb"\xff\xff\xff\xff..\x00\x00", ("an Arrow stream", "let its name end in .arrow")),
        (rb"ORC[\x00-\x1f\x80-\xff]", ("ORC", "write it as Parquet")),
        (rb"Obj\x01", ("Avro", "write it as Parquet")),
        (rb"SQLite format 3\x00", ("an SQLite database", "write its rows as Parquet")),
        (rb"%PDF-\d", ("a PDF document", "write its text as JSON Lines")),
        (
            rb"version https://git-lfs\.github\.com/",
            (
                "a Git LFS pointer",
                "fetch the file, e.g. with 'git lfs pull'",
            ),
        ),
        (
            rb"(\xff\xfe[^\x00]\x00|\xfe\xff\x00[^\x00])",
            ("text in UTF-16", "write it in UTF-8, e.g. with 'iconv -f UTF-16 -t UTF-8'"),
        ),
    )
)
_PAGE = Contents("a web page (HTML)", "the download failed or needs a login; download it again")
_ANSWER = Contents("XML, such as a store answers with an error", "download it again")
_TAR = Contents("a tar archive", "unpack it")
_LINES = Contents("JSON Lines or other JSON", "let its name end in .jsonl")


def contents_of(head: bytes) -> Contents | None:
    """Return what a file holds that begins with these bytes; None if they tell nothing.

    Args:
        head: the first `HEAD_BYTES` bytes of the file, or all of a shorter file.
    """
    for magic, contents in _MAGIC:
        if magic.match(head):
            return contents
    if _WEB_PAGE.match(head):
        return _PAGE
    if _XML.match(head):
        return _ANSWER
    if head[_TAR_MAGIC] == b"ustar":
        return _TAR
    return None


def _is_plain(head: bytes, begins: bytes) -> bool:
    """Tell whether first bytes are plain text in UTF-8 that begins so, after white space."""
    if not head or _CONTROL.search(head) or not head.lstrip().startswith(begins):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The last character may be cut.
        return len(head) == HEAD_BYTES and error.start > len(head) - 4
    return True


def head_of(file: pa.NativeFile) -> bytes:
    """Return the first bytes of an opened file, which is then at its beginning again."""
    head: bytes = file.read(HEAD_BYTES)
    file.seek(0)
    return head


def in_place_of(title: str, path: str) -> str:
    """Say what a file is that cannot be read as what its name says.

    Args:
        title: what the name says, such as "Parquet".
        path: the file, or its URL.

    Returns:
        E.g. "is gzip, not Parquet; decompress it"; empty if the first bytes do not tell.
    """
    try:
        with open_source(path) as file:
            head = head_of(file)
    except (OSError, pa.ArrowException):
        return ""
    found = contents_of(head)
    if found is None and head.lstrip()[:1] in (b"{", b"["):
        found = _LINES
    if found is None or found.title in (title, f"an {title} file", f"an {title} stream"):
        return ""
    return f"is {found.title}, not {title}; {found.advice}"


def is_compressed(path: str) -> bool:
    """Tell whether a file is compressed, by its first bytes.

    Raises:
        OSError: the file cannot be read.
    """
    with open_source(path, window=0) as file:
        found = contents_of(head_of(file))
    return found is not None and found.compression is not None


def compression_by(head: bytes, named: Compression | None, begins: bytes) -> Compression | None:
    """Return how a file is compressed, by its first bytes if they tell, else by its name.

    Args:
        head: the first bytes.
        named: how it is compressed by its name.
        begins: how its text begins if it is not compressed.
    """
    found = contents_of(head)
    if found is not None and found.compression is not None:
        return found.compression
    # Programs that download files often decompress them on the way and keep the name.
    return None if _is_plain(head, begins) else named
