"""Exact duplicates: which rows have the same text as an earlier row.

The first copy in corpus order stays eligible. So eligibility does not depend on the draw, and a
text with a hundred copies has the same chance as a text with one. If the copy with the greatest key
stayed instead, that text would have the best of a hundred draws of noise.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dsir import _core
from dsir.settings.draw import DrawSettings
from dsir.stages.eligible import eligible_rows
from dsir.stages.unit_scores import ChangeableScores

# By byte, how many of its bits are 1. np.bitwise_count needs numpy 2.
_BITS_SET = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1, dtype=np.uint8)


def find_repeats(
    shards: ChangeableScores,
    settings: DrawSettings,
    hashes_a_pass: int,
) -> None:
    """Mark every selectable row whose content hash an earlier selectable row has.

    Each pass over the scores looks at one range of the hashes, cut by their upper bits. So memory
    does not grow with the rows, except for one bit a row.

    Args:
        shards: the scores of all shards, in order, with content hashes; this sets their `repeated`
            and `duplicates`.
        settings: decide which rows could be selected. Equal texts are equally long and pass the
            same filters.
        hashes_a_pass: how many different hashes to hold at a time.
    """
    rows = sum(shard.rows for shard in shards)
    passes = max(1, -(-rows // hashes_a_pass))
    bits = [np.zeros(-(-shard.rows // 8), dtype=np.uint8) for shard in shards]
    for number, shard in enumerate(shards):
        if shard.repeated is not None:
            shards[number] = replace(shard, repeated=None)
    for number in range(passes):
        seen = _core.FirstSeen(number, passes, rows // passes)
        for shard, shard_bits in zip(shards, bits, strict=True):
            at = 0
            for scores in shard.runs():  # All but the last have a multiple of eight rows.
                assert scores.content is not None, "these scores were made with content hashes"
                repeated = np.zeros(scores.rows, dtype=np.uint8)
                content = np.ascontiguousarray(scores.content)
                seen.add(content, eligible_rows(scores, settings), repeated)
                packed = np.packbits(repeated, bitorder="little")
                shard_bits[at : at + len(packed)] |= packed
                at += len(packed)
        del seen  # Free its memory before the next pass makes another.
    for number, (shard, shard_bits) in enumerate(zip(shards, bits, strict=True)):
        duplicates = int(_BITS_SET[shard_bits].sum(dtype=np.int64))
        shards[number] = replace(shard, repeated=shard_bits, duplicates=duplicates)
