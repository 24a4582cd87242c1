"""A selection and its page, read back as a person's browser reads it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import dsir

GIVEN: dict[str, Any] = {"n": 60, "min_tokens": 20, "progress": False}
_VOID = {"meta", "br", "hr", "link", "img", "input"}


class Page(HTMLParser):
    """A page: its elements, and the text in each."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self._open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self._open), data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, *inside: str) -> str:
        """The text in elements of these kinds; all of the page's without one."""
        return "".join(
            data
            for path, data in self.texts
            if not {"script", "style"} & {*path} and all(one in path for one in inside)
        )


@pytest.fixture(scope="session")
def read_page() -> Callable[[Path], Page]:
    """A function that reads a page."""
    return lambda path: Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def page_of() -> Callable[..., Page]:
    """A function that writes the page of a folder and reads it."""
    from dsir.report.write import write_report

    def page_of(folder: Path, **given: Any) -> Page:
        path = write_report(folder, folder.with_name(f"{folder.name}-page.html"), **given)
        return Page(path.read_text(encoding="utf-8"))

    return page_of


@pytest.fixture(scope="session")
def select_to(parquet: list[Path], target: Path) -> Callable[..., Path]:
    """A function that selects to a folder, from the corpus unless another is given."""

    def select_to(folder: Path, **given: Any) -> Path:
        asked = {"raw": parquet, "target": target, **GIVEN, **given}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dsir.DsirWarning)
            dsir.select(asked.pop("raw"), asked.pop("target"), out=folder, **asked)
        return folder

    return select_to


@pytest.fixture(scope="session")
def selected(select_to: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a selection. Not to be changed."""
    return select_to(tmp_path_factory.mktemp("report") / "selected", dedup="exact")


@pytest.fixture(scope="session")
def page(selected: Path, page_of: Callable[..., Page]) -> Page:
    """Its page."""
    return page_of(selected)
