"""What lies in a work directory is under checksums: changed, it is an error and never a result."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dsir
from dsir.run.status import run_status
from dsir.stages.write import _load
from dsir.storage.marker import Marker
from dsir.storage.sealed_json import path_within, read_sealed, write_sealed
from dsir.storage.workdir import Workdir
from dsir.storage.workdir_lock import holder_of, locked
from dsir.storage.workdir_manifest import read_manifest

INPUTS: dict[str, Any] = {"raw": [{"path": "/data/a.jsonl", "size": 3}]}


@pytest.fixture
def workdir(tmp_path) -> Workdir:
    return Workdir(tmp_path / "work", {"n": 3}, INPUTS)


@pytest.fixture
def place(workdir):
    place = workdir.place("raw-00000")
    with place.file(".npy") as file:
        np.save(file, np.arange(5))
    place.finish({"ngrams": 10, "name": "caf\u00e9 \udcff", "share": 0.1})
    return place


def flips(path: Path):
    """The file with every byte changed in turn, then as it was."""
    sound = path.read_bytes()
    for at in range(len(sound)):
        for mask in (1, 0x80):
            changed = bytearray(sound)
            changed[at] ^= mask
            path.write_bytes(changed)
            yield
    path.write_bytes(sound)


def test_every_byte_of_a_marker_counts(place):
    sound = place.finished()
    assert sound == {"ngrams": 10, "name": "caf\u00e9 \udcff", "share": 0.1}
    refused = 0
    for _ in flips(place.path(".json")):
        try:
            # Of another run (done again), or spaces that say nothing.
            assert place.finished() in (None, sound)
        except dsir.WorkdirError as error:
            assert str(place.path(".json")) in str(error)  # noqa: PT017
            refused += 1
    assert refused > 300
    assert place.finished() == sound


def test_every_byte_of_a_result_counts(place):
    for _ in flips(place.path(".npy")):
        with pytest.raises(dsir.WorkdirError, match=r"raw-00000\.npy: is damaged.*checksum"):
            place.finished()
    place.path(".npy").unlink()
    with pytest.raises(dsir.WorkdirError, match="it is missing"):
        place.finished()


def test_a_result_that_was_not_finished_with_the_marker(workdir):
    place = workdir.place(0)
    place.finish({"rows": 0})
    assert place.finished() == {"rows": 0}
    place.path(".arrow").write_bytes(b"x")
    with pytest.raises(dsir.WorkdirError, match="checksum"):
        place.finished()


def test_every_byte_of_a_manifest_counts(workdir):
    sound = read_manifest(workdir.path)
    refused = 0
    for _ in flips(workdir.path / "manifest.json"):
        try:
            assert read_manifest(workdir.path) == sound
        except dsir.WorkdirError as error:
            assert "manifest.json" in str(error)  # noqa: PT017
            refused += 1
        else:
            continue
        with pytest.raises(dsir.WorkdirError):
            run_status(workdir.path)
        with pytest.raises(dsir.WorkdirError):
            Workdir(workdir.path, {"n": 3}, INPUTS)
    assert refused > 200


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b"[]", b"3", b"", b"{}", b"\xff", b'{"checksum": 1}', b'{"a": NaN}'],
)
def test_other_content(place, workdir, content):
    for path in (place.path(".json"), workdir.path / "manifest.json"):
        path.write_bytes(content)
        with pytest.raises(ValueError):  # noqa: PT011 - each has a message of its own
            read_sealed(path)
    with pytest.raises(dsir.WorkdirError):
        place.finished()
    with pytest.raises(dsir.WorkdirError):
        run_status(workdir.path)


@pytest.mark.parametrize(
    "change",
    [
        {"settings": 3},
        {"inputs": []},
        {"inputs": {"raw": {"path": "a"}}},
        {"inputs": {"raw": [3]}},
        {"format": 1},
    ],
)
def test_a_crafted_manifest(workdir, change):
    """Its checksum is right, and its parts are not what they must be."""
    write_sealed(workdir.path / "manifest.json", {**workdir.manifest, **change})
    with pytest.raises(dsir.WorkdirError, match="cannot read this manifest"):
        read_manifest(workdir.path)


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/../../b", "..", "", ".", 3, None, "a\0b"]
)
def test_no_name_leads_out_of_its_folder(tmp_path, workdir, name):
    assert path_within(tmp_path, name) is None
    (tmp_path / "secret").write_bytes(b"x")
    place = workdir.place(0)

    class Task:
        folder = tmp_path / "out"

    files = {"files": Named({name: {"state": [1, 2], "rows": 1, "sha256": "0"}})}
    with pytest.raises(dsir.WorkdirError, match=r"00000\.json.*which is not an output"):
        _load(place, Marker(files, functools.partial(place.damaged, place.path(".json"))), Task)  # type: ignore[arg-type]


class Named(dict[Any, Any]):
    """Files by any name, which JSON would turn into a string."""


def test_names_within_a_folder(tmp_path):
    assert path_within(tmp_path, "part-00000.parquet") == tmp_path / "part-00000.parquet"
    assert path_within(tmp_path, "_weights/a") == tmp_path / "_weights" / "a"
    assert path_within(tmp_path, "..a/b..") == tmp_path / "..a" / "b.."


@pytest.mark.parametrize("content", [b"\xff\xa6", b"[" * 100_000, b"[]", b"{", b"x" * 1_000_000])
def test_any_lock_file(workdir, content):
    (workdir.path / "lock").write_bytes(content)
    assert holder_of(workdir.path) in (None, {})
    with (
        pytest.raises(dsir.WorkdirError, match=r"remove .*lock"),
        locked(workdir.path),
    ):
        pass


def test_the_checksum_is_that_of_the_content(tmp_path):
    path = tmp_path / "note.json"
    write_sealed(path, {"b": [1.5, None], "a": "\u6771"})
    content = json.loads(path.read_text(encoding="utf-8"))
    checksum = content.pop("checksum")
    assert content == read_sealed(path) == {"a": "\u6771", "b": [1.5, None]}
    text = '{"a": "\\u6771", "b": [1.5, null]}'
    assert checksum == hashlib.sha256(text.encode()).hexdigest()
