"""How documents are prepared before the draw: windows and quality filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict, get_args

from dsir.arguments import panels
from dsir.arguments.declared import argument, arguments_of, chosen, described
from dsir.arguments.values import Amount, one_of, shown
from dsir.corpus.encoded_text import encoding_of
from dsir.corpus.windows.shard import check_windows
from dsir.errors import SettingError
from dsir.model import classifier, relevance
from dsir.model.decontamination import HITS, NGRAM, Decontamination
from dsir.model.features import HashedNgrams
from dsir.model.quality import QualityFilters, as_filters
from dsir.model.row_filters import RowFilters
from dsir.settings.option_text import sources_in

Named = Literal["none", "paper"]
Filters = QualityFilters | str | Mapping[str, Any] | None
PAPER_CHUNK_TOKENS = 128


class WindowArguments(TypedDict, total=False):
    """Arguments that cut documents into windows; see `DocumentSettings`."""

    chunk_tokens: Amount | None
    chunk_stride: Amount | None


class DocumentArguments(WindowArguments, total=False):
    """Arguments of `dsir.select` that prepare documents; see `DocumentSettings`."""

    filters: Filters
    decontaminate: object
    decontaminate_text: str | None
    decontaminate_ngram: Amount
    decontaminate_hits: Amount
    preprocessing: Named


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSettings:
    """How documents are cut.

    Attributes:
        chunk_tokens: tokens of a window; None for whole documents.
        chunk_stride: tokens from one window to the next; None for whole documents.

    Raises:
        SettingError: a setting is out of range, or a stride is given for whole documents.
    """

    chunk_tokens: int | None = argument(
        None,
        "Cut documents of raw and target into windows of this many tokens, e.g. 128. Each window "
        "is a row with its source row, its span of characters and the other columns of its "
        "document. By default documents stay whole.",
        panel=panels.DOCUMENTS,
        metavar="N",
    )
    chunk_stride: int | None = argument(
        None,
        "Tokens from the start of one window to the start of the next, 1 to chunk_tokens, e.g. 64. "
        "By default windows do not overlap.",
        panel=panels.DOCUMENTS,
        metavar="N",
    )

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.chunk_tokens is None:
            if self.chunk_stride is not None:
                raise SettingError(
                    f"chunk_stride={shown(self.chunk_stride)}: is for windows; "
                    "give chunk_tokens as well"
                )
            return
        tokens, stride = check_windows(self.chunk_tokens, self.chunk_stride)
        object.__setattr__(self, "chunk_tokens", tokens)
        object.__setattr__(self, "chunk_stride", stride)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> WindowSettings:
        """Check the arguments of a call.

        Raises:
            SettingError: an argument is out of range.
        """
        return cls(**chosen(cls, given))

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return described(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSettings(WindowSettings):
    """How documents are prepared.

    Attributes:
        filters: quality filters that a document, or window, must pass to be selected; None for no
            filters.
        decontaminate: the texts that no selected document, or window, may share n-grams with; None
            for none.
    """

    filters: QualityFilters | None = argument(
        None,
        "Quality filters that a row must pass to be selected: 'paper', or thresholds by name such "
        "as min_words=40,max_numeric=0.2, or by a model of fastText: min_probability=0.5,"
        "classifier=quality.bin,label=hq. Rows that fail are counted by reason; they still count "
        "in the fit. By default no row is filtered.",
        panel=panels.DOCUMENTS,
    )
    decontaminate: Decontamination | None = argument(
        None,
        "Texts that training must not see, such as the test sets of benchmarks, given like raw, "
        "e.g. 'benchmarks/': a row that shares an n-gram of tokens with one of them is "
        "never selected, counts as contaminated, and is listed in _dsir/contaminated.jsonl. By "
        "default nothing is compared.",
        panel=panels.DOCUMENTS,
        metavar="SOURCE,...",
        read=sources_in,
    )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> DocumentSettings:
        """Check the arguments of a call; `preprocessing` fills in what they leave out.

        Raises:
            SettingError: an argument is out of range.
        """
        chunk_tokens, filters = given.get("chunk_tokens"), given.get("filters")
        if is_paper(given):
            chunk_tokens = PAPER_CHUNK_TOKENS if chunk_tokens is None else chunk_tokens
            filters = QualityFilters.paper() if filters is None else filters
        return cls(
            chunk_tokens=chunk_tokens,
            chunk_stride=given.get("chunk_stride"),
            filters=as_filters(filters),
            decontaminate=_decontamination_of(given),
        )

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values; decontamination only if there is any."""
        found = described(self)
        if self.decontaminate is None:
            del found["decontaminate"]
        return found

    @property
    def row_filters(self) -> RowFilters | None:
        """What a row must meet to be selected; None for nothing."""
        if self.filters is None and self.decontaminate is None:
            return None
        return RowFilters(self.filters, self.decontaminate)

    def check_texts(self, features: HashedNgrams) -> None:
        """Warn of texts of `decontaminate` that are too short to be compared with.

        Raises:
            SettingError: all of them are.
        """
        if self.decontaminate is not None:
            self.decontaminate.check(features)

    def refuse_short_windows(self, min_tokens: int) -> None:
        """Raise SettingError if every window is shorter than `min_tokens`."""
        if self.chunk_tokens is not None and self.chunk_tokens < min_tokens:
            raise SettingError(
                f"chunk_tokens={self.chunk_tokens}: no window has min_tokens={min_tokens} tokens; "
                "lower min_tokens"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOptions(DocumentSettings):
    """The arguments that `DocumentSettings` are made from: one by one, or by a preset's name."""

    decontaminate_text: str | None = argument(
        None,
        "The text column of decontaminate, e.g. question. By default the one of raw.",
        panel=panels.DOCUMENTS,
        metavar="COLUMN",
    )
    decontaminate_ngram: int = argument(
        NGRAM,
        "With decontaminate: tokens of an n-gram, 1 to 1,024, e.g. 8. Tokens are those of the "
        "tokenizer, in lower case unless lower=False.",
        panel=panels.DOCUMENTS,
        metavar="N",
    )
    decontaminate_hits: int = argument(
        HITS,
        "With decontaminate: how many different n-grams a row has to share to be left out, 1 to "
        "1,000, e.g. 3.",
        panel=panels.DOCUMENTS,
        metavar="N",
    )
    preprocessing: Named = argument(
        "none",
        "'paper' prepares documents much as the paper does: chunk_tokens=128, filters='paper' and "
        "tokenizer='word_tokenize'. Arguments that you give yourself win. min_tokens stays 100, "
        "where the paper has no such limit; min_tokens=0 lifts it.",
        panel=panels.DOCUMENTS,
    )


def _decontamination_of(given: Mapping[str, Any]) -> Decontamination | None:
    """Read the texts of a call.

    Raises:
        SettingError: an argument is out of range, or is for texts that are not given.
        InputError: a text cannot be read.
    """
    source = given.get("decontaminate")
    if source is None:
        for name in ("decontaminate_text", "decontaminate_ngram", "decontaminate_hits"):
            value, default = given.get(name), arguments_of(DocumentOptions)[name].default
            if value is not None and not (type(value) is type(default) and value == default):
                raise SettingError(
                    f"{name}={shown(given[name])}: says how to compare with texts; give "
                    "decontaminate as well"
                )
        return None
    encoding = given.get("text_encoding")
    if isinstance(source, Decontamination):
        return source
    column = given.get("decontaminate_text")
    return Decontamination.of(
        source,
        column=given.get("text", "text") if column is None else column,
        ngram=given.get("decontaminate_ngram", NGRAM),
        hits=given.get("decontaminate_hits", HITS),
        encoding=None if encoding is None else encoding_of(encoding),
    )


def is_paper(given: Mapping[str, Any]) -> bool:
    """Tell whether the paper's preparation is asked for.

    Raises:
        SettingError: `preprocessing` is not a known name.
    """
    preprocessing = given.get("preprocessing", "none")
    one_of("preprocessing", preprocessing, get_args(Named))
    return bool(preprocessing == "paper")


def features_of(given: Mapping[str, Any], *, estimator: str = "ratio") -> HashedNgrams:
    """Return the features that a call gave, or those that its estimator has by default.

    Args:
        given: arguments by name. Preparation as in the paper has its tokenizer.
        estimator: the kind of model.
    """
    features = given.get("features")
    if features is not None:
        return features  # type: ignore[no-any-return]  # FitSettings checks it.
    features = HashedNgrams(buckets=default_buckets(estimator))
    return replace(features, tokenizer="word_tokenize") if is_paper(given) else features


_BUCKETS = {
    classifier.ClassifierModel.kind: classifier.BUCKETS,
    relevance.RelevanceModel.kind: relevance.BUCKETS,
}


def default_buckets(estimator: str) -> int:
    """Return the number of buckets that a kind of model has by default."""
    return _BUCKETS.get(estimator, HashedNgrams().buckets)
