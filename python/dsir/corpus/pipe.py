"""Input that can be read once, such as standard input: copied to a file when it is first used.

A selection reads its inputs several times (to fit, to score, to write), so what comes through a
pipe is copied to a temporary file before the work. Its first bytes say what it holds.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from dsir.corpus.bad_text import snippet_of
from dsir.corpus.decompressed import Decompressed, TextFile
from dsir.corpus.first_bytes import HEAD_BYTES, contents_of
from dsir.errors import ShardError

_COPY_BYTES = 1 << 20
_BINARY = {"Parquet": ".parquet", "an Arrow file": ".arrow", "an Arrow stream": ".arrow"}
_LINES = TextFile("JSON Lines", b"{")
_SEPARATORS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Copy:
    """What came through a pipe.

    Attributes:
        path: the file that it was copied to; the suffix is that of its format.
        digest: SHA-256 of its bytes, hexadecimal.
    """

    path: Path
    digest: str


@dataclass(slots=True)
class Pipe:
    """An input that can be read once.

    Attributes:
        name: what messages call it, such as "standard input".
        opened: opens it, and closes it if it is to be closed; called once.
        folder: where the copy goes; whoever made the pipe removes it.
    """

    name: str
    opened: Callable[[], AbstractContextManager[BinaryIO]]
    folder: Path
    _copy: Copy | None = field(default=None, init=False)

    def copy(self, text: str) -> Copy:
        """Read the pipe to its end, the first time, and return the copy.

        Args:
            text: a column that the input must have, which tells CSV from other text.

        Raises:
            ShardError: the input is neither JSON Lines, CSV, Parquet nor Arrow.
            OSError: it cannot be read, or the copy cannot be written.
        """
        if self._copy is None:
            digest = hashlib.sha256()
            path = self.folder / f"{len(list(self.folder.iterdir()))}"
            with self.opened() as source, path.open("xb") as file:
                while block := source.read(_COPY_BYTES):
                    digest.update(block)
                    file.write(block)
            named = path.with_suffix(self._suffix(path, text))
            path.rename(named)
            self._copy = Copy(named, digest.hexdigest())
        return self._copy

    def _suffix(self, path: Path, text: str) -> str:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        found = contents_of(head)
        if found is not None and found.title in _BINARY:
            return _BINARY[found.title]
        # Refuses what is no text, and says what to do.
        with Decompressed(str(path), self.name, _LINES, None) as file:
            beginning = memoryview(bytearray(HEAD_BYTES))
            plain = bytes(beginning[: file.readinto(beginning)]).removeprefix(b"\xef\xbb\xbf")
        if not plain.strip() or plain.lstrip()[:1] in (b"{", b"["):
            return ".jsonl"
        first = plain.decode("utf-8", "replace")
        for suffix, separator in _SEPARATORS.items():
            if text in next(csv.reader(io.StringIO(first), delimiter=separator), []):
                return suffix
        raise ShardError(
            f"{self.name}: is neither JSON Lines, Parquet, Arrow, nor CSV whose first line names "
            f"the column {text!r}; it begins with {snippet_of(plain[:80])!r}",
            path=self.name,
        )
