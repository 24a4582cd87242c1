"""hf://, against a server on loopback that answers as Hugging Face's does."""

from __future__ import annotations

import hashlib
import json
import re
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, unquote

import pytest

import dsir

_REPOSITORY = "/api/datasets/some/corpus"


class HubHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, folder: Path, asked: list[str], *arguments) -> None:
        self.folder, self.asked = folder, asked
        super().__init__(*arguments)

    def log_message(self, *_) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append(f"{self.command} {path} {self.headers.get('Range')}")
        if path in (_REPOSITORY, f"{_REPOSITORY}/revision/main"):
            self.answer({"id": "some/corpus", "sha": "0" * 40, "private": False, "siblings": []})
        elif match := re.fullmatch("/api/datasets/some/corpus/tree/main/?(.*)", path):
            deep = "recursive=true" in self.path.lower()
            folder = self.folder / match[1]
            found = sorted(folder.rglob("*") if deep else folder.glob("*"))
            self.answer([self.entry(one) for one in found], 200 if found else 404)
        elif path == "/api/datasets/some/corpus/paths-info/main":
            if "json" in self.headers.get("Content-Type", ""):
                names = json.loads(body)["paths"]
            else:
                names = parse_qs(body.decode())["paths"]
            places = [self.folder / name for name in names]
            self.answer([self.entry(place) for place in places if place.exists()])
        elif match := re.fullmatch("/datasets/some/corpus/resolve/main/(.*)", path):
            data = (self.folder / match[1]).read_bytes()
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
            part = data[int(asked[1]) : int(asked[2]) + 1] if asked else data
            self.answer(part, 206 if asked else 200)
        else:
            self.answer({"error": "Repository not found"}, 404)

    do_HEAD = do_POST = do_GET  # noqa: N815

    def entry(self, path: Path) -> dict:
        name = path.relative_to(self.folder).as_posix()
        if path.is_dir():
            return {"type": "directory", "path": name, "oid": "0" * 40}
        data = path.read_bytes()
        oid = hashlib.sha1(data).hexdigest()
        return {"type": "file", "path": name, "size": len(data), "oid": oid}

    def answer(self, content, status: int = 200) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def test_a_data_set_of_the_hub(
    parquet, jsonl, target, tmp_path, serving, monkeypatch, run_dsir, contents, comparable
):
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    folder = tmp_path / "hub" / "data"
    folder.mkdir(parents=True)
    for path in [*parquet, *jsonl]:
        (folder / path.name).write_bytes(path.read_bytes())
    asked: list[str] = []
    settings = {"n": 30, "min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}
    dsir.select(folder, target, out=tmp_path / "a", **settings)
    words = ["-n", 30, "--min-tokens", 20, "--length", "mean", "--temperature", 0.3, "-q"]
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DSIR_REMOTE_ATTEMPTS", "1")
    with serving(partial(HubHandler, tmp_path / "hub", asked)) as address:
        monkeypatch.setenv("HF_ENDPOINT", f"http://{address}")
        raw = "hf://datasets/some/corpus/data"
        done = run_dsir("select", raw, "-t", target, *words, "-o", tmp_path / "b")
        assert (done.returncode, done.stderr) == (0, ""), asked
        missing = run_dsir("fit", f"{raw}/no.parquet", "-t", target, "-o", tmp_path / "m")
        assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
        assert "no.parquet: no such file" in missing.stderr
        refused = run_dsir(
            "select", raw, "-t", target, *words, "-o", tmp_path / "c", "--workdir", f"{raw}/work"
        )
        assert refused.returncode == 1
        assert "a repository of Hugging Face cannot hold a work directory" in refused.stderr
    assert comparable(contents(tmp_path / "b")) == comparable(contents(tmp_path / "a"))
    ranges = [line for line in asked if "/resolve/" in line and line.startswith("GET")]
    assert ranges
    assert all("bytes=" in line for line in ranges)
    identity = json.loads((tmp_path / "b" / "_dsir/selection.json").read_bytes())["inputs"]["raw"][
        0
    ]
    data = (folder / Path(identity["path"]).name).read_bytes()
    assert identity["version"] == hashlib.sha1(data).hexdigest()


@pytest.fixture
def bucket(monkeypatch):
    """A store that behaves like hf://buckets/ of Hugging Face, in memory."""
    fsspec = pytest.importorskip("fsspec")
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.HfApi, "batch_bucket_files", None, raising=False)

    class Buckets(fsspec.get_filesystem_class("memory")):
        store, pseudo_dirs, cachable = {}, [""], False
        # As there: looks whether there is a file, and writes one.
        pipe_file = fsspec.AbstractFileSystem.pipe_file

    filesystem = Buckets()
    monkeypatch.setattr("dsir.remote.fsspec_store._filesystem", lambda _: filesystem)
    return filesystem


def test_a_bucket_holds_corpora_selections_and_work_directories(
    bucket, parquet, target, tmp_path, contents, comparable, invoke_dsir
):
    for path in parquet:
        bucket.pipe_file(f"buckets/me/raw/{path.name}", path.read_bytes())
    at = "hf://buckets/me"
    call = (f"{at}/raw", "-t", target, "--n", 9, "--min-tokens", 20, "--length", "mean", "-q")
    steps = [
        ("plan", *call, "-o", f"{at}/out", "--workdir", f"{at}/work"),
        ("work", f"{at}/work", "-q"),
        ("finish", f"{at}/work", "-q"),
    ]
    for step in steps:
        done = invoke_dsir(*step)
        assert done.returncode == 0, done.stderr
    alone = invoke_dsir("select", Path(parquet[0]).parent, *call[1:], "-o", tmp_path / "alone")
    assert alone.returncode == 0, alone.stderr
    found = {
        key.removeprefix("/buckets/me/out/"): bucket.cat_file(key)
        for key in bucket.find("/buckets/me/out")
        if not key.endswith("run.json")
    }
    assert comparable(found) == comparable(contents(tmp_path / "alone"))
    assert not [key for key in bucket.find("/buckets") if key.endswith("lock")]


def test_a_repository_holds_no_work_directory(bucket, parquet, target):
    with pytest.raises(dsir.WorkdirError, match="a repository of Hugging Face cannot hold"):
        dsir.select(parquet, target, n=9, workdir="hf://datasets/me/work", progress=False)


def test_buckets_need_a_client_that_knows_them(bucket, parquet, target, monkeypatch):
    import huggingface_hub

    monkeypatch.delattr(huggingface_hub.HfApi, "batch_bucket_files")
    with pytest.raises(dsir.SettingError, match=r"does not know buckets; pip install --upgrade"):
        dsir.select(parquet, target, n=9, workdir="hf://buckets/me/work", progress=False)


def test_where_a_store_looks_before_it_writes_nothing_is_created_in_one_step(bucket, tmp_path):
    from dsir.remote import RemotePath

    (tmp_path / "a").write_bytes(b"a")
    place = RemotePath("hf://buckets/me/a")
    assert place.store.create(tmp_path / "a", place.key) is None
    assert not place.is_file()
