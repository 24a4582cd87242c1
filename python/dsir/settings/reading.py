"""How inputs are read: which column, and what to do with unreadable rows and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, get_args

from dsir.arguments import panels
from dsir.arguments.declared import argument, chosen
from dsir.arguments.values import name_of_column, one_of
from dsir.corpus import OnError
from dsir.corpus.encoded_text import encoding_of
from dsir.settings.bad_data import NO_LIMITS, BadLimits, Most, check_bad_limits
from dsir.settings.option_text import target_text_in


class ReadArguments(TypedDict, total=False):
    """Arguments that say how inputs are read; see `ReadSettings`."""

    text: str
    target_text: str | Mapping[str, str] | None
    text_encoding: str | None
    on_error: OnError
    max_bad_rows: Most
    max_bad_shards: Most


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSettings:
    """How inputs are read.

    Attributes:
        text: the text column.
        target_text: the text column of the targets, or that of some by name; None for the same.
        text_encoding: the encoding of text columns of bytes; None if these are no texts.
        on_error: what to do with rows and files that cannot be read.
        limits: how many rows and shards may be bad.

    Raises:
        SettingError: a setting is out of range.
    """

    text: str = argument("text", "The text column; dots lead into nested columns, e.g. doc.body.")
    target_text: str | Mapping[str, str] | None = argument(
        None,
        "The text column of the target, e.g. content, if raw has another one; or the columns of "
        "some targets by name, e.g. law=body,news=content. By default all have the same.",
        metavar="COLUMN",
        read=target_text_in,
    )
    text_encoding: str | None = argument(
        None,
        "The encoding of a text column of bytes (binary), e.g. utf-8, latin-1 or utf-16. By "
        "default such a column is an error. Columns of strings, JSON Lines and CSV are read as "
        "ever, and columns are written as they came.",
    )
    on_error: OnError = argument(
        "raise",
        "What to do with rows and files that cannot be read: 'raise' stops the run; 'skip' passes "
        "them over, counts them, and says which: a selection lists them in Selection.skipped and "
        "in _dsir/rejects.jsonl of its folder.",
        panel=panels.RUN,
    )
    limits: BadLimits = field(default=NO_LIMITS, metadata={"group": BadLimits})

    def __post_init__(self) -> None:
        """Check the settings."""
        name_of_column("text", self.text)
        if isinstance(self.target_text, Mapping):
            for name, column in self.target_text.items():
                name_of_column(f"target_text[{name!r}]", column)
            object.__setattr__(self, "target_text", dict(self.target_text) or None)
        elif self.target_text is not None:
            name_of_column("target_text", self.target_text)
        if self.text_encoding is not None:
            object.__setattr__(self, "text_encoding", encoding_of(self.text_encoding))
        one_of("on_error", self.on_error, get_args(OnError))

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> ReadSettings:
        """Check the arguments of a call.

        Raises:
            SettingError: an argument is out of range.
        """
        reading = cls(**chosen(cls, given))
        limits = check_bad_limits(
            given.get("max_bad_rows"), given.get("max_bad_shards"), reading.on_error
        )
        return replace(reading, limits=limits)

    def columns(self) -> dict[str, str | dict[str, str]]:
        """Return the text columns as JSON values.

        That of the target is there only where it differs, and an encoding only if it is given.
        """
        found: dict[str, str | dict[str, str]] = {"text": self.text}
        if isinstance(self.target_text, Mapping):
            found["target_text"] = dict(self.target_text)
        elif self.target_text not in (None, self.text):
            found["target_text"] = str(self.target_text)
        if self.text_encoding is not None:
            found["text_encoding"] = self.text_encoding
        return found

    @property
    def skips(self) -> bool:
        """Whether unreadable rows and files are skipped."""
        return self.on_error == "skip"
