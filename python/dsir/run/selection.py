"""Selection: the result of select()."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.skipped import Skipped
from dsir.errors import SettingError
from dsir.facts import Fact, Facts
from dsir.model.estimator import Estimator
from dsir.plural import counted
from dsir.remote import RemotePath
from dsir.run.metrics import Metrics


@dataclass(frozen=True, slots=True, repr=False)
class Selection(Facts):
    """The selected documents.

    Attributes:
        paths: the output shards, in order; shards in a store are `RemotePath` (`str` gives the
            URL). Empty if the rows are in `table`.
        table: the selected rows in memory, with the log-weights as a last column; None if they were
            written to files. JSON Lines have the columns `text` and `line`.
        rows: int64[selected], global row numbers, ascending: the rows of all earlier shards plus
            the row in the shard. The output has the same order.
        log_weights: float64[selected], the log-weight of each row; with separate targets under the
            target that took the row.
        target: uint16[selected], the number of the target that took each row, in the order of
            `model.target_names`; None unless targets are separate.
        metrics: the accounts: rows, tokens, KL reduction, effective sample size, seconds by stage,
            and the same of each named target. `metrics.kl_reduction` and
            `metrics["kl_reduction"]` are the same.
        skipped: rows and shards that could not be read (with `on_error="skip"`).
        model: the model that the log-weights are from.
    """

    paths: list[Path | RemotePath]
    table: pa.Table | None
    rows: npt.NDArray[np.int64]
    log_weights: npt.NDArray[np.float64]
    target: npt.NDArray[np.uint16] | None
    metrics: Metrics
    skipped: list[Skipped]
    model: Estimator

    def __len__(self) -> int:
        """Return the number of selected documents."""
        return len(self.rows)

    def _facts(self) -> Iterator[Fact]:
        """Give the main numbers, and where the rows are."""
        metrics = self.metrics
        yield "rows", f"{len(self):,} of {metrics.rows.read:,}"
        yield "tokens", f"{metrics.tokens.selected:,}"
        if metrics.kl_reduction is not None:
            by_chance = metrics.random_kl_reduction
            note = "" if by_chance is None else f" (random: about {by_chance:.4f})"
            yield "KL reduction", f"{metrics.kl_reduction:.4f}{note}"
        if self.skipped:
            yield "skipped", f"{len(self.skipped):,}"
        yield "in", self.paths[0].parent if self.paths else "table"

    def _more_facts(self) -> Iterator[Fact]:
        """Give what became of the other rows, and the model."""
        metrics = self.metrics
        for name, target in (metrics.targets or {}).items():
            if target.selected is not None:
                yield f"rows for {name}", f"{target.selected:,}"
        if metrics.effective_sample_size is not None:
            yield "effective sample size", f"{metrics.effective_sample_size:,.1f}"
        for reason, count in metrics.rows.passed_over.items():
            if isinstance(count, int) and count:
                yield f"rows {reason.replace('_', ' ')}", f"{count:,}"
        if metrics.rows.bad:
            yield "bad rows", f"{metrics.rows.bad:,}"
        yield "files", counted(len(self.paths), "file")
        yield "model", self.model


def join_tables(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the tables of several shards as one table, in order.

    A column whose text type differs between shards becomes large_string.

    Raises:
        SettingError: the shards have different columns.
    """
    schema = tables[0].schema
    for table in tables[1:]:
        if table.schema.names != schema.names:
            raise SettingError(
                f"the shards have different columns ({schema.names} and {table.schema.names}) and "
                "cannot be one table; give out=... to write each as it is"
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
            "give out=... to write each as it is"
        ) from error
    return unified.field(0)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
