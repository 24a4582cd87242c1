"""An engine whose workers share nothing with the caller gives the same selections."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_contract import EngineContract
from process_engine import ProcessEngine

import dsir
from dsir.engine import Engine, LocalEngine

SETTINGS: dict[str, Any] = {
    "n": 30,
    "min_tokens": 20,
    "length": "mean",
    "temperature": 0.5,
    "shard_size": "3kB",
    "fit_tokens": "all",
    "progress": False,
}
# A temporary folder of dsir, in a pickled path.
SCRATCH = re.compile(rb"dsir-[a-z0-9_]{8}\b")


@pytest.fixture(scope="module")
def engine():
    with ProcessEngine(2) as engine:
        yield engine


class TestProcessEngine(EngineContract):
    """The contract."""


class Recording(Engine):
    """Runs tasks as another engine does, and keeps them as they would travel."""

    threads = 2

    def __init__(self, inner: Engine) -> None:
        self.inner = inner
        self.travelled: list[bytes] = []

    def run(self, stage, tasks, progress):
        self.travelled += [pickle.dumps(task) for task in tasks]
        for result in self.inner.run(stage, tasks, progress):
            self.travelled.append(pickle.dumps(result))
            yield result


class RecordingApart(Recording):
    """The same, of workers that do not see the caller's files."""

    shares_files = False


def same(one: dsir.Selection, other: dsir.Selection) -> None:
    assert one.rows.tobytes() == other.rows.tobytes()
    assert one.log_weights.tobytes() == other.log_weights.tobytes()
    assert one.skipped == other.skipped
    described = [
        {name: value for name, value in selection.metrics.items() if name != "stages"}
        for selection in (one, other)
    ]
    assert described[0] == described[1]


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"chunk_tokens": 30, "filters": "min_words=5", "min_tokens": 10},
        {"dedup": "exact", "max_per": {"domain": 0.5}, "on_error": "skip"},
        {"combine": {"dsir": 1.0, "lexrank": 0.3, "column:id": 0.1}, "max_per": {"domain": 0.5}},
        {"method": "coverage", "features": dsir.HashedNgrams(buckets=4000)},
    ],
    ids=["plain", "windows", "quotas", "combine", "coverage"],
)
def test_selections_are_those_of_the_local_engine(
    engine, keywords, parquet, jsonl, target, tmp_path, contents
):
    raw = [*parquet, *jsonl]
    given = {**SETTINGS, **keywords}
    local = dsir.select(raw, target, out=tmp_path / "local", threads=2, **given)
    apart = dsir.select(raw, target, out=tmp_path / "apart", engine=engine, **given)
    same(apart, local)
    assert contents(tmp_path / "apart") == contents(tmp_path / "local")
    work = tmp_path / "work"
    kept = dsir.select(raw, target, out=tmp_path / "kept", engine=engine, workdir=work, **given)
    same(kept, local)
    assert contents(tmp_path / "kept") == contents(tmp_path / "local")


def test_tables_of_several_targets(engine, world):
    given = {**SETTINGS, "targets": "separate", "proportions": {"sea": 0.25, "law": 0.75}}
    targets = {"sea": world.target, "law": ["the court and the judge of the law"] * 9}
    local = dsir.select(world.table(), targets, threads=2, **given)
    apart = dsir.select(world.table(), targets, engine=engine, **given)
    same(apart, local)
    assert apart.table.equals(local.table)
    assert np.array_equal(apart.target, local.target)


def test_models_are_those_of_the_local_engine(engine, parquet, target):
    found = dsir.fit(parquet, target, engine=engine, progress=False)
    assert found.fingerprint == dsir.fit(parquet, target, progress=False).fingerprint


def test_errors_come_back_whole(engine, tmp_path, target):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "a b c"}\n{"text": 5}\n', encoding="utf-8")
    with pytest.raises(dsir.RowError) as caught:
        dsir.select(bad, target, engine=engine, **{**SETTINGS, "min_tokens": 1})
    assert (caught.value.path, caught.value.row) == (str(bad), 1)


@pytest.mark.parametrize("kept", [False, True])
def test_no_temporary_file_goes_to_workers_that_cannot_see_it(
    kept, parquet, jsonl, target, tmp_path
):
    raw = [*parquet, *jsonl]
    given = {**SETTINGS, "n": 10}
    if kept:
        given["workdir"] = tmp_path / "work"
    here, apart = Recording(LocalEngine(2)), RecordingApart(LocalEngine(2))
    local = dsir.select(raw, target, out=tmp_path / "one", engine=here, **given)
    if kept:
        given["workdir"] = tmp_path / "work-apart"
    same(dsir.select(raw, target, out=tmp_path / "other", engine=apart, **given), local)
    assert apart.travelled
    assert not any(SCRATCH.search(sent) for sent in apart.travelled)
    for put_aside in (b".arrows", b".lines"):
        assert not any(put_aside in sent for sent in apart.travelled)
    # Where they do see it, that is how results, rows and lines are handed on.
    assert any(SCRATCH.search(sent) for sent in here.travelled) == (not kept)
    for put_aside in (b".arrows", b".lines"):
        assert any(put_aside in sent for sent in here.travelled)


@pytest.mark.parametrize("kept", [False, True])
def test_damage_beside_the_texts_is_passed_over(engine, kept, world, target, tmp_path):
    raw = tmp_path / "raw.parquet"
    _write_damaged(raw, world.table())
    given = {**SETTINGS, "n": 100, "on_error": "skip"}
    local = dsir.select(raw, target, out=tmp_path / "local", **given)
    assert {entry.kind for entry in local.skipped} == {"damaged_row_group"}
    given["workdir"] = tmp_path / "work" if kept else None
    apart = dsir.select(raw, target, out=tmp_path / "apart", engine=engine, **given)
    same(apart, local)


def _write_damaged(path: Path, table: Any) -> None:
    """Write Parquet of which one row group has a flipped bit in a column beside the text."""
    import pyarrow.parquet as pq

    pq.write_table(
        table,
        path,
        row_group_size=50,
        compression="none",
        use_dictionary=False,
        write_page_checksum=True,
    )
    data = bytearray(path.read_bytes())
    group = pq.read_metadata(path).row_group(4)
    columns = [group.column(number) for number in range(group.num_columns)]
    [column] = [one for one in columns if one.path_in_schema == "id"]
    data[column.data_page_offset + column.total_compressed_size - 3] ^= 4
    path.write_bytes(data)
