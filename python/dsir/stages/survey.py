"""Counts what there is to draw from, by the scores of all shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from dsir.errors import BudgetError, WorkdirError
from dsir.model.decontamination import CONTAMINATED
from dsir.model.metrics import EffectiveSampleSize
from dsir.model.row_filters import REASONS
from dsir.plural import none_of
from dsir.settings.budget import LeftOut
from dsir.settings.draw import DrawSettings
from dsir.stages.drawn import CoverageDraw, Draw, TargetDraw, left_out_of
from dsir.stages.eligible import cost_of_rows, eligible_rows, rules, within_rules
from dsir.stages.merged_groups import Groups
from dsir.stages.quota_draw import (
    GroupAccounts,
    GroupSizes,
    QuotaPlan,
)
from dsir.stages.score_table import Scores, in_runs
from dsir.stages.shard_scores import ShardScores


def weights_of(
    scores: Scores, chosen: npt.NDArray[np.bool_], settings: DrawSettings, number: int
) -> npt.NDArray[np.float64]:
    """Return the logarithms of the weights that a target draws some rows by."""
    log_weight = scores.log_weight[number][chosen]
    if settings.rule.method == "cap":
        rule = settings.rule.of_target(number)
        log_weight = rule.in_keys(log_weight)
        divisor = rule.divisor
    else:
        divisor = float(settings.rule.temperature)
    divided: npt.NDArray[np.float64] = log_weight / divisor
    return divided


class Survey:
    """Counts what there is to draw from."""

    def __init__(self, columns: int, groups: Groups | None) -> None:
        self.rows = self.eligible = self.eligible_tokens = self.eligible_bytes = 0
        self.total = 0  # The rows, in the budget's unit.
        self.duplicates = 0
        self.empty = 0  # Rows without a token, also because they cannot be read.
        self.passed_over: dict[str, int] = {}
        self.groups = None if groups is None else GroupSizes(groups)
        self.filtered = np.zeros(255, dtype=np.int64)
        self.sizes = [EffectiveSampleSize() for _ in range(columns)]

    def add(self, scores: Scores, settings: DrawSettings) -> None:
        """Count the rows of a run, and add them to the effective sample sizes."""
        for size, weights in zip(self.sizes, self.count(scores, settings), strict=True):
            size.add(weights)

    def count(self, scores: Scores, settings: DrawSettings) -> list[npt.NDArray[np.float64]]:
        """Count the rows of a run; return the log-weights of the eligible ones, by column."""
        chosen = eligible_rows(scores, settings).astype(bool)
        self.rows += scores.rows
        cost = cost_of_rows(scores, settings)
        self.total += scores.rows if cost is None else int(cost.sum(dtype=np.int64))
        self.eligible += int(np.count_nonzero(chosen))
        self.eligible_tokens += int(scores.tokens[chosen].sum(dtype=np.int64))
        self.eligible_bytes += int(scores.bytes[chosen].sum(dtype=np.int64))
        if scores.repeated is not None:
            self.duplicates += int(np.count_nonzero(scores.repeated))
        within = scores.tokens > 0
        left = int(np.count_nonzero(within))
        self.empty += scores.rows - left
        for account, meets in rules(scores, settings):
            within &= meets
            before, left = left, int(np.count_nonzero(within))
            self.passed_over[account] = self.passed_over.get(account, 0) + before - left
        if self.groups is not None:
            self.groups.add(scores, chosen, settings)
        if scores.reason is not None:
            failed = scores.reason[within_rules(scores, settings)]
            self.filtered += np.bincount(failed, minlength=256)[1:]
        return [weights_of(scores, chosen, settings, number) for number in range(len(self.sizes))]

    def merge(self, other: Survey) -> None:
        """Add the counts of rows that follow; not the effective sample sizes."""
        for name in ("rows", "eligible", "eligible_tokens", "eligible_bytes", "total"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.duplicates += other.duplicates
        self.empty += other.empty
        for account, count in other.passed_over.items():
            self.passed_over[account] = self.passed_over.get(account, 0) + count
        self.filtered += other.filtered

    def refuse_nothing(self, settings: DrawSettings) -> None:
        """Raise BudgetError if no document is eligible, saying what refused how many."""
        if self.eligible or not self.filtered.any():
            settings.budget.refuse_nothing(
                rows=self.rows, eligible=self.eligible, min_tokens=settings.min_tokens
            )
            return
        refused = [
            f"{count:,} {_refused_for(REASONS[number])}"
            for number, count in enumerate(self.filtered.tolist())
            if count
        ]
        for account, count in self.passed_over.items():
            limit = f" (min_tokens={settings.min_tokens})" if account == "too_short" else ""
            if count:
                refused.append(f"{count:,} are {account.replace('_', ' ')}{limit}")
        if self.empty:
            refused.append(f"{self.empty:,} are empty or cannot be read")
        left_out = self._left_out()
        ways = ["loosen the filters"] if left_out.filtered else []
        if left_out.contaminated:
            ways.append("raise decontaminate_ngram or decontaminate_hits")
        raise BudgetError(
            f"{none_of(self.rows, 'row')} can be selected: {', '.join(refused)}; "
            f"{', or '.join(ways)}"
        )

    def available(self, settings: DrawSettings) -> int:
        """Return the size of the eligible documents, in the budget's unit."""
        return {
            "documents": self.eligible,
            "tokens": self.eligible_tokens,
            "bytes": self.eligible_bytes,
        }[settings.budget.unit]

    def _left_out(self) -> LeftOut:
        return left_out_of(self.duplicates, self.filtered.tolist())

    def quota_plan(self, settings: DrawSettings) -> QuotaPlan:
        """Return how much each group may take; for surveys with groups.

        Raises:
            BudgetError: the budget cannot be met within the quotas.
        """
        assert self.groups is not None, "the survey counted no groups"
        return QuotaPlan(
            settings,
            self.groups,
            rows=self.rows,
            total=self.total,
            eligible=self.eligible,
            available=self.available(settings),
            left_out=self._left_out(),
        )

    def amount(self, settings: DrawSettings) -> int:
        """Return how much to take, in the budget's unit.

        Raises:
            BudgetError: the budget cannot be met.
        """
        return settings.budget.resolve(
            rows=self.rows,
            total=self.total,
            eligible=self.eligible,
            available=self.available(settings),
            left_out=self._left_out(),
            min_tokens=settings.min_tokens,
            allow_fewer=settings.allow_fewer,
        )

    def draw(
        self,
        targets: tuple[TargetDraw | CoverageDraw, ...],
        groups: tuple[GroupAccounts, ...] = (),
    ) -> Draw:
        """Return the draw in which the targets take these documents."""
        return Draw(
            self.rows,
            self.eligible,
            self.eligible_tokens,
            self.eligible_bytes,
            self.duplicates,
            self.passed_over,
            tuple(self.filtered.tolist()),
            targets,
            groups,
            self.total,
        )


def _refused_for(reason: str) -> str:
    if reason == CONTAMINATED:
        return "are contaminated: they share text with decontaminate=..."
    return f"fail the filter {reason}"


def survey_of(
    shards: Sequence[ShardScores],
    settings: DrawSettings,
    columns: int,
    groups: Groups | None = None,
) -> Survey:
    """Count what there is to draw from, by the scores of all shards.

    Args:
        shards: the scores.
        settings: how to draw.
        columns: log-weights of each document.
        groups: the values of the quota columns; None without quotas.
    """
    survey = Survey(columns, groups)
    for _, scores in runs_of(shards):
        survey.add(scores, settings)
    return survey


def runs_of(shards: Sequence[ShardScores]) -> Iterator[tuple[int, Scores]]:
    """Give all scores in runs, each with the global row number of its first row.

    Runs cross shards, so that sums over runs do not depend on how the corpus was cut into shards.
    """
    if not shards:
        return
    corpus_row = 0
    for scores in in_runs(checked_scores(shards), shards[0].drawn_form):
        yield corpus_row, scores
        corpus_row += scores.rows


def checked_scores(shards: Sequence[ShardScores]) -> Iterator[Scores]:
    """Give all scores, and check that each shard has as many as its marker says."""
    for shard in shards:
        rows = 0
        for scores in shard.batches():
            yield scores
            rows += scores.rows
        if rows != shard.rows:
            where = shard.place.path(".arrow") if shard.place else "a shard in memory"
            raise WorkdirError(
                f"{where}: holds {rows:,} scores, its marker says {shard.rows:,}; "
                "remove both to score it again"
            )
