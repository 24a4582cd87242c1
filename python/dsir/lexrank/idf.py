"""Inverse document frequencies: how rare the terms of a corpus are."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.engine import thread_count
from dsir.errors import ModelError, SettingError
from dsir.facts import Fact, Facts
from dsir.lexrank.cutting import Cutting
from dsir.lexrank.stopwords import Stopwords, stopwords_of
from dsir.lexrank.terms import count_terms
from dsir.model.features import utf8_of
from dsir.remote import RemotePath, location_of
from dsir.storage.atomic import atomic_file

_MAGIC = b"dsir-idf"
_VERSION = 1
_PREFIX = struct.Struct("<8sIIQQ")  # magic, version, bytes of header, terms, bytes of terms
_CHECKSUM_BYTES = 32
_LARGEST_HEADER = 1 << 20
_WORDS = "wordpunct"


class Idf(Facts):
    """Inverse document frequencies: idf(w) = log(N / n_w).

    N is the number of documents with at least one term, n_w the number of documents that have the
    term w. A term that no document has gets log(N + 1). Fit on any corpus, which is read as a
    stream. Fits on the shares of a corpus add up with `merge` to a fit on the whole corpus. Source:
    docs/algorithms.md, section 10.

    Args:
        stopwords: terms to leave out: None, the code of a language such as "en", or a list.
        punctuation: whether runs of punctuation are terms too.
        tokenizer: how documents are cut into terms, see `summarize`; None for words.
        stems: the code of a language whose stems are counted, see `summarize`.
        ngram: how many tokens in a row are a term, see `summarize`.

    Example:
        >>> idf = dsir.graph.Idf().fit(["ships sail", "ships sink"])
        >>> idf.documents, idf.terms
        (2, 3)
    """

    def __init__(
        self,
        *,
        stopwords: Stopwords = None,
        punctuation: bool = False,
        tokenizer: Any = None,
        stems: str | None = None,
        ngram: int = 1,
    ) -> None:
        self._stopwords = None if stopwords is None else _frozen(stopwords)
        self._punctuation = bool(punctuation)
        self._cutting = Cutting(tokenizer, stems, ngram, self._stopwords)
        if self._punctuation and not self._cutting.plain:
            raise SettingError(
                "punctuation=True: goes with words only; leave tokenizer, stems and ngram out"
            )
        self._counter = count_terms(
            (),
            text="text",
            name="documents",
            stopwords=self._stopwords,
            punctuation=self._punctuation,
            keep_rows=False,
            threads=1,
        )

    @property
    def documents(self) -> int:
        """How many documents with at least one term were fitted on."""
        return self._counter.documents

    @property
    def terms(self) -> int:
        """How many different terms they have."""
        return self._counter.size

    @property
    def stopwords(self) -> Literal["en"] | list[str] | None:
        """The stop words that were left out: None, "en", or a sorted list."""
        return self._stopwords

    @property
    def punctuation(self) -> bool:
        """Whether runs of punctuation are terms too."""
        return self._punctuation

    @property
    def cutting(self) -> Cutting:
        """How documents are cut into terms."""
        return self._cutting

    @property
    def counter(self) -> _core.TermCounter:
        """The counts, in the core's form."""
        return self._counter

    def fit(
        self,
        documents: object,
        *,
        text: str = "text",
        text_encoding: str | None = None,
        threads: int | None = None,
    ) -> Idf:
        """Add the documents of a corpus, and return self.

        Args:
            documents: a list of str, a path, pattern or folder, an Arrow table, or anything else
                that `dsir.select` takes; read in batches.
            text: the text column, if there are columns.
            text_encoding: the encoding of a text column of bytes, such as "utf-8"; None if such
                a column is an error.
            threads: how many threads to use; None for every core. The result does not depend on
                them.

        Raises:
            InputError: a document cannot be read, or is not UTF-8. Then no document is added.
        """
        added = count_terms(
            documents,
            text=text,
            text_encoding=text_encoding,
            name="documents",
            stopwords=self._stopwords,
            punctuation=self._punctuation,
            keep_rows=False,
            threads=thread_count(threads),
            cutting=self._cutting,
        )
        self._counter.merge(added)
        return self

    def merge(self, other: Idf) -> Idf:
        """Add the documents that another `Idf` was fitted on, and return self."""
        if not isinstance(other, Idf):
            raise SettingError(f"merge: expected an Idf, found {type(other).__name__}")
        if other._cutting != self._cutting:
            raise SettingError(
                "merge: the other idf has other terms; fit both with the same tokenizer, stems, "
                "ngram and stopwords"
            )
        self._counter.merge(other._counter)
        return self

    def __getitem__(self, term: str) -> float:
        """Return the idf of a term, written as the tokeniser gives it (lower case)."""
        found = self._counter.documents_with(utf8_of(term))
        return float(_core.idf(np.array([found], dtype=np.int64), self.documents)[0])

    def save(self, path: str | Path | RemotePath) -> None:
        """Write the counts to a file, atomically.

        The same documents give the same bytes, in any order.

        Raises:
            OSError: the file cannot be written.
        """
        with atomic_file(location_of(path), named=True) as file:
            file.write(self._to_bytes())

    def _to_bytes(self) -> bytes:
        """Return the content of the file that `save` writes."""
        terms, offsets, counts = self._counter.sorted_terms()
        header = json.dumps(
            {
                "documents": self.documents,
                "punctuation": self._punctuation,
                "stopwords": self._stopwords,
                "tokenizer": _WORDS,
                "unicode": _core.UNICODE_VERSION,
                **self._cutting.describe(),
            },
            sort_keys=True,
        ).encode("utf-8")
        prefix = _PREFIX.pack(_MAGIC, _VERSION, len(header), len(counts), len(terms))
        arrays = offsets.astype("<i8").tobytes() + counts.astype("<i8").tobytes()
        body = b"".join([prefix, header, arrays, terms])
        return body + hashlib.sha256(body).digest()

    def __reduce__(self) -> tuple[Callable[[bytes], Idf], tuple[bytes]]:
        # The counts of the core cannot be pickled; the bytes of the file can. Copies use this too.
        return _from_bytes, (self._to_bytes(),)

    def _facts(self) -> Iterator[Fact]:
        """Give the size, and how texts are cut into terms."""
        yield "documents", f"{self.documents:,}"
        yield "terms", f"{self.terms:,}"
        if self._stopwords is not None:
            yield "stop words", self._stopwords
        if self._punctuation:
            yield "punctuation", "counted"

    @classmethod
    def load(cls, path: str | Path | RemotePath) -> Idf:
        """Read a file that `save` wrote.

        Raises:
            ModelError: the file is missing, of another kind or version, or damaged.
        """
        try:
            data = location_of(path).read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
        return cls._read(data, str(path))

    @classmethod
    def _read(cls, data: bytes, path: str) -> Idf:
        """Read the content of a file that `save` wrote; `path` is its name in messages."""
        if len(data) < _PREFIX.size + _CHECKSUM_BYTES or not data.startswith(_MAGIC):
            raise ModelError(f"{path}: is not an idf file of dsir")
        _, version, header_bytes, terms, term_bytes = _PREFIX.unpack_from(data)
        if version != _VERSION:
            raise ModelError(
                f"{path}: has format version {version}; this dsir reads {_VERSION}; fit it again"
            )
        body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
        arrays_at = _PREFIX.size + header_bytes
        expected = arrays_at + 8 * (2 * terms + 1) + term_bytes
        if (
            header_bytes > _LARGEST_HEADER
            or len(body) != expected
            or hashlib.sha256(body).digest() != checksum
        ):
            raise ModelError(f"{path}: is damaged (its checksum does not match); fit it again")
        try:
            header = json.loads(body[_PREFIX.size : arrays_at])
            cut = {name: header[name] for name in ("stems", "ngram") if name in header}
            if header["tokenizer"] != _WORDS:
                cut["tokenizer"] = header["tokenizer"]
            loaded = cls(stopwords=header["stopwords"], punctuation=header["punctuation"], **cut)
            counts_at = arrays_at + 8 * (terms + 1)
            loaded._counter.add_terms(
                body[counts_at + 8 * terms :],
                _integers(body, arrays_at, terms + 1),
                _integers(body, counts_at, terms),
                header["documents"],
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelError(f"{path}: is damaged ({error}); fit it again") from error
        return loaded


def _from_bytes(data: bytes) -> Idf:
    return Idf._read(data, "Idf")


def _integers(body: bytes, at: int, count: int) -> npt.NDArray[np.int64]:
    return np.frombuffer(body, dtype="<i8", count=count, offset=at).astype(np.int64)


def _frozen(stopwords: str | Iterable[str]) -> Literal["en"] | list[str]:
    """Return "en", or the words as a sorted list, for the file."""
    words = stopwords_of(stopwords)
    return "en" if stopwords == "en" else words


def stopwords_beside(
    idf: Idf | None, stopwords: Stopwords, *, punctuation: bool = False
) -> Stopwords:
    """Return the stop words for texts that are weighed by an idf fitted elsewhere.

    A term that the idf left out would count as one that no document has, the rarest of all. So the
    stop words of the idf are left out of the texts too.

    Args:
        idf: the idf, or None.
        stopwords: the stop words asked for; None for those of the idf.
        punctuation: whether runs of punctuation are terms of the texts.

    Raises:
        SettingError: the idf left out terms that the texts are to keep.
    """
    if idf is None:
        return stopwords
    if punctuation and not idf.punctuation:
        raise SettingError(
            "punctuation=True: the idf was fitted without punctuation; fit it with "
            "Idf(punctuation=True)"
        )
    if stopwords is None:
        return idf.stopwords
    wanted = stopwords_of(stopwords)
    missing = sorted(set(stopwords_of(idf.stopwords)) - set(wanted))
    if missing:
        raise SettingError(
            f"stopwords: the idf was fitted without {missing[0]!r} and other stop words that are "
            "terms here; leave stopwords out to use those of the idf"
        )
    return wanted
