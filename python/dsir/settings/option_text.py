"""Readers of options that are one text: names with numbers, or a word or a number."""

from __future__ import annotations

from dsir.errors import SettingError


def numbers_by_name(option: str, text: str, example: str) -> dict[str, float]:
    """Read "NAME=NUMBER,NAME=NUMBER".

    Args:
        option: the option, for the message.
        text: the value of the option.
        example: a valid value, for the message.

    Raises:
        SettingError: the text has another form.
    """
    numbers = {}
    for entry in text.split(","):
        name, _, value = entry.rpartition("=")
        try:
            numbers[name.strip()] = float(value)
        except ValueError:
            raise SettingError(
                f"{option} {text}: expected NAME=NUMBER,NAME=NUMBER, such as {example}"
            ) from None
    return numbers


def proportions_in(text: str) -> dict[str, float]:
    """Read `--proportions`, such as "web=0.7,books=0.3"."""
    return numbers_by_name("--proportions", text, "web=0.7,books=0.3")


def combine_in(text: str) -> dict[str, float]:
    """Read `--combine`, such as "dsir=1,lexrank=0.2"."""
    return numbers_by_name("--combine", text, "dsir=1,lexrank=0.2")


def max_per_in(text: str) -> dict[str, float | int]:
    """Read `--max-per`, such as "source=0.2"; a whole number counts documents."""
    found: dict[str, float | int] = dict(numbers_by_name("--max-per", text, "source=0.2"))
    for entry in text.split(","):
        name, _, value = entry.rpartition("=")
        if value.strip().isdecimal():
            found[name.strip()] = int(value)
    return found


def fit_tokens_in(text: str) -> int | str:
    """Read `--fit-tokens`: a word, or a whole number."""
    return int(text) if text.lstrip("-").isdecimal() else text


def length_in(text: str) -> float | str:
    """Read `--length`: a word, or a number."""
    try:
        return float(text)
    except ValueError:
        return text
