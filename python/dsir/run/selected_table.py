"""The selected rows as one table: from the shards of a run, or read back from the output files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus import Paths, resolve
from dsir.engine import thread_count
from dsir.errors import SettingError
from dsir.remote import RemotePath

_WEIGHT = "log_weight"


def read_parts(
    paths: Sequence[Path | RemotePath], log_weights: npt.NDArray[np.float64]
) -> pa.Table:
    """Return the rows of output files as one table.

    Args:
        paths: the files, in order.
        log_weights: float64[rows]; added where the files have no such column, as JSON Lines.

    Raises:
        SettingError: a column has types without a common one, or the files have other rows than
            the selection.
        InputError: a file cannot be read.
    """
    threads = thread_count(None)
    # Each path is a corpus, because a corpus leaves out a file that it has already.
    shards = [one for path in paths for one in resolve(Paths([str(path)])).shards]
    tables = [shard.read_table(threads=threads) for shard in shards]
    table = _promoted(tables)
    if len(table) != len(log_weights):
        raise SettingError(
            f"the files of the selection have {len(table):,} rows, but {len(log_weights):,} were "
            "selected; select again"
        )
    if shards[0].kind == "jsonl" and _WEIGHT not in table.column_names:
        table = table.append_column(_WEIGHT, pa.array(log_weights))
    return table


def _promoted(tables: Sequence[pa.Table]) -> pa.Table:
    """Return tables as one; a column that a table lacks is null there."""
    fields: dict[tuple[str, int], pa.Field] = {}
    places = [_numbered(table.column_names) for table in tables]
    for table, at in zip(tables, places, strict=True):
        for key, place in at.items():
            one, before = table.schema.field(place), fields.get(key)
            fields[key] = one if before is None else _common(before, one)
    # pandas finds its index there. With other types, it would make columns of the types that were.
    first = tables[0].schema
    same = all(table.schema.equals(first) for table in tables)
    joined = pa.concat_tables(
        pa.table(
            [
                table.column(at[key]).cast(one.type)
                if key in at
                else pa.nulls(len(table), one.type)
                for key, one in fields.items()
            ],
            names=[one.name for one in fields.values()],
        )
        for table, at in zip(tables, places, strict=True)
    )
    return joined.replace_schema_metadata(first.metadata) if same else joined


def _numbered(names: Sequence[str]) -> dict[tuple[str, int], int]:
    """Return where each column is: by its name, and how many before it have that name."""
    seen: Counter[str] = Counter()
    places: dict[tuple[str, int], int] = {}
    for place, name in enumerate(names):
        places[name, seen[name]] = place
        seen[name] += 1
    return places


def _common(one: pa.Field, other: pa.Field) -> pa.Field:
    if one.type.equals(other.type):
        return one
    try:
        return _wider(one, other)
    except SettingError as error:
        raise SettingError(
            f"the files of the selection cannot be one table: {one.name!r} is {one.type} in one "
            f"and {other.type} in another; read those in paths one by one"
        ) from error


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
