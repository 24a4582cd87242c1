"""Top-k: the sets are the reference's; where rows tie at the cut, which rule decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dsir
from dsir import compat

TARGET = ["sea ship sail wave", "ship wind sail", "sea wind"] * 3
# Log-weights fall with the place in this list.
TEXTS = ["sea ship sail wind", "sea ship court judge", "court judge verdict appeal"]


def write(path: Path, texts: list[str]) -> Path:
    path.write_text(
        "".join(json.dumps({"id": row, "text": text}) + "\n" for row, text in enumerate(texts))
    )
    return path


def select(raw: Path, target: Path, n: int, folder: Path) -> list[int]:
    selection = dsir.select(
        raw,
        target,
        n=n,
        method="top-k",
        min_tokens=1,
        features=dsir.HashedNgrams(buckets=1000, hash="sha256"),
        out=folder,
        progress=False,
    )
    return selection.rows.tolist()


@pytest.fixture
def reference_rows(functions, tmp_path, capfd):
    """A function: the rows that the reference selects for every n, and its log-weights of all."""
    del functions
    from data_selection import HashedNgramDSIR
    from joblib import parallel_config

    def run(
        raw: Path, target: Path, sizes: list[int], kind: Any = HashedNgramDSIR, **arguments: int
    ) -> tuple[list[list[int]], np.ndarray]:
        folder = tmp_path / kind.__module__
        made = kind(
            [str(raw)],
            [str(target)],
            str(folder / "cache"),
            num_proc=1,
            min_example_length=1,
            **{"num_buckets": 1000, **arguments},
        )
        made.fit_importance_estimator()
        rows = []
        with parallel_config(backend="threading"):
            made.compute_importance_weights()
            for n in sizes:
                out = folder / f"out-{n}"
                made.resample(str(out), n, cache_dir=str(folder / f"work-{n}"), top_k=True)
                lines = (out / "0.jsonl").read_text().splitlines()
                rows.append([json.loads(line)["id"] for line in lines])
        return rows, np.load(made.log_importance_weights_dir / "0.npy")

    return run


@pytest.mark.parametrize("num_buckets", [1_000, 10_000, 50_000])
@pytest.mark.parametrize("ngrams", [1, 2, 3])
def test_the_same_sets(world, reference_rows, tmp_path, ngrams, num_buckets):
    """Where no two log-weights tie at the cut."""
    texts = [text for text in world.texts if text and len(text.split()) > 4][:150]
    raw = write(tmp_path / "raw.jsonl", texts)
    target = write(tmp_path / "target.jsonl", world.target)
    sizes = [1, 37, len(texts) - 1]
    expected, weights = reference_rows(raw, target, sizes, ngrams=ngrams, num_buckets=num_buckets)
    order = np.sort(weights)[::-1]
    for n, rows in zip(sizes, expected, strict=True):
        assert order[n - 1] - order[n] > 1e-9 * abs(order[n]), "a tie at the cut"
        found = dsir.select(
            raw,
            target,
            n=n,
            method="top-k",
            min_tokens=1,
            features=dsir.HashedNgrams(n=ngrams, buckets=num_buckets, hash="sha256"),
            progress=False,
        )
        assert found.rows.tolist() == rows
        np.testing.assert_allclose(found.log_weights, weights[found.rows], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n", [5, 9, 10, 14])
def test_ties_at_the_cut(reference_rows, tmp_path, n):
    """Rows 1, 4, 7, ... have one text and one log-weight, and the cut goes through them.

    Both take every row above the tie, none below, and as many of the tie as there is room for.
    Which ones: ours and dsir.compat the smaller rows; the reference whatever argpartition has left
    in front.
    """
    texts = [TEXTS[row % 3] for row in range(24)]
    order = np.random.default_rng(4).permutation(24)
    texts = [texts[i] for i in order]
    raw, target = write(tmp_path / "raw.jsonl", texts), write(tmp_path / "target.jsonl", TARGET)
    (theirs,), weights = reference_rows(raw, target, [n])
    ours = select(raw, target, n, tmp_path / "ours")
    cut = np.sort(weights)[::-1][n - 1]
    assert (weights == cut).sum() == 8
    above = np.flatnonzero(weights > cut).tolist()
    tied = np.flatnonzero(weights == cut).tolist()
    assert len(above) < n < len(above) + len(tied)
    assert set(above) <= set(theirs)
    assert set(theirs) <= set(above) | set(tied)
    # Named: what the two may differ by.
    assert set(ours) ^ set(theirs) <= set(tied)
    # The rule, of ours and of the reference.
    assert ours == sorted(above + tied[: n - len(above)])
    assert theirs == sorted(np.argpartition(-weights, n)[:n].tolist())
    (drop_in,), _ = reference_rows(raw, target, [n], kind=compat.HashedNgramDSIR)
    assert drop_in == ours


def test_equal_keys_in_any_layout(tmp_path):
    """The smaller row over all shards, whatever the shards and the threads."""
    target = write(tmp_path / "target.jsonl", TARGET)
    texts = [TEXTS[row % 3] for row in range(30)]
    whole = select(write(tmp_path / "raw.jsonl", texts), target, 13, tmp_path / "whole")
    assert whole == sorted([*range(0, 30, 3), 1, 4, 7])
    parts = [
        write(tmp_path / f"part-{begin:02}.jsonl", texts[begin : begin + 7])
        for begin in range(0, 30, 7)
    ]
    for threads in (1, 3):
        found = dsir.select(
            parts,
            target,
            n=13,
            method="top-k",
            min_tokens=1,
            features=dsir.HashedNgrams(buckets=1000, hash="sha256"),
            threads=threads,
            progress=False,
        )
        assert found.rows.tolist() == whole
