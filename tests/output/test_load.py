"""load() gives back what select() returned."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import dsir

SETTINGS: dict[str, Any] = {"n": 40, "min_tokens": 20, "length": "mean", "progress": False}


def same(loaded: dsir.Selection, made: dsir.Selection) -> None:
    np.testing.assert_array_equal(loaded.rows, made.rows)
    np.testing.assert_array_equal(loaded.log_weights, made.log_weights)
    assert loaded.rows.dtype == made.rows.dtype
    assert (loaded.target is None) == (made.target is None)
    if made.target is not None and loaded.target is not None:
        assert loaded.target.dtype == made.target.dtype
        np.testing.assert_array_equal(loaded.target, made.target)
    assert json.loads(json.dumps(loaded.metrics)) == json.loads(json.dumps(made.metrics))
    assert loaded.paths == made.paths
    assert loaded.table is None
    assert loaded.skipped == made.skipped
    assert loaded.model.fingerprint == made.model.fingerprint


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("more", [{}, {"chunk_tokens": 20}, {"shard_size": "5kB"}])
def test_what_was_selected(kind, more, parquet, jsonl, target, tmp_path):
    raw = parquet if kind == "parquet" else jsonl
    made = dsir.select(raw, target, out=tmp_path / "out", **more, **SETTINGS)
    same(dsir.load(tmp_path / "out"), made)


def test_separate_targets(small_world, parquet, tmp_path):
    texts = {"b": dsir.texts(small_world.target), "a": dsir.texts(small_world.texts[:30])}
    made = dsir.select(parquet, texts, targets="separate", out=tmp_path / "out", **SETTINGS)
    same(dsir.load(tmp_path / "out"), made)


def test_what_was_skipped(jsonl, target, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(b'{"text": "half\n' + jsonl[0].read_bytes() + b"[1]\n")
    raw = [bad, *jsonl[1:]]
    made = dsir.select(raw, target, out=tmp_path / "out", on_error="skip", **SETTINGS)
    assert len(made.skipped) == 2
    same(dsir.load(tmp_path / "out"), made)


def test_files_that_do_not_go_together(parquet, target, tmp_path):
    with pytest.raises(dsir.OutputError, match="holds no selection"):
        dsir.load(tmp_path)
    out = tmp_path / "out"
    dsir.select(parquet, target, out=out, **SETTINGS)
    dsir.fit(parquet, target, smoothing=1, progress=False).save(out / "_dsir/model.dsir")
    with pytest.raises(dsir.OutputError, match=r"model\.dsir: is not the model of this selection"):
        dsir.load(out)


def test_the_last_line_says_how(parquet, target, tmp_path, invoke_dsir):
    out = tmp_path / "out"
    call = ["select", *parquet, "-t", target, "-n", 40, "--length", "mean", "-o", out]
    done = invoke_dsir(*call)
    said = done.stdout.splitlines()[-1].partition(";")[0].removeprefix("load it: ")
    assert len(eval(said)) == 40
