"""-t NAME=SOURCE:COLUMN and target_text={name: column}: a text column for each target."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.cli.options import targets_of

LAW = ["the court heard the judge and the clerk in the morning"] * 6
SEA = ["a ship sails out to the open sea at night with all hands"] * 6


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw.jsonl").write_text(
        "".join(json.dumps({"text": f"{text} {n}"}) + "\n" for n, text in enumerate(LAW + SEA))
    )
    pq.write_table(pa.table({"body": LAW, "id": range(6)}), "law.parquet")
    (tmp_path / "sea.csv").write_text("content,id\n" + "".join(f"{text},1\n" for text in SEA))
    return tmp_path


CALL = ["-n", "6", "--min-tokens", "3", "--targets", "separate", "--proportions", "law=50%,sea=50%"]


def test_each_target_has_its_column(folder, invoke_dsir):
    done = invoke_dsir(
        *("select", "raw.jsonl", "-t", "law=law.parquet:body", "-t", "sea=sea.csv:content"),
        *("-o", "out", *CALL),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    found = dsir.select(
        "raw.jsonl",
        {"law": "law.parquet", "sea": "sea.csv"},
        target_text={"law": "body", "sea": "content"},
        targets="separate",
        proportions=[0.5, 0.5],
        **{"n": 6, "min_tokens": 3, "progress": False},
    )
    assert dsir.load("out").rows.tolist() == found.rows.tolist()
    settings = json.loads((folder / "out/_dsir/selection.json").read_text())["settings"]
    assert settings["target_text"] == {"law": "body", "sea": "content"}
    assert dsir.verify("out").stands
    again = invoke_dsir(
        *("select", "raw.jsonl", "-t", "law=law.parquet", "-t", "sea=sea.csv", "-o", "again"),
        *("--config", "out/_dsir/selection.json"),
        cwd=folder,
    )
    assert again.returncode == 0, again.stderr
    assert dsir.load("again").rows.tolist() == found.rows.tolist()


@pytest.mark.parametrize("command", ["fit", "plan", "dry"])
def test_every_command_that_takes_targets(folder, invoke_dsir, command):
    words = ["-t", "law=law.parquet:body", "-t", "sea=sea.csv:content"]
    if command == "fit":
        done = invoke_dsir("fit", "raw.jsonl", *words, "-o", "m.dsir", cwd=folder)
    elif command == "plan":
        rest = ["-o", "out", "--workdir", "work"]
        done = invoke_dsir("plan", "raw.jsonl", *words, *CALL, *rest, cwd=folder)
    else:
        rest = ["-o", "out", "--dry-run"]
        done = invoke_dsir("select", "raw.jsonl", *words, *CALL, *rest, cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("given", "source", "column"),
    [
        ("law.parquet:body", "law.parquet", "body"),
        ("law.parquet:meta.text", "law.parquet", "meta.text"),
        ("gone/*.jsonl.gz:body", "gone/*.jsonl.gz", "body"),
        ("folder:body", "folder", "body"),
        ("s3://bucket/a.parquet:body", "s3://bucket/a.parquet", "body"),
        ("s3://bucket/folder/:body", "s3://bucket/folder/", "body"),
        ("https://host:8080/a.jsonl", "https://host:8080/a.jsonl", None),
        ("https://host:8080/a.jsonl:body", "https://host:8080/a.jsonl", "body"),
        ("https://host:8080", "https://host:8080", None),
        (r"C:\data\a.jsonl", r"C:\data\a.jsonl", None),
        ("C:/data/a.jsonl", "C:/data/a.jsonl", None),
        ("C:/data/a.jsonl:body", "C:/data/a.jsonl", "body"),
        ("2026-01-01T10:00.jsonl", "2026-01-01T10:00.jsonl", None),
        ("gone:body", "gone:body", None),
        ("there:body.jsonl", "there:body.jsonl", None),
        ("law.parquet:", "law.parquet:", None),
        (":body", ":body", None),
    ],
)
def test_where_the_source_ends(folder, given, source, column):
    (folder / "folder").mkdir()
    (folder / "there:body.jsonl").write_text("")
    (folder / "there").write_text("")
    sources, arguments = targets_of([given], {"n": 1})
    assert tuple(sources) == (source,)
    assert arguments == ({"n": 1} if column is None else {"n": 1, "target_text": column})
    named, arguments = targets_of([f"x={given}"], {"target_text": "t"})
    assert {name: tuple(one) for name, one in named.items()} == {"x": (source,)}
    assert arguments["target_text"] == ("t" if column is None else {"x": column})


def test_what_is_unclear_is_refused(folder):
    for entries in (["x=law.parquet:a", "x=law.parquet:b"], ["law.parquet:a", "law.parquet"]):
        with pytest.raises(dsir.SettingError, match="different text columns"):
            targets_of(entries, {})
    with pytest.raises(dsir.SettingError, match=r"--target-text a: .* text column b behind"):
        targets_of(["law.parquet:b"], {"target_text": "a"})
    call = {"n": 2, "progress": False}
    with pytest.raises(
        dsir.SettingError, match="target_text: is given for y, but the targets are x"
    ):
        dsir.select(["a b"], {"x": "law.parquet"}, target_text={"y": "body"}, **call)
    with pytest.raises(dsir.SettingError, match="the targets are none"):
        dsir.select(["a b"], "law.parquet", target_text={"y": "body"}, **call)
    with pytest.raises(dsir.TextColumnError, match=r"no column 'bodi'.*did you mean body\?"):
        dsir.fit(["a b"], {"x": "law.parquet"}, target_text={"x": "bodi"}, progress=False)
