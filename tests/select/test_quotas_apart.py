"""A draw with one quota column, made where the scores are, is that of one process to the bit."""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir.engine import LocalEngine
from dsir.errors import BudgetError
from dsir.progress import ignore
from dsir.sampling import KeyRule
from dsir.settings.budget import Budget
from dsir.settings.draw import DrawSettings
from dsir.settings.quotas import check_quotas
from dsir.stages import draw_apart as draws
from dsir.stages import rank_search
from dsir.stages.draw import draw
from dsir.stages.draw_apart import can_draw_apart, draw_apart
from dsir.stages.draw_note import can_note, draw_of, note_of
from dsir.stages.draw_results import StoredTask, load_result, run_stored
from dsir.stages.drawn import Draw
from dsir.stages.duplicates.search import DuplicateSearch
from dsir.stages.group_codes import write_names
from dsir.stages.group_search import search as searches
from dsir.stages.group_search import sums as summing
from dsir.stages.group_search.digits import group_digits_in_piece
from dsir.stages.group_search.slices import refused_in_range
from dsir.stages.group_search.sums import Sums
from dsir.stages.merged_groups import Groups, merge_groups
from dsir.stages.score_table import ScoreForm, Scores, in_runs
from dsir.stages.shard_scores import ShardScores
from dsir.storage.place import Place
from dsir.storage.workdir import Workdir

SHARES = {1: [1.0], 2: [0.25, 0.75], 3: [0.5, 0.0, 0.5]}


def stored(
    folder: Path,
    rows: int,
    groups: int,
    seed: int,
    *,
    columns: int = 1,
    ties: bool = False,
    copies: bool = False,
) -> list[ShardScores]:
    """Scores of units of many sizes in files, with groups of which some are large."""
    folder.mkdir(exist_ok=True)
    noise = np.random.default_rng(seed)
    form = ScoreForm(columns, groups=1, content=copies)
    units: list[ShardScores] = []
    left = rows
    while left:
        size = min(left, int(noise.choice([0, 1, 7, 90, 700])))
        left -= size
        weights = noise.normal(-4, 12, (columns, size))
        if ties:
            weights = np.round(weights / 20) * 20
        values = np.minimum(noise.zipf(1.4, size), groups).tolist()
        own = {value: code for code, value in enumerate(dict.fromkeys(values))}
        scores = Scores(
            weights,
            noise.integers(0, 400, size, dtype=np.uint32),
            noise.integers(0, 2000, size, dtype=np.uint32),
            content=noise.integers(0, rows, size, dtype=np.uint64) if copies else None,
            group_codes=np.array([[own[value] for value in values]], np.uint32).reshape(1, size),
        )
        place = Place.at(folder / f"{len(units):05d}", "print", durable=False)
        with place.file(".arrow") as file, pa.ipc.new_file(file, form.schema) as writer:
            writer.write_batch(scores.to_batch())
        write_names(place, [[json.dumps(f"host {value}") for value in own]])
        place.finish({})
        units.append(ShardScores(rows=size, documents=size, form=form, place=place))
    return units


def how(quotas: dict[str, Any], budget: dict[str, Any], **others: Any) -> DrawSettings:
    given = {"max_per": None, "group_by": None, **quotas}
    return DrawSettings(budget=Budget(**budget), quotas=check_quotas(**given), **others)


def refused(make: Any) -> Draw | str:
    try:
        return make()
    except BudgetError as error:
        return str(error)


def same(one: Draw | str, other: Draw | str) -> bool:
    """Whether two draws are the same to the last bit, with the ranks that close the groups."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other

    def bare(drawn: Draw) -> Draw:
        targets = tuple(replace(target, closings=()) for target in drawn.targets)
        return replace(drawn, targets=targets)

    def closings(drawn: Draw) -> list[bytes]:
        return [
            np.stack([closing.key, closing.not_row, closing.taken]).tobytes()
            for target in drawn.targets
            for closing in target.closings
        ]

    return bare(one) == bare(other) and closings(one) == closings(other)


def budgets(rows: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.builds(lambda n: {"n": n}, st.integers(1, rows)),
        st.sampled_from([{"fraction": share} for share in (0.01, 0.2, 0.7)]),
        st.sampled_from([{"tokens": tokens} for tokens in (1, 50, 300, 5000, rows * 90)]),
        st.sampled_from([{"bytes": size} for size in (300, 9000, rows * 500)]),
    )


QUOTAS: list[dict[str, Any]] = [
    {"group_by": "host"},
    *({"max_per": {"host": most}} for most in (1, 3, 20, 0.01, 0.1, 0.5, 1.0)),
]


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_the_draw_is_that_of_one_process(data):
    """Whatever is followed by digits and what is sorted, in whatever pieces, by 1 or 2 threads."""
    rows = data.draw(st.sampled_from([1, 30, 300, 2000]), "rows")
    columns = data.draw(st.sampled_from([1, 1, 2, 3]), "columns")
    run_rows = data.draw(st.sampled_from([16, 64, 1 << 16]), "run")
    ties, seed = data.draw(st.booleans(), "ties"), data.draw(st.integers(0, 1 << 20), "seed")
    groups = data.draw(st.sampled_from([1, 3, 30, 500]), "groups")
    settings = how(
        data.draw(st.sampled_from(QUOTAS), "quotas"),
        data.draw(budgets(rows), "budget"),
        rule=KeyRule(seed % 7, data.draw(st.sampled_from(["resample", "top-k", "random"]))),
        min_tokens=data.draw(st.sampled_from([0, 40, 200]), "least"),
        allow_fewer=data.draw(st.booleans(), "fewer"),
    )
    with pytest.MonkeyPatch.context() as patched, tempfile.TemporaryDirectory() as scratch:
        for module, name, values in (
            (searches, "_MOST", [1, 5, 40, 1 << 22]),
            (rank_search, "_FEW", [1, 20, 1 << 14]),
            (summing, "_DENSE", [0, 1 << 21]),
            (summing, "_WAITING", [1, 100]),
            (draws, "_MOST_RUNS", [1, 2, 64]),
        ):
            patched.setattr(module, name, data.draw(st.sampled_from(values), name))
        patched.setattr(draws, "RUN_ROWS", run_rows)
        for room in ("pieces", "survey"):
            patched.setattr(
                f"dsir.stages.{room}.in_runs", lambda some, form: in_runs(some, form, run_rows)
            )
        place = Path(scratch)
        units = stored(place / "scores", rows, groups, seed, columns=columns, ties=ties)
        known, shares = merge_groups(units, ("host",)), SHARES[columns]
        candidates = data.draw(st.sampled_from([3, 1 << 20]), "candidates")
        one = refused(lambda: draw(units, settings, shares, 1, known, candidates))
        folder = Workdir(place / "work", {}, {}, durable=False)
        engine = LocalEngine(data.draw(st.sampled_from([1, 2]), "threads"))
        other = refused(
            lambda: draw_apart(units, settings, shares, engine, groups=known, folder=folder)
        )
        assert same(other, one)
        assert not list((place / "work").glob("*.slices"))


def test_duplicates_are_left_out(tmp_path):
    units = stored(tmp_path / "scores", 3000, 40, 5, copies=True)
    known = merge_groups(units, ("host",))
    drawing = how({"max_per": {"host": 9}}, {"n": 150}, rule=KeyRule(2), dedup="exact")
    assert not can_draw_apart(units, drawing)  # Nobody has marked them.
    search = DuplicateSearch(
        units, drawing, Workdir(tmp_path / "marks", {}, {}, durable=False), None
    )
    for step in search.steps():
        for _ in LocalEngine(2).run(step.stage, step.tasks, ignore):
            pass
    search.marked(units)
    assert can_draw_apart(units, drawing)
    one = draw(units, drawing, [1.0], 1, known)
    assert one.duplicates > 500
    folder = Workdir(tmp_path / "work", {}, {}, durable=False)
    other = draw_apart(units, drawing, [1.0], LocalEngine(2), groups=known, folder=folder)
    assert same(other, one)


def test_several_columns_are_drawn_by_one_process(tmp_path):
    units = stored(tmp_path / "scores", 30, 3, 1)
    assert can_draw_apart(units, how({"max_per": {"a": 1}}, {"n": 3}, rule=KeyRule()))
    assert not can_draw_apart(
        units, how({"max_per": {"a": 1}, "group_by": "b"}, {"n": 3}, rule=KeyRule())
    )


class Counting(LocalEngine):
    """An engine that counts the numbers that come back from each stage.

    Attributes:
        numbers: by stage.
        followed: the groups that are followed by digits.
    """

    def __init__(self) -> None:
        super().__init__(1)
        self.numbers: Counter[str] = Counter()
        self.followed: list[int] = []

    def run(self, stage, tasks, progress):
        if stage is group_digits_in_piece and not self.followed:
            self.followed = tasks[0].followed.codes.tolist()
        for result in super().run(stage, tasks, progress):
            if isinstance(result, tuple):
                arrays = [one for one in result if isinstance(one, np.ndarray)]
                self.numbers[stage.__name__] += sum(map(len, arrays))
            yield result


def test_a_column_of_many_hosts_needs_no_histograms(tmp_path):
    """Groups with fewer documents than a task sorts send nothing but the rank that closes them."""
    units = stored(tmp_path / "scores", 20_000, 5000, 7)
    known = merge_groups(units, ("host",))
    drawing = how({"max_per": {"host": 2}}, {"n": 900}, rule=KeyRule(1), min_tokens=0)
    engine = Counting()
    folder = Workdir(tmp_path / "work", {}, {}, durable=False)
    drawn = draw_apart(units, drawing, [1.0], engine, groups=known, folder=folder)
    assert same(drawn, draw(units, drawing, [1.0], 1, known))
    assert "group_digits_in_piece" not in engine.numbers
    closed = int(np.count_nonzero(drawn.targets[0].closings[0].key))
    assert 0 < closed <= engine.numbers["refused_in_range"] / 3 < 5000


def test_large_groups_are_followed_and_small_ones_sorted(tmp_path, monkeypatch):
    monkeypatch.setattr(searches, "_MOST", 300)
    units = stored(tmp_path / "scores", 20_000, 100, 3)
    known = merge_groups(units, ("host",))
    drawing = how({"max_per": {"host": 0.02}}, {"n": 1000}, rule=KeyRule(1), min_tokens=0)
    engine = Counting()
    folder = Workdir(tmp_path / "work", {}, {}, durable=False)
    drawn = draw_apart(units, drawing, [1.0], engine, groups=known, folder=folder)
    assert same(drawn, draw(units, drawing, [1.0], 1, known))
    eligible = Counter[int]()
    for unit in units:
        for scores in unit.batches():
            eligible.update(scores.group_codes[0][scores.tokens > 0].tolist())
    large = [code for code, documents in eligible.items() if documents > 300]
    assert engine.followed == sorted(large)
    assert 3 < len(large) < 20
    closed = np.flatnonzero(drawn.targets[0].closings[0].key)
    assert engine.numbers["refused_in_range"] / 3 >= len(closed) > len(large)


@pytest.fixture
def drawn(tmp_path) -> tuple[Draw, DrawSettings]:
    units = stored(tmp_path / "scores", 2000, 30, 9, columns=2)
    drawing = how({"max_per": {"host": 0.1}}, {"tokens": 9000}, rule=KeyRule(4), allow_fewer=True)
    known = merge_groups(units, ("host",))
    # A value that JSON proper does not have.
    known = Groups(known.columns, [["NaN", *known.names[0][1:]]])
    return draw(units, drawing, [0.5, 0.5], 1, known), drawing


def test_a_draw_is_exact_as_json(drawn):
    one, drawing = drawn
    assert can_note(one)
    other = draw_of(json.loads(json.dumps(note_of(one), allow_nan=False)), drawing, 2)
    assert other is not None
    assert repr(other.groups) == repr(one.groups)
    assert same(replace(other, groups=()), replace(one, groups=()))


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.pop("groups"),
        lambda note: note.update(groups=[]),
        lambda note: note.update(groups=3),
        lambda note: note["groups"][0].update(column="lang"),
        lambda note: note["groups"][0].update(values=7),
        lambda note: note["groups"][0].update(most=[["1", -1, 2]]),
        lambda note: note["groups"][0].update(most=[["{", 1, 2]]),
        lambda note: note["targets"][0].update(closings=[]),
        lambda note: note["targets"][0].update(closings=["?"]),
        lambda note: note["targets"][1].update(closings=["AAAA"]),
        lambda note: note["targets"][1].pop("closings"),
    ],
)
def test_what_is_no_draw_is_drawn_again(drawn, change):
    one, drawing = drawn
    note = note_of(one)
    change(note)
    assert draw_of(note, drawing, 2) is None
    assert draw_of(note_of(one), how({}, {"n": 3}, rule=KeyRule(4)), 2) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from([0, 1 << 21]), st.sampled_from([1, 7, 1000]))
def test_sums(seed, dense, waiting):
    draw_from = random.Random(seed)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(summing, "_DENSE", dense)
        patched.setattr(summing, "_WAITING", waiting)
        sums, expected = Sums(50, 2), np.zeros((2, 50), np.int64)
        for _ in range(draw_from.randrange(9)):
            keys = np.array([draw_from.randrange(50) for _ in range(draw_from.randrange(20))], int)
            numbers = np.array(
                [[draw_from.choice([0, 0, 3, 1 << 40]) for _ in keys] for _ in range(2)], np.int64
            ).reshape(2, len(keys))
            sums.add(keys, numbers)
            for row, more in zip(expected, numbers, strict=True):
                np.add.at(row, keys, more)
        found, numbers = sums.result()
    assert found.tolist() == np.flatnonzero(expected.any(axis=0)).tolist()
    assert np.array_equal(numbers, expected[:, found])


def test_who_comes_late_finds_the_range_done(tmp_path, monkeypatch):
    """Others have finished the search, and have removed the slices that the task is reading."""
    units = stored(tmp_path / "scores", 600, 3, 2)
    known = merge_groups(units, ("host",))
    drawing = how({"max_per": {"host": 4}}, {"n": 9}, rule=KeyRule(1), min_tokens=0)
    folder = Workdir(tmp_path / "work", {}, {}, durable=False)
    ranges = []

    class Keeping(LocalEngine):
        def run(self, stage, tasks, progress):
            ranges.extend(tasks if stage is refused_in_range else ())
            return super().run(stage, tasks, progress)

    draw_apart(units, drawing, [1.0], Keeping(1), groups=known, folder=folder)
    place = folder.place("a-00000")
    with pytest.raises(dsir.WorkdirError, match="missing"):
        run_stored(StoredTask(refused_in_range, ranges[0], place), ignore)

    def late(task, progress):
        place.finish({"kind": "nothing"})
        return refused_in_range(task, progress)

    run_stored(StoredTask(late, ranges[0], place), ignore)
    assert load_result(place) is None
