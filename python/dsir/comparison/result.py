"""Comparison: the result of compare()."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dsir.comparison.composition import Trial
from dsir.comparison.recommendation import Recommendation, Scores, recommend
from dsir.comparison.trials import Trials
from dsir.comparison.variants import Variant
from dsir.errors import OutputError, SettingError
from dsir.facts import Fact, Facts
from dsir.output.claim import claimed
from dsir.output.folder import COMPARISON_FILE, REPORT_FILE, check_output_folder
from dsir.output.writer import writing
from dsir.plural import counted
from dsir.remote import Location, RemotePath, location_of
from dsir.report.comparison import comparison_content
from dsir.storage.atomic import write_json
from dsir.version import __version__

FORMAT = 1

_CELLS = pa.schema(
    [
        ("budget", pa.string()),
        ("method", pa.string()),
        ("seed", pa.int64()),
        ("documents", pa.int64()),
        ("tokens", pa.int64()),
        ("median_tokens", pa.float64()),
        ("perplexity", pa.float64()),
        ("kl_reduction", pa.float64()),
        ("distinct_trigrams", pa.float64()),
        ("effective_sample_size", pa.float64()),
        ("fit_seconds", pa.float64()),
        ("draw_seconds", pa.float64()),
    ]
)
_TABLE = pa.schema(
    [
        ("budget", pa.string()),
        ("method", pa.string()),
        ("perplexity", pa.float64()),
        ("perplexity_spread", pa.float64()),
        ("perplexity_ratio", pa.float64()),
        ("kl_reduction", pa.float64()),
        ("kl_reduction_spread", pa.float64()),
        ("distinct_trigrams", pa.float64()),
        ("documents", pa.float64()),
        ("tokens", pa.float64()),
        ("median_tokens", pa.float64()),
        ("effective_sample_size", pa.float64()),
        ("seconds", pa.float64()),
    ]
)
_OVERLAPS = pa.schema(
    [
        ("budget", pa.string()),
        ("method", pa.string()),
        ("other", pa.string()),
        ("overlap", pa.float64()),
    ]
)
_SHARES = pa.schema(
    [
        ("value", pa.string()),
        ("budget", pa.string()),
        ("method", pa.string()),
        ("share", pa.float64()),
        ("raw_share", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Facts):
    """How the selections of several methods do on documents of the target that were kept out.

    Attributes:
        table: a row for each budget and method, in which the methods of a budget are in the order
            of their perplexity: `perplexity`, the geometric mean over the seeds, its `_spread`
            (standard deviation over the seeds; null for one seed), and `perplexity_ratio` to
            random's; `kl_reduction` in nats with its `_spread`; `distinct_trigrams`, the share of
            the selection's trigrams that are different; `documents`, `tokens`, `median_tokens`
            (tokens of the document in the middle); `effective_sample_size`, null for methods that
            do not draw by weight; `seconds` of fit and draw.
        cells: a row for each budget, method and seed, with what the table has the means of.
        overlaps: for each budget and pair of methods, rows in common as a share of the rows that
            either has.
        shares: for each value of the column `shares_by`, its share of the tokens of each selection
            and of raw; None if there was no such column.
        recommendation: which method to take, in words, with the reasons.
        settings: what was compared, JSON values.

    Example:
        >>> raw = ["ship and sail and sea", "judge and court of law"] * 20
        >>> target = [f"ship and sea {number}" for number in range(40)]
        >>> given = {"budgets": "n=10", "seeds": 2, "min_tokens": 1, "progress": False}
        >>> found = dsir.compare(raw, target, ["top-k"], **given)
        >>> found.table.column("method").to_pylist()
        ['top-k', 'random']
        >>> found.recommendation.method
        'top-k'
    """

    table: pa.Table
    cells: pa.Table
    overlaps: pa.Table
    shares: pa.Table | None
    recommendation: Recommendation
    settings: Mapping[str, Any] = field(hash=False)

    @classmethod
    def of(
        cls,
        trials: Trials,
        variants: list[Variant],
        budgets: list[str],
        seeds: list[int],
        settings: Mapping[str, Any],
    ) -> Comparison:
        """Return the comparison of all trials."""
        methods = [one.name for one in variants]
        scores = _scores_of(trials, variants, budgets, len(seeds))
        known = {
            **settings,
            "documents": [list(pair) for pair in trials.documents],
            "rows": trials.rows,
            "tokens": trials.tokens,
            "score_seconds": round(trials.score_seconds, 3),
        }
        return cls(
            _table(trials, scores),
            _cells(trials, methods, budgets, seeds),
            _rows_of(
                _OVERLAPS,
                [
                    (budgets[budget], methods[one], methods[other], share)
                    for (budget, one, other), share in sorted(trials.overlaps.items())
                ],
            ),
            _shares(trials, methods, budgets),
            recommend(scores),
            known,
        )

    def to_pandas(self) -> Any:
        """Return `table` as a pandas DataFrame.

        Raises:
            SettingError: pandas is not installed.
        """
        try:
            importlib.import_module("pandas")
        except ImportError as error:
            raise SettingError("to_pandas() needs pandas: pip install 'dsir[pandas]'") from error
        return self.table.to_pandas()

    def describe(self) -> dict[str, Any]:
        """Return the comparison as JSON values, as in `compare.json`."""
        return {
            "format": FORMAT,
            "dsir": __version__,
            "settings": dict(self.settings),
            "recommendation": self.recommendation.describe(),
            "table": self.table.to_pylist(),
            "cells": self.cells.to_pylist(),
            "overlaps": self.overlaps.to_pylist(),
            "shares": None if self.shares is None else self.shares.to_pylist(),
        }

    def save(self, folder: str | Path | RemotePath, *, overwrite: bool = False) -> Location:
        """Write `_dsir/compare.json` and the page `_dsir/report.html` in a folder.

        Args:
            folder: the folder; it is made if it does not exist.
            overwrite: replace what an earlier run wrote there.

        Returns:
            The folder.

        Raises:
            OutputError: the folder is not empty, or cannot be written.
        """
        place = location_of(folder)
        check_output_folder(place, overwrite=overwrite, resuming=False)
        with claimed(place) as claim, claim.unfinished(overwrite=overwrite), writing(place):
            self.report(place / REPORT_FILE)
            write_json(place / COMPARISON_FILE, self.describe())
        return place

    @classmethod
    def load(cls, folder: str | Path | RemotePath) -> Comparison:
        """Return the comparison that `save` wrote to a folder.

        Raises:
            OutputError: there is none, or its file is damaged.
        """
        place = location_of(folder)
        content = comparison_content(place)
        try:
            shares = content["shares"]
            return cls(
                pa.Table.from_pylist(content["table"], _TABLE),
                pa.Table.from_pylist(content["cells"], _CELLS),
                pa.Table.from_pylist(content["overlaps"], _OVERLAPS),
                None if shares is None else pa.Table.from_pylist(shares, _SHARES),
                Recommendation.from_json(content["recommendation"]),
                content["settings"],
            )
        except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise OutputError(
                f"{place / COMPARISON_FILE}: does not hold a comparison: {error}"
            ) from error

    def report(self, out: str | Path | RemotePath) -> Location:
        """Write the comparison as one HTML page that needs no other file.

        Args:
            out: the file to write, e.g. "compare.html".

        Returns:
            The file.

        Raises:
            OutputError: the page cannot be written.
        """
        # Here, because few comparisons need a page.
        from dsir.report.compare_page import compare_page
        from dsir.report.write import write_page

        path = location_of(out)
        content = self.describe()
        write_page(path, lambda _: compare_page(content))
        return path

    def _facts(self) -> Iterator[Fact]:
        """Give what to take, and what was compared."""
        yield "take", self.recommendation.method
        if self.recommendation.level:
            yield "level with it", ", ".join(self.recommendation.level)
        methods = dict.fromkeys(self.cells["method"].to_pylist())
        yield "methods", ", ".join(methods)
        yield "budgets", ", ".join(dict.fromkeys(self.cells["budget"].to_pylist()))
        yield "seeds", len(dict.fromkeys(self.cells["seed"].to_pylist()))

    def _more_facts(self) -> Iterator[Fact]:
        """Give the reasons, and the table."""
        for reason in self.recommendation.reasons:
            yield "because", reason
        for row in self.table.to_pylist():
            yield (
                f"{row['budget']} {row['method']}",
                f"perplexity {row['perplexity']:.1f}, KL reduction {row['kl_reduction']:.3f}",
            )
        given, kept_out = self.settings["documents"][0]
        yield "kept out", f"{kept_out:,} of {counted(given + kept_out, 'document')}"


def _scores_of(trials: Trials, variants: list[Variant], budgets: list[str], seeds: int) -> Scores:
    shape = (len(variants), len(budgets), seeds)
    perplexity, kl, seconds = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for trial, result in trials.results.items():
        perplexity[trial] = result.measured.perplexity
        kl[trial] = result.measured.kl_reduction
        seconds[trial] = result.fit_seconds + result.draw_seconds
    return Scores(
        methods=[one.name for one in variants],
        budgets=budgets,
        random=next(number for number, one in enumerate(variants) if one.is_random),
        perplexity=perplexity,
        kl_reduction=kl,
        seconds=seconds.mean(axis=(1, 2)),
    )


def _cells(trials: Trials, methods: list[str], budgets: list[str], seeds: list[int]) -> pa.Table:
    rows = []
    for trial, result in trials.results.items():
        measured = result.measured
        rows.append(
            (
                budgets[trial.budget],
                methods[trial.method],
                seeds[trial.seed],
                measured.documents,
                measured.tokens,
                measured.median_tokens,
                measured.perplexity,
                measured.kl_reduction,
                measured.distinct_trigrams,
                result.effective_sample_size,
                result.fit_seconds,
                result.draw_seconds,
            )
        )
    return _rows_of(_CELLS, rows)


def _table(trials: Trials, scores: Scores) -> pa.Table:
    log = np.log(scores.perplexity)
    seeds = log.shape[2]
    rows = []
    for budget, name in enumerate(scores.budgets):
        order = np.argsort(log[:, budget].mean(axis=1), kind="stable")
        for method in order.tolist():
            cells = [trials.results[Trial(method, budget, seed)] for seed in range(seeds)]
            measured = [one.measured for one in cells]
            sizes = [
                one.effective_sample_size for one in cells if one.effective_sample_size is not None
            ]
            ratio = log[method, budget] - log[scores.random, budget]
            rows.append(
                (
                    name,
                    scores.methods[method],
                    float(np.exp(log[method, budget].mean())),
                    _spread(scores.perplexity[method, budget]),
                    float(np.exp(ratio.mean())),
                    float(scores.kl_reduction[method, budget].mean()),
                    _spread(scores.kl_reduction[method, budget]),
                    float(np.mean([one.distinct_trigrams for one in measured])),
                    float(np.mean([one.documents for one in measured])),
                    float(np.mean([one.tokens for one in measured])),
                    float(np.mean([one.median_tokens for one in measured])),
                    float(np.mean(sizes)) if len(sizes) == len(measured) else None,
                    float(np.mean([one.fit_seconds + one.draw_seconds for one in cells])),
                )
            )
    return _rows_of(_TABLE, rows)


def _shares(trials: Trials, methods: list[str], budgets: list[str]) -> pa.Table | None:
    shares = trials.shares
    if shares is None:
        return None
    return _rows_of(
        _SHARES,
        [
            (value, budgets[budget], methods[method], found[number], shares.raw[number])
            for (method, budget), found in shares.selected.items()
            for number, value in enumerate(shares.values)
        ],
    )


def _spread(values: Any) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _rows_of(schema: pa.Schema, rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table(
        [pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)],
        schema=schema,
    )
