"""Summaries of a corpus: the chosen sentences of all rows or of each group, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.lexrank.corpus import CorpusRanking, Ranked, write_ranking_file
from dsir.lexrank.doubtful import GroupWarnings
from dsir.lexrank.spooled_sentences import summarize_spooled
from dsir.lexrank.summarize import sentences_in
from dsir.lexrank.summarizer import Summarizer
from dsir.lexrank.summary import Summary
from dsir.output.folder import SUMMARIES_FILE, make_output_folder
from dsir.output.parquet import ParquetTable
from dsir.primitive_arrays import to_arrow
from dsir.remote import Location

_SUMMARY_SCHEMA = pa.schema(
    [
        ("group", pa.string()),
        ("rank", pa.int64()),
        ("sentence", pa.large_string()),
        ("score", pa.float64()),
        ("row", pa.int64()),
        ("position", pa.int64()),
    ]
)


def summarize_corpus(
    ranking: CorpusRanking,
    out: Location,
    *,
    summarizer: Summarizer,
    language: str | None,
    split: bool,
    description: Any,
    keep_texts: bool = False,
) -> Ranked:
    """Write data/summaries.parquet: the chosen sentences of every group, in the order of the rows.

    Columns: `group`; `rank`, 0 for the sentence chosen first; `sentence`; `score`; `row`, the
    global row number of the sentence's document; `position`, the sentence's place in the document.

    Args:
        ranking: what to summarize.
        out: an empty or new folder.
        summarizer: how to summarize.
        language: how to split into sentences, see `sentences`.
        split: False if each row is already one sentence.
        description: goes into ranking.json.
        keep_texts: return the texts of the summaries as well.

    Raises:
        InputError: the corpus cannot be read.
        OutputError: the summaries cannot be written.
    """
    make_output_folder(out)
    table = ParquetTable(out / SUMMARIES_FILE, _SUMMARY_SCHEMA)
    # Rows that could not be read are in no group.
    rows = sum(map(len, ranking.read.bad_rows)) if ranking.grouped else 0
    groups = written = 0
    texts: list[tuple[str | None, str]] = []
    try:
        for key, documents, summary in _summaries(ranking, out, summarizer, language, split):
            rows += len(documents)
            groups += 1
            written += len(summary)
            if keep_texts:
                texts.append((key, summary.text))
            table.write(
                [
                    pa.array([key] * len(summary), pa.string()),
                    to_arrow(summary.ranks),
                    pa.array(summary.sentences, pa.large_string()),
                    to_arrow(summary.scores),
                    to_arrow(documents[summary.documents]),
                    to_arrow(summary.positions),
                ]
            )
        table.finish()
        path = table.commit()
    except BaseException:
        table.discard()
        raise
    done = Ranked(rows, written, groups, [path], ranking.read.skipped, texts)
    write_ranking_file(out, description, done)
    return done


def _summaries(
    ranking: CorpusRanking,
    scratch: Location,
    summarizer: Summarizer,
    language: str | None,
    split: bool,
) -> Iterator[tuple[str | None, npt.NDArray[np.int64], Summary]]:
    """Give each group's key, the rows of its documents, and its summary."""
    if not ranking.grouped:

        def ranks(sentences: int) -> Any:
            return ranking.watch.reporter.stage("rank", sentences, "sentences")

        with ranking.watch.reading("split", ranking.read.texts):
            summary, documents = summarize_spooled(
                ranking.read.texts,
                scratch,
                summarizer=summarizer,
                language=language,
                split=split,
                ranking=ranks,
            )
        yield None, np.arange(documents, dtype=np.int64), summary
        return
    said = GroupWarnings()
    for group in ranking.groups(ranking.grouping(), scratch):
        with said.group():
            sentences, offsets = sentences_in(group.texts, language=language, split=split)
            units = summarizer.units(sentences)
            summary = summarizer.summary(sentences, offsets, units)
        yield group.key, group.rows, summary
    said.say()
