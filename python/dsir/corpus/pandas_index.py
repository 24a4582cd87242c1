"""The index of the pandas frame that a table was made from: its columns, or its range."""

from __future__ import annotations

import json
import re
from typing import Any

import pyarrow as pa

# What pandas calls the column of an index without a name, also where its metadata are lost.
_UNNAMED = re.compile(r"__index_level_\d+__")


def index_columns(schema: pa.Schema) -> list[str]:
    """Return the columns that hold an index of pandas, in the order of the schema.

    An index without a name is called `__index_level_0__`. One with a name, e.g. `id`, is told only
    by the metadata that pandas and pyarrow write into Parquet and Arrow files.

    Args:
        schema: the schema of the table, with its metadata.
    """
    named = described_index(schema)
    return [name for name in schema.names if name in named or _UNNAMED.fullmatch(name)]


def described_index(schema: pa.Schema) -> set[str]:
    """Return the columns that the metadata call an index; none if there are no valid metadata."""
    # A RangeIndex is an object in place of a name, since it has no column.
    return {one for one in _levels(schema) if isinstance(one, str)}


def range_index(schema: pa.Schema) -> tuple[range, str | None] | None:
    """Return the labels and the name of a RangeIndex; None if the frame had another index."""
    levels = _levels(schema)
    if len(levels) != 1 or not isinstance(levels[0], dict) or levels[0].get("kind") != "range":
        return None
    try:
        bounds = [int(levels[0][name]) for name in ("start", "stop", "step")]
        return range(*bounds), levels[0].get("name")
    except (KeyError, TypeError, ValueError):
        return None


def _levels(schema: pa.Schema) -> list[Any]:
    try:
        described = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    except ValueError:
        return []
    levels = described.get("index_columns") if isinstance(described, dict) else None
    return levels if isinstance(levels, list) else []
