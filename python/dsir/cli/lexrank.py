"""dsir lexrank."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dsir.arguments import arguments_of, whole_number
from dsir.cli import options
from dsir.cli.command import command
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
from dsir.lexrank.idf import Idf
from dsir.lexrank.rank import LexRankSettings
from dsir.lexrank.stopwords import stopwords_of
from dsir.lexrank.summarize import DEFAULT_THRESHOLD, SummaryBudget
from dsir.output.folder import (
    RANKING_FILE,
    check_output_folder,
    check_writable,
    clear_output_folder,
)
from dsir.progress import reporter
from dsir.remote import location_of
from dsir.settings.machine import MachineOptions
from dsir.settings.reading import ReadSettings

_WHAT = "What to write"
_HOW = "Centrality"

_SHARED = arguments_of(ReadSettings, MachineOptions)


@command({name: _SHARED[name] for name in ("text", "on_error", "threads")})
def lexrank(
    raw: options.Raw,
    out: Annotated[str, typer.Option("--out", "-o", metavar="PATH", help="Folder for the result.")],
    group_by: Annotated[
        str | None,
        typer.Option(help="A text column: rows are ranked, or summarized, within their group."),
    ] = None,
    top: Annotated[
        str | None,
        typer.Option(
            help="Only the most central rows of every group: '1%' or a number.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    summary: Annotated[
        int | None,
        typer.Option(help="A summary of so many sentences a group.", rich_help_panel=_WHAT),
    ] = None,
    summary_words: Annotated[
        int | None,
        typer.Option(help="A summary of at most so many words a group.", rich_help_panel=_WHAT),
    ] = None,
    redundancy: Annotated[
        float,
        typer.Option(
            help="Sentences of a summary have no higher cosine than this.", rich_help_panel=_WHAT
        ),
    ] = 0.5,
    min_words: Annotated[
        int,
        typer.Option(
            help="Shorter sentences are not in a summary: headings, fragments.",
            rich_help_panel=_WHAT,
        ),
    ] = 1,
    language: Annotated[
        str | None,
        typer.Option(
            help="Splits documents into sentences by its rules; default: a plain rule.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    split: Annotated[
        bool,
        typer.Option(help="--no-split: every row is a sentence.", rich_help_panel=_WHAT),
    ] = True,
    score_column: Annotated[
        str, typer.Option(help="Column of scores in the output.", rich_help_panel=_WHAT)
    ] = "lexrank",
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Neighbours have a higher cosine; 0: all, weighted by it. "
            f"Default: 0, for summaries {DEFAULT_THRESHOLD}.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    damping: Annotated[
        float, typer.Option(help="1 less the probability of a jump.", rich_help_panel=_HOW)
    ] = 0.85,
    tolerance: Annotated[
        float,
        typer.Option(help="Ends when a step changes less than this.", rich_help_panel=_HOW),
    ] = 1e-6,
    idf: Annotated[
        str,
        typer.Option(
            help="'corpus', 'group', or a file from Idf.save: what rare terms are rare in.",
            rich_help_panel=_HOW,
        ),
    ] = "corpus",
    stopwords: Annotated[
        str | None, typer.Option(help="'en': without stop words.", rich_help_panel=_HOW)
    ] = None,
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
    budget = _budget(summary, summary_words, redundancy, min_words, top)
    if threshold is None:
        threshold = 0.0 if budget is None else DEFAULT_THRESHOLD
    settings = LexRankSettings(threshold or None, damping, tolerance)
    wanted = None if top is None else Top.parse(top)
    stopwords_of(stopwords)
    loaded = None if idf in ("corpus", "group") else Idf.load(idf)
    used = thread_count(given.get("threads"))
    folder = location_of(out)
    check_output_folder(folder, overwrite=overwrite, resuming=False)
    check_writable(folder)
    read, watch = open_corpus(
        tuple(raw),
        text=reading.text,
        group_by=group_by,
        on_error=reading.on_error,
        reporter=reporter(not quiet),
    )
    inputs = [shard.name for shard in read.texts.shards]
    if idf == "corpus" and group_by is not None:
        with watch.reading("idf", read.texts):
            fitted = Idf(stopwords=stopwords).fit(read.texts, threads=used)
        loaded = fitted if fitted.documents else None
    ranking = CorpusRanking(read, watch, group_by is not None, settings, loaded, stopwords, used)
    if overwrite:
        clear_output_folder(folder)
    description = {
        "settings": {
            "text": reading.text,
            "group_by": group_by,
            "top": top,
            "summary": summary,
            "summary_words": summary_words,
            "redundancy": redundancy,
            "min_words": min_words,
            "language": language,
            "split": split,
            "threshold": settings.threshold,
            "damping": damping,
            "tolerance": tolerance,
            "idf": idf,
            "stopwords": stopwords,
            "on_error": reading.on_error,
        },
        "inputs": inputs,
    }
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
            ranking, folder, top=wanted, score_column=score_column, description=description
        )
    _say(done, out, as_json=as_json, quiet=quiet, summaries=budget is not None)


def _budget(
    summary: int | None,
    summary_words: int | None,
    redundancy: float,
    min_words: int,
    top: str | None,
) -> SummaryBudget | None:
    if summary is None and summary_words is None:
        return None
    if summary is not None and summary_words is not None:
        raise SettingError("give --summary or --summary-words, not both")
    if top is not None:
        raise SettingError("give --top or a summary, not both")
    if summary is not None:
        whole_number("summary", summary, 1)
    else:
        whole_number("summary_words", summary_words, 1)
    return SummaryBudget(summary, summary_words, redundancy, min_words)


def _say(done: Ranked, out: str, *, as_json: bool, quiet: bool, summaries: bool) -> None:
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
        what = "sentences" if summaries else "rows"
        typer.echo(
            f"{out}: {done.written:,} {what} of {done.rows:,} rows in {done.groups:,} "
            f"group{'' if done.groups == 1 else 's'}"
        )
        if done.skipped:
            rows = sum(one.row is not None for one in done.skipped)
            typer.echo(
                f"skipped: {rows:,} rows, {len(done.skipped) - rows:,} files; "
                f"listed in {location_of(out) / RANKING_FILE}"
            )
