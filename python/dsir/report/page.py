"""The frame of every page: one file with its style and script, and nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

from dsir.report.markup import Child, Markup, joined, tag
from dsir.version import __version__


class Figure(NamedTuple):
    """One of the main numbers at the head of a page.

    Attributes:
        name: what it is.
        value: the number.
        note: what to compare it with.
    """

    name: str
    value: str
    note: str


class Section(NamedTuple):
    """A section of a page.

    Attributes:
        anchor: its name in links.
        title: its heading.
        about: a sentence or two on how to read it.
        content: what it shows.
    """

    anchor: str
    title: str
    about: str
    content: Markup


def page(
    *, title: str, kind: str, lead: Child, figures: Sequence[Figure], sections: Sequence[Section]
) -> Markup:
    """Return a whole page.

    The policy in its head forbids the browser to load or run anything but the page's own style and
    script, so that a text of the corpus cannot do harm even if it were not escaped.

    Args:
        title: the heading, such as the name of the folder.
        kind: what the page is about, above the heading.
        lead: the main finding, in a sentence.
        figures: the main numbers.
        sections: the rest, in order.
    """
    style, script = resource("style.css"), resource("script.js")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_sha(script)}'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content=f"dsir {__version__}"),
        tag("title", f"{title} · {kind} · dsir"),
        Markup(f"<style>{style}</style>"),
    )
    top = tag(
        "header",
        tag(
            "div",
            tag("p", kind, class_="eyebrow"),
            tag("button", "Dark page", type="button", id="theme", hidden=True),
            class_="row",
        ),
        tag("h1", tag("bdi", title)),
        tag("p", lead, class_="lead"),
        tag("dl", map(_figure, figures), class_="figures"),
        class_="top",
    )
    links = [tag("li", tag("a", one.title, href=f"#{one.anchor}")) for one in sections]
    body = tag(
        "body",
        tag("a", "Skip to the contents of the page", href="#main", class_="skip"),
        top,
        tag("nav", tag("ul", links), aria_label="Sections"),
        tag("main", map(_section, sections), id="main"),
        tag(
            "footer",
            tag("p", f"Made by dsir {__version__}. The page loads nothing from elsewhere."),
        ),
        Markup(f"<script>{script}</script>"),
    )
    return Markup(f'<!doctype html>\n<html lang="en">{head}{body}</html>\n')


def _figure(one: Figure) -> Markup:
    value = tag("span", one.value, class_="figure")
    return tag("div", tag("dt", one.name), tag("dd", value, tag("span", one.note, class_="quiet")))


def _section(one: Section) -> Markup:
    about = tag(
        "div", tag("h2", one.title, id=f"{one.anchor}-heading"), tag("p", one.about), class_="about"
    )
    return tag(
        "section",
        about,
        tag("div", one.content, class_="content"),
        id=one.anchor,
        aria_labelledby=f"{one.anchor}-heading",
    )


def facts_list(facts: Sequence[tuple[str, Child]]) -> Markup:
    """Return names and values."""
    return tag(
        "dl", [joined(tag("dt", name), tag("dd", value)) for name, value in facts], class_="facts"
    )


def note(*children: Child) -> Markup:
    """Return a remark: what could not be known, or how something was counted."""
    return tag("p", *children, class_="note")


def resource(name: str) -> str:
    """Return a file of this folder that goes into every page."""
    return (files("dsir.report") / name).read_text(encoding="utf-8")


def _sha(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
