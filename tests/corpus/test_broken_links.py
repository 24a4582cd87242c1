"""Links that lead nowhere are an error, or skipped and listed, wherever they are found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dsir
from dsir.corpus import resolve

TARGET = dsir.texts(["the ship and the sea and the wind"] * 5)


def lines(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [f"the ship and the sea and the wind {i}" for i in range(9)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def broken(path: Path, end: str = "gone/away") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(end)
    return path


# Where the link is, below the folder "c", and the input that finds it.
PLACES = [
    ("9.jsonl", "c"),
    ("9.jsonl", "c/*.jsonl"),
    ("9.jsonl", "c/*"),
    ("9.jsonl", "c/9.jsonl"),
    ("b.parquet", "c"),
    ("deep/er/9.jsonl", "c"),
    ("deep/er/9.jsonl", "c/**/*.jsonl"),
    ("2023", "c"),
    ("2023", "c/*/*.jsonl"),
    ("2023", "c/**/*.jsonl"),
    ("v1.1", "c/*/deep/*.jsonl"),
    ("deep/2023", "c/**"),
    ("2024/part/link", "c/*/part/*/*.jsonl"),
]


@pytest.mark.parametrize(("link", "source"), PLACES)
def test_it_is_an_error_or_listed(tmp_path, monkeypatch, link, source):
    monkeypatch.chdir(tmp_path)
    lines(Path("c/a.jsonl"))
    lines(Path("c/2024/a.jsonl"))
    lines(Path("c/2024/deep/a.jsonl"))
    lines(Path("c/2024/part/one/a.jsonl"))
    broken(Path("c", link))
    inputs = [source] if source != "c/9.jsonl" else [source, "c/a.jsonl"]
    with pytest.raises(
        dsir.ShardError,
        match=rf'^c/{link}: is a broken link \(to gone/away\); repair .* on_error="skip" to pass',
    ):
        dsir.select(dsir.files(inputs), TARGET, n=2, min_tokens=1, progress=False)
    selection = dsir.select(
        dsir.files(inputs), TARGET, n=2, min_tokens=1, progress=False, on_error="skip", out="out"
    )
    assert len(selection.rows) == 2
    assert [(one.path, one.row, one.rows) for one in selection.skipped] == [(f"c/{link}", None, 0)]
    assert "broken link (to gone/away); repair or remove" in selection.skipped[0].reason
    assert json.loads(Path("out/_dsir/rejects.jsonl").read_text())["shard"] == f"c/{link}"
    found = dsir.verify("out", target=TARGET)
    assert found.stands, found.findings


@pytest.mark.parametrize("name", ["notes.log", "LICENSE", "_old", ".cache"])
def test_links_that_are_no_data_are_no_hindrance(tmp_path, name):
    lines(tmp_path / "c/a.jsonl")
    broken(tmp_path / "c" / name)
    for source in (tmp_path / "c", tmp_path / "c/*"):
        assert len(resolve(source).shards) == 1


def test_a_link_to_itself(tmp_path):
    lines(tmp_path / "a.jsonl")
    broken(tmp_path / "b.jsonl", "b.jsonl")
    with pytest.raises(dsir.ShardError, match=r"b\.jsonl: is a broken link \(to b\.jsonl\)"):
        resolve(tmp_path)


def test_limits_count_it(tmp_path):
    lines(tmp_path / "a.jsonl")
    broken(tmp_path / "b.jsonl")
    arguments = {"n": 2, "min_tokens": 1, "progress": False, "on_error": "skip"}
    with pytest.raises(dsir.BadDataError):
        dsir.select(tmp_path, TARGET, max_bad_shards=0, **arguments)


def test_it_is_skipped_in_the_target_and_by_fit(tmp_path):
    lines(tmp_path / "a.jsonl")
    link = broken(tmp_path / "b.jsonl")
    with pytest.warns(dsir.DsirWarning, match=r"b\.jsonl"):
        model = dsir.fit(tmp_path, TARGET, on_error="skip", progress=False)
    assert model.raw_counts.sum() > 0
    raw = dsir.texts([f"a ship {i} of the sea" for i in range(9)])
    chosen = dsir.select(raw, tmp_path, n=2, on_error="skip", min_tokens=1, progress=False)
    assert [one.path for one in chosen.skipped] == [str(link)]


def test_a_link_that_is_repaired_is_another_input(tmp_path):
    lines(tmp_path / "c/a.jsonl")
    link = broken(tmp_path / "c/b.jsonl")
    arguments = {"n": 2, "min_tokens": 1, "progress": False, "on_error": "skip"}
    dsir.select(tmp_path / "c", TARGET, out=tmp_path / "o", workdir=tmp_path / "w", **arguments)
    link.unlink()
    lines(link)
    with pytest.raises(dsir.WorkdirError, match=r"c/b\.jsonl has changed since"):
        dsir.select(tmp_path / "c", TARGET, out=tmp_path / "p", workdir=tmp_path / "w", **arguments)
    assert not dsir.verify(tmp_path / "o").stands


def test_commands(tmp_path, invoke_dsir, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines(Path("c/a.jsonl"))
    lines(Path("t.jsonl"))
    broken(Path("c/b.jsonl"))
    words = ["select", "c", "-t", "t.jsonl", "-n", 2, "--min-tokens", 1, "-o", "o"]
    found = invoke_dsir(*words, "--dry-run")
    assert found.returncode == 1
    assert "c/b.jsonl: is a broken link (to gone/away)" in found.stderr
    assert "--on-error skip to pass over such files" in found.stderr
    found = invoke_dsir(*words, "--dry-run", "--on-error", "skip")
    assert found.returncode == 0
    assert "cannot be read: c/b.jsonl: is a broken link (to gone/away)" in found.stdout
    assert invoke_dsir(*words, "--on-error", "skip").returncode == 0

    fit = ["fit", "c", "-t", "t.jsonl", "-o", "m.dsir"]
    score = ["score", "c", "-m", "m.dsir", "-o", "scores"]
    lexrank = ["lexrank", "c", "-o", "ranked"]
    for command in (fit, score, lexrank):
        refused = invoke_dsir(*command)
        assert refused.returncode == 1
        assert "c/b.jsonl: is a broken link" in refused.stderr
        assert invoke_dsir(*command, "--on-error", "skip").returncode == 0
    assert invoke_dsir("sample", "scores", "-n", 2, "--min-tokens", 1, "-o", "rows").returncode == 0
    assert invoke_dsir("write", "rows", "-m", "m.dsir", "-o", "written").returncode == 0
    assert invoke_dsir("verify", "written").returncode == 0
    plan = [
        "plan",
        "c",
        "-t",
        "t.jsonl",
        "-n",
        2,
        "--min-tokens",
        1,
        "-o",
        "done",
        "--workdir",
        "w",
    ]
    assert invoke_dsir(*plan).returncode == 1
    assert invoke_dsir(*plan, "--on-error", "skip").returncode == 0
    assert invoke_dsir("work", "w").returncode == 0
    assert invoke_dsir("finish", "w").returncode == 0
