"""DuckDB: log-weights as a function of SQL."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from dsir.arguments.values import name_of_column
from dsir.errors import SettingError
from dsir.integrations.scorer import Model, TextScorer


def register(
    connection: Any,
    model: Model,
    *,
    name: str = "dsir_log_weight",
    target: str | None = None,
    threads: int = 1,
) -> None:
    """Register a function that gives the log-weight of a text, a DOUBLE.

    The numbers are those of `model.score`: 0 for NULL and for texts without a token. DuckDB calls
    the function with vectors of about 2,000 rows. Texts are VARCHAR; cast values of other types, as
    in `dsir_log_weight(CAST(body AS VARCHAR))`.

    Args:
        connection: an open connection of DuckDB; the function lives as long.
        model: a model, or the path or URL of its file.
        name: name of the function, so that several models can be registered.
        target: the target whose log-weights are wanted, if the model has separate targets.
        threads: how many threads to use for a vector; the result does not depend on it.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range, or the connection has such a function.

    Example:
        >>> import duckdb
        >>> from dsir.integrations.duckdb import register
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> connection = duckdb.connect()
        >>> register(connection, model)
        >>> connection.sql("SELECT round(dsir_log_weight('a ship at sea'), 1)").fetchall()
        [(2.0,)]
    """
    scorer = TextScorer.of(model, target=target, threads=threads)
    name_of_column("name", name)

    def log_weight(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
        return pa.array(scorer.log_weight(texts, name=name))

    try:
        connection.create_function(
            name, log_weight, ["VARCHAR"], "DOUBLE", type="arrow", null_handling="special"
        )
    except duckdb.NotImplementedException as error:
        raise SettingError(
            f"name={name!r}: the connection has such a function already; give another name, or "
            f"remove that one first, connection.remove_function({name!r})"
        ) from error
