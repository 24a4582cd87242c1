"""Measures texts that a report reads: their log-weights, lengths, n-grams, values of columns."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir import _core
from dsir.corpus import Shard, TextBatch
from dsir.corpus.group_values import find_group_column
from dsir.errors import InputError, ShardError
from dsir.model.estimator import Estimator, TextScores
from dsir.report.pieces import Piece, read
from dsir.report.wording import cut

# Columns that say where a document comes from. The first few that are there are counted.
_TELLING = re.compile(
    r"source|subset|dataset|corpus|domain|host|hostname|url_host_name|site|lang|language|"
    r"category|genre|topic|license|licence|url|uri"
)
_URL = re.compile(r"url|uri")
_MOST_COLUMNS = 4
_NONE = "(none)"

Look = Callable[[Piece, TextBatch, TextScores], None]


class Measured(NamedTuple):
    """What was measured of documents.

    Attributes:
        log_weight: float64[documents] of documents with a token; of several columns the greatest.
        tokens: uint32[documents] of documents with a token.
        rows: how many rows were read.
        values: for each column, how many rows have each of its values.
        ngrams: int64[buckets], the n-grams; None if nobody asked.
    """

    log_weight: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.uint32]
    rows: int
    values: dict[str, Counter[str]]
    ngrams: npt.NDArray[np.int64] | None


def measure(
    pieces: Sequence[Piece],
    model: Estimator,
    *,
    threads: int,
    columns: Sequence[str] = (),
    count: bool = False,
    look: Look | None = None,
    unreadable: list[str] | None = None,
) -> Measured:
    """Read pieces and measure their texts.

    Args:
        pieces: what to read.
        model: gives the log-weights.
        threads: how many threads to use; the result does not depend on it.
        columns: columns whose values to count, where they are.
        count: whether to count n-grams.
        look: is shown every batch, with its scores.
        unreadable: gets why a piece cannot be read, which is then left out from there on; None to
            raise the error.

    Raises:
        InputError: a piece cannot be read.
    """
    weights: list[npt.NDArray[np.float64]] = []
    tokens: list[npt.NDArray[np.uint32]] = []
    values: dict[str, Counter[str]] = {column: Counter() for column in columns}
    ngrams = np.zeros(model.features.buckets, dtype=np.int64) if count else None
    rows = 0
    for piece, here, batch in _batches(pieces, columns, unreadable):
        scored = model.score_batch(batch.text, threads=threads)
        rows += len(scored.tokens)
        present = scored.tokens > 0
        weights.append(scored.log_weight.max(axis=0)[present])
        tokens.append(scored.tokens[present])
        if ngrams is not None:
            _core.count(scored.prepared, model.features.spec, ngrams, threads=threads)
        for column in columns:
            if column not in here:
                values[column][_NONE] += len(scored.tokens)
        for column, found in zip(here, batch.groups, strict=True):
            counts = np.bincount(found.codes, minlength=len(found.names))
            for code in np.flatnonzero(counts):
                values[column][_shown(column, found.names[code])] += int(counts[code])
        if look is not None:
            look(piece, batch, scored)
    return Measured(
        np.concatenate(weights) if weights else np.zeros(0),
        np.concatenate(tokens) if tokens else np.zeros(0, np.uint32),
        rows,
        {column: counter for column, counter in values.items() if counter.keys() - {_NONE}},
        ngrams,
    )


def _batches(
    pieces: Sequence[Piece], columns: Sequence[str], unreadable: list[str] | None
) -> Iterator[tuple[Piece, list[str], TextBatch]]:
    """Yield the texts of pieces, each with those of the columns that its file has."""
    for piece in pieces:
        try:
            here = _there(piece, columns)
            for batch in read(piece, here):
                yield piece, here, batch
        except InputError as error:
            if unreadable is None:
                raise
            unreadable.append(str(error))


def telling_columns(shard: Shard, first: Sequence[str]) -> list[str]:
    """Return the columns of a file that say where its documents come from.

    Args:
        shard: the file.
        first: columns to count in any case, such as those with quotas.

    Raises:
        InputError: the file cannot be read.
    """
    names = [name for name in _columns_of(shard) if name != shard.text]
    found = [name for name in first if name in names]
    found += [
        name
        for name in names
        if name not in found and _TELLING.fullmatch(name.rpartition(".")[2].lower())
    ]
    hosts = [name for name in found if "host" in name.lower() or "domain" in name.lower()]
    if hosts:  # A URL says no more than its host.
        found = [name for name in found if not _is_url(name)]
    return found[:_MOST_COLUMNS]


def _columns_of(shard: Shard) -> list[str]:
    """Return the columns whose values can be counted; dots lead into nested ones."""
    schema = shard.schema()
    if schema is None:
        first = next(iter(shard.text_batches(on_error="skip", batch_bytes=1 << 16)), None)
        lines = () if first is None else _fields_of(first)
        found = {
            name: None
            for line in lines
            for name, value in line.items()
            if isinstance(value, str | int)
        }
        return list(found)
    names = []
    for field in schema:
        nested = field.type if pa.types.is_struct(field.type) else ()
        names += [field.name, *(f"{field.name}.{inner.name}" for inner in nested)]
    return [name for name in names if _has(schema, name, shard.name)]


def _fields_of(batch: TextBatch) -> Iterator[dict[str, Any]]:
    """Yield the fields of each line that is an object; dots lead into nested ones."""
    for row in range(0 if batch.lines is None else batch.lines.rows):
        assert batch.lines is not None
        try:
            line = json.loads(batch.lines.row_bytes(row))
        except (ValueError, RecursionError):
            continue
        found = {}
        for name, value in line.items() if isinstance(line, dict) else ():
            found[name] = value
            nested = value if isinstance(value, dict) else {}
            found |= {f"{name}.{inner}": one for inner, one in nested.items()}
        yield found


def _there(piece: Piece, columns: Sequence[str]) -> list[str]:
    """Return the columns whose values can be counted in a piece.

    Lines need not have the same fields, so all that is read of them is looked through for a field;
    most often the first line has it.
    """
    schema = piece.shard.schema()
    if schema is not None:
        return [column for column in columns if _has(schema, column, piece.shard.name)]
    missing = {*columns}
    try:
        # Of windows only their documents have lines.
        for batch in read(piece._replace(shard=piece.shard.documents)) if missing else ():
            for line in _fields_of(batch):
                missing -= line.keys()
                if not missing:
                    return list(columns)
    except InputError:  # Whoever reads the texts will meet it.
        pass
    return [column for column in columns if column not in missing]


def _has(schema: pa.Schema, column: str, name: str) -> bool:
    """Tell whether the values of a column can be counted."""
    try:
        find_group_column(schema, column, name)
    except ShardError:
        return False
    return True


def _is_url(column: str) -> bool:
    return _URL.fullmatch(column.rpartition(".")[2].lower()) is not None


def _shown(column: str, name: str) -> str:
    """Return a value as a person reads it: a text without quotes, a URL's host."""
    value = json.loads(name)
    if value is None:
        return _NONE
    return cut(_host(value) if _is_url(column) else value if isinstance(value, str) else name)


def _host(url: object) -> str:
    """Return the host of a URL; of anything else, the whole of it."""
    try:
        return urlsplit(str(url)).hostname or str(url)
    except ValueError:
        return str(url)
