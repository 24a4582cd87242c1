"""FastTextModel: the probabilities of labels, from a supervised model file of fastText."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.arguments.values import whole_number
from dsir.corpus import resolve
from dsir.corpus.bad_text import bad_text_error
from dsir.errors import ModelError
from dsir.facts import Fact, Facts
from dsir.model import model_file
from dsir.model.label_model import LabelModel, label_number, labels_of
from dsir.remote import RemotePath, location_of
from dsir.storage.atomic import atomic_file

MAGIC = b"\xba\x16\x4f\x2f"
"""The first bytes of model files of fastText."""


class FastTextModel(Facts):
    """A supervised model of fastText, `.bin` or quantised `.ftz`: which label fits a text.

    Files of versions 11 and 12 of the format are read, with softmax, one-vs-all, negative sampling
    and hierarchical softmax, word n-grams, subwords, quantised matrices and pruned dictionaries.
    The library fastText is not needed. Nothing in a file is executed; a damaged file is an error.

    A supervised model is linear until its last step, so the scores of a feature can be computed
    before any text is seen: a text's scores are then the mean of a few numbers for each of its
    words and n-grams. Source: Joulin et al. 2017 (arXiv 1607.01759).

    Args:
        data: the content of a model file.
        name: what messages call the model.

    Raises:
        ModelError: it is not a supervised model of fastText, or is damaged.

    Example:
        >>> model = dsir.load_model("quality.bin")  # doctest: +SKIP
        >>> model.labels  # doctest: +SKIP
        ('__label__hq', '__label__cc')
        >>> model.score(["A film that nobody should miss."])  # doctest: +SKIP
        array([[0.8514, 0.1486]], dtype=float32)
    """

    def __init__(self, data: bytes, *, name: str = "the model") -> None:
        try:
            self._file = _core.FastTextFile(data)
            self._labels = labels_of(self._file.scorer)
        except ValueError as error:
            raise ModelError(
                f"{name}: cannot be used as a supervised model of fastText: {error}; get or train "
                "the file again"
            ) from error
        self._data = data
        self._name = name

    @classmethod
    def load(cls, path: str | Path | RemotePath) -> FastTextModel:
        """Read a model file.

        Raises:
            ModelError: the file is missing or damaged, or is not a supervised model of fastText.
        """
        return cls(model_file.bytes_of(location_of(path)), name=str(path))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, e.g. "__label__hq", in the order of the file and of `score`'s columns."""
        return self._labels

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of the file, which differ between files."""
        return hashlib.sha256(self._data).hexdigest()[:16]

    def score(
        self, source: object, *, text: str = "text", threads: int = 1
    ) -> npt.NDArray[np.float32]:
        """Compute the probability of every label for texts or for a corpus.

        The numbers are those that fastText's `predict(text, k=-1)` reports, within 0.00001.
        FastText adds 0.00001 to each probability before it takes a logarithm, so probabilities can
        add up to a little more than 1. A newline counts as a space, because a text is one line.

        Args:
            source: a list of str, an Arrow array or table, a path, or whatever else
                `dsir.select` takes.
            text: name of the text column, if the source has columns.
            threads: how many threads to use; the result does not depend on it.

        Returns:
            float32[texts, labels]. Zeros for null, and for a text without a word that the model
            knows, for which fastText predicts nothing.

        Raises:
            InputError: a text cannot be read, or is not UTF-8.
            SettingError: `threads` is out of range.
        """
        threads = whole_number("threads", threads, 1)
        found = [np.zeros((0, len(self._labels)), np.float32)]
        for shard in resolve(source, text=text, name="texts").shards:
            for batch in shard.text_batches(on_error="raise", threads=threads):
                probabilities, status = self.score_batch(batch.text, threads=threads)
                bad = np.flatnonzero(status >= _core.INVALID_UTF8)
                if len(bad):
                    raise bad_text_error(shard.name, batch.unit_row, batch.text, int(bad[0]))
                found.append(probabilities)
        return np.concatenate(found)

    def score_batch(
        self, texts: pa.Array, *, threads: int = 1
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
        """Compute probabilities as `score` does; a bad text gets a status and raises nothing.

        Args:
            texts: string, large_string, string_view, or a dictionary of one of these.
            threads: how many threads to use; the result does not depend on it.

        Returns:
            float32[texts, labels]; and uint8[texts]: 0 is text, 1 is null, `_core.INVALID_UTF8` and
            above is bad. What is no text has zeros.
        """
        return self._file.probabilities(texts, threads=threads)

    def for_label(self, label: str) -> LabelModel:
        """Return the model that weighs texts by the log-odds of a label, for `dsir.select`.

        Args:
            label: one of `labels`, with or without "__label__".

        Raises:
            SettingError: there is no such label, or no other.
        """
        label_number(self._labels, label)
        return LabelModel(self._file.scorer, label)

    def save(self, path: str | Path | RemotePath) -> None:
        """Write the model file, byte for byte as it was read.

        Raises:
            OSError: the file cannot be written.
        """
        with atomic_file(location_of(path), named=True) as file:
            file.write(self._data)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (FastTextModel, (self._data,))

    def _facts(self) -> Iterator[Fact]:
        """Give the name, and how many labels there are."""
        yield "name", self._name
        yield "labels", f"{len(self._labels):,}"

    def _more_facts(self) -> Iterator[Fact]:
        """Give the labels."""
        yield from ((f"label {number}", label) for number, label in enumerate(self._labels))
