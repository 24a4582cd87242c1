"""to_hub(), against a server on loopback that takes commits as Hugging Face's does."""

from __future__ import annotations

import base64
import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import dsir

pytest.importorskip("huggingface_hub")


class HubHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, told: dict, *arguments) -> None:
        self.told = told
        super().__init__(*arguments)

    def log_message(self, *_) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        where = f"http://{self.headers['Host']}/datasets/me/set"
        self.told.setdefault("token", self.headers.get("Authorization"))
        if self.told.get("refuses"):
            self.answer({"error": "you may not write here"}, 403)
        elif self.path == "/api/repos/create":
            self.told["created"] = json.loads(body)
            self.answer({"url": where})
        elif self.path == "/api/datasets/me/set/preupload/main":
            files = [
                {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                for one in json.loads(body)["files"]
            ]
            self.answer({"files": files})
        elif self.path == "/api/datasets/me/set/commit/main":
            self.told["commit"] = [json.loads(line) for line in body.splitlines()]
            self.answer({"commitOid": "0" * 40, "commitUrl": f"{where}/commit/{'0' * 40}"})
        elif self.path == "/api/validate-yaml":
            self.answer({"errors": [], "warnings": []})
        else:
            self.answer({"error": "not found"}, 404)

    do_GET = do_POST  # noqa: N815

    def answer(self, content: object, status: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def hub():
    """What the server was told, and its URL."""
    told: dict = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(HubHandler, told))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield told, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_rows_and_card_are_pushed_in_one_commit(hub, selected):
    told, endpoint = hub
    url = dsir.load(selected).to_hub("me/set", token="secret", endpoint=endpoint)
    assert url == f"{endpoint}/datasets/me/set"
    assert told["token"] == "Bearer secret"
    assert told["created"]["name"] == "set"
    assert told["created"].get("private") or told["created"].get("visibility") == "private"
    files = {
        one["value"]["path"]: base64.b64decode(one["value"]["content"])
        for one in told["commit"]
        if one["key"] == "file"
    }
    parts = {f"data/{one.name}": one.read_bytes() for one in (selected / "data").iterdir()}
    card = files.pop("README.md").decode()
    assert files == parts  # And nothing else: the manifest has the paths of the inputs.
    assert card.startswith("---\npretty_name:")
    assert str(selected.parent) not in card


def test_a_hub_that_refuses(hub, selected):
    told, endpoint = hub
    told["refuses"] = True
    with pytest.raises(dsir.StoreError, match=r"to_hub\('me/set'\): .*403"):
        dsir.load(selected).to_hub("me/set", token="secret", endpoint=endpoint)
    with pytest.raises(dsir.StoreError, match="to_hub"):
        dsir.load(selected).to_hub("no/such/name", token="secret", endpoint=endpoint)


def test_a_selection_in_memory_has_nothing_to_push(world):
    in_memory = dsir.select(world.table(), world.target, n=9, min_tokens=1, progress=False)
    with pytest.raises(dsir.SettingError, match=r'out="selected/"'):
        in_memory.to_hub("me/set")
