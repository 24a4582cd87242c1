"""The accounts of a draw, in a file beside its rows, for `dsir write`, which has no scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsir.corpus.skipped import Skipped
from dsir.errors import WorkdirError
from dsir.run.metrics import Metrics
from dsir.stages.shard_scores import ShardScores
from dsir.storage.sealed_json import read_sealed
from dsir.storage.workdir import Workdir

ACCOUNTS_FILE = "accounts.json"
# Settings of the scores that the selection depends on.
_OF_SCORES = ("filters", "on_error", "groups")
_IF_GIVEN = ("decontaminate",)


@dataclass(frozen=True, slots=True)
class DrawnAccounts:
    """The accounts of a draw, read back from its folder of selected rows.

    Attributes:
        settings: settings of the scores: filters, on_error, groups, decontaminate if given.
        metrics: the accounts, without the KL reduction.
        rows: rows read, by unit.
        skipped: rows and units that could not be read, by unit.
    """

    settings: dict[str, Any]
    metrics: Metrics
    rows: list[int]
    skipped: list[list[Skipped]]


def keep_accounts(
    rows: Workdir,
    scores_settings: dict[str, Any],
    metrics: Metrics,
    scores: Sequence[ShardScores],
) -> None:
    """Write the accounts of a draw to its folder of selected rows.

    Args:
        rows: the folder.
        scores_settings: settings of the folder of scores.
        metrics: the accounts from `accounts_of`.
        scores: the scores of every unit.
    """
    rows.keep(
        ACCOUNTS_FILE,
        {
            "fingerprint": rows.fingerprint,
            "settings": {name: scores_settings[name] for name in _kept(scores_settings)},
            "metrics": metrics.describe(),
            "rows": [unit.rows for unit in scores],
            "skipped": [[entry.to_marker() for entry in unit.skipped] for unit in scores],
        },
    )


def read_accounts(folder: Path, fingerprint: str, units: int) -> DrawnAccounts:
    """Return the accounts of a draw from its folder of selected rows.

    Args:
        folder: the folder.
        fingerprint: fingerprint of the folder's manifest.
        units: number of units of the raw corpus.

    Raises:
        WorkdirError: the accounts are missing, damaged, or of another draw.
    """
    path = folder / ACCOUNTS_FILE
    again = "run 'dsir sample' again"
    try:
        content = read_sealed(path)
    except FileNotFoundError:
        raise WorkdirError(f"{path}: is missing; {again}") from None
    except (OSError, ValueError) as error:
        raise WorkdirError(f"{path}: cannot be read ({error}); {again}") from error
    try:
        found = DrawnAccounts(
            dict(content["settings"]),
            Metrics.from_json(content["metrics"]),
            [int(count) for count in content["rows"]],
            [[_skipped(entry) for entry in entries] for entries in content["skipped"]],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WorkdirError(f"{path}: does not hold the accounts of a draw; {again}") from error
    whole = len(found.rows) == len(found.skipped) == units
    whole = whole and list(found.settings) == _kept(found.settings)
    if content.get("fingerprint") != fingerprint or not whole:
        raise WorkdirError(f"{path}: belongs to another draw; {again}")
    return found


def _kept(settings: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings that are kept, in the order in which they are written."""
    return [*_OF_SCORES, *(name for name in _IF_GIVEN if name in settings)]


def _skipped(entry: dict[str, Any]) -> Skipped:
    """Return a skipped row or shard from its JSON value.

    Raises:
        TypeError: the value describes neither.
    """
    found = Skipped(**entry)
    texts = (found.path, found.reason, found.snippet or "")
    # type() and not isinstance(), since True is an int.
    numbers = (found.rows, found.row or 0)
    if not all(type(text) is str for text in texts) or not all(type(n) is int for n in numbers):
        raise TypeError("is neither a row nor a shard")
    return found
