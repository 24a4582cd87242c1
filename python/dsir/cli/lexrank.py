"""dsir lexrank."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from dsir.arguments import arguments_of, whole_number
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.piped import piped
from dsir.engine import thread_count
from dsir.errors import SettingError
from dsir.lexrank.corpus import (
    CorpusRanking,
    Ranked,
    Top,
    open_corpus,
    rank_corpus,
    summarize_corpus,
)
from dsir.lexrank.idf import Idf, stopwords_beside
from dsir.lexrank.rank import LexRankSettings
from dsir.lexrank.readable_shards import Readable, Watch
from dsir.lexrank.sentences import check_language
from dsir.lexrank.stopwords import Stopwords, stopwords_of
from dsir.lexrank.summarize import DEFAULT_THRESHOLD, SummaryBudget
from dsir.output.claim import claimed
from dsir.output.folder import (
    RANKING_FILE,
    check_output_folder,
)
from dsir.plural import counted
from dsir.progress import reporter
from dsir.remote import location_of
from dsir.settings.machine import MachineOptions
from dsir.settings.reading import ReadSettings

_WHAT = "What to write"
_HOW = "Centrality"
# Values of --idf that name no file.
_FITTED_IDFS = ("corpus", "group")

_SHARED = arguments_of(ReadSettings, MachineOptions)

OutOption = Annotated[
    str,
    typer.Option("--out", "-o", metavar="PATH", help="Folder for the result, e.g. ranked/."),
]
GroupByOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Rank or summarize the rows of each value of this text column separately, e.g. topic. "
        "By default all rows are ranked together.",
    ),
]
TopOption = Annotated[
    str | None,
    typer.Option(
        metavar="N|SHARE%",
        help="Write only the most central rows: of each group a number, e.g. 100, or a share, e.g. "
        "1%. By default all rows are written.",
        rich_help_panel=_WHAT,
    ),
]
SummaryOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Write a summary of each group in place of rows: N sentences, e.g. 5.",
        rich_help_panel=_WHAT,
    ),
]
SummaryWordsOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Write a summary of each group in place of rows: at most N words, e.g. 100.",
        rich_help_panel=_WHAT,
    ),
]
RedundancyOption = Annotated[
    float,
    typer.Option(
        help="The highest cosine that two sentences of a summary may have, 0 to 1, e.g. 0.3 for "
        "less repetition; 1 allows even equal sentences.",
        rich_help_panel=_WHAT,
    ),
]
MinWordsOption = Annotated[
    int,
    typer.Option(
        help="The fewest words that a sentence of a summary may have; 8 leaves out headings and "
        "fragments.",
        rich_help_panel=_WHAT,
    ),
]
LanguageOption = Annotated[
    str | None,
    typer.Option(
        metavar="CODE",
        help="Split documents into sentences by the rules of this language, e.g. en. By default "
        "one plain rule serves all languages.",
        rich_help_panel=_WHAT,
    ),
]
SplitOption = Annotated[
    bool,
    typer.Option(
        metavar="",
        help="Split rows into sentences for a summary; with --no-split each row is one sentence.",
        rich_help_panel=_WHAT,
    ),
]
ScoreColumnOption = Annotated[
    str,
    typer.Option(
        metavar="COLUMN",
        help="Name of the column of scores in the output, e.g. centrality.",
        rich_help_panel=_WHAT,
    ),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        help="Two texts are neighbours if their cosine is above this, e.g. 0.1; 0 makes all texts "
        f"neighbours, weighted by their cosine. [default: 0; for summaries {DEFAULT_THRESHOLD}]",
        rich_help_panel=_HOW,
    ),
]
DampingOption = Annotated[
    float,
    typer.Option(
        help="Probability, 0 to 1, that the random walk goes on to a neighbour, e.g. 0.9; else it "
        "jumps to any text.",
        rich_help_panel=_HOW,
    ),
]
ToleranceOption = Annotated[
    float,
    typer.Option(
        help="The ranking ends when a step changes the scores by no more than this in sum, e.g. "
        "1e-9.",
        rich_help_panel=_HOW,
    ),
]
IdfOption = Annotated[
    str,
    typer.Option(
        metavar="corpus|group|PATH",
        help="Where document frequencies are counted: 'corpus' for all rows, 'group' for the rows "
        "of each group, or a file that Idf.save wrote, e.g. wiki.idf.",
        rich_help_panel=_HOW,
    ),
]
StopwordsOption = Annotated[
    str | None,
    typer.Option(
        metavar="en",
        help="'en' leaves out English stop words. By default no word is left out.",
        rich_help_panel=_HOW,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _SummaryOptions:
    """The options that summaries are made by, as they were given."""

    summary: int | None
    summary_words: int | None
    redundancy: float
    min_words: int
    language: str | None
    split: bool

    def budget(self, top: str | None) -> SummaryBudget | None:
        """Return how long summaries may be; None if rows are written.

        Raises:
            SettingError: an option is out of range, or options exclude each other.
        """
        if self.summary is None and self.summary_words is None:
            return None
        if self.summary is not None and self.summary_words is not None:
            raise SettingError("give --summary or --summary-words, not both")
        if top is not None:
            raise SettingError("give --top or a summary, not both")
        if self.summary is not None:
            whole_number("summary", self.summary, 1)
        else:
            whole_number("summary_words", self.summary_words, 1)
        return SummaryBudget(self.summary, self.summary_words, self.redundancy, self.min_words)

    def describe(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return dataclasses.asdict(self)


@command({name: _SHARED[name] for name in ("text", "text_encoding", "on_error", "threads")})
def lexrank(
    raw: options.Raw,
    out: OutOption,
    group_by: GroupByOption = None,
    top: TopOption = None,
    summary: SummaryOption = None,
    summary_words: SummaryWordsOption = None,
    redundancy: RedundancyOption = 0.5,
    min_words: MinWordsOption = 1,
    language: LanguageOption = None,
    split: SplitOption = True,
    score_column: ScoreColumnOption = "lexrank",
    threshold: ThresholdOption = None,
    damping: DampingOption = 0.85,
    tolerance: ToleranceOption = 1e-6,
    idf: IdfOption = "corpus",
    stopwords: StopwordsOption = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Score the rows of RAW by their centrality (LexRank), or summarize them.

    Without --top or --summary every row is written, in its format and order, with its score.

    **Examples**

    `dsir lexrank reviews/*.parquet --out ranked/ --group-by topic --top 1%`

    `dsir lexrank news.jsonl --out summaries/ --group-by story --summary 5`
    """
    reading = ReadSettings.of(given)
    summaries = _SummaryOptions(
        summary=summary,
        summary_words=summary_words,
        redundancy=redundancy,
        min_words=min_words,
        language=language,
        split=split,
    )
    budget = summaries.budget(top)
    if threshold is None:
        threshold = 0.0 if budget is None else DEFAULT_THRESHOLD
    settings = LexRankSettings(threshold or None, damping, tolerance)
    wanted = None if top is None else Top.parse(top)
    stopwords_of(stopwords)
    check_language(language)
    loaded = None if idf in _FITTED_IDFS else Idf.load(idf)
    left_out = stopwords_beside(loaded, stopwords)
    threads = thread_count(given.get("threads"))
    folder = location_of(out)
    check_output_folder(folder, overwrite=overwrite, resuming=False)
    with contextlib.ExitStack() as stack:
        inputs, _ = stack.enter_context(piped(raw))
        read, watch = open_corpus(
            inputs,
            text=reading.text,
            group_by=group_by,
            encoding=reading.text_encoding,
            on_error=reading.on_error,
            reporter=reporter(not quiet),
        )
        # Held before the work: the lock tells whether a store takes files.
        claim = stack.enter_context(claimed(folder))
        description = {
            "settings": {
                **reading.columns(),
                "group_by": group_by,
                "top": top,
                **summaries.describe(),
                "threshold": settings.threshold,
                "damping": damping,
                "tolerance": tolerance,
                "idf": idf,
                "stopwords": stopwords,
                "on_error": reading.on_error,
            },
            "inputs": [shard.name for shard in read.texts.shards],
        }
        if idf == "corpus" and group_by is not None:
            loaded = _fitted_idf(read, watch, left_out, threads)
        ranking = CorpusRanking(
            read, watch, group_by is not None, settings, loaded, left_out, threads
        )
        check_output_folder(folder, overwrite=overwrite, resuming=False)
        if overwrite:
            claim.clear()
        with claim.unfinished():
            if budget is not None:
                done = summarize_corpus(
                    ranking,
                    folder,
                    budget=budget,
                    language=language,
                    split=split,
                    description=description,
                )
            else:
                done = rank_corpus(
                    ranking,
                    folder,
                    top=wanted,
                    score_column=score_column,
                    description=description,
                )
    _print(done, out, as_json=as_json, quiet=quiet, summaries=budget is not None)


def _fitted_idf(read: Readable, watch: Watch, stopwords: Stopwords, threads: int) -> Idf | None:
    """Return the idf of the whole corpus; None if no document has a term."""
    with watch.reading("idf", read.texts):
        fitted = Idf(stopwords=stopwords).fit(read.texts, threads=threads)
    return fitted if fitted.documents else None


def _print(done: Ranked, out: str, *, as_json: bool, quiet: bool, summaries: bool) -> None:
    if as_json:
        found = {
            "rows": done.rows,
            "written": done.written,
            "groups": done.groups,
            "paths": [str(path) for path in done.paths],
            "skipped": [one.to_json() for one in done.skipped],
        }
        typer.echo(json.dumps(found, indent=2))
    elif not quiet:
        written = counted(done.written, "sentence" if summaries else "row")
        typer.echo(
            f"{out}: {written} of {counted(done.rows, 'row')} in {counted(done.groups, 'group')}"
        )
        if done.skipped:
            rows = sum(one.row is not None for one in done.skipped)
            files = len(done.skipped) - rows
            typer.echo(
                f"skipped: {counted(rows, 'row')}, {counted(files, 'file')}; "
                f"listed in {location_of(out) / RANKING_FILE}"
            )
