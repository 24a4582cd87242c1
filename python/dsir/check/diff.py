"""diff(): how two written selections differ."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.check.column_values import column_values
from dsir.check.file_checks import refuse_changed
from dsir.check.json_differences import Difference, differences
from dsir.check.part_rows import origins_of
from dsir.check.row_merge import Pair, Rows, merged
from dsir.errors import OutputError, SettingError
from dsir.facts import Fact, Facts
from dsir.output.folder import SELECTION_FILE
from dsir.output.manifest import Manifest, read_selection_file
from dsir.output.row_origins import Origins, joined_origins
from dsir.plural import counted
from dsir.remote import Location, RemotePath
from dsir.run.selection import Selection, folder_of_selection

_RUN = 1 << 17
_SHOWN = 8


@dataclass(slots=True)
class Shared:
    """Numbers of rows that two selections share, and that only one of them has."""

    common: int = 0
    only_a: int = 0
    only_b: int = 0

    def describe(self) -> dict[str, int]:
        """Return the same as plain values."""
        return {"common": self.common, "only_a": self.only_a, "only_b": self.only_b}


@dataclass(frozen=True, slots=True)
class WeightChange:
    """How the log-weights of the common rows differ: those of b minus those of a.

    Attributes:
        changed: rows whose log-weights differ in any bit.
        share: these rows as a share of the common rows.
        least, median, greatest: the least, median and greatest change of all common rows.
    """

    changed: int
    share: float
    least: float
    median: float
    greatest: float

    def describe(self) -> dict[str, float]:
        """Return the same as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, repr=False)
class SelectionDifference(Facts):
    """What `diff` found.

    Attributes:
        a, b: the folders.
        rows: numbers of common and other rows.
        by_input: the same by input, in the order of a's inputs, then b's.
        by_value: the same by the value of a column, as text; None unless asked for.
        weights: how the log-weights of common rows differ; None if there are no common rows.
        other_target: common rows that were taken by different targets.
        settings: the settings that differ.
        inputs: the differences between inputs that both have.

    Example:
        >>> found = dsir.diff("selected/", "other/")  # doctest: +SKIP
        >>> found.rows.common, found.settings  # doctest: +SKIP
    """

    a: Location
    b: Location
    rows: Shared
    by_input: dict[str, Shared]
    by_value: dict[str, Shared] | None
    weights: WeightChange | None
    other_target: int
    settings: list[Difference] = field(default_factory=list)
    inputs: list[Difference] = field(default_factory=list)

    @property
    def same_rows(self) -> bool:
        """Whether both have the same rows."""
        return self.rows.only_a == self.rows.only_b == 0

    def _facts(self) -> Iterator[Fact]:
        """Give how many rows are common, and what else differs."""
        yield "common rows", f"{self.rows.common:,}"
        yield "only in a", f"{self.rows.only_a:,}"
        yield "only in b", f"{self.rows.only_b:,}"
        if self.weights is not None:
            yield "weights changed", f"{self.weights.changed:,}"
        if self.settings:
            yield "settings", ", ".join(one.name for one in self.settings)
        if self.inputs:
            yield "inputs changed", f"{len(self.inputs):,}"

    def _more_facts(self) -> Iterator[Fact]:
        """Give the folders, the settings, and the rows by input and value."""
        yield "a", self.a
        yield "b", self.b
        for setting in self.settings[:_SHOWN]:
            yield "setting", setting
        for title, groups in (("input", self.by_input), ("value", self.by_value or {})):
            for name, one in list(groups.items())[:_SHOWN]:
                shared = f"{one.common:,} common, {one.only_a:,} only in a, {one.only_b:,} in b"
                yield f"{title} {name}", shared
            if len(groups) > _SHOWN:
                yield f"more {title}s", f"{len(groups) - _SHOWN:,}"

    def describe(self) -> dict[str, Any]:
        """Return the same as plain values."""
        described: dict[str, Any] = {
            "a": str(self.a),
            "b": str(self.b),
            "rows": self.rows.describe(),
            "by_input": {name: one.describe() for name, one in self.by_input.items()},
            "weights": None if self.weights is None else self.weights.describe(),
            "other_target": self.other_target,
            "settings": [one._asdict() for one in self.settings],
            "inputs": [one._asdict() for one in self.inputs],
        }
        if self.by_value is not None:
            described["by_value"] = {name: one.describe() for name, one in self.by_value.items()}
        return described


def diff(
    a: Selection | str | Path | RemotePath,
    b: Selection | str | Path | RemotePath,
    *,
    by: str | None = None,
) -> SelectionDifference:
    """Compare two selections: rows in common, change of weights, settings that differ.

    Two rows are the same if they come from the same row of the same input. Inputs are the same if
    their paths are; in memory, if their names are. The order of inputs does not matter. Whether the
    selections are right is not checked; see `dsir.verify`. Memory: the origins of the rows of one
    part of each selection, eight bytes for every common row whose weight changed, and with `by`
    nine bytes for every row.

    Args:
        a: a folder that `dsir.select` wrote to, also by URL, or the selection written there.
        b: another.
        by: a column of the rows, or a field of JSON Lines, whose values to count rows by; dots lead
            into nested columns.

    Raises:
        OutputError: a folder is not a selection, or cannot be read.
        SettingError: the selections have different windows, there is no such column, or a selection
            is in memory.
        StoreError: a store does not answer, or denies access.

    Example:
        >>> dsir.diff("selected/", "other/", by="source")  # doctest: +SKIP
    """
    sides = [_Side(folder_of_selection(one)) for one in (a, b)]
    _refuse_other_windows(*sides)
    numbers = _numbered(*sides)
    total = Shared()
    by_input = [Shared() for _ in numbers]
    changes = _Changes()
    other_target = 0
    common: list[list[npt.NDArray[np.int64]]] = [[], []]
    for number in range(len(numbers)):
        streams = [side.rows_of(number, side.numbers) for side in sides]
        at = [side.first_row_of(number) for side in sides]
        for pair in merged(*streams):
            counted = by_input[number]
            counted.common += len(pair.common_one)
            counted.only_a += len(pair.only_one)
            counted.only_b += len(pair.only_other)
            changes.add(pair)
            other_target += _other_target(pair)
            if by is not None:
                common[0].append(at[0] + pair.common_one)
                common[1].append(at[1] + pair.common_other)
            at = [at[0] + len(pair.one), at[1] + len(pair.other)]
    for one in by_input:
        total.common += one.common
        total.only_a += one.only_a
        total.only_b += one.only_b
    return SelectionDifference(
        sides[0].manifest.folder,
        sides[1].manifest.folder,
        total,
        dict(zip(numbers, by_input, strict=True)),
        None if by is None else _by_value(sides, common, by),
        changes.result(),
        other_target,
        list(differences(_settings(sides[0].manifest), _settings(sides[1].manifest))),
        _input_differences(*sides),
    )


def _settings(manifest: Manifest) -> dict[str, Any]:
    """Return the settings of a selection, with the estimator that manifests leave out."""
    return {"estimator": "ratio", **manifest.settings}


class _Side:
    """One of the two selections."""

    def __init__(self, folder: Location) -> None:
        self.manifest = read_selection_file(folder)
        if self.manifest.problems:
            raise OutputError(f"{folder / SELECTION_FILE}: {self.manifest.problems[0]}")
        self.names = [_name_of(entry) for entry in self.manifest.sources]
        self.numbers: list[int] = []
        # For each input, the stretches of its rows: part, first row, row behind the last.
        self._spans: dict[int, list[tuple[str, int, int]]] = {}
        self._first: dict[int, int] = {}
        self._loaded: tuple[str, Origins] | None = None
        self.rows = 0
        for part in self.manifest.parts:
            self._survey(part)

    def _survey(self, part: str) -> None:
        refuse_changed(self.manifest, part, beside=True)
        at = 0
        for origins in origins_of(self.manifest, part):
            source = origins.source
            if not len(source):
                continue
            bounds = np.flatnonzero(np.diff(source.astype(np.int64))) + 1
            for start, stop in itertools.pairwise([0, *bounds.tolist(), len(source)]):
                number = int(source[start])
                if number >= len(self.names):
                    raise OutputError(
                        f"{self.manifest.folder}: has rows of input {number}, but only "
                        f"{counted(len(self.names), 'input')}"
                    )
                self._first.setdefault(number, self.rows + at + start)
                self._spans.setdefault(number, []).append((part, at + start, at + stop))
            at += len(source)
        self.rows += at

    def rows_of(self, number: int, numbers: list[int]) -> Iterator[Rows]:
        """Give the rows of an input, by its number in the comparison."""
        for part, first, last in self._spans.get(numbers[number], []):
            for start in range(first, last, _RUN):
                some = self._origins(part).part(slice(start, min(last, start + _RUN)))
                # The same number in both, so that the merge finds the common rows.
                source = np.full(len(some.source), number, np.uint32)
                yield Rows(some._replace(source=source))

    def _origins(self, part: str) -> Origins:
        """Return where the rows of a part come from; keeps the part that was read last."""
        if self._loaded is None or self._loaded[0] != part:
            self._loaded = (part, joined_origins(list(origins_of(self.manifest, part))))
        return self._loaded[1]

    def first_row_of(self, number: int) -> int:
        """Return the position of an input's first row among all rows of the output."""
        return self._first.get(self.numbers[number], 0)


def _name_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("path") or entry.get("name"))


def _numbered(one: _Side, other: _Side) -> list[str]:
    """Number the inputs of both together; return their names. -1: a side has no such input."""
    names = list(dict.fromkeys([*one.names, *other.names]))
    for side in (one, other):
        own = {name: number for number, name in enumerate(side.names)}
        side.numbers = [own.get(name, -1) for name in names]
    return names


def _refuse_other_windows(one: _Side, other: _Side) -> None:
    cut = [
        (side.manifest.settings.get("chunk_tokens"), side.manifest.settings.get("chunk_stride"))
        for side in (one, other)
    ]
    if cut[0] != cut[1]:
        words = [
            "documents" if tokens is None else f"windows of {tokens} tokens, one every {stride}"
            for tokens, stride in cut
        ]
        raise SettingError(
            f"{one.manifest.folder} has {words[0]} and {other.manifest.folder} {words[1]}: "
            "compare selections with the same windows"
        )


def _input_differences(one: _Side, other: _Side) -> list[Difference]:
    entries = {_name_of(entry): entry for entry in other.manifest.sources}
    found: list[Difference] = []
    for entry in one.manifest.sources:
        name = _name_of(entry)
        if name in entries:
            found += differences(entry, entries[name], name)
    for name in ("target", "negatives"):
        was, now = (side.manifest.content["inputs"].get(name) for side in (one, other))
        found += differences(was, now, name)
    return found


def _other_target(pair: Pair) -> int:
    one, other = pair.one.origins.target, pair.other.origins.target
    if one is None or other is None:
        return 0
    left, right = one.to_pylist(), other.to_pylist()
    common = zip(pair.common_one.tolist(), pair.common_other.tolist(), strict=True)
    return sum(left[i] != right[j] for i, j in common)


class _Changes:
    """Collects how log-weights changed."""

    def __init__(self) -> None:
        self._common = 0
        self._changes: list[npt.NDArray[np.float64]] = []

    def add(self, pair: Pair) -> None:
        one = pair.one.origins.log_weight[pair.common_one]
        other = pair.other.origins.log_weight[pair.common_other]
        changed = one.view(np.int64) != other.view(np.int64)
        self._common += len(one)
        self._changes.append(other[changed] - one[changed])

    def result(self) -> WeightChange | None:
        if not self._common:
            return None
        changes = np.sort(np.concatenate(self._changes))
        same = self._common - len(changes)
        below = int(np.searchsorted(changes, 0.0))

        def at(rank: int) -> float:
            """Return the change of a rank; rows without a change rank between falls and rises."""
            if rank < below:
                return float(changes[rank])
            return 0.0 if rank < below + same else float(changes[rank - same])

        last = self._common - 1
        median = (at(last // 2) + at((last + 1) // 2)) / 2
        return WeightChange(len(changes), len(changes) / self._common, at(0), median, at(last))


def _by_value(
    sides: list[_Side], common: list[list[npt.NDArray[np.int64]]], by: str
) -> dict[str, Shared]:
    """Count common and other rows by the value of a column; values with most rows come first."""
    counts: dict[str, Shared] = {}
    for number, (side, positions) in enumerate(zip(sides, common, strict=True)):
        shared = np.zeros(side.rows, dtype=bool)
        if positions:
            shared[np.concatenate(positions)] = True
        seen: Counter[tuple[str, bool]] = Counter()
        at = 0
        for values in column_values(side.manifest, by):
            seen.update(zip(values, shared[at : at + len(values)].tolist(), strict=True))
            at += len(values)
        for (value, is_common), count in seen.items():
            entry = counts.setdefault(value, Shared())
            if not is_common and number == 0:
                entry.only_a += count
            elif not is_common:
                entry.only_b += count
            elif number == 0:
                entry.common += count
    ordered = sorted(
        counts.items(),
        key=lambda item: (-(item[1].common + item[1].only_a + item[1].only_b), item[0]),
    )
    return dict(ordered)
