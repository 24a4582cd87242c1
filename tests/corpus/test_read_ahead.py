"""Reading ahead: the same items, the same errors, nothing left behind."""

from __future__ import annotations

import gzip
import json
import threading

import pytest

import dsir
from dsir.corpus import resolve
from dsir.corpus.read_ahead import read_ahead


def test_the_same_items_one_ahead():
    made = []

    def items():
        for number in range(5):
            made.append(number)
            yield number

    seen = []
    for item in read_ahead(items()):
        seen.append(item)
        assert len(made) <= len(seen) + 1
    assert seen == [0, 1, 2, 3, 4]


def test_an_error_comes_in_its_place():
    def items():
        yield 1
        yield None
        raise OSError("gone")

    found = read_ahead(items())
    assert [next(found), next(found)] == [1, None]
    with pytest.raises(OSError, match="gone"):
        next(found)


def test_whoever_stops_leaves_no_thread():
    before = threading.active_count()
    found = read_ahead(iter(range(100)))
    assert next(found) == 0
    assert threading.active_count() == before + 1
    found.close()
    assert threading.active_count() == before


def test_a_compressed_file_read_by_two_threads(tmp_path, monkeypatch):
    monkeypatch.setattr("dsir.corpus.line_blocks.BLOCK_BYTES", 2000)
    texts = [f"line {number} " * 9 for number in range(3000)]
    data = b"".join(json.dumps({"text": text}).encode() + b"\n" for text in texts)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(data))
    (shard,) = resolve([path]).shards
    for threads in (1, 2):
        batches = list(shard.text_batches(on_error="raise", threads=threads))
        assert len(batches) > 10
        assert [text for batch in batches for text in batch.text.to_pylist()] == texts
    path.write_bytes(gzip.compress(data)[:-40])
    (shard,) = resolve([path]).shards
    errors = []
    for threads in (1, 2):
        with pytest.raises(dsir.ShardError, match="breaks off after about") as caught:
            list(shard.text_batches(on_error="raise", threads=threads))
        errors.append(str(caught.value))
    assert errors[0] == errors[1]
