"""The options of `dsir lexrank` that say how to summarize."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from dsir.arguments.declared import argument, chosen, described
from dsir.arguments.values import whole_number
from dsir.errors import SettingError
from dsir.lexrank.cutting import Cutting
from dsir.lexrank.idf import Idf
from dsir.lexrank.rank import LexRankSettings
from dsir.lexrank.stopwords import Stopwords
from dsir.lexrank.summaries.budget import SummaryBudget
from dsir.lexrank.summaries.method import MethodSettings
from dsir.lexrank.summaries.methods import DEFAULT_METHOD, METHODS, SummaryMethod
from dsir.lexrank.summarizer import Summarizer
from dsir.model.own_part import name_of
from dsir.model.own_tokenizers import tokenizer_in

_PANEL = "Summaries"
_LENGTHS = ("summary", "summary_words", "summary_characters", "summary_tokens")
_METHOD_HELP = "; ".join(f"'{name}': {one.help}" for name, one in METHODS.items())


def _length(most: str) -> Any:
    return argument(
        None,
        f"Write a summary of each group in place of rows: {most}.",
        kind=int,
        panel=_PANEL,
        metavar="N",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryOptions:
    """The options, as they were given."""

    summary: int | None = _length("N sentences, e.g. 5")
    summary_words: int | None = _length("at most N words, e.g. 100")
    summary_characters: int | None = _length("at most N characters, e.g. 300")
    summary_tokens: int | None = _length("at most N tokens of --tokenizer, e.g. 512")
    method: SummaryMethod = argument(
        DEFAULT_METHOD,
        f"How the sentences of a summary are chosen. {_METHOD_HELP}.",
        panel=_PANEL,
        metavar="|".join(get_args(SummaryMethod)),
    )
    redundancy: float | None = argument(
        None,
        "The highest cosine that two sentences of a summary may have, 0 to 1, e.g. 0.3 for less "
        "repetition; 1 allows even equal sentences. By default 0.5, for methods that have such a "
        "limit.",
        kind=float,
        panel=_PANEL,
        metavar="COSINE",
    )
    diversity: float | None = argument(
        None,
        "How much it counts that a sentence says something new, 0 to 1, e.g. 0.5; for the methods "
        "coverage, mmr and submodular.",
        kind=float,
        panel=_PANEL,
        metavar="SHARE",
    )
    min_words: int = argument(
        1,
        "The fewest words that a sentence of a summary may have; 8 leaves out headings and "
        "fragments.",
        kind=int,
        panel=_PANEL,
    )
    preceding: float | None = argument(
        None,
        "For the methods coverage and lexrank: how much similarity to an earlier sentence of the "
        "document counts, e.g. -1 to prefer sentences that later ones take up, 0.5 for no "
        "direction. By default -0.25 for coverage, and no direction for lexrank.",
        kind=float,
        panel=_PANEL,
        metavar="WEIGHT",
    )
    query: str | None = argument(
        None,
        "A text that the summary is to answer, e.g. 'battery life'.",
        panel=_PANEL,
        metavar="TEXT",
    )
    tokenizer: Any = argument(
        None,
        "How the sentences of summaries are cut into terms, e.g. unicode, chars or tokenizer.json, "
        "or a dsir.kernel or Python function by its file or module, e.g. jieba:lcut. By default "
        "into words.",
        panel=_PANEL,
        metavar="NAME",
        read=tokenizer_in,
    )
    ngram: int = argument(
        1,
        "How many tokens in a row are a term; 2 with --tokenizer chars for Chinese, Japanese or "
        "Thai.",
        kind=int,
        panel=_PANEL,
        metavar="N",
    )
    stems: str | None = argument(
        None,
        "Compare the sentences of summaries by the stems of this language, e.g. de.",
        panel=_PANEL,
        metavar="CODE",
    )
    language: str | None = argument(
        None,
        "Split documents into sentences by the rules of this language, e.g. en. By default one "
        "plain rule serves all languages.",
        panel=_PANEL,
        metavar="CODE",
    )
    split: bool = argument(
        True,
        "Split rows into sentences for a summary; with --no-split each row is one sentence.",
        kind=bool,
        panel=_PANEL,
    )

    @classmethod
    def of(cls, given: Mapping[str, Any], *, top: str | None) -> SummaryOptions | None:
        """Return the options; None if rows are to be written.

        Args:
            given: the options that were given, by name.
            top: the option --top.

        Raises:
            SettingError: an option is out of range, or options exclude or need each other.
        """
        mine = chosen(cls, given)
        lengths = [name for name in _LENGTHS if mine.get(name) is not None]
        if not lengths:
            if mine:
                name, value = next(iter(mine.items()))
                said = f"{name}=False" if value is False else name  # As in --no-split.
                raise SettingError(
                    f"{said}: is for summaries; give the length of one too, e.g. --summary 5"
                )
            return None
        if len(lengths) > 1:
            flags = " or ".join(f"--{name.replace('_', '-')}" for name in lengths)
            raise SettingError(f"give {flags}, not both")
        if top is not None:
            raise SettingError("give --top or a summary, not both")
        whole_number(lengths[0], mine[lengths[0]], 1)
        return cls(**mine)

    def summarizer(
        self, settings: LexRankSettings, idf: Idf | None, stopwords: Stopwords, threads: int
    ) -> Summarizer:
        """Return how to summarize.

        Raises:
            SettingError: an option is out of range, or the method does not read it.
        """
        return Summarizer(
            method=self.method,
            budget=SummaryBudget(
                self.summary,
                self.summary_words,
                self.redundancy,
                self.min_words,
                characters=self.summary_characters,
                tokens=self.summary_tokens,
            ),
            settings=MethodSettings(settings, diversity=self.diversity, preceding=self.preceding),
            cutting=Cutting(self.tokenizer, self.stems, self.ngram, stopwords),
            idf=idf,
            query=self.query,
            threads=threads,
        )

    def describe(self) -> dict[str, Any]:
        """Return the options as JSON values; code is named and not held."""
        named = (
            {} if isinstance(self.tokenizer, str | None) else {"tokenizer": name_of(self.tokenizer)}
        )
        return {**described(self), **named}
