"""HTML and SVG as values: what is not `Markup` is escaped, so no text of a corpus becomes a tag."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SPECIAL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
# Control characters but tab and newline; characters that change the direction of what follows;
# separators and tags that nobody sees; halves of surrogate pairs; and what is no character at all.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_VOID = frozenset({"meta", "br", "hr", "link", "path", "rect", "line", "circle"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | Markup | None | Iterable["Child"]


def seen(text: str) -> str:
    """Return a text with every character that nobody would see written as its number."""
    return _UNSEEN.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)


def escaped(text: str) -> Markup:
    """Return a text as HTML; characters that nobody would see are marked as such."""
    if isinstance(text, Markup):
        return text
    pieces, at = [], 0
    for match in _UNSEEN.finditer(text):
        pieces.append(text[at : match.start()].translate(_SPECIAL))
        pieces.append(f'<span class="unseen">U+{ord(match[0]):04X}</span>')
        at = match.end()
    pieces.append(text[at:].translate(_SPECIAL))
    return Markup("".join(pieces))


def joined(*children: Child) -> Markup:
    """Return children one after the other; None is nothing, numbers have separators."""
    pieces: list[str] = []
    for child in children:
        if isinstance(child, str):
            pieces.append(escaped(child))
        elif isinstance(child, int):
            pieces.append(f"{child:,}")
        elif child is not None:
            pieces.append(joined(*child))
    return Markup("".join(pieces))


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """Return an element.

    Args:
        name: name of the element.
        children: what is in it; texts are escaped.
        attributes: its attributes. A trailing underscore is dropped (`class_`), other underscores
            become dashes; True is an attribute without a value, and False and None are none.

    Example:
        >>> str(tag("a", "x < y", href="#top", class_="quiet"))
        '<a href="#top" class="quiet">x &lt; y</a>'
    """
    shown = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        named = key.rstrip("_").replace("_", "-")
        if value is True:
            shown.append(f" {named}")
        else:
            said = number(value) if isinstance(value, float) else str(value)
            shown.append(f' {named}="{seen(said).translate(_SPECIAL)}"')
    opened = f"<{name}{''.join(shown)}>"
    if name in _VOID and not children:
        return Markup(opened if name in ("meta", "br", "hr", "link") else f"{opened[:-1]}/>")
    return Markup(f"{opened}{joined(*children)}</{name}>")


def number(value: float) -> str:
    """Return a coordinate with at most two digits, and no more characters than it needs."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
