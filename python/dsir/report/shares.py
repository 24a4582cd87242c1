"""Shares of input files and of the values of columns, among selected and raw documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from dsir.report.facts import Shares, ValueShare
from dsir.report.measure import Measured

_MOST_VALUES = 12


def shares_of(
    column: str, selected: Mapping[str, int], raw: Mapping[str, int] | None, note: str
) -> Shares:
    """Return the shares of values, the most frequent ones of selection and raw by name.

    Args:
        column: what the values are of.
        selected: how many selected documents have each value.
        raw: how many raw documents have each value; None if unknown.
        note: how the shares were counted.
    """
    of_selected, of_raw = sum(selected.values()) or 1, sum((raw or {}).values()) or 1
    names = sorted({*selected, *(raw or {})})

    def share(value: str) -> ValueShare:
        known = None if raw is None else raw.get(value, 0) / of_raw
        return ValueShare(value, selected.get(value, 0) / of_selected, known)

    found = sorted(map(share, names), key=lambda one: (-one.selected, -(one.raw or 0), one.value))
    shown = found
    if len(found) > _MOST_VALUES + 1:
        largest = sorted(found, key=lambda one: (-max(one.selected, one.raw or 0), one.value))
        named = {one.value for one in largest[:_MOST_VALUES]}
        rest = [one for one in found if one.value not in named]
        shown = [one for one in found if one.value in named]
        known = None if raw is None else sum(one.raw or 0.0 for one in rest)
        others = f"{len(rest):,} others"
        shown.append(ValueShare(others, sum(one.selected for one in rest), known, is_rest=True))
    return Shares(column, tuple(shown), sum(1 for value in selected.values() if value), note)


def file_shares(
    names: Sequence[str], rows: Sequence[int | None], selected: Mapping[int, int]
) -> Shares | None:
    """Return the shares of input files; None if there is one only.

    Args:
        names: the names of the files.
        rows: the rows that were read of each; None if the manifest does not say.
        selected: the selected rows of each, by number.
    """
    if len(names) < 2:
        return None
    of_selected: Counter[str] = Counter()
    of_raw: Counter[str] = Counter()
    for number, name in enumerate(names):
        of_selected[name] += selected.get(number, 0)
        of_raw[name] += rows[number] or 0
    known = None if None in rows else of_raw
    return shares_of("input file", of_selected, known, "Counted over all rows.")


def column_shares(selected: Measured, raw: Measured | None, note: str) -> list[Shares]:
    """Return the shares of the values of each column that was counted."""
    return [
        shares_of(column, counts, None if raw is None else raw.values.get(column, {}), note)
        for column, counts in selected.values.items()
    ]
