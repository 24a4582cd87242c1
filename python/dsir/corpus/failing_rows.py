"""The row of a text on which a kernel or a function of the user failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa

from dsir.corpus.bad_text import snippet_at
from dsir.corpus.shard import Shard
from dsir.corpus.shard_rows import TextBatch
from dsir.corpus.token_ids import holds_ids
from dsir.errors import KernelError

_SHOWN = 80  # Characters of a text in a message.


@contextmanager
def naming_row(
    shard: Shard, batch: TextBatch, again: Callable[[pa.Array], object]
) -> Iterator[None]:
    """Run what takes a batch of texts so that a `KernelError` names the file and row of the text.

    The core's threads take rows in any order, so the rows are tried again one by one: the error is
    that of the first row on which the kernel fails, however many threads there are.

    Args:
        shard: where the batch is from.
        batch: the texts.
        again: does the same with some of the texts.

    Raises:
        KernelError: as the block does, with the row.
    """
    try:
        yield
    except KernelError as error:
        if error.row is not None:
            raise
        name = shard.name
        for position in range(len(batch.text)):
            try:
                again(batch.text.slice(position, 1))
            except KernelError as failure:
                row = shard.rows_before() + _unit_row(batch, position)
                said = f"{name}: row {row}: {failure}{_beginning_of(batch.text, position, failure)}"
                raise KernelError(said, path=name, row=row) from failure.__cause__ or failure
        # It does not fail again: what it does depends on more than the text.
        raise KernelError(f"{name}: {error}", path=name) from error


def _unit_row(batch: TextBatch, position: int) -> int:
    """Return the row in the shard: of a window, that of its document."""
    if batch.origin is None:
        return batch.unit_row + position
    return int(batch.origin.row[position])


def _beginning_of(text: pa.Array, position: int, failure: KernelError) -> str:
    """Return the words that show a text, unless it has none or a message shows it already."""
    if holds_ids(text) or ", for the text " in str(failure):
        return ""
    return f"; the text begins {snippet_at(text, position)[:_SHOWN]!r}"
