"""The column of languages that a model of fastText gives to raw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from dsir.arguments.declared import argument, chosen
from dsir.arguments.values import name_of_column
from dsir.errors import SettingError
from dsir.model.language_column import LanguageColumn, language_argument
from dsir.remote import RemotePath


class LanguageArguments(TypedDict, total=False):
    """Arguments that make a column of languages; see `LanguageSettings`."""

    language_column: str | None
    language_model: str | Path | RemotePath | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageSettings:
    """The column of languages of raw, if there is one.

    Attributes:
        language_column: the name of the column; None for no column.
        language_model: absolute path or URL of a supervised model of fastText; None likewise.

    Raises:
        SettingError: one is given without the other, or is out of range.
    """

    language_column: str | None = argument(
        None,
        "A column for the language of each document, by language_model, e.g. lang. Quotas and "
        "groups may use it (group_by, max_per), and it is written with the rows.",
        metavar="NAME",
    )
    language_model: str | None = argument(
        None,
        "The model of language_column: any supervised model of fastText, e.g. lid.176.ftz. Each "
        "document has its likeliest label, without '__label__'; it has none if the model knows no "
        "word of it.",
        metavar="PATH",
    )

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.language_column is not None:
            name_of_column("language_column", self.language_column)
        if self.language_model is not None:
            object.__setattr__(self, "language_model", language_argument(self.language_model))
        if (self.language_column is None) != (self.language_model is None):
            given, missing = "language_column", "language_model"
            if self.language_column is None:
                given, missing = missing, given
            raise SettingError(f"{given}: needs {missing} as well")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> LanguageSettings:
        """Check the arguments of a call.

        Raises:
            SettingError: an argument is out of range.
        """
        return cls(**chosen(cls, given))

    def describe(self) -> dict[str, str]:
        """Return the settings as JSON values; nothing without a column."""
        if self.language_column is None or self.language_model is None:
            return {}
        return {
            "language_column": self.language_column,
            "language_model": self.language_model,
        }

    def column(self) -> LanguageColumn | None:
        """Return the column, with the model as it is now; None if there is none.

        Raises:
            ModelError: the model cannot be read, or is not of fastText.
        """
        if self.language_column is None or self.language_model is None:
            return None
        return LanguageColumn.of(self.language_column, self.language_model)
