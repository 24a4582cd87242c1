"""Counts and scores against an independent program with numba, at sizes too large for Python."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import dsir
from dsir import _core

pytest.importorskip("numba")

from benchmarks.numba_program import Program

# Older than every Unicode version that Python may have; some change their length in lower case.
LETTERS = "abcdefgxyzABZ019_éßİÀσΣжЖ東京あアक्षกำ한글𝔘"
SIGNS = ".,!?-'\"—…«»。、・()😀€"
SPACES = " \t\n\u3000\u00a0"


def documents(number: int, seed: int) -> list[str]:
    """Texts of 0 to 400 words, some of them long; words are separated or not."""
    draw = np.random.default_rng(seed)
    letters, signs, spaces = list(LETTERS), list(SIGNS), list(SPACES)
    words = ["".join(draw.choice(letters, size)) for size in draw.integers(1, 12, 800)]
    words += ["".join(draw.choice(letters, size)) for size in draw.integers(12, 90, 40)]
    words += ["".join(draw.choice(signs, size)) for size in draw.integers(1, 6, 60)]
    found = []
    for size in draw.integers(0, 400, number):
        pieces = draw.choice(np.array([*words, *spaces * 60]), size * 2)
        found.append("".join(pieces.tolist()))
    return found


@pytest.mark.parametrize(
    ("n", "buckets", "seed"), [(1, 10_000, 1), (2, 10_000, 2), (3, 1 << 20, 3), (8, 777, 4)]
)
def test_counts_and_scores_are_those_of_the_program(n, buckets, seed):
    texts = documents(1_000, seed)
    array = pa.array(texts, pa.large_string())
    features = dsir.HashedNgrams(n=n, buckets=buckets)
    worth = np.random.default_rng(seed).normal(size=buckets)
    counts, sums, tokens = Program(n, worth).run(texts)
    assert counts.sum() > 150_000

    found = np.zeros(buckets, dtype=np.int64)
    result = _core.count(array, features.spec, found, threads=2)
    assert (found == counts).all()
    assert list(result[:4]) == [len(texts), counts.sum(), np.count_nonzero(tokens), tokens.sum()]

    table = _core.LogRatioTable(worth[np.newaxis])
    log_weight, of_core, _, _ = _core.score(array, features.spec, table, _core.Weighing())
    assert (of_core == tokens).all()
    assert log_weight[0] == pytest.approx(sums, rel=1e-9, abs=1e-8)


def test_log_ratios_and_lengths_from_the_counts_of_the_program():
    raw, target = documents(600, 5), documents(100, 6)
    model = dsir.fit(
        dsir.texts(raw), dsir.texts(target), smoothing=0.5, length="mean", fit_tokens="all",
        progress=False,
    )  # fmt: skip
    program = Program(2, np.zeros(10_000))
    of_raw, of_target = program.run(raw)[0], program.run(target)[0] + 0.5
    log_ratio = np.log(of_target / of_target.sum() + 1e-8) - np.log(of_raw / of_raw.sum() + 1e-8)
    assert model.log_ratio == pytest.approx(log_ratio, rel=1e-12, abs=1e-12)
    _, sums, tokens = Program(2, log_ratio).run(raw)
    ngrams = np.maximum(2 * tokens - 1, 1)
    assert model.score(dsir.texts(raw)) == pytest.approx(sums / ngrams, rel=1e-9, abs=1e-9)
