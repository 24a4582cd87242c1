"""The engine of a Ray cluster: two nodes on this machine, with a core each."""

from __future__ import annotations

import _thread
import os
import pickle
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from engine_contract import EngineContract, Task, work

import dsir
from dsir.engine import LocalEngine, open_engine
from dsir.engine.ray import RayEngine

pytest.importorskip("ray")

from ray_cluster import SMALL, served_store, two_nodes

SETTINGS: dict[str, Any] = {
    "n": 30,
    "min_tokens": 20,
    "length": "mean",
    "temperature": 0.5,
    "shard_size": "3kB",
    "fit_tokens": "all",
    "progress": False,
}


@pytest.fixture(scope="module")
def store():
    """A bucket that all nodes see; None without moto."""
    with served_store() as url:
        yield url


@pytest.fixture(scope="module")
def cluster(store):
    with two_nodes() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def engine(cluster):
    return open_engine("ray")


class TestRayEngine(EngineContract):
    """The contract."""


def same(one: dsir.Selection, other: dsir.Selection) -> None:
    assert one.rows.tobytes() == other.rows.tobytes()
    assert one.log_weights.tobytes() == other.log_weights.tobytes()
    assert one.skipped == other.skipped


@pytest.mark.parametrize(
    "keywords",
    [
        {"chunk_tokens": 30, "filters": "min_words=5", "min_tokens": 10},
        {"dedup": "exact", "max_per": {"domain": 0.5}, "on_error": "skip"},
        {"dedup": "near", "allow_fewer": True},
        {"method": "coverage", "features": dsir.HashedNgrams(buckets=4000)},
    ],
    ids=["windows", "quotas", "near", "coverage"],
)
def test_selections_are_those_of_the_local_engine(
    engine, keywords, parquet, jsonl, target, tmp_path, contents
):
    raw = [*parquet, *jsonl]
    given = {**SETTINGS, **keywords, "workdir": tmp_path / "work"}
    far = dsir.select(raw, target, out=tmp_path / "far", engine="ray", **given)
    given["workdir"] = tmp_path / "other"
    local = dsir.select(raw, target, out=tmp_path / "local", threads=2, **given)
    same(far, local)
    assert contents(tmp_path / "far") == contents(tmp_path / "local")


@pytest.mark.parametrize("dedup", ["exact", "near"])
def test_duplicates_are_found_by_tasks(
    engine, dedup, parquet, jsonl, target, tmp_path, contents, monkeypatch
):
    raw = [*parquet, *jsonl]
    given = {**SETTINGS, "dedup": dedup}
    local = dsir.select(raw, target, out=tmp_path / "local", **given)

    def alone(*_: object) -> None:
        raise AssertionError("the driver looked for duplicates")

    monkeypatch.setattr("dsir.run.pipeline._APART_ROWS", 1)
    monkeypatch.setattr("dsir.run.duplicates._FEW_PASSES_OF_A_DRIVER", 0)
    monkeypatch.setattr("dsir.run.duplicates.find_repeats", alone)
    for name, value in {"_LEAST": 90, "_SLICE": 3, "RUN_ROWS": 64}.items():
        monkeypatch.setattr(f"dsir.stages.duplicates.layout.{name}", value)
    sizes: dict[str, list[int]] = {}

    class Watching(RayEngine):
        def run(self, stage, tasks, progress):
            sizes.setdefault(stage.__name__, []).extend(len(pickle.dumps(task)) for task in tasks)
            yield from super().run(stage, tasks, progress)

    work = tmp_path / "work"
    far = dsir.select(raw, target, out=tmp_path / "far", engine=Watching(2), workdir=work, **given)
    same(far, local)
    assert contents(tmp_path / "far") == contents(tmp_path / "local")
    assert {"partition_piece", "match_range", "mark_piece", "survey_piece"} <= sizes.keys()
    assert len(sizes["match_range"]) > 3 < len(sizes["mark_piece"])
    assert max(max(some) for name, some in sizes.items() if "score" not in name) < 4000


@pytest.mark.parametrize(
    ("keywords", "last"),
    [
        ({}, "digits_in_piece"),
        ({"method": "top-k", "fraction": 0.1, "n": None}, "digits_in_piece"),
        ({"max_per": {"domain": 0.4}}, "taken_of_piece"),
        ({"group_by": "domain", "n": 7, "dedup": "exact"}, "taken_of_piece"),
    ],
    ids=str,
)
def test_draws_of_many_rows_are_made_by_tasks(
    engine, keywords, last, parquet, jsonl, target, tmp_path, contents, monkeypatch
):
    raw, given = [*parquet, *jsonl], {**SETTINGS, "allow_fewer": True, **keywords}
    given = {name: value for name, value in given.items() if value is not None}
    if keywords.get("method") == "top-k":
        del given["temperature"]
    local = dsir.select(raw, target, out=tmp_path / "local", **given)

    def alone(*_: object) -> None:
        raise AssertionError("the driver read all scores")

    monkeypatch.setattr("dsir.run.pipeline.draw", alone)
    monkeypatch.setattr("dsir.run.pipeline._APART_ROWS", 1)
    monkeypatch.setattr("dsir.run.duplicates._FEW_PASSES_OF_A_DRIVER", 0)
    stages: set[str] = set()

    class Watching(RayEngine):
        def run(self, stage, tasks, progress):
            stages.add(stage.__name__)
            yield from super().run(stage, tasks, progress)

    work = tmp_path / "work"
    far = dsir.select(raw, target, out=tmp_path / "far", engine=Watching(2), workdir=work, **given)
    same(far, local)
    assert contents(tmp_path / "far") == contents(tmp_path / "local")
    assert {"survey_piece", last} <= stages
    assert (last == "taken_of_piece") == ({"slice_piece", "refused_in_range"} <= stages)
    assert not list((work / "groups").glob("*.slices"))


def test_a_draw_of_few_rows_is_no_stage(engine, parquet, target, tmp_path):
    stages: list[str] = []

    class Watching(RayEngine):
        def run(self, stage, tasks, progress):
            stages.append(stage.__name__)
            yield from super().run(stage, tasks, progress)

    far = dsir.select(parquet, target, engine=Watching(2), workdir=tmp_path / "work", **SETTINGS)
    same(far, dsir.select(parquet, target, **SETTINGS))
    assert "score_shard" in stages
    assert not {"survey_piece", "sizes_in_piece", "digits_in_piece"} & set(stages)


def test_languages_are_those_of_the_local_engine(engine, world, parquet, target, tmp_path):
    fasttext = pytest.importorskip("fasttext", reason="needs the wheel of fastText")
    lines = [
        f"__label__{row['domain']} {' '.join(row['text'].split())}\n"
        for row in world.rows
        if row["text"] and row["domain"]
    ]
    (tmp_path / "train.txt").write_text("".join(lines), encoding="utf-8")
    train = {"epoch": 5, "dim": 8, "thread": 1, "verbose": 0}
    trained = fasttext.train_supervised(str(tmp_path / "train.txt"), **train)
    trained.save_model(str(tmp_path / "topics.bin"))
    labels = {"language_column": "topic", "language_model": tmp_path / "topics.bin"}
    given = {**SETTINGS, **labels, "n": 3, "group_by": "topic", "allow_fewer": True}
    far = dsir.select(
        parquet, target, out=tmp_path / "far", engine="ray", workdir=tmp_path / "work", **given
    )
    local = dsir.select(parquet, target, out=tmp_path / "local", **given)
    same(far, local)
    columns = [[pq.read_table(path)["topic"] for path in one.paths] for one in (far, local)]
    assert columns[0] == columns[1]
    assert len({topic for column in columns[0] for topic in column.to_pylist()}) > 1


def test_workers_import_the_kernels_that_a_selection_needs(engine, tmp_path):
    pytest.importorskip("numba")
    from kernels_of_workers import in_pairs, of_distinct

    texts = [f"{'a ship' if i % 3 else 'a court'} of {i % 17} and {i % 5} sails" for i in range(99)]
    raw = tmp_path / "raw.parquet"
    pq.write_table(pa.table({"text": texts}), raw, row_group_size=20)
    given = {
        **{"n": 9, "min_tokens": 1, "features": dsir.HashedNgrams(tokenizer=in_pairs)},
        **{"scorer": of_distinct, "progress": False},
    }
    on_ray = {"engine": "ray", "workdir": tmp_path / "work"}
    target = dsir.texts(["a ship sails"] * 9)
    far = dsir.select(raw, target, out=tmp_path / "far", **given, **on_ray)
    same(far, dsir.select(raw, target, out=tmp_path / "local", **given))
    texts[70] = "a ship caf\u00e9"
    pq.write_table(pa.table({"text": texts}), raw, row_group_size=20)
    on_ray["workdir"] = tmp_path / "again"
    with pytest.raises(dsir.KernelError, match=r"row 70: tokenizer=in_pairs .*begins 'a ship caf"):
        dsir.select(raw, target, out=tmp_path / "none", **given, **on_ray)


OWN_CODE = """
import beside_it


def pieces(text):
    return beside_it.pieces(text)


class Length:
    def __call__(self, buckets, counts, log_ratio, tokens):
        return float(log_ratio[buckets].max()) - tokens


by_length = Length()
"""


def test_workers_import_the_file_that_an_option_names(engine, tmp_path, invoke_dsir, contents):
    """Under another path than the driver's, with what lies beside the file."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/own-code.py").write_text(OWN_CODE)
    (tmp_path / "mine/beside_it.py").write_text("def pieces(text):\n    return text.split('-')\n")
    texts = [f"{'a-ship' if i % 3 else 'a-court'}-of-{i % 17}-and-{i % 5}-sails" for i in range(99)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "raw.parquet", row_group_size=20)
    pq.write_table(pa.table({"text": ["a-ship-sails"] * 30}), tmp_path / "target.parquet")
    code = ("--tokenizer", "mine/own-code.py:pieces", "--scorer", "mine/own-code.py:by_length")
    words = ("select", "raw.parquet", "-t", "target.parquet", "--n", 9, "--min-tokens", 1, *code)
    far = (*words, "--engine", "ray", "--workdir", "work", "-o", "far", "-q")
    for call in (far, (*words, "-o", "local", "-q")):
        done = invoke_dsir(*call, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "far/data") == contents(tmp_path / "local/data")


def test_rows_are_put_aside_where_all_nodes_see_them(engine, world, target, tmp_path, contents):
    """And no gate begins anew with every task: less is put aside than there is."""
    rows = [{**row, "id": row["id"] + 600 * number} for number in range(6) for row in world.rows]
    tables = [pa.Table.from_pylist(rows[at : at + 300]) for at in range(0, len(rows), 300)]
    raw = [tmp_path / f"{number}.parquet" for number in range(len(tables))]
    for path, table in zip(raw, tables, strict=True):
        pq.write_table(table, path)
    put_aside: dict[str, int] = {}

    class Watching(RayEngine):
        def run(self, stage, tasks, progress):
            yield from super().run(stage, tasks, progress)
            for path in (tmp_path / "work" / "kept").glob("*.arrows"):
                put_aside[path.name] = path.stat().st_size

    given = {**SETTINGS, "shard_size": "256MB", "n": 20}
    far = dsir.select(
        raw, target, out=tmp_path / "far", engine=Watching(2), workdir=tmp_path / "work", **given
    )
    local = dsir.select(raw, target, out=tmp_path / "local", **given)
    same(far, local)
    assert contents(tmp_path / "far") == contents(tmp_path / "local")
    assert 0 < len(put_aside) <= len(raw)
    assert sum(put_aside.values()) < sum(table.nbytes for table in tables) / 2
    assert not (tmp_path / "work" / "kept").exists()


def test_a_work_directory_in_a_store(engine, store, parquet, target, tmp_path, contents):
    if store is None:
        pytest.skip("moto is not installed")
    work = f"{store}/work"
    far = dsir.select(parquet, target, out=tmp_path / "far", engine="ray", workdir=work, **SETTINGS)
    local = dsir.select(parquet, target, out=tmp_path / "local", **SETTINGS)
    same(far, local)
    assert contents(tmp_path / "far") == contents(tmp_path / "local")


def test_errors_come_back_whole(engine, tmp_path, target):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "a b c"}\n{"text": 5}\n', encoding="utf-8")
    given = {**SETTINGS, "min_tokens": 1, "n": 1, "workdir": tmp_path / "work"}
    with pytest.raises(dsir.RowError) as caught:
        dsir.select(bad, target, engine="ray", **given)
    assert (caught.value.path, caught.value.row) == (str(bad), 1)
    assert "ray" not in str(caught.value).lower()


def test_of_several_damaged_files_the_first_in_order_is_told(engine, tmp_path, target):
    good = '{"text": "the ship and the sea and the wind"}\n'
    for number in range(6):
        # The first of the damaged files is the longest, so another is found damaged before it.
        lines = 60_000 if number == 1 else 20
        broken = "{broken\n" if number else ""
        (tmp_path / f"{number}.jsonl").write_text(good * lines + broken, encoding="utf-8")
    given = {**SETTINGS, "min_tokens": 1, "workdir": tmp_path / "work"}
    with pytest.raises(dsir.RowError, match=r"1\.jsonl: row 60000 \(line 60001\)"):
        dsir.select(str(tmp_path / "*.jsonl"), target, engine="ray", **given)


def test_a_work_directory_is_needed(engine, parquet, target, tmp_path):
    with pytest.raises(dsir.SettingError, match=r"workdir: .* every node sees"):
        dsir.select(parquet, target, engine="ray", **SETTINGS)


def test_nodes_with_other_versions_are_refused(engine, parquet, target, tmp_path, monkeypatch):
    from dsir.engine import ray_tasks

    monkeypatch.setattr(ray_tasks, "versions", lambda: {"dsir": "9.9", "pyarrow": "1"})
    with pytest.raises(dsir.EngineError, match=r"node .*: has dsir .* where the driver has 9.9"):
        dsir.select(parquet, target, engine="ray", workdir=tmp_path / "w", **SETTINGS)
    # And those that join later.
    with pytest.raises(dsir.EngineError, match=r"node .*: has dsir .* where the driver has 9.9"):
        list(engine.run(work, [Task(0)], lambda _: None))
    assert not list((tmp_path / "w").glob(".probe*"))


def test_a_folder_that_a_node_does_not_see_is_refused(engine, tmp_path, monkeypatch):
    import ray

    from dsir.engine import ray_tasks

    def elsewhere(paths, token, reply):
        return ray_tasks.NodeReport("n1", ray_tasks.versions(), [str(token)], True, "")

    monkeypatch.setattr(engine, "_look_around", ray.remote(elsewhere))
    with pytest.raises(dsir.EngineError, match="node n1 does not see this folder"):
        engine.check(tmp_path, [])
    assert not list(tmp_path.iterdir())


def test_a_lost_node_costs_its_tasks_only(engine, cluster, tmp_path):
    node = cluster.add_node(**SMALL)
    engine._cores = (0.0, 1)
    tasks = [Task(number, delay=0.2) for number in range(24)]
    results = engine.run(work, tasks, lambda _: None)
    found = [next(results)]
    cluster.remove_node(node, allow_graceful=False)
    engine.check(tmp_path, [])  # Ray may still list the node.
    assert [*found, *results] == [number * number for number in range(24)]


def test_a_task_that_loses_its_workers_every_time_ends_the_run(engine):
    with pytest.raises(dsir.EngineError, match="a task lost its worker 4 times"):
        list(engine.run(die, [Task(0)], lambda _: None))


def die(task: Task, progress: Any) -> None:
    os._exit(1)


def test_the_tail_is_started_again(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(type(engine), "tail_seconds", 0.5)
    tasks = [Task(0, tmp_path), Task(1, tmp_path), Task(2, tmp_path)]
    assert list(engine.run(slow_once, tasks, lambda _: None)) == [0, 1, 2]


def slow_once(task: Task, progress: Any) -> int:
    """The first copy of task 2 never ends by itself."""
    assert task.folder is not None
    if task.number == 2:
        try:
            (task.folder / "first").touch(exist_ok=False)
        except FileExistsError:
            return 2
        while True:
            progress(0)
    return task.number


def test_models_travel_once_and_tasks_are_small(engine, parquet, target, tmp_path):
    from dsir.engine import ray_tasks

    sent: list[tuple[Any, Any]] = []

    class Recording(LocalEngine):
        shares_files = False
        needs_workdir = True

        def run(self, stage, tasks, progress):
            for task, result in zip(tasks, super().run(stage, tasks, progress), strict=True):
                sent.append((task, result))
                yield result

    dsir.select(parquet, target, engine=Recording(2), workdir=tmp_path / "w", **SETTINGS)
    put: list[Any] = []

    def put_once(value: Any) -> Any:
        put.append(value)
        return "ref"

    sizes = [
        (len(pickle.dumps(ray_tasks.packed(task, put_once))), len(pickle.dumps(result)))
        for task, result in sent
        if type(task).__name__ in ("CountTask", "ScoreTask", "SampleTask", "WriteTask")
    ]
    assert put
    assert max(max(pair) for pair in sizes) < 16_000


def test_read_only_results_are_merged(parquet, target, tmp_path, contents):
    """Arrays that come from Ray's store cannot be written to."""

    class ReadOnly(LocalEngine):
        def run(self, stage, tasks, progress):
            for result in super().run(stage, tasks, progress):
                for name in ("counts",):
                    counts = getattr(result, name, None)
                    if isinstance(counts, np.ndarray):
                        counts.flags.writeable = False
                yield result

    dsir.select(parquet, target, out=tmp_path / "a", engine=ReadOnly(2), **SETTINGS)
    dsir.select(parquet, target, out=tmp_path / "b", **SETTINGS)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("address", ["", 3])
def test_addresses_that_are_none(address):
    with pytest.raises(dsir.SettingError, match="ray_address"):
        open_engine("ray", None, address)
    with pytest.raises(dsir.SettingError, match="ray_address: is for engine='ray'"):
        open_engine("local", None, "10.0.0.1:6379")


def test_paths_of_the_driver_do_not_travel(tmp_path):
    """A mirror stands for the copy of the process that it comes to."""
    from dsir.remote import Mirror, RemotePath
    from dsir.storage.place import Place

    mirror = Mirror(tmp_path / "copy", RemotePath("s3://bucket/work/scores"))
    place = Place.at(mirror.local / "00007", "print", True, mirror)
    assert str(tmp_path).encode() not in pickle.dumps(place)
    there = pickle.loads(pickle.dumps(place))
    assert there.mirror.remote == mirror.remote
    assert there.stem.parent == there.mirror.local != mirror.local
    assert isinstance(there.stem, Path)
    assert (there.stem.name, there.fingerprint) == ("00007", "print")


def test_an_interrupt_that_meets_the_start_of_a_thread(monkeypatch):
    """The thread begins later than Ray's interrupt comes; the task has one outcome."""
    from dsir.engine import ray_tasks

    monkeypatch.setattr(ray_tasks, "is_told_to_stop", lambda run: False)
    start = threading.Thread.start
    late = []

    def interrupted_start(thread):
        if thread.name != "dsir-task" or late:
            start(thread)
            return

        def begin():
            time.sleep(0.2)
            thread.run()
            late[0].set()

        late.append(threading.Event())
        _thread.start_new_thread(begin, ())
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted_start)
    call = (lambda task, progress: task, [(0, 7)], ray_tasks.versions(), "run")
    found = ray_tasks.run_tasks(call)
    assert late[0].wait(60)
    assert [outcome.state for _, outcome in found] == ["stopped"]
