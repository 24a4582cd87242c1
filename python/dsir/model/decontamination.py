"""Documents that share n-grams of tokens with given texts, such as those of benchmarks."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dsir import _core
from dsir.arguments.values import amount, is_utf8, name_of_column, shown
from dsir.corpus import Paths, resolve, token_ids
from dsir.corpus.bad_text import bad_text_error
from dsir.corpus.encoded_text import encoding_of
from dsir.corpus.text_column import column_given_by
from dsir.engine import Shared
from dsir.errors import SettingError, warn
from dsir.model.features import HashedNgrams
from dsir.plural import counted, none_of
from dsir.remote import Location

NGRAM = 13
HITS = 1
CONTAMINATED = "contaminated"
"""The account of documents that share n-grams with the texts."""

_ROW = HashedNgrams(n=1, buckets=_core.MIN_BUCKETS)
_MOST_COUNTED = 100


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file or table of texts.

    Attributes:
        name: its name.
        first: number of its first row among all texts.
    """

    name: str
    first: int


@dataclass(frozen=True, eq=False)
class Decontamination(Shared):
    """Texts, and how much a document may share with them.

    A document is contaminated if at least `hits` different n-grams of it, runs of `ngram` tokens,
    are in the texts. Tokens are those of the features that documents are scored with. The rule
    with n = 13 and one hit is that of GPT-3 (Brown et al. 2020, arXiv 2005.14165, appendix C).

    Attributes:
        texts: all texts, large_string[rows].
        files: where they are from, in their order.
        paths: absolute paths and URLs of the files; None if some texts were in memory.
        column: the text column.
        ngram: tokens of an n-gram, 1 to 1024.
        hits: different n-grams that make a document contaminated, 1 or more.
        digest: sixteen hexadecimal digits of the SHA-256 of the texts.
        encoding: the encoding of a text column of bytes; None if there is none.
    """

    texts: pa.Array
    files: Sequence[TextFile]
    paths: Sequence[str] | None
    column: str
    ngram: int
    hits: int
    digest: str
    encoding: str | None = None
    _indices: dict[str, _core.NgramIndex] = field(default_factory=dict, repr=False)
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(
        cls,
        source: object,
        *,
        column: str = "text",
        ngram: object = NGRAM,
        hits: object = HITS,
        encoding: str | None = None,
    ) -> Decontamination:
        """Read the texts.

        Args:
            source: paths, patterns, folders or texts, given like `raw` in `dsir.select`.
            column: the text column.
            ngram: tokens of an n-gram.
            hits: different n-grams that make a document contaminated.
            encoding: the encoding of a text column of bytes; None if these are no texts.

        Raises:
            SettingError: an argument is out of range.
            InputError: a text cannot be read.
        """
        ngram = amount("decontaminate_ngram", ngram, 1, _core.MAX_CONTAMINATION_ORDER)
        hits = amount("decontaminate_hits", hits, 1, _core.MOST_CONTAMINATION_HITS)
        name_of_column("decontaminate_text", column)
        if encoding == token_ids.ENCODING:
            raise SettingError(f"decontaminate: needs texts, not text_encoding={encoding!r}")
        with column_given_by("decontaminate_text"):
            corpus = resolve(source, text=column, name="decontaminate", encoding=encoding)
            files, texts, rows = [], [], 0
            paths: list[str] | None = []
            for shard in corpus.shards:
                files.append(TextFile(shard.name, rows))
                if shard.file is None:
                    paths = None
                elif paths is not None:
                    paths.append(str(_absolute(shard.file)))
                for batch in shard.text_batches(on_error="raise", threads=1):
                    counts = np.zeros(_ROW.buckets, dtype=np.int64)
                    invalid = _core.count(batch.text, _ROW.spec, counts)[4]
                    if len(invalid):
                        row = int(invalid[0])
                        raise bad_text_error(shard.name, batch.unit_row, batch.text, row)
                    texts.append(batch.text.cast(pa.large_string()))
                    rows += len(batch.text)
        if not rows:
            raise SettingError("decontaminate: there is no text to compare with")
        every = pa.concat_arrays(texts)
        return cls(every, tuple(files), paths, column, ngram, hits, _digest_of(every), encoding)

    @classmethod
    def from_json(cls, described: Mapping[str, Any], source: object = None) -> Decontamination:
        """Return what `describe` described, and read the texts again.

        Args:
            described: what `describe` returned, from anywhere.
            source: where the texts are now; None for the paths in `described`.

        Raises:
            SettingError: a value is out of range, the texts were in memory, or are others now.
            InputError: a text cannot be read.
        """
        known = {"paths", "rows", "text", "ngram", "hits", "digest"}
        if described.keys() - {"text_encoding"} != known:
            raise SettingError(f"decontaminate={shown(dict(described))}: expected what was used")
        if source is None:
            paths = described["paths"]
            if paths is None:
                raise SettingError(
                    "decontaminate: the texts were in memory; give them again as decontaminate=..."
                )
            if not isinstance(paths, list) or not all(map(_is_path, paths)):
                raise SettingError(f"decontaminate={shown(paths)}: expected paths")
            source = Paths(paths)
        encoding = described.get("text_encoding")
        found = cls.of(
            source,
            column=described["text"],
            ngram=described["ngram"],
            hits=described["hits"],
            encoding=None if encoding is None else encoding_of(encoding),
        )
        if found.digest != described["digest"]:
            raise SettingError(
                f"decontaminate={shown([file.name for file in found.files])}: these are not the "
                "texts that were used; give those again"
            )
        # Wherever the texts are now, the selection that is made again is the same.
        return replace(found, paths=described["paths"])

    def __eq__(self, other: object) -> bool:
        """Tell whether the same documents are contaminated, for the same named reasons."""
        return isinstance(other, Decontamination) and self.describe() == other.describe()

    __hash__ = None  # type: ignore[assignment]  # As for every class with an own __eq__.

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # Another process makes the index of its own: it is smaller as texts.
        given = (
            self.texts,
            self.files,
            self.paths,
            self.column,
            self.ngram,
            self.hits,
            self.digest,
            self.encoding,
        )
        return (Decontamination, given)

    def describe(self) -> dict[str, Any]:
        """Return what the outcome depends on besides the tokens, as JSON values."""
        return {
            "paths": None if self.paths is None else list(self.paths),
            "rows": len(self.texts),
            "text": self.column,
            "ngram": self.ngram,
            "hits": self.hits,
            "digest": self.digest,
            **({} if self.encoding is None else {"text_encoding": self.encoding}),
        }

    @property
    def most(self) -> int:
        """Up to how many shared n-grams are counted."""
        return max(_MOST_COUNTED, self.hits)

    def index(self, features: HashedNgrams) -> _core.NgramIndex:
        """Return the n-grams of the texts, by the tokens of features."""
        with self._lock:
            key = features.fingerprint
            if key not in self._indices:
                prepared = features.prepared(self.texts)
                self._indices[key] = _core.NgramIndex(prepared, features.spec, self.ngram)
            return self._indices[key]

    def check(self, features: HashedNgrams) -> None:
        """Warn of texts that are too short to be compared with; refuse texts that all are.

        Raises:
            SettingError: no text has an n-gram.
        """
        lengths = self.index(features).lengths()
        short = int(np.count_nonzero(lengths < self.ngram))
        if not short:
            return
        why = f"fewer than decontaminate_ngram={self.ngram} tokens"
        if short == len(lengths):
            raise SettingError(
                f"decontaminate: {none_of(short, 'text')} can be compared: each has "
                f"{why} (the longest: {int(lengths.max(initial=0))}); lower decontaminate_ngram"
            )
        warn(
            f"decontaminate: {short:,} of {counted(len(lengths), 'text')} have {why}, so no "
            "document is compared with them; a lower decontaminate_ngram reaches more of them"
        )

    def place_of(self, text: int) -> tuple[str, int]:
        """Return the file that a text is from, and its row there."""
        file = [one for one in self.files if one.first <= text][-1]
        return file.name, text - file.first


def _absolute(file: Location) -> Location:
    return file.absolute() if isinstance(file, Path) else file


def _is_path(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value and is_utf8(value)


def _digest_of(texts: pa.Array) -> str:
    """Return sixteen hexadecimal digits of texts: of their bytes and where each begins."""
    found = hashlib.sha256()
    for text in texts:
        data = text.as_buffer()
        found.update(b"-" if data is None else len(data).to_bytes(8, "little"))
        if data is not None:
            found.update(data)
    return found.hexdigest()[:16]
