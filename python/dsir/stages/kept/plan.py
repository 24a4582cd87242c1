"""Whether rows are kept as they pass, and which tasks keep what."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dsir.corpus import Shard
from dsir.errors import InputError
from dsir.model.proportions import split
from dsir.settings.draw import DrawSettings
from dsir.stages.kept.gate import Gate, Keep
from dsir.stages.kept.writer import can_keep
from dsir.storage.workdir import Workdir

# Above this share of the rows, more would be kept than is worth it: k (1 + ln(N / k)) of N.
_LARGEST_SHARE = 0.05
_MOST_TARGETS = 16  # Each has a bar of 8 MB.
_TOKENS_PER_BYTE = 0.5  # Of compressed text, about; only to compare with the above.
_BYTES_PER_BYTE = 2.5  # The same: bytes of text in one of a file.
_BYTES_PER_DOCUMENT = 500  # The same, where documents have not been counted.


def plan_keeping(
    shards: Sequence[Shard],
    settings: DrawSettings,
    shares: Sequence[float],
    folder: Path,
    counted: Sequence[int | None] = (),
) -> tuple[Keep | None, ...]:
    """Say which rows of which shard are to be kept in a folder.

    None where groups have quotas: a row may then be selected however many greater keys there are.
    The noise of a row depends on its global number. From the first shard on of which nobody knows
    how many rows it has, more of them are kept, as any noise must be reckoned with.

    Args:
        shards: of the corpus.
        settings: how rows will be drawn.
        shares: of the budget, one a target.
        folder: for the files of kept rows; it exists.
        counted: by shard, the rows that a fit has read of it, where that was all; else None.
    """
    nothing: tuple[Keep | None, ...] = (None,) * len(shards)
    if settings.quotas:
        return nothing
    try:
        keeping = [can_keep(shard) for shard in shards]
        if not any(keeping):
            return nothing
        corpus_rows = _corpus_rows(shards, counted)
    except InputError:  # Whoever reads it deals with that.
        return nothing
    *corpus_rows, total = corpus_rows
    budget = settings.budget
    if total is None and budget.amount is None:
        return nothing
    amount = budget.of_rows(total or 0)
    if settings.dedup == "exact":
        # The bar cannot tell copies apart; those that come to be refused must not raise it too far.
        amount *= 2
    if budget.unit == "documents":
        size = sum(shard.size for shard in shards)
        share = amount / max(1, size / _BYTES_PER_DOCUMENT if total is None else total)
    else:
        a_byte = _TOKENS_PER_BYTE if budget.unit == "tokens" else _BYTES_PER_BYTE
        share = amount / max(1, sum(shard.size for shard in shards) * a_byte)
    if amount == 0 or share > _LARGEST_SHARE or len(shares) > _MOST_TARGETS:
        return nothing
    gate = Gate(settings, split(amount, shares), shutil.disk_usage(folder).free // 4)
    return tuple(
        Keep(gate, first, folder / f"{number:05d}.arrows") if keep else None
        for number, (first, keep) in enumerate(zip(corpus_rows, keeping, strict=False))
    )


def _corpus_rows(shards: Sequence[Shard], counted: Sequence[int | None]) -> list[int | None]:
    """Return the global number of each shard's first row, and how many rows there are in all."""
    corpus_rows: list[int | None] = [0]
    before: int | None = 0
    for number, shard in enumerate(shards):
        rows = shard.rows_in_metadata()
        if rows is None and counted:
            rows = counted[number]
        before = None if before is None or rows is None else before + rows
        corpus_rows.append(before)
    return corpus_rows


@contextmanager
def kept_folder(workdir: Workdir | None) -> Iterator[Path | None]:
    """Give an empty folder in a work directory, and remove it at the end of the block.

    What a run that was killed has left there is removed as well.
    """
    if workdir is None:
        yield None
        return
    folder = workdir.path / "kept"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
