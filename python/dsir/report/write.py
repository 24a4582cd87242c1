"""Writes the page of a finished folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dsir.arguments.values import flag
from dsir.output.folder import COMPARISON_FILE, INSTANCES_FILE, RANKING_FILE, REPORT_FILE
from dsir.output.writer import writing
from dsir.remote import Location, RemotePath, location_of
from dsir.report.compare_page import compare_page
from dsir.report.comparison import comparison_content
from dsir.report.gather import SelectionGathering, selection_facts
from dsir.report.instances import instances_facts
from dsir.report.instances_page import instances_page
from dsir.report.marking import SHOWN_CHARACTERS
from dsir.report.markup import Markup
from dsir.report.ranking import ranking_facts
from dsir.report.ranking_page import ranking_page
from dsir.report.select_page import select_page
from dsir.report.source import SelectionSource
from dsir.storage.atomic import atomic_file, refuse_special

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
        folder: the folder of a selection, of a ranking or summaries by LexRank, of the rows that
            GAIS kept, or of a comparison; also by URL.
        out: the file to write; None for `_dsir/report.html` in the folder.
        quick: read no inputs: raw, the target and near misses are then not on the page.

    Returns:
        The file.

    Raises:
        SettingError: `folder` or `out` is no path or URL, or `quick` is neither True nor False.
        OutputError: there is no such folder, one of its files is damaged, or the page cannot be
            written.
        InputError: the rows of the selection cannot be read.
        StoreError: a store does not answer.
    """
    flag("quick", quick)
    place = location_of(folder)
    path = page_file(place / REPORT_FILE if out is None else out)
    write_page(path, _page_of(place, quick))
    return path


def write_page_of(
    selection: SelectionSource, out: str | Path | RemotePath, *, quick: bool = False
) -> Location:
    """Write the page of an opened selection; see `write_report`.

    Args:
        selection: the selection, in a folder or in memory.
        out: the file to write.
        quick: read no inputs.

    Raises:
        OutputError, InputError, StoreError: see `write_report`.
    """
    flag("quick", quick)
    path = page_file(out)
    facts = SelectionGathering(selection, quick=quick).facts()
    write_page(path, lambda characters: select_page(facts, sample_characters=characters))
    return path


def page_file(path: str | Path | RemotePath) -> Location:
    """Return where a page is to be written; call it before the work that the page takes.

    Raises:
        OutputError: there is a folder of this name, or what is no regular file.
    """
    place = location_of(path)
    with writing(place):
        refuse_special(place)
    return place


def write_page(
    path: Location, page_of: Callable[[int], Markup], characters: int = SHOWN_CHARACTERS
) -> None:
    """Write a page; one that would be too large shows less of each text.

    Args:
        path: the file.
        page_of: makes the page, given how many characters of a text to show.
        characters: how many to show if the page does not become too large.

    Raises:
        OutputError: the file cannot be written.
    """
    data = _bytes_of(page_of(characters))
    while len(data) > MOST_BYTES and characters > 20:
        characters //= 2
        data = _bytes_of(page_of(characters))
    with writing(path), atomic_file(path, named=True) as file:
        file.write(data)


def _page_of(folder: Location, quick: bool) -> Callable[[int], Markup]:
    """Collect the facts of a folder; return what makes its page, given how much text to show."""
    if (folder / RANKING_FILE).is_file():
        ranking = ranking_facts(folder)
        return lambda characters: ranking_page(ranking, sample_characters=characters)
    if (folder / INSTANCES_FILE).is_file():
        instances = instances_facts(folder)
        return lambda _: instances_page(instances)
    if (folder / COMPARISON_FILE).is_file():
        content = comparison_content(folder)
        return lambda _: compare_page(content)
    selection = selection_facts(folder, quick=quick)
    return lambda characters: select_page(selection, sample_characters=characters)


def _bytes_of(page: Markup) -> bytes:
    return page.encode("utf-8", "backslashreplace")
