"""GAIS over files: reads tables or labelled texts, and writes the rows kept as Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.values import amount, is_percent, name_of_column, share, shown
from dsir.corpus import Paths, resolve
from dsir.corpus.bad_text import snippet_of
from dsir.corpus.cast_columns import cast_column, viewless_type
from dsir.corpus.encoded_text import decoded, encoding_of, text_type
from dsir.corpus.pandas_index import index_columns
from dsir.corpus.pipe import Pipe
from dsir.corpus.text_column import describe_columns, find_text_column
from dsir.engine import thread_count
from dsir.errors import InputError, OutputError, SettingError
from dsir.gais.selector import take_rows
from dsir.output.dataset_note import write_dataset_note
from dsir.output.folder import INSTANCES_FILE, make_output_folder, part_stem
from dsir.output.parquet import ParquetTable
from dsir.output.shared_schema import shared_schemas
from dsir.primitive_arrays import to_arrow
from dsir.progress import Reporter, Silent
from dsir.remote import Location, within
from dsir.remote.read_errors import first_line
from dsir.storage.atomic import write_json


@dataclass(frozen=True, slots=True)
class InstanceTables:
    """The rows of one or more files, and the roles of their columns.

    Attributes:
        tables: a table for each file, all with the columns that are used.
        label: the label column.
        features: the feature columns, of numbers or names; None if `text` is given.
        text: the text column, or None.
        encoding: the encoding of columns of bytes; None if these are no texts.
    """

    tables: tuple[pa.Table, ...]
    label: str
    features: tuple[str, ...] | None
    text: str | None
    encoding: str | None = None

    def __len__(self) -> int:
        return sum(table.num_rows for table in self.tables)

    def inputs(self) -> tuple[Any, pa.ChunkedArray]:
        """Return X and y, of all rows."""
        labels = self._column(self.label)
        if self.text is not None:
            return self._column(self.text), labels
        names = self.features or ()
        return pa.table({name: self._column(name) for name in names}), labels

    def new_column(self, argument: str, name: str) -> str:
        """Return the name of a column to add to all tables.

        Raises:
            SettingError: it is no name, or a table has a column of this name.
        """
        name = name_of_column(argument, name)
        if any(name in table.column_names for table in self.tables):
            raise SettingError(f"{argument}={name!r}: the rows have this column; give another name")
        return name

    def _column(self, name: str) -> pa.ChunkedArray:
        return _joined([_decoded(table, name, self.encoding) for table in self.tables], name)


def read_instances(
    paths: Sequence[str | Pipe],
    *,
    label: str,
    features: list[str] | None = None,
    exclude: Sequence[str] | None = None,
    text: str | None = None,
    text_encoding: str | None = None,
    shown: Reporter | None = None,
) -> InstanceTables:
    """Read all columns of all files: Parquet, JSON Lines or Arrow.

    Args:
        paths: files, patterns or folders.
        label: the label column.
        features: the feature columns; None for all columns but the label, those of `exclude`, and
            the index of a pandas frame.
        exclude: columns that are no features, in place of `features`.
        text: a text column, in place of features.
        text_encoding: the encoding of columns of bytes; None if these are no texts.
        shown: shows progress; None to show none.

    Raises:
        SettingError: two of features, exclude and text are given, the encoding is not known, or no
            column is left.
        InputError: a file cannot be read, or lacks a column.
    """
    given = {"features=...": features, "exclude=...": exclude, "text=...": text}
    named = [argument for argument, value in given.items() if value is not None]
    if len(named) > 1:
        raise SettingError(f"give {named[0]} or {named[1]}, not both")
    encoding = None if text_encoding is None else encoding_of(text_encoding)
    tables = []
    threads = thread_count(None)
    shards = resolve(Paths(paths), text=label).shards
    with (shown or Silent()).stage("read", len(shards), "files") as advance:
        for shard in shards:
            table = shard.read_table(threads=threads)
            for name in (label, *(features or ()), *(exclude or ()), *([text] if text else ())):
                _check_column(table, name, shard.name)
            if text is not None:
                # Says what a column of bytes needs.
                find_text_column(table.schema, text, shard.name, encoding)
            tables.append(table)
            advance(1)
    if text is None and features is None:
        features = _feature_columns(tables, label, exclude or (), shown or Silent())
        for name in features:
            _check_column(tables[0], name, "the first file")
        for table in tables:
            missing = set(features) - set(table.column_names)
            if missing:
                raise InputError(
                    f"the files differ in their columns: one lacks {', '.join(sorted(missing))}; "
                    "name the columns to use in features=..., or those to leave out in exclude=..."
                )
    used = None if features is None else tuple(features)
    return InstanceTables(tuple(tables), label, used, text, encoding)


def _feature_columns(
    tables: Sequence[pa.Table], label: str, exclude: Sequence[str], shown: Reporter
) -> list[str]:
    """Return the columns of the first table that are features, and say which index is none."""
    indexes = {name for table in tables for name in index_columns(table.schema)}
    indexes -= {label, *exclude}
    if indexes:
        shown.note(
            f"not a feature: {', '.join(sorted(indexes))}, the index of a pandas frame; to learn "
            "from it, name it in --features"
        )
    features = [name for name in tables[0].column_names if name not in {label, *exclude, *indexes}]
    if not features:
        raise SettingError("no column is left to learn from; name columns in features=...")
    return features


def _check_column(table: pa.Table, name: str, where: str) -> None:
    """Raise InputError unless a table has one column of a name."""
    count = table.column_names.count(name)
    if count > 1:
        raise InputError(f"{where}: {count} columns are named {name!r}", path=where)
    if count == 0:
        raise InputError(
            f"{where}: no column {name!r}; columns: {describe_columns(table.schema)}", path=where
        )


def reduction_of(keep: str, rows: int) -> float:
    """Return the share of rows to leave out for `keep`, a share such as "4%" or a number of rows.

    Raises:
        SettingError: `keep` is neither, or is 0, or is above 100%.
    """
    try:
        if is_percent(keep):
            return 1 - share("keep", keep, above=0)
        return max(0.0, 1 - amount("keep", keep, 1) / max(1, rows))
    except SettingError:
        raise SettingError(
            f"keep={shown(keep)}: expected a share such as '4%' or a number of rows"
        ) from None


def write_instances(
    tables: InstanceTables,
    rows: npt.NDArray[np.int64],
    out: Location,
    description: Any,
    added: Mapping[str, npt.NDArray[np.int64]] | None = None,
) -> list[Location]:
    """Write the kept rows of input file i to output file i, as Parquet, and then instances.json.

    Args:
        tables: the rows that were read.
        rows: the numbers of the rows to write, ascending.
        out: an empty or new folder.
        description: goes into instances.json.
        added: columns to add, by name: a value for each of `rows`.

    Raises:
        OutputError: the rows cannot be written.
    """
    make_output_folder(out)
    paths, first = [], 0
    schemas = shared_schemas(
        [("memory", table.schema, f"input {number}") for number, table in enumerate(tables.tables)]
    )
    for number, table in enumerate(tables.tables):
        here = (rows >= first) & (rows < first + table.num_rows)
        own = rows[here] - first
        first += table.num_rows
        if len(own) == 0:
            continue
        kept = _written(table, own, schemas[number])
        for name, values in (added or {}).items():
            kept = kept.append_column(
                pa.field(name, pa.int64(), nullable=False), to_arrow(values[here])
            )
        stem = part_stem(out, number)
        file = ParquetTable(stem.with_name(f"{stem.name}.parquet"), kept.schema)
        try:
            for batch in kept.combine_chunks().to_batches():
                file.write(list(batch.columns))
            file.finish()
            paths.append(file.commit())
        except BaseException:
            file.discard()
            raise
    accounts = {"rows": len(tables), "written": len(rows)}
    outputs = [within(path, out) for path in paths]
    write_dataset_note(out)
    write_json(out / INSTANCES_FILE, {**description, "accounts": accounts, "outputs": outputs})
    return paths


def _decoded(table: pa.Table, name: str, encoding: str | None) -> pa.ChunkedArray:
    """Return a column; one of bytes as texts if there is an encoding.

    Raises:
        InputError: a value cannot be decoded.
    """
    column = table.column(name)
    if encoding is None or text_type(column.type, encoding) is None:
        return column
    chunks, row = [], 0
    for chunk in column.chunks:
        # Not as `as_text` does it: UTF-8 has to be checked here.
        plain = cast_column(chunk, pa.large_binary()).to_pylist()
        texts = [None if one is None else decoded(one, encoding) for one in plain]
        for place, (one, text) in enumerate(zip(plain, texts, strict=True)):
            if one is not None and text is None:
                raise InputError(
                    f"column {name!r}: the text of row {row + place} is not {encoding}: "
                    f"{snippet_of(one)!r}"
                )
        chunks.append(pa.array(texts, pa.large_string()))
        row += len(chunk)
    return pa.chunked_array(chunks, pa.large_string())


def _joined(given: Sequence[pa.ChunkedArray], name: str) -> pa.ChunkedArray:
    """Return a column of all tables, in the least type that holds the values of each."""
    columns = [_plain(column, name) for column in given]
    kinds = {column.type for column in columns}
    if len(kinds) > 1:
        columns = [
            column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
            for column in columns
        ]
        try:
            schemas = [pa.schema([(name, column.type)]) for column in columns]
            kind = pa.unify_schemas(schemas, promote_options="permissive").field(0).type
            columns = [column.cast(kind) for column in columns]
        except pa.ArrowException as error:
            found = ", ".join(sorted(map(str, kinds)))
            raise InputError(
                f"column {name!r} has different types in the files: {found}"
            ) from error
    return pa.chunked_array(
        [chunk for column in columns for chunk in column.chunks], columns[0].type
    )


def _plain(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return a column without views: neither pandas nor most functions of Arrow take them."""
    try:
        if not pa.types.is_dictionary(column.type):
            viewless = viewless_type(column.type)
            return column if viewless == column.type else column.cast(viewless)
        viewless = viewless_type(column.type.value_type)
        if viewless == column.type.value_type:
            return column
        chunks = [
            pa.DictionaryArray.from_arrays(
                chunk.indices, chunk.dictionary.cast(viewless), ordered=column.type.ordered
            )
            for chunk in column.chunks
        ]
        return pa.chunked_array(
            chunks, pa.dictionary(column.type.index_type, viewless, column.type.ordered)
        )
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise InputError(f"column {name!r}: {column.type} cannot be read: {error}") from error


def _written(table: pa.Table, rows: npt.NDArray[np.int64], schema: pa.Schema) -> pa.Table:
    """Return rows of a table as they are written.

    Raises:
        OutputError: a column has a type that pyarrow cannot copy rows of.
    """
    columns = []
    same = table.column_names == schema.names
    for place, field in enumerate(schema):
        column = table.column(place if same else field.name)
        try:
            chunks = [cast_column(chunk, field.type) for chunk in column.chunks]
            columns.append(take_rows(pa.chunked_array(chunks, field.type), rows))
        except pa.ArrowException as error:
            raise OutputError(
                f"column {field.name!r} holds {column.type}, which cannot be written: "
                f"{first_line(error)}"
            ) from error
    return pa.Table.from_arrays(columns, schema=schema)
