"""How a model is to be fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from dsir.arguments import one_of, whole_number
from dsir.model.features import HashedNgrams
from dsir.model.length import Length
from dsir.model.targets import TargetMode

FitTokens = int | Literal["auto", "all"]
_AUTO_NGRAMS_PER_BUCKET = 100_000
_MOST_FIT_TOKENS = (1 << 63) - 1  # The core counts in 64 bits.


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How to make a model; see `dsir.fit`.

    Attributes:
        proportions: as asked for, in the order of the targets.
    """

    features: HashedNgrams
    targets: TargetMode
    proportions: list[float] | None
    smoothing: float
    length: Length
    fit_tokens: FitTokens

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return {
            "features": self.features.describe(),
            "targets": self.targets,
            "proportions": self.proportions,
            "smoothing": self.smoothing,
            "length": self.length,
            "fit_tokens": self.fit_tokens,
        }


def check_fit_tokens(fit_tokens: FitTokens) -> FitTokens:
    """Return "auto", "all" or a positive int.

    Raises:
        SettingError: it is none of these.
    """
    if isinstance(fit_tokens, str):
        one_of("fit_tokens", fit_tokens, ("auto", "all"))
        return fit_tokens
    return whole_number("fit_tokens", fit_tokens, 1, _MOST_FIT_TOKENS)


def limit_per_file(fit_tokens: FitTokens, buckets: int, files: int) -> int:
    """Return the n-grams behind which the count of a file stops; -1 for none.

    The reference's budget, shared out evenly.
    """
    if fit_tokens == "all":
        return -1
    total = _AUTO_NGRAMS_PER_BUCKET * buckets if fit_tokens == "auto" else fit_tokens
    return int(total) // files
