"""The list of contaminated rows of a run: which rows, and which text each shares n-grams with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from dsir.corpus import Shard
from dsir.errors import InputError, StoreError
from dsir.model.decontamination import Decontamination
from dsir.output.contaminated import write_contaminated_rows
from dsir.output.writer import FileAccount
from dsir.remote import Location
from dsir.stages.contaminated import read_contaminated
from dsir.stages.shard_scores import ShardScores


@dataclass(frozen=True, slots=True)
class ContaminatedRow:
    """A line of `_dsir/contaminated.jsonl`.

    Attributes:
        shard: the file of raw, or the table in memory.
        row: the row in it; None if the rows before its unit cannot be counted.
        start: where a window begins in its document, in bytes; None for a whole document.
        ngrams: how many different n-grams it shares, as in `Contaminated`.
        text_file: the file that has the text with the first of them.
        text_row: the row of the text in this file.
    """

    shard: str
    row: int | None
    start: int | None
    ngrams: int
    text_file: str
    text_row: int


def contaminated_in_files(
    units: Sequence[Shard], scores: Sequence[ShardScores], texts: Decontamination
) -> Iterator[ContaminatedRow]:
    """Give all contaminated rows, unit by unit, with row numbers of files.

    Args:
        units: the units, `placed`.
        scores: their scores.
        texts: what the rows were compared with.

    Raises:
        WorkdirError: a file of rows is missing or damaged.
    """
    for unit, one in zip(units, scores, strict=True):
        if any(entry.row is None for entry in one.skipped):
            continue  # It could not be read, so it has no rows.
        rows = one.contaminated if one.place is None else read_contaminated(one.place)
        if not rows:
            continue
        before = _rows_before(unit)
        for row in rows:
            number = None if before is None else before + row.row
            place = texts.place_of(row.text)
            yield ContaminatedRow(unit.name, number, row.start, row.ngrams, *place)


def _rows_before(unit: Shard) -> int | None:
    try:
        return 0 if unit.part is None else unit.rows_before()
    except StoreError:
        raise
    except InputError:  # The rows before the unit cannot be read, so they cannot be counted.
        return None


def write_contaminated_list(
    folder: Location,
    units: Sequence[Shard],
    scores: Sequence[ShardScores],
    texts: Decontamination | None,
) -> list[FileAccount]:
    """Write `_dsir/contaminated.jsonl` into an output folder, if there is a contaminated row.

    Args:
        folder: the folder.
        units: the units, `placed`.
        scores: their scores.
        texts: what the rows were compared with; None if they were not.

    Returns:
        The account of the file; empty without a file.

    Raises:
        OutputError: the file cannot be written.
    """
    if texts is None:
        return []
    found = contaminated_in_files(units, scores, texts)
    return write_contaminated_rows(folder, map(asdict, found))
