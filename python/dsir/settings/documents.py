"""What is done to documents before they are drawn from: chunks, quality filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dsir.arguments import one_of
from dsir.corpus import Corpus
from dsir.corpus.windows.shard import check_windows, chunked
from dsir.errors import SettingError
from dsir.model.features import HashedNgrams
from dsir.model.quality import QualityFilters, as_filters
from dsir.model.targets import TargetCorpora

Named = Literal["none", "paper"]
Filters = QualityFilters | str | Mapping[str, float] | None
PAPER_CHUNK_TOKENS = 128


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How documents are prepared.

    Attributes:
        chunk_tokens: tokens of a window; None for whole documents.
        chunk_stride: tokens from one window to the next.
        filters: what a document, or window, must meet to be selected; None for nothing.
    """

    chunk_tokens: int | None = None
    chunk_stride: int | None = None
    filters: QualityFilters | None = None

    def describe(self) -> dict[str, Any]:
        """Return the same as JSON values."""
        return {
            "chunk_tokens": self.chunk_tokens,
            "chunk_stride": self.chunk_stride,
            "filters": None if self.filters is None else self.filters.describe(),
        }

    def cut(self, corpus: Corpus, features: HashedNgrams) -> Corpus:
        """Return the corpus as it is counted and scored: its documents, or their windows."""
        if self.chunk_tokens is None:
            return corpus
        return chunked(corpus, self.chunk_tokens, self.chunk_stride, features.tokenizer)

    def cut_targets(self, target: TargetCorpora, features: HashedNgrams) -> TargetCorpora:
        """Return targets as they are counted: cut as raw is, so that the two can be compared."""
        corpora = tuple(self.cut(corpus, features) for corpus in target.corpora)
        return TargetCorpora(target.names, corpora)

    def refuse_short_windows(self, min_tokens: int) -> None:
        """Raise SettingError where no window could have as many tokens as a document must have."""
        if self.chunk_tokens is not None and self.chunk_tokens < min_tokens:
            raise SettingError(
                f"chunk_tokens={self.chunk_tokens}: no window has min_tokens={min_tokens} tokens; "
                "lower min_tokens"
            )


def check_preprocessing(
    preprocessing: Named,
    chunk_tokens: int | None,
    chunk_stride: int | None,
    filters: Filters,
) -> Preprocessing:
    """Check how documents are to be prepared.

    Args:
        preprocessing: "paper" for windows of 128 tokens and the paper's filters, unless others are
            given; or "none".
        chunk_tokens: tokens of a window; None for whole documents.
        chunk_stride: tokens from one window to the next; None for `chunk_tokens`.
        filters: see `dsir.model.quality.as_filters`.

    Raises:
        SettingError: an argument is out of range.
    """
    one_of("preprocessing", preprocessing, get_args(Named))
    if preprocessing == "paper":
        chunk_tokens = PAPER_CHUNK_TOKENS if chunk_tokens is None else chunk_tokens
        filters = QualityFilters.paper() if filters is None else filters
    if chunk_tokens is None:
        if chunk_stride is not None:
            raise SettingError(f"chunk_stride={chunk_stride}: is for windows; give chunk_tokens")
        return Preprocessing(filters=as_filters(filters))
    tokens, stride = check_windows(chunk_tokens, chunk_stride)
    return Preprocessing(tokens, stride, as_filters(filters))
