"""The facts of a folder of `dsir lexrank`: scores of rows, or summaries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dsir.corpus.files import open_file
from dsir.errors import InputError, OutputError
from dsir.output.folder import RANKING_FILE, SUMMARIES_FILE, WEIGHTS_FOLDER, beside
from dsir.output.side_table import read_side_table, unreadable_output
from dsir.remote import Location
from dsir.remote.read_errors import translated
from dsir.remote.reading import open_bytes, open_source
from dsir.report.distributions import histogram
from dsir.report.facts import Histogram

EACH = 6
_MOST_GROUPS = 20
_MOST_SENTENCES = 10
_LONGEST_TEXT = 1 << 20


class RankedText(NamedTuple):
    """A row with its score.

    Attributes:
        group: which sample it belongs to: "highest", "middle" or "lowest".
        score: its score; where there is one ranking, times the number of rows, so that 1 is
            average.
        where: where the row is.
        text: its text; the caller cuts it.
    """

    group: str
    score: float
    where: str
    text: str


class Sentence(NamedTuple):
    """A sentence of a summary."""

    text: str
    rank: int
    row: int
    score: float


@dataclass(slots=True)
class RankingFacts:
    """What is known of a ranking.

    Attributes:
        name: name of the folder.
        folder: the folder as it was given.
        content: the content of its ranking.json.
        scores: the distribution of scores; None for summaries.
        relative: whether scores are multiplied by the number of rows.
        texts: rows to look at.
        summaries: the first summaries, by group; None is the group of all rows.
        groups: how many groups have a summary.
    """

    name: str
    folder: str
    content: Mapping[str, Any]
    scores: Histogram | None = None
    relative: bool = False
    texts: list[RankedText] = field(default_factory=list)
    summaries: dict[str | None, list[Sentence]] = field(default_factory=dict)
    groups: int = 0

    @property
    def inputs(self) -> list[Any]:
        """The inputs, as the run described them."""
        found = self.content.get("inputs")
        return found if isinstance(found, list) else []


def ranking_facts(folder: Location) -> RankingFacts:
    """Return the facts of a ranking.

    Raises:
        OutputError: there is no ranking, or a file of it is missing or damaged.
        StoreError: a store does not answer.
    """
    content = described_run(folder, RANKING_FILE)
    facts = RankingFacts(folder.name or str(folder), str(folder), content)
    outputs = content["outputs"]
    if outputs == [SUMMARIES_FILE]:
        _read_summaries(folder, facts)
        return facts
    whole = content["settings"].get("group_by") is None
    facts.relative = whole
    scale = float(content["accounts"]["rows"]) if whole else 1.0
    parts = [folder / name for name in outputs]

    def scores() -> Iterator[npt.NDArray[np.float64]]:
        for part in parts:
            for run in _scores_of(part):
                yield run * scale

    facts.scores = histogram({"rows": scores})
    facts.texts = _texts(parts, scale, content["settings"])
    return facts


def described_run(folder: Location, name: str) -> Mapping[str, Any]:
    """Return the JSON object that describes a run of `dsir lexrank` or `dsir gais`.

    Raises:
        OutputError: it is missing, or is not one.
    """
    path = folder / name
    with translated(lambda error: unreadable_output(path, error)), open_bytes(path) as file:
        try:
            content = json.loads(file.read())
        except (ValueError, RecursionError) as error:
            raise OutputError(f"{path}: is not JSON: {error}") from error
    outputs = content.get("outputs") if isinstance(content, dict) else None
    accounts = content.get("accounts") if isinstance(content, dict) else None
    if (
        not isinstance(outputs, list)
        or not all(_is_inside(one) for one in outputs)
        or not isinstance(content.get("settings"), dict)
        or not isinstance(accounts, dict)
        or not all(isinstance(accounts.get(key), int) for key in ("rows", "written"))
    ):
        raise OutputError(f"{path}: does not describe a run")
    found: Mapping[str, Any] = content
    return found


def table_batches(path: Location, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet or Arrow file, in bounded batches.

    Args:
        path: the file.
        columns: the columns to read; None for the last one, which is the one that dsir added.

    Raises:
        OutputError: the file is missing or damaged.
    """
    import pyarrow.parquet as pq  # Here: long to import.

    with translated(lambda error: unreadable_output(path, error)), open_source(path) as source:
        if path.name.endswith(".parquet"):
            file = pq.ParquetFile(source)
            names = columns or [file.schema_arrow.names[-1]]
            yield from file.iter_batches(columns=names)
            return
        with pa.ipc.open_file(source) as reader:
            names = columns or [reader.schema.names[-1]]
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number).select(names)


def _is_inside(name: object) -> bool:
    return isinstance(name, str) and name.startswith("data/") and ".." not in name


def _scores_of(part: Location) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the scores of the rows of a part."""
    if part.name.endswith(".jsonl"):
        stem = part.with_name(PurePosixPath(part.name).stem)
        batches = (one.select([1]) for one in read_side_table(beside(stem, WEIGHTS_FOLDER)))
    else:
        batches = (one for one in table_batches(part))
    for batch in batches:
        if not pa.types.is_float64(batch.column(0).type):
            raise OutputError(f"{part}: its last column has no scores")
        yield batch.column(0).to_numpy(zero_copy_only=False)


def _texts(parts: list[Location], scale: float, settings: Mapping[str, Any]) -> list[RankedText]:
    """Return the rows with the greatest and least scores, and some in the middle."""
    weighed = [np.concatenate([np.zeros(0), *_scores_of(part)]) for part in parts]
    every = np.concatenate([np.zeros(0), *weighed])
    order = np.argsort(-every, kind="stable")
    each = min(EACH, max(1, len(order) // 3))
    first = max(each, len(order) // 2 - each // 2)
    chosen = {
        "highest": order[:each],
        "middle": order[first : first + each],
        "lowest": order[max(first + each, len(order) - each) :],
    }
    ends = np.cumsum([len(one) for one in weighed])
    found = []
    for group, rows in chosen.items():
        for row in rows.tolist():
            part = int(np.searchsorted(ends, row, side="right"))
            at = row - (int(ends[part - 1]) if part else 0)
            text = _text_at(parts[part], at, settings)
            where = f"{parts[part].name}, row {at:,}"
            found.append(RankedText(group, float(every[row]) * scale, where, text))
    return found


def _text_at(part: Location, row: int, settings: Mapping[str, Any]) -> str:
    shard = open_file(part, str(settings.get("text") or "text"), settings.get("text_encoding"))
    try:
        [taken] = shard.take(np.array([row], dtype=np.int64))
    except InputError as error:
        raise OutputError(str(error)) from error
    return str(taken.text[0].as_py() or "")[:_LONGEST_TEXT]


def _read_summaries(folder: Location, facts: RankingFacts) -> None:
    names = ["group", "sentence", "rank", "row", "score"]
    seen: set[str | None] = set()
    for batch in table_batches(folder / SUMMARIES_FILE, names):
        for group, *values in zip(*(batch.column(name).to_pylist() for name in names), strict=True):
            seen.add(group)
            if group not in facts.summaries and len(facts.summaries) >= _MOST_GROUPS:
                continue
            sentences = facts.summaries.setdefault(group, [])
            if len(sentences) < _MOST_SENTENCES:
                sentences.append(Sentence(*values))
    facts.groups = len(seen)
