"""The metrics of a selection: what became of every row, and how good the draw is.

Each part is a frozen dataclass and at the same time the JSON object that it stands for in
`selection.json`: `metrics.rows.read` and `metrics["rows"]["read"]` are the same number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NoReturn, cast


class JsonRecord(dict[str, Any]):
    """A frozen dataclass that is a JSON object too, of its fields in their order.

    A field that is None is left out of the object. It is a dict, and not only a mapping, so that
    `json.dumps` and all that takes a dict take it.
    """

    def __post_init__(self) -> None:
        """Fill the object."""
        named = ((field.name, getattr(self, field.name)) for field in _fields(self))
        super().update((name, value) for name, value in named if value is not None)

    def describe(self) -> dict[str, Any]:
        """Return the same as a plain dict, a copy at every depth."""
        return {name: _plain(value) for name, value in self.items()}

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
        not_drawn: eligible, and not drawn.
        too_short: fewer tokens than `min_tokens`.
        empty: no token.
        duplicates: the text of an earlier row; None unless duplicates are removed.
        filtered: rows that a quality filter keeps out, by filter; None without filters.
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
        read: rows read; of windows, the windows.
        documents: rows of the input.
        eligible: rows that might have been selected.
        selected: rows selected.
        passed_over: rows not selected, by reason.
        bad: rows that could not be read.
        bad_by_kind: the same, by what is wrong with them.
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
    """Files or tables.

    Attributes:
        read: those read whole.
        skipped: those of which something could not be read.
    """

    read: int
    skipped: int


@dataclass(frozen=True, eq=False)
class TokenAccounts(JsonRecord):
    """Tokens.

    Attributes:
        eligible: in all rows that might have been selected.
        selected: in the selected rows.
    """

    eligible: int
    selected: int


@dataclass(frozen=True, eq=False)
class ByteAccounts(JsonRecord):
    """Bytes of text, UTF-8.

    Attributes:
        read: in all rows.
        eligible: in all rows that might have been selected.
        selected: in the selected rows.
    """

    read: int
    eligible: int
    selected: int


@dataclass(frozen=True, eq=False)
class DuplicateAccounts(JsonRecord):
    """Rows with the text of an earlier row.

    Attributes:
        rows: how many.
        by_shard: the same, of each file or table.
    """

    rows: int
    by_shard: list[int]


@dataclass(frozen=True, eq=False)
class TargetAccounts(JsonRecord):
    """What one of several named targets took, and how close the selection is to it.

    Attributes:
        selected: rows that it took; None unless targets are separate, as the next three.
        tokens: in these rows.
        text_bytes: in these rows.
        effective_sample_size: of the weights that it drew by.
        kl_reduction: nats; None if it took no row.
    """

    selected: int | None = None
    tokens: int | None = None
    text_bytes: int | None = None
    effective_sample_size: float | None = None
    kl_reduction: float | None = None


@dataclass(frozen=True, eq=False)
class Metrics(JsonRecord):
    """The accounts of a selection: functions of data, settings and seed alone, but for `stages`.

    Floats are rounded to ten digits: the last ones may differ between versions of numpy.

    Attributes:
        rows: what became of every row.
        shards: files or tables.
        tokens: tokens in the rows.
        text_bytes: bytes of text in the rows.
        duplicates: rows with the text of an earlier row; None unless duplicates are removed.
        groups: by column with a quota: `values`, how many values there are, and `most`, those that
            most rows were selected of, each with `value`, `eligible` and `selected`; None without
            quotas.
        effective_sample_size: of the weights that are drawn by; None if targets are separate.
        targets: by name, if targets have names.
        kl_reduction: nats; with names, the mean over the targets. None until the selected rows were
            read again, or if the model cannot tell.
        stages: by stage, `seconds`, `text_bytes` and `mb_per_second`; None in what is compared.
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
    stages: dict[str, dict[str, float | None]] | None = None

    def with_stages(self, stages: Mapping[str, dict[str, float | None]]) -> Metrics:
        """Return the same with how long each stage took."""
        return replace(self, stages=dict(stages))

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> Metrics:
        """Return metrics from what `describe` gave.

        Raises:
            KeyError, TypeError, ValueError: the object does not describe metrics.
        """
        given = dict(described)
        rows = dict(given["rows"])
        rows["passed_over"] = PassedOver(**rows["passed_over"])
        given["rows"] = RowAccounts(**rows)
        for name, kind in _PARTS.items():
            if name in given:
                given[name] = kind(**given[name])
        if "targets" in given:
            given["targets"] = {
                name: TargetAccounts(**target) for name, target in dict(given["targets"]).items()
            }
        return cls(**given)


_PARTS: dict[str, type[JsonRecord]] = {
    "shards": ShardAccounts,
    "tokens": TokenAccounts,
    "text_bytes": ByteAccounts,
    "duplicates": DuplicateAccounts,
}


def _fields(record: JsonRecord) -> Any:
    return fields(cast(Any, record))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list) else value
