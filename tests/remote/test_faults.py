"""A store that breaks connections, is busy, sends half or slowly: the answer is the same."""

from __future__ import annotations

import json
import re
import subprocess
import time
from contextlib import contextmanager

import pytest

import dsir
from dsir.corpus import resolve
from dsir.remote import RemotePath, location, mirror, retries

SETTINGS = {"n": 40, "min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}


@pytest.fixture
def remote(s3, parquet, jsonl, target):
    """The corpus and the target in the bucket."""
    raw = [s3.put(path, f"raw/{path.name}") for path in [*parquet[::2], *jsonl[::2]]]
    return raw, s3.put(target, "t.jsonl")


@pytest.fixture(scope="module")
def local(parquet, jsonl, target, tmp_path_factory, contents, comparable):
    """What the selection is."""
    out = tmp_path_factory.mktemp("local") / "out"
    dsir.select([*parquet[::2], *jsonl[::2]], target, out=out, **SETTINGS)
    return comparable(contents(out))


@pytest.mark.parametrize("kind", ["reset", "503", "truncate", "slow"])
def test_faults_that_pass(kind, remote, local, s3, proxy, comparable):
    # Of files of every kind, the first two times that they are read or written.
    proxy.first(2, kind, lambda asked: re.search("part-[01]|t.jsonl|selection", asked.key))
    dsir.select(*remote, out=f"{s3.url}/out", **SETTINGS)
    assert comparable(s3.files("out")) == local


def test_a_fault_that_stays_is_reported_and_leaves_nothing(remote, s3, proxy):
    raw, target = remote
    proxy.fault = lambda asked: "503" if asked.method == "PUT" and "part-" in asked.path else None
    with pytest.raises(
        dsir.OutputError,
        match=r"part-0000\d\.(parquet|arrow): cannot be written: .*tried 6 times in",
    ):
        dsir.select(raw, target, out=f"{s3.url}/out", **SETTINGS)
    assert not s3.keys("out/data/part-")
    proxy.fault = lambda asked: "reset" if asked.method == "GET" and "raw/" in asked.path else None
    with pytest.raises(dsir.ShardError, match=r"raw/part-\d.*tried 6 times in"):
        dsir.fit(raw, target, progress=False)


def test_a_refusal_is_not_tried_again(remote, s3, proxy):
    raw, target = remote
    proxy.fault = lambda asked: "403" if "raw/" in asked.path else None
    with pytest.raises(dsir.ShardError, match="access denied; check the credentials"):
        dsir.fit(raw[0], target, progress=False)
    assert len([asked for asked in proxy.asked if "raw/" in asked.path]) == 1


def test_an_object_appears_whole_or_not_at_all(s3, proxy, tmp_path, monkeypatch):
    # Three parts of an upload, of which one fails for good.
    monkeypatch.setattr(retries.POLICY, "attempts", 2)
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * (17 << 12))
    for kind in ("503", "reset"):
        proxy.fault = lambda asked, kind=kind: kind if "partNumber=2" in asked.path else None
        with pytest.raises(OSError, match="tried 2 times"):
            (s3 / "large").upload(large)
        assert s3.keys() == []
    proxy.first(1, "reset", lambda asked: "partNumber=2" in asked.path)
    (s3 / "large").upload(large)
    assert s3.read("large") == large.read_bytes()


def test_only_what_is_needed_is_read(s3, proxy, tmp_path):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(["sea", "sail", "tide", "mast"], 50)) for _ in range(400)]
    other = [random.bytes(20_000) for _ in range(400)]
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({"other": other, "text": texts}), path, row_group_size=100)
    raw = s3.put(path, "wide.parquet")
    assert path.stat().st_size > 7_000_000
    dsir.fit(raw, [texts[0]], progress=False)
    # Footer and text columns; what is between two columns is not fetched.
    assert proxy.sent < 800_000
    proxy.sent = 0
    dsir.select(raw, [texts[0]], n=2, min_tokens=1, progress=False)
    assert proxy.sent < 8_000_000


def test_large_row_groups_come_a_window_at_a_time(parquet, target, s3, proxy, monkeypatch):
    from dsir.corpus import open_parquet

    raw = s3.put(parquet[0], "a.parquet")
    expected = dsir.select(raw, target, **SETTINGS).table
    monkeypatch.setattr(open_parquet, "_WHOLE_GROUP_BYTES", 0)
    monkeypatch.setattr(open_parquet, "_SMALL_GROUP_BYTES", 0)
    assert dsir.select(raw, target, **SETTINGS).table.equals(expected)


def test_an_input_that_changes_is_refused(parquet, target, s3):
    raw = s3.put(parquet[0], "a.parquet")
    corpus = resolve(raw)
    s3.put(parquet[1], "a.parquet")
    with pytest.raises(dsir.ShardError, match="changed while the run was going on"):
        corpus.shards[0].check_unchanged()
    place = {"workdir": f"{s3.url}/work"}
    dsir.select(raw, target, **place, **SETTINGS)
    s3.put(parquet[2], "a.parquet")
    with pytest.raises(
        dsir.WorkdirError, match=r"another run: s3://.*/a\.parquet has changed since: its size"
    ):
        dsir.select(raw, target, **place, **SETTINGS)


def test_an_input_that_changes_between_two_attempts(s3, proxy, tmp_path):
    from dsir.remote.remote_file import RemoteFile

    s3.write("a", b"1" * 3000)
    with RemoteFile(s3 / "a", window=1000) as file:
        file._held_from, file._held = 0, b""  # Not from what is kept of its end.
        assert file._fetch(0, 1000) == b"1" * 1000
        s3.write("a", b"2" * 3000)
        proxy.first(4, "reset", lambda asked: asked.method == "GET")
        with pytest.raises(OSError, match="changed while it was being read"):
            file._fetch(1000, 1000)


def reading_fails(call):
    with pytest.raises(dsir.DsirError) as caught:
        call()
    return str(caught.value)


def test_what_is_not_there(s3, target, parquet, invoke_dsir, tmp_path):
    cases = {
        f"{s3.url}/no.parquet": "no.parquet: no such file",
        f"{s3.url}/no/": "no file to read in the folder",
        f"{s3.url}/no/*.jsonl": "no file matches",
        "s3://no-such-bucket-at-all/a.parquet": "there is no bucket no-such-bucket-at-all",
        "s3://no-such-bucket-at-all/a/": "there is no bucket no-such-bucket-at-all",
    }
    for raw, message in cases.items():
        done = invoke_dsir("select", raw, "-t", target, "-n", 1, "-o", tmp_path / "o", "-q")
        assert done.returncode == 1, raw
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
    out = "s3://no-such-bucket-at-all/out"
    done = invoke_dsir("select", parquet[0], "-t", target, "-n", 1, "-o", out, "-q")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "there is no bucket" in done.stderr
    for raw, message in {
        "xyz://a/b.parquet": "xyz://: unknown protocol",
        "s3://": "names no bucket",
    }.items():
        done = invoke_dsir("select", raw, "-t", target, "-n", 1, "-o", tmp_path / "o", "-q")
        assert done.returncode == 2, raw
        assert message in done.stderr


def test_refused_credentials(s3, parquet, target, invoke_dsir, tmp_path, monkeypatch):
    settings = pytest.importorskip("moto.settings")
    from moto.core.responses import ActionAuthenticatorMixin

    raw = s3.put(parquet[0], "a.parquet")
    monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
    monkeypatch.setattr(ActionAuthenticatorMixin, "request_count", 0)
    for source, out in ((raw, tmp_path / "o"), (parquet[0], f"{s3.url}/out")):
        done = invoke_dsir("select", source, "-t", target, "-n", 1, "-o", out, "-q")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "access denied; check the credentials in the environment" in done.stderr


def test_a_wrong_endpoint(s3, target, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:9000")
    with pytest.raises(dsir.SettingError, match=r"expected a URL such as http://localhost:9000"):
        dsir.fit(f"{s3.url}/a.parquet", target)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("DSIR_REMOTE_ATTEMPTS", "1")
    with pytest.raises(dsir.ShardError, match="tried 1 times"):
        dsir.fit(f"{s3.url}/a.parquet", target)


def keys_when(s3, folder, enough, process):
    """Wait until enough of the keys in a folder are there, or the process has ended."""
    while process.poll() is None and len(s3.keys(folder)) < enough:
        time.sleep(0.03)


def test_killed_and_resumed(
    s3, proxy, tmp_path, dsir_command, contents, comparable, parquet, target
):
    raw, there = [s3.put(path, path.name) for path in parquet], s3.put(target, "t.jsonl")
    settings = {**SETTINGS, "n": 30, "shard_size": "7KB"}
    dsir.select(parquet, target, out=tmp_path / "o", **settings)
    expected = contents(tmp_path / "o")
    options = ["-n", 30, "--min-tokens", 20, "--length", "mean", "--temperature", 0.3, "-q"]
    options += ["--shard-size", "7KB", "--threads", 2]
    place = ["-o", f"{s3.url}/out", "--workdir", f"{s3.url}/work"]
    call = [dsir_command, "select", *map(str, [*raw, "-t", there, *options, *place])]
    proxy.fault = lambda asked: "wait"
    for stage in (("work/counts/raw", 3), ("work/scores/0", 3), ("out/data/part-", 2)):
        process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        keys_when(s3, *stage, process)
        assert process.poll() is None
        process.kill()
        process.wait()
        # Whatever has its name is whole, and what a dead process held is taken over.
        written = {name: data for name, data in s3.files("out").items() if "/." not in name}
        assert all(expected[name] == data for name, data in written.items())
        assert s3.keys("work/lock") == ["work/lock"]
    proxy.fault = lambda asked: None
    before = len(proxy.asked)
    subprocess.run(call, check=True, timeout=60)
    assert comparable(s3.files("out")) == comparable(expected)
    assert not s3.keys("work/lock")
    # What was finished was not done again.
    written = {asked.key for asked in proxy.asked[before:] if asked.method == "PUT"}
    assert not [key for key in written if "/counts/" in key or "/scores/0" in key]


def test_two_at_once(s3, parquet, target, monkeypatch):
    from dsir.storage.workdir_lock import holder_of, locked

    work = mirror.Mirror(location.Path("unused"), s3 / "work")
    assert holder_of(work) is None
    raw = s3.put(parquet[0], "a.parquet")
    with locked(work):
        assert holder_of(work)["pid"] > 0
        # A run takes the lock before it writes its manifest.
        message = reading_fails(
            lambda: dsir.select(raw, target, workdir=f"{s3.url}/work", **SETTINGS)
        )
        assert "another run is at work in it (process" in message
    dsir.select(raw, target, workdir=f"{s3.url}/work", **SETTINGS)
    with locked(work):
        message = reading_fails(
            lambda: dsir.select(raw, target, workdir=f"{s3.url}/work", **SETTINGS)
        )
    assert "another run is at work in it (process" in message
    assert f"remove {s3.url}/work/lock" in message
    assert holder_of(work) is None


@pytest.mark.parametrize(("host", "pid", "taken"), [("here", 2**22 - 3, True), ("there", 1, False)])
def test_locks_that_were_left(host, pid, taken, s3, monkeypatch):
    import platform

    from dsir.remote.lock import locked_remotely, remote_holder

    name = platform.node() if host == "here" else "another-machine"
    s3.write("work/lock", json.dumps({"host": name, "pid": pid, "since": "then"}).encode())
    lock = RemotePath(f"{s3.url}/work/lock")
    if taken:
        with locked_remotely(lock):
            assert remote_holder(lock)["pid"] != pid
        assert remote_holder(lock) is None
        return
    with pytest.raises(dsir.WorkdirError, match="process 1 on another-machine, since then"):
        locked_remotely(lock).__enter__()


@pytest.mark.parametrize(("seconds", "taken"), [(1100, False), (1300, True)])
def test_a_lock_of_another_machine_counts_while_it_is_renewed(seconds, taken, s3, monkeypatch):
    """The store's clock decides; here it goes by more and more after the lock was written."""
    from dsir.remote import location
    from dsir.remote.lock import locked_remotely, remote_holder

    holder = {"host": "another-machine", "pid": 1, "since": "then", "beat": 60}
    s3.write("work/lock", json.dumps(holder).encode())
    path = RemotePath(f"{s3.url}/work/lock")
    state = location.RemotePath.state

    def later(self):
        found = state(self)
        return found._replace(changed=found.changed + seconds) if "probe" in self.key else found

    monkeypatch.setattr(location.RemotePath, "state", later)
    if taken:
        with locked_remotely(path):
            assert remote_holder(path)["host"] != "another-machine"
        assert remote_holder(path) is None
    else:
        with pytest.raises(dsir.WorkdirError, match="start again in 20 minutes"):
            locked_remotely(path).__enter__()
        assert remote_holder(path) == holder
    assert not [key for key in s3.keys("work/") if "probe" in key]


def test_a_lock_in_a_store_is_renewed_as_long_as_it_is_held(s3, monkeypatch):
    from dsir.remote import lock
    from dsir.remote.lock import locked_remotely, remote_holder

    beats = []

    @contextmanager
    def by_hand(beat, seconds):
        assert seconds == 60
        beats.append(beat)
        yield

    monkeypatch.setattr(lock, "beating", by_hand)
    uploads = []
    upload = lock._upload
    monkeypatch.setattr(lock, "_upload", lambda *given: (uploads.append(given), upload(*given)))
    path = RemotePath(f"{s3.url}/work/lock")
    with locked_remotely(path):
        mine = remote_holder(path)
        beats[0]()
        assert uploads == [(path, mine)]
        assert remote_holder(path) == mine
        # Another run that took this one for dead keeps its lock.
        s3.write("work/lock", b'{"host": "another-machine"}')
        beats[0]()
        assert len(uploads) == 1
    assert s3.read("work/lock") == b'{"host": "another-machine"}'


def test_of_two_that_come_at_once_one_gets_the_lock(s3, monkeypatch):
    from threading import Barrier, Thread

    from dsir.remote import lock
    from dsir.remote.lock import locked_remotely

    monkeypatch.setattr(lock, "SETTLE_SECONDS", 1.0)

    barrier, held, refused = Barrier(2), [], []

    def come():
        barrier.wait()
        try:
            with locked_remotely(s3 / "work/lock"):
                held.append(1)
                time.sleep(0.3)
        except dsir.WorkdirError:
            refused.append(1)

    threads = [Thread(target=come) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(held), len(refused)) == (1, 1)


def test_one_run_at_a_time_writes_to_a_folder(s3, parquet, target):
    from dsir.output.claim import claimed

    out = s3 / "out"
    with claimed(out), pytest.raises(dsir.OutputError, match=r"out: another run is at work in it"):
        dsir.select(parquet, target, out=out, **SETTINGS)
    assert not s3.files("out")
    dsir.select(parquet, target, out=out, **SETTINGS)
    assert not s3.keys("out/_dsir/.")


def test_a_selection_of_another_run_is_not_written_over(s3, parquet, target):
    mine = {**SETTINGS, "out": s3 / "out", "workdir": s3 / "mine"}
    dsir.select(parquet, target, **mine)
    dsir.select(parquet, target, **{**SETTINGS, "n": 20}, out=s3 / "out", overwrite=True)
    theirs = s3.files("out")
    with pytest.raises(dsir.OutputError, match="is not empty"):
        dsir.select(parquet, target, **mine)
    assert s3.files("out") == theirs
    dsir.select(parquet, target, **mine, overwrite=True)
    dsir.select(parquet, target, **mine)
