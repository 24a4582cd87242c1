"""Duplicates found by tasks are those that one process finds, for any cut, memory and restart."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir import _core
from dsir.engine import LocalEngine
from dsir.run.shared_tasks import Share, SharedTasks
from dsir.sampling import KeyRule
from dsir.settings.budget import Budget
from dsir.settings.draw import DrawSettings
from dsir.stages import draw_apart as draws
from dsir.stages import rank_search
from dsir.stages.draw import draw
from dsir.stages.draw_apart import can_draw_apart, draw_apart
from dsir.stages.duplicates import layout as layouts
from dsir.stages.duplicates.layout import Layout, hashes_a_row, ranges_of
from dsir.stages.duplicates.search import DuplicateSearch
from dsir.stages.duplicates.slices import SUFFIX, read_slice, slices_at
from dsir.stages.repeats import find_repeats
from dsir.stages.score_table import ScoreForm, Scores
from dsir.stages.shard_scores import ShardScores
from dsir.stages.unit_scores import UnitScores
from dsir.storage.place import Place
from dsir.storage.workdir import Workdir
from dsir.storage.workers import Worker

BANDS = _core.MINHASH_BANDS
HOW = DrawSettings(budget=Budget(n=50), rule=KeyRule(3), min_tokens=40, dedup="exact")


def stored(
    folder: Path, sizes: list[int], dedup: str, seed: int, *, filters: bool, columns: int = 1
) -> list[ShardScores]:
    """Scores of units of these sizes in files, with texts from a few, so that many are the same."""
    noise = np.random.default_rng(seed)
    near = dedup == "near"
    form = ScoreForm(columns, reasons=filters, content=not near, bands=BANDS if near else 0)
    texts = max(1, int(sum(sizes) * noise.choice([0.01, 0.5, 3])))
    hashes = noise.integers(0, 1 << 64, (BANDS, texts), dtype=np.uint64)
    hashes[0, 0] = (0, 1, (1 << 64) - 1)[seed % 3]  # The edges.
    units = []
    folder.mkdir(exist_ok=True)
    for number, size in enumerate(sizes):
        text = noise.integers(0, texts, size)
        keys = hashes[:, text]
        # Near duplicates share some bands, and are not all near each other.
        keys = np.where(noise.random((BANDS, size)) < 0.1, noise.permutation(keys.T).T, keys)
        scores = Scores(
            np.round(noise.normal(-4, 3, (columns, size))),
            noise.integers(0, 90, size, dtype=np.uint32),
            noise.integers(0, 900, size, dtype=np.uint32),
            noise.integers(0, 3, size, dtype=np.uint8) if filters else None,
            content=None if near else np.ascontiguousarray(keys[0]),
            bands=np.ascontiguousarray(keys) if near else None,
        )
        place = Place.at(folder / f"{number:05d}", "print", durable=False)
        with place.file(".arrow") as file, pa.ipc.new_file(file, form.schema) as writer:
            rows = 70 if size < 1000 else 30_000
            for first in range(0, size, rows):
                writer.write_batch(scores.at(slice(first, first + rows)).to_batch())
        place.finish({})
        units.append(ShardScores(rows=size, documents=size, form=form, place=place))
    return units


def bits_of(unit: ShardScores) -> list[int]:
    packed = unit.repeated if unit.marks is None else unit.marks.packed(unit.rows)
    at = 0 if unit.marks is None else unit.marks.offset
    assert packed is not None
    return np.unpackbits(packed, bitorder="little")[at : at + unit.rows].tolist()


def run(search: DuplicateSearch, engine: LocalEngine) -> None:
    for step in search.steps():
        list(engine.run(step.stage, step.tasks, lambda _: None))


@pytest.fixture
def small(monkeypatch):
    """Pieces of 64 rows at least, and ranges of few hashes."""
    monkeypatch.setattr(layouts, "RUN_ROWS", 64)
    monkeypatch.setattr(layouts, "_LEAST", 90)
    monkeypatch.setattr(layouts, "_SLICE", 3)
    return


@pytest.mark.usefixtures("small")
@given(
    sizes=st.lists(st.sampled_from([0, 1, 7, 64, 100, 300]), min_size=1, max_size=7),
    dedup=st.sampled_from(["exact", "near"]),
    seed=st.integers(0, 1 << 30),
    filters=st.booleans(),
    most=st.sampled_from([None, 1, 50, 400]),
    threads=st.sampled_from([1, 3]),
    held=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_rows_are_those_that_one_process_finds(
    sizes, dedup, seed, filters, most, threads, held, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("search")
    units = stored(folder / "scores", sizes, dedup, seed, filters=filters)
    how = replace(HOW, dedup=dedup)
    one: Any = list(units)
    find_repeats(one, how, 1 << 20)
    search = DuplicateSearch(units, how, Workdir(folder / "work", {}, {}, durable=False), most)
    run(search, LocalEngine(threads))
    assert search.is_done
    search.remove_slices()
    assert not list((folder / "work").glob(f"*{SUFFIX}"))
    apart: Any = list(units) if held else UnitScores(units)
    search.marked(apart)
    assert [bits_of(unit) for unit in apart] == [bits_of(unit) for unit in one]
    assert [unit.duplicates for unit in apart] == [unit.duplicates for unit in one]
    assert [table.repeated.tolist() for unit in apart for table in unit.batches()] == [
        table.repeated.tolist() for unit in one for table in unit.batches()
    ]


@pytest.mark.parametrize("dedup", ["exact", "near"])
@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("budget", [{"n": 60}, {"tokens": 3000}])
def test_the_draw_is_that_of_one_process(dedup, columns, budget, tmp_path, monkeypatch):
    monkeypatch.setattr(rank_search, "_FEW", 10)
    monkeypatch.setattr(draws, "_MOST_RUNS", 2)
    monkeypatch.setattr(layouts, "_LEAST", 60_000)
    sizes = [100_000, 0, 7, 70_000, 64]
    units = stored(tmp_path / "scores", sizes, dedup, 5, filters=True, columns=columns)
    how = replace(HOW, dedup=dedup, budget=Budget(**budget), min_tokens=20)
    shares = [1 / columns] * columns
    one: Any = list(units)
    find_repeats(one, how, 1 << 20)
    assert not can_draw_apart(one, how)
    expected = draw(one, how, shares, 1)
    search = DuplicateSearch(units, how, Workdir(tmp_path / "work", {}, {}, durable=False), None)
    run(search, LocalEngine(2))
    apart = UnitScores(units)
    search.marked(apart)
    assert can_draw_apart(apart, how)
    assert draw(apart, how, shares, 2) == expected
    assert draw_apart(apart, how, shares, LocalEngine(2), checks=True) == expected
    assert expected.duplicates == sum(unit.duplicates for unit in apart) > 100


@pytest.mark.usefixtures("small")
def test_a_search_goes_on_where_it_was_stopped(tmp_path):
    """It dies after each number of tasks, and each time does only what is left."""
    units = stored(tmp_path / "scores", [300, 300], "exact", 5, filters=False)
    one: Any = list(units)
    find_repeats(one, HOW, 1 << 20)
    folder = Workdir(tmp_path / "work", {}, {}, durable=False)
    done: list[str] = []

    def names() -> set[str]:
        return {path.name for path in (tmp_path / "work").glob("*-*.json")}

    while True:
        search = DuplicateSearch(units, HOW, folder, None)
        if search.is_done:
            break
        before = names()
        for step in search.steps():
            for task in step.tasks:
                if not task.place.is_marked():
                    step.stage(task, lambda _: None)
                    done.append(task.place.name)
                    break
            else:
                continue
            break
        assert len(names() - before) == 1
    assert len(done) == len(set(done)) > 12
    search.marked(units)
    assert [bits_of(unit) for unit in units] == [bits_of(unit) for unit in one]


@pytest.mark.usefixtures("small")
def test_workers_share_a_search(tmp_path):
    units = stored(tmp_path / "scores", [300, 64, 900, 5], "near", 2, filters=True)
    how = replace(HOW, dedup="near")
    one: Any = list(units)
    find_repeats(one, how, 1 << 20)
    Workdir(tmp_path / "work", {}, {}, durable=False)
    found: list[list[list[int]]] = []
    done: list[int] = []

    def work(part: int) -> None:
        folder = Workdir(tmp_path / "work", {}, {}, durable=False)
        worker = Worker(tmp_path / "work")
        with worker.at_work():
            mine: Any = list(units)
            most = (None, 50, 1000)[part]
            search = DuplicateSearch(mine, how, folder, most, checks=True)
            for step in search.steps():
                shared = SharedTasks(step.tasks, step.sizes, worker, Share(part, 3))
                shared.run(step.stage, LocalEngine(1), lambda _: None)
            search.marked(mine, counted=False)
            found.append([bits_of(unit) for unit in mine])
            done.append(worker.units)

    threads = [threading.Thread(target=work, args=(part,)) for part in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[bits_of(unit) for unit in one]] * 3
    assert sum(done) == len(list((tmp_path / "work").glob("*-*.json")))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("step", [0, 1, 2])
def test_damage_is_found(step, tmp_path):
    units = stored(tmp_path / "scores", [300, 300], "exact", 5, filters=False)
    search = DuplicateSearch(units, HOW, Workdir(tmp_path / "w", {}, {}, durable=False), None)
    for number, one in enumerate(search.steps()):
        if number == step + 1:
            break
        list(LocalEngine(1).run(one.stage, one.tasks, lambda _: None))
    place = one.tasks[0].place if step == 2 else list(search.steps())[step].tasks[1].place
    path = place.path(".npy" if step == 2 else SUFFIX)
    whole = path.read_bytes()

    def goes_on() -> None:
        if step == 2:
            place.finished()
            search.marked(units)
        else:
            run(search, LocalEngine(1))

    for at in (0, len(whole) // 2, len(whole) - 1):
        data = bytearray(whole)
        data[at] ^= 4
        path.write_bytes(data)
        with pytest.raises(dsir.WorkdirError, match="is damaged"):
            goes_on()
    path.unlink()
    with pytest.raises(dsir.WorkdirError, match="it is missing"):
        goes_on()
    if step == 2:
        with pytest.raises(dsir.WorkdirError, match="has gone"):
            search.marked(units)


@given(slices=st.lists(st.binary(max_size=40), max_size=8))
@settings(deadline=None)
def test_slices_come_out_as_they_went_in(slices, tmp_path_factory):
    place = Place.at(tmp_path_factory.mktemp("slices") / "a-00000", "print", durable=False)
    with slices_at(place) as write:
        for one in slices:
            half = len(one) // 2
            write(*(np.frombuffer(part, np.uint8) for part in (one[:half], one[half:])))
    assert [read_slice(place, at, len(slices)) for at in range(len(slices))] == slices
    with pytest.raises(dsir.WorkdirError, match="is damaged"):
        read_slice(place, 0, len(slices) + 100)
    os.truncate(place.path(SUFFIX), 5)
    with pytest.raises(dsir.WorkdirError, match="is damaged"):
        read_slice(place, 0, 1)


@given(
    hashes=st.lists(st.integers(0, (1 << 64) - 1), min_size=1),
    ranges=st.integers(1, 1 << 16),
    parts=st.integers(1, 50),
)
def test_ranges_are_cut_into_whole_parts(hashes, ranges, parts):
    found = np.array(hashes, np.uint64)
    numbers = ranges_of(found, ranges)
    assert int(numbers.max()) < ranges
    assert (ranges_of(found, ranges * parts) // np.uint64(parts) == numbers).all()


@pytest.mark.parametrize("dedup", ["exact", "near"])
@pytest.mark.parametrize("rows", [0, 1, 10**6, 10**9, 10**10, 10**12])
def test_the_cut_of_a_corpus(rows, dedup):
    cut = Layout.of(rows, dedup)
    hashes = rows * hashes_a_row(dedup)
    assert cut.pieces * cut.piece_rows >= rows
    assert cut.piece_rows % 8 == 0
    assert cut.piece_rows * hashes_a_row(dedup) < 1 << 25
    assert 1 <= cut.ranges < 1 << 16 or rows > 10**11
    if 0 < hashes <= 2 * 10**10:
        # A slice is long enough to be worth a request.
        assert hashes / (cut.pieces * cut.ranges) > 1000 or cut.pieces == 1
