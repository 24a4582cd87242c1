"""Symbolic links where something is to be written: files are written where a link leads.

A rename takes the place of a link: the file that it led to kept its old content, and the new
content lay on another disk than the user had chosen.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import dsir
from dsir.compat import HashedNgramDSIR
from dsir.graph import Idf, similarity_join

TEXTS = ["the ship sailed over the sea", "a ship and a storm at sea", "the judge read the law"]


@pytest.fixture(scope="module")
def selection(parquet, target, tmp_path_factory):
    out = tmp_path_factory.mktemp("links") / "out"
    return dsir.select(parquet, target, n=9, min_tokens=1, out=out, progress=False)


def write_graph(path: Path, **_: object) -> None:
    similarity_join(TEXTS, threshold=0.1).to_graphml(path)


def write_command(*words: object):
    def write(path: Path, invoke_dsir, parquet, **_: object) -> None:
        named = [
            parquet[0] if word == "RAW" else path if word == "FILE" else word for word in words
        ]
        done = invoke_dsir(*named, cwd=path.parent)
        assert done.returncode == 0, done.stderr

    return write


WRITERS = {
    "model": lambda path, selection, **_: selection.model.save(path),
    "idf": lambda path, **_: Idf().fit(TEXTS).save(path),
    "page": lambda path, selection, **_: selection.report(path),
    "row list": lambda path, selection, **_: selection.write_row_list(path),
    "graph": write_graph,
    "graph of a command": write_command(
        *("lexrank", "RAW", "-o", "ranked", "--threshold", "0.1", "--graph", "FILE", "-q")
    ),
    "state": lambda path, **_: HashedNgramDSIR([], [], cache_dir=str(path.parent)).save(path),
}
SUFFIXES = {"row list": ".parquet", "graph": ".graphml", "graph of a command": ".arrow"}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("earlier", [True, False], ids=["file", "nothing yet"])
def test_a_file_is_written_where_its_link_leads(
    writer, earlier, tmp_path, selection, invoke_dsir, parquet
):
    (tmp_path / "large disk").mkdir()
    (tmp_path / "here").mkdir()
    real = tmp_path / "large disk/file"
    link = tmp_path / f"here/link{SUFFIXES.get(writer, '')}"
    link.symlink_to("../large disk/file")
    if earlier:
        real.write_text("old")
    WRITERS[writer](link, selection=selection, invoke_dsir=invoke_dsir, parquet=parquet)
    assert link.is_symlink()
    assert real.read_bytes() not in (b"", b"old")
    assert not list(tmp_path.rglob("*.tmp-*"))


@pytest.mark.parametrize(
    ("writer", "error"),
    [("model", OSError), ("page", dsir.OutputError), ("row list", dsir.OutputError)],
)
def test_a_link_to_itself_is_an_error(writer, error, tmp_path, selection):
    link = tmp_path / f"link{SUFFIXES.get(writer, '')}"
    link.symlink_to(link.name)
    with pytest.raises(error, match="Too many levels of symbolic links"):
        WRITERS[writer](link, selection=selection)
    assert link.is_symlink()


@pytest.mark.parametrize("inside", ["", "/new/folder"])
@pytest.mark.parametrize("argument", ["out", "workdir"])
def test_a_folder_cannot_be_a_broken_link(argument, inside, parquet, target, tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    named = {"out": tmp_path / "out", argument: f"{tmp_path}/link{inside}"}
    with pytest.raises(dsir.DsirError, match=r"link: is a broken link \(to nowhere\); repair"):
        dsir.select(parquet, target, n=9, min_tokens=1, progress=False, **named)
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_what_links_lead_to_is_used_as_a_folder(parquet, target, tmp_path):
    for name in ("out", "work"):
        (tmp_path / f"large {name}").mkdir()
        (tmp_path / name).symlink_to(f"large {name}")
    call = {"n": 9, "min_tokens": 1, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    first = dsir.select(parquet, target, progress=False, **call)
    assert (tmp_path / "large out/_dsir/selection.json").is_file()
    assert (tmp_path / "large work/manifest.json").is_file()
    again = dsir.select(parquet, target, progress=False, **call)
    assert again.rows.tolist() == first.rows.tolist()
    dsir.select(parquet, target, progress=False, **{**call, "n": 5}, overwrite=True)
    assert (tmp_path / "out").is_symlink()
    assert dsir.verify(tmp_path / "out").stands
