"""Files of web servers."""

from __future__ import annotations

import pytest

import dsir

SETTINGS = {"n": 40, "min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}


def test_as_on_this_machine(web, parquet, jsonl, target, tmp_path, contents, comparable):
    local = [*parquet, *jsonl]
    for path in [*local, target]:
        (tmp_path / "www" / "raw").mkdir(parents=True, exist_ok=True)
        (tmp_path / "www" / "raw" / path.name).write_bytes(path.read_bytes())
    url, _ = web(tmp_path / "www")
    dsir.select(local, target, out=tmp_path / "a", **SETTINGS)
    # A query does not hide the suffix, and is no pattern.
    remote = [f"{url}/raw/{path.name}?download=1" for path in local]
    dsir.select(remote, f"{url}/raw/{target.name}", out=tmp_path / "b", **SETTINGS)
    assert comparable(contents(tmp_path / "b")) == comparable(contents(tmp_path / "a"))


def test_ranges_only(web, tmp_path):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(["sea", "sail", "tide"], 50)) for _ in range(100)]
    table = pa.table({"text": texts, "other": [random.bytes(10_000) for _ in range(100)]})
    pq.write_table(table, tmp_path / "a.parquet")
    url, asked = web(tmp_path)
    dsir.fit(f"{url}/a.parquet", [texts[0]], progress=False)
    got = [line for line in asked if line.startswith("GET")]
    assert got
    assert all(line.startswith("GET bytes=") for line in got)
    url, _ = web(tmp_path, ranges=False)
    with pytest.raises(dsir.ShardError, match="sends only whole files, not ranges; copy the file"):
        dsir.fit(f"{url}/a.parquet", [texts[0]], progress=False)


def test_a_changed_file_is_refused(web, jsonl, tmp_path):
    from dsir.corpus import resolve

    (tmp_path / "a.jsonl").write_bytes(jsonl[0].read_bytes())
    url, _ = web(tmp_path)
    corpus = resolve(f"{url}/a.jsonl")
    corpus.shards[0].check_unchanged()
    (tmp_path / "a.jsonl").write_bytes(jsonl[0].read_bytes().replace(b"ship", b"shin", 1))
    with pytest.raises(dsir.ShardError, match="changed while the run was going on"):
        corpus.shards[0].check_unchanged()


def test_what_goes_wrong(web, target, parquet, tmp_path, monkeypatch, invoke_dsir):
    url, asked = web(tmp_path)
    for raw, status, message in (
        (f"{url}/no.jsonl", 1, "no.jsonl: no such file"),
        (f"{url}/folder/", 2, "unknown file type"),
        (f"{url}/503?x=a.jsonl", 2, "unknown file type"),
        (f"{url}/503.jsonl", 1, "503.jsonl: cannot be read: 503"),
        (f"{url}/403.jsonl", 1, "403.jsonl: cannot be read: access denied"),
        ("http://127.0.0.1:1/a.jsonl", 1, "tried 2 times"),
    ):
        monkeypatch.setenv("DSIR_REMOTE_ATTEMPTS", "2")
        done = invoke_dsir("select", raw, "-t", target, "-n", 1, "-o", tmp_path / "o", "-q")
        assert (done.returncode, done.stderr.count("\n")) == (status, 1)
        assert message in done.stderr
    for option in ("--out", "--workdir"):
        places = {"--out": tmp_path / "o", option: f"{url}/there"}
        words = [word for pair in places.items() for word in pair]
        done = invoke_dsir("select", parquet[0], "-t", target, "-n", 1, *words, "-q")
        assert done.returncode == 1
        assert "can only be read" in done.stderr or "cannot hold a work directory" in done.stderr
    assert asked


@pytest.mark.parametrize(
    ("missing", "url"), [("fsspec", "https://a.example/b.parquet"), ("aiohttp", "http://a/b.jsonl")]
)
def test_without_what_it_needs(missing, url, target, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(dsir.SettingError, match=r"pip install 'dsir\[remote\]'"):
        dsir.fit(url, target, progress=False)
