"""The corpus and the targets of the measurements of selections.

Targets are the files of FOLDER/targets, on which the constants of `coverage` were chosen, and
documents of six sources of raw, taken out of raw, on which they were not.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from dsir import _core
from dsir.comparison.held_out import is_held_out

SOURCES = ["dictionary_gcide", "html_rust", "linux_rst", "man_de", "shakespeare", "webtext"]
_DOCUMENTS_OF_A_SOURCE = 300
_OTHER_NAMES = {"movie_reviews": "imdb"}
_SCHEMA = pa.schema([("source", pa.large_string()), ("text", pa.large_string())])
HELD_OUT = 0.5
_TOKEN = re.compile(r"\w+|[^\w\s]+")


class Target(NamedTuple):
    """A target.

    Attributes:
        texts: its documents.
        tuned: whether the constants of `coverage` were chosen on it.
        source: the source of raw that is of its kind.
    """

    texts: pa.Array
    tuned: bool
    source: str


class World:
    """Raw without the documents of targets that were taken from it, and the targets.

    Args:
        data: the folder with `raw` and `targets`.
        seed: of the documents that are taken out.

    Attributes:
        everything: all documents, also those that were taken out; columns `source` and `text`.
        raw: those that were not taken out.
        kept: rows of `everything` that are in raw, ascending.
        targets: by name.
        seed: the seed.
    """

    def __init__(self, data: Path, seed: int) -> None:
        self.everything = documents_of(data)
        self.seed = seed
        self.sources = np.array(self.everything["source"].to_pylist())
        draw = np.random.default_rng(seed)
        kept = np.ones(len(self.sources), dtype=bool)
        self.targets: dict[str, Target] = {}
        for path in sorted((data / "targets").glob("*.parquet")):
            texts = _table_of([path])["text"].combine_chunks()
            self.targets[path.stem] = Target(texts, True, _OTHER_NAMES.get(path.stem, path.stem))
        for name in SOURCES:
            rows = np.flatnonzero(self.sources == name)
            most = min(_DOCUMENTS_OF_A_SOURCE, len(rows) // 3)
            rows = np.sort(draw.permutation(rows)[:most])
            texts = self.everything["text"].take(rows).combine_chunks()
            self.targets[name] = Target(texts, False, name)
            kept[rows] = False
        self.kept = np.flatnonzero(kept)
        self.raw = self.everything.filter(pa.array(kept))

    @functools.cached_property
    def tokenized(self) -> pa.Array:
        """The texts of `everything`, `tokenized`."""
        return pa.array(map(tokenized, self.everything["text"].to_pylist()), pa.large_string())

    def written(self, folder: Path) -> Path:
        """Write raw to files in a folder, and return the folder."""
        for number, first in enumerate(range(0, len(self.raw), 8000)):
            path = folder / f"part-{number:02d}.parquet"
            pq.write_table(self.raw[first : first + 8000], path, compression="zstd")
        return folder

    def halves(self, name: str) -> tuple[pa.Array, pa.Array]:
        """Return the documents of a target that methods are given, and those kept out.

        They are the same as in `dsir.compare` with this seed.
        """
        texts = self.targets[name].texts
        hashes = _core.content_hashes(texts)
        out = is_held_out(hashes, self.seed, HELD_OUT)
        return texts.filter(pa.array(~out)), texts.filter(pa.array(out))


def tokenized(text: str | None) -> str:
    """Return a text in lower case, with white space around its words and punctuation."""
    return " ".join(_TOKEN.findall((text or "").lower()))


def documents_of(data: Path) -> pa.Table:
    """Return all documents of raw, with their sources."""
    return _table_of(list((data / "raw").glob("*.parquet")))


def hashes_of(table: pa.Table) -> npt.NDArray[np.uint64]:
    """Return a hash of the text of each document."""
    return _core.content_hashes(table["text"].combine_chunks(), threads=1)


def _table_of(paths: list[Path]) -> pa.Table:
    tables = [pq.read_table(path, columns=["source", "text"]) for path in sorted(paths)]
    return pa.concat_tables(table.cast(_SCHEMA) for table in tables)
