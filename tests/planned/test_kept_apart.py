"""Rows that workers keep while they score: the same bytes, without reading the input again."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dsir.sampling import KeyRule
from dsir.settings.budget import Budget
from dsir.settings.draw import DrawSettings
from dsir.stages.kept.apart import KeptApart
from dsir.stages.kept.gate import Gate, Keep
from dsir.stages.kept.named import is_whole, named_files
from dsir.stages.score_table import Scores

CALL = ("--n", 36, "--min-tokens", 20, "--length", "mean", "--temperature", "0.3", "-q")


@pytest.fixture
def shards(world, tmp_path):
    """Larger than the corpus of the other tests, so that 36 rows are few."""
    paths = []
    for number in range(6):
        rows = [{**row, "id": row["id"] + 600 * number} for row in world.rows]
        paths.append(tmp_path / f"raw-{number}.parquet")
        pq.write_table(pa.Table.from_pylist(rows), paths[-1], row_group_size=150)
    return paths


@pytest.fixture
def worked(invoke_dsir, target, tmp_path):
    """A function: plans a selection and works on it to the end of a stage."""

    def work(raw, until):
        call = [*raw, "-t", target, *CALL, "-o", "out", "--workdir", "work"]
        steps = [("plan", *call), ("work", "work", "--until", until, "-q")]
        for step in steps:
            done = invoke_dsir(*step, cwd=tmp_path)
            assert done.returncode == 0, done.stderr

    return work


@pytest.fixture
def finished(invoke_dsir, target, tmp_path, contents):
    """A function: finishes the selection, and checks its bytes against those of select()."""

    def finish(raw):
        done = invoke_dsir("finish", "work", "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert not (tmp_path / "work" / "kept").exists()
        call = [*raw, "-t", target, *CALL, "-o", "alone"]
        assert invoke_dsir("select", *call, cwd=tmp_path).returncode == 0
        assert contents(tmp_path / "out") == contents(tmp_path / "alone")

    return finish


def test_selected_rows_are_not_read_again(worked, finished, shards, taken, tmp_path):
    worked(shards, "score")
    assert len(named_files(tmp_path / "work" / "kept")) == 6
    worked(shards, "write")
    assert sum(taken) == 0
    finished(shards)


def test_the_number_of_rows_of_json_lines_is_known_from_the_fit(
    worked, finished, world, taken, tmp_path
):
    rows = [{**row, "id": row["id"] + 600 * number} for number in range(6) for row in world.rows]
    lines = replace(world, rows=rows).write_jsonl(tmp_path, [".jsonl"] * 6)
    worked(lines, "write")
    assert sum(json.loads((tmp_path / "work" / "fitted.json").read_text())["rows"]) == len(rows)
    assert sum(taken) == 0
    finished(lines)


def test_a_damaged_or_foreign_file_is_passed_over(worked, finished, shards, taken, tmp_path):
    worked(shards, "sample")
    kept = tmp_path / "work" / "kept"
    files = named_files(kept)
    damaged = bytearray(files.path(0).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    files.path(0).write_bytes(damaged)
    files.path(1).write_bytes(b"")
    files.path(2).unlink()
    (kept / "00099.arrows").write_bytes(b"no name of ours")
    assert [is_whole(files.path(number)) for number in (0, 1, 2, 3)] == [False, False, False, True]
    worked(shards, "write")
    assert sum(taken) > 0
    finished(shards)


def test_what_another_worker_has_seen_may_be_anything(worked, finished, shards, tmp_path):
    worked(shards, "fit")
    kept = tmp_path / "work" / "kept"
    kept.mkdir(exist_ok=True)
    lists = [[0, 5, 1], [1 << 40, 1, 1], [0, (1 << 64) - 1], [0, 1, (1 << 64) - 1], []]
    for number, values in enumerate(lists):
        np.save(kept / f"w{number}.seen.npy", np.array(values, np.uint64))
    np.save(kept / "floats.seen.npy", np.zeros(3))
    (kept / "empty.seen.npy").write_bytes(b"")
    worked(shards, "write")
    finished(shards)


def test_nothing_is_kept_on_a_disk_that_fills_up(worked, finished, shards, monkeypatch, tmp_path):
    worked(shards, "fit")
    usage = type("Usage", (), {"free": 1})
    monkeypatch.setattr("dsir.stages.kept.apart.shutil.disk_usage", lambda _: usage)
    worked(shards, "score")
    monkeypatch.undo()
    assert not named_files(tmp_path / "work" / "kept")
    finished(shards)


def _rows(count, seed):
    tokens = np.full(count, 9, np.uint32)
    return Scores(np.random.default_rng(seed).normal(0, 3, (1, count)), tokens, tokens)


def test_gates_that_exchange_let_through_what_one_gate_would(tmp_path, monkeypatch):
    """Four workers with a quarter of the rows each, against one with all of them."""
    monkeypatch.setattr("dsir.stages.kept.apart._EVERY", 0)
    settings = DrawSettings(Budget(n=100), KeyRule(), 1, False)

    def passed(workers, exchange):
        (tmp_path / f"{exchange}-{workers}").mkdir()
        gates = [Gate(settings, [100], 10**9) for _ in range(workers)]
        keepers = [
            KeptApart(tmp_path / f"{exchange}-{workers}", [Keep(gate, 0, tmp_path)], 0)
            for gate in gates
        ]
        found = 0
        for unit in range(200):
            worker = unit % workers
            found += len(gates[worker].may_be_selected(_rows(500, unit), 500 * unit))
            if exchange:
                keepers[worker]._exchange()
        return found

    alone, apart, together = passed(1, False), passed(4, False), passed(4, True)
    told = [path.name for path in (tmp_path / "True-4").iterdir()]
    assert len(told) == 4
    assert all(name.endswith(".seen.npy") for name in told)
    assert apart > 2 * alone
    assert together < 1.6 * alone


def test_a_copy_in_another_process_keeps_the_same_rows(tmp_path):
    gate = Gate(DrawSettings(Budget(n=10), KeyRule(), 1, False), [10], 10**9)
    keeps = [Keep(gate, 0, tmp_path), None, Keep(gate, None, tmp_path)]
    copied = pickle.loads(pickle.dumps(KeptApart(tmp_path, keeps, 0)))
    rows = []
    for number in range(4):
        with copied.keeping(number) as keep:
            rows.append(None if keep is None else (keep.corpus_row, keep.path.parent))
    assert rows == [(0, tmp_path), None, (None, tmp_path), None]
