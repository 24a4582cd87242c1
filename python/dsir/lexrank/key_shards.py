"""Shards that give the values of a group column as texts: strings, numbers, dates, flags."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from dsir.corpus import Corpus, OnError, Shard, TextBatch
from dsir.corpus.group_values import GroupValues, has_other_names
from dsir.corpus.text_column import find_column
from dsir.errors import ShardError, TextColumnError
from dsir.lexrank.readable_shards import ReadableShard, Watch
from dsir.primitive_arrays import to_arrow
from dsir.progress import Silent


@dataclass(frozen=True, slots=True)
class KeyShard(ReadableShard):
    """A shard whose texts are the values of a group column.

    A string is the key itself; other values are their JSON text, such as 3 or true. Dates and times
    are strings.

    Attributes:
        column: the group column.
    """

    column: str

    def schema(self) -> None:
        """Return None: the keys are no column of the file."""

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's key once, in order."""
        del groups
        batches = self.inner.text_batches(
            on_error=on_error, threads=threads, batch_bytes=batch_bytes, groups=(self.column,)
        )
        for batch in batches:
            yield replace(batch, text=_keys(batch.groups[0]), groups=())


def _keys(values: GroupValues) -> pa.Array:
    names = [json.loads(name) for name in values.names]
    keys = [
        one if one is None or isinstance(one, str) else name
        for one, name in zip(names, values.names, strict=True)
    ]
    return pa.array(keys, pa.large_string()).take(to_arrow(values.codes.astype(np.int64)))


def keys_of(texts: Corpus, keys: Corpus, column: str) -> Corpus:
    """Return the shards that give the keys of groups.

    Args:
        texts: the corpus.
        keys: the same files with the group column as their text.
        column: the group column.
    """
    shards = tuple(
        _key_shard(text, key, column) for text, key in zip(texts.shards, keys.shards, strict=True)
    )
    return Corpus(shards, keys.name)


def _key_shard(text: Shard, key: Shard, column: str) -> Shard:
    if column in text.made_columns:
        return KeyShard(text, np.zeros(0, np.int64), Watch(Silent()), column)
    try:
        schema = text.schema()
    except (ShardError, TextColumnError):
        return key  # Whoever reads the texts says what is wrong with the file.
    if schema is not None:
        found = find_column(schema, column)
        kind = None if found is None else found.type
        if kind is not None and pa.types.is_dictionary(kind):
            kind = kind.value_type
        # A column of text is read, and one that is not there or a list is refused, as text.
        if kind is None or not has_other_names(kind):
            return key
    return KeyShard(text, np.zeros(0, np.int64), Watch(Silent()), column)
