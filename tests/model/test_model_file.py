"""Model files: what is read is what was written, and anything else is a ModelError."""

from __future__ import annotations

import hashlib
import json
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dsir

FEATURES = dsir.HashedNgrams(n=3, buckets=2, hash="fast")


@pytest.fixture
def model() -> dsir.ImportanceModel:
    return dsir.ImportanceModel(
        FEATURES, np.array([3, 4]), np.array([5, 1]), smoothing=0.25, length="mean"
    )


@pytest.fixture
def path(model, tmp_path) -> Path:
    model.save(tmp_path / "model.dsir")
    return tmp_path / "model.dsir"


def test_round_trip(model, path):
    loaded = dsir.ImportanceModel.load(path)
    assert loaded.features == model.features
    assert loaded.smoothing == 0.25
    assert loaded.length == "mean"
    assert loaded.fingerprint == model.fingerprint
    for name in ("raw_counts", "target_counts", "log_ratio"):
        assert getattr(loaded, name).tobytes() == getattr(model, name).tobytes()
        assert not getattr(loaded, name).flags.writeable
    loaded.save(str(path.with_name("again")))
    assert path.with_name("again").read_bytes() == path.read_bytes()


def test_a_fitted_model(small_world, tmp_path):
    model = dsir.fit(small_world.texts, small_world.target, progress=False)
    model.save(tmp_path / "model.dsir")
    loaded = dsir.ImportanceModel.load(str(tmp_path / "model.dsir"))
    texts = small_world.texts
    assert loaded.score(texts).tobytes() == model.score(texts).tobytes()


def test_every_byte_is_checked(path):
    data = path.read_bytes()
    assert len(data) < 500
    for position in range(len(data)):
        for mask in (1, 0x80, 0xFF):
            damaged = bytearray(data)
            damaged[position] ^= mask
            path.write_bytes(damaged)
            with pytest.raises(dsir.ModelError, match=r"model\.dsir"):
                dsir.ImportanceModel.load(path)


def test_every_length_is_checked(path):
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(dsir.ModelError, match=r"model\.dsir"):
            dsir.ImportanceModel.load(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(dsir.ModelError, match="damaged"):
        dsir.ImportanceModel.load(path)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_are_never_opened(tmp_path, protocol):
    marker = tmp_path / "executed"

    class Bomb:
        def __reduce__(self):
            return (Path.touch, (marker,))

    path = tmp_path / "model.dsir"
    path.write_bytes(pickle.dumps(Bomb(), protocol=protocol))
    with pytest.raises(dsir.ModelError, match=r"is a pickle, which dsir never opens"):
        dsir.ImportanceModel.load(path)
    assert not marker.exists()


def test_other_files(tmp_path):
    for content in (b"", b"PAR1", b"dsirmodl", b"{}", b"x" * 1000):
        path = tmp_path / "file"
        path.write_bytes(content)
        with pytest.raises(dsir.ModelError, match="is not a dsir model"):
            dsir.ImportanceModel.load(path)
    with pytest.raises(dsir.ModelError, match="cannot be read: No such file"):
        dsir.ImportanceModel.load(tmp_path / "gone")
    with pytest.raises(dsir.ModelError, match="cannot be read"):
        dsir.ImportanceModel.load(tmp_path)


def crafted(path: Path, header: Any, counts: list[int], version: int = 2, targets: int = 1) -> Path:
    """A file whose checksum is right, whatever is in it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    buckets = len(counts) // (1 + targets)
    body = struct.pack("<8sIIQQ", b"dsirmodl", version, len(text), buckets, targets)
    body += text + np.array(counts, "<i8").tobytes()
    path.write_bytes(body + hashlib.sha256(body).digest())
    return path


GOOD = {
    "features": FEATURES.describe(),
    "smoothing": 0.25,
    "length": "mean",
    "targets": "pooled",
    "target_names": [],
    "proportions": None,
    "raw_size": None,
    "target_sizes": None,
}
NAMED = {**GOOD, "targets": "separate", "target_names": ["a", "b"], "proportions": [1, 3]}


def test_a_crafted_file_that_is_right(tmp_path, path):
    assert dsir.ImportanceModel.load(crafted(tmp_path / "m", GOOD, [3, 4, 5, 1])).smoothing == 0.25
    header = json.dumps(GOOD, sort_keys=True).encode()
    assert crafted(tmp_path / "m", header, [3, 4, 5, 1]).read_bytes() == path.read_bytes()


def test_a_crafted_file_of_several_targets(tmp_path):
    path = crafted(tmp_path / "m", NAMED, [3, 4, 5, 1, 2, 2], targets=2)
    model = dsir.ImportanceModel.load(path)
    assert model.target_names == ("a", "b")
    assert model.target_counts.tolist() == [[5, 1], [2, 2]]
    assert model.proportions.tolist() == [0.25, 0.75]
    model.save(tmp_path / "again")
    again = dsir.ImportanceModel.load(tmp_path / "again")
    assert again.fingerprint == model.fingerprint
    for wrong in ([1], [1, 2, 3], [0, 0], [1, -1], ["x", "y"], 5):
        crafted(path, {**NAMED, "proportions": wrong}, [3, 4, 5, 1, 2, 2], targets=2)
        with pytest.raises(dsir.ModelError, match=r"m: the model's settings are not valid"):
            dsir.ImportanceModel.load(path)


@pytest.mark.parametrize(
    ("header", "counts"),
    [
        (b"no JSON", [3, 4, 5, 1]),
        (b"\xff", [3, 4, 5, 1]),
        (b"[" * 100_000, [3, 4, 5, 1]),
        ([], [3, 4, 5, 1]),
        (None, [3, 4, 5, 1]),
        ({}, [3, 4, 5, 1]),
        ({**GOOD, "features": None}, [3, 4, 5, 1]),
        ({**GOOD, "features": {}}, [3, 4, 5, 1]),
        ({**GOOD, "features": {**GOOD["features"], "n": "3"}}, [3, 4, 5, 1]),
        ({**GOOD, "features": {**GOOD["features"], "hash": ["fast"]}}, [3, 4, 5, 1]),
        ({**GOOD, "features": {**GOOD["features"], "buckets": 3}}, [3, 4, 5, 1]),
        ({**GOOD, "features": {**GOOD["features"], "buckets": 1 << 60}}, [3, 4, 5, 1]),
        ({**GOOD, "smoothing": None}, [3, 4, 5, 1]),
        ({**GOOD, "smoothing": -1}, [3, 4, 5, 1]),
        ({**GOOD, "smoothing": "1"}, [3, 4, 5, 1]),
        ({**GOOD, "length": "max"}, [3, 4, 5, 1]),
        ({**GOOD, "length": ["sum"]}, [3, 4, 5, 1]),
        ({**GOOD, "length": "poisson"}, [3, 4, 5, 1]),
        ({**GOOD, "targets": "separate"}, [3, 4, 5, 1]),
        ({**GOOD, "targets": 1}, [3, 4, 5, 1]),
        ({**GOOD, "target_names": ["a", "b"]}, [3, 4, 5, 1]),
        ({**GOOD, "target_names": 3}, [3, 4, 5, 1]),
        ({**GOOD, "proportions": [1.0]}, [3, 4, 5, 1]),
        ({**GOOD, "raw_size": [1]}, [3, 4, 5, 1]),
        ({**GOOD, "raw_size": [1, -1]}, [3, 4, 5, 1]),
        ({**GOOD, "target_sizes": [[1, 2], [3, 4]]}, [3, 4, 5, 1]),
        ({"features": GOOD["features"], "length": "sum"}, [3, 4, 5, 1]),
        (GOOD, [3, -4, 5, 1]),
        (GOOD, [0, 0, 5, 1]),
        (GOOD, [3, 4, 0, 0]),
        (GOOD, [3, 4, 5, 1, 6, 7]),
        (GOOD, []),
    ],
)
def test_crafted_files(tmp_path, header, counts):
    with pytest.raises(dsir.ModelError, match=r"model\.dsir|no n-grams|counts"):
        dsir.ImportanceModel.load(crafted(tmp_path / "model.dsir", header, counts))


def test_other_versions(tmp_path):
    path = crafted(tmp_path / "m", GOOD, [3, 4, 5, 1], version=1)
    with pytest.raises(dsir.ModelError, match="format 1; this version of dsir reads 2"):
        dsir.ImportanceModel.load(path)
    for name, value in (("unicode", "99.0.0"), ("hash_version", 99)):
        other = {**GOOD, "features": {**GOOD["features"], name: value}}
        with pytest.raises(dsir.ModelError, match="fit the model again"):
            dsir.ImportanceModel.load(crafted(tmp_path / "m", other, [3, 4, 5, 1]))


def test_a_failed_save_leaves_the_old_model(model, path, monkeypatch):
    import os

    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    other = dsir.ImportanceModel(FEATURES, np.array([1, 1]), np.array([1, 1]))
    with pytest.raises(OSError, match="No space left"):
        other.save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["model.dsir"]
