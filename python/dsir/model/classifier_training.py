"""Trains and calibrates a column of a classifier: the target against others, or grades.

docs/algorithms.md, section 16.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.errors import ModelError
from dsir.model.classifier import Column, Learned, Line
from dsir.model.examples import Examples, GradedExamples
from dsir.plural import counted

FEWEST_DOCUMENTS = 10
"""Different documents that each side must have."""

_BATCH, _RATE = 32, 1.0
_FEWEST_PASSES, _MOST_PASSES = 5, 200
_STEPS = 1 << 16  # Documents are gone over until this many were seen: few need more passes.
_HELD_OUT = 5  # One in so many documents.
_MOST_IMPORTANT = 64.0  # A document of a small side counts at most so many times.
_PAIRS = 256  # Rows of a block of pairs.


def learn(
    wanted: Examples, others: Examples, buckets: int, *, names: tuple[str, str], threads: int = 1
) -> Column:
    """Learn to tell documents of a target from others.

    One in five documents of each side is held out, by its key, to calibrate the log-odds. A text
    that both sides have is an example of the target alone.

    Args:
        wanted: documents of the target.
        others: documents of the other side.
        buckets: number of buckets.
        names: what messages call the two sides.
        threads: how many threads to use; the result does not depend on it.

    Raises:
        ModelError: a side has too few different documents.
    """
    others = others.without(wanted)
    apart = f" that {names[0]} does not have"
    for name, side, also in ((names[0], wanted, ""), (names[1], others, apart)):
        if len(side) < FEWEST_DOCUMENTS:
            raise ModelError(
                f"{name}: {counted(len(side), 'different document')} with a token{also}, and "
                f'estimator="classifier" needs {FEWEST_DOCUMENTS} or more; give more documents, or '
                'use estimator="ratio"'
            )
    documents, is_wanted = Examples.mixed(wanted, others)
    held_out = np.zeros(len(documents), dtype=bool)
    for members in (is_wanted, ~is_wanted):
        held_out[np.flatnonzero(members)[_HELD_OUT - 1 :: _HELD_OUT]] = True
    used = int(np.count_nonzero(~held_out))
    importance = np.zeros(len(documents), dtype=np.float32)
    for members, sign in ((is_wanted & ~held_out, 1.0), (~is_wanted & ~held_out, -1.0)):
        size = int(np.count_nonzero(members))
        importance[members] = sign * min(_MOST_IMPORTANT, used / (2 * size))
    weights, scores = _trained(documents, importance, held_out, buckets, threads)
    sides = is_wanted[held_out]
    line = _rising(_core.platt(scores, sides.astype(np.uint8)))
    log_odds = line.slope * scores + line.intercept
    learned = Learned(
        wanted=int(np.count_nonzero(is_wanted & ~held_out)),
        others=int(np.count_nonzero(~is_wanted & ~held_out)),
        held_out=len(scores),
        auc=_auc(scores[sides], scores[~sides]),
        accuracy=(_share(log_odds[sides] > 0) + _share(log_odds[~sides] < 0)) / 2,
    )
    return Column(weights, line, learned)


def learn_graded(graded: GradedExamples, buckets: int, *, name: str, threads: int = 1) -> Column:
    """Learn the grades of documents: the loss is the cross-entropy with grades as probabilities.

    Grades are scaled, so that the least is 0 and the greatest 1. One in five documents is held out,
    by its key, to calibrate the log-odds. So the mean of the grade of documents with a log-weight w
    is estimated by least + (greatest - least) / (1 + exp(-w)).

    Args:
        graded: the documents.
        buckets: number of buckets.
        name: what messages call the documents.
        threads: how many threads to use; the result does not depend on it.

    Raises:
        ModelError: there are too few different documents, or all have the same grade.
    """
    documents, found = graded.examples, graded.means()
    if len(documents) < FEWEST_DOCUMENTS:
        raise ModelError(
            f"{name}: {counted(len(documents), 'different document')} with a token, and a "
            f"classifier of grades needs {FEWEST_DOCUMENTS} or more; give more documents"
        )
    least, greatest = float(found.min()), float(found.max())
    if not least < greatest:
        raise ModelError(
            f"{name}: all documents have the grade {least:g}; a classifier learns from documents "
            "of different grades, or without grades=..., from documents that are not wanted"
        )
    span = greatest / 2 - least / 2  # Halves, because the difference of doubles may be infinite.
    grades = np.clip((found / 2 - least / 2) / span, 0.0, 1.0)
    held_out = np.zeros(len(documents), dtype=bool)
    held_out[_HELD_OUT - 1 :: _HELD_OUT] = True
    importance = np.where(held_out, -1.0, grades).astype(np.float32)
    weights, scores = _trained(documents, importance, held_out, buckets, threads, graded=True)
    of_held_out = grades[held_out]
    line = _rising(_core.platt_graded(scores, of_held_out))
    log_odds = line.slope * scores + line.intercept
    sides = [
        _share(sign * log_odds[members] > 0)
        for sign, members in ((1, of_held_out > 0.5), (-1, of_held_out < 0.5))
        if members.any()
    ]
    learned = Learned(
        wanted=int(np.count_nonzero(~held_out)),
        others=0,
        held_out=len(scores),
        auc=_concordance(scores, of_held_out),
        accuracy=sum(sides) / max(1, len(sides)),
        grades=(least, greatest),
    )
    return Column(weights, line, learned)


def _trained(
    documents: Examples,
    importance: npt.NDArray[np.float32],
    held_out: npt.NDArray[np.bool_],
    buckets: int,
    threads: int,
    *,
    graded: bool = False,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Return the weights of a logistic regression, and the scores of the documents held out.

    Args:
        documents: all documents.
        importance: float32[documents]; see `_core.train_logistic`.
        held_out: bool[documents], which are not learned from.
        buckets: number of buckets.
        threads: how many threads to use; the result does not depend on it.
        graded: whether importances are grades.
    """
    used = int(np.count_nonzero(~held_out))
    weights = _core.train_logistic(
        documents.offsets,
        documents.terms,
        importance,
        buckets=buckets,
        passes=min(_MOST_PASSES, max(_FEWEST_PASSES, _STEPS // used)),
        batch=_BATCH,
        rate=_RATE,
        graded=graded,
        threads=threads,
    )
    scores = _core.LinearTable(weights.reshape(1, -1)).score_lists(
        documents.offsets, documents.terms, threads=threads
    )
    return weights, scores[held_out]


def _rising(found: tuple[float, float]) -> Line:
    """Return a calibration; a flat one if higher scores do not make a document likelier wanted."""
    line = Line(*found)
    return line if line.slope > 0 else Line(0.0, 0.0)


def _concordance(scores: npt.NDArray[np.float64], grades: npt.NDArray[np.float64]) -> float:
    """Return the share of pairs of different grades that scores put in order; ties half.

    A half if there are no such pairs.
    """
    twice = pairs = 0
    for first in range(0, len(scores), _PAIRS):
        some = slice(first, first + _PAIRS)
        greater = grades[some, np.newaxis] > grades
        of_scores = scores[some, np.newaxis]
        twice += 2 * int(np.count_nonzero(greater & (of_scores > scores)))
        twice += int(np.count_nonzero(greater & (of_scores == scores)))
        pairs += int(np.count_nonzero(greater))
    return twice / (2 * pairs) if pairs else 0.5


def _share(right: npt.NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(right)) / len(right)


def _auc(wanted: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> float:
    """Return the share of pairs in which the wanted document has the greater score; ties half."""
    others = np.sort(others)
    below = np.searchsorted(others, wanted, side="left").sum()
    up_to = np.searchsorted(others, wanted, side="right").sum()
    return int(below + up_to) / (2 * len(wanted) * len(others))
