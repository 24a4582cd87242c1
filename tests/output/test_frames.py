"""to_pandas() and to_polars(): the selected rows as a frame, from memory or from files."""

from __future__ import annotations

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir

SETTINGS = {"n": 40, "min_tokens": 20, "length": "mean", "progress": False}


def columns_of(frame) -> dict[str, list]:
    return {name: list(frame[name]) for name in frame.columns}


@pytest.fixture(params=["to_pandas", "to_polars"])
def method(request) -> str:
    pytest.importorskip(request.param.removeprefix("to_"))
    return request.param


def test_rows_in_memory(small_world, target, method):
    selection = dsir.select(small_world.table(), target, **SETTINGS)
    frame = getattr(selection, method)()
    assert type(frame).__module__.partition(".")[0] == method.removeprefix("to_")
    assert columns_of(frame)["id"] == selection.table["id"].to_pylist()
    assert columns_of(frame)["log_weight"] == selection.log_weights.tolist()


@pytest.mark.parametrize(("more", "several"), [({}, False), ({"shard_size": "5kB"}, True)])
def test_rows_in_files(parquet, target, tmp_path, method, more, several):
    made = dsir.select(parquet, target, out=tmp_path / "out", **more, **SETTINGS)
    assert (len(made.paths) > 1) is several
    expected = dsir.select(parquet, target, **SETTINGS).table
    for selection in (made, dsir.load(tmp_path / "out")):
        columns = columns_of(getattr(selection, method)())
        assert columns["id"] == expected["id"].to_pylist()
        assert columns["text"] == expected["text"].to_pylist()
        assert columns["log_weight"] == made.log_weights.tolist()


def test_two_columns_of_one_name(target, tmp_path):
    pytest.importorskip("pandas")
    names = ["text", "k", "k"]
    for path, first in ((tmp_path / "a.parquet", 0), (tmp_path / "b.parquet", 10)):
        texts = [f"word {number} and more" for number in range(first, first + 3)]
        columns = [pa.array(texts), pa.array([first] * 3), pa.array([-first] * 3)]
        pq.write_table(pa.Table.from_arrays(columns, names=names), path)
    made = dsir.select(
        str(tmp_path / "*.parquet"),
        target,
        out=tmp_path / "out",
        shard_size="60B",
        method="random",
        **{**SETTINGS, "n": 6, "min_tokens": 0},
    )
    assert len(made.paths) > 1
    frame = dsir.load(tmp_path / "out").to_pandas()
    assert list(frame.columns) == [*names, "log_weight"]
    assert frame.iloc[:, 1].tolist() == [0, 0, 0, 10, 10, 10]
    assert frame.iloc[:, 2].tolist() == [0, 0, 0, -10, -10, -10]


@pytest.mark.parametrize("labels", [range(100, 700, 2), [f"row {number}" for number in range(300)]])
@pytest.mark.parametrize("more", [{}, {"shard_size": "5kB"}])
def test_files_have_the_index_of_the_frame(target, tmp_path, labels, more):
    pandas = pytest.importorskip("pandas")
    raw = pandas.DataFrame({"text": [f"word {number} and more" for number in range(300)]}, labels)
    call = {**SETTINGS, "min_tokens": 0, "method": "random"}
    made = dsir.select(raw, target, out=tmp_path / "out", **more, **call)
    expected = raw.index[made.rows].tolist()
    for selection in (dsir.select(raw, target, **call), made, dsir.load(tmp_path / "out")):
        frame = selection.to_pandas()
        assert frame.index.tolist() == expected
        assert list(frame.columns) == ["text", "log_weight"]


def test_lines_become_columns_with_their_weights(jsonl, target, tmp_path, method):
    selection = dsir.select(jsonl, target, out=tmp_path / "out", **SETTINGS)
    lines = [
        json.loads(line) for path in selection.paths for line in path.read_bytes().splitlines()
    ]
    columns = columns_of(getattr(selection, method)())
    assert columns["text"] == [line["text"] for line in lines]
    assert columns["log_weight"] == selection.log_weights.tolist()


def test_a_field_that_only_some_files_have_is_null_elsewhere(target, tmp_path, method):
    for name, extra in (("a", {"only": 1}), ("b", {}), ("c", {"only": 2.5})):
        line = json.dumps({"text": f"the ship and the sail {name}", **extra}) + "\n"
        (tmp_path / f"{name}.jsonl").write_text(line * 20)
    given = {**SETTINGS, "n": 60, "min_tokens": 1, "shard_size": "500B"}
    raw = [tmp_path / f"{name}.jsonl" for name in "abc"]
    selection = dsir.select(raw, target, out=tmp_path / "out", **given)
    assert len(selection.paths) > 2
    found = columns_of(getattr(selection, method)())["only"]
    assert [one if one == one else None for one in found] == [1] * 20 + [None] * 20 + [2.5] * 20


def test_files_without_a_common_type(target, tmp_path, method):
    for name, value in (("a", [1]), ("b", {"x": 1})):
        line = json.dumps({"text": f"the ship and the sail {name}", "field": value}) + "\n"
        (tmp_path / f"{name}.jsonl").write_text(line * 20)
    given = {**SETTINGS, "n": 40, "min_tokens": 1, "shard_size": "400B"}
    raw = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    selection = dsir.select(raw, target, out=tmp_path / "out", **given)
    with pytest.raises(dsir.SettingError, match="cannot be one table: 'field' is list"):
        getattr(selection, method)()


def test_files_that_have_changed(parquet, target, tmp_path, method):
    selection = dsir.select(parquet, target, out=tmp_path / "out", **SETTINGS)
    first = selection.paths[0]
    pq.write_table(pq.read_table(first).slice(0, 1), first)
    with pytest.raises(dsir.SettingError, match="but 40 were selected"):
        getattr(selection, method)()


def test_a_library_that_is_not_installed(small_world, target, monkeypatch, method):
    selection = dsir.select(small_world.table(), target, **SETTINGS)
    library = method.removeprefix("to_")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(dsir.SettingError, match=rf"pip install 'dsir\[{library}\]'"):
        getattr(selection, method)()


@pytest.mark.parametrize("start", [0, 7])
def test_rows_of_a_frame_keep_the_labels_of_its_range(small_world, target, start):
    pd = pytest.importorskip("pandas")
    frame = small_world.table().to_pandas()
    frame.index = pd.RangeIndex(start, start + 3 * len(frame), 3, name="place")
    selection = dsir.select(frame, target, **SETTINGS)
    picked = selection.to_pandas()
    assert picked.index.tolist() == (start + 3 * selection.rows).tolist()
    assert picked.index.name == "place"
    assert frame.loc[picked.index, "text"].tolist() == picked["text"].tolist()


def test_rows_of_two_frames_are_numbered_anew(small_world, target):
    pytest.importorskip("pandas")
    frame = small_world.table().to_pandas()
    selection = dsir.select([frame.iloc[:45], frame.iloc[45:]], target, **SETTINGS)
    assert selection.to_pandas().index.tolist() == list(range(40))


def test_windows_of_a_frame_are_numbered_anew(small_world, target):
    pytest.importorskip("pandas")
    frame = small_world.table().to_pandas()
    selection = dsir.select(frame, target, **SETTINGS, chunk_tokens=20)
    assert selection.metrics.rows.read > len(frame)
    assert selection.to_pandas().index.tolist() == list(range(40))
