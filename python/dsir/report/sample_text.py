"""Documents on a page: their beginning, with tokens marked by what they contribute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsir.report.charts import plain, signed
from dsir.report.facts import Contribution, MarkedText, Sample
from dsir.report.markup import Markup, escaped, joined, tag

_GROUPS = {
    "highest": "Highest log-weights",
    "middle": "In the middle",
    "lowest": "Lowest log-weights",
    "near miss": "Near misses: the highest log-weights that were left out",
}
# A token is marked lightly, in full, or darkly from these parts of the document's largest on.
_LEVELS = (0.12, 0.35, 0.7)


def samples_of(samples: Sequence[Sample], characters: int) -> Markup:
    """Return samples, group by group.

    Args:
        samples: the documents, those of a group one after the other.
        characters: how much of each document to show.
    """
    parts = []
    for group, title in _GROUPS.items():
        there = [one for one in samples if one.group == group]
        if there:
            parts += [tag("h3", title), *(_sample(one, characters) for one in there)]
    return joined(parts)


def _sample(one: Sample, characters: int) -> Markup:
    head = tag(
        "header",
        tag("strong", f"log-weight {plain(one.log_weight)}"),
        tag("span", f"target {one.target}") if one.target else None,
        tag("span", tag("bdi", one.where)),
        tag("span", one.reason) if one.reason else None,
    )
    why = [
        tag("p", name, _named(found), class_="why")
        for name, found in (("For: ", one.text.most_for), ("Against: ", one.text.most_against))
        if found
    ]
    if one.text.note:
        why.append(tag("p", f"Not explained: {one.text.note}", class_="why"))
    return tag("article", head, marked_text(one.text, characters), why, class_="sample")


def _named(found: Sequence[Contribution]) -> Markup:
    shown = [
        joined(tag("span", one.ngram[:60], class_="gram"), f" {signed(one.amount)}")
        for one in found
    ]
    return Markup(", ".join(shown))


def marked_text(text: MarkedText, characters: int) -> Markup:
    """Return a text with its tokens marked, and a note of what is left out.

    Args:
        text: the text.
        characters: how much to show.
    """
    most = max((abs(amount) for _, amount in text.pieces), default=0.0)
    shown, left = [], characters
    hidden = text.left_out
    for piece, amount in text.pieces:
        part, left = piece[:left], left - len(piece[:left])
        hidden += len(piece) - len(part)
        if part:
            shown.append((part, level_of(amount, most)))
    told = f"… {hidden:,} more characters" if hidden else None
    return tag(
        "p",
        [
            tag("mark", part, class_=level) if level else escaped(part)
            for part, level in _merged(shown)
        ],
        tag("span", told, class_="quiet") if told else None,
        class_="text",
        dir="auto",
    )


def level_of(amount: float, most: float) -> str:
    """Return the class of a token, such as f3 or a1: f for and a against, and how much, 1 to 3.

    Args:
        amount: what the token contributes.
        most: the greatest magnitude in its document.
    """
    part = abs(amount) / most if most else 0.0
    level = sum(part >= one for one in _LEVELS)
    return f"{'f' if amount > 0 else 'a'}{level}" if level else ""


def _merged(pieces: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield pieces with neighbours of the same class as one."""
    held, of = "", ""
    for part, level in pieces:
        if level == of:
            held += part
            continue
        if held:
            yield held, of
        held, of = part, level
    if held:
        yield held, of
