"""What is bad is told of files, and selections stand, however the files were cut into units."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import dsir
from dsir.corpus import line_blocks
from dsir.corpus.batches import ReadLimits
from dsir.settings.memory import MemoryLimit
from dsir.stages import units

SETTINGS: dict[str, Any] = {
    "n": 60,
    "min_tokens": 5,
    "length": "mean",
    "shard_size": "6kB",
    "on_error": "skip",
    "progress": False,
}
WHOLE = 1 << 40
SIZES = [1, 4000, 30_000]  # A row group or a line each, several, and a few units a file.
ROWS = 180


@pytest.fixture
def unit_bytes(monkeypatch):
    def set_to(size: int) -> None:
        monkeypatch.setattr(units, "UNIT_BYTES", size)

    return set_to


def flipped(path: Path, table: pa.Table, groups: list[int], size: int = 15) -> Path:
    """A Parquet file with a flipped bit in the texts of some row groups."""
    plain: dict[str, Any] = {"use_dictionary": False, "write_page_checksum": True}
    pq.write_table(table, path, row_group_size=size, compression="none", **plain)
    data = bytearray(path.read_bytes())
    for group in groups:
        column = pq.read_metadata(path).row_group(group).column(table.column_names.index("text"))
        data[column.data_page_offset + column.total_compressed_size - 9] ^= 4
    path.write_bytes(data)
    return path


def spoiled(path: Path, texts: list[str | None], bad: list[int]) -> Path:
    """Lines of JSON of which some are bad."""
    lines = [json.dumps({"text": text or ""}) for text in texts]
    for at in bad:
        lines[at] = '{"text": 7}'
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def rotten(world, tmp_path) -> list[Path]:
    """A file with two damaged row groups, and one with bad lines all over."""
    folder = tmp_path / "raw"
    folder.mkdir()
    return [
        flipped(folder / "a.parquet", world.table().slice(0, ROWS), [3, 11]),
        spoiled(folder / "b.jsonl", world.texts[:ROWS], [0, 29, 30, 179]),
    ]


@pytest.mark.filterwarnings("ignore:target.* is part of raw:dsir.DsirWarning")
@pytest.mark.parametrize("settings", [{}, {"chunk_tokens": 20}, {"fit_tokens": "all"}], ids=str)
def test_a_selection_of_damaged_files_stands(
    rotten, target, tmp_path, contents, unit_bytes, settings
):
    goal = [target, rotten[0]]  # Damage in the target is counted and listed as well.
    keywords = {**SETTINGS, **settings}
    unit_bytes(WHOLE)
    expected = dsir.select(rotten, goal, out=tmp_path / "whole", **keywords)
    damaged = [(str(rotten[0]), 45, 15), (str(rotten[0]), 165, 15)]
    lines = [(str(rotten[1]), row, 1) for row in (0, 29, 30, 179)]
    assert [(e.path, e.row, e.rows) for e in expected.skipped] == damaged * 2 + lines
    assert expected.metrics["shards"] == {"read": 2, "skipped": 0}
    rejects = (tmp_path / "whole" / "_dsir/rejects.jsonl").read_bytes().splitlines()
    assert len(rejects) == 8
    for threads, size in enumerate(SIZES, 1):
        unit_bytes(size)
        out, work = tmp_path / f"out-{size}", tmp_path / f"work-{size}"
        for _ in range(2):  # The second time from the results on disk.
            found = dsir.select(rotten, goal, out=out, workdir=work, threads=threads, **keywords)
            assert contents(out) == contents(tmp_path / "whole")
            assert found.skipped == expected.skipped
    # Made in units and looked at without, and the other way round.
    for made, seen in (("out-1", WHOLE), ("whole", 4000)):
        unit_bytes(seen)
        verified = dsir.verify(tmp_path / made)
        assert verified.stands, [str(finding) for finding in verified.findings]
        assert verified.rows is not None
        assert verified.rows.stand == len(expected.rows)


def test_origins_are_rows_of_files(rotten, world, target, tmp_path, unit_bytes):
    unit_bytes(4000)
    out = tmp_path / "out"
    dsir.select(rotten[::-1], target, out=out, **SETTINGS)
    manifest = json.loads((out / "_dsir/selection.json").read_bytes())
    assert [entry["rows"] for entry in manifest["inputs"]["raw"]] == [ROWS, ROWS]
    assert [Path(entry["path"]).name for entry in manifest["inputs"]["raw"]] == [
        "b.jsonl",
        "a.parquet",
    ]
    rows = {0: 0, 1: 0}
    for name in manifest["outputs"]:
        origins = feather.read_table(out / f"_dsir/rows/{Path(name).stem}.arrow")
        if name.endswith("parquet"):
            texts = pq.read_table(out / name)["text"].to_pylist()
        else:
            texts = [json.loads(line)["text"] for line in (out / name).read_bytes().splitlines()]
        for origin, text in zip(origins.to_pylist(), texts, strict=True):
            assert text == world.texts[origin["source_row"]]
            rows[origin["source"]] += 1
    assert min(rows.values()) > 5
    difference = dsir.diff(out, out)
    assert difference.rows.common == sum(rows.values())


def test_an_input_that_changed_is_found(rotten, target, tmp_path, unit_bytes):
    """The footer's digest tells files of the same size and time apart."""
    unit_bytes(4000)
    dsir.select(rotten, target, out=tmp_path / "out", **SETTINGS)
    before = rotten[0].stat()
    data = bytearray(rotten[0].read_bytes())
    at = data.rindex(b"parquet-cpp-arrow")  # In the footer: who wrote it.
    data[at] ^= 1
    rotten[0].write_bytes(data)
    os.utime(rotten[0], ns=(before.st_atime_ns, before.st_mtime_ns))
    found = dsir.verify(tmp_path / "out", threads=1)
    assert any("footer was" in finding.message for finding in found.findings)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_bad_rows": 1}, "row 45 of .*a.parquet"),
        ({"max_bad_rows": 31}, "row 29 of .*b.jsonl"),
        ({"max_bad_rows": 33}, "row 179 of .*b.jsonl"),
        ({"max_bad_rows": "9%"}, "34 of 360 rows are bad.*the first: row 45 of .*a.parquet"),
        ({"max_bad_rows": 34, "max_bad_shards": 0}, None),
        ({"max_bad_rows": "10%"}, None),
    ],
)
def test_limits_for_bad_rows_go_by_corpus(rotten, target, tmp_path, unit_bytes, limits, said):
    found = set()
    places = {WHOLE: (None, "whole"), 1: ("smallest",), 4000: (None, "some"), 30_000: (None,)}
    for threads, (size, folders) in enumerate(places.items(), 1):
        unit_bytes(size)
        for folder in folders:
            work = folder and tmp_path / folder
            keywords = {**SETTINGS, **limits, "workdir": work, "threads": threads}
            if said is None:
                out = tmp_path / f"out-{size}-{work is None}"
                dsir.select(rotten, target, out=out, **keywords)
                continue
            with pytest.raises(dsir.BadDataError, match=said) as caught:
                dsir.select(rotten, target, **keywords)
            found.add(str(caught.value))
    assert len(found) == (said is not None)


@pytest.mark.parametrize("fit_tokens", [1, 1500, 18_000, "all"])
def test_limits_of_a_fit_go_by_what_it_reads(rotten, target, unit_bytes, fit_tokens):
    """Where the budget ends in a file, nothing behind that is read, so nothing there is bad."""
    found = set()
    for size in [WHOLE, *SIZES]:
        unit_bytes(size)
        keywords = {"fit_tokens": fit_tokens, "on_error": "skip", "progress": False}
        try:
            model = dsir.fit(rotten[::-1], target, max_bad_rows=3, **keywords)
            found.add(model.fingerprint)
        except dsir.BadDataError as error:
            found.add(str(error))
    assert len(found) == 1


def test_a_file_is_one_bad_shard(world, target, tmp_path, unit_bytes):
    """However many of its units cannot be read."""
    raw = world.write_parquet(tmp_path / "raw", parts=2, group=30)
    others = [tmp_path / "one.parquet", tmp_path / "other.parquet"]
    for other in others:
        pq.write_table(pa.table({"body": world.texts}), other, row_group_size=30)
    unit_bytes(1)
    corpus = [others[0], *raw, others[1]]
    selection = dsir.select(corpus, target, max_bad_shards=2, **SETTINGS)
    assert [(entry.path, entry.kind) for entry in selection.skipped] == [
        (str(other), "shard") for other in others
    ]
    for most in (1, "49%"):
        with pytest.raises(dsir.BadDataError, match=r"of its 4 shards .*other\.parquet"):
            dsir.select(corpus, target, max_bad_shards=most, **SETTINGS)


def test_behind_a_lost_unit_of_lines_nothing_can_be_numbered(
    world, target, tmp_path, unit_bytes, monkeypatch
):
    path = tmp_path / "long.jsonl"
    lines = [json.dumps({"text": text or ""}) for text in world.texts]
    lines[300] = json.dumps({"text": "ship " * 4000})
    path.write_text("\n".join(lines) + "\n")
    raw = [path, *world.write_parquet(tmp_path / "raw", parts=1)]
    limit = MemoryLimit(ReadLimits(batch_bytes=1000, row_bytes=9000))
    monkeypatch.setattr("dsir.settings.memory.NO_LIMIT", limit)
    monkeypatch.setattr(line_blocks, "_PIECE_BYTES", 1000)
    unit_bytes(4000)
    selection = dsir.select(raw, target, out=tmp_path / "out", **SETTINGS)
    [lost] = selection.skipped
    assert (lost.path, lost.row, lost.kind) == (str(path), None, "shard")
    assert selection.metrics["shards"] == {"read": 1, "skipped": 1}
    manifest = json.loads((tmp_path / "out" / "_dsir/selection.json").read_bytes())
    read = [entry["rows"] for entry in manifest["inputs"]["raw"]]
    assert 200 < read[0] <= 300
    assert read[1] == 600
    verified = dsir.verify(tmp_path / "out", threads=1)
    assert verified.stands, [str(finding) for finding in verified.findings]
