"""How results show themselves: one line in a terminal, a small table in a notebook."""

from __future__ import annotations

import html
import inspect
from collections.abc import Iterable, Iterator

_LONGEST_LINE = 190
_LONGEST_VALUE = 70
_LONGEST_CELL = 300
_MOST_ROWS = 40

# A fact about an object: what it is, and the value as a person reads it.
Fact = tuple[str, object]

# The colours are the notebook's own, so that the table is legible on light and dark pages.
_TABLE = '<table style="border-collapse: collapse">'
_CAPTION = '<caption style="text-align: left; font-weight: bold">'
_CELL = "text-align: left; vertical-align: top; padding: 0.1em 1em 0.1em 0"


def cut(value: object, longest: int) -> str:
    """Return a value as text on one line, cut to a number of characters."""
    text = " ".join(str(value).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


class Facts:
    """Base of objects that show the facts about them in place of all their content."""

    __slots__ = ()

    def _facts(self) -> Iterable[Fact]:
        """Return what is worth showing, the most important first."""
        raise NotImplementedError

    def _more_facts(self) -> Iterable[Fact]:
        """Return what is worth showing only where there is room: in the table."""
        return ()

    def __repr__(self) -> str:
        told = ", ".join(f"{name}: {cut(value, _LONGEST_VALUE)}" for name, value in self._facts())
        return cut(f"{type(self).__name__}({told})", _LONGEST_LINE)

    def _repr_html_(self) -> str:
        return table_of(type(self).__name__, [*self._facts(), *self._more_facts()])


def table_of(title: str, facts: Iterable[Fact]) -> str:
    """Return facts as an HTML table of at most some 40 rows. All text is escaped.

    Args:
        title: the heading.
        facts: the rows.
    """
    shown = list(facts)
    left_out = len(shown) - _MOST_ROWS
    if left_out > 0:
        shown = [*shown[:_MOST_ROWS], ("and", f"{left_out:,} more")]
    rows = "".join(
        f'<tr><th style="{_CELL}">{_escaped(name)}</th>'
        f'<td style="{_CELL}">{_escaped(value)}</td></tr>'
        for name, value in shown
    )
    return f"{_TABLE}{_CAPTION}{_escaped(title)}</caption><tbody>{rows}</tbody></table>"


def _escaped(value: object) -> str:
    return html.escape(cut(value, _LONGEST_CELL))


def given_arguments(estimator: object) -> Iterator[tuple[str, object]]:
    """Give the arguments of an estimator of scikit-learn's kind that are not the defaults."""
    for name, parameter in inspect.signature(type(estimator)).parameters.items():
        value = getattr(estimator, name)
        if value is not parameter.default:
            yield name, value


def call_of(estimator: object) -> str:
    """Return an estimator as the call that makes it, on one line and never long."""
    given = ", ".join(
        f"{name}={cut(repr(value), _LONGEST_VALUE)}" for name, value in given_arguments(estimator)
    )
    return cut(f"{type(estimator).__name__}({given})", _LONGEST_LINE)
