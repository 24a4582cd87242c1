"""The metrics of a selection: what became of every row, and how good the draw is.

Each object of the metrics is a frozen dataclass and at the same time a JSON object, as in
`selection.json`: `metrics.rows.read` and `metrics["rows"]["read"]` are the same number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NoReturn, cast

from dsir.facts import Fact, table_of


class JsonRecord(dict[str, Any]):
    """Base of frozen dataclasses that are also JSON objects of their fields, in order.

    The object leaves out fields that are None. The class is a dict, and not only a mapping, so that
    `json.dumps` accepts it.
    """

    def __post_init__(self) -> None:
        """Fill the JSON object from the fields."""
        named = ((field.name, getattr(self, field.name)) for field in _fields(self))
        super().update((name, value) for name, value in named if value is not None)

    def describe(self) -> dict[str, Any]:
        """Return a plain dict, a deep copy."""
        return {name: _plain(value) for name, value in self.items()}

    def _repr_html_(self) -> str:
        return table_of(type(self).__name__, _leaves(self))

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be changed; change a copy: describe()")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (type(self), tuple(getattr(self, field.name) for field in _fields(self)))


@dataclass(frozen=True, eq=False)
class PassedOver(JsonRecord):
    """Rows that could be read and were not selected, by reason.

    Attributes:
        not_drawn: rows that were eligible but not drawn.
        too_short: rows with fewer tokens than `min_tokens`.
        empty: rows without a token.
        duplicates: rows with the text of an earlier row, or nearly that; None unless duplicates are
            removed.
        filtered: rows that a quality filter rejected, by filter; None without filters.
    """

    not_drawn: int
    too_short: int
    empty: int
    duplicates: int | None = None
    filtered: dict[str, int] | None = None


@dataclass(frozen=True, eq=False)
class RowAccounts(JsonRecord):
    """What became of every row: read = selected + passed over, by reason + bad.

    Attributes:
        read: rows read; windows, if documents are cut into windows.
        documents: rows of the input.
        eligible: rows that could have been selected.
        selected: rows selected.
        passed_over: rows not selected, by reason.
        bad: rows that could not be read.
        bad_by_kind: rows that could not be read, by what is wrong with them.
        blank_lines: lines of JSON Lines that are no rows.
    """

    read: int
    documents: int
    eligible: int
    selected: int
    passed_over: PassedOver
    bad: int
    bad_by_kind: dict[str, int]
    blank_lines: int


@dataclass(frozen=True, eq=False)
class ShardAccounts(JsonRecord):
    """Number of input files or tables.

    Attributes:
        read: files that were read completely.
        skipped: files that could not be read, or not completely.
    """

    read: int
    skipped: int


@dataclass(frozen=True, eq=False)
class TokenAccounts(JsonRecord):
    """Number of tokens.

    Attributes:
        eligible: tokens in all rows that could have been selected.
        selected: tokens in the selected rows.
    """

    eligible: int
    selected: int


@dataclass(frozen=True, eq=False)
class ByteAccounts(JsonRecord):
    """Number of bytes of text, UTF-8.

    Attributes:
        read: bytes in all rows.
        eligible: bytes in all rows that could have been selected.
        selected: bytes in the selected rows.
    """

    read: int
    eligible: int
    selected: int


@dataclass(frozen=True, eq=False)
class DuplicateAccounts(JsonRecord):
    """Rows with the text of an earlier row, or nearly that.

    Attributes:
        rows: number of such rows.
        by_shard: number of such rows in each file or table.
    """

    rows: int
    by_shard: list[int]


@dataclass(frozen=True, eq=False)
class TargetAccounts(JsonRecord):
    """What one of several named targets took, and how close the selection is to it.

    Attributes:
        selected: rows that the target took; this and the next three are None unless targets are
            separate.
        tokens: tokens in these rows.
        text_bytes: bytes of text in these rows.
        effective_sample_size: effective sample size of the target's weights.
        kl_reduction: KL reduction in nats; None if the target took no row.
    """

    selected: int | None = None
    tokens: int | None = None
    text_bytes: int | None = None
    effective_sample_size: float | None = None
    kl_reduction: float | None = None
    random_kl_reduction: float | None = None


@dataclass(frozen=True, eq=False)
class Metrics(JsonRecord):
    """The accounts of a selection. All but `stages` depend on data, settings and seed alone.

    Floats are rounded to ten digits, because further digits may differ between versions of numpy.

    Attributes:
        rows: what became of every row.
        shards: how many files or tables were read.
        tokens: tokens in the rows.
        text_bytes: bytes of text in the rows.
        duplicates: rows with the text of an earlier row, or nearly that; None unless duplicates are
            removed.
        groups: for each column with a quota: `values`, the number of its values, and `most`, the
            values that most selected rows have, each with `value`, `eligible` and `selected`; None
            without quotas.
        effective_sample_size: effective sample size of the weights; None if targets are separate,
            or if the method draws without weights.
        targets: the accounts of each target by name; None if targets have no names.
        kl_reduction: KL reduction in nats; for named targets the mean. None until the selected rows
            are written, or if the model has no n-gram counts.
        random_kl_reduction: an estimate of the KL reduction of a random selection of the same size,
            to compare `kl_reduction` with; for named targets the mean. None if that is None.
        coverage: with method="coverage", for each target what its rounds took: `amount`, the budget
            in its unit; `pool_tokens` and `pool_cost`, of the documents that could be taken; and
            `taken`, for each round `documents` and `cost`; None for other methods.
        stages: for each stage `seconds`, `text_bytes` and `mb_per_second`, and `kept_bytes`, the
            bytes whose results were in the work directory already; None in selection.json, so that
            runs can be compared.
    """

    rows: RowAccounts
    shards: ShardAccounts
    tokens: TokenAccounts
    text_bytes: ByteAccounts
    duplicates: DuplicateAccounts | None = None
    groups: dict[str, dict[str, Any]] | None = None
    effective_sample_size: float | None = None
    targets: dict[str, TargetAccounts] | None = None
    kl_reduction: float | None = None
    random_kl_reduction: float | None = None
    coverage: list[dict[str, Any]] | None = None
    stages: dict[str, dict[str, float | None]] | None = None

    def __repr__(self) -> str:
        """Return the figures most asked for in one line; `describe()` has all."""
        found = (
            f"rows: {self.rows.selected:,} of {self.rows.read:,}, tokens: {self.tokens.selected:,}"
        )
        if self.kl_reduction is not None:
            found += f", KL reduction: {self.kl_reduction:.4f}"
        return f"Metrics({found}; all of them: describe())"

    def with_stages(self, stages: Mapping[str, dict[str, float | None]]) -> Metrics:
        """Return these metrics with the time of each stage."""
        return replace(self, stages=dict(stages))

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> Metrics:
        """Return metrics from what `describe` returned.

        Raises:
            KeyError, TypeError, ValueError: `described` does not describe metrics.
        """
        given = dict(described)
        rows = dict(given["rows"])
        rows["passed_over"] = PassedOver(**rows["passed_over"])
        given["rows"] = RowAccounts(**rows)
        for name, kind in _RECORDS.items():
            if name in given:
                given[name] = kind(**given[name])
        if "targets" in given:
            given["targets"] = {
                name: TargetAccounts(**target) for name, target in dict(given["targets"]).items()
            }
        sizes = [*given["text_bytes"].values()]
        sizes += [one.text_bytes or 0 for one in given.get("targets", {}).values()]
        # type() and not isinstance(), since True is an int.
        if not all(type(size) is int and size >= 0 for size in sizes):
            raise TypeError("text_bytes: expected whole numbers")
        return cls(**given)


_RECORDS: dict[str, type[JsonRecord]] = {
    "shards": ShardAccounts,
    "tokens": TokenAccounts,
    "text_bytes": ByteAccounts,
    "duplicates": DuplicateAccounts,
}


def _fields(record: JsonRecord) -> Any:
    return fields(cast(Any, record))


def _leaves(value: Mapping[str, Any], before: str = "") -> Iterator[Fact]:
    """Give the numbers of nested objects, each with the names that lead to it."""
    for name, entry in value.items():
        if isinstance(entry, dict):
            yield from _leaves(entry, f"{before}{name} ")
        else:
            number = isinstance(entry, int | float)
            yield f"{before}{name}".replace("_", " "), f"{entry:,}" if number else entry


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list) else value
