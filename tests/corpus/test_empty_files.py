"""A file that is empty, also once it is decompressed, is a shard without rows in every format."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pyarrow as pa
import pytest

import dsir
from dsir.corpus import resolve
from dsir.errors import EmptyCorpusError

NOTHING = {
    ".gz": gzip.compress(b""),
    ".bz2": bz2.compress(b""),
    ".zst": pa.compress(b"", "zstd", asbytes=True),
    ".lz4": pa.compress(b"", "lz4", asbytes=True),
}
KINDS = {
    "jsonl": '{"text": "the ship and the sea", "lang": "en"}\n' * 9,
    "csv": "text,lang\n" + "the ship and the sea,en\n" * 9,
    "tsv": "text\tlang\n" + "the ship and the sea\ten\n" * 9,
}


@pytest.mark.parametrize("compression", ["", *NOTHING])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_left_out_and_listed(tmp_path, kind, compression):
    empty = tmp_path / f"a.{kind}{compression}"
    empty.write_bytes(NOTHING.get(compression, b""))
    with pytest.raises(EmptyCorpusError, match=r"there is nothing to read: .*is empty \(0 bytes"):
        resolve(tmp_path)
    Path(tmp_path, f"b.{kind}").write_text(KINDS[kind])
    corpus = resolve(tmp_path)
    assert [shard.name for shard in corpus.shards] == [str(tmp_path / f"b.{kind}")]
    assert [one.path for one in corpus.left_out] == [str(empty)]
    found = dsir.select(
        tmp_path, ["ship"] * 30, n=2, min_tokens=1, max_per={"lang": 2}, progress=False
    )
    assert len(found.rows) == 2
    assert found.skipped == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [3, 8, 12])
def test_a_file_that_is_cut_off_is_not_empty(tmp_path, kind, cut):
    path = tmp_path / f"a.{kind}.gz"
    path.write_bytes(gzip.compress(KINDS[kind].encode())[:cut])
    Path(tmp_path, f"b.{kind}").write_text(KINDS[kind])
    assert len(resolve(tmp_path).shards) == 2
    with pytest.raises(dsir.ShardError, match=rf"a\.{kind}\.gz"):
        dsir.select(tmp_path, ["ship"] * 30, n=2, min_tokens=1, progress=False)
