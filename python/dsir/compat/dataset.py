"""The examples of one dataset, read once: JSON Lines by the core, other data by functions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from dsir.corpus import TextBatch
from dsir.corpus.batches import text_bytes
from dsir.corpus.files import open_with
from dsir.corpus.jsonl import JsonLinesShard
from dsir.corpus.line_blocks import LineBlock, line_blocks
from dsir.engine import Progress
from dsir.errors import RowError, SettingError, TextColumnError
from dsir.formats import how_read

LoadDataset = Callable[[Any], Iterable[Any]]
ParseExample = Callable[[Any], Any]

# Examples that functions return are handed on in batches of up to this many examples or characters.
_BATCH_EXAMPLES = 1024
_BATCH_CHARACTERS = 4 << 20
_EXAMPLES_BETWEEN_REPORTS = 256


def default_load_dataset_fn(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """Read JSON Lines, plain or compressed; blank lines are skipped.

    Args:
        path: the file.

    Raises:
        ShardError: the file cannot be read.
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
    """Return a JSON Lines file as a shard, whatever its suffix.

    Raises:
        ShardError: the file is missing or cannot be reached.
        SettingError: the suffix is that of another format.
    """
    file = Path(path)
    found = how_read(file)
    if found is not None and found.format.kind not in ("jsonl", "text"):
        raise SettingError(
            f"{path}: is not JSON Lines; give a function that loads it, or use dsir.select, "
            "which reads this format"
        )
    return open_with(JsonLinesShard, file, "text", None if found is None else found.compression)


def lines_of(shard: JsonLinesShard) -> Iterator[LineBlock]:
    """Yield blocks of lines; an empty file has none."""
    return line_blocks(shard.path, shard.name, shard.compression, shard.text_file)


def name_of(path: object) -> str:
    """Return a dataset's name for messages and manifests."""
    if isinstance(path, str | os.PathLike):
        return os.fsdecode(path)
    return f"<{type(path).__name__}>"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset and the functions that read it.

    Attributes:
        path: the argument of the load function.
        load: returns the examples.
        parse: returns the text of an example; None if an example is itself a text.
    """

    path: Any
    load: LoadDataset
    parse: ParseExample | None

    @property
    def name(self) -> str:
        """The dataset's name in messages."""
        return name_of(self.path)

    @property
    def is_lines(self) -> bool:
        """Whether the default function reads the dataset as JSON Lines."""
        return self.load is default_load_dataset_fn

    @property
    def size(self) -> int:
        """Bytes on disk; 1 if only functions can read the dataset."""
        return open_lines(self.path).size if self.is_lines else 1

    def texts(self, threads: int, progress: Progress) -> Iterator[TextBatch]:
        """Read all texts once, in order, in batches; null is an example without a text.

        Args:
            threads: number of threads that the reader may use.
            progress: called with a number of bytes when the caller is done with a batch.

        Raises:
            InputError: the dataset cannot be read.
        """
        if self.is_lines and self.parse is default_parse_example_fn:
            shard = open_lines(self.path)
            size, batches = shard.size, _texts_of_lines(shard, threads)
        else:
            size, batches = self.size, self._texts_of_functions(progress)
        reported = 0
        for batch in batches:
            yield batch
            # The texts of a compressed file are larger than the file, so its progress is complete
            # early. A dataset that functions read counts as 1, which is reported at the end.
            amount = min(text_bytes(batch.text), size - reported) if size > 1 else 0
            progress(amount)
            reported += amount
        progress(size - reported)

    def examples(self, progress: Progress) -> Iterator[tuple[Any, Any]]:
        """Read all examples once, in order.

        Args:
            progress: called with 0 now and then, because it raises `Stopped` when the run is over.

        Yields:
            The example, and what the parse function returned for it.
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
        """Return the error for an example that cannot be used."""
        return RowError(f"{self.name}: example {number}: {reason}", path=self.name, row=number)


def _texts_of_lines(shard: JsonLinesShard, threads: int) -> Iterator[TextBatch]:
    if shard.size == 0:
        return
    try:
        # With "skip", bad rows are listed and not raised, so that the error can say "example".
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
