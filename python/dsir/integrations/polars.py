"""polars: log-weights as an expression, and selections from lazy frames.

Importing this module gives expressions and lazy frames the namespace `.dsir`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from dsir.corpus.windows.records import ORIGIN_COLUMNS
from dsir.integrations.scorer import Model, TextScorer
from dsir.model.estimator import Estimator
from dsir.model.estimators import load_estimator
from dsir.remote import RemotePath
from dsir.run.select import select
from dsir.settings.output import OutputSettings


@pl.api.register_expr_namespace("dsir")
class ExprNamespace:
    """What dsir does with a column of texts, in expressions of polars.

    Args:
        expression: the texts.

    Example:
        >>> import polars as pl
        >>> import dsir.integrations.polars
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> frame = pl.LazyFrame({"text": ["a ship at sea", None, "a court of law"]})
        >>> scored = frame.with_columns(log_weight=pl.col("text").dsir.log_weight(model))
        >>> scored.filter(pl.col("log_weight") > 0).collect()["text"].to_list()
        ['a ship at sea']
    """

    def __init__(self, expression: pl.Expr) -> None:
        self._expression = expression

    def log_weight(
        self,
        model: Model,
        *,
        target: str | None = None,
        text_encoding: str | None = None,
        threads: int = 1,
    ) -> pl.Expr:
        """Return the log-weights of the texts.

        Args:
            model: a model, or the path or URL of its file.
            target: the target whose log-weights are wanted, if the model has separate targets.
            text_encoding: the encoding of a column of bytes, such as "utf-8".
            threads: how many threads to use for a batch; the result does not depend on it.

        Returns:
            An expression of Float64: the numbers of `model.score`, 0 for nulls and for texts
            without a token. It keeps the name of the column; name it with `alias`.

        Raises:
            ModelError: the model cannot be read.
            SettingError: an argument is out of range.
            TextColumnError: when the expression runs: the column does not hold texts.
        """
        scorer = TextScorer.of(model, target=target, text_encoding=text_encoding, threads=threads)

        def scored(texts: pl.Series) -> pl.Series:
            column = f"column {texts.name!r}"
            return pl.Series(texts.name, scorer.log_weight(texts.to_arrow(), name=column))

        return self._expression.map_batches(scored, return_dtype=pl.Float64, is_elementwise=True)


@pl.api.register_lazyframe_namespace("dsir")
class LazyFrameNamespace:
    """What dsir does with a lazy frame.

    Args:
        frame: the rows, with a column of texts.

    Example:
        >>> import polars as pl
        >>> import dsir.integrations.polars
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> frame = pl.LazyFrame({"text": raw, "number": [0, 1, 2]})
        >>> chosen = frame.dsir.select(["ship and sea"] * 9, n=2, method="top-k", min_tokens=1)
        >>> chosen.select("number").collect()["number"].to_list()
        [0, 2]
    """

    def __init__(self, frame: pl.LazyFrame) -> None:
        self._frame = frame

    def select(self, target: object = None, **arguments: Any) -> pl.LazyFrame:
        """Return the selected rows, as a lazy frame with their log-weights.

        The selection runs when the frame is collected, and takes the whole frame into memory. For
        a corpus in files, `dsir.select` reads the files batch by batch.

        Args:
            target: a sample of what is wanted; see `dsir.select`.
            **arguments: arguments of `dsir.select`, such as `n` and `model`.

        Returns:
            The rows in the order of the frame, with the columns of the frame and those that
            `dsir.select` adds: `log_weight`, the target of separate targets, and the origin of
            windows.

        Raises:
            SettingError: a name of an added column is out of range.
            ModelError: `model` is a path, and the model cannot be read.
            DsirError: when the frame is collected: the selection failed.
        """
        arguments = {"progress": False, **arguments}

        def selected(rows: pl.DataFrame) -> pl.DataFrame:
            found = select(rows, target, **arguments).to_polars()
            # Arrow types that hold the same values become those of the frame.
            return found.cast({name: kind for name, kind in rows.schema.items() if name in found})

        schema = dict(self._frame.collect_schema())
        if arguments.get("chunk_tokens") is not None:
            schema |= dict.fromkeys(ORIGIN_COLUMNS, pl.Int64())
        added = OutputSettings.of(arguments).added(_separate_targets(target, arguments))
        for field, kind in zip(added.fields, (pl.Float64(), pl.String()), strict=False):
            schema[field.name] = kind
        # Nothing may be pushed below a selection: it depends on all rows.
        return self._frame.map_batches(selected, schema=schema, validate_output_schema=False)


def _separate_targets(target: object, arguments: Mapping[str, Any]) -> Sequence[str]:
    """Return the names of separate targets, of the model or as given; else nothing."""
    model = arguments.get("model")
    if isinstance(model, str | Path | RemotePath):
        model = load_estimator(model, label=arguments.get("label"))
    if isinstance(model, Estimator):
        return model.column_names
    if arguments.get("targets") == "separate" and isinstance(target, Mapping):
        return list(target)
    return ()
