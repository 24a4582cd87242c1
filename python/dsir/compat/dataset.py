"""The examples of one dataset, each read once: JSON Lines by the core, the rest by functions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from dsir.corpus import TextBatch
from dsir.corpus.files import open_with
from dsir.corpus.jsonl import JsonLinesShard
from dsir.corpus.line_blocks import LineBlock, line_blocks
from dsir.engine import Progress
from dsir.errors import RowError, SettingError, TextColumnError
from dsir.formats import how_read

LoadDataset = Callable[[Any], Iterable[Any]]
ParseExample = Callable[[Any], Any]

# Of the examples that functions give, this much is read before it is handed on.
_BATCH_EXAMPLES = 1024
_BATCH_CHARACTERS = 4 << 20
_EXAMPLES_BETWEEN_REPORTS = 256


def default_load_dataset_fn(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """Read JSON Lines, plain or compressed; blank lines are no examples.

    Args:
        path: the file.

    Raises:
        ShardError: it cannot be read.
        RowError: a line is not JSON.
    """
    shard = open_lines(path)
    for block in lines_of(shard):
        for index in range(block.rows):
            try:
                yield json.loads(block.row_bytes(index).decode("utf-8"))
            except (ValueError, RecursionError) as error:
                row = block.unit_row + index
                raise RowError(
                    f"{shard.name}: example {row} (line {block.line_number(index)}): "
                    f"is not JSON: {error}",
                    path=shard.name,
                    row=row,
                ) from error


def default_parse_example_fn(ex: dict[str, Any]) -> str:
    """Return the field "text" of an example."""
    text: str = ex["text"]
    return text


def open_lines(path: str | os.PathLike[str]) -> JsonLinesShard:
    """Describe a file of JSON Lines, whatever its suffix.

    Raises:
        ShardError: the file is missing or out of reach.
        SettingError: its suffix says that it is of another kind.
    """
    file = Path(path)
    found = how_read(file)
    if found is not None and found.format.kind != "jsonl":
        raise SettingError(
            f"{path}: is not JSON Lines; give a function that loads it, or use dsir.select, "
            "which reads it"
        )
    return open_with(JsonLinesShard, file, "text", None if found is None else found.compression)


def lines_of(shard: JsonLinesShard) -> Iterator[LineBlock]:
    """Read blocks of lines; a file of no bytes has none."""
    return line_blocks(shard.path, shard.name, shard.compression)


def name_of(path: object) -> str:
    """Return what messages and manifests call a dataset."""
    if isinstance(path, str | os.PathLike):
        return os.fsdecode(path)
    return f"<{type(path).__name__}>"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One of the datasets of a call, and the functions that read it.

    Attributes:
        path: what the load function takes.
        load: gives its examples.
        parse: gives the text of an example; None where an example is a text.
    """

    path: Any
    load: LoadDataset
    parse: ParseExample | None

    @property
    def name(self) -> str:
        """What messages call it."""
        return name_of(self.path)

    @property
    def is_lines(self) -> bool:
        """Whether it is JSON Lines, read by the default function."""
        return self.load is default_load_dataset_fn

    @property
    def size(self) -> int:
        """Bytes on disk; 1 for what only functions can read."""
        return open_lines(self.path).size if self.is_lines else 1

    def texts(self, threads: int, progress: Progress) -> Iterator[TextBatch]:
        """Read all texts once, in order, in batches; null stands for no text.

        Args:
            threads: how many the reader may use.
            progress: told of the bytes of a file, when what was read of them is done with.

        Raises:
            InputError: something cannot be read.
        """
        if self.is_lines and self.parse is default_parse_example_fn:
            shard = open_lines(self.path)
            size, batches = shard.size, _texts_of_lines(shard, threads)
        else:
            size, batches = self.size, self._texts_of_functions(progress)
        told = 0
        for batch in batches:
            yield batch
            # Compressed files, and what functions read, wait at the end.
            amount = min(batch.text.nbytes, size - told) if size > 1 else 0
            progress(amount)
            told += amount
        progress(size - told)

    def examples(self, progress: Progress) -> Iterator[tuple[Any, Any]]:
        """Read all examples once, in order: the example, and what the parse function makes of it.

        Args:
            progress: asked now and then whether to go on.
        """
        for number, example in enumerate(self.load(self.path)):
            if number % _EXAMPLES_BETWEEN_REPORTS == 0:
                progress(0)
            yield example, example if self.parse is None else self.parse(example)

    def _texts_of_functions(self, progress: Progress) -> Iterator[TextBatch]:
        first = characters = 0
        texts: list[str | None] = []
        for _, text in self.examples(progress):
            if text is not None and not isinstance(text, str):
                raise self.bad_example(
                    first + len(texts), f"expected a text, found {type(text).__name__}"
                )
            texts.append(text)
            characters += len(text or "")
            if len(texts) == _BATCH_EXAMPLES or characters >= _BATCH_CHARACTERS:
                yield TextBatch(first, self._array(first, texts))
                first += len(texts)
                characters = 0
                texts = []
        if texts:
            yield TextBatch(first, self._array(first, texts))

    def _array(self, first: int, texts: list[str | None]) -> pa.Array:
        try:
            return pa.array(texts, type=pa.large_string())
        except (UnicodeError, pa.ArrowException):
            for position, text in enumerate(texts):
                try:
                    (text or "").encode("utf-8")
                except UnicodeEncodeError as error:
                    raise self.bad_example(
                        first + position, f"a lone surrogate at position {error.start}"
                    ) from error
            raise

    def bad_example(self, number: int, reason: str) -> RowError:
        """Make the error for an example that cannot be used."""
        return RowError(f"{self.name}: example {number}: {reason}", path=self.name, row=number)


def _texts_of_lines(shard: JsonLinesShard, threads: int) -> Iterator[TextBatch]:
    if shard.size == 0:
        return
    try:
        # "skip" lists what is bad, and leaves the words of the error to us.
        for batch in shard.text_batches(on_error="skip", threads=threads):
            if batch.bad:
                row, reason = batch.bad[0].row, batch.bad[0].reason
                raise RowError(f"{shard.name}: example {row}: {reason}", path=shard.name, row=row)
            yield batch
    except TextColumnError as error:
        raise TextColumnError(
            f"{shard.name}: no line has a field 'text'; give a function that parses the examples",
            path=shard.name,
        ) from error
