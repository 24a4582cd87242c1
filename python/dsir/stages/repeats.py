"""Exact duplicates: which rows have the text of an earlier one.

The first row in the order of the corpus stays. So what may be selected does not depend on the
draw, and a text that is there a hundred times has the chance of one that is there once: the copy
with the greatest key would have the best of a hundred draws of noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsir import _core
from dsir.settings.draw import DrawSettings
from dsir.stages.eligible import eligible_rows
from dsir.stages.score import ShardScores

# By byte, how many of its bits are 1. np.bitwise_count needs numpy 2.
_BITS_SET = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1, dtype=np.uint8)


def find_repeats(
    shards: Sequence[ShardScores],
    settings: DrawSettings,
    hashes_a_pass: int,
) -> None:
    """Mark the rows that could be selected and whose content hash an earlier such row has.

    A pass over the scores looks at one part of the hashes, cut by their upper bits, so memory does
    not grow with the rows but for a bit a row.

    Args:
        shards: the scores, with content hashes, of all shards in order; their `repeated` and
            `duplicates` are set.
        settings: say which rows could be selected. Texts that are equal are equally long, and pass
            the same filters.
        hashes_a_pass: how many different ones are held at a time.
    """
    rows = sum(shard.rows for shard in shards)
    parts = max(1, -(-rows // hashes_a_pass))
    bits = [np.zeros(-(-shard.rows // 8), dtype=np.uint8) for shard in shards]
    for shard in shards:
        shard.repeated = None
    for part in range(parts):
        seen = _core.FirstSeen(part, parts, rows // parts)
        for shard, of_shard in zip(shards, bits, strict=True):
            at = 0
            for scores in shard.runs():  # Of a multiple of eight rows, but the last.
                assert scores.content is not None, "scores were made to have content hashes"
                repeated = np.zeros(scores.rows, dtype=np.uint8)
                content = np.ascontiguousarray(scores.content)
                seen.add(content, eligible_rows(scores, settings), repeated)
                packed = np.packbits(repeated, bitorder="little")
                of_shard[at : at + len(packed)] |= packed
                at += len(packed)
        del seen  # Before there is another.
    for shard, of_shard in zip(shards, bits, strict=True):
        shard.repeated = of_shard
        shard.duplicates = int(_BITS_SET[of_shard].sum(dtype=np.int64))
