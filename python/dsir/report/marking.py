"""The beginning of a text with what each of its tokens contributes to the log-weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from dsir.errors import DsirError
from dsir.model.estimator import Estimator
from dsir.report.facts import Contribution, MarkedText

SHOWN_CHARACTERS = 700
EXPLAINED_CHARACTERS = 20_000
_NAMED = 6
# A token is looked for so many characters on; a form of it that is not there is passed over.
_FAR = 80


class Explained(NamedTuple):
    """What the n-grams of a text contribute.

    Attributes:
        ngrams: each n-gram with how often it is there, and what all of these contribute together.
        target: the target whose log-weight this is; None if there is one only.
    """

    ngrams: Mapping[str, tuple[int, float]]
    target: str | None


def explained(model: Estimator, text: str, target: str | None) -> Explained | str:
    """Return what the n-grams of a text contribute, or why nobody can tell.

    Args:
        model: the model.
        text: the text, of which the first 20,000 characters are explained.
        target: the target that took the text; None if there is none.
    """
    try:
        table, target = contributions_of(model, text[:EXPLAINED_CHARACTERS], target)
    except DsirError as error:
        return str(error)
    return by_ngram(table, target)


def contributions_of(
    model: Estimator, text: str, target: str | None
) -> tuple[pa.Table, str | None]:
    """Return the table of `Estimator.explain`, and the target whose log-weight it explains.

    Without a target, a mixture is explained by the target that gives the text most: a mixture is
    near the greatest of its parts.

    Raises:
        DsirError: see `Estimator.explain`.
    """
    names: Sequence[str] = getattr(model, "target_names", ())
    if getattr(model, "targets", "pooled") == "pooled":
        return model.explain(text), None
    if target is None and names:
        tables = {name: model.explain(text, target=name) for name in names}
        target = max(tables, key=lambda name: sum(tables[name]["contribution"].to_pylist()))
        return tables[target], target
    return model.explain(text, target=target), target


def by_ngram(table: pa.Table, target: str | None) -> Explained:
    """Return a table of contributions by n-gram, however many buckets an n-gram has."""
    found: dict[str, tuple[int, float]] = {}
    columns = (table[name].to_pylist() for name in ("ngram", "count", "contribution"))
    for ngram, count, amount in zip(*columns, strict=True):
        if ngram is not None:
            before = found.get(ngram, (0, 0.0))
            found[ngram] = (before[0] + count, before[1] + amount)
    return Explained(found, target)


def marked(model: Estimator, text: str, found: Explained | str, shown: int) -> MarkedText:
    """Return the beginning of a text, each token with its share of its n-grams' contributions.

    Args:
        model: the model, whose tokens these are.
        text: the text.
        found: what `explained` returned for it.
        shown: how many characters to show.
    """
    beginning = text[:shown]
    left_out = len(text) - len(beginning)
    if isinstance(found, str):
        return MarkedText(((beginning, 0.0),), left_out, note=found)
    pieces = tuple(_pieces(beginning, _amounts(model, beginning, found.ngrams)))
    ordered = sorted(found.ngrams.items(), key=lambda one: (-one[1][1], one[0]))
    most_for = [Contribution(name, amount) for name, (_, amount) in ordered if amount > 0]
    most_against = [Contribution(name, amount) for name, (_, amount) in ordered if amount < 0]
    return MarkedText(
        pieces, left_out, tuple(most_for[:_NAMED]), tuple(most_against[: -_NAMED - 1 : -1])
    )


def _amounts(
    model: Estimator, text: str, ngrams: Mapping[str, tuple[int, float]]
) -> list[tuple[int, int, float]]:
    """Return begin, end and contribution of each token that is found in a text."""
    try:
        tokens = model.features.tokens(text)
    except DsirError:
        return []
    longest = model.features.n
    amounts = [0.0] * len(tokens)
    for order in range(1, longest + 1):
        for first in range(len(tokens) - order + 1):
            found = ngrams.get(" ".join(tokens[first : first + order]))
            if found is not None and found[0]:
                for place in range(first, first + order):
                    amounts[place] += found[1] / found[0] / order
    spans = _spans(text, tokens)
    return [(*span, amount) for span, amount in zip(spans, amounts, strict=True) if span]


def _spans(text: str, tokens: Sequence[str]) -> Iterator[tuple[int, int] | tuple[()]]:
    """Yield where each token is in a text; nothing for one that is not there as it is written."""
    lowered, places = [], []
    for place, character in enumerate(text):
        for one in character.lower():
            lowered.append(one)
            places.append(place)
    places.append(len(text))
    searched, as_is, at = "".join(lowered), text, 0
    for token in tokens:
        if not token:
            yield ()
            continue
        found = searched.find(token, at, at + len(token) + _FAR)
        if found < 0 and len(as_is) == len(searched):
            found = as_is.find(token, at, at + len(token) + _FAR)
        if found < 0:
            yield ()
            continue
        end = found + len(token)
        yield places[found], places[end - 1] + 1
        at = end


def _pieces(text: str, spans: Sequence[tuple[int, int, float]]) -> Iterator[tuple[str, float]]:
    """Yield a text in pieces: its tokens with their contributions, and what lies between."""
    at = 0
    for begin, end, amount in spans:
        if begin < at:
            continue
        if begin > at:
            yield text[at:begin], 0.0
        yield text[begin:end], amount
        at = end
    if at < len(text):
        yield text[at:], 0.0


def averaged(found: Sequence[Explained], *, most: int = 12) -> tuple[Any, Any]:
    """Return the n-grams that raise and that lower the log-weights of documents most.

    Args:
        found: what the n-grams of each document contribute.
        most: how many n-grams to return of each kind.

    Returns:
        Two tuples of `Contribution`, with the mean contribution over all documents.
    """
    sums: dict[str, list[float]] = {}
    for one in found:
        for ngram, (_, amount) in one.ngrams.items():
            entry = sums.setdefault(ngram, [0.0, 0])
            entry[0] += amount
            entry[1] += 1
    documents = max(1, len(found))
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    lifting = [Contribution(n, s / documents, int(d)) for n, (s, d) in ordered[:most] if s > 0]
    lowering = [
        Contribution(n, s / documents, int(d)) for n, (s, d) in ordered[: -most - 1 : -1] if s < 0
    ]
    return tuple(lifting), tuple(lowering)
