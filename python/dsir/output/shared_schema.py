"""One schema for the parts of an output folder, as far as types can hold the values of others.

Most readers open a folder only if all its files have one schema. Shards of one corpus often differ
in types that hold the same values, such as string and large_string, or int32 and int64.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from dsir.formats import Kind, format_of
from dsir.output.shared_types import readable_type, wider_field

_FIELD_ID = b"PARQUET:field_id"
_PANDAS = b"pandas"
# Spark believes this copy of the schema more than the file's own columns.
_SPARK_SCHEMA = b"org.apache.spark.sql.parquet.row.metadata"


@dataclass(frozen=True, slots=True)
class Clash:
    """Why two shards cannot have one schema.

    Attributes:
        reason: what differs, with both sides.
        one, other: the names of the shards.
    """

    reason: str
    one: str
    other: str

    @property
    def message(self) -> str:
        """The clash as a warning."""
        return (
            f"{self.reason} ({self.one} and {self.other}), so their rows are in parts with "
            "different columns, and most readers do not open both as one folder"
        )


class SharedSchemas:
    """Gives shards the fewest schemas: a shard joins the first that can hold its columns.

    The result depends on the schemas and their order alone. Shards that are written in different
    formats never share a schema.

    Args:
        keep_types: only schemas with the same types are shared, and no type is changed.
    """

    def __init__(self, *, keep_types: bool = False) -> None:
        self._keep_types = keep_types
        self._schemas: list[pa.Schema] = []
        self._names: list[str] = []
        self._writers: list[str] = []
        self._known: dict[tuple[str, bytes], int] = {}
        self.clash: Clash | None = None

    def add(self, kind: Kind, schema: pa.Schema, name: str) -> int:
        """Add the schema of a shard; return the number of the shared schema.

        Args:
            kind: the kind of the shard.
            schema: its columns.
            name: what messages call the shard.
        """
        writer = format_of(kind).writer
        key = (writer, schema.serialize().to_pybytes())
        if key not in self._known:
            self._known[key] = self._join(writer, schema, name)
        return self._known[key]

    def __getitem__(self, number: int) -> pa.Schema:
        """Return a shared schema, once all shards have been added."""
        return self._schemas[number]

    def _join(self, writer: str, schema: pa.Schema, name: str) -> int:
        if not self._keep_types:
            schema = _retyped(schema, [_readable(field) for field in schema])
        first: Clash | None = None
        for number, shared in enumerate(self._schemas):
            if self._writers[number] != writer:
                continue
            found = _same(shared, schema) if self._keep_types else _joined(shared, schema)
            if isinstance(found, pa.Schema):
                self._schemas[number] = found
                return number
            if found:
                first = first or Clash(found, self._names[number], name)
        self.clash = self.clash or first
        self._schemas.append(schema)
        self._names.append(name)
        self._writers.append(writer)
        return len(self._schemas) - 1


def shared_schemas(shards: Iterable[tuple[Kind, pa.Schema, str]]) -> list[pa.Schema]:
    """Return for every shard, given by kind, schema and name, the schema that it shares."""
    schemas = SharedSchemas()
    numbers = [schemas.add(*shard) for shard in shards]
    return [schemas[number] for number in numbers]


def _same(one: pa.Schema, other: pa.Schema) -> pa.Schema | str:
    # The metadata of a schema tells of its file: pandas writes the number of rows there. That of a
    # field tells of its type.
    first, second = (schema.remove_metadata() for schema in (one, other))
    return one if first.equals(second, check_metadata=True) else "the columns differ"


def _joined(one: pa.Schema, other: pa.Schema) -> pa.Schema | str:
    """Return the schema that holds the rows of both, in the order of the first, or why none does.

    The schema's own metadata is that of the first. Fields whose metadata differ, such as a unit,
    are told apart; readers open a folder with both, so there is nothing to tell: "".
    """
    if one.names != other.names:
        several = len(set(one.names)) < len(one.names)
        if several or sorted(one.names) != sorted(other.names):
            return _other_columns(one, other)
        other = pa.schema([other.field(name) for name in one.names])
    fields = []
    for field, found in zip(one, other, strict=True):
        wider = wider_field(field, found)
        if wider is None:
            return (
                f"the column {field.name!r} is {field.type} in one shard and {found.type} in "
                "another"
            )
        fields.append(wider)
    if any(_described(field) != _described(found) for field, found in zip(one, other, strict=True)):
        return ""
    return _retyped(one, fields)


def _other_columns(one: pa.Schema, other: pa.Schema) -> str:
    for schema, lacking in ((one, other), (other, one)):
        missing = [name for name in schema.names if name not in lacking.names]
        if missing:
            return f"the column {missing[0]!r} is in one shard and not in another"
    return "a column name is there several times, in other places"


def _readable(field: pa.Field) -> pa.Field:
    kind = readable_type(field.type)
    return field if kind == field.type else field.with_type(kind)


def _described(field: pa.Field) -> dict[bytes, bytes]:
    """Return what a field's metadata say of its values. A field id only tells its place."""
    return {key: one for key, one in (field.metadata or {}).items() if key != _FIELD_ID}


def _retyped(schema: pa.Schema, fields: list[pa.Field]) -> pa.Schema:
    """Return a schema with other types, and with metadata that agree with them."""
    changed = {
        new.name: new.type for old, new in zip(schema, fields, strict=True) if old.type != new.type
    }
    metadata = dict(schema.metadata or {})
    if changed:
        metadata.pop(_SPARK_SCHEMA, None)
        if _PANDAS in metadata:
            metadata[_PANDAS] = _pandas_metadata(metadata[_PANDAS], changed)
    return pa.schema(fields, metadata or None)


def _pandas_metadata(content: bytes, changed: dict[str, pa.DataType]) -> bytes:
    """Return what pandas wrote about its columns, with other types for some of them.

    It makes columns of the types that are named here, and fails if the values do not fit.
    """
    try:
        found = json.loads(content)
        columns = [one for one in found["columns"] if one["field_name"] in changed]
        for column in columns:
            column["numpy_type"] = _pandas_type(
                str(column["numpy_type"]), changed[column["field_name"]]
            )
            column["metadata"] = None
    except (ValueError, TypeError, KeyError):
        return content  # Not written by pandas: its reader ignores what it cannot use.
    return json.dumps(found).encode()


def _pandas_type(was: str, data_type: pa.DataType) -> str:
    """Return the name of the type that pandas makes of a column, for its nullable types too."""
    if pa.types.is_integer(data_type) or pa.types.is_floating(data_type):
        bits = int(data_type.bit_width)
        signed = "int" if pa.types.is_signed_integer(data_type) else "uint"
        plain = f"float{bits}" if pa.types.is_floating(data_type) else f"{signed}{bits}"
        if not was[:1].isupper():
            return plain
        return plain.replace("int", "Int").replace("uInt", "UInt").replace("float", "Float")
    is_text = pa.types.is_string(data_type) or pa.types.is_large_string(data_type)
    return was if is_text and was in ("str", "string") else "object"
