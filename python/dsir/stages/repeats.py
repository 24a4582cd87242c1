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

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.settings.draw import DrawSettings
from dsir.stages.comparable import comparable_rows
from dsir.stages.eligible import could_be_selected
from dsir.stages.shard_scores import ShardScores
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
    for number in range(passes):
        seen = _core.FirstSeen(number, passes, hashes // passes)
        for shard, shard_bits in zip(shards, bits, strict=True):
            at = 0
            for packed in _packed(_repeated_in(shard, settings, seen)):
                shard_bits[at : at + len(packed)] |= packed
                at += len(packed)
        del seen  # Free its memory before the next pass makes another.
    for number, (shard, shard_bits) in enumerate(zip(shards, bits, strict=True)):
        duplicates = int(_BITS_SET[shard_bits].sum(dtype=np.int64))
        shards[number] = replace(shard, repeated=shard_bits, marks=None, duplicates=duplicates)


def _repeated_in(
    shard: ShardScores, settings: DrawSettings, seen: _core.FirstSeen
) -> Iterator[npt.NDArray[np.uint8]]:
    """Give 1 for each row that is repeated, by what was seen before, batch by batch."""
    for rows in comparable_rows(shard, near=settings.dedup == "near"):
        repeated = np.zeros(rows.rows, dtype=np.uint8)
        could = could_be_selected(rows, settings).astype(np.uint8)
        for keys in rows.keys:
            seen.add(np.ascontiguousarray(keys), could, repeated)
        yield repeated


def _packed(parts: Iterable[npt.NDArray[np.uint8]]) -> Iterator[npt.NDArray[np.uint8]]:
    """Give the bits of arrays as if they were one, packed; whole bytes but for the last."""
    rest = np.zeros(0, dtype=np.uint8)
    for part in parts:
        joined = np.concatenate([rest, part])
        whole = len(joined) // 8 * 8
        yield np.packbits(joined[:whole], bitorder="little")
        rest = joined[whole:]
    yield np.packbits(rest, bitorder="little")
