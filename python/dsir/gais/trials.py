"""Makes candidate selections, and finds which of them trains the best classifiers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.gais.class_budgets import class_shares
from dsir.gais.coverage import (
    Clusters,
    Coverage,
    cluster_rows,
    covering_rows,
    highest,
    near_rows,
    trusted_rows,
)
from dsir.gais.judges import JUDGES, Metric, judge
from dsir.gais.represented import represented_rows
from dsir.progress import Advance, ignore
from dsir.thread_pool import ThreadPool

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# 1-NN counts half: coverage has already minimized the errors of 1-NN on the rows that judges are
# tested on.
_WEIGHTS = np.array([0.5, 1.0, 1.0])
# A table with more rows than the first is tried on a sample of that size; judges are tested on at
# most as many rows as the second.
TRIAL_ROWS = 8192
_ASKED_ROWS = 4096
_DRAWS = 4
# Searches share their distances from this number of tries for each row on; for fewer tries it takes
# longer to list them than to compute them when they are asked for.
_LISTED_TRIES = 2


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to select rows.

    Attributes:
        kind: "coverage", "k-means" or "random".
        trusted: whether to leave out the rows that are not trusted.
        sharpness: sharpness of the coverage.
        draw: number of the random draw, which is also part of its seed.
        rooted: whether classes keep rows in proportion to the square root of their size.
    """

    kind: str
    trusted: bool = False
    sharpness: float = 0.0
    draw: int = 0
    rooted: bool = False

    def __str__(self) -> str:
        if self.kind != "coverage":
            return f"random {self.draw}" if self.kind == "random" else self.kind
        rows = "trusted rows" if self.trusted else "all rows"
        shares = ", shares by roots" if self.rooted else ""
        return f"coverage of {rows}, sharpness {self.sharpness:g}{shares}"


@dataclass(frozen=True, slots=True)
class Kept:
    """How many rows of each class to keep, and which of them.

    Attributes:
        shares: int64[classes].
        trusted: bool[rows], in every class at least as many as its share.
    """

    shares: npt.NDArray[np.int64]
    trusted: Mask

    def of(self, labels: Labels, seen: Rows) -> Kept:
        """Return what to keep of some of the rows, in proportion."""
        counts = np.bincount(labels[seen], minlength=len(self.shares)).astype(np.int64)
        keep = round(int(self.shares.sum()) * len(seen) / len(labels))
        kept = class_shares(counts, keep, self.shares)
        guesses = np.where(self.trusted, labels, -1)[seen]
        return Kept(kept, trusted_rows(labels[seen], guesses, kept))


class _Table:
    """The rows to select from; clusters that several recipes start from are made once."""

    def __init__(
        self, rows: Floats, labels: Labels, kept: Kept, rooted: Kept | None, coverage: Coverage
    ) -> None:
        self.rows, self.labels, self.coverage = rows, labels, coverage
        self._kept = {False: kept} if rooted is None else {False: kept, True: rooted}
        self._everything = np.ones(len(labels), bool)
        self._clusters: dict[tuple[bool, bool], Clusters] = {}
        self._near: _core.NearRows | None = None

    def recipes(self) -> list[Recipe]:
        """Return the recipes that differ on these rows."""
        asked = RECIPES if len(self._kept) == 1 else (*RECIPES, *ROOTED_RECIPES)
        return [one for one in asked if not (one.trusted and self._kept[one.rooted].trusted.all())]

    def select(self, recipe: Recipe) -> Rows:
        """Return the rows kept, ascending."""
        shares = self._kept[recipe.rooted].shares
        if recipe.kind == "random":
            random = np.random.Generator(np.random.Philox([self.coverage.seed, recipe.draw]))
            return highest(random.random(len(self.labels)), self.labels, shares)
        clusters = self._clusters_for(recipe)
        if recipe.kind == "k-means":
            return np.sort(clusters.chosen)
        settings = self.coverage.sharper(recipe.sharpness)
        return covering_rows(
            self.rows, self.labels, shares, self._allowed(recipe), settings, clusters, self._near
        )

    def select_all(self, recipes: list[Recipe], advance: Advance) -> list[Rows]:
        """Return the rows that each recipe keeps. The recipes run side by side, one on each thread.

        A table that is tried is mostly one part, and one thread works on a part.

        Args:
            recipes: the recipes.
            advance: called with 1 for each recipe that is done.
        """
        for recipe in recipes:
            if recipe.kind != "random":
                self._clusters_for(recipe)
        searches = sum(one.kind == "coverage" for one in recipes)
        tries = searches * self.coverage.passes * int(self._kept[False].shares.sum())
        if searches and tries > _LISTED_TRIES * len(self.labels):
            starts = list(self._clusters.values())
            self._near = near_rows(self.rows, self.labels, starts, self.coverage)
        found = []
        with ThreadPool(self.coverage.threads) as pool:
            for rows in pool.map(self.select, recipes):
                found.append(rows)
                advance(1)
        return found

    def _allowed(self, recipe: Recipe) -> Mask:
        return self._kept[recipe.rooted].trusted if recipe.trusted else self._everything

    def _clusters_for(self, recipe: Recipe) -> Clusters:
        key = (recipe.trusted, recipe.rooted)
        if key not in self._clusters:
            self._clusters[key] = cluster_rows(
                self.rows,
                self.labels,
                self._kept[recipe.rooted].shares,
                self._allowed(recipe),
                self.coverage,
            )
        return self._clusters[key]


RECIPES = (
    *(
        Recipe("coverage", trusted, sharpness)
        for sharpness in (20, 40, 10)
        for trusted in (True, False)
    ),
    Recipe("k-means"),
    *(Recipe("random", draw=draw) for draw in range(_DRAWS)),
)
# Tried as well if the shares may be others than in proportion. Sharpness 10 won hardly ever.
ROOTED_RECIPES = tuple(
    Recipe("coverage", trusted, sharpness, rooted=True)
    for sharpness in (20, 40)
    for trusted in (True, False)
)


@dataclass(frozen=True, slots=True)
class Trial:
    """How well one recipe did.

    Attributes:
        recipe: the name of the recipe.
        accuracy: for each judge its accuracy, 0 to 1, on rows that the recipe did not keep.
        metric: for each judge the metric of the trials; "log_loss" is negative, 0 the best.
        score: the number that recipes are compared by; see `trial_scores`.
        chosen: whether this recipe won.
    """

    recipe: str
    accuracy: dict[str, float]
    metric: dict[str, float]
    score: float
    chosen: bool


def tried_rows(
    rows: Floats,
    labels: Labels,
    shares: npt.NDArray[np.int64],
    trusted: Mask,
    coverage: Coverage,
    advance: Advance = ignore,
    *,
    rooted: Kept | None = None,
    metric: Metric = "accuracy",
    weights: bool = False,
) -> tuple[Rows, list[Trial]]:
    """Select by every recipe, train small classifiers on each selection, and return the best one.

    A table of more than TRIAL_ROWS rows is tried on a sample with the same proportions of classes.

    Args:
        rows: [rows, features], scaled.
        labels: [rows].
        shares: how many rows of each class to keep.
        trusted: [rows], in every class at least as many as its share.
        coverage: settings of the coverages; the sharpness comes from the recipes.
        advance: called with 1 for each selection that is made.
        rooted: other shares to try as well, by the square roots of the classes; None for none.
        metric: what the judges are measured by.
        weights: whether the judges give each kept row the weight of the rows that it stands for.

    Returns:
        The rows to keep, int64, ascending; and how well each recipe did.
    """
    seen = _sample(labels, len(shares), coverage.seed)
    whole = len(seen) == len(labels)
    kept = Kept(shares, trusted)
    if whole:
        table = _Table(rows, labels, kept, rooted, coverage)
    else:
        table = _Table(
            rows[seen],
            labels[seen],
            kept.of(labels, seen),
            None if rooted is None else rooted.of(labels, seen),
            coverage,
        )
    own_rows, own_labels = table.rows, table.labels
    recipes = table.recipes()
    candidates = table.select_all(recipes, advance)
    seed, threads = coverage.seed, coverage.threads
    stood_for = None
    if weights:
        stood_for = [
            represented_rows(own_rows, own_labels, one, seed=seed, threads=threads)
            for one in candidates
        ]
    verdicts = judge(
        own_rows,
        own_labels,
        candidates,
        _asked_rows(len(own_labels), seed),
        seed=seed,
        threads=threads,
        weights=stood_for,
    )
    drawn = np.array([one.kind == "random" for one in recipes])
    accuracy, measured = verdicts.measured("accuracy"), verdicts.measured(metric)
    scores = trial_scores(measured, drawn)
    best = int(np.argmax(scores))
    trials = [
        Trial(
            str(one),
            dict(zip(JUDGES, accuracy[number].tolist(), strict=True)),
            dict(zip(JUDGES, measured[number].tolist(), strict=True)),
            float(scores[number]),
            number == best,
        )
        for number, one in enumerate(recipes)
    ]
    if whole:
        return candidates[best], trials
    chosen = _Table(rows, labels, kept, rooted, coverage).select(recipes[best])
    advance(1)
    return chosen, trials


def most_trials(rows: int, *, rooted: bool = False) -> int:
    """Return how many selections `tried_rows` makes at most for a number of rows.

    Args:
        rows: how many rows there are to select from.
        rooted: whether other shares are tried as well.
    """
    return len(RECIPES) + (len(ROOTED_RECIPES) if rooted else 0) + (rows > TRIAL_ROWS)


def trial_scores(measured: npt.NDArray[np.float64], drawn: Mask) -> npt.NDArray[np.float64]:
    """Return how much better than random draws each candidate trains: float64[candidates].

    A score is the weighted sum of the gains in a metric over the mean of the random draws. Losses
    count twice, since nobody knows beforehand which classifier will be trained.

    Args:
        measured: [candidates, judges], the metric; the more the better.
        drawn: [candidates], which candidates are random draws; at least one.
    """
    gains = measured - measured[drawn].mean(axis=0)
    # Not a matrix product: the order of a BLAS's sums may depend on the number of threads.
    return np.asarray(((gains + np.minimum(gains, 0)) * _WEIGHTS).sum(axis=1))


def _sample(labels: Labels, classes: int, seed: int) -> Rows:
    """Return TRIAL_ROWS random rows in proportion to the classes; all rows if there are fewer."""
    if len(labels) <= TRIAL_ROWS:
        return np.arange(len(labels), dtype=np.int64)
    counts = np.bincount(labels, minlength=classes).astype(np.int64)
    random = np.random.Generator(np.random.Philox([seed, 2]))
    return highest(random.random(len(labels)), labels, class_shares(counts, TRIAL_ROWS))


def _asked_rows(size: int, seed: int) -> npt.NDArray[np.int32]:
    asked = np.arange(size, dtype=np.int32)
    if size <= _ASKED_ROWS:
        return asked
    random = np.random.Generator(np.random.Philox([seed, 1]))
    return np.sort(random.permutation(asked)[:_ASKED_ROWS])
