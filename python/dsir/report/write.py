"""Writes the page of a finished folder."""

from __future__ import annotations

from pathlib import Path

from dsir.output.folder import REPORT_FILE
from dsir.output.writer import writing
from dsir.remote import Location, RemotePath, location_of
from dsir.report.gather import selection_facts
from dsir.report.marking import SHOWN_CHARACTERS
from dsir.report.markup import Markup
from dsir.report.select_page import select_page
from dsir.storage.atomic import atomic_file

MOST_BYTES = 1_000_000


def write_report(
    folder: str | Path | RemotePath,
    out: str | Path | RemotePath | None = None,
    *,
    quick: bool = False,
) -> Location:
    """Write what a finished folder holds as one HTML page.

    The page is a file of at most 1 MB that needs no other. The same folder and inputs give the same
    bytes.

    Args:
        folder: the folder of a selection, also by URL.
        out: the file to write; None for `_dsir/report.html` in the folder.
        quick: read no inputs: raw, the target and near misses are then not on the page.

    Returns:
        The file.

    Raises:
        OutputError: there is no selection, one of its files is damaged, or the page cannot be
            written.
        InputError: the rows of the selection cannot be read.
        StoreError: a store does not answer.
    """
    place = location_of(folder)
    path = place / REPORT_FILE if out is None else location_of(out)
    facts = selection_facts(place, quick=quick)
    characters = SHOWN_CHARACTERS
    data = _bytes_of(select_page(facts, sample_characters=characters))
    while len(data) > MOST_BYTES and characters > 20:
        characters //= 2
        data = _bytes_of(select_page(facts, sample_characters=characters))
    with writing(path), atomic_file(path) as file:
        file.write(data)
    return path


def _bytes_of(page: Markup) -> bytes:
    return page.encode("utf-8", "backslashreplace")
