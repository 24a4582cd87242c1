"""LexRank over a corpus: writes a score for every row, or the most central rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.arguments.values import amount, is_percent, share, shown
from dsir.corpus import Corpus, OnError, Paths, Shard, resolve
from dsir.corpus.skipped import Skipped
from dsir.corpus.text_column import column_given_by
from dsir.errors import EmptyCorpusError, SettingError, ShardError
from dsir.lexrank.doubtful import GroupWarnings, warn_of_flat
from dsir.lexrank.graph_file import GraphFile
from dsir.lexrank.groups import Group, Grouping, groups_of, read_grouping
from dsir.lexrank.idf import Idf
from dsir.lexrank.key_shards import keys_of
from dsir.lexrank.rank import Centrality, LexRankSettings, rank_units
from dsir.lexrank.readable_shards import Readable, Watch, readable
from dsir.lexrank.stopwords import Stopwords
from dsir.lexrank.terms import count_terms
from dsir.lexrank.units import Units, units_of, weighed_terms
from dsir.model.language_column import LanguageColumn, with_languages
from dsir.output import AddedColumns, open_writer
from dsir.output.dataset_note import write_dataset_note
from dsir.output.folder import RANKING_FILE, make_output_folder, part_stem
from dsir.output.shared_schema import shared_schemas
from dsir.progress import Reporter
from dsir.remote import Location, within
from dsir.storage.atomic import write_json


@dataclass(frozen=True, slots=True)
class CorpusRanking:
    """What to rank, and how.

    Attributes:
        read: the corpus.
        watch: shows the progress of reading it.
        grouped: whether rows are ranked within their group.
        settings: the settings of LexRank.
        idf: an idf fitted elsewhere; None to compute it from the rows that are ranked together.
        stopwords: terms to leave out.
        threads: how many threads to use.
    """

    read: Readable
    watch: Watch
    grouped: bool
    settings: LexRankSettings
    idf: Idf | None
    stopwords: Stopwords
    threads: int

    def units(self, texts: Any) -> Units:
        """Return the vectors of texts."""
        return units_of(texts, idf=self.idf, stopwords=self.stopwords, threads=self.threads)

    def ranked(self, units: Units, *, cosines: bool) -> Centrality:
        """Return the scores of units; see `rank_units`."""
        return rank_units(units, self.settings, cosines=cosines, threads=self.threads)

    def grouping(self) -> Grouping:
        """Return the group of every row."""
        assert self.read.keys is not None
        with self.watch.reading("groups", self.read.keys), column_given_by("group_by"):
            return read_grouping(self.read.keys, self.read.bad_rows)

    def groups(self, grouping: Grouping, scratch: Location) -> Iterator[Group]:
        """Give the groups of the corpus; a group counts as done when the next one is asked for."""
        with self.watch.reading("sort", self.read.texts):
            groups = groups_of(self.read.texts, grouping, scratch)
            first = next(groups, None)
        with self.watch.reporter.stage("rank", len(grouping.keys), "groups") as advance:
            group = first
            while group is not None:
                yield group
                advance(1)
                group = next(groups, None)


def open_corpus(
    paths: Paths,
    *,
    text: str,
    group_by: str | None,
    encoding: str | None = None,
    language: LanguageColumn | None = None,
    on_error: OnError,
    reporter: Reporter,
) -> tuple[Readable, Watch]:
    """Resolve the paths of a corpus; with on_error="skip" also find the rows that can be read.

    Args:
        paths: files, patterns or folders.
        text: the text column.
        group_by: the group column, of strings, numbers, dates, times, or true and false; None for
            no groups.
        encoding: the encoding of text columns of bytes; None if these are no texts.
        language: the column of languages that the corpus gets; None for none.
        on_error: "raise" or "skip".
        reporter: shows the stages.

    Raises:
        InputError: there is nothing to read.
    """
    watch = Watch(reporter)

    def opened(column: str) -> Corpus:
        return resolve(paths, text=column, name="raw", encoding=encoding, on_error=on_error)

    texts = with_languages(opened(text), language)
    keys = None if group_by is None else keys_of(texts, opened(group_by), group_by)
    if on_error == "raise":
        _check_columns(texts)
        if keys is not None:
            with column_given_by("group_by"):
                _check_columns(keys)
        return readable(texts, keys, on_error, watch), watch
    with watch.reading("check", texts):
        return readable(texts, keys, on_error, watch), watch


def _check_columns(corpus: Corpus) -> None:
    for shard in corpus.shards:
        if (schema := shard.schema()) is not None:
            shard.text_column(schema)


@dataclass(frozen=True, slots=True)
class Top:
    """How many of the most central rows to keep in every group: a number or a share.

    Attributes:
        share: 0 to 1; None if `count` is given.
        count: a number of rows; None if `share` is given.
    """

    share: float | None
    count: int | None

    @classmethod
    def parse(cls, top: str) -> Top:
        """Read a share such as "1%" or a number such as "100".

        Raises:
            SettingError: the text is neither.
        """
        try:
            if is_percent(top):
                return cls(share("top", top, above=0), None)
            return cls(None, amount("top", top, 1))
        except SettingError:
            raise SettingError(
                f"top={shown(top)}: expected a share such as '1%' or a number of rows"
            ) from None

    def of(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return the positions of the rows to keep, ascending; rows with score 0 are never kept."""
        eligible = int(np.count_nonzero(scores > 0))
        if self.share is not None:
            wanted = math.ceil(self.share * eligible)
        else:
            wanted = min(eligible, self.count or 0)
        return np.sort(np.argsort(-scores, kind="stable")[:wanted])


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a run did: rows read and written, groups, files with rows, and what was skipped.

    Attributes:
        summaries: the group and text of each summary, if they were asked for.
    """

    rows: int
    written: int
    groups: int
    paths: list[Location]
    skipped: list[Skipped]
    summaries: list[tuple[str | None, str]] = field(default_factory=list)


def rank_corpus(
    ranking: CorpusRanking,
    out: Location,
    *,
    top: Top | None,
    added: AddedColumns,
    graph: GraphFile | None = None,
    description: Any,
) -> Ranked:
    """Write the rows of a corpus with their scores: all rows or the most central ones.

    The rows keep their order and format; input shard i becomes output file i. Skipped rows are not
    written. Memory holds 12 bytes for each row, and the vectors of one group.

    Args:
        ranking: what to rank.
        out: an empty or new folder.
        top: how many rows to write; None for all.
        added: the score column.
        graph: gets the similarity graph; None for none. The settings must have a threshold.
        description: goes into ranking.json.

    Raises:
        InputError: the corpus cannot be read.
        OutputError: the rows cannot be written.
    """
    corpus = ranking.read.texts
    for shard in corpus.shards:
        added.refuse_taken_names(shard.schema())
    make_output_folder(out)
    scores, kept, groups = _scores(ranking, out, top, graph)
    paths = []
    corpus_row = 0
    written = 0
    total = len(scores) if kept is None else len(kept)
    schemas = _schemas(corpus.shards)
    with ranking.watch.reporter.stage("write", total, "rows") as advance:
        for number, shard in enumerate(corpus.shards):
            last_row = corpus_row + _row_count(shard)
            if last_row > len(scores):
                raise _changed(shard)
            if kept is None:
                rows = np.arange(corpus_row, last_row, dtype=np.int64)
                rows = np.delete(rows, ranking.read.bad_rows[number])
            else:
                rows = kept[np.searchsorted(kept, corpus_row) : np.searchsorted(kept, last_row)]
            if len(rows):
                stem = part_stem(out, number)
                with open_writer(shard.kind, stem, schema=schemas[number], added=added) as writer:
                    for taken in shard.take(rows - corpus_row):
                        global_rows = taken.rows + corpus_row
                        values = added.values(scores[global_rows], None)
                        writer.write(taken, values, global_rows)
                    paths.append(writer.close()[0])
                written += len(rows)
            advance(len(rows))
            corpus_row = last_row
    done = Ranked(len(scores), written, groups, paths, ranking.read.skipped)
    write_ranking_file(out, description, done)
    return done


def _scores(
    ranking: CorpusRanking, scratch: Location, top: Top | None, graph: GraphFile | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64] | None, int]:
    """Return the scores, the numbers of the rows to write (None for all), and how many groups."""
    if not ranking.grouped:
        with ranking.watch.reading("count", ranking.read.texts):
            counter = count_terms(
                ranking.read.texts,
                text="",
                name="raw",
                stopwords=ranking.stopwords,
                punctuation=False,
                keep_rows=True,
                threads=ranking.threads,
            )
        if counter.units == 0:
            raise EmptyCorpusError("raw: has no rows", path="raw")
        with ranking.watch.reporter.stage("rank", counter.units, "rows"):
            units = weighed_terms(counter, ranking.idf, threads=ranking.threads)
            ranked = ranking.ranked(units, cosines=graph is not None)
        scores = ranked.scores
        if graph is not None and ranked.graph is not None:
            rows = np.arange(len(scores), dtype=np.int64)
            graph.add(rows, ranked.graph, scores, left_out=_bad_rows(ranking.read))
        warn_of_flat(scores, ranked.has_edges, ranking.settings.threshold)
        return scores, None if top is None else top.of(scores), 1
    grouping = ranking.grouping()
    scores = np.zeros(len(grouping.codes))
    kept = []
    said = GroupWarnings()
    for group in ranking.groups(grouping, scratch):
        with said.group():
            units = ranking.units(group.texts)
            ranked = ranking.ranked(units, cosines=graph is not None)
            within = ranked.scores
            if graph is not None and ranked.graph is not None:
                graph.add(group.rows, ranked.graph, within, group.key)
            warn_of_flat(within, ranked.has_edges, ranking.settings.threshold)
        scores[group.rows] = within
        if top is not None:
            kept.append(group.rows[top.of(within)])
    said.say()
    groups = len(grouping.keys)
    if top is None:
        return scores, None, groups
    return scores, np.sort(np.concatenate(kept or [np.zeros(0, np.int64)])), groups


def _bad_rows(read: Readable) -> npt.NDArray[np.int64]:
    """Return the numbers in the corpus of the rows that could not be read, ascending."""
    found, first = [np.zeros(0, np.int64)], 0
    if any(map(len, read.bad_rows)):
        for shard, bad in zip(read.texts.shards, read.bad_rows, strict=True):
            found.append(bad + first)
            first += _row_count(shard)
    return np.concatenate(found)


def _row_count(shard: Shard) -> int:
    known = shard.rows_in_metadata()
    if known is not None:
        return known
    return sum(len(batch.text) for batch in shard.text_batches(on_error="raise"))


def _schemas(shards: Sequence[Shard]) -> list[pa.Schema | None]:
    """Return the schema of each output file: one for all, if there is such; None for lines."""
    own = [shard.schema() for shard in shards]
    tables = [
        (shard.kind, schema, shard.name)
        for shard, schema in zip(shards, own, strict=True)
        if schema is not None
    ]
    shared = iter(shared_schemas(tables))
    return [None if schema is None else next(shared) for schema in own]


def _changed(shard: Shard) -> ShardError:
    return ShardError(f"{shard.name}: changed while the run was going on", path=shard.name)


def write_ranking_file(out: Location, description: Any, done: Ranked) -> None:
    """Write what a run did beside its rows, last."""
    accounts = {
        "rows": done.rows,
        "bad": sum(one.row is not None for one in done.skipped),
        "written": done.written,
        "groups": done.groups,
    }
    skipped = [one.to_json() for one in done.skipped]
    outputs = [within(path, out) for path in done.paths]
    content = {**description, "accounts": accounts, "skipped": skipped, "outputs": outputs}
    write_dataset_note(out)
    write_json(out / RANKING_FILE, content)
