"""Units and their results in columns: the same objects come out as went in."""

from __future__ import annotations

import gc
import pickle
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dsir.corpus.resolve import resolve
from dsir.corpus.skipped import Skipped
from dsir.corpus.units import Units, first_of_files, sizes_of
from dsir.corpus.windows.shard import chunked
from dsir.run.status import _Markers
from dsir.stages.kept.named import KeptFiles
from dsir.stages.sample import ShardRows
from dsir.stages.score_table import ScoreForm
from dsir.stages.shard_scores import ShardScores
from dsir.stages.unit_rows import UnitRows
from dsir.stages.unit_scores import UnitScores, rows_of
from dsir.stages.units import file_numbers, file_ranges, placed, unit_layout
from dsir.storage.place import Place
from dsir.storage.sealed_json import write_sealed


@pytest.fixture
def by_file(tmp_path):
    """Units of files with footers, of lines, and of a file in one piece."""
    table = pa.table({"text": [f"some words {number}" for number in range(90)]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=30)
    pq.write_table(table, tmp_path / "b.parquet", row_group_size=10)
    lines = [f'{{"text": "{text.as_py()}"}}\n' for text in table["text"]]
    (tmp_path / "c.jsonl").write_text("".join(lines))
    pq.write_table(table, tmp_path / "d.parquet")
    return [
        shard.surveyed().parts(shard.surveyed().bounds(400)) for shard in resolve(tmp_path).shards
    ]


def test_units_come_out_as_they_went_in(by_file):
    plain = [unit for units in by_file for unit in units]
    units = Units.of(by_file)
    assert len(units) == len(plain) > 12
    for number, unit in enumerate(plain):
        assert units[number] == unit
        assert units[number].part == unit.part
        assert pickle.loads(pickle.dumps(units[number])) == unit
    assert units == plain
    assert (units[-1], units[2:5]) == (plain[-1], tuple(plain[2:5]))
    assert units != plain[1:]
    with pytest.raises(IndexError):
        units[len(plain)]
    assert sizes_of(units).tolist() == sizes_of(plain).tolist()
    assert first_of_files(units) == first_of_files(plain)
    assert list(file_ranges(units)) == list(file_ranges(plain))
    assert file_numbers(units) == file_numbers(plain)
    assert unit_layout(units) == unit_layout(plain)


def test_windows_are_held_too(by_file, tmp_path):
    corpus = chunked(resolve(tmp_path), 4, 4, "wordpunct")
    found = [shard.surveyed().parts(shard.surveyed().bounds(400)) for shard in corpus.shards]
    assert Units.of(found) == [unit for units in found for unit in units]


def test_units_are_placed_by_the_rows_before_them(by_file):
    plain = [unit for units in by_file for unit in units]
    generator = np.random.default_rng(3)
    for _ in range(50):
        rows = [None if one == 0 else int(one) for one in generator.integers(0, 5, len(plain))]
        assert placed(Units.of(by_file), rows) == placed(plain, rows)
        known = [unit.part and unit.part.rows_before for unit in placed(plain, rows)]
        assert [
            unit.part and unit.part.rows_before for unit in placed(Units.of(by_file), rows)
        ] == known


def scores_of(folder: Path) -> list[ShardScores]:
    """Results that fit into columns, and all kinds that do not."""
    form = ScoreForm(2, groups=1)
    place = [Place(folder, f"{number:05d}", "print") for number in range(12)]
    found = [
        ShardScores(10 + n, 20 + n, 1, 2, 3, 400 * n, n, form=form, place=place[n])
        for n in range(12)
    ]
    found[1].kept = folder / "kept" / "00001.arrows"
    found[2].kept = folder / "kept" / f"00002.{'ab' * 32}.arrows"
    found[3].kept = folder / "elsewhere" / "00003.arrows"
    found[4].kept = folder / "kept" / "00005.arrows"
    found[5].skipped = [Skipped("a", "why", 3, 1)]
    found[6].repeated = np.ones(2, np.uint8)
    found[7].place, found[7].scores = None, form.nothing
    found[8].place = Place(folder / "damaged", "00008", "other")
    found[9].codes = [np.arange(3, dtype=np.uint32)]
    found[10].form = ScoreForm(2)
    found[11].given_up = True
    return found


def same(one: object, other: object) -> bool:
    return repr(one) == repr(other)


def test_scores_come_out_as_they_went_in(tmp_path):
    plain = scores_of(tmp_path)
    found = UnitScores(plain)
    assert len(found) == 12
    assert all(map(same, found, plain))
    assert all(map(same, found[3:7], plain[3:7]))
    assert found.column("rows").tolist() == rows_of(plain).tolist() == list(range(10, 22))
    found[0] = replace(found[0], rows=5, codes=[np.zeros(1, np.uint32)])
    assert rows_of(found).tolist() == [5, *range(11, 22)]
    assert found[0].codes is not None
    with pytest.raises(IndexError):
        found[12] = plain[0]


@pytest.mark.parametrize("turned", [False, True])
def test_selected_rows_come_out_as_they_went_in(tmp_path, turned):
    form = ScoreForm(2)
    plain = [
        ShardRows(
            100 * n,
            [(n, 2, 3), (4, 5, 6)],
            form,
            Place(tmp_path, f"{n:05d}", "print"),
            kept=tmp_path / f"{n:05d}.arrows" if n % 2 else None,
            source_rows=None if n == 3 else n,
        )
        for n in range(6)
    ]
    plain[4] = ShardRows(400, [(1, 1, 1)], form)
    plain = plain[::-1] if turned else plain
    found = UnitRows(plain)
    assert all(map(same, found, plain))
    assert [unit.selected for unit in found] == [unit.selected for unit in plain]


def test_kept_files_by_unit(tmp_path):
    files = KeptFiles()
    assert (len(files), files.path(3)) == (0, None)
    paths = {7: "00007.arrows", 2: f"00002.{'0f' * 32}.arrows", 4: "odd.arrows", 9: "00008.arrows"}
    for number, name in paths.items():
        files.set(number, tmp_path / name)
    for number in range(12):
        assert files.path(number) == (tmp_path / paths[number] if number in paths else None)
    assert len(files) == 4


def bytes_each(count: int, make: Callable[[], object]) -> float:
    """What an object keeps in memory, for each of so many."""
    found = []
    for _ in range(4):  # The table of interned strings may grow during one of them.
        tracemalloc.start()
        try:
            made = make()
            gc.collect()
            found.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        assert made is not None
        del made
    return min(found) / count


def test_units_and_results_take_no_object_each(by_file, tmp_path):
    units, count = by_file[1], 3000
    assert len(units) > 5
    many = [units for _ in range(count // len(units))]
    assert bytes_each(count, lambda: Units.of(many)) < 100
    form = ScoreForm()

    def scores() -> Iterator[ShardScores]:
        for number in range(count):
            place = Place(tmp_path, f"{number:05d}", "print")
            yield ShardScores(number, number, text_bytes=number, form=form, place=place)

    assert bytes_each(count, lambda: UnitScores(scores())) < 150


def test_the_status_of_a_run_holds_no_markers(tmp_path):
    count = 300
    for number in range(count):
        result = {"rows": number, "skipped": [[]] if number == 7 else []}
        marker = {"fingerprint": "print", "files": {".arrow": "0" * 64}, "result": result}
        write_sealed(tmp_path / f"{number:05d}.json", marker, durable=False)
    found = _Markers(tmp_path, "", "print")
    assert sorted(found.numbers.tolist()) == list(range(count))
    assert found.skipped == 1
    assert bytes_each(count, lambda: _Markers(tmp_path, "", "print")) < 100
