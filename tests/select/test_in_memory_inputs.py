"""select() of what is in memory: every kind of it, as if it were files."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pd_dataset
import pyarrow.parquet as pq
import pytest
from selected import MEAN, accounts_add_up, without_stages

import dsir


def datasets_like(table: pa.Table) -> object:
    class Dataset:
        column_names = table.schema.names

        def with_format(self, kind: str) -> Dataset:
            assert kind == "arrow"
            return self

        def iter(self, batch_size: int) -> Any:
            for start in range(0, len(table), 100):
                yield table.slice(start, 100)

    return Dataset()


IN_MEMORY = {
    "list": lambda world: world.texts,
    "tuple": lambda world: tuple(world.texts),
    "generator": lambda world: (text for text in world.texts),
    "table": lambda world: world.table(),
    "record batch": lambda world: world.table().to_batches()[0],
    "reader": lambda world: world.table().to_reader(max_chunksize=17),
    "large_string": lambda world: world.table(pa.large_string()),
    "string_view": lambda world: world.table(pa.string_view()),
    "dictionary": lambda world: world.table(pa.dictionary(pa.int32(), pa.string())),
    "array": lambda world: pa.array(world.texts),
    "chunked array": lambda world: pa.chunked_array([world.texts[:5], world.texts[5:]]),
    "sliced": lambda world: pa.array(["x", *world.texts, "y"]).slice(1, len(world.texts)),
    "polars": lambda world: pl.DataFrame({"id": range(len(world.texts)), "text": world.texts}),
    "polars series": lambda world: pl.Series("text", world.texts),
    "pandas": lambda world: pd.DataFrame({"text": world.texts}),
    "datasets": lambda world: datasets_like(world.table()),
    "tables": lambda world: [world.table().slice(0, 50), world.table().slice(50)],
}


@pytest.mark.parametrize("kind", IN_MEMORY)
def test_in_memory_inputs(world, parquet, target, kind, monkeypatch):
    expected = dsir.select(parquet, target, n=60, **MEAN)

    def refuse(*arguments: object, **keywords: object) -> None:
        raise AssertionError("a temporary file was asked for")

    for name in ("TemporaryDirectory", "mkdtemp", "mkstemp", "NamedTemporaryFile", "TemporaryFile"):
        monkeypatch.setattr(tempfile, name, refuse)
    selection = dsir.select(IN_MEMORY[kind](world), world.target, n=60, **MEAN)
    accounts_add_up(selection)
    np.testing.assert_array_equal(selection.rows, expected.rows)
    assert selection.log_weights.tobytes() == expected.log_weights.tobytes()
    assert selection.table["text"].to_pylist() == [world.texts[row] for row in selection.rows]
    np.testing.assert_array_equal(selection.table["log_weight"], selection.log_weights)
    assert without_stages(selection.metrics)["rows"] == expected.metrics["rows"]


def test_in_memory_columns_stay(world, target):
    table = world.table(pa.string_view())
    selection = dsir.select(table, target, n=60, **MEAN)
    assert selection.table.schema.remove(5).equals(world.table(pa.large_string()).schema)
    kept = dsir.select(table, target, n=60, keep_types=True, **MEAN)
    assert kept.table.schema.remove(5).equals(table.schema)
    assert selection.table.drop(["log_weight"]).to_pylist() == [
        table.slice(row, 1).to_pylist()[0] for row in selection.rows.tolist()
    ]


def test_in_memory_to_files(world, target, tmp_path):
    selection = dsir.select(world.table(), target, n=60, out=tmp_path / "out", **MEAN)
    assert [path.name for path in selection.paths] == ["part-00000.parquet"]
    assert pq.read_table(selection.paths[0])["id"].to_pylist() == selection.rows.tolist()
    assert pd_dataset.dataset(tmp_path / "out", exclude_invalid_files=True).count_rows() == 60
