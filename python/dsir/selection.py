"""Selection: what select() hands back, and the accounts of it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.errors import DsirWarning, SettingError
from dsir.importance import ImportanceModel
from dsir.metrics import kl_reduction_of_counts
from dsir.stages.sample import Draw, ShardRows
from dsir.stages.score import ShardScores
from dsir.stages.skipped import Skipped


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected documents.

    Attributes:
        paths: the output shards, in order; empty where the rows are in `table`.
        table: the selected rows in memory with the log-weights as a last column; None where they
            were written. JSON Lines have the columns `text` and `line`.
        rows: int64, global row numbers, ascending: rows of all earlier shards plus the row in the
            shard. In the order of the output.
        log_weights: float64, of the same rows.
        metrics: the accounts: rows, tokens, KL reduction, effective sample size, seconds by stage.
        skipped: rows and shards that could not be read (with `on_error="skip"`).
        model: the importance model.
    """

    paths: list[Path]
    table: pa.Table | None
    rows: npt.NDArray[np.int64]
    log_weights: npt.NDArray[np.float64]
    metrics: dict[str, Any]
    skipped: list[Skipped]
    model: ImportanceModel

    def __len__(self) -> int:
        """Return the number of selected documents."""
        return len(self.rows)


def row_accounts(scores: Sequence[ShardScores], drawn: Draw) -> dict[str, Any]:
    """Say what became of every row: read = selected + passed over by reason + bad."""
    read = sum(part.rows for part in scores)
    empty = sum(part.empty for part in scores)
    bad = sum(part.bad for part in scores)
    selected = drawn.threshold.selected
    return {
        "read": read,
        "eligible": drawn.eligible,
        "selected": selected,
        "passed_over": {
            "not_drawn": drawn.eligible - selected,
            "too_short": read - empty - bad - drawn.eligible,
            "empty": empty,
        },
        "bad": bad,
        "blank_lines": sum(part.blank_lines for part in scores),
    }


def accounts_of(
    scores: Sequence[ShardScores], drawn: Draw, rows: Sequence[ShardRows]
) -> dict[str, Any]:
    """Collect the accounts of a draw: functions of data, settings and seed alone.

    Floats are rounded to ten digits: the last ones may differ between versions of numpy.
    """
    skipped = sum(entry.row is None for part in scores for entry in part.skipped)
    return {
        "rows": row_accounts(scores, drawn),
        "shards": {"read": len(scores) - skipped, "skipped": skipped},
        "tokens": {
            "eligible": drawn.eligible_tokens,
            "selected": sum(part.tokens for part in rows),
        },
        "text_bytes": {"read": sum(part.text_bytes for part in scores)},
        "effective_sample_size": _rounded(drawn.effective_sample_size),
    }


def kl_reduction_of(
    model: ImportanceModel, selected_counts: npt.NDArray[np.int64]
) -> dict[str, float]:
    """The KL reduction of selected n-grams against the counts of the model, as a metric."""
    kl = kl_reduction_of_counts(selected_counts, model.raw_counts, model.target_counts)
    return {"kl_reduction": _rounded(kl)}


def warn_of_top_k(accounts: dict[str, Any]) -> None:
    """Warn the caller's caller where the weights drown the noise of a draw.

    Below a tenth of what is drawn, most of the draw has a negligible share of the weight: only the
    order of the weights decides.
    """
    rows, size = accounts["rows"], accounts["effective_sample_size"]
    if 10 * size >= rows["selected"] or rows["selected"] == rows["eligible"]:
        return
    warnings.warn(
        f"effective sample size {size:,.1f} for {rows['selected']:,} documents drawn from "
        f"{rows['eligible']:,}: the weights drown the noise, so the sample is close to a top-k "
        "(a higher temperature, or length='mean' with a temperature, spreads it)",
        DsirWarning,
        stacklevel=3,
    )


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")


def join_tables(tables: Sequence[pa.Table]) -> pa.Table:
    """Put tables of several shards one after the other.

    Where the text types of a column differ between shards, it becomes large_string.

    Raises:
        SettingError: the shards have different columns.
    """
    schema = tables[0].schema
    for table in tables[1:]:
        if table.schema.names != schema.names:
            raise SettingError(
                f"the shards have different columns ({schema.names} and {table.schema.names}), "
                "which make no one table; give out=... to write them as they are"
            )
        for position, field in enumerate(table.schema):
            if not field.type.equals(schema.field(position).type):
                schema = schema.set(position, _wider(schema.field(position), field))
    return pa.concat_tables([table.cast(schema) for table in tables])


def _wider(one: pa.Field, other: pa.Field) -> pa.Field:
    if _is_text(one.type) and _is_text(other.type):
        return one.with_type(pa.large_string())
    try:
        unified = pa.unify_schemas(
            [pa.schema([one]), pa.schema([other])], promote_options="permissive"
        )
    except pa.ArrowException as error:
        raise SettingError(
            f"the column {one.name!r} is {one.type} in one shard and {other.type} in another; "
            "give out=... to write them as they are"
        ) from error
    return unified.field(0)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
