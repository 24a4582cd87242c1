"""Inverse document frequencies: how rare the terms of a corpus are."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.engine import thread_count
from dsir.errors import ModelError, SettingError
from dsir.lexrank.stopwords import Stopwords
from dsir.lexrank.terms import count_terms
from dsir.model.features import utf8_of
from dsir.remote import RemotePath, location_of
from dsir.storage.atomic import atomic_file

_MAGIC = b"dsir-idf"
_VERSION = 1
_PREFIX = struct.Struct("<8sIIQQ")  # magic, version, bytes of header, terms, bytes of terms
_CHECKSUM_BYTES = 32
_LARGEST_HEADER = 1 << 20


class Idf:
    """Inverse document frequencies: idf(w) = log(N / n_w).

    N is the number of documents with at least one term, n_w the number of documents that have the
    term w. A term that no document has gets log(N + 1). Fit on any corpus, which is read as a
    stream. Fits on the shares of a corpus add up with `merge` to a fit on the whole corpus. Source:
    docs/algorithms.md, section 10.

    Args:
        stopwords: terms to leave out: None, "en", or a list.
        punctuation: whether runs of punctuation are terms too.
    """

    def __init__(self, *, stopwords: Stopwords = None, punctuation: bool = False) -> None:
        self._stopwords = stopwords if stopwords is None else _frozen(stopwords)
        self._punctuation = bool(punctuation)
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
    def counter(self) -> _core.TermCounter:
        """The counts, in the core's form."""
        return self._counter

    def fit(self, documents: object, *, text: str = "text", threads: int | None = None) -> Idf:
        """Add the documents of a corpus, and return self.

        Args:
            documents: a list of str, a path, pattern or folder, an Arrow table, or anything else
                that `dsir.select` takes; read in batches.
            text: the text column, if there are columns.
            threads: how many threads to use; None for every core. The result does not depend on
                them.

        Raises:
            InputError: a document cannot be read, or is not UTF-8. Then no document is added.
        """
        added = count_terms(
            documents,
            text=text,
            name="documents",
            stopwords=self._stopwords,
            punctuation=self._punctuation,
            keep_rows=False,
            threads=thread_count(threads),
        )
        self._counter.merge(added)
        return self

    def merge(self, other: Idf) -> Idf:
        """Add the documents that another `Idf` was fitted on, and return self."""
        if not isinstance(other, Idf):
            raise SettingError(f"merge: expected an Idf, found {type(other).__name__}")
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
        terms, offsets, counts = self._counter.sorted_terms()
        header = json.dumps(
            {
                "documents": self.documents,
                "punctuation": self._punctuation,
                "stopwords": self._stopwords,
                "tokenizer": "wordpunct",
                "unicode": _core.UNICODE_VERSION,
            },
            sort_keys=True,
        ).encode("utf-8")
        prefix = _PREFIX.pack(_MAGIC, _VERSION, len(header), len(counts), len(terms))
        arrays = offsets.astype("<i8").tobytes() + counts.astype("<i8").tobytes()
        body = b"".join([prefix, header, arrays, terms])
        with atomic_file(location_of(path)) as file:
            file.write(body)
            file.write(hashlib.sha256(body).digest())

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
            loaded = cls(stopwords=header["stopwords"], punctuation=header["punctuation"])
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


def _integers(body: bytes, at: int, count: int) -> npt.NDArray[np.int64]:
    return np.frombuffer(body, dtype="<i8", count=count, offset=at).astype(np.int64)


def _frozen(stopwords: Stopwords) -> Stopwords:
    """Return "en", or the words as a sorted list, for the file."""
    return "en" if stopwords == "en" else sorted(set(stopwords or ()))
