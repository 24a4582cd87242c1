"""Daft: log-weights as an expression."""

from __future__ import annotations

from typing import Any

from dsir.arguments.values import shown
from dsir.errors import SettingError
from dsir.integrations.scorer import Model, TextScorer


def log_weight(
    expression: Any,
    model: Model,
    *,
    target: str | None = None,
    text_encoding: str | None = None,
    threads: int = 1,
) -> Any:
    """Return the log-weights of texts, as an expression of Daft.

    Args:
        expression: the texts, such as `daft.col("text")`.
        model: a model, or the path or URL of its file, which is read here. Daft sends the function
            with the model in it.
        target: the target whose log-weights are wanted, if the model has separate targets.
        text_encoding: the encoding of a column of bytes, such as "utf-8".
        threads: how many threads to use for a batch; the result does not depend on it.

    Returns:
        An expression of float64: the numbers of `model.score`, 0 for nulls and for texts without a
        token.

    Raises:
        ModelError: the model cannot be read.
        SettingError: an argument is out of range, or `expression` is none of Daft.

    Example:
        >>> import daft
        >>> from dsir.integrations.daft import log_weight
        >>> raw = ["ship and sail and sea", "judge and court of law", "sea and sail and ship"]
        >>> model = dsir.fit(raw, ["ship and sea"] * 9, progress=False)
        >>> frame = daft.from_pydict({"text": ["a ship at sea", "a court of law"]})
        >>> frame = frame.with_column("log_weight", log_weight(daft.col("text"), model))
        >>> [round(weight, 1) for weight in frame.to_pydict()["log_weight"]]
        [2.0, -75.6]
    """
    from daft import DataType, Expression, Series, func

    if not isinstance(expression, Expression | Series):
        column = repr(expression) if isinstance(expression, str) else "'text'"
        raise SettingError(
            f"expression={shown(expression)}: expected an expression of Daft, such as "
            f"daft.col({column})"
        )
    scorer = TextScorer.of(model, target=target, text_encoding=text_encoding, threads=threads)

    def scored(texts: Series) -> Series:
        return Series.from_numpy(
            scorer.log_weight(texts.to_arrow(), name=f"column {texts.name()!r}")
        )

    # By a call: as a decorator it would take its types from annotations, which are strings here.
    return func.batch(return_dtype=DataType.float64())(scored)(expression)
