"""How GAIS cuts rows into parts."""

import numpy as np
import pytest

from dsir.gais import parts as parts_module
from dsir.gais.parts import split_rows


def parts_by_sorting(rows, labels, most, seed):
    """Cut one part after the other, and find the medians by sorting."""
    done, waiting = [], [np.arange(len(rows))]
    random = np.random.Generator(np.random.Philox(seed))
    while waiting:
        part = waiting.pop()
        if len(part) <= most:
            done.append(part.tolist())
            continue
        own = rows[part]

        def farthest(point, own=own):
            return own[int(np.argmax(np.einsum("ij,ij->i", own - point, own - point)))]

        first = farthest(own[int(random.integers(len(part)))])
        along = np.einsum("ij,j->i", own, farthest(first) - first)
        order = np.lexsort((along, labels[part]))
        low, spare = np.zeros(len(part), bool), 0
        for label in np.unique(labels):
            places = order[labels[part][order] == label]
            low[places[: (len(places) + spare) // 2]] = True
            spare = (len(places) + spare) % 2
        waiting += [part[~low], part[low]]
    return done


@pytest.mark.parametrize("seed", range(12))
def test_parts_are_those_of_sorting(seed, monkeypatch):
    monkeypatch.setattr(parts_module, "_BLOCK_ROWS", 64)
    random = np.random.default_rng(seed)
    size, width, classes = random.integers([1, 1, 1], [900, 60, 40])
    rows = random.normal(size=(size, width)).astype("f4")
    if seed % 3 == 0:
        rows = np.round(rows)  # Many rows are equal, or equally far along the line.
    if seed % 5 == 0:
        rows *= np.float32(1e20)  # Distances and products overflow.
    labels = np.sort(random.integers(0, classes, (2, size)), axis=0)[0].astype(np.int32)
    most = int(random.integers(2, 200))
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = parts_by_sorting(rows, labels, most, seed)
        for threads in (1, 2, 5):
            parts = split_rows(rows, labels, most, seed, threads=threads)
            assert [parts[number].tolist() for number in range(len(parts))] == wanted


def test_no_rows_are_one_part():
    parts = split_rows(np.zeros((0, 3), np.float32), np.zeros(0, np.int32), 4, 0)
    assert parts.members.tolist() == []
    assert parts.offsets.tolist() == [0, 0]
