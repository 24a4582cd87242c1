"""Inputs from a pipe: "-" is standard input, and named pipes are read as well."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir

TEXTS = [f"the ship {i} and the sea and the wind" for i in range(30)]
WANTED = ["the ship and the sea"] * 9


def lines(texts: list[str], column: str = "text") -> bytes:
    return "".join(
        json.dumps({"id": i, column: text}) + "\n" for i, text in enumerate(texts)
    ).encode()


def table(texts: list[str]) -> pa.Table:
    return pa.table({"id": range(len(texts)), "text": texts})


def parquet(texts: list[str]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table(texts), sink)
    return sink.getvalue()


def arrow(texts: list[str]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table(texts).schema) as writer:
        writer.write_table(table(texts))
    return sink.getvalue().to_pybytes()


def separated(texts: list[str], by: str) -> bytes:
    return "".join(
        f"{one}\n"
        for one in [by.join(["id", "text"]), *(f"{i}{by}{text}" for i, text in enumerate(texts))]
    ).encode()


CONTENTS = {
    "lines": lines(TEXTS),
    "lines behind white space and a byte order mark": b"\xef\xbb\xbf\n" + lines(TEXTS),
    "gzip": gzip.compress(lines(TEXTS)),
    "csv": separated(TEXTS, ","),
    "csv in gzip": gzip.compress(separated(TEXTS, ",")),
    "tsv": separated(TEXTS, "\t"),
    "parquet": parquet(TEXTS),
    "arrow": arrow(TEXTS),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    Path("tmp").mkdir()
    Path("raw.jsonl").write_bytes(lines(TEXTS))
    Path("t.jsonl").write_bytes(lines(WANTED))
    yield tmp_path
    assert not list(Path("tmp").iterdir()), "a copy of standard input was left"


def ids(out: str) -> list[int]:
    return sorted(map(int, dsir.load(out).to_pandas()["id"]))


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_raw_and_target_may_come_from_standard_input(folder, invoke_dsir, content):
    words = ["-n", 5, "--min-tokens", 1, "-q"]
    done = invoke_dsir("select", "-", "-t", "t.jsonl", "-o", "o", *words, stdin=content)
    assert done.returncode == 0, done.stderr
    dsir.select("raw.jsonl", "t.jsonl", n=5, min_tokens=1, out="expected", progress=False)
    assert ids("o") == ids("expected")
    assert (
        invoke_dsir("select", "raw.jsonl", "-t", "-", "-o", "p", *words, stdin=content).returncode
        == 0
    )


def test_the_manifest_says_what_came(folder, invoke_dsir):
    words = ["select", "-", "-t", "t.jsonl", "-n", 5, "--min-tokens", 1, "-o", "o", "-q"]
    invoke_dsir(*words, stdin=lines(TEXTS))
    raw = json.loads(Path("o/_dsir/selection.json").read_text())["inputs"]["raw"]
    assert raw[0]["name"] == "standard input"
    assert len(raw[0]["sha256"]) == 64
    assert "path" not in raw[0]
    found = invoke_dsir("verify", "o")
    assert found.returncode == 1
    assert "raw: came through a pipe; give it as" in found.stdout
    assert invoke_dsir("verify", "o", "--raw", "raw.jsonl").returncode == 0
    assert invoke_dsir("verify", "o", "--quick").returncode == 0
    other = invoke_dsir("verify", "o", "--raw", "-", stdin=lines([*TEXTS[:-1], TEXTS[-1].upper()]))
    assert "is not the input that was selected from: sha256 was" in other.stdout


def test_every_command_that_can(folder, invoke_dsir):
    data = lines(TEXTS)
    assert invoke_dsir("fit", "-", "-t", "t.jsonl", "-o", "m.dsir", stdin=data).returncode == 0
    assert (
        invoke_dsir("lexrank", "-", "-o", "ranked", "--group-by", "text", stdin=data).returncode
        == 0
    )
    named = ["-t", "a=-", "-t", "b=t.jsonl", "--targets", "separate"]
    words = ["-n", 2, "--min-tokens", 1, "-o", "named"]
    assert invoke_dsir("select", "raw.jsonl", *named, *words, stdin=data).returncode == 0
    other = lines(WANTED, "body")
    words = ["-n", 2, "--min-tokens", 1, "-o", "column"]
    assert invoke_dsir("select", "raw.jsonl", "-t", "-:body", *words, stdin=other).returncode == 0
    rows = "".join(f'{{"x": {i}, "y": "{"pq"[i % 2]}"}}\n' for i in range(40))
    kept = invoke_dsir("gais", "-", "--label", "y", "-o", "kept", "--keep", "50%", stdin=rows)
    assert kept.returncode == 0, kept.stderr
    dry = invoke_dsir("select", "-", "-t", "t.jsonl", "-n", 2, "-o", "dry", "--dry-run", stdin=data)
    assert dry.returncode == 0
    assert not Path("dry").exists()


REFUSED = {
    "a work directory": (
        ["select", "-", "-t", "t.jsonl", "-n", 1, "-o", "o", "--workdir", "w"],
        "-: is standard input, and --workdir w keeps results for later calls, which cannot read "
        "it again; save it to a file",
    ),
    "a plan": (
        ["plan", "raw.jsonl", "-t", "-", "-n", 1, "-o", "o", "--workdir", "w"],
        "-: is standard input, and the workers of 'dsir work' cannot read it",
    ),
    "scores": (
        ["score", "-", "-m", "m.dsir", "-o", "o"],
        "-: is standard input, and 'dsir write' reads the documents again; save it to a file",
    ),
    "two uses": (
        ["select", "-", "-t", "/dev/stdin", "-n", 1, "-o", "o"],
        "/dev/stdin: is given twice, but can be read once; save it to a file",
    ),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_where_it_cannot_be_read_again_it_is_refused(folder, invoke_dsir, words, message):
    found = invoke_dsir(*words, stdin=lines(TEXTS))
    assert found.returncode == 2
    assert message in found.stderr


WRONG = {
    "nothing": (b"", "there is nothing to read: standard input is empty (0 bytes)"),
    "other text": (
        b"The ship and the sea.\n",
        "standard input: is neither JSON Lines, Parquet, Arrow, nor CSV whose first line names the "
        "column 'text'; it begins with 'The ship and the sea.",
    ),
    "a web page": (b"<!DOCTYPE html><html>", "standard input: is a web page (HTML)"),
    "a broken line": (b'{"text": "a"}\n{"text\n', "standard input: row 1 (line 2): broken JSON"),
    "another column": (lines(TEXTS, "body"), "standard input: no line has a field 'text'"),
    "gzip cut off": (gzip.compress(lines(TEXTS))[:-9], "standard input"),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_it_is_said(folder, invoke_dsir, content, message):
    found = invoke_dsir("select", "-", "-t", "t.jsonl", "-n", 1, "-o", "o", stdin=content)
    assert found.returncode == 1
    assert message in found.stderr
    assert "tmp/" not in found.stderr


def test_a_terminal_and_a_closed_stream(folder, invoke_dsir, monkeypatch):
    from dsir.cli import piped

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdin", Terminal())
        with (
            pytest.raises(dsir.SettingError, match=r"^-: standard input is a terminal; pipe a"),
            piped.piped(["-"]),
        ):
            pass
        patched.setattr(sys, "stdin", None)
        with (
            pytest.raises(dsir.SettingError, match=r"^-: standard input is closed"),
            piped.piped(["-"]),
        ):
            pass


def test_named_pipes(folder, invoke_dsir):
    """Such as `dsir select corpus/ -t <(zcat wanted.jsonl.gz)` of bash."""
    os.mkfifo("wanted")

    def write() -> None:
        Path("wanted").write_bytes(lines(WANTED))

    writer = threading.Thread(target=write)
    writer.start()
    words = ["select", "raw.jsonl", "-t", "wanted", "-n", 5, "--min-tokens", 1, "-o", "o"]
    done = invoke_dsir(*words)
    writer.join()
    assert done.returncode == 0, done.stderr
    with pytest.raises(dsir.ShardError, match="wanted: is not a regular file but a pipe"):
        dsir.select("raw.jsonl", Path("wanted"), n=1)


def test_a_process_reads_a_real_pipe(folder):
    words = [sys.executable, "-m", "dsir", "select", "-", "-t", "t.jsonl", "-n", "5"]
    words += ["--min-tokens", "1", "-o", "o", "-q"]
    done = subprocess.run(words, input=lines(TEXTS), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(ids("o")) == 5


@pytest.mark.parametrize(
    ("opened", "name"),
    [(open, "raw.jsonl"), (io.FileIO, "raw.jsonl"), (gzip.open, "raw.jsonl.gz")],
)
def test_open_files_in_python_are_refused(folder, opened, name):
    Path("raw.jsonl.gz").write_bytes(gzip.compress(lines(TEXTS)))
    with opened(name) as file:
        for call in (lambda: dsir.select(file, WANTED, n=1), lambda: dsir.fit(TEXTS, file)):
            with pytest.raises(dsir.SettingError, match=r"is an open file, .* the path of the"):
                call()
