"""SelectedRows: a selection as rows for PyTorch, cut over ranks and workers."""

from __future__ import annotations

import importlib
import json
import sys
import types

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
    with pytest.raises(dsir.SettingError, match="expected a list of names"):
        rows(folder, columns="text")
    with pytest.raises(dsir.SettingError, match=r"has no 'text'; it has body, log_weight, n"):
        list(rows(folder, columns=["text"]))
