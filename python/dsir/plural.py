"""Numbers with their nouns, for messages: "1 shard", "2 shards"."""

from __future__ import annotations


def none_of(number: int, noun: str) -> str:
    """Return the subject of a sentence that no one of them fits: "none of the 5 rows".

    Args:
        number: how many there are.
        noun: the singular; its plural ends in s.
    """
    return f"none of the {counted(number, noun)}" if number != 1 else f"not even the one {noun}"


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural unless the number is 1: "1,200 rows".

    Args:
        number: how many.
        noun: the singular; its plural ends in s.
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
