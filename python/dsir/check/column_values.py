"""The values of a column, or of a field of JSON Lines, in the rows of a selection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from dsir.check.file_checks import refuse_changed
from dsir.check.part_rows import part_rows
from dsir.errors import SettingError
from dsir.output.manifest import Manifest
from dsir.remote import Location


def column_values(manifest: Manifest, by: str) -> Iterator[list[str]]:
    """Give the values of a column of all parts, as texts."""
    text = str(manifest.settings["text"])
    for part in manifest.parts:
        refuse_changed(manifest, part, beside=False)
        for rows in part_rows(manifest, part, text):
            assert rows.content is not None
            yield _texts(_column(rows.content, by, manifest.folder / part))


def _texts(values: Iterable[Any]) -> list[str]:
    return [value if isinstance(value, str) else json.dumps(value, default=str) for value in values]


def _column(content: pa.RecordBatch, by: str, path: Location) -> list[Any]:
    names = content.schema.names
    if by in names:
        return list(content.column(names.index(by)).to_pylist())
    if "line" in names and names[0] == "line":
        return _fields(content.column(0).to_pylist(), by, path)
    first, *inner = by.split(".")
    if first in names and inner:
        values = content.column(names.index(first)).to_pylist()
        return [_inside(value, inner, by, path) for value in values]
    raise SettingError(f"by={by!r}: {path} has no such column; columns: {', '.join(names)}")


def _fields(lines: list[bytes], by: str, path: Location) -> list[Any]:
    values = []
    for line in lines:
        value = json.loads(line)
        values.append(value[by] if by in value else _inside(value, by.split("."), by, path))
    return values


def _inside(value: Any, names: list[str], by: str, path: Location) -> Any:
    for name in names:
        if value is None:
            return None
        if not isinstance(value, dict) or name not in value:
            raise SettingError(f"by={by!r}: a row of {path} has no such field")
        value = value[name]
    return value
