"""The draw of a planned run, made by its workers together: the same to the last bit."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import dsir
from dsir.engine import LocalEngine
from dsir.run.shared_engine import SharedEngine, _word
from dsir.run.shared_tasks import Share
from dsir.sampling import KeyRule
from dsir.settings.budget import Budget
from dsir.settings.draw import DrawSettings
from dsir.stages import draw_apart as module
from dsir.stages import rank_search
from dsir.stages.draw import draw
from dsir.stages.draw_apart import draw_apart
from dsir.stages.draw_note import can_note, draw_of, note_of
from dsir.stages.draw_results import load_result
from dsir.stages.drawn import Draw, TargetDraw
from dsir.stages.duplicates import layout
from dsir.stages.duplicates.matches import match_range
from dsir.stages.duplicates.search import DuplicateSearch
from dsir.stages.score_table import ScoreForm, Scores
from dsir.stages.shard_scores import ShardScores
from dsir.storage.place import Place
from dsir.storage.workdir import Workdir
from dsir.storage.workers import Worker

CALLS = {
    "n": ("--n", 40, "--length", "mean", "--temperature", "0.1"),
    "tokens": ("--tokens", 4000, "--shard-size", "8k"),
    "windows": ("--n", 60, "--chunk-tokens", 30),
    "filters": ("--fraction", "10%", "--filters", "min_words=30"),
    "exact": ("--n", 40, "--dedup", "exact", "--temperature", "0.1"),
    "near": ("--tokens", 4000, "--dedup", "near", "--filters", "min_words=30"),
    "max-per": ("--n", 40, "--max-per", "domain=0.4"),
    "group-by": ("--tokens", 900, "--group-by", "domain", "--dedup", "exact"),
}
SETTINGS = ("--min-tokens", 20)


def stored(folder, rows, columns, seed):
    """Scores of units of many sizes, in files."""
    noise = np.random.default_rng(seed)
    form, units, left = ScoreForm(columns), [], rows
    while left:
        size = min(left, int(noise.choice([0, 7, 900, 70_000])))
        left -= size
        weights = noise.normal(-40, 12, (columns, size))
        whole = noise.integers(0, 400, (2, size), dtype=np.uint32)
        place = Place.at(folder / f"{len(units):05d}", "print", durable=False)
        with place.file(".arrow") as file, pa.ipc.new_file(file, form.schema) as writer:
            writer.write_batch(Scores(weights, *whole).to_batch())
        place.finish({})
        units.append(ShardScores(rows=size, documents=size, form=form, place=place))
    return units


@pytest.mark.parametrize(
    ("budget", "rule", "columns"),
    [({"n": 5000}, KeyRule(3), 1), ({"tokens": 900_000}, KeyRule(1, "resample", 0.05), 2)],
)
def test_every_worker_finds_the_draw_of_one_process(budget, rule, columns, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_MOST_RUNS", 1)
    (tmp_path / "scores").mkdir()
    units = stored(tmp_path / "scores", 300_000, columns, 5)
    settings = DrawSettings(budget=Budget(**budget), rule=rule, min_tokens=40)
    shares = [1.0] if columns == 1 else [0.25, 0.75]
    expected = draw(units, settings, shares, 1)
    found: list[Draw] = []
    done: list[int] = []

    def work(part):
        folder = Workdir(tmp_path / "work", {}, {}, durable=False)
        worker = Worker(tmp_path / "work")
        with worker.at_work():
            engine = SharedEngine(folder, worker, Share(part, 3), LocalEngine(1))
            found.append(draw_apart(units, settings, shares, engine, checks=True))
            done.append(worker.units)

    Workdir(tmp_path / "work", {}, {}, durable=False)
    threads = [threading.Thread(target=work, args=(part,)) for part in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 3
    # Every task was done once: what another has done is there when a worker comes to it.
    results = list((tmp_path / "work").glob("*-*.json"))
    assert sum(done) == len(results)


@pytest.fixture
def planned(invoke_dsir, target, tmp_path, monkeypatch):
    """A function: plans a selection that workers draw together, in spite of its size."""
    monkeypatch.setattr("dsir.run.work._APART_ROWS", 1)
    monkeypatch.setattr(rank_search, "_FEW", 10)

    def plan(raw, *options):
        call = [*raw, "-t", target, *SETTINGS, *options]
        done = invoke_dsir("plan", *call, "-o", "out", "--workdir", "work", "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stderr

    return plan


@pytest.mark.parametrize("name", CALLS)
def test_the_bytes_are_those_of_select_and_finishing_reads_no_scores(
    name, invoke_dsir, planned, parquet, jsonl, target, tmp_path, contents, monkeypatch
):
    raw, options = [*parquet, *jsonl], CALLS[name]
    planned(raw, *options)
    for part in ("1/2", "0/2"):
        done = invoke_dsir("work", "work", "--part", part, "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert list((tmp_path / "work" / "draw").glob("a-*.json"))

    def read(path, form):
        raise AssertionError(f"{path} was read")

    with monkeypatch.context() as patched:
        patched.setattr("dsir.stages.shard_scores.read_scores", read)
        for unit in (tmp_path / "work" / "scores").glob("*.arrow"):
            unit.rename(unit.with_suffix(".away"))
        done = invoke_dsir("finish", "work", "-q", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = invoke_dsir("select", *raw, "-t", target, *SETTINGS, *options, "-o", "b", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == contents(tmp_path / "b")


@pytest.mark.parametrize(
    "options",
    [
        (
            *("--n", 40, "--dedup", "near", "--allow-fewer"),
            *("--max-per", "domain=0.5,id=1"),
        ),
        ("--n", 30, "--dedup", "exact", "--method", "coverage"),
    ],
    ids=["quotas", "coverage"],
)
def test_duplicates_are_found_together_for_a_draw_by_one(
    options, invoke_dsir, planned, parquet, target, tmp_path, contents, monkeypatch
):
    planned(parquet, *options)

    def alone(*_):
        raise AssertionError("one process looked for duplicates")

    monkeypatch.setattr("dsir.run.duplicates.find_repeats", alone)
    for step in ("work", "finish"):
        done = invoke_dsir(step, "work", "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    found = {path.name for path in (tmp_path / "work" / "duplicates").iterdir()}
    assert found == {"manifest.json", "marks-00000.json", "marks-00000.npy"}
    monkeypatch.undo()
    done = invoke_dsir(
        "select", *parquet, "-t", target, *SETTINGS, *options, "-o", "b", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == contents(tmp_path / "b")


def test_a_worker_that_is_late_finds_the_duplicates_found(
    invoke_dsir, planned, parquet, tmp_path, monkeypatch
):
    """The slices that it is about to read are gone, because others have finished the search."""
    planned(parquet, *CALLS["exact"])
    search = "dsir.stages.duplicates.search"

    def late(task, progress):
        # Others do all that is left, and remove what they need no more.
        monkeypatch.setattr(f"{search}.match_range", match_range)
        match_range(task, progress)
        folder = task.place.folder
        (folder / "marks-00000.json").write_bytes(marked[0])
        (folder / "marks-00000.npy").write_bytes(marked[1])
        for path in folder.glob("*.slices"):
            path.unlink()
        task.place.path(".json").unlink()
        match_range(task, progress)

    assert invoke_dsir("work", "work", "-q", cwd=tmp_path).returncode == 0
    folder = tmp_path / "work" / "duplicates"
    marked = [(folder / f"marks-00000{end}").read_bytes() for end in (".json", ".npy")]
    for name in ("marks-00000.json", "marks-00000.npy"):
        (folder / name).unlink()
    (tmp_path / "work" / "drawn.json").unlink()
    monkeypatch.setattr(f"{search}.match_range", late)
    monkeypatch.setattr(DuplicateSearch, "remove_slices", lambda _: None)
    for step in ("work", "finish"):
        done = invoke_dsir(step, "work", "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_workers_that_are_killed_in_a_draw_with_quotas_lose_their_tasks_only(
    invoke_dsir, planned, parquet, jsonl, target, tmp_path, contents, monkeypatch
):
    raw, options = [*parquet, *jsonl], ("--n", 40, "--max-per", "domain=0.4")
    planned(raw, *options)
    assert invoke_dsir("work", "work", "--until", "score", "-q", cwd=tmp_path).returncode == 0
    found = tmp_path / "work" / "draw"

    _work_with_kills(found, _SMALL_PIECES, until=60, more=10)
    assert invoke_dsir("finish", "work", "-q", cwd=tmp_path).returncode == 0
    done = invoke_dsir("select", *raw, "-t", target, *SETTINGS, *options, "-o", "b", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == contents(tmp_path / "b")


def _work_with_kills(found: Path, program: str, *, until: int, more: int) -> None:
    """Let two workers at a time work, and kill them when `found` has `more` results than before.

    From `until` results on, one worker does the rest.
    """

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", program, "work", "work", "--threads", "1", "-q"]
        return subprocess.Popen(command, cwd=found.parents[1])

    def results() -> int:
        return len(list(found.glob("*-*.json")))

    killed, before = 0, 0
    while before < until:
        workers = [start(), start()]
        while results() < before + more and workers[0].poll() is None:
            time.sleep(0.002)
        assert workers[0].poll() in (None, 0)
        before = results()
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
            killed += worker.wait() == -signal.SIGKILL
    assert killed > 2
    assert start().wait() == 0
    assert not list(found.glob("*.slices"))


_SMALL_PIECES = """
import runpy, sys
import dsir.run.work as work
from dsir.stages import draw_apart, rank_search
from dsir.stages.group_search import search
work._APART_ROWS, rank_search._FEW, search._MOST = 1, 10, 20
draw_apart.RUN_ROWS, draw_apart._MOST_RUNS = 64, 1
sys.argv[0] = "dsir"
runpy.run_module("dsir", run_name="__main__")
"""

_SMALL_TASKS = """
import runpy, sys
import dsir.run.work as work
from dsir.stages.duplicates import layout
work._APART_ROWS, layout._LEAST, layout._SLICE, layout.RUN_ROWS = 1, 60, 2, 64
sys.argv[0] = "dsir"
runpy.run_module("dsir", run_name="__main__")
"""


def test_workers_that_are_killed_in_a_search_lose_their_tasks_only(
    invoke_dsir, planned, parquet, jsonl, target, tmp_path, contents, monkeypatch
):
    for name, value in {"_LEAST": 60, "_SLICE": 2, "RUN_ROWS": 64}.items():
        monkeypatch.setattr(layout, name, value)
    raw, options = [*parquet, *jsonl], ("--n", 40, "--dedup", "near")
    planned(raw, *options)
    found = tmp_path / "work" / "duplicates"

    _work_with_kills(found, _SMALL_TASKS, until=12, more=3)
    assert invoke_dsir("finish", "work", "-q", cwd=tmp_path).returncode == 0
    done = invoke_dsir("select", *raw, "-t", target, *SETTINGS, *options, "-o", "b", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == contents(tmp_path / "b")


def test_damaged_scores_are_found_before_they_are_drawn_from(
    invoke_dsir, planned, parquet, tmp_path
):
    planned(parquet, *CALLS["n"])
    assert invoke_dsir("work", "work", "--until", "score", "-q", cwd=tmp_path).returncode == 0
    path = tmp_path / "work" / "scores" / "00001.arrow"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = invoke_dsir("work", "work", "-q", cwd=tmp_path)
    assert done.returncode != 0
    assert "00001.arrow: is damaged: its checksum does not match" in done.stderr
    path.with_suffix(".json").unlink()
    for step in ("work", "finish"):
        assert invoke_dsir(step, "work", "-q", cwd=tmp_path).returncode == 0


def test_a_damaged_result_of_the_draw_is_found(invoke_dsir, planned, parquet, tmp_path):
    planned(parquet, *CALLS["n"])
    assert invoke_dsir("work", "work", "--until", "sample", "-q", cwd=tmp_path).returncode == 0
    (tmp_path / "work" / "drawn.json").unlink()
    (tmp_path / "work" / "draw" / "b-00000.npy").write_bytes(b"")
    done = invoke_dsir("work", "work", "-q", cwd=tmp_path)
    assert done.returncode != 0
    assert "draw/b-00000.npy: is damaged" in done.stderr


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.zeros((3, 2)), "bins"),
        (np.zeros((2, 2), np.uint64), "candidates"),
        (np.zeros(3, np.uint64), "bins"),
        (np.zeros((1, 1, 2), np.int64), "sums"),
        (np.zeros((3, 2), np.uint64), "other"),
    ],
)
def test_results_of_another_kind_are_damage(array, kind, tmp_path):
    place = Place.at(tmp_path / "a-00000", "print", durable=False)
    with place.file(".npy") as file:
        np.save(file, array)
    place.finish({"kind": kind})
    with pytest.raises(dsir.WorkdirError, match="is damaged"):
        load_result(place)


@pytest.mark.parametrize(
    "result",
    [{}, {"greatest": [[1]]}, {"greatest": [], "rows": 1, "filtered": [1]}, {"greatest": 3}],
)
def test_a_survey_that_is_none_is_damage(result, tmp_path):
    place = Place.at(tmp_path / "a-00000", "print", durable=False)
    place.finish(result)
    with pytest.raises(dsir.WorkdirError, match="is damaged"):
        load_result(place)


DRAWN = Draw(
    *(9, 7, 700, 2100, 0, {"too_short": 2}, (1,) + (0,) * 254),
    targets=(
        TargetDraw(
            KeyRule(3),
            dsir.sampling.Threshold((1 << 64) - 1, (1 << 64) - 2, 3, 4, 5),
            float(np.nextafter(3.1, 4)),
        ),
    ),
    total=9,
)
HOW = DrawSettings(budget=Budget(n=3), rule=KeyRule(3), min_tokens=40)


def test_a_draw_is_exact_as_json():
    assert can_note(DRAWN)
    assert draw_of(json.loads(json.dumps(note_of(DRAWN))), HOW, 1) == DRAWN


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {**note_of(DRAWN), "rows": -1},
        {**note_of(DRAWN), "rows": True},
        {**note_of(DRAWN), "filtered": [0]},
        {**note_of(DRAWN), "passed_over": {"a": "b"}},
        {**note_of(DRAWN), "targets": []},
        {**note_of(DRAWN), "targets": [3]},
        {**note_of(DRAWN), "targets": [{**note_of(DRAWN)["targets"][0], "key": 1 << 64}]},
        {**note_of(DRAWN), "targets": [{**note_of(DRAWN)["targets"][0], "key": None}]},
    ],
)
def test_what_is_no_draw_is_drawn_again(wrong):
    assert draw_of(wrong, HOW, 1) is None
    assert draw_of(note_of(DRAWN), HOW, 2) is None


def test_words_for_numbers_differ():
    words = [_word(number) for number in range(2000)]
    assert len(set(words)) == 2000
    assert words[:2] == ["a", "b"]
    assert words[26] == "aa"
