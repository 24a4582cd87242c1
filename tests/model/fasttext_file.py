"""Small model files of fastText, written by the tests themselves, byte by byte."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAGIC = 793712314
LOSSES = {"hs": 1, "ns": 2, "softmax": 3, "ova": 4}
END = "</s>"


@dataclass(frozen=True)
class FastTextFile:
    """What a model file holds; the matrices are made of random numbers."""

    words: Sequence[str] = (END, "the", "ship", "and", "sea", "court", "of", "law", "über", "海")
    labels: Sequence[str] = ("__label__sea", "__label__law")
    counts: Sequence[int] = ()
    dim: int = 6
    loss: str = "softmax"
    word_ngrams: int = 2
    bucket: int = 40
    minn: int = 0
    maxn: int = 0
    kept: Sequence[tuple[int, int]] | None = None
    dsub: int = 0  # Above 0: the input matrix is quantised.
    norms: bool = False
    version: int = 12
    model: int = 3
    seed: int = 1
    spare_rows: int = 0

    @property
    def rows(self) -> int:
        """Rows of the input matrix."""
        hashed = self.bucket if self.word_ngrams > 1 or self.maxn > 0 else 0
        if self.kept is not None:
            hashed = max((row + 1 for _, row in self.kept), default=0)
        return len(self.words) + hashed + self.spare_rows

    def matrix(self, rows: int, seed: int) -> np.ndarray:
        """float32[rows, dim]."""
        draw = np.random.default_rng([self.seed, seed])
        return draw.normal(size=(rows, self.dim)).astype(np.float32)

    @property
    def output(self) -> np.ndarray:
        """The output matrix: float32[labels, dim]."""
        return self.matrix(len(self.labels), 1)

    def encode(self) -> bytes:
        """The bytes of the file."""
        counts = self.counts or [100 - i for i in range(len(self.labels))]
        kept = -1 if self.kept is None else len(self.kept)
        numbers = [self.dim, 5, 5, 1, 5, self.word_ngrams, LOSSES[self.loss], self.model]
        numbers += [self.bucket, self.minn, self.maxn, 100]
        parts = [struct.pack("<ii12id", MAGIC, self.version, *numbers, 1e-4)]
        sizes = len(self.words) + len(self.labels), len(self.words), len(self.labels)
        parts.append(struct.pack("<iiiqq", *sizes, 1000, kept))
        entries = [(word, 10, 0) for word in self.words]
        entries += [(label, n, 1) for label, n in zip(self.labels, counts, strict=True)]
        parts += [name.encode() + b"\0" + struct.pack("<qb", n, kind) for name, n, kind in entries]
        parts += [struct.pack("<ii", *pair) for pair in self.kept or ()]
        parts.append(bytes([self.dsub > 0]))
        if self.dsub > 0:
            parts.append(self._quantised())
        else:
            parts.append(struct.pack("<qq", self.rows, self.dim))
            parts.append(self.matrix(self.rows, 2).tobytes())
        parts.append(struct.pack("<bqq", 0, *self.output.shape) + self.output.tobytes())
        return b"".join(parts)

    def _quantised(self) -> bytes:
        draw = random.Random(self.seed)
        groups = -(-self.dim // self.dsub)
        last = self.dim - (groups - 1) * self.dsub
        codes = draw.randbytes(self.rows * groups)
        parts = [struct.pack("<bqqi", self.norms, self.rows, self.dim, len(codes)), codes]
        parts.append(struct.pack("<iiii", self.dim, groups, self.dsub, last))
        parts.append(self.matrix(256, 3).tobytes())
        if self.norms:
            parts.append(draw.randbytes(self.rows))
            parts.append(struct.pack("<iiii", 1, 1, 1, 1) + self.matrix(256, 4)[:, 0].tobytes())
        return b"".join(parts)


KINDS = {
    "softmax": FastTextFile(),
    "unigrams": FastTextFile(word_ngrams=1, bucket=0),
    "three labels": FastTextFile(labels=("__label__a", "__label__b", "__label__c")),
    "many labels": FastTextFile(labels=[f"__label__{i}" for i in range(20)], maxn=3, minn=1),
    "one-vs-all": FastTextFile(loss="ova", maxn=4, minn=2, word_ngrams=3),
    "negative sampling": FastTextFile(loss="ns"),
    "tree": FastTextFile(loss="hs", labels=[f"__label__{i}" for i in range(7)]),
    "small tree": FastTextFile(loss="hs", labels=("__label__a", "__label__b", "__label__c")),
    "subwords": FastTextFile(word_ngrams=1, minn=2, maxn=4),
    "quantised": FastTextFile(dsub=2, norms=True, maxn=3, minn=1),
    "quantised unevenly": FastTextFile(dsub=4, dim=7),
    "pruned": FastTextFile(dsub=2, kept=[(i, i // 3) for i in range(0, 40, 3)], maxn=3),
    "pruned to words": FastTextFile(dsub=2, kept=[], maxn=3),
    "one label": FastTextFile(labels=("__label__a",), loss="ova"),
}
"""A file of every kind, by a name."""
