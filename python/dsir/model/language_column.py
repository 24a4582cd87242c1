"""The column that holds the language of each text, by a model of fastText.

No file has the column: it is made of the texts where they are read, and is a column of strings of
every row. Quotas and groups may use it, and it is written with the rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus import Corpus, OnError, Shard, TakenRows, TextBatch
from dsir.corpus.group_values import GroupValues
from dsir.corpus.wrapped_shard import WrappedShard
from dsir.errors import ShardError
from dsir.model import label_filter
from dsir.output.line_fields import with_fields
from dsir.primitive_arrays import to_arrow

_PREFIX = "__label__"
_NAME, _MODEL, _DIGEST = "language_column", "language_model", "language_digest"


@dataclass(frozen=True, slots=True)
class LanguageColumn:
    """A column of languages, and the model that tells them.

    Attributes:
        name: the name of the column.
        model: path or URL of a supervised model of fastText.
        digest: sixteen hexadecimal digits of the SHA-256 of the model.
    """

    name: str
    model: str
    digest: str

    @classmethod
    def of(cls, name: str, model: str) -> LanguageColumn:
        """Return the column of a model as it is now.

        Raises:
            ModelError: the file cannot be read, or is no supervised model of fastText.
        """
        return cls(name, model, label_filter.digest_of(model))

    def codes(self, texts: pa.Array, threads: int) -> GroupValues:
        """Return the likeliest label of each text, without the prefix "__label__".

        A text that is null, not UTF-8, or without a word that the model knows has none. Of labels
        that are equally likely the first in the model's file counts.

        Args:
            texts: string, large_string, string_view, or a dictionary of one of these.
            threads: how many threads to use; the labels do not depend on it.

        Raises:
            ShardError: the model is no longer that of `digest`.
        """
        if label_filter.digest_of(self.model) != self.digest:
            raise ShardError(
                f"{self.model}: the language model changed since the run began", path=self.model
            )
        model = label_filter.model_of(self.model)
        found, status = model.score_batch(texts, threads=threads)
        codes = found.argmax(axis=1).astype(np.uint32)
        nothing = (status != 0) | (found.max(axis=1) == 0)
        codes[nothing] = len(model.labels)
        labels = [label.removeprefix(_PREFIX) for label in model.labels]
        names = [json.dumps(label, ensure_ascii=False) for label in (*labels, None)]
        return GroupValues(codes, names)

    def values(self, texts: pa.Array, threads: int) -> pa.Array:
        """Return the labels as strings, null for none; see `codes`."""
        codes, names = self.codes(texts, threads)
        labels = pa.array([json.loads(name) for name in names], pa.string())
        return labels.take(to_arrow(codes.astype(np.int64)))


@dataclass(frozen=True, slots=True)
class LanguageShard(WrappedShard):
    """A shard with a column of languages.

    Attributes:
        column: the column.
    """

    column: LanguageColumn

    @property
    def made_columns(self) -> tuple[str, ...]:
        """The column of languages, and those of the inner shard."""
        return (*self.inner.made_columns, self.column.name)

    @property
    def as_stored(self) -> Shard:
        """The inner shard."""
        return self.inner.as_stored

    @property
    def worth_spooling(self) -> bool:
        """Whether the inner shard is."""
        return self.inner.worth_spooling

    def spooled(self, path: Path) -> LanguageShard:
        """Return the same column beside the spooled inner shard."""
        return replace(self, inner=self.inner.spooled(path))

    def identity(self) -> dict[str, int | str]:
        """Return the identity of the inner shard, the column, and the model."""
        return {
            **self.inner.identity(),
            _NAME: self.column.name,
            _MODEL: self.column.model,
            _DIGEST: self.column.digest,
        }

    def schema(self) -> pa.Schema | None:
        """Return the columns of the inner shard, and the column of languages as the last.

        Raises:
            ShardError: the inner shard has a column of this name.
        """
        schema = self.inner.schema()
        if schema is None:
            return None
        self._refuse_taken(schema.names)
        return schema.append(pa.field(self.column.name, pa.string()))

    def text_batches(
        self,
        *,
        on_error: OnError,
        threads: int = 1,
        batch_bytes: int | None = None,
        groups: Sequence[str] = (),
    ) -> Iterator[TextBatch]:
        """Read every row's text once, in order; see `Shard.text_batches`.

        The languages are computed only if they are asked for.
        """
        self.schema()  # Refuses a name that is taken.
        theirs = [name for name in groups if name != self.column.name]
        batches = self.inner.text_batches(
            on_error=on_error, threads=threads, batch_bytes=batch_bytes, groups=theirs
        )
        if len(theirs) == len(groups):
            yield from batches
            return
        for batch in batches:
            languages = self.column.codes(batch.text, threads)
            found = iter(batch.groups)
            values = tuple(
                languages if name == self.column.name else next(found) for name in groups
            )
            yield replace(batch, groups=values)

    def take(self, rows: npt.NDArray[np.int64], *, threads: int = 1) -> Iterator[TakenRows]:
        """Fetch rows by their number, with the column or field; see `Shard.take`."""
        for taken in self.inner.take(rows, threads=threads):
            languages = self.column.values(taken.text, threads)
            if taken.records is not None:
                yield replace(taken, records=self._added(taken.records, languages))
            elif taken.lines is not None:
                lines = with_fields(
                    taken.lines.to_pylist(),
                    [self.column.name],
                    [languages.to_pylist()],
                    argument=_NAME,
                )
                yield replace(taken, lines=pa.array(lines, pa.large_binary()))

    def read_table(self, *, threads: int = 1) -> pa.Table:
        """Read all rows with all columns into memory; see `Shard.read_table`."""
        table = self.inner.read_table(threads=threads)
        self._refuse_taken(table.column_names)
        languages = [
            self.column.values(batch.text, threads)
            for batch in self.inner.text_batches(on_error="skip", threads=threads)
        ]
        return table.append_column(
            pa.field(self.column.name, pa.string()), pa.chunked_array(languages, pa.string())
        )

    def _added(self, records: pa.RecordBatch, languages: pa.Array) -> pa.RecordBatch:
        schema = records.schema.append(pa.field(self.column.name, pa.string()))
        return pa.RecordBatch.from_arrays([*records.columns, languages], schema=schema)

    def _refuse_taken(self, names: Sequence[str]) -> None:
        if self.column.name in names:
            raise ShardError(
                f"{self.name}: has a column {self.column.name!r} already; give the languages "
                f"another name, e.g. {_NAME}={self.column.name + '_2'!r}",
                path=self.name,
            )


def with_languages(corpus: Corpus, column: LanguageColumn | None) -> Corpus:
    """Return a corpus with a column of languages; itself without a column.

    Shards that have the column already, as `described_languages` made it, stay as they are.
    """
    if column is None:
        return corpus
    shards = [
        one if column.name in one.made_columns else LanguageShard(one, column)
        for one in corpus.shards
    ]
    return replace(corpus, shards=tuple(shards))


def described_languages(shard: Shard, described: Mapping[str, Any]) -> Shard:
    """Return a shard with the column of languages that an identity describes, if it does.

    The model may be another one by now: then the identity is another one as well.

    Args:
        shard: the file or table without the column.
        described: what `identity` of the shard with the column returned, perhaps from a file.

    Raises:
        ModelError: the model cannot be read.
    """
    name, model = described.get(_NAME), described.get(_MODEL)
    if not isinstance(name, str) or not isinstance(model, str):
        return shard
    return LanguageShard(shard, LanguageColumn.of(name, model))


def language_argument(value: object) -> str:
    """Return the path or URL of a language model as a string; a path is made absolute.

    Raises:
        SettingError: it is neither.
    """
    return label_filter.checked_path(value, _MODEL, "lid.176.ftz")


__all__ = [
    "LanguageColumn",
    "LanguageShard",
    "described_languages",
    "language_argument",
    "with_languages",
]
