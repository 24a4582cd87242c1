"""Near copies among the rows of a selection, and a few pairs of them to look at."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.corpus import TextBatch
from dsir.model.estimator import TextScores
from dsir.model.features import HashedNgrams
from dsir.model.resemblance import NearCopies, near_copies
from dsir.report.facts import MarkedText, NearPair, NearRows
from dsir.report.folder import input_names
from dsir.report.pieces import Piece
from dsir.report.samples import SelectedRow, rows_at, texts_of
from dsir.report.source import SelectionSource

TEXT_BYTES = 16 << 20
"""Bytes of text that are compared at most. Of more, every 2nd, 3rd, ... row is."""

_SHOWN_CHARACTERS = 600
_PIECE = re.compile(r"\s+|\w+|[^\w\s]+")


class NearRowFinder:
    """Collects the tokens of selected rows, and compares them.

    Args:
        features: whose tokens are compared.
        text_bytes: bytes of text that will be read.
        threads: how many threads to use; the result does not depend on it.
    """

    def __init__(self, features: HashedNgrams, text_bytes: int, *, threads: int) -> None:
        plain = replace(features, hash="fast", extractor=None)
        # So many buckets that hardly two tokens share one.
        self._spec = replace(plain, n=1, buckets=_core.MAX_BUCKETS).spec
        self._threads = threads
        self._step = max(1, -(-text_bytes // TEXT_BYTES))
        self._seen = 0
        self._lengths: list[npt.NDArray[np.int64]] = []
        self._tokens: list[npt.NDArray[np.uint32]] = []
        self._places: list[tuple[int, npt.NDArray[np.int64]]] = []

    def look(self, piece: Piece, batch: TextBatch, scored: TextScores) -> None:
        """Look at a batch of the selection; see `measure`."""
        rows = len(scored.tokens)
        chosen = np.arange(-self._seen % self._step, rows, self._step, dtype=np.int64)
        self._seen += rows
        offsets, tokens = _core.bucket_lists(
            scored.prepared, self._spec, chosen, threads=self._threads
        )
        self._lengths.append(np.diff(offsets))
        self._tokens.append(tokens)
        self._places.append((piece.source, piece.first_row + batch.unit_row + chosen))

    def found(self, selection: SelectionSource) -> NearRows:
        """Compare the rows, and return what the page shows of them.

        Args:
            selection: the selection, for the texts of a few pairs.

        Raises:
            InputError: a part cannot be read.
        """
        nothing = np.zeros(0, dtype=np.int64)
        lengths = np.concatenate([nothing, *self._lengths])
        tokens = np.concatenate([np.zeros(0, dtype=np.uint32), *self._tokens])
        self._tokens.clear()
        found = near_copies(np.concatenate([[0], np.cumsum(lengths)]), tokens)
        part = np.concatenate([nothing, *(np.full(len(at), of) for of, at in self._places)])
        row = np.concatenate([nothing, *(at for _, at in self._places)])
        shown = _shown(found)
        numbers = found.pairs[shown].ravel()
        places = list(zip(part[numbers].tolist(), row[numbers].tolist(), strict=True))
        rows = rows_at(selection, places)
        texts = texts_of(selection, list(rows.values()))
        names = input_names(selection.content)

        def where(one: SelectedRow) -> str:
            return f"{names[one.source]}, row {one.source_row:,}"

        pairs = []
        for number, pair in enumerate(shown):
            a, b = places[2 * number : 2 * number + 2]
            pairs.append(
                NearPair(
                    float(found.resemblance[pair]),
                    (where(rows[a]), where(rows[b])),
                    told_apart(texts[a], texts[b]),
                )
            )
        return NearRows(
            len(row),
            found.compared,
            int(np.count_nonzero(found.has_copy)),
            found.complete,
            tuple(pairs),
        )


def _shown(found: NearCopies) -> list[int]:
    """Return the numbers of three pairs: the most alike, the middle and the least alike."""
    order = np.lexsort((found.pairs[:, 1], found.pairs[:, 0], -found.resemblance)).tolist()
    places = sorted({0, len(order) // 2, len(order) - 1}) if order else []
    return [order[place] for place in places]


def told_apart(one: str, other: str) -> tuple[MarkedText, MarkedText]:
    """Return the beginnings of two texts, with what the other lacks marked."""
    left, right = (_PIECE.findall(text[:_SHOWN_CHARACTERS]) for text in (one, other))
    same_left, same_right = [False] * len(left), [False] * len(right)
    for a, b, size in difflib.SequenceMatcher(None, left, right, False).get_matching_blocks():
        same_left[a : a + size] = same_right[b : b + size] = [True] * size
    return _marked(one, left, same_left), _marked(other, right, same_right)


def _marked(text: str, pieces: Sequence[str], same: Sequence[bool]) -> MarkedText:
    marked = tuple((piece, 0.0 if both else -1.0) for piece, both in zip(pieces, same, strict=True))
    return MarkedText(marked, max(0, len(text) - _SHOWN_CHARACTERS))
