"""Folders and patterns: every file once, nothing of dsir's own, and what is left out is listed."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

import dsir
from dsir.corpus import resolve
from dsir.errors import EmptyCorpusError, SettingError

ROWS = 5


def lines(path: Path, rows: int = ROWS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    words = "the ship and the sea and the wind " * 4
    content = "".join(json.dumps({"id": i, "text": f"{words} {i}"}) + "\n" for i in range(rows))
    path.write_text(content)
    return path


def read(source, root: Path) -> list[str]:
    return [os.path.relpath(shard.name, root) for shard in resolve(source).shards]


def left_out(source, root: Path) -> dict[str, str]:
    return {os.path.relpath(one.path, root): one.reason for one in resolve(source).left_out}


def test_a_folder_and_a_link_to_it_are_read_once(tmp_path):
    lines(tmp_path / "c/2024-06/a.jsonl")
    (tmp_path / "c/latest").symlink_to("2024-06")
    assert read(tmp_path / "c", tmp_path) == ["c/2024-06/a.jsonl"]
    # A link that sorts before the folder that it leads to.
    (tmp_path / "c/0").symlink_to("2024-06")
    assert read(tmp_path / "c", tmp_path) == ["c/2024-06/a.jsonl"]
    assert len(read(f"{tmp_path}/c/**/*.jsonl", tmp_path)) == 1


def test_a_file_and_links_to_it_are_read_once(tmp_path):
    lines(tmp_path / "c/a.jsonl")
    (tmp_path / "c/0.jsonl").symlink_to("a.jsonl")
    os.link(tmp_path / "c/a.jsonl", tmp_path / "c/b.jsonl")
    assert len(read(tmp_path / "c", tmp_path)) == 1
    assert sorted(left_out(tmp_path / "c", tmp_path).values())[0].startswith("the same file as")
    with pytest.raises(SettingError, match=r"0\.jsonl is named twice \(also as .*a\.jsonl\)"):
        resolve([tmp_path / "c/a.jsonl", tmp_path / "c/0.jsonl"])
    with pytest.raises(SettingError, match="is named twice"):
        resolve([tmp_path / "c", f"{tmp_path}/c/a*"])


def test_snapshots_of_one_blob_are_read_once(tmp_path):
    """The cache of a hub: two revisions of a data set share the files that did not change."""
    lines(tmp_path / "hub/blobs/abc")
    for revision in ("r1", "r2"):
        (tmp_path / "hub/snapshots" / revision).mkdir(parents=True)
        (tmp_path / "hub/snapshots" / revision / "x.jsonl").symlink_to("../../blobs/abc")
    assert read(tmp_path / "hub", tmp_path) == ["hub/snapshots/r1/x.jsonl"]


def test_links_in_a_circle_end(tmp_path):
    lines(tmp_path / "c/sub/a.jsonl")
    (tmp_path / "c/sub/up").symlink_to("..")
    (tmp_path / "c/sub/self").symlink_to(".")
    assert read(tmp_path / "c", tmp_path) == ["c/sub/a.jsonl"]


def test_patterns_do_not_follow_links_in_circles(tmp_path):
    """`glob` alone follows two circles for ever: each doubles the number of paths at each depth."""
    lines(tmp_path / "c/a/x.jsonl")
    lines(tmp_path / "c/b/y.jsonl")
    lines(tmp_path / "elsewhere/z.jsonl")
    (tmp_path / "c/a/up").symlink_to("..")
    (tmp_path / "c/b/up").symlink_to("..")
    (tmp_path / "c/a/0").symlink_to("../b")
    (tmp_path / "c/b/far").symlink_to(tmp_path / "elsewhere")
    expected = ["c/a/x.jsonl", "c/b/far/z.jsonl", "c/b/y.jsonl"]
    for pattern in ("c/**/*.jsonl", "c/**", "**/c/**/*.jsonl", "c/**/[a-z]*"):
        assert read(f"{tmp_path}/{pattern}", tmp_path) == expected
    assert read(f"{tmp_path}/c/**/b/*.jsonl", tmp_path) == ["c/b/y.jsonl"]


def test_patterns_from_the_current_folder(tmp_path, monkeypatch):
    lines(tmp_path / "c[1]/sub/x.jsonl")
    lines(tmp_path / "x.jsonl", 3)
    monkeypatch.chdir(tmp_path)
    assert read("**/x.jsonl", tmp_path) == ["c[1]/sub/x.jsonl", "x.jsonl"]
    assert read("**", tmp_path) == ["c[1]/sub/x.jsonl", "x.jsonl"]
    assert read("c*/**/*", tmp_path) == ["c[1]/sub/x.jsonl"]


@pytest.mark.parametrize("hidden", ["_temporary", ".staging", "_delta_log"])
def test_hidden_folders_are_left_out_at_any_depth(tmp_path, hidden):
    lines(tmp_path / "c/a.jsonl")
    lines(tmp_path / "c/x" / hidden / "0/b.jsonl")
    assert read(tmp_path / "c", tmp_path) == ["c/a.jsonl"]
    assert read(f"{tmp_path}/c/**/*.jsonl", tmp_path) == ["c/a.jsonl"]
    # What is named is meant.
    assert len(read(f"{tmp_path}/c/x/{hidden}/0/*.jsonl", tmp_path)) == 1
    assert len(read(f"{tmp_path}/*/x/{hidden}/**/*.jsonl", tmp_path)) == 1


@pytest.mark.parametrize(
    ("pattern", "hidden"),
    [("_*.jsonl", "_a.jsonl"), (".*.jsonl", ".a.jsonl"), ("_*/a.jsonl", "_old/a.jsonl")],
)
def test_an_error_names_the_hidden_file_that_a_pattern_matches(tmp_path, pattern, hidden):
    lines(tmp_path / hidden)
    said = f"no file matches {tmp_path}/{pattern} but {tmp_path}/{hidden}, and names that begin"
    with pytest.raises(EmptyCorpusError, match=re.escape(said)):
        read(f"{tmp_path}/{pattern}", tmp_path)
    assert len(read(tmp_path / hidden, tmp_path)) == 1


def test_what_dsir_wrote_is_no_part_of_a_corpus(tmp_path):
    corpus = tmp_path / "c"
    lines(corpus / "a.jsonl", 30)
    target = dsir.texts(["the ship and the sea"] * 4)
    settings = {"n": 5, "min_tokens": 2, "length": "mean", "progress": False}
    first = dsir.select(corpus, target, out=corpus / "sel", workdir=corpus / "work", **settings)
    again = dsir.select(corpus, target, out=corpus / "sel", workdir=corpus / "work", **settings)
    assert again.rows.tolist() == first.rows.tolist()
    assert read(corpus, tmp_path) == ["c/a.jsonl"]
    assert left_out(corpus, tmp_path) == {
        "c/sel": "a selection that dsir wrote",
        "c/work": "a work directory of dsir",
    }
    # A selection that is named is read.
    assert read(corpus / "sel", tmp_path) == ["c/sel/data/part-00000.jsonl"]


def test_caches_beside_a_saved_data_set_are_left_out(tmp_path):
    """`datasets` leaves cache-*.arrow in the folder of a data set when it is mapped or filtered."""
    import pyarrow as pa

    folder = tmp_path / "ds"
    folder.mkdir()
    for name in ("data-00000-of-00001.arrow", "cache-0123456789abcdef.arrow"):
        with pa.OSFile(str(folder / name), "wb") as file:
            table = pa.table({"text": ["a ship"]})
            with pa.ipc.new_stream(file, table.schema) as writer:
                writer.write_table(table)
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
    (folder / "state.json").write_text(json.dumps(state))
    assert read(folder, tmp_path) == ["ds/data-00000-of-00001.arrow"]
    assert list(left_out(folder, tmp_path)) == ["ds/cache-0123456789abcdef.arrow"]


def test_files_of_unknown_kinds_are_listed(tmp_path, invoke_dsir):
    for name in ("a.jsonl", "b.json", "c.jsonlines", "d.log"):
        lines(tmp_path / "c" / name)
    shutil.copy(tmp_path / "c/a.jsonl", tmp_path / "c/README.md")
    assert read(tmp_path / "c", tmp_path) == ["c/a.jsonl", "c/c.jsonlines"]
    assert left_out(tmp_path / "c", tmp_path) == {
        "c/b.json": "plain .json is read only when it is named",
        "c/d.log": "files of this kind are not read",
    }
    call = ["select", tmp_path / "c", "-t", tmp_path / "c/a.jsonl", "-n", 1, "-o", tmp_path / "o"]
    call += ["--min-tokens", 1]
    dry = invoke_dsir(*call, "--dry-run")
    assert "d.log: files of this kind are not read" in dry.stdout
    done = invoke_dsir(*call)
    assert done.returncode == 0, done.stderr
    assert "dsir raw: left out" in done.stderr
    note = json.loads((tmp_path / "o/_dsir/run.json").read_text())
    assert len(note["left_out"]) == 2
    (tmp_path / "c/a.jsonl").unlink()
    (tmp_path / "c/c.jsonlines").unlink()
    with pytest.raises(EmptyCorpusError, match=r"no file to read .* left out .*b\.json .* 1 more"):
        resolve(tmp_path / "c")


def test_a_folder_that_stands_for_a_file_is_read(tmp_path):
    """Spark writes b.parquet/part-0.parquet."""
    lines(tmp_path / "c/b.jsonl/part-0.jsonl")
    lines(tmp_path / "c/a.jsonl")
    lines(tmp_path / "c/sub/d.jsonl")
    assert read(f"{tmp_path}/c/*.jsonl", tmp_path) == ["c/a.jsonl", "c/b.jsonl/part-0.jsonl"]
    assert read(f"{tmp_path}/c/*", tmp_path) == ["c/a.jsonl", "c/b.jsonl/part-0.jsonl"]


@pytest.mark.parametrize("name", ["a.parquet.gzip", "a.parquet.snappy", "a.pq", "a.snappy.parquet"])
def test_names_that_pandas_and_spark_give(tmp_path, name):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a"]}), tmp_path / name)
    assert read(tmp_path, tmp_path) == [name]
