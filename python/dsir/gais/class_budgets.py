"""How many rows of each class to keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from dsir.arguments.values import amount, one_of, shown, whole_number
from dsir.errors import SettingError
from dsir.plural import counted

# Shares of two rules of which fewer rows differ are not worth twice the trials.
_LEAST_MOVED = 0.05

Counts = npt.NDArray[np.int64]
ShareRule = Literal["auto", "proportional", "sqrt", "equal"]
Shares = ShareRule | Mapping[Any, int]


def class_shares(counts: Counts, keep: int, weights: npt.NDArray[Any] | None = None) -> Counts:
    """Return how many rows of each class to keep, in proportion to weights, at least one each.

    Shares are rounded by largest remainders; among equal remainders the earlier class comes first.
    What a class cannot give, because it has fewer rows, the other classes give.

    Args:
        counts: int64[classes], rows of each class.
        keep: rows to keep in all; raised to the number of classes if it is lower, and limited to
            the number of rows.
        weights: [classes], above 0 for each class that has rows; None for the counts.

    Example:
        >>> class_shares(np.array([90, 10]), 10).tolist()
        [9, 1]
        >>> class_shares(np.array([90, 10]), 10, np.sqrt([90, 10])).tolist()
        [8, 2]
    """
    keep = min(max(keep, int((counts > 0).sum())), int(counts.sum()))
    exact = _limited(counts, keep, counts if weights is None else weights)
    shares = np.minimum(np.maximum(np.floor(exact).astype(np.int64), counts > 0), counts)
    while (missing := keep - int(shares.sum())) != 0:
        # Rounding up small classes may take too many rows; then the class with the largest surplus
        # gives one back first.
        gap = exact - shares
        if missing > 0:
            at = int(np.argmax(np.where(shares < counts, gap, -np.inf)))
            shares[at] += 1
        else:
            at = int(np.argmin(np.where(shares > 1, gap, np.inf)))
            shares[at] -= 1
    return np.asarray(shares)


def _limited(counts: Counts, keep: int, weights: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the shares before rounding: in proportion to weights, but no more than the counts."""
    full = np.zeros(len(counts), bool)
    while True:
        rest = keep - int(counts[full].sum())
        exact = np.where(full, counts, weights * (rest / max(1, weights[~full].sum())))
        over = ~full & (exact > counts)
        if not over.any():
            return np.asarray(exact, dtype=np.float64)
        full |= over


def kept_of_classes(shares: Shares, counts: Counts, keep: int, classes: npt.NDArray[Any]) -> Counts:
    """Return how many rows of each class an argument `shares` keeps: int64[classes].

    Args:
        shares: a rule, or the number of rows for each label. "auto" begins in proportion.
        counts: int64[classes], rows of each class.
        keep: rows to keep in all; not used if `shares` has numbers.
        classes: the label of each class.

    Raises:
        SettingError: the numbers of `shares` do not name each label once, or ask for none or more
            rows than a class has.
    """
    if not isinstance(shares, Mapping):
        weights = {
            "auto": None,
            "proportional": None,
            "sqrt": np.sqrt(counts),
            "equal": np.ones(len(counts)),
        }
        return class_shares(counts, keep, weights[shares])
    labels = classes.tolist()
    known = {label: place for place, label in enumerate(labels)}
    strange = [label for label in shares if label not in known]
    if strange:
        raise SettingError(
            f"shares: y has no label {strange[0]!r}; its labels are {_listed(labels)}"
        )
    left_out = [label for label in labels if label not in shares]
    if left_out:
        raise SettingError(
            f"shares: how many rows of {_listed(left_out)}? Give a number of rows for every label, "
            "or leave out the rows of a label before the selection"
        )
    kept = np.zeros(len(counts), np.int64)
    for label, number in shares.items():
        own = int(counts[known[label]])
        if number > own:
            raise SettingError(
                f"shares: {number:,} rows of the label {label!r}, which has only "
                f"{counted(own, 'row')}"
            )
        kept[known[label]] = number
    return kept


def other_shares(shares: Shares, counts: Counts, kept: Counts) -> Counts | None:
    """Return the shares by square roots that `shares="auto"` tries as well: int64[classes].

    Args:
        shares: the argument.
        counts: int64[classes], rows of each class.
        kept: int64[classes], the shares in proportion.

    Returns:
        None if the argument is not "auto", or both shares are nearly the same.
    """
    if shares != "auto":
        return None
    keep = int(kept.sum())
    rooted = class_shares(counts, keep, np.sqrt(counts))
    moved = int(np.maximum(rooted - kept, 0).sum())
    return rooted if moved > _LEAST_MOVED * keep else None


def check_shares(shares: object, *, tried: bool = False) -> None:
    """Check the argument `shares`.

    Args:
        shares: the argument.
        tried: whether the selector tries several selections, so that it takes "auto".

    Raises:
        SettingError: it is neither a rule nor whole numbers above 0.
    """
    if not isinstance(shares, Mapping):
        rules = get_args(ShareRule)[0 if tried else 1 :]
        if not isinstance(shares, str):
            raise SettingError(
                f"shares={shown(shares)}: expected {', '.join(map(repr, rules))}, or a dict with "
                "the number of rows for each label"
            )
        one_of("shares", shares, rules)
        return
    for label, number in shares.items():
        whole_number(f"shares[{label!r}]", number, 1)


def _listed(labels: list[Any]) -> str:
    """Return the first few labels as a message shows them."""
    first = ", ".join(map(repr, labels[:5]))
    return first if len(labels) <= 5 else f"{first} and {len(labels) - 5:,} more"


def shares_in(text: str) -> Shares:
    """Read `--shares`: a rule, or numbers of rows by label, such as "spam=100,ham=2k".

    Raises:
        SettingError: it is neither.
    """
    if "=" not in text:
        check_shares(text, tried=True)
        rules: tuple[ShareRule, ...] = get_args(ShareRule)
        return next(rule for rule in rules if rule == text)
    found: dict[str, int] = {}
    for entry in text.split(","):
        # A label may hold an equals sign, a number cannot.
        label, _, number = entry.strip().rpartition("=")
        if not label or label in found:
            problem = "has no label" if not label else f"names {label!r} twice"
            raise SettingError(
                f"shares={text}: {problem}; expected LABEL=ROWS,LABEL=ROWS, such as "
                "spam=100,ham=200"
            )
        found[label] = amount(f"shares: {label}", number, 1)
    return found


def with_labels(shares: Mapping[str, int], classes: npt.NDArray[Any]) -> Shares:
    """Return what `shares_in` read with the labels themselves in place of their texts."""
    known = {str(label): label for label in classes.tolist()}
    # Whole numbers become floats in a column with missing values; 1.0 and 1 are one label.
    for label in classes.tolist():
        if isinstance(label, float) and label.is_integer():
            known.setdefault(str(int(label)), label)
    return {known.get(label, label): number for label, number in shares.items()}


def shares_text(shares: Shares) -> str | dict[str, int]:
    """Return an argument `shares` as a JSON value."""
    if not isinstance(shares, Mapping):
        return shares
    return {str(label): int(number) for label, number in shares.items()}
