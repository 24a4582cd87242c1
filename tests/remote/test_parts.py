"""The parts of remote paths on their own: locations, patterns, retries, reads."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsir.errors import SettingError
from dsir.remote import RemotePath, is_url, location_of, retries, within
from dsir.remote.location import path_of_file_url
from dsir.remote.matching import files_below, matching
from dsir.remote.remote_file import RemoteFile
from dsir.remote.retries import RetryPolicy, is_transient, trying
from dsir.remote.store import RemoteError, TryAgainError


def test_urls_and_paths():
    assert is_url("s3://b/k")
    assert is_url("HTTPS://x/y")
    assert not is_url("file:///a/b")
    assert not is_url("a/b.parquet")
    assert not is_url("a: b://c")
    assert not is_url(Path("s3://b"))
    assert location_of("s3://b/k/") == RemotePath("s3://b/k")
    assert location_of(Path("a")) == Path("a").absolute()
    assert location_of("~/a") == Path("~/a").expanduser()
    assert path_of_file_url("file:///a%20b/c") == Path("/a b/c")
    with pytest.raises(SettingError, match="another machine"):
        location_of("file://host/a")


def test_names_of_remote_paths():
    path = RemotePath("s3://bucket/a/b=1/c.jsonl.gz")
    assert (path.name, path.suffixes, path.protocol) == ("c.jsonl.gz", [".jsonl", ".gz"], "s3")
    assert path.key == "bucket/a/b=1/c.jsonl.gz"
    assert path.with_name("d") == path.parent / "d" == RemotePath("s3://bucket/a/b=1/d")
    assert path.parents == [
        RemotePath("s3://bucket/a/b=1"),
        RemotePath("s3://bucket/a"),
        RemotePath("s3://bucket"),
    ]
    assert within(path, RemotePath("s3://bucket/a")) == "b=1/c.jsonl.gz"
    assert within(Path("/a/b/c"), Path("/a")) == "b/c"
    with pytest.raises(ValueError, match="is not in"):
        within(path, RemotePath("s3://buck"))
    assert RemotePath("https://host/a.parquet?x=1.2#z").suffixes == [".parquet"]
    assert RemotePath("s3://b/what?.parquet").name == "what?.parquet"


TREE = (
    *("a/x.jsonl", "a/y.parquet", "a/.z.jsonl", "a/_w.jsonl", "a/b/x.jsonl", "a/b/c/x.jsonl"),
    *("a/.h/x.jsonl", "b/x.jsonl", "x.jsonl", "a/b/x1.jsonl", "a/b/x2.jsonl"),
)


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """The same files on disk and in fsspec's memory."""
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    folder = tmp_path_factory.mktemp("tree")
    for name in TREE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"{}")
        memory.pipe_file(f"/tree/{name}", b"{}")
    yield folder, RemotePath("memory://tree")
    memory.rm("/tree", recursive=True)


@pytest.mark.parametrize(
    "pattern",
    [
        *("*.jsonl", "a/*", "a/*.jsonl", "**/*.jsonl", "a/**/*.jsonl", "a/**/x.jsonl", "*/x.jsonl"),
        *("a/b/x[12].jsonl", "a/b/x?.jsonl", "a/.*.jsonl", "**/c/*", "no/*", "a/**/c/**/x.jsonl"),
    ],
)
def test_patterns_match_as_on_disk(pattern, trees):
    folder, remote = trees
    found = glob.glob(str(folder / pattern), recursive=True)  # noqa: PTH207
    expected = {
        os.path.relpath(path, folder)
        for path in found
        if Path(path).is_file() and Path(path).name[0] != "_"
    }
    got = matching(remote / pattern)
    assert [within(path, remote) for path in got] == sorted(expected)


def test_files_below_leave_out_what_is_hidden(trees):
    _, remote = trees
    found = {within(path, remote) for path in files_below(remote)}
    assert found == set(TREE) - {"a/.z.jsonl", "a/_w.jsonl", "a/.h/x.jsonl"}


class StatusError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (TryAgainError("only 3 of 4 bytes came"), True),
        (OSError("AWS Error NETWORK_CONNECTION during GetObject operation: curlCode: 28"), True),
        (OSError("AWS Error SLOW_DOWN during PutObject operation: Reduce your rate."), True),
        (OSError("AWS Error UNKNOWN (HTTP status 503) during UploadPart operation"), True),
        (OSError("AWS Error UNKNOWN (HTTP status 429) during GetObject operation"), True),
        (OSError("AWS Error UNKNOWN (HTTP status 416) during GetObject operation"), False),
        (OSError("AWS Error ACCESS_DENIED during HeadObject operation"), False),
        (OSError("AWS Error NO_SUCH_BUCKET during ListObjectsV2 operation"), False),
        (OSError(28, "No space left on device"), False),
        (ValueError("no"), False),
        (StatusError(503), True),
        (StatusError(429), True),
        (StatusError(404), False),
        (StatusError(401), False),
    ],
)
def test_what_is_tried_again(error, expected):
    assert is_transient(error) is expected


def test_attempts_are_bounded_and_spread(monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr(retries, "POLICY", RetryPolicy(6, 0.5, 3.0))
    monkeypatch.setattr(retries.time, "sleep", waited.append)
    calls = []

    def fails():
        calls.append(1)
        raise ConnectionResetError("reset by peer")

    with pytest.raises(RemoteError, match=r"^reset by peer \(tried 6 times in \d+ s\)$") as caught:
        trying("s3://b/k", fails)
    assert caught.value.url == "s3://b/k"
    assert (len(calls), len(waited)) == (6, 5)
    for seconds, middle in zip(waited, [0.5, 1, 2, 3, 3], strict=True):
        assert 0.5 * middle <= seconds <= 1.5 * middle
    assert len(set(waited)) == 5
    monkeypatch.setenv("DSIR_REMOTE_ATTEMPTS", "2")
    with pytest.raises(RemoteError, match="tried 2 times"):
        trying("s3://b/k", fails)
    monkeypatch.setenv("DSIR_REMOTE_ATTEMPTS", "no")
    with pytest.raises(SettingError, match="expected a number of attempts"):
        trying("s3://b/k", fails)


def test_success_after_failures(monkeypatch):
    monkeypatch.setattr(retries.time, "sleep", lambda _: None)
    answers = [ConnectionResetError(), TimeoutError(), 7]

    def call():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert trying("u", call) == 7


@pytest.fixture(scope="module")
def numbers():
    """A file of fsspec's memory, larger than the end that is kept."""
    fsspec = pytest.importorskip("fsspec")
    data = bytes(i * i % 251 for i in range(400_000))
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/numbers/data", data)
    yield RemotePath("memory://numbers/data"), data
    memory.rm("/numbers", recursive=True)


@given(
    st.sampled_from([0, 1, 1000, 50_000, 1 << 20]),
    st.lists(st.tuples(st.integers(0, 410_000), st.integers(-1, 300_000)), max_size=6),
)
def test_reads_are_those_of_the_file(numbers, window, reads):
    path, data = numbers
    with RemoteFile(path, window) as file:
        assert file.size == len(data)
        for start, length in reads:
            file.seek(start)
            stop = len(data) if length < 0 else start + length
            assert file.read(length) == data[start:stop]
            assert file.tell() == max(start, min(stop, len(data)))
