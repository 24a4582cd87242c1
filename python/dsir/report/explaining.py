"""Why documents have their log-weights: one text, rows of a selection, or all of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dsir.arguments.values import whole_number
from dsir.corpus import texts, token_ids
from dsir.errors import SettingError
from dsir.model.estimator import Estimator
from dsir.plural import counted
from dsir.report.facts import Contribution, MarkedText
from dsir.report.folder import input_names
from dsir.report.marking import averaged, by_ngram, contributions_of, explained, marked
from dsir.report.rounds import Paid, paid_for
from dsir.report.samples import SelectedRow, row_at, spread_rows, target_of, texts_of
from dsir.report.source import SelectionSource

MOST_DOCUMENTS = 1000
SHOWN_CHARACTERS = 2000
_AVERAGED_CHARACTERS = 20_000


class ExplainedText(NamedTuple):
    """A text and what its n-grams contribute.

    Attributes:
        row: its row in the selection; None for a text of its own.
        where: where it comes from; "" for a text of its own.
        log_weight: its log-weight.
        target: the target whose log-weight this is; None for one without a name.
        ngrams: `ngram`, `bucket`, `count` and `contribution`, the greatest magnitude first.
        text: the beginning of the text, with its tokens marked.
        paid: why a coverage selection took it; None for other texts.
    """

    row: int | None
    where: str
    log_weight: float
    target: str | None
    ngrams: list[dict[str, Any]]
    text: MarkedText
    paid: Paid | None = None


class ExplainedSelection(NamedTuple):
    """What n-grams contribute to the log-weights of a selection, on average.

    Attributes:
        documents: how many documents this was measured on.
        rows: how many rows the selection has.
        lifting: the n-grams that raise log-weights, the greatest first.
        lowering: the n-grams that lower them, the greatest first.
    """

    documents: int
    rows: int
    lifting: tuple[Contribution, ...]
    lowering: tuple[Contribution, ...]


def explain_text(model: Estimator, text: str, target: str | None) -> ExplainedText:
    """Return a text of its own with what its n-grams contribute.

    Args:
        model: the model.
        text: the text.
        target: the target to explain, if the model has several that are not pooled.

    Raises:
        RowError: the text has lone surrogates.
        SettingError: the model needs the name of a target, or has no target of that name.
    """
    table = model.explain(text, target=target)
    if target is not None and not model.column_names:
        # The table explains the log-weight under one target, not the mixture's.
        log_weight = math.fsum(table["contribution"].to_pylist())
    else:
        column = list(model.column_names).index(target) if target is not None else 0
        log_weight = float(model.score(texts([text])).reshape(-1)[column])
    beginning = marked(model, text, by_ngram(table, target), SHOWN_CHARACTERS)
    return ExplainedText(None, "", log_weight, target, table.to_pylist(), beginning)


def explain_rows(folder: SelectionSource, rows: Sequence[int]) -> list[ExplainedText]:
    """Return rows of a selection with what their n-grams contribute.

    Args:
        folder: the selection.
        rows: numbers of rows in the selection, from 0, in any order.

    Raises:
        SettingError: the selection has no such row, or is of token numbers.
        InputError: a part cannot be read.
    """
    _refuse_numbers(folder)
    chosen = _existing(folder, rows)
    text_of = texts_of(folder, list(chosen.values()))
    names = input_names(folder.content)
    paid = paid_for(folder, list(chosen.values()), text_of)
    found = []
    for row in rows:
        one = chosen[row]
        text = text_of[one.part, one.row]
        table, target = contributions_of(folder.model, text, target_of(folder.model, one))
        beginning = marked(folder.model, text, by_ngram(table, target), SHOWN_CHARACTERS)
        where = f"{names[one.source]}, row {one.source_row:,}"
        found.append(
            ExplainedText(
                row,
                where,
                one.log_weight,
                target,
                table.to_pylist(),
                beginning,
                paid.get((one.part, one.row)),
            )
        )
    return found


def explain_row(opened: SelectionSource, row: int) -> pa.Table:
    """Return the table of `Estimator.explain` for a row of a selection.

    Raises:
        SettingError: the selection has no such row, or is of token numbers.
        OutputError, InputError: the row cannot be read.
    """
    _refuse_numbers(opened)
    one = _existing(opened, [row])[row]
    text = texts_of(opened, [one])[one.part, one.row]
    return contributions_of(opened.model, text, target_of(opened.model, one))[0]


def explain_selection(folder: SelectionSource, most: int) -> ExplainedSelection:
    """Return what n-grams contribute to the log-weights of a selection, on average.

    Args:
        folder: the selection; of more than 1,000 rows every 2nd, 3rd, ... is taken.
        most: how many n-grams to return of each kind; 0 or less for all.

    Raises:
        SettingError: the model's n-grams have no names.
        InputError: a part cannot be read.
    """
    _refuse_numbers(folder)
    total = sum(len(origins.source) for origins in folder.origins())
    rows = spread_rows(folder, total, MOST_DOCUMENTS)
    text_of = texts_of(folder, rows)
    found = []
    for one in rows:
        text = text_of[one.part, one.row][:_AVERAGED_CHARACTERS]
        why = explained(folder.model, text, target_of(folder.model, one))
        if isinstance(why, str):
            raise SettingError(why)
        found.append(why)
    lifting, lowering = averaged(found, most=most if most > 0 else 1 << 60)
    return ExplainedSelection(len(found), total, lifting, lowering)


def _refuse_numbers(folder: SelectionSource) -> None:
    """Raise SettingError if a selection is of token numbers, whose n-grams have no names."""
    if folder.content["settings"].get("text_encoding") == token_ids.ENCODING:
        raise SettingError(
            f"the selection is of token numbers (text_encoding={token_ids.ENCODING!r}), whose "
            "n-grams have no names; only selections of texts can be explained"
        )


def _existing(folder: SelectionSource, rows: Sequence[int]) -> dict[int, SelectedRow]:
    """Return rows of a selection by their number.

    Raises:
        SettingError: the selection has no such row.
    """
    total = sum(len(origins.source) for origins in folder.origins())
    for row in rows:
        if whole_number("row", row, 0) >= total:
            raise SettingError(f"row={row}: the selection has {counted(total, 'row')}, from 0")
    return _rows_at(folder, sorted({*rows}))


def _rows_at(folder: SelectionSource, numbers: Sequence[int]) -> dict[int, SelectedRow]:
    """Return rows of a selection by their number, ascending."""
    wanted = np.array(numbers, dtype=np.int64)
    found = {}
    first = 0
    for part in range(len(folder.parts)):
        row = 0
        for origins in folder.origins_of(part):
            size = len(origins.source)
            inside = wanted[np.searchsorted(wanted, first) : np.searchsorted(wanted, first + size)]
            for number in inside.tolist():
                at = number - first
                found[number] = row_at(origins, part, row + at, at)
            first += size
            row += size
    return found
