"""Input that changes while it is read, or cannot be opened: the run ends."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from ship_files import GOOD, SETTINGS, TEXTS, parquet

import dsir


@pytest.fixture
def good(tmp_path) -> Path:
    return parquet(tmp_path / "good.parquet", GOOD)


def test_input_that_changes_while_it_is_read(good, tmp_path, monkeypatch):
    from dsir.run.pipeline import Pipeline

    score = Pipeline.score

    def change(self: Pipeline, *arguments: Any, **keywords: Any) -> Any:
        found = score(self, *arguments, **keywords)
        parquet(good, GOOD.slice(1))
        return found

    monkeypatch.setattr(Pipeline, "score", change)
    with pytest.raises(dsir.ShardError, match="changed while the run was going on"):
        dsir.select(good, TEXTS, out=tmp_path / "out", **SETTINGS)
    assert not list((tmp_path / "out").rglob("*.*"))


@pytest.mark.parametrize("stage", ["count", "score"])
def test_a_file_that_changes_ends_the_run_also_when_bad_data_are_skipped(
    good, tmp_path, monkeypatch, stage
):
    from dsir.corpus.parquet import ParquetShard

    other = tmp_path / "other.parquet"
    parquet(other, GOOD)
    read = ParquetShard.text_batches
    calls: list[str] = []

    def change(self: ParquetShard, **keywords: Any) -> Any:
        if Path(self.path) == other:
            calls.append(self.path)
            if len(calls) == (1 if stage == "count" else 2):
                other.write_bytes(b"not yet written to its end")
        return read(self, **keywords)

    monkeypatch.setattr(ParquetShard, "text_batches", change)
    with pytest.raises(dsir.ShardError, match="changed while the run was going on"):
        dsir.select([good, other], TEXTS, **{**SETTINGS, "on_error": "skip", "threads": 1})


def test_too_many_open_files_are_no_bad_data(good, monkeypatch):
    from dsir.corpus import parquet_footer

    def open_source(*arguments: Any, **keywords: Any) -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(parquet_footer, "open_source", open_source)
    with pytest.raises(OSError, match="Too many open files"):
        dsir.select(good, TEXTS, **{**SETTINGS, "on_error": "skip"})
