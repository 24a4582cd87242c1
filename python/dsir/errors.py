"""The exceptions of dsir: what a caller can catch, and what each one means.

Every message says what is wrong, where (file, row group, row) and the way out.
"""

from __future__ import annotations

__all__ = [
    "BadDataError",
    "BudgetError",
    "DsirError",
    "DsirWarning",
    "EmptyCorpusError",
    "InputError",
    "ModelError",
    "OutputError",
    "RowError",
    "SettingError",
    "ShardError",
    "StoreError",
    "TextColumnError",
    "WorkdirError",
]


class DsirError(Exception):
    """Base of everything dsir raises on purpose."""


class DsirWarning(UserWarning):
    """Everything that dsir warns of."""


class SettingError(DsirError, ValueError):
    """The call itself is wrong: an argument out of range, or arguments that exclude each other."""


class BudgetError(DsirError, ValueError):
    """The budget (n, fraction, tokens or bytes) cannot be met by the eligible documents."""


class ModelError(DsirError):
    """No importance model can be made or read: an empty target, or a damaged model file."""


class WorkdirError(DsirError):
    """A work directory belongs to another run, or what it holds is not whole."""


class OutputError(DsirError):
    """The selection cannot be written where it was asked to go."""


class InputError(DsirError):
    """Something that was read is not as it must be.

    Attributes:
        path: the file (or the name of the in-memory input), or None.
        row_group: 0-based Parquet row group, or None where that is unknown or does not apply.
        row: 0-based row in the shard, or None where the whole shard is meant.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        row_group: int | None = None,
        row: int | None = None,
    ) -> None:
        super().__init__(message)
        self.path = path
        self.row_group = row_group
        self.row = row

    def __reduce__(
        self,
    ) -> tuple[object, tuple[type[InputError], str, str | None, int | None, int | None]]:
        # Engines carry exceptions between processes; the default would lose the keywords.
        return (_rebuild, (type(self), str(self), self.path, self.row_group, self.row))


def _rebuild(
    kind: type[InputError], message: str, path: str | None, row_group: int | None, row: int | None
) -> InputError:
    return kind(message, path=path, row_group=row_group, row=row)


class EmptyCorpusError(InputError):
    """No file matches, or the input has no rows."""


class ShardError(InputError):
    """A whole shard cannot be read: missing, empty, damaged, or not what its name says."""


class StoreError(ShardError):
    """A store does not answer, or refuses: no fault of what is in it, so that nothing is skipped.

    The same call, with the same work directory, goes on once the store answers again.
    """


class TextColumnError(InputError):
    """The text column is missing, or does not hold text."""


class BadDataError(InputError):
    """More rows or shards are bad than `max_bad_rows` or `max_bad_shards` let pass."""


class RowError(InputError):
    """One row cannot be read: broken JSON, a text that is not a string, or invalid UTF-8."""
