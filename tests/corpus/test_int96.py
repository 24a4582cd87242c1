"""INT96 times, as Spark before 3, Hive and Impala write them: no date changes."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.corpus import resolve

TIMES = [
    datetime.datetime(1, 1, 1),
    datetime.datetime(1066, 10, 14, 9, 0, 0, 1),
    datetime.datetime(1677, 9, 21),  # The first nanoseconds begin in this night.
    datetime.datetime(1969, 12, 31, 23, 59, 59, 999999),
    None,
    datetime.datetime(2024, 2, 29, 12, 30, 0, 123456),
    datetime.datetime(2262, 4, 12),
    datetime.datetime(9999, 12, 31, 23, 59, 59, 999999),
]
TEXTS = [f"court judge appeal {row}" for row in range(len(TIMES))]
SETTINGS: dict[str, Any] = {"min_tokens": 1, "method": "top-k", "progress": False}
KINDS = {
    "plain": pa.timestamp("us"),
    "list": pa.list_(pa.timestamp("us")),
    "struct": pa.struct([("at", pa.timestamp("us"))]),
    "map": pa.map_(pa.string(), pa.timestamp("us")),
}


def value_of(kind: str, time: datetime.datetime | None) -> Any:
    return {"plain": time, "list": [time, time], "struct": {"at": time}, "map": [("k", time)]}[kind]


def write(path: Path, kind: str = "plain", times: Any = None, **options: Any) -> Path:
    if times is None:
        times = pa.array([value_of(kind, time) for time in TIMES], KINDS[kind])
    table = pa.table({"text": TEXTS[: len(times)], "time": times, "id": range(len(times))})
    pq.write_table(table, path, use_deprecated_int96_timestamps=True, row_group_size=3, **options)
    physical = pq.ParquetFile(path).schema
    assert "INT96" in {physical.column(i).physical_type for i in range(len(physical))}
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stored", [True, False])
def test_no_date_changes(tmp_path, kind, stored):
    raw = write(tmp_path / "raw.parquet", kind, store_schema=stored)
    (path,) = dsir.select(raw, TEXTS, n=8, out=tmp_path / "out", **SETTINGS).paths
    expected = [value_of(kind, time) for time in TIMES]
    assert pq.read_table(path)["time"].to_pylist() == expected
    (shard,) = resolve(raw).shards
    for one in (shard, shard.surveyed()):
        assert one.schema().field("time").type == KINDS[kind]
        assert one.read_table()["time"].to_pylist() == expected
        records = [batch.to_pylist() for batch in one.take_beside(np.arange(8))]
        assert [row["time"] for batch in records for row in batch] == expected
    assert dsir.verify(tmp_path / "out", target=TEXTS).stands


def test_the_commands_read_the_same_dates(tmp_path, invoke_dsir):
    raw = write(tmp_path / "raw.parquet")
    commands = {"lexrank": ["--top", "100%"], "gais": ["--label", "id", "--features", "id"]}
    for command, options in commands.items():
        if command == "gais":
            options = [*options, "--keep", "100%", "--epochs", 1, "--bins", 2]
        done = invoke_dsir(command, raw, "-o", tmp_path / command, "-q", *options)
        assert done.returncode == 0, done.stderr
        (path,) = (tmp_path / command / "data").iterdir()
        table = pq.read_table(path)
        assert [TIMES[row] for row in table["id"].to_pylist()] == table["time"].to_pylist()
        assert len(table) > 0


def nanoseconds(*values: int) -> pa.Array:
    return pa.array(values, pa.timestamp("ns"))


def seconds(value: int) -> pa.Array:
    return pa.array([0, value, 0, 0], pa.timestamp("s"))


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (nanoseconds(0, 1, 1000, 0), "nanoseconds that would be lost"),
        (nanoseconds(0, -1, 1000, 0), "nanoseconds that would be lost"),
        (nanoseconds(0, 0, 0, 1_700_000_000_123_456_789), "nanoseconds that would be lost"),
        (seconds(9_300_000_000_000), "292,000 years from 1970"),
        (seconds(-9_300_000_000_000), "292,000 years from 1970"),
    ],
)
def test_a_time_that_cannot_be_read_as_it_is_is_refused(tmp_path, times, told):
    raw = write(tmp_path / "raw.parquet", times=times)
    with pytest.raises(dsir.ShardError, match=rf"'time'.*{told}.*TIMESTAMP_MICROS"):
        dsir.select(raw, TEXTS, n=4, out=tmp_path / "out", **SETTINGS)
    found = dsir.select(
        raw, TEXTS, n=4, on_error="skip", allow_fewer=True, out=tmp_path / "out", **SETTINGS
    )
    bad = 1 if times[3].as_py() != times[0].as_py() else 0  # The row group of three or the other.
    assert len(found) == (3 if bad else 1)
    assert dsir.verify(tmp_path / "out", target=TEXTS).stands


def test_texts_are_read_whatever_the_times_are(tmp_path):
    raw = write(tmp_path / "raw.parquet", times=nanoseconds(0, 1, 2, 3))
    assert dsir.fit(raw, TEXTS, progress=False).score(raw).shape == (4,)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_64_bits_stay_what_they_are(tmp_path, unit):
    kind = pa.timestamp(unit)
    most = 9_223_372_036_854_775 if unit == "s" else (1 << 63) - 1
    times = pa.array([0, most, -most, None], pa.int64()).cast(kind)
    raw = pa.table({"text": TEXTS[:4], "time": times})
    (path,) = dsir.select(raw, TEXTS, n=4, out=tmp_path / "out", **SETTINGS).paths
    found = pq.read_table(path)["time"]
    scale = 1000 if unit == "s" else 1  # Parquet has no seconds.
    expected = [None if one is None else one * scale for one in times.cast(pa.int64()).to_pylist()]
    assert found.cast(pa.int64()).to_pylist() == expected
    assert dsir.verify(tmp_path / "out", raw=raw, target=TEXTS).stands


@pytest.mark.parametrize(
    "times",
    [
        pa.array([1 << 62], pa.timestamp("s")),
        pa.array([-(1 << 62)], pa.timestamp("s", "UTC")),
        pa.array([[0, 1 << 62]], pa.list_(pa.timestamp("s"))),
        pa.array([{"at": 1 << 62}], pa.struct([("at", pa.timestamp("s"))])),
    ],
    ids=["plain", "with a zone", "in a list", "in a struct"],
)
def test_a_second_that_parquet_cannot_hold_is_refused(tmp_path, times):
    raw = pa.table({"text": TEXTS[:1], "time": times})
    with pytest.raises(dsir.OutputError, match="rows cannot be written"):
        dsir.select(raw, TEXTS, n=1, out=tmp_path / "out", **SETTINGS)


def test_verify_compares_dates_that_python_cannot_hold(tmp_path):
    times = pa.array([0, 1 << 60, 5], pa.int64()).cast(pa.timestamp("us"))
    raw = pa.table({"text": TEXTS[:3], "time": times})
    out = tmp_path / "out"
    (path,) = dsir.select(raw, TEXTS, n=3, out=out, **SETTINGS).paths
    table = pq.read_table(path)
    other = pa.array([0, (1 << 60) + 1, 5], pa.int64()).cast(pa.timestamp("us"))
    pq.write_table(table.set_column(1, "time", other), path)
    found = dsir.verify(out, raw=raw, target=TEXTS)
    assert (found.rows.other_content, found.rows.stand) == (1, 2)
