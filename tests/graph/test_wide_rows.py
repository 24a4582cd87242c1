"""Wide rows are projected to their principal directions; `scaling`; no network."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import dsir
from dsir import _core
from dsir.errors import SettingError
from dsir.gais import wide_rows
from dsir.gais.labelled_table import labelled_table
from dsir.gais.wide_rows import one_scale, principal_columns
from dsir.graph import GAIS, KMeansPrototypes


def compressed(matrix):
    """Return the rows of a dense matrix as offsets, columns and values."""
    row_of, columns = np.nonzero(matrix)
    offsets = np.concatenate(([0], np.cumsum(np.bincount(row_of, minlength=len(matrix)))))
    return offsets.astype(np.int64), columns.astype(np.int64), matrix[row_of, columns]


def projected(matrix, seed=0, threads=1):
    return principal_columns(*compressed(matrix), seed=seed, threads=threads)


def low_rank(rows=300, width=700, rank=8, seed=0):
    random = np.random.default_rng(seed)
    parts = random.normal(size=(rows, rank)) * np.arange(rank, 0, -1)
    return parts @ random.normal(size=(rank, width))


def test_a_matrix_of_low_rank_keeps_its_distances():
    matrix = low_rank()
    found = projected(matrix)
    assert found.shape == (300, 100)
    exact = np.linalg.svd(matrix, compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0)[:8], exact[:8], rtol=1e-9)
    np.testing.assert_allclose(found @ found.T, matrix @ matrix.T, atol=1e-7 * exact[0] ** 2)
    assert np.abs(found[:, 8:]).max() < 1e-6 * exact[0]


def test_directions_are_those_of_an_exact_decomposition():
    random = np.random.default_rng(1)
    matrix = low_rank(seed=1) + random.normal(size=(300, 700))
    exact = np.linalg.svd(matrix, full_matrices=False)
    found = projected(matrix)
    # The large directions stand out and are found; all together miss little of what 100 could keep.
    alike = np.abs((found[:, :8] / np.linalg.norm(found[:, :8], axis=0)).T @ exact[0][:, :8])
    np.testing.assert_allclose(np.diag(alike), 1, atol=1e-3)
    assert (found**2).sum() > 0.95 * (exact[1][:100] ** 2).sum()


def test_sparse_products_are_products():
    random = np.random.default_rng(2)
    matrix = random.normal(size=(50, 30)) * (random.random((50, 30)) < 0.2)
    offsets, columns, values = compressed(matrix)
    dense = random.normal(size=(30, 7))
    for threads in (1, 3):
        found = _core.multiply_sparse(
            offsets, columns.astype(np.int32), values, dense, threads=threads
        )
        np.testing.assert_allclose(found, matrix @ dense, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rank": 0}, "rank"),
        ({"rank": 4}, "rank"),
        ({"iterations": -1}, "iterations"),
        ({"threads": 0}, "threads"),
        ({"indices": np.array([5], np.int32)}, "out of range"),
        ({"values": np.ones(2)}, "values"),
        ({"start": np.ones(3)}, "two-dimensional"),
    ],
)
def test_wrong_arguments_of_the_core(change, message):
    given = {
        "offsets": np.array([0, 1], np.int64),
        "indices": np.zeros(1, np.int32),
        "values": np.ones(1),
        "start": np.ones((3, 3)),
        "rank": 2,
        "iterations": 1,
        "threads": 1,
        **change,
    }
    first = [given.pop(name) for name in ("offsets", "indices", "values", "start")]
    with pytest.raises(ValueError, match=message):
        _core.principal_directions(*first, **given)


def test_threads_and_calls_change_no_bit():
    matrix = low_rank(rows=700) + np.random.default_rng(0).normal(size=(700, 700))
    first = projected(matrix).tobytes()
    assert projected(matrix, threads=3).tobytes() == first
    assert projected(matrix, seed=1).tobytes() != first


def test_every_kernel_makes_the_same_columns():
    code = (
        "import numpy as np\n"
        "from dsir.graph import GAIS\n"
        "r = np.random.default_rng(0)\n"
        "x = r.normal(size=(200, 600)); y = (x[:, 0] > 0).astype(int)\n"
        "g = GAIS(0.9, epochs=2, passes=2.0).fit(x, y)\n"
        "print(g.sample_indices_.tolist(), g.embeddings_.tobytes().hex()[:400])"
    )
    said = set()
    for level in ("scalar", "avx2", "avx512", "neon"):
        settings = {**os.environ, "DSIR_SIMD": level, "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=False
        )
        if "this CPU does not have it" not in done.stderr:
            assert done.returncode == 0, done.stderr
            said.add(done.stdout)
    assert len(said) == 1


def test_large_tables_are_projected_on_the_directions_of_a_sample(monkeypatch):
    monkeypatch.setattr(wide_rows, "SAMPLE_ROWS", 120)
    matrix = low_rank(rows=400)
    found = projected(matrix)
    np.testing.assert_allclose(found @ found.T, matrix @ matrix.T, atol=1e-6 * (matrix**2).sum())


def test_columns_of_a_single_row_say_nothing():
    matrix = np.zeros((20, 600))
    matrix[np.arange(20), np.arange(20)] = 100.0  # Each row has a column of its own.
    matrix[:, 50] = np.arange(20) % 2
    found = projected(matrix)
    assert found.shape == (20, 1)
    assert len(np.unique(np.round(found, 9))) == 2
    # If there are no others, they are all there is.
    assert projected(np.eye(30, 600)).shape == (30, 30)
    assert projected(np.zeros((5, 600))).tolist() == [[0.0]] * 5


def test_wide_tables_are_not_scaled_again():
    random = np.random.default_rng(0)
    x = random.normal(size=(250, 600))
    x[:, :300] += 3 * random.normal(size=(250, 1))
    y = np.arange(250) % 2
    rows = labelled_table(x, y).rows
    assert rows.shape == (250, 100)
    spread = rows.std(axis=0)
    assert spread[0] > 3 * spread[1] > 0  # The common direction stays the largest.
    assert np.square(rows).mean() == pytest.approx(1, rel=1e-4)
    for selector in (GAIS(0.9, epochs=1, passes=1.0), KMeansPrototypes(0.9)):
        kept = selector.fit(x, y).sample_indices_
        assert kept.tolist() == selector.fit(x, y).sample_indices_.tolist()
        assert len(kept) == 25


def test_texts_of_one_topic_are_near():
    words = {"sea": "wave salt ship gull tide", "hill": "rock goat path snow peak"}
    random = np.random.default_rng(0)
    labels = np.array(["sea", "hill"] * 60)
    texts = [" ".join(random.choice(words[one].split(), 6)) for one in labels]
    gais = GAIS(0.9, features=dsir.HashedNgrams(n=1, buckets=2000), epochs=20).fit(texts, labels)
    assert gais.trusted_.mean() > 0.95


def test_scaling_keeps_what_the_columns_say():
    x = np.random.default_rng(0).normal(size=(300, 2)) * [100, 1]
    y = (x[:, 1] > 0).astype(int)
    columns, whole = (labelled_table(x, y, scaling=one).rows for one in ("columns", "whole"))
    assert columns.std(axis=0).tolist() == pytest.approx([1, 1], abs=1e-5)
    assert whole.std(axis=0)[0] / whole.std(axis=0)[1] == pytest.approx(
        x.std(axis=0)[0] / x.std(axis=0)[1], rel=1e-4
    )
    assert one_scale(np.full((3, 2), 7.0)).tolist() == [[0, 0]] * 3
    kept = [GAIS(0.9, scaling=s, epochs=2).fit(x, y).sample_indices_ for s in ("columns", "whole")]
    assert kept[0].tolist() != kept[1].tolist()
    with pytest.raises(SettingError, match="scaling='rows'"):
        GAIS(scaling="rows").fit(x, y)


def test_without_the_network_neighbours_decide():
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 2))
    y = (x[:, 0] > 0).astype(int)
    wrong = random.random(400) < 0.1
    gais = GAIS(0.9, network=False, trials=False).fit(x, np.where(wrong, 1 - y, y))
    assert gais.history_ == []
    assert not hasattr(gais, "embeddings_")
    assert gais.trusted_[~wrong].mean() > 0.9
    assert gais.trusted_[wrong].mean() < 0.3
    assert len(gais.sample_indices_) == 40
    again = gais.set_params(network=True, epochs=2).fit(x, y)
    assert again.embeddings_.shape == (400, 32)
    assert not hasattr(again.set_params(network=False).fit(x, y), "scores_")
    x[7] = np.nan
    dropped = GAIS(0.9, network=False, missing="drop").fit(x, y)
    assert not dropped.trusted_[7]
    for select in ("top", "sample", "attention-coverage"):
        with pytest.raises(SettingError, match="chooses by the network, but network=False"):
            GAIS(select=select, network=False).fit(x, y)
