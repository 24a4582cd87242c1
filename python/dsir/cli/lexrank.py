"""dsir lexrank."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import Annotated, Any

import typer

from dsir.arguments.declared import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.piped import piped
from dsir.cli.summary_options import SummaryOptions
from dsir.engine import thread_count
from dsir.errors import SettingError
from dsir.lexrank.corpus import (
    CorpusRanking,
    Ranked,
    Top,
    open_corpus,
    rank_corpus,
)
from dsir.lexrank.corpus_summaries import summarize_corpus
from dsir.lexrank.cutting import Cutting
from dsir.lexrank.graph_file import check_graph_file, graph_file
from dsir.lexrank.idf import Idf, stopwords_beside
from dsir.lexrank.rank import LexRankSettings
from dsir.lexrank.readable_shards import Readable, Watch
from dsir.lexrank.sentences import check_language
from dsir.lexrank.stopwords import Stopwords, stopwords_of
from dsir.output import AddedColumns
from dsir.output.claim import claimed
from dsir.output.folder import (
    RANKING_FILE,
    check_output_folder,
)
from dsir.plural import counted
from dsir.progress import reporter
from dsir.remote import location_of
from dsir.settings.language import LanguageSettings
from dsir.settings.machine import MachineOptions
from dsir.settings.reading import ReadSettings

_WHAT = "What to write"
_HOW = "Centrality"
_SCORE_COLUMN = "lexrank"
# Values of --idf that name no file.
_FITTED_IDFS = ("corpus", "group")

_SHARED = arguments_of(ReadSettings, MachineOptions)
_ON_ERROR = dataclasses.replace(
    _SHARED["on_error"],
    help="What to do with rows and files that cannot be read: 'raise' stops the run; 'skip' passes "
    f"them over and lists them in {RANKING_FILE} of the output.",
)

OutOption = Annotated[
    str,
    typer.Option("--out", "-o", metavar="PATH", help="Folder for the result, e.g. ranked/."),
]
GroupByOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Rank or summarize the rows of each value of this column separately, e.g. topic: a "
        "column of strings, numbers, dates, times, or true and false. By default all rows are "
        "ranked together.",
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
ScoreColumnOption = Annotated[
    str,
    typer.Option(
        metavar="COLUMN",
        help="Name of the column of scores in the output, e.g. centrality.",
        rich_help_panel=_WHAT,
    ),
]
ScoreInLinesOption = Annotated[
    bool,
    typer.Option(
        "--score-in-lines",
        metavar="",
        help="Write scores into lines of JSON as a field, too. By default lines keep their bytes, "
        "and their scores are in a file beside them.",
        rich_help_panel=_WHAT,
    ),
]
GraphOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Write the graph of similar rows, too: nodes with their scores as GraphML, e.g. "
        "graph.graphml, or edges as an Arrow table, e.g. edges.arrow. Needs --threshold.",
        rich_help_panel=_WHAT,
    ),
]
ShowOption = Annotated[
    bool,
    typer.Option(
        "--show",
        metavar="",
        help="Print the summaries as well; with --json they are in the result.",
        rich_help_panel="Summaries",
    ),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        help="Two texts are neighbours if their cosine is above this, e.g. 0.1; 0 makes all texts "
        "neighbours, weighted by their cosine. [default: 0]",
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
        metavar="CODE",
        help="Leave out the stop words of this language, e.g. en. By default no word is left out.",
        rich_help_panel=_HOW,
    ),
]


@command(
    {
        **{name: _SHARED[name] for name in ("text", "text_encoding", "threads")},
        "on_error": _ON_ERROR,
        **arguments_of(LanguageSettings, SummaryOptions),
    }
)
def lexrank(
    raw: options.Raw,
    out: OutOption,
    group_by: GroupByOption = None,
    top: TopOption = None,
    score_column: ScoreColumnOption = _SCORE_COLUMN,
    score_in_lines: ScoreInLinesOption = False,
    graph: GraphOption = None,
    show: ShowOption = False,
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
    reading, languages = ReadSettings.of(given), LanguageSettings.of(given)
    wanted = None if top is None else Top.parse(top)
    summaries = SummaryOptions.of(given, top=top)
    if show and summaries is None:
        raise SettingError("show: is for summaries; give the length of one too, e.g. --summary 5")
    for name, was_given in (
        ("score_in_lines", score_in_lines),
        ("score_column", score_column != _SCORE_COLUMN),
        ("graph", graph is not None),
    ):
        if was_given and summaries is not None:
            raise SettingError(f"{name}: is for rows, and not for a summary; leave it out")
    if graph is not None and not threshold:
        raise SettingError(
            "graph: without a threshold every two rows that share a term have an edge; give one "
            "too, e.g. --threshold 0.1"
        )
    graph_path = None if graph is None else check_graph_file(graph)
    settings = LexRankSettings(threshold or None, damping, tolerance)
    stopwords_of(stopwords)
    check_language(None if summaries is None else summaries.language)
    loaded = None if idf in _FITTED_IDFS else Idf.load(idf)
    left_out = stopwords_beside(loaded, stopwords)
    threads = thread_count(given.get("threads"))
    summarizer = (
        None if summaries is None else summaries.summarizer(settings, loaded, left_out, threads)
    )
    folder = location_of(out)
    check_output_folder(folder, overwrite=overwrite, resuming=False)
    with contextlib.ExitStack() as stack:
        inputs, _ = stack.enter_context(piped(raw))
        read, watch = open_corpus(
            inputs,
            text=reading.text,
            group_by=group_by,
            encoding=reading.text_encoding,
            language=languages.column(),
            on_error=reading.on_error,
            reporter=reporter(not quiet),
        )
        # Held before the work: the lock tells whether a store takes files.
        claim = stack.enter_context(claimed(folder))
        description = {
            "settings": {
                **reading.columns(),
                **languages.describe(),
                "group_by": group_by,
                "top": top,
                **({} if summaries is None else summaries.describe()),
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
            cutting = None if summarizer is None else summarizer.cutting
            loaded = _fitted_idf(read, watch, left_out, threads, cutting)
            if summarizer is not None:
                summarizer = dataclasses.replace(summarizer, idf=loaded)
        ranking = CorpusRanking(
            read, watch, group_by is not None, settings, loaded, left_out, threads
        )
        check_output_folder(folder, overwrite=overwrite, resuming=False)
        with claim.unfinished(overwrite=overwrite):
            if summarizer is not None and summaries is not None:
                done = summarize_corpus(
                    ranking,
                    folder,
                    summarizer=summarizer,
                    language=summaries.language,
                    split=summaries.split,
                    description=description,
                    keep_texts=show,
                )
            else:
                opened = None
                if graph_path is not None:
                    opened = stack.enter_context(
                        graph_file(graph_path, groups=group_by is not None)
                    )
                done = rank_corpus(
                    ranking,
                    folder,
                    top=wanted,
                    added=AddedColumns(
                        score_column, arguments=("score_column", ""), in_lines=score_in_lines
                    ),
                    graph=opened,
                    description=description,
                )
    _print(done, out, as_json=as_json, quiet=quiet, summaries=summarizer is not None)


def _fitted_idf(
    read: Readable, watch: Watch, stopwords: Stopwords, threads: int, cutting: Cutting | None
) -> Idf | None:
    """Return the idf of the whole corpus, cut as summaries are; None if no document has a term."""
    cut = cutting or Cutting()
    with watch.reading("idf", read.texts):
        fitted = Idf(
            stopwords=stopwords, tokenizer=cut.tokenizer, stems=cut.stems, ngram=cut.ngram
        ).fit(read.texts, threads=threads)
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
        if done.summaries:
            found["summaries"] = [{"group": group, "text": text} for group, text in done.summaries]
        typer.echo(json.dumps(found, indent=2))
        return
    for group, text in done.summaries:
        typer.echo(text if group is None else f"{group}: {text}")
    if not quiet:
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
