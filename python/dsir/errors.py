"""The exceptions of dsir: what a caller can catch, and what each one means.

Every message says what is wrong, where (file, row group, row), and how to go on.
"""

from __future__ import annotations

import sys
import warnings

__all__ = [
    "BadDataError",
    "BudgetError",
    "DsirError",
    "DsirWarning",
    "EmptyCorpusError",
    "EngineError",
    "InputError",
    "KernelError",
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
    """The base of every exception that dsir raises on purpose."""


class DsirWarning(UserWarning):
    """The category of every warning that dsir gives."""


class SettingError(DsirError, ValueError):
    """The call is wrong: an argument is out of range, or arguments exclude each other."""


class BudgetError(DsirError, ValueError):
    """The budget (n, fraction, tokens or bytes) cannot be met by the eligible documents."""


class ModelError(DsirError):
    """A model cannot be fitted or read: the target is empty, or the model file is damaged."""


class KernelError(DsirError):
    """A kernel or function of the user raised, or returned what its contract does not allow.

    Attributes:
        path: the file of the text (or the name of the in-memory input), or None.
        row: 0-based row of the text in it, or None.
    """

    def __init__(self, message: str, *, path: str | None = None, row: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.row = row

    def __reduce__(self) -> tuple[object, tuple[str, str | None, int | None]]:
        return (_rebuild_kernel_error, (str(self), self.path, self.row))


def _rebuild_kernel_error(message: str, path: str | None, row: int | None) -> KernelError:
    return KernelError(message, path=path, row=row)


class WorkdirError(DsirError):
    """A work directory belongs to another run, or its files are missing or damaged."""


class EngineError(DsirError):
    """A cluster does not answer, a node of it does not fit, or a task lost its node too often."""


class OutputError(DsirError):
    """A selection cannot be written to its folder, or cannot be read there."""


class InputError(DsirError):
    """An input cannot be read, or its content is not what it must be.

    Attributes:
        path: the file (or the name of the in-memory input), or None.
        row_group: 0-based Parquet row group; None if it is unknown or there is none.
        row: 0-based row in the shard; None if the error is about the whole shard.
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
        # Engines send exceptions between processes; the default would lose the keywords.
        return (_rebuild, (type(self), str(self), self.path, self.row_group, self.row))


def _rebuild(
    kind: type[InputError], message: str, path: str | None, row_group: int | None, row: int | None
) -> InputError:
    return kind(message, path=path, row_group=row_group, row=row)


class EmptyCorpusError(InputError):
    """No file matches, or no row can be read."""


class ShardError(InputError):
    """A whole shard cannot be read: it is missing, empty, damaged or of another format."""


class StoreError(ShardError):
    """A remote store does not answer, or denies access.

    The files may be fine, so nothing is skipped. The same call with the same work directory
    continues once the store answers again.
    """


class TextColumnError(InputError):
    """The text column is missing, or does not hold text."""


class BadDataError(InputError):
    """More rows or shards are bad than `max_bad_rows` or `max_bad_shards` allow."""


class RowError(InputError):
    """One row cannot be read: broken JSON, a text that is not a string, or invalid UTF-8."""


def warn(message: str) -> None:
    """Give a DsirWarning at the line outside dsir that called it, however deep the call is."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, DsirWarning, stacklevel=level)


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] == "dsir"
