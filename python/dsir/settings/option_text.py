"""Readers of options that are one text: names with numbers, or a word or a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from dsir.arguments.values import exact_share, is_percent
from dsir.errors import SettingError
from dsir.remote import location_of

_Value = TypeVar("_Value")


def numbers_by_name(option: str, text: str, example: str) -> dict[str, float]:
    """Read "NAME=NUMBER,NAME=NUMBER".

    Args:
        option: the option, for the message.
        text: the value of the option.
        example: a valid value, for the message.

    Raises:
        SettingError: the text has another form.
    """
    numbers: dict[str, float] = {}
    for entry in _entries(text):
        name, _, value = entry.rpartition("=")
        try:
            share = exact_share(value) if is_percent(value) else None
            found = float(value if share is None else share)
        except ValueError:
            found = None
        if found is None or not name.strip():
            raise SettingError(
                f"{option} {text}: expected NAME=NUMBER,NAME=NUMBER, such as {example}"
            )
        _add(numbers, name, found, f"{option} {text}")
    return numbers


def _entries(text: str) -> Iterator[str]:
    """Give the entries between commas; a name may have commas too, as labels and columns do.

    So what has no "=" is the beginning of the next entry's name. An empty entry is one of its own.
    """
    begun = ""
    for piece in text.split(","):
        if "=" not in piece and piece.strip():
            begun += f"{piece},"
            continue
        yield begun + piece
        begun = ""
    if begun:
        yield begun.removesuffix(",")


def _add(found: dict[str, _Value], name: str, value: _Value, option: str) -> None:
    """Add what a name has, and refuse a second value for it: one of the two would be lost.

    Args:
        found: the values so far.
        name: the name, perhaps with spaces around it.
        value: its value.
        option: the option with its text, for the message.
    """
    name = name.strip()
    if name in found:
        raise SettingError(f"{option}: {name} is given twice")
    found[name] = value


def proportions_in(text: str) -> dict[str, float]:
    """Read `--proportions`, such as "web=0.7,books=0.3"."""
    return numbers_by_name("--proportions", text, "web=0.7,books=0.3")


def target_text_in(text: str) -> str | dict[str, str]:
    """Read `--target-text`: a column, or columns by target, such as "law=body,news=content"."""
    if "=" not in text:
        return text
    found: dict[str, str] = {}
    for entry in text.split(","):
        name, _, column = entry.partition("=")
        if not name.strip() or not column.strip():
            raise SettingError(
                f"--target-text {text}: expected a column, or NAME=COLUMN,NAME=COLUMN"
            )
        _add(found, name, column.strip(), f"--target-text {text}")
    return found


def combine_in(text: str) -> dict[str, float]:
    """Read `--combine`, such as "dsir=1,column:meta.quality=0.2"."""
    return numbers_by_name("--combine", text, "dsir=1,column:meta.quality=0.2")


def max_per_in(text: str) -> dict[str, str]:
    """Read `--max-per`, such as "source=20%,lang=5000"; see `settings.quotas`."""
    found: dict[str, str] = {}
    for entry in _entries(text):
        name, _, value = entry.rpartition("=")
        if not name.strip() or not value.strip():
            raise SettingError(
                f"--max-per {text}: expected NAME=NUMBER,NAME=NUMBER, such as source=0.2"
            )
        _add(found, name, value.strip(), f"--max-per {text}")
    return found


def length_in(text: str) -> float | str:
    """Read `--length`: a word, or a number."""
    try:
        return float(text)
    except ValueError:
        return text


def sources_in(text: str) -> str | list[str]:
    """Read "PATH,PATH": one source, or several. A path that exists may have commas."""
    if "," not in text or location_of(text).exists():
        return text
    return [one.strip() for one in text.split(",")]


def decontamination_options(described: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the arguments that a described decontamination was made from, as options.

    Args:
        described: what `dsir.model.decontamination.Decontamination.describe` returned.

    Returns:
        The options by name; None if the texts were in memory, which no option can name.
    """
    paths = described.get("paths")
    if not isinstance(paths, list):
        return None
    return {
        "decontaminate": ",".join(map(str, paths)),
        "decontaminate_text": described.get("text"),
        "decontaminate_ngram": described.get("ngram"),
        "decontaminate_hits": described.get("hits"),
    }
