"""Disks that are full and folders that are not there: an error, and nothing half-written."""

from __future__ import annotations

import errno
import gc
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dsir.corpus import TakenRows
from dsir.errors import OutputError
from dsir.output import AddedColumns, Writer, open_writer
from dsir.primitive_arrays import to_arrow
from dsir.storage.atomic import UnfinishedFile

RECORDS = pa.record_batch({"text": ["some text"] * 3})
KINDS = ["parquet", "arrow", "jsonl"]


def writer_at(kind: str, stem: Path) -> Writer:
    return open_writer(kind, stem, schema=RECORDS.schema, added=AddedColumns("w"))


def taken_by(kind: str) -> TakenRows:
    if kind == "jsonl":
        lines = pa.array([b"{}"] * 3, pa.large_binary())
        return TakenRows(np.arange(3), RECORDS.column(0), lines=lines)
    return TakenRows(np.arange(3), RECORDS.column(0), records=RECORDS)


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def full(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("kind", KINDS)
def test_disk_full_while_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("dsir.output.row_groups.MAX_BYTES", 1)
    writer = writer_at(kind, tmp_path / "a")
    monkeypatch.setattr(UnfinishedFile, "write", full)
    with pytest.raises(OutputError, match="No space left on device") as caught, writer:
        writer.write(taken_by(kind), [to_arrow(np.zeros(3))], np.arange(3))
    assert f"a.{kind}" in str(caught.value)
    monkeypatch.undo()
    del writer
    gc.collect()
    assert files_under(tmp_path) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_disk_full_while_finishing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, step: str
) -> None:
    writer = writer_at(kind, tmp_path / "a")
    writer.write(taken_by(kind), [to_arrow(np.zeros(3))], np.arange(3))
    if step == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left on device"):
        writer.close()
    assert files_under(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_is_really_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    opened = Path.open

    def open_full(self: Path, mode: str = "r", **options: object) -> object:
        return opened(
            Path("/dev/full") if mode == "xb" else self, mode.replace("x", "w"), **options
        )

    monkeypatch.setattr(Path, "open", open_full)
    with (
        pytest.raises(OutputError, match="No space left on device"),
        writer_at(kind, tmp_path / "a") as writer,
    ):
        writer.write(taken_by(kind), [to_arrow(np.zeros(3))], np.arange(3))
    gc.collect()
    assert files_under(tmp_path) == []


@pytest.mark.parametrize("kind", KINDS)
def test_folder_is_a_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(
        OutputError, match=r"out/.*cannot be written: (Not a directory|is not a folder)"
    ):
        writer_at(kind, tmp_path / "out" / "a")


def test_the_lines_fail_after_the_weights_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = writer_at("jsonl", tmp_path / "a")
    writer.write(taken_by("jsonl"), [to_arrow(np.zeros(3))], np.arange(3))
    replace = Path.replace

    def fail_on_lines(self: Path, target: Path) -> Path:
        return full() and target if target.suffix == ".jsonl" else replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_on_lines)
    with pytest.raises(OutputError, match=r"a\.jsonl"):
        writer.close()
    assert files_under(tmp_path) == []


@pytest.mark.parametrize(
    ("kind", "other"), [("parquet", "jsonl"), ("arrow", "jsonl"), ("jsonl", "arrow")]
)
def test_rows_of_the_wrong_kind(tmp_path: Path, kind: str, other: str) -> None:
    with pytest.raises(ValueError, match="written as"), writer_at(kind, tmp_path / "a") as writer:
        writer.write(taken_by(other), [to_arrow(np.zeros(3))], np.arange(3))
    assert files_under(tmp_path) == []


def test_an_interrupt_while_a_file_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def interrupted(self: Path, mode: str) -> None:
        opened(self, mode).close()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        UnfinishedFile(tmp_path / "selection.json")
    assert files_under(tmp_path) == []
