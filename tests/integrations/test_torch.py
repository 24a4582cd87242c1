"""SelectedRows: a selection as rows for PyTorch, cut over ranks and workers."""

from __future__ import annotations

import importlib
import json
import pickle
import socket
import sys
import types
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir


@pytest.fixture
def torch_rows(monkeypatch):
    """The module, with the least of torch's interface where torch is not installed."""
    try:
        importlib.import_module("torch.utils.data")
    except ImportError:
        data = types.ModuleType("torch.utils.data")
        data.IterableDataset, data.get_worker_info = object, lambda: None
        distributed = types.ModuleType("torch.distributed")
        distributed.is_available = lambda: False
        torch, utils = types.ModuleType("torch"), types.ModuleType("torch.utils")
        torch.distributed = distributed
        for module in (torch, utils, data, distributed):
            monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.delitem(sys.modules, "dsir.integrations.torch", raising=False)
    yield importlib.import_module("dsir.integrations.torch")
    sys.modules.pop("dsir.integrations.torch", None)


@pytest.fixture(params=["parquet", "jsonl"])
def folder(request, tmp_path):
    rows = [{"body": f"ship number {n} and sea", "n": n} for n in range(53)]
    path = tmp_path / f"raw.{request.param}"
    if request.param == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=7)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    dsir.select(
        path,
        ["ship and sea"] * 9,
        target_text="text",
        text="body",
        n=50,
        min_tokens=1,
        shard_size=300,
        out=tmp_path / "selected",
        progress=False,
    )
    return tmp_path / "selected"


def test_all_rows_in_order(torch_rows, folder):
    selection = dsir.load(folder)
    assert len(selection.paths) > 2
    rows = list(torch_rows.SelectedRows(folder))
    assert [row["n"] for row in rows] == selection.rows.tolist()
    assert [row["log_weight"] for row in rows] == selection.log_weights.tolist()
    assert rows == list(torch_rows.SelectedRows(folder))


@pytest.mark.parametrize(("ranks", "workers"), [(1, 3), (4, 1), (3, 2), (60, 1)])
def test_ranks_and_workers_have_each_row_once(torch_rows, folder, monkeypatch, ranks, workers):
    def numbers(drop_last):
        found = []
        for rank in range(ranks):
            mine = []
            for worker in range(workers):
                info = types.SimpleNamespace(id=worker, num_workers=workers)
                monkeypatch.setattr(torch_rows, "get_worker_info", lambda info=info: info)
                dataset = torch_rows.SelectedRows(
                    folder, columns=["n"], rank=rank, world_size=ranks, drop_last=drop_last
                )
                mine += [row["n"] for row in dataset]
            found.append(mine)
        return found

    every = dsir.load(folder).rows.tolist()
    all_rows = numbers(False)
    assert [n for mine in all_rows for n in mine] == every
    sizes = {len(mine) for mine in all_rows}
    assert max(sizes) - min(sizes) <= 1
    assert {len(mine) for mine in numbers(True)} == {len(every) // ranks}


def test_a_reader_opens_only_the_files_of_its_stretch(torch_rows, folder):
    last = dsir.load(folder).paths[-1]
    last.unlink()
    half = torch_rows.SelectedRows(folder, rank=0, world_size=2)
    assert len(list(half)) == 25
    with pytest.raises(dsir.InputError):
        list(torch_rows.SelectedRows(folder, rank=1, world_size=2))


def test_what_cannot_be(torch_rows, folder, tmp_path):
    rows = torch_rows.SelectedRows
    with pytest.raises(dsir.OutputError):
        rows(tmp_path / "nothing")
    with pytest.raises(dsir.SettingError, match="give both, or neither"):
        rows(folder, rank=1)
    with pytest.raises(dsir.SettingError, match="rank=2"):
        rows(folder, rank=2, world_size=2)
    with pytest.raises(dsir.SettingError, match="drop_last='no'"):
        rows(folder, drop_last="no")
    for columns in ("text", 3, [], [3], ["n", None]):
        with pytest.raises(dsir.SettingError, match=r"columns=.*: expected a list of names"):
            rows(folder, columns=columns)
    with pytest.raises(dsir.SettingError, match=r"has no 'text'; it has body, log_weight, n"):
        list(rows(folder, columns=["text"]))


def test_a_spawned_worker_knows_the_rank(torch_rows, folder, monkeypatch):
    """Its process is in no process group, so the rank goes with the pickle."""
    monkeypatch.setattr(torch_rows, "_of_torch", lambda: (1, 2))
    every = dsir.load(folder).rows.tolist()
    dataset = torch_rows.SelectedRows(folder, columns=["n"])
    given = torch_rows.SelectedRows(folder, columns=["n"], rank=0, world_size=5)
    sent, sent_given = pickle.loads(pickle.dumps([dataset, given]))
    monkeypatch.setattr(torch_rows, "_of_torch", lambda: None)
    assert [row["n"] for row in sent] == every[25:]
    assert [row["n"] for row in sent_given] == every[:10]
    # Pickled before there is a process group, e.g. by torch.multiprocessing.spawn: not yet known.
    early = pickle.loads(pickle.dumps(dataset))
    monkeypatch.setattr(torch_rows, "_of_torch", lambda: (0, 2))
    assert [row["n"] for row in early] == every[:25]


def _ranks_rows(rank, folder, port, method, places):
    import torch.distributed as distributed
    from torch.utils.data import DataLoader

    from dsir.integrations.torch import SelectedRows

    place = f"tcp://127.0.0.1:{port}"
    distributed.init_process_group("gloo", init_method=place, rank=rank, world_size=2)
    rows = SelectedRows(folder, columns=["n"])
    loader = DataLoader(rows, batch_size=4, num_workers=2, multiprocessing_context=method)
    found = [number for batch in loader for number in batch["n"].tolist()]
    (places / f"{rank}.json").write_text(json.dumps(found))
    distributed.destroy_process_group()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_ranks_and_workers_of_torch_itself(folder, tmp_path, method):
    multiprocessing = pytest.importorskip("torch.multiprocessing")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(_ranks_rows, args=(folder, port, method, tmp_path), nprocs=2)
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert sorted(first + second) == dsir.load(folder).rows.tolist()
    assert (len(first), len(second)) == (25, 25)


def test_ranks_that_accelerate_divides_once_more(torch_rows, folder, monkeypatch):
    state = types.ModuleType("accelerate.state")
    state.PartialState = types.SimpleNamespace(_shared_state={})
    monkeypatch.setitem(sys.modules, "accelerate.state", state)
    monkeypatch.setattr(torch_rows, "_of_torch", lambda: (0, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(torch_rows.SelectedRows(folder))  # It is imported, and not in use.
        state.PartialState._shared_state["num_processes"] = 2
        list(torch_rows.SelectedRows(folder, rank=0, world_size=1))
    with pytest.warns(dsir.DsirWarning, match=r"give SelectedRows rank=0, world_size=1"):
        list(torch_rows.SelectedRows(folder))


def _written(tmp_path, rows, target=("ship and sea",) * 9, **settings):
    path = tmp_path / "raw.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = {"n": len(rows), "min_tokens": 1, "out": tmp_path / "selected", "progress": False}
    return dsir.select(path, target, **(given | settings))


def test_lines_without_a_field(torch_rows, tmp_path):
    _written(tmp_path, [{"text": f"ship {n}"} | ({"n": n} if n != 4 else {}) for n in range(9)])
    rows = torch_rows.SelectedRows(tmp_path / "selected")
    assert [row.get("n") for row in rows] == [0, 1, 2, 3, None, 5, 6, 7, 8]
    rows = torch_rows.SelectedRows(tmp_path / "selected", columns=["n"])
    with pytest.raises(dsir.SettingError, match=r"part-00000.jsonl: row 4 has no 'n'; it has log"):
        list(rows)


def test_lines_know_which_of_separate_targets_took_them(torch_rows, tmp_path):
    targets = {"sea": ["ship and sea"] * 9, "law": ["court of law"] * 9}
    texts = [{"text": f"{what} {n}"} for n in range(9) for what in ("ship and sea", "court of law")]
    settings = {"n": 4, "targets": "separate", "target_column": "goal"}
    selection = _written(tmp_path, texts, targets, **settings)
    rows = torch_rows.SelectedRows(tmp_path / "selected", columns=["goal"])
    wanted = [["sea", "law"][number] for number in selection.target]
    assert [row["goal"] for row in rows] == wanted
    assert set(wanted) == {"sea", "law"}


@pytest.mark.parametrize("line", [b'{"text": "shi', b'{"text": "shi\xffp"}', b"[]", b"3", b""])
def test_a_line_that_was_damaged_later(torch_rows, tmp_path, line):
    selection = _written(tmp_path, [{"text": f"ship {n}"} for n in range(9)])
    [path] = selection.paths
    lines = path.read_bytes().splitlines()
    lines[6] = line
    path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(dsir.InputError, match=r"part-00000\.jsonl"):
        list(torch_rows.SelectedRows(tmp_path / "selected"))
