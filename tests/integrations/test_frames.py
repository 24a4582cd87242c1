"""Data frames and SQL: pandas, polars, DuckDB, Dask, Daft, Spark's batches."""

from __future__ import annotations

import importlib
import os
import pickle
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import dsir


@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_pandas(model, texts, expected, dtype):
    pd = pytest.importorskip("pandas")
    importlib.import_module("dsir.integrations.pandas")  # Gives it its `.dsir`.

    index = pd.Index(range(10, 10 + len(texts)), name="key")
    series = pd.Series(texts, index=index, dtype=dtype, name="text")
    found = series.dsir.log_weight(model)
    assert found.tolist() == expected.tolist()
    assert found.name == "log_weight"
    assert found.index.equals(index)
    assert pd.Series([np.nan, "sea"], dtype=object).dsir.log_weight(model)[0] == 0


def test_pandas_columns_that_hold_no_texts(model):
    pd = pytest.importorskip("pandas")
    importlib.import_module("dsir.integrations.pandas")  # Gives it its `.dsir`.
    with pytest.raises(dsir.TextColumnError, match=r"Series 'n': holds int64, not text"):
        pd.Series([1, 2], name="n").dsir.log_weight(model)
    with pytest.raises(dsir.TextColumnError, match=r"^the Series: holds int64, not text"):
        pd.Series([1, 2]).dsir.log_weight(model)
    with pytest.raises(dsir.SettingError, match=r"Series 'n': the column does not hold texts"):
        pd.Series(["a", 2], dtype=object, name="n").dsir.log_weight(model)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            ["a", None, 2.5],
            r"row 2 holds 2.5 \(float\), but row 0 'a' \(str\); make all of one type",
        ),
        ([None, 2, np.nan, "a"], r"row 3 holds 'a' \(str\), but row 1 2 \(int\); make all of one"),
        (["a"] * 700 + [True], r"row 700 holds True \(bool\), but row 0 'a' \(str\)"),
        ([None, Path("a")], r"row 1 holds PosixPath\('a'\) \(PosixPath\), which Arrow has no type"),
        (["a", "\ud800"], r"row 1 holds half a surrogate pair"),
    ],
)
def test_a_column_of_mixed_values_says_which_row(model, values, said):
    pd = pytest.importorskip("pandas")
    importlib.import_module("dsir.integrations.pandas")  # Gives it its `.dsir`.
    series = pd.Series(values, dtype=object)
    with pytest.raises(dsir.SettingError, match=said):
        series.dsir.log_weight(model)
    with pytest.raises(dsir.SettingError, match=f"raw: the Series cannot be read.*: {said}"):
        dsir.select(series, model=model, n=1, progress=False)
    frame = pd.DataFrame({"n": range(len(values)), "text": series})
    with pytest.raises(dsir.SettingError, match=f"raw: the DataFrame .*: column 'text': {said}"):
        dsir.select(frame, model=model, n=1, progress=False)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
@pytest.mark.parametrize("dtype", ["object", "float64", "string", "category"])
def test_pandas_columns_without_a_text(model, values, dtype):
    """Pandas infers floats for a column of a CSV file whose cells are all empty."""
    pd = pytest.importorskip("pandas")
    importlib.import_module("dsir.integrations.pandas")  # Gives it its `.dsir`.
    found = pd.Series(values, dtype=dtype).dsir.log_weight(model)
    assert found.tolist() == [0.0] * len(values)
    assert found.dtype == np.float64


def test_polars(model, texts, expected):
    pl = pytest.importorskip("polars")
    importlib.import_module("dsir.integrations.polars")  # Gives it its `.dsir`.

    expression = pl.col("body").dsir.log_weight(model).alias("w")
    for streaming in ("in-memory", "streaming"):
        lazy = pl.LazyFrame({"body": texts * 500}).with_columns(expression)
        assert lazy.collect_schema()["w"] == pl.Float64
        assert lazy.collect(engine=streaming)["w"].to_list() == expected.tolist() * 500
    frame = pl.DataFrame({"body": pl.Series(texts, dtype=pl.Categorical), "n": range(len(texts))})
    assert frame.select(expression)["w"].to_list() == expected.tolist()
    assert frame.filter(pl.col("n") > 99).select(expression).height == 0
    with pytest.raises(Exception, match="column 'n': holds int64, not text"):
        frame.select(pl.col("n").dsir.log_weight(model))


def test_a_lazy_frame_of_selected_rows(model, texts):
    pl = pytest.importorskip("polars")
    importlib.import_module("dsir.integrations.polars")  # Gives it its `.dsir`.
    rows = pl.LazyFrame({"n": range(len(texts)), "text": texts, "kind": ["a"] * len(texts)})
    settings = {"n": 3, "min_tokens": 1, "seed": 5}
    found = dsir.select(rows.collect(), model=model, progress=False, **settings)
    chosen = rows.dsir.select(model=model, **settings)
    assert chosen.collect_schema().names() == ["n", "text", "kind", "log_weight"]
    collected = chosen.collect()
    assert collected["n"].to_list() == found.rows.tolist()
    assert collected["log_weight"].to_list() == found.log_weights.tolist()
    assert collected.schema == chosen.collect_schema()
    # What comes after the selection is not done before it.
    after = chosen.filter(pl.col("n") < 100).head(1).select("n").collect()
    assert after["n"].to_list() == found.rows.tolist()[:1]


@pytest.mark.parametrize(
    ("arguments", "added"),
    [
        ({}, ["log_weight"]),
        ({"weight_column": "w"}, ["w"]),
        ({"chunk_tokens": 4}, ["source_row", "chunk_start", "chunk_stop", "log_weight"]),
        ({"targets": "separate"}, ["log_weight", "target"]),
        ({"targets": "mixture"}, ["log_weight"]),
        (
            {"targets": "separate", "target_column": "goal", "chunk_tokens": 4},
            ["source_row", "chunk_start", "chunk_stop", "log_weight", "goal"],
        ),
        ({"model": "separate"}, ["log_weight", "target"]),
        ({"model": "separate.dsir"}, ["log_weight", "target"]),
    ],
)
def test_a_lazy_selection_has_the_columns_that_it_promises(
    two_targets, tmp_path, monkeypatch, arguments, added
):
    pl = pytest.importorskip("polars")
    importlib.import_module("dsir.integrations.polars")  # Gives it its `.dsir`.
    monkeypatch.chdir(tmp_path)
    two_targets.save("separate.dsir")
    given = {"n": 4, "min_tokens": 1, **arguments}
    target = ["ship and sea"] * 9
    if "targets" in arguments:
        target = {"sea": target, "law": ["court of law"] * 9}
    if "model" in arguments:
        target = None
        given["model"] = two_targets if arguments["model"] == "separate" else arguments["model"]
    rows = pl.LazyFrame({"text": [f"a ship {n} and the sea and the law" for n in range(20)]})
    chosen = rows.dsir.select(target, **given)
    promised = chosen.collect_schema()
    assert promised.names() == ["text", *added]
    assert chosen.collect().schema == promised
    assert chosen.select(added).collect().columns == added


def test_what_a_lazy_selection_refuses_at_once(tmp_path):
    pl = pytest.importorskip("polars")
    importlib.import_module("dsir.integrations.polars")  # Gives it its `.dsir`.
    rows = pl.LazyFrame({"text": ["a ship"]})
    with pytest.raises(dsir.SettingError, match="weight_column=None"):
        rows.dsir.select(["a ship"], n=1, weight_column=None)
    with pytest.raises(dsir.ModelError, match="none"):
        rows.dsir.select(model=tmp_path / "none", n=1)


def test_duckdb(model, two_targets, texts, expected):
    duckdb = pytest.importorskip("duckdb")
    from dsir.integrations.duckdb import register

    connection = duckdb.connect()
    register(connection, model)
    register(connection, two_targets, name="law", target="law")
    rows = pa.table({"n": range(len(texts) * 1000), "text": texts * 1000})
    connection.register("rows", rows)
    found = connection.sql(
        "SELECT dsir_log_weight(text) AS w, law(text) AS law FROM rows ORDER BY n"
    ).fetchnumpy()
    assert found["w"].tolist() == expected.tolist() * 1000
    assert found["law"][:7].tolist() == two_targets.score(dsir.texts(texts))[:, 1].tolist()
    assert connection.sql("SELECT dsir_log_weight(NULL)").fetchall() == [(0.0,)]
    with pytest.raises(dsir.SettingError, match="name=''"):
        register(connection, model, name="")
    with pytest.raises(dsir.SettingError, match=r"name='law': .* connection.remove_function"):
        register(connection, model, name="law")
    connection.remove_function("law")
    register(connection, model, name="law")
    assert connection.sql("SELECT law('7')").fetchall() == [(model.score(["7"])[0],)]
    casted = connection.sql("SELECT dsir_log_weight(CAST(n AS VARCHAR)) FROM rows WHERE n = 7")
    assert casted.fetchall() == [(model.score(["7"])[0],)]
    with pytest.raises(duckdb.BinderException, match="VARCHAR"):
        connection.sql("SELECT dsir_log_weight(n) FROM rows")


def test_dask(model, texts, expected):
    pytest.importorskip("dask.dataframe")
    import dask.dataframe as dd
    import pandas as pd

    from dsir.integrations.dask import log_weight

    frame = dd.from_pandas(pd.DataFrame({"text": texts}), npartitions=3)
    weights = log_weight(frame["text"], model)
    assert weights.dtype == "f8"
    assert weights.compute(scheduler="synchronous").tolist() == expected.tolist()
    with pytest.raises(dsir.SettingError, match=r"series=.*expected a Series of Dask"):
        log_weight(pd.Series(["sea"]), model)
    numbers = dd.from_pandas(pd.DataFrame({"n": [1, 2]}), npartitions=1)
    with pytest.raises(dsir.TextColumnError, match="column 'n': holds int64"):
        log_weight(numbers["n"], model).compute(scheduler="synchronous")


def test_dask_sends_the_model_once(model):
    pytest.importorskip("dask.dataframe")
    import dask.dataframe as dd
    import pandas as pd

    from dsir.integrations.dask import log_weight

    frame = dd.from_pandas(pd.DataFrame({"text": ["sea"] * 50}), npartitions=10)
    graph = dict(log_weight(frame["text"], model).__dask_graph__())
    one = len(pickle.dumps(model))
    assert one < len(pickle.dumps(graph)) < 2 * one


def test_daft(model, texts, expected):
    daft = pytest.importorskip("daft")
    from dsir.integrations.daft import log_weight

    frame = daft.from_pydict({"text": texts, "n": list(range(len(texts)))})
    scored = frame.with_column("w", log_weight(daft.col("text"), model)).to_pydict()
    assert scored["w"] == expected.tolist()
    with pytest.raises(Exception, match="column 'n': holds int64"):
        frame.with_column("w", log_weight(daft.col("n"), model)).to_pydict()
    for other in ("body", None, frame, texts):
        with pytest.raises(dsir.SettingError, match=r"expected an expression of Daft, such as daf"):
            log_weight(other, model)
    with pytest.raises(dsir.SettingError, match=r"such as daft.col\('body'\)"):
        log_weight("body", model)


def test_batches_of_spark(model, texts, expected):
    from dsir.integrations.spark import log_weight_in_arrow

    batch = pa.record_batch({"body": texts, "w": [1] * len(texts)})
    score = pickle.loads(pickle.dumps(log_weight_in_arrow(model, text="body", column="w")))
    [first, second] = score(iter([batch, batch.slice(0, 0)]))
    assert first["w"].to_pylist() == expected.tolist()
    assert first.schema.names == ["body", "w"]
    assert (second.num_rows, second.schema) == (0, first.schema)


# Of Spark's own, and none of dsir's.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_spark_itself(model, texts, expected, monkeypatch):
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    from dsir.integrations.spark import log_weight_in_arrow

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    settings = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1"}
    session = sql.SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    try:
        rows = [(number, text, {"body": text}) for number, text in enumerate(texts)]
        frame = session.createDataFrame(rows, "n int, text string, doc struct<body: string>")
        schema = "n int, text string, doc struct<body: string>, log_weight double"
        for text in ("text", "doc.body"):
            score = log_weight_in_arrow(model, text=text)
            found = frame.repartition(3).mapInArrow(score, schema).sort("n").collect()
            assert [row.log_weight for row in found] == expected.tolist()
        assert frame.where("n > 99").mapInArrow(score, schema).collect() == []
        with pytest.raises(Exception, match="column 'n' is int32, not text"):
            frame.mapInArrow(log_weight_in_arrow(model, text="n"), schema).collect()
    finally:
        session.stop()
