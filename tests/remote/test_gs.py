"""gs://, against a server on loopback that answers as Google Cloud Storage's does."""

from __future__ import annotations

import json
import re
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote

import pytest

import dsir

SETTINGS = {"n": 40, "min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}


class Objects:
    """The objects of the bucket "corpus"."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}
        self.generation: dict[str, int] = {}
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []
        self.refuse = ""
        self.lock = threading.Lock()

    def put(self, name: str, data: bytes) -> None:
        with self.lock:
            self.data[name] = data
            self.generation[name] = max(self.generation.values(), default=0) + 1

    def files(self, folder: str) -> dict[str, bytes]:
        start = f"{folder}/"
        return {
            name[len(start) :]: data
            for name, data in sorted(self.data.items())
            if name.startswith(start) and not name.endswith(("/", "run.json"))
        }


class StorageHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, objects: Objects, *arguments) -> None:
        self.objects = objects
        super().__init__(*arguments)

    def log_message(self, *_) -> None:
        """Say nothing."""

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while length := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def do_GET(self) -> None:
        objects, body = self.objects, self.body()
        path, _, query = self.path.partition("?")
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        objects.asked.append(f"{self.command} {self.path} {self.headers.get('Range')}")
        if objects.refuse and objects.refuse in unquote(path):
            self.answer({"error": {"code": 403, "message": "Forbidden"}}, 403)
        elif match := re.fullmatch("/upload/storage/v1/b/corpus/o", path):
            self.upload(asked, body)
        elif match := re.fullmatch("(?:/download)?/storage/v1/b/corpus/o/(.+)", path):
            self.one(unquote(match[1]), asked)
        elif path == "/storage/v1/b/corpus/o":
            self.listing(asked)
        elif path == "/storage/v1/b/corpus":
            self.answer({"kind": "storage#bucket", "id": "corpus", "name": "corpus"})
        else:
            self.answer({"error": {"code": 404, "message": "Not Found"}}, 404)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def one(self, name: str, asked: dict[str, str]) -> None:
        objects = self.objects
        if name not in objects.data:
            self.answer({"error": {"code": 404, "message": "No such object"}}, 404)
        elif self.command == "DELETE":
            del objects.data[name]
            self.answer(b"", 204)
        elif asked.get("alt") == "media":
            data = objects.data[name]
            part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            if part is None:
                self.answer(data)
                return
            start, stop = int(part[1]), int(part[2]) + 1 if part[2] else len(data)
            stop = min(stop, len(data))
            span = f"bytes {start}-{stop - 1}/{len(data)}"
            self.answer(data[start:stop], 206, {"Content-Range": span})
        else:
            self.answer(self.described(name))

    def listing(self, asked: dict[str, str]) -> None:
        start, delimiter = asked.get("prefix", ""), asked.get("delimiter")
        items, folders = [], set()
        for name in sorted(self.objects.data):
            rest = name[len(start) :]
            if not name.startswith(start):
                continue
            if delimiter and delimiter in rest[:-1]:
                folders.add(start + rest.partition(delimiter)[0] + delimiter)
            else:
                items.append(self.described(name))
        self.answer({"kind": "storage#objects", "items": items, "prefixes": sorted(folders)})

    def upload(self, asked: dict[str, str], body: bytes) -> None:
        objects = self.objects
        kind = asked.get("uploadType")
        if self.command == "POST" and kind == "resumable":
            name = asked.get("name") or json.loads(body)["name"]
            token = str(len(objects.uploads))
            objects.uploads[token] = (name, b"")
            host = self.headers["Host"]
            where = f"http://{host}/upload/storage/v1/b/corpus/o?uploadType=resumable"
            self.answer(b"", 200, {"Location": f"{where}&upload_id={token}"})
        elif kind == "resumable":
            token = asked["upload_id"]
            name, data = objects.uploads[token]
            data += body
            objects.uploads[token] = (name, data)
            if self.headers.get("Content-Range", "").endswith("/*"):
                self.answer(b"", 308, {"Range": f"bytes=0-{len(data) - 1}"} if data else {})
            else:
                objects.put(name, data)
                self.answer(self.described(name))
        else:
            name = asked["name"]
            if kind == "multipart":
                boundary = b"--" + self.headers["Content-Type"].partition("boundary=")[2].encode()
                part = body.split(boundary.replace(b'"', b""))[2]
                body = part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
            objects.put(name, body)
            self.answer(self.described(name))

    def described(self, name: str) -> dict:
        generation = str(self.objects.generation[name])
        time = "2026-01-01T00:00:00.000Z"
        return {
            "kind": "storage#object",
            "id": f"corpus/{name}/{generation}",
            "name": name,
            "bucket": "corpus",
            "generation": generation,
            "metageneration": "1",
            "size": str(len(self.objects.data[name])),
            "etag": f"e{generation}",
            "timeCreated": time,
            "updated": time,
        }

    def answer(self, content, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def storage(serving, monkeypatch):
    """An empty bucket "corpus", and an environment in which it is found."""
    pytest.importorskip("pyarrow._gcsfs", reason="pyarrow has no Google Cloud Storage")
    objects = Objects()
    with serving(partial(StorageHandler, objects)) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{address}")
        yield objects


def test_as_on_this_machine(
    storage, parquet, jsonl, target, tmp_path, run_dsir, contents, comparable
):
    for path in [*parquet, *jsonl, target]:
        storage.put(f"{'t' if path == target else 'raw'}/{path.name}", path.read_bytes())
    local = sorted([*parquet, *jsonl], key=lambda path: path.name)
    dsir.select(local, target, out=tmp_path / "a", workdir=tmp_path / "w", **SETTINGS)
    place = ["-o", "gs://corpus/out", "--workdir", "gs://corpus/work"]
    words = ["-n", 40, "--min-tokens", 20, "--length", "mean", "--temperature", 0.3, "-q", *place]
    # In another process: pyarrow may hold this one's interpreter while it waits for the server.
    call = ["select", "gs://corpus/raw", "-t", f"gs://corpus/t/{target.name}", *words]
    for _ in range(2):
        done = run_dsir(*call)
        assert done.returncode == 0, done.stderr
        assert comparable(storage.files("out")) == comparable(contents(tmp_path / "a"))
        assert "work/lock" not in storage.data
    manifest = json.loads(storage.files("out")["_dsir/selection.json"])
    versions = [entry["version"] for entry in manifest["inputs"]["raw"]]
    assert versions == ["1767225600000000000"] * len(local)


def test_what_goes_wrong(storage, parquet, target, tmp_path, run_dsir, monkeypatch):
    monkeypatch.setenv("DSIR_REMOTE_ATTEMPTS", "1")
    storage.put("a.parquet", parquet[0].read_bytes())
    storage.refuse = "a.parquet"
    for raw, message in {
        "gs://corpus/no.parquet": "no.parquet: no such file",
        "gs://corpus/a.parquet": "access denied",
        "gs://nothing/a/": "there is no bucket nothing",
    }.items():
        done = run_dsir("select", raw, "-t", target, "-n", 1, "-o", tmp_path / "o", "-q")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert message in done.stderr
