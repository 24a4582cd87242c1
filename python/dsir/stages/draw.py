"""The draw: from the scores of a corpus to a threshold for each target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dsir.errors import BudgetError, WorkdirError
from dsir.metrics import EffectiveSampleSize
from dsir.proportions import split
from dsir.sampling import NOTHING, KeyRule, Run, Threshold, find_threshold, selected_positions
from dsir.stages.draw_settings import DrawSettings
from dsir.stages.score import ShardScores
from dsir.stages.score_table import Scores, in_runs


@dataclass(frozen=True, slots=True)
class TargetDraw:
    """What one target takes: all that is eligible, not taken before, and at its threshold.

    Attributes:
        effective_sample_size: of the eligible documents, at the temperature of the draw.
    """

    rule: KeyRule
    threshold: Threshold
    effective_sample_size: float


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn: everything needed to say of any row whether it is selected.

    Attributes:
        rows: rows of the corpus.
        eligible: documents that might have been selected.
        eligible_tokens: tokens in these.
        filtered: documents that are long enough and that a quality filter keeps out, by the number
            of the reason.
        targets: in the order in which they take; one where targets are not separate.
    """

    rows: int
    eligible: int
    eligible_tokens: int
    filtered: tuple[int, ...]
    targets: tuple[TargetDraw, ...]

    @property
    def selected(self) -> int:
        """How many documents are selected."""
        return sum(target.threshold.selected for target in self.targets)


def draw(
    shards: Sequence[ShardScores], settings: DrawSettings, shares: Sequence[float], threads: int
) -> Draw:
    """Find the thresholds of a corpus, from the scores of its shards in order.

    Separate targets take their share of the budget one after the other, each with noise of its
    own, and what one has taken the next cannot (ALGORITHMS section 1).

    Args:
        shards: the scores.
        settings: how to draw.
        shares: of the budget, one for each column of log-weights; they add up to 1.
        threads: how many to use; the result does not depend on it.

    Raises:
        BudgetError: the budget cannot be met.
    """
    survey = _Survey(len(shares))
    for _, scores in _runs(shards):
        survey.add(scores, settings)
    amount = settings.budget.resolve(
        rows=survey.rows,
        eligible=survey.eligible,
        eligible_tokens=survey.eligible_tokens,
        min_tokens=settings.min_tokens,
        allow_fewer=settings.allow_fewer,
    )
    by_tokens = settings.budget.tokens is not None
    targets: list[TargetDraw] = []
    for number, share in enumerate(split(amount, shares)):
        rule = settings.rule.of_target(number)

        def runs(number: int = number) -> Iterable[Run]:
            for first_row, scores in _runs(shards):
                eligible = settings.eligible(scores)
                for before, target in enumerate(targets):
                    run = Run(first_row, scores.log_weight[before], eligible)
                    eligible[selected_positions(run, target.rule, target.threshold)] = 0
                cost = scores.tokens if by_tokens else None
                yield Run(first_row, scores.log_weight[number], eligible, cost)

        threshold = find_threshold(runs, rule, share, threads, survey.rows) if share else NOTHING
        targets.append(TargetDraw(rule, threshold, survey.sizes[number].value()))
    if not any(target.threshold.selected for target in targets):
        least = min(t.threshold.next_cost for t in targets if t.threshold.next_cost)
        raise BudgetError(
            f"tokens={amount:,} is less than the {least:,} tokens of the first "
            f"document to be taken; ask for more"
        )
    return Draw(
        survey.rows,
        survey.eligible,
        survey.eligible_tokens,
        tuple(survey.filtered.tolist()),
        tuple(targets),
    )


class _Survey:
    """What there is to draw from."""

    def __init__(self, columns: int) -> None:
        self.rows = self.eligible = self.eligible_tokens = 0
        self.filtered = np.zeros(255, dtype=np.int64)
        self.sizes = [EffectiveSampleSize() for _ in range(columns)]

    def add(self, scores: Scores, settings: DrawSettings) -> None:
        """Look at a run."""
        chosen = settings.eligible(scores).astype(bool)
        self.rows += scores.rows
        self.eligible += int(np.count_nonzero(chosen))
        self.eligible_tokens += int(scores.tokens[chosen].sum(dtype=np.int64))
        if scores.reason is not None:
            failed = scores.reason[settings.long_enough(scores)]
            self.filtered += np.bincount(failed, minlength=256)[1:]
        for size, log_weight in zip(self.sizes, scores.log_weight, strict=True):
            size.add(log_weight[chosen] / settings.rule.temperature)


def _runs(shards: Sequence[ShardScores]) -> Iterator[tuple[int, Scores]]:
    """Give all scores with the global row number of each run's first row.

    Runs go across shards, so that sums over them do not depend on how rows were cut into shards.
    """
    if not shards:
        return
    first_row = 0
    for scores in in_runs(_checked(shards), shards[0].form):
        yield first_row, scores
        first_row += scores.rows


def _checked(shards: Sequence[ShardScores]) -> Iterator[Scores]:
    """Give all scores, and make sure that they are as many as the markers say."""
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
