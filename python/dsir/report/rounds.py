"""Why documents of a coverage selection were taken: the round, and the n-grams that paid.

Which round took a document is not written with the rows. The rounds are gone through again, over
the selection alone: each took the documents with the greatest gains, so that of the documents of
all rounds it is the best ones, as many as the accounts say.
"""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.corpus import Shard
from dsir.errors import OutputError
from dsir.model.features import HashedNgrams
from dsir.model.relevance import RelevanceModel
from dsir.report.samples import SelectedRow
from dsir.report.source import SelectionSource
from dsir.sampling import KeyRule, Run, find_threshold, selected_positions
from dsir.stages.coverage import PoolLists, covering_of
from dsir.stages.drawn import Rounds
from dsir.stages.pool import Lists, ShardPool, written_pool

_HELD_BYTES = 100 << 20


class Paid(NamedTuple):
    """Why a document was taken.

    Attributes:
        turn: the round that took it, from 1.
        rounds: how many rounds there were.
        gain: the mean of the gains of its n-grams in this round.
        ngrams: `ngram`, `count` and `gain`, its part of the gain; the greatest first.
    """

    turn: int
    rounds: int
    gain: float
    ngrams: list[dict[str, Any]]


def paid_for(
    folder: SelectionSource, rows: Sequence[SelectedRow], texts: Mapping[tuple[int, int], str]
) -> dict[tuple[int, int], Paid]:
    """Return why rows of a coverage selection were taken, by part and row; nothing for others.

    Reads the texts of the whole selection.

    Args:
        folder: the selection.
        rows: the rows to explain.
        texts: their texts, by part and row.

    Raises:
        OutputError: the accounts do not fit the rows.
        InputError: a part cannot be read.
    """
    described = folder.content["metrics"].get("coverage")
    model = folder.model
    if described is None or not isinstance(model, RelevanceModel) or not rows:
        return {}
    if any(folder.content["settings"].get(name) for name in ("max_per", "group_by")):
        return {}  # A quota may keep the best documents for a later round.
    try:
        accounts = [Rounds.from_json(one) for one in described]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder) from error
    lengths = [_rows_of(folder, part) for part in range(len(folder.parts))]
    first = np.concatenate([[0], np.cumsum(lengths)])
    wanted = {int(first[one.part]) + one.row: (one.part, one.row) for one in rows}
    target_of_row = _targets(folder, model)
    found: dict[tuple[int, int], Paid] = {}
    with tempfile.TemporaryDirectory(prefix="dsir-rounds-") as scratch:
        lists = PoolLists(
            [
                _listed(part, model.features, Path(scratch) / f"{number:05d}.arrow")
                for number, part in enumerate(folder.parts)
            ],
            lengths,
            1,
            _HELD_BYTES,
        )
        for number, account in enumerate(accounts):
            mine = target_of_row == number
            if int(np.count_nonzero(mine)) != sum(documents for documents, _ in account.taken):
                raise _damaged(folder)
            for turn, gains, chosen in _rounds(lists, model, number, account, mine):
                for row, place in wanted.items():
                    if chosen[row]:
                        ngrams = model.features.ngrams(texts[place])
                        found[place] = _paid(turn, len(account.taken), ngrams, gains)
                if len(found) == len(wanted):
                    return found
    return found


def _damaged(folder: SelectionSource) -> OutputError:
    return OutputError(f"{folder.place}: its accounts of the rounds are not those of its rows")


def _rows_of(folder: SelectionSource, part: int) -> int:
    return sum(len(origins.source) for origins in folder.origins_of(part))


def _targets(folder: SelectionSource, model: RelevanceModel) -> npt.NDArray[np.int64]:
    """Return the number of the target that took each row."""
    numbers = {name: number for number, name in enumerate(model.column_names)}
    found = [np.zeros(0, dtype=np.int64)]
    for origins in folder.origins():
        names = None if origins.target is None else origins.target.to_pylist()
        if names is None:
            found.append(np.zeros(len(origins.source), dtype=np.int64))
        else:
            found.append(np.array([numbers.get(name, -1) for name in names], dtype=np.int64))
    return np.concatenate(found)


def _listed(part: Shard, features: HashedNgrams, path: Path) -> ShardPool:
    """List the n-grams of all rows of a part."""

    def list_rows(save: Callable[[tuple[Lists, ...]], None]) -> None:
        for batch in part.text_batches(on_error="raise"):
            every = np.arange(len(batch.text), dtype=np.int64)
            text = features.prepared(batch.text)
            save((Lists(*_core.bucket_lists(text, features.spec, every, threads=1)),))

    return written_pool(path, 1, list_rows)


def _rounds(
    lists: PoolLists,
    model: RelevanceModel,
    number: int,
    account: Rounds,
    open_rows: npt.NDArray[np.bool_],
) -> Iterator[tuple[int, npt.NDArray[np.float64], npt.NDArray[np.bool_]]]:
    """Go through the rounds of a target; give the gains of n-grams and the rows that are taken."""
    covering = covering_of(model, number, account.weight) if account.pool_cost else None
    rule = KeyRule(method="top-k")
    open_rows = open_rows.copy()
    for turn, (documents, _) in enumerate(account.taken):
        if not documents or covering is None:
            continue
        run = Run(0, lists.gains(covering, open_rows), open_rows.astype(np.uint8))

        def runs(run: Run = run) -> list[Run]:
            return [run]

        threshold = find_threshold(runs, rule, documents, 1, len(open_rows))
        chosen = np.zeros(len(open_rows), dtype=bool)
        chosen[selected_positions(run, rule, threshold)] = True
        yield turn + 1, covering.gains(), chosen
        lists.add(chosen, covering)
        open_rows &= ~chosen


def _paid(
    turn: int,
    rounds: int,
    ngrams: Sequence[tuple[str, int]],
    gains: npt.NDArray[np.float64],
) -> Paid:
    parts = [
        (-count * float(gains[bucket]) / len(ngrams), ngram, count)
        for (ngram, bucket), count in Counter(ngrams).items()
    ]
    listed = [
        {"ngram": ngram, "count": count, "gain": -part} for part, ngram, count in sorted(parts)
    ]
    return Paid(turn, rounds, -math.fsum(part for part, _, _ in parts), listed)
