"""The contaminated rows of a shard, and the file beside its scores that lists them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from dsir.corpus import TextBatch
from dsir.model.row_filters import Match
from dsir.storage.place import Place

_SUFFIX = ".contaminated"


@dataclass(frozen=True, slots=True)
class Contaminated:
    """A row that shares n-grams with the texts of a decontamination.

    Attributes:
        row: its 0-based number among the rows that the shard reads; of a window, the number of its
            document.
        start: where the window begins in its document, in bytes; None for a whole document.
        ngrams: how many different n-grams it shares; counted up to 100, or as many as make a row
            contaminated, if that is more.
        text: number of the text that has the first of them.
    """

    row: int
    start: int | None
    ngrams: int
    text: int


def contaminated_rows(batch: TextBatch, matches: Iterable[Match]) -> Iterator[Contaminated]:
    """Give the rows of matches in a batch."""
    for at, ngrams, text in matches:
        if batch.origin is None:
            yield Contaminated(batch.unit_row + at, None, ngrams, text)
        else:
            row, start = int(batch.origin.row[at]), int(batch.origin.start[at])
            yield Contaminated(row, start, ngrams, text)


def write_contaminated(place: Place, rows: Sequence[Contaminated]) -> None:
    """Write the contaminated rows of a shard beside its scores."""
    with place.file(_SUFFIX) as file:
        for row in rows:
            file.write(json.dumps(asdict(row)).encode() + b"\n")


def read_contaminated(place: Place) -> list[Contaminated]:
    """Read the contaminated rows of a shard, as `write_contaminated` stored them.

    Raises:
        WorkdirError: the file is missing or damaged.
    """
    path = place.fetched(_SUFFIX)
    try:
        found = [Contaminated(**json.loads(line)) for line in path.read_bytes().splitlines()]
    except (OSError, TypeError, ValueError) as error:
        raise place.damaged(path, str(error)) from error
    return found
