"""Duplicates: which rows have the same text as an earlier row, or nearly the same.

The first copy in corpus order stays eligible. So eligibility does not depend on the draw, and a
text with a hundred copies has the same chance as a text with one. If the copy with the greatest key
stayed instead, that text would have the best of a hundred draws of noise.

Exact duplicates have the same content hash. Near duplicates share the key of a band
(cpp/minhash/band_keys.hpp). A row with an earlier near duplicate is passed over even if that one is
passed over for one before it: else the passes, each over part of the keys, would need each other's
results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.settings.draw import DrawSettings
from dsir.stages.eligible import eligible_rows
from dsir.stages.score_table import Scores
from dsir.stages.unit_scores import ChangeableScores

# By byte, how many of its bits are 1. np.bitwise_count needs numpy 2.
_BITS_SET = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1, dtype=np.uint8)


def find_repeats(
    shards: ChangeableScores,
    settings: DrawSettings,
    hashes_a_pass: int,
) -> None:
    """Mark every selectable row whose content hash, or key of a band, an earlier one has.

    Each pass over the scores looks at one range of the hashes, cut by their upper bits. So memory
    does not grow with the rows, except for one bit a row.

    Args:
        shards: the scores of all shards, in order, with content hashes or with keys of bands; this
            sets their `repeated` and `duplicates`.
        settings: decide which rows could be selected. Equal texts are equally long and pass the
            same filters.
        hashes_a_pass: how many different hashes to hold at a time.
    """
    hashes = sum(shard.rows for shard in shards)
    if settings.dedup == "near":
        hashes *= _core.MINHASH_BANDS
    passes = max(1, -(-hashes // hashes_a_pass))
    bits = [np.zeros(-(-shard.rows // 8), dtype=np.uint8) for shard in shards]
    for number, shard in enumerate(shards):
        if shard.repeated is not None:
            shards[number] = replace(shard, repeated=None)
    for number in range(passes):
        seen = _core.FirstSeen(number, passes, hashes // passes)
        for shard, shard_bits in zip(shards, bits, strict=True):
            at = 0
            for scores in shard.runs():  # All but the last have a multiple of eight rows.
                repeated = np.zeros(scores.rows, dtype=np.uint8)
                eligible = eligible_rows(scores, settings)
                for keys in _keys_of(scores, settings):
                    seen.add(np.ascontiguousarray(keys), eligible, repeated)
                packed = np.packbits(repeated, bitorder="little")
                shard_bits[at : at + len(packed)] |= packed
                at += len(packed)
        del seen  # Free its memory before the next pass makes another.
    for number, (shard, shard_bits) in enumerate(zip(shards, bits, strict=True)):
        duplicates = int(_BITS_SET[shard_bits].sum(dtype=np.int64))
        shards[number] = replace(shard, repeated=shard_bits, duplicates=duplicates)


def _keys_of(scores: Scores, settings: DrawSettings) -> Sequence[npt.NDArray[np.uint64]]:
    """Return what duplicates have in common: each is uint64[rows]."""
    if settings.dedup == "near":
        assert scores.bands is not None, "these scores were made with keys of bands"
        return list(scores.bands)
    assert scores.content is not None, "these scores were made with content hashes"
    return [scores.content]
