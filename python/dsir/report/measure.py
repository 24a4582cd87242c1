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

# Columns that say where a document comes from. The first few that are there are counted.
_TELLING = re.compile(
    r"source|subset|dataset|corpus|domain|host|hostname|url_host_name|site|lang|language|"
    r"category|genre|topic|license|licence|url|uri"
)
_URL = re.compile(r"url|uri")
_MOST_COLUMNS = 4
_LONGEST_VALUE = 200
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
            here = [column for column in columns if _has(piece.shard, column)]
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
        return [name for name, value in _first_line(shard).items() if isinstance(value, str)]
    names = []
    for field in schema:
        nested = field.type if pa.types.is_struct(field.type) else ()
        names += [field.name, *(f"{field.name}.{inner.name}" for inner in nested)]
    return [name for name in names if _has(shard, name)]


def _first_line(shard: Shard) -> dict[str, Any]:
    """Return the fields of the first line; dots lead into nested ones."""
    first = next(iter(shard.text_batches(on_error="skip", batch_bytes=1 << 16)), None)
    if first is None or first.lines is None or not first.lines.rows:
        return {}
    try:
        line = json.loads(first.lines.row_bytes(0))
    except (ValueError, RecursionError):
        return {}
    found = {}
    for name, value in line.items() if isinstance(line, dict) else ():
        found[name] = value
        nested = value if isinstance(value, dict) else {}
        found |= {f"{name}.{inner}": one for inner, one in nested.items()}
    return found


def _has(shard: Shard, column: str) -> bool:
    """Tell whether the values of a column can be counted in a file."""
    schema = shard.schema()
    if schema is None:
        return column in _first_line(shard)
    try:
        find_group_column(schema, column, shard.name)
    except ShardError:
        return False
    return True


def _is_url(column: str) -> bool:
    return _URL.fullmatch(column.rpartition(".")[2].lower()) is not None


def _shown(column: str, name: str) -> str:
    """Return a value as a person reads it: a text without quotes, a URL's host."""
    if len(name) > _LONGEST_VALUE:
        return f"{name[:_LONGEST_VALUE]}…"
    value = json.loads(name)
    if value is None:
        return _NONE
    if not isinstance(value, str):
        return name
    if _is_url(column):
        try:
            return urlsplit(value).hostname or value
        except ValueError:
            return value
    return value
