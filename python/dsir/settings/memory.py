"""How much memory a run may take, and how much data it may therefore hold at a time."""

from __future__ import annotations

from dataclasses import dataclass

from dsir.arguments.values import Amount, amount, shown
from dsir.corpus.batches import BATCH_BYTES, ReadLimits
from dsir.errors import SettingError
from dsir.plural import counted

# Measured (docs/concepts.md), and rounded up.
_BASE = 200_000_000  # Interpreter, libraries, a model of the default size.
_OF_A_THREAD = 40_000_000  # A row group that is being written.
_OF_A_BATCH = 6  # Times its bytes: decoded, with its other columns, and with what is computed.
_LEAST_BATCH = 256_000
_MOST_HASHES = 12_000_000
_MOST_CANDIDATES = 1 << 20
_MOST_LISTS = 100_000_000
_BYTES_PER_HASH = 22  # In a hash table that is at least three eighths full.
_BYTES_PER_TASK_HASH = 50  # Of a task that sorts them, or finds those that are repeated.
_BYTES_PER_CANDIDATE = 90


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """How much data a run may hold at a time. No result depends on it.

    Attributes:
        reading: limits for each file that is being read; each thread reads one.
        hashes: content hashes compared in one pass over the scores.
        task_hashes: hashes that a task of a search for duplicates holds; None for as many as it
            has, 4 million for corpora of fewer than 10^10 hashes.
        candidates: documents that a draw with quotas decides on in one pass.
        lists: bytes of the n-grams of a coverage pool that are held; a larger pool stays in files.
    """

    reading: ReadLimits = ReadLimits()  # noqa: RUF009 - frozen
    hashes: int = _MOST_HASHES
    task_hashes: int | None = None
    candidates: int = _MOST_CANDIDATES
    lists: int = _MOST_LISTS


NO_LIMIT = MemoryLimit()


def memory_limit(memory: Amount | None, threads: int) -> MemoryLimit:
    """Divide the memory of a run among what it holds.

    Args:
        memory: bytes, or a size such as "2GB"; None for batches of 8 MB and rows of up to 256 MiB.
        threads: how many threads read at once.

    Raises:
        SettingError: `memory` is not a size, or too little for so many threads.
    """
    if memory is None:
        return NO_LIMIT
    given = amount("memory", memory, 1, sizes=True)
    rest = given - _BASE
    of_a_thread = rest // threads - _OF_A_THREAD
    least = _BASE + threads * (_OF_A_THREAD + _OF_A_BATCH * _LEAST_BATCH)
    if given < least:
        raise SettingError(
            f"memory={shown(memory)}: is too little for {counted(threads, 'thread')}, which need "
            f"at least {-(-least // 1_000_000)}MB; give more memory, or fewer threads"
        )
    row_bytes = of_a_thread // _OF_A_BATCH
    return MemoryLimit(
        ReadLimits(min(BATCH_BYTES, row_bytes), row_bytes),
        min(_MOST_HASHES, rest // _BYTES_PER_HASH),
        max(1, of_a_thread // _BYTES_PER_TASK_HASH),
        min(_MOST_CANDIDATES, rest // _BYTES_PER_CANDIDATE),
        min(_MOST_LISTS, rest // 4),
    )
