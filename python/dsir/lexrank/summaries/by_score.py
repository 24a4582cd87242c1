"""Takes sentences by descending score, and skips those that repeat a chosen one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir.lexrank.summaries.budget import DEFAULT_REDUNDANCY, SummaryBudget
from dsir.lexrank.summaries.candidates import Candidates


def best_by_score(
    candidates: Candidates, scores: npt.NDArray[np.float64], budget: SummaryBudget
) -> npt.NDArray[np.int64]:
    """Choose sentences by descending score; among equal scores the earlier sentence comes first.

    A sentence is skipped if its cosine with a chosen sentence is above the limit of redundancy, or
    if it would pass the budget. Shorter sentences after it may still fit. Source: Erkan & Radev
    2004, section 5.

    Args:
        candidates: the sentences.
        scores: float64[sentences]; a sentence with score 0 is never chosen.
        budget: how long the summary may be.

    Returns:
        int64, the sentences in the order in which they were chosen.
    """
    redundancy = DEFAULT_REDUNDANCY if budget.redundancy is None else budget.redundancy
    closest = np.zeros(len(scores))
    chosen: list[int] = []
    left = budget.limit
    for row in np.argsort(-scores, kind="stable").tolist():
        if scores[row] <= 0 or left == 0:
            break
        if closest[row] > redundancy:
            continue
        length = candidates.length(row, budget.unit)
        if length > left or candidates.length(row, "words") < budget.min_words:
            continue
        left -= length
        chosen.append(row)
        if redundancy < 1:
            # Skipped for redundancy=1: rounding may put the cosine of equal sentences above 1.
            np.maximum(closest, candidates.cosines_with(row), out=closest)
    return np.array(chosen, dtype=np.int64)
