"""An S3 server, a web server and a proxy that breaks connections, all on loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dsir.remote import RemotePath, arrow_store, lock, open_store, retries

_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "expect"}


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections are broken on purpose here."""


@contextlib.contextmanager
def serving_on_loopback(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on a free port of loopback during a block; gives the address."""
    server = QuietServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session")
def serving() -> Callable[..., contextlib.AbstractContextManager[str]]:
    """A function: serve on a free port of loopback during a block."""
    return serving_on_loopback


@dataclass
class Asked:
    """A request that came to the proxy."""

    method: str
    path: str
    range: str | None

    @property
    def key(self) -> str:
        return self.path.partition("?")[0].lstrip("/")


@dataclass
class Proxy:
    """Passes requests on to a server, or does to them what `fault` says.

    Attributes:
        fault: given a request, says "reset", "503", "403", "truncate", "slow", or None.
        asked: every request, in order.
    """

    address: str = ""
    upstream: str = ""
    fault: Callable[[Asked], str | None] = lambda asked: None
    asked: list[Asked] = field(default_factory=list)
    sent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def first(self, times: int, kind: str, wanted: Callable[[Asked], bool]) -> None:
        """Do it to the first so many requests of every key that are wanted."""
        counts: dict[tuple[str, str], int] = {}

        def fault(asked: Asked) -> str | None:
            if not wanted(asked):
                return None
            with self.lock:
                at = counts.setdefault((asked.method, asked.key), 0)
                counts[asked.method, asked.key] += 1
            return kind if at < times else None

        self.fault = fault


class ProxyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else every answer waits for the client to acknowledge its header: 40 ms.
    disable_nagle_algorithm = True

    def __init__(self, proxy: Proxy, *arguments: Any) -> None:
        self.proxy = proxy
        super().__init__(*arguments)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        proxy = self.proxy
        asked = Asked(self.command, self.path, self.headers.get("Range"))
        with proxy.lock:
            proxy.asked.append(asked)
        body = self._body()
        fault = proxy.fault(asked)
        if fault == "reset":
            self._reset()
            return
        if fault in ("503", "403", "500"):
            self.send_response(int(fault))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if fault == "wait":
            time.sleep(0.03)
        connection = http.client.HTTPConnection(proxy.upstream, timeout=120)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            data = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP | {"content-length", "server", "date"}:
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else len(data)
            self.send_header("Content-Length", str(length or 0))
            self.end_headers()
        finally:
            connection.close()
        with proxy.lock:
            proxy.sent += len(data)
        if fault == "truncate":
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self._reset()
        elif fault == "slow":
            step = max(1, len(data) // 5)
            for start in range(0, len(data), step):
                self.wfile.write(data[start : start + step])
                self.wfile.flush()
                time.sleep(0.01)
        else:
            self.wfile.write(data)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while length := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


@pytest.fixture(scope="session")
def moto_address() -> Iterator[str]:
    """The address of moto's S3 server."""
    pytest.importorskip("flask", reason="moto's server is not installed")
    server = pytest.importorskip("moto.server", reason="moto's server is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    serving = pytest.importorskip("werkzeug.serving")
    serving.WSGIRequestHandler.disable_nagle_algorithm = True
    moto = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"{host}:{port}"
    moto.stop()


@dataclass
class Bucket:
    """An empty bucket of the S3 server."""

    url: str
    address: str

    def __truediv__(self, name: str) -> RemotePath:
        return RemotePath(f"{self.url}/{name}")

    @property
    def name(self) -> str:
        return self.url.partition("://")[2]

    def put(self, path: Path, name: str) -> str:
        """Put a file, or the files of a folder, into the bucket."""
        if path.is_dir():
            for inside in sorted(path.rglob("*")):
                if inside.is_file():
                    self.put(inside, f"{name}/{inside.relative_to(path).as_posix()}")
        else:
            self.write(name, path.read_bytes())
        return f"{self.url}/{name}"

    def write(self, name: str, data: bytes) -> None:
        """Put bytes into the bucket."""
        assert self.ask("PUT", name, data)[0] == 200

    def keys(self, below: str = "") -> list[str]:
        """All keys, straight from the server."""
        _, body = self.ask("GET", f"?list-type=2&prefix={below}")
        return sorted(re.findall(r"<Key>([^<]*)</Key>", body.decode()))

    def read(self, key: str) -> bytes:
        """An object, straight from the server."""
        status, body = self.ask("GET", key)
        assert status == 200, key
        return body

    def files(self, folder: str) -> dict[str, bytes]:
        """What is in a folder, without run.json, as `contents` gives it of a local one."""
        start = f"{folder}/"
        return {
            key[len(start) :]: self.read(key)
            for key in self.keys(start)
            if not key.endswith(("/", "run.json"))
        }

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.address, timeout=120)
        try:
            slash = "" if path.startswith("?") else "/"
            # Without it the server takes the request for one of the public.
            headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/d/us-east-1/s3/aws4"}
            connection.request(method, f"/{self.name}{slash}{path}", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores opened anew, and little time lost between attempts."""
    monkeypatch.setattr(arrow_store, "CLIENT_ATTEMPTS", 1)
    monkeypatch.setattr(open_store, "_OPEN", {})
    monkeypatch.setattr(retries, "POLICY", retries.RetryPolicy(6, 0.01, 0.05))
    monkeypatch.setattr(lock, "SETTLE_SECONDS", 0.05)


@pytest.fixture
def s3(moto_address: str, monkeypatch: pytest.MonkeyPatch, request: Any) -> Bucket:
    """An empty bucket, and an environment in which it is found."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{moto_address}")
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-") + "-bucket"
    bucket = Bucket(f"s3://{name}", moto_address)
    assert bucket.ask("PUT", "")[0] == 200
    return bucket


@pytest.fixture
def proxy(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy before the S3 server, which dsir is sent to."""
    proxy = Proxy(upstream=s3.address)
    with serving_on_loopback(partial(ProxyHandler, proxy)) as address:
        proxy.address = address
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{address}")
        yield proxy


class WebHandler(BaseHTTPRequestHandler):
    """Files of a folder with their ranges, as web servers serve them."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, folder: Path, ranges: bool, asked: list[str], *arguments: Any) -> None:
        self.folder, self.ranges, self.asked = folder, ranges, asked
        super().__init__(*arguments)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = self.folder / self.path.partition("?")[0].lstrip("/")
        self.asked.append(f"{self.command} {self.headers.get('Range')}")
        if not path.is_file():
            status = int(path.stem) if path.stem.isdecimal() else 404
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = path.read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        total = len(data)
        if asked and self.ranges:
            start = int(asked[1])
            data = data[start : int(asked[2]) + 1 if asked[2] else None]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{start + len(data) - 1}/{total}")
        else:
            self.send_response(200)
        if self.ranges:
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{hash(path.read_bytes())}"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET  # noqa: N815


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Callable[..., tuple[str, list[str]]]]:
    """A function: serve a folder; gives its URL and the requests as they come."""
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    with contextlib.ExitStack() as stack:

        def serve(folder: Path, *, ranges: bool = True) -> tuple[str, list[str]]:
            asked: list[str] = []
            handler = partial(WebHandler, folder, ranges, asked)
            address = stack.enter_context(serving_on_loopback(handler))
            return f"http://{address}", asked

        yield serve


def without_inputs(files: dict[str, bytes]) -> dict[str, Any]:
    """Files with the manifest parsed, and the inputs, whose paths differ, left out."""
    manifest = json.loads(files["_dsir/selection.json"])
    manifest.pop("checksum")  # It is over the inputs too.
    assert manifest.pop("inputs")
    return {**files, "_dsir/selection.json": manifest}


@pytest.fixture(scope="session")
def comparable() -> Callable[[dict[str, bytes]], dict[str, Any]]:
    """A function: what of a selection's files does not depend on where the inputs are."""
    return without_inputs
