"""A selection over a store is the local one, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.remote import RemotePath

SETTINGS = {"n": 40, "min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}


@pytest.fixture(scope="module")
def corpora(world, parquet, jsonl, tmp_path_factory):
    """The corpus in every format, a folder each."""
    folder = tmp_path_factory.mktemp("corpora")
    for name, paths in (("parquet", parquet), ("jsonl", jsonl)):
        (folder / name).mkdir()
        for path in paths:
            (folder / name / path.name).write_bytes(path.read_bytes())
    (folder / "arrow").mkdir()
    for number, path in enumerate(parquet):
        table = pq.read_table(path)
        with pa.ipc.new_file(str(folder / "arrow" / f"part-{number}.arrow"), table.schema) as file:
            file.write_table(table, max_chunksize=50)
    return folder


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "arrow"])
def test_in_a_store_as_on_this_machine(kind, corpora, target, s3, tmp_path, contents, comparable):
    local = dsir.select(corpora / kind, target, out=tmp_path / "out", **SETTINGS)
    raw, wanted = s3.put(corpora / kind, "raw"), s3.put(target, "target.jsonl")
    remote = dsir.select(raw, wanted, out=f"{s3.url}/out", shard_size="256MB", **SETTINGS)
    found = s3.files("out")
    assert comparable(found) == comparable(contents(tmp_path / "out"))
    assert [str(path) for path in remote.paths] == [
        f"{s3.url}/out/data/{path.name}" for path in local.paths
    ]
    assert remote.paths[0].read_bytes() == local.paths[0].read_bytes()
    identities = json.loads(found["_dsir/selection.json"])["inputs"]["raw"]
    assert all(
        set(entry) - {"footer"} == {"path", "size", "version", "rows"}
        and len(entry["version"]) == 32
        for entry in identities
    )


def test_through_a_work_directory(parquet, jsonl, target, s3, tmp_path, contents, comparable):
    local = [*parquet, *jsonl]
    remote = [s3.put(path, f"raw/{path.name}") for path in local]
    settings = {**SETTINGS, "fit_tokens": "all", "shard_size": "5KB"}
    dsir.select(local, target, out=tmp_path / "o", workdir=tmp_path / "w", **settings)
    place = {"out": f"{s3.url}/out", "workdir": f"{s3.url}/work/deep"}
    dsir.select(remote, s3.put(target, "t.jsonl"), **place, **settings)
    assert comparable(s3.files("out")) == comparable(contents(tmp_path / "o"))
    assert len(s3.keys("out/data/part-")) > 2
    # The same results lie in the work directory, but for markers and manifests, which name inputs.
    found = s3.files("work/deep").items()
    of_store = {k: v for k, v in found if not k.endswith((".json", ".begun"))}
    of_disk = contents(tmp_path / "w", without=("lock",))
    assert of_store == {k: v for k, v in of_disk.items() if not k.endswith(".json")}


def test_an_output_may_be_here_and_an_input_there(parquet, target, s3, tmp_path, contents):
    remote = s3.put(parquet[0], "a.parquet")
    here = dsir.select(remote, target, out=tmp_path / "one", **SETTINGS)
    there = dsir.select(parquet[0], target, out=f"{s3.url}/two", **SETTINGS)
    assert here.paths[0].read_bytes() == there.paths[0].read_bytes()


def test_without_an_output(parquet, target, s3):
    remote = [s3.put(path, path.name) for path in parquet]
    here = dsir.select(parquet, target, **SETTINGS)
    there = dsir.select(remote, target, **SETTINGS)
    assert there.table.equals(here.table, check_metadata=True)


@pytest.mark.filterwarnings("ignore:target.* is part of raw:dsir.DsirWarning")
def test_several_targets_and_windows(parquet, target, s3, tmp_path, contents, comparable):
    settings = {**SETTINGS, "targets": "separate", "chunk_tokens": 30, "filters": "min_words=5"}
    names = {"a": target, "b": parquet[0]}
    dsir.select(parquet, names, out=tmp_path / "out", **settings)
    remote = [s3.put(path, f"raw/{path.name}") for path in parquet]
    there = {"a": s3.put(target, "t.jsonl"), "b": remote[0]}
    dsir.select(remote, there, out=f"{s3.url}/out", **settings)
    assert comparable(s3.files("out")) == comparable(contents(tmp_path / "out"))


def test_overwriting(parquet, target, s3):
    out = f"{s3.url}/out"
    dsir.select(parquet, target, out=out, **{**SETTINGS, "shard_size": "10KB"})
    many = len(s3.keys("out/data/part-"))
    with pytest.raises(dsir.OutputError, match="is not empty"):
        dsir.select(parquet, target, out=out, **SETTINGS)
    dsir.select(parquet, target, out=out, overwrite=True, **SETTINGS)
    assert 0 < len(s3.keys("out/data/part-")) < many
    s3.write("out/theirs.txt", b"")
    with pytest.raises(dsir.OutputError, match=r"theirs\.txt"):
        dsir.select(parquet, target, out=out, overwrite=True, **SETTINGS)


def test_an_output_around_an_input_is_refused(parquet, target, s3):
    raw = s3.put(parquet[0], "a/data/part-00000.parquet")
    s3.write("a/_dsir/selection.json", b"{}")
    with pytest.raises(dsir.OutputError, match="contains the input"):
        dsir.select(raw, target, out=f"{s3.url}/a", overwrite=True, **SETTINGS)
    assert s3.keys("a/data/part") == ["a/data/part-00000.parquet"]


def test_models(parquet, target, s3, tmp_path):
    model = dsir.fit(parquet, target, progress=False)
    model.save(f"{s3.url}/m.dsir")
    model.save(tmp_path / "m.dsir")
    assert s3.read("m.dsir") == (tmp_path / "m.dsir").read_bytes()
    loaded = dsir.ImportanceModel.load(RemotePath(f"{s3.url}/m.dsir"))
    assert loaded.fingerprint == model.fingerprint
    with pytest.raises(dsir.ModelError, match=r"s3://.*/none.dsir: cannot be read: no such file"):
        dsir.ImportanceModel.load(f"{s3.url}/none.dsir")


def test_local_paths_as_urls(parquet, target, tmp_path, contents):
    dsir.select(parquet, target, out=tmp_path / "a", **SETTINGS)
    urls = [path.as_uri() for path in parquet]
    dsir.select(urls, target.as_uri(), out=(tmp_path / "b").as_uri(), **SETTINGS)
    assert contents(tmp_path / "b") == contents(tmp_path / "a")
    found = dsir.select(Path(parquet[0]).parent.as_uri(), target.as_uri(), **SETTINGS)
    assert len(found) == SETTINGS["n"]
    with pytest.raises(dsir.SettingError, match="another machine"):
        dsir.select("file://elsewhere/a.parquet", target, **SETTINGS)


def test_memory_of_fsspec(parquet, target, tmp_path, contents, comparable):
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    for path in parquet:
        memory.pipe_file(f"/corpus/{path.name}", path.read_bytes())
    dsir.select(parquet, target, out=tmp_path / "a", **SETTINGS)
    place = {"out": "memory://made/out", "workdir": "memory://made/work"}
    try:
        dsir.select("memory://corpus", target, **place, **SETTINGS)
        found = {
            key.removeprefix("/made/out/"): memory.cat_file(key)
            for key in memory.find("/made/out")
            if not key.endswith("run.json")
        }
        assert comparable(found) == comparable(contents(tmp_path / "a"))
        again = dsir.select("memory://corpus/*.parquet", target, **place, **SETTINGS)
        assert again.metrics["stages"]["fit"]["text_bytes"] > 0
    finally:
        memory.store.clear()
        memory.pseudo_dirs[:] = [""]
