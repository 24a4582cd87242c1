"""Decides whether rows are kept while they are scored, and where each task keeps them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from dsir.corpus import Shard
from dsir.corpus.units import sizes_of
from dsir.engine import Tasks
from dsir.errors import InputError
from dsir.model.proportions import split
from dsir.settings.draw import DrawSettings
from dsir.stages.kept.gate import Gate, Keep
from dsir.stages.kept.writer import can_keep
from dsir.storage.workdir import Workdir

FOLDER = "kept"  # In the work directory.

# Keeping costs more than it saves if k is a larger share of the N rows: k (1 + ln(N / k)) are kept.
_LARGEST_SHARE = 0.05
# The same for a pool: of its rows, the share that the selection leaves is larger.
_LARGEST_POOL = 0.15
_UNKNOWN = -1  # In place of a global row number.
_MOST_TARGETS = 16  # Each has a bar of 8 MB.
# Rough figures, used only to compare a budget with _LARGEST_SHARE.
_TOKENS_PER_BYTE = 0.5  # Tokens in one byte of compressed text.
_BYTES_PER_BYTE = 2.5  # Bytes of text in one byte of a file.
_BYTES_PER_DOCUMENT = 500  # Bytes of a file for one document, if documents were not counted.


def plan_keeping(
    shards: Sequence[Shard],
    settings: DrawSettings,
    shares: Sequence[float],
    folder: Path,
    counted: Sequence[int | None] = (),
) -> Sequence[Keep | None]:
    """Return for each shard which rows to keep, and in which file; None to keep no rows.

    With quotas no rows are kept: a row may then be selected however many greater keys there are.
    With method="coverage" the rows are kept that may be in the pool, as long as these are few.
    The noise of a row depends on its global number. After the first shard whose number of rows is
    unknown, global numbers are unknown too, so more rows are kept, to allow for any noise.

    Args:
        shards: the shards of the corpus.
        settings: how rows will be drawn.
        shares: each target's share of the budget.
        folder: where the files of kept rows go; it exists.
        counted: for each shard its number of rows, if a fit has read it to the end; else None.
    """
    nothing: tuple[Keep | None, ...] = (None,) * len(shards)
    if settings.quotas:
        return nothing
    try:
        keeping = bytes(can_keep(shard) for shard in shards)  # One byte each.
        if not any(keeping):
            return nothing
        corpus_rows = _corpus_rows(shards, counted)
    except InputError:  # The stage that reads the shard handles the error.
        return nothing
    *corpus_rows, total = corpus_rows
    budget = settings.budget
    if budget.amount is None and (total is None or budget.unit != "documents"):
        return nothing  # How much a share comes to is known once every row is read.
    amount = budget.of(total or 0)
    if settings.dedup != "none":
        # The bar counts every copy of a text, and copies that are refused later must not raise it
        # too far.
        amount *= 2
    if budget.unit == "documents":
        size = int(sizes_of(shards).sum())
        share = amount / max(1, size / _BYTES_PER_DOCUMENT if total is None else total)
    else:
        per_byte = _TOKENS_PER_BYTE if budget.unit == "tokens" else _BYTES_PER_BYTE
        share = amount / max(1, int(sizes_of(shards).sum()) * per_byte)
    if amount == 0 or share > _LARGEST_SHARE or len(shares) > _MOST_TARGETS:
        return nothing
    most = shutil.disk_usage(folder).free // 4
    if settings.rule.method == "coverage":
        most = min(most, int(_LARGEST_POOL * _BYTES_PER_BYTE * sizes_of(shards).sum()))
    gate = Gate(settings, split(amount, shares), most)
    firsts = np.array([_UNKNOWN if row is None else row for row in corpus_rows], dtype=np.int64)

    def keep_of(number: int) -> Keep | None:
        if not keeping[number]:
            return None
        first = None if firsts[number] == _UNKNOWN else int(firsts[number])
        return Keep(gate, first, folder / f"{number:05d}.arrows")

    # Made when asked for: a path for each of a million units would take 300 MB.
    return Tasks(len(keeping), keep_of)


def _corpus_rows(shards: Sequence[Shard], counted: Sequence[int | None]) -> list[int | None]:
    """Return the global number of each shard's first row, then the rows in all; None if unknown."""
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

    Files that a killed run has left there are removed as well.
    """
    if workdir is None:
        yield None
        return
    folder = workdir.path / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
