"""Files are read by what their first bytes say, or refused with what to do."""

from __future__ import annotations

import bz2
import gzip
import io
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as po
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir.corpus import resolve
from dsir.corpus.first_bytes import HEAD_BYTES, contents_of
from dsir.stages.units import CutTask, cut_shard

TEXTS = [f"the ship number {number} sails out to sea" for number in range(400)]
LINES = "".join(f'{{"text": "{text}"}}\n' for text in TEXTS).encode()
TABLE = pa.table({"text": TEXTS})


def compressed(data: bytes, codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def read(path: Path) -> list[str | None]:
    [shard] = resolve(path).shards
    return [
        text for batch in shard.text_batches(on_error="raise") for text in batch.text.to_pylist()
    ]


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst", ".bz2", ".lz4"])
@pytest.mark.parametrize("codec", ["gzip", "zstd", "bz2", "lz4", None])
def test_lines_are_decompressed_by_their_first_bytes(tmp_path, suffix, codec):
    data = LINES if codec is None else compressed(LINES, codec)
    path = written(tmp_path / f"a.jsonl{suffix}", data)
    assert read(path) == TEXTS
    [shard] = resolve(path).shards
    units = cut_shard(CutTask(shard, 1000), lambda _: None)
    assert [
        text
        for unit in units
        for batch in unit.text_batches(on_error="raise")
        for text in batch.text.to_pylist()
    ] == TEXTS
    assert (len(units) > 1) == (codec is None and not suffix)


@pytest.mark.parametrize("suffix", [".gz", ".bz2"])
@pytest.mark.parametrize("zeros", [1, 7, 512, 200_000])
def test_zeros_behind_the_end_are_padding(tmp_path, suffix, zeros):
    codec = {".gz": "gzip", ".bz2": "bz2"}[suffix]
    data = compressed(LINES, codec)
    assert read(written(tmp_path / f"a.jsonl{suffix}", data + bytes(zeros))) == TEXTS
    assert read(written(tmp_path / f"b.jsonl{suffix}", data + data + bytes(zeros))) == TEXTS * 2
    for wrong in (data[:-12] + bytes(zeros), data + b"words", data + bytes(zeros) + b"words"):
        with pytest.raises(dsir.InputError, match=r"c\.jsonl"):
            read(written(tmp_path / f"c.jsonl{suffix}", wrong))


@pytest.mark.parametrize("codec", ["gzip", "zstd", "bz2", "lz4"])
def test_members_are_read_one_after_the_other_and_may_be_empty(tmp_path, codec):
    empty = bz2.compress(b"") if codec == "bz2" else compressed(b"", codec)
    one = compressed(LINES, codec)
    suffix = {"gzip": "gz", "zstd": "zst"}.get(codec, codec)
    for members in ([one, one], [empty, one], [one, empty], [one, empty, one], [one, empty, empty]):
        path = written(tmp_path / f"a.jsonl.{suffix}", b"".join(members))
        assert read(path) == TEXTS * members.count(one)


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
def test_zstd_with_a_long_window(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl.zst"
    command = ["zstd", "-q", "--long=31", "-c"]  # From a pipe, whose length zstd does not know.
    data = subprocess.run(command, input=LINES, stdout=subprocess.PIPE, check=True).stdout
    written(path, compressed(LINES, "zstd") + data)
    with monkeypatch.context() as patched:
        patched.setitem(__import__("sys").modules, "zstandard", None)
        with pytest.raises(dsir.ShardError, match=r"--long=31.*pip install zstandard.*zstd -d"):
            read(path)
    pytest.importorskip("zstandard")
    assert read(path) == TEXTS * 2
    written(path, data[:-9])
    with pytest.raises(dsir.ShardError, match=r"a\.jsonl\.zst"):
        read(path)


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    pq.write_table(TABLE, sink)
    return sink.getvalue()


def arrow_bytes(make: Callable[..., pa.RecordBatchWriter]) -> bytes:
    sink = io.BytesIO()
    with make(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return sink.getvalue()


def orc_bytes() -> bytes:
    sink = io.BytesIO()
    po.write_table(TABLE, sink)
    return sink.getvalue()


def tar_bytes() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        found = tarfile.TarInfo("a.jsonl")
        found.size = len(LINES)
        archive.addfile(found, io.BytesIO(LINES))
    return sink.getvalue()


def zip_bytes() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a.jsonl", LINES)
    return sink.getvalue()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 147000000\n" % 0
OTHERS: dict[str, tuple[bytes, str]] = {
    "parquet": (parquet_bytes(), r"is Parquet, not .*\.parquet"),
    "arrow": (arrow_bytes(pa.ipc.new_file), r"is an Arrow file, not .*\.arrow"),
    "stream": (arrow_bytes(pa.ipc.new_stream), r"is an Arrow stream, not .*\.arrow"),
    "orc": (orc_bytes(), "is ORC, not .*write it as Parquet"),
    "pointer": (POINTER, r"is a Git LFS pointer.*git lfs pull"),
    "page": (b"<!DOCTYPE html>\n<html><body>Sign in", r"is a web page.*download it again"),
    "answer": (b'<?xml version="1.0"?><Error><Code>AccessDenied', r"is XML.*download it again"),
    "utf-16": ("﻿".encode("utf-16-le") + LINES.decode().encode("utf-16-le"), "iconv -f UTF-16"),
    "tar": (tar_bytes(), "is a tar archive.*unpack it"),
    "zip": (zip_bytes(), "is a zip archive.*unzip it"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_kind_of_file_is_named_with_what_to_do(tmp_path, name):
    data, message = OTHERS[name]
    own = {"parquet": ".parquet", "arrow": ".arrow", "stream": ".arrow"}.get(name)
    for suffix in (".jsonl", ".jsonl.gz", ".parquet", ".arrow"):
        path = written(tmp_path / f"a{suffix}", data)
        if suffix == own:
            assert read(path) == TEXTS
            continue
        with pytest.raises(dsir.ShardError, match=message) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: ")
    beside = written(tmp_path / "b.jsonl", LINES)
    found = dsir.select(
        [tmp_path / "a.jsonl", beside], TEXTS[:50], n=5, on_error="skip", progress=False,
        min_tokens=3, temperature=9.0,
    )  # fmt: skip
    assert [one.path for one in found.skipped] == [str(tmp_path / "a.jsonl")]


def test_what_is_compressed_is_looked_at_too(tmp_path):
    for data, what in ((parquet_bytes(), "Parquet"), (tar_bytes(), "a tar archive")):
        path = written(tmp_path / "a.jsonl.gz", gzip.compress(data))
        with pytest.raises(dsir.ShardError, match=f"holds {what}, not JSON Lines, compressed"):
            read(path)
    twice = written(tmp_path / "a.jsonl.gz", gzip.compress(compressed(LINES, "zstd")))
    with pytest.raises(dsir.ShardError, match="holds zstd once more"):
        read(twice)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=HEAD_BYTES))
def test_texts_are_no_other_kind_of_file(text):
    """A header of CSV may begin with "PK", "ORC" or "BZh9"."""
    for beginning in ("", "{", "PAR1", "ORC,", "BZh9,", "PK,", "ARROW1,", "Obj", "FEA1"):
        data = (beginning + text).encode()[:HEAD_BYTES]
        if not text.lower().lstrip().startswith(("<", "version https", "%pdf")):
            assert contents_of(data) is None or data[257:262] == b"ustar"


def test_a_file_of_no_bytes_is_a_shard_without_rows(tmp_path):
    raw = [
        written(tmp_path / "a.jsonl", LINES),
        written(tmp_path / "b.jsonl.gz", b""),
        written(tmp_path / "c.parquet", b""),
    ]
    settings = {"n": 5, "min_tokens": 3, "temperature": 9.0, "progress": False}
    out = tmp_path / "out"
    found = dsir.select(raw, TEXTS[:50], out=out, **settings)
    assert found.rows.tolist() == dsir.select(raw[0], TEXTS[:50], **settings).rows.tolist()
    assert found.skipped == []
    manifest = (out / "_dsir/run.json").read_text()
    assert manifest.count("is empty (0 bytes)") == 2
    assert dsir.verify(out, target=TEXTS[:50]).stands
    with pytest.raises(dsir.EmptyCorpusError, match=r"b\.jsonl\.gz is empty .* so are 1 more"):
        dsir.fit(raw[1:], TEXTS[:50], progress=False)
