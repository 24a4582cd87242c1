"""Numbers with their nouns, for messages: "1 shard", "2 shards"."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural unless the number is 1: "1,200 rows".

    Args:
        number: how many.
        noun: the singular; its plural ends in s.
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
