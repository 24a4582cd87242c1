"""Simple selectors with the interface of GAIS, to compare GAIS with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dsir.arguments.values import whole_number
from dsir.engine import thread_count
from dsir.gais.class_budgets import Shares, check_shares, kept_of_classes
from dsir.gais.coverage import Coverage, cluster_rows, highest
from dsir.gais.labelled_table import Missing, labelled_table
from dsir.gais.labels import class_codes
from dsir.gais.neighbours import neighbours
from dsir.gais.seeds import Seed, seed_of
from dsir.gais.selector import InstanceSelector, rows_to_keep


class RandomSelection(InstanceSelector):
    """Keeps random rows of each class, in proportion to the classes and at least one each.

    Args:
        reduction: share of the rows to leave out, 0 to below 1.
        shares: how many rows of each class to keep, as in `GAIS`, but not "auto".
        bins: cut a regression target into this many classes.
        missing: what to do about missing values, as in `GAIS`.
        random_state: seed, as in `GAIS`.

    Attributes:
        sample_indices_: int64, ascending: the rows kept.

    Example:
        >>> labels = ["a"] * 8 + ["b"] * 2
        >>> len(dsir.graph.RandomSelection(reduction=0.5).fit(None, labels).sample_indices_)
        5
    """

    _reads_rows = False

    def __init__(
        self,
        reduction: float = 0.96,
        *,
        shares: Shares = "proportional",
        bins: int | None = None,
        missing: Missing = "raise",
        random_state: Seed = 0,
    ) -> None:
        self.reduction = reduction
        self.shares = shares
        self.bins = bins
        self.missing = missing
        self.random_state = random_state

    def _select(self, X: Any, y: Any) -> None:  # noqa: N803
        del X
        check_shares(self.shares)
        labels, classes = class_codes(y, self.bins, least=1)
        counts = np.bincount(labels).astype(np.int64)
        keep = rows_to_keep(self.reduction, len(labels), len(counts))
        shares = kept_of_classes(self.shares, counts, keep, classes)
        random = np.random.Generator(np.random.Philox(seed_of(self.random_state)))
        self.sample_indices_ = highest(random.random(len(labels)), labels, shares)
        self._count_kept(labels, classes)


class KMeansPrototypes(InstanceSelector):
    """Clusters each class with k-means, and keeps the row nearest to each centre.

    Args:
        reduction: share of the rows to leave out, 0 to below 1.
        shares: how many rows of each class to keep, as in `GAIS`, but not "auto".
        categorical: columns, by name or number, whose values are names.
        bins: cut a regression target into this many classes.
        missing: what to do about missing values, as in `GAIS`.
        random_state: seed, as in `GAIS`.
        n_jobs: threads; None or -1 for every core.

    Attributes:
        sample_indices_: int64, ascending: the rows kept.

    Example:
        >>> import numpy as np
        >>> x = np.arange(40.0).reshape(20, 2)
        >>> y = np.arange(20) % 2
        >>> len(dsir.graph.KMeansPrototypes(reduction=0.8).fit(x, y).sample_indices_)
        4
    """

    def __init__(
        self,
        reduction: float = 0.96,
        *,
        shares: Shares = "proportional",
        categorical: Sequence[str | int] | None = None,
        bins: int | None = None,
        missing: Missing = "raise",
        random_state: Seed = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.reduction = reduction
        self.shares = shares
        self.categorical = categorical
        self.bins = bins
        self.missing = missing
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _select(self, X: Any, y: Any) -> None:  # noqa: N803
        check_shares(self.shares)
        seed = seed_of(self.random_state)
        table = labelled_table(
            X, y, categorical=self.categorical, bins=self.bins, seed=seed, missing=self.missing
        )
        counts = np.bincount(table.labels).astype(np.int64)
        keep = rows_to_keep(self.reduction, len(table.rows), len(counts))
        shares = kept_of_classes(self.shares, counts, keep, table.classes)
        threads = thread_count(None if self.n_jobs in (None, -1) else self.n_jobs)
        everything = np.ones(len(table.rows), bool)
        coverage = Coverage(seed=seed, threads=threads)
        clusters = cluster_rows(table.rows, table.labels, shares, everything, coverage)
        self.sample_indices_ = np.sort(clusters.chosen)
        self._count_kept(table.labels, table.classes)


class EditedNearestNeighbours(InstanceSelector):
    """Leaves out rows whose nearest neighbours mostly have another label (Wilson 1972).

    The data decide how many rows are left out, so there is no argument `reduction`. If no row of a
    class would stay, all its rows stay.

    Args:
        neighbours: how many neighbours vote; the row's own label wins a tie that it is part of.
        categorical: columns, by name or number, whose values are names.
        bins: cut a regression target into this many classes.
        missing: what to do about missing values, as in `GAIS`.
        n_jobs: threads; None or -1 for every core.

    Attributes:
        sample_indices_: int64, ascending: the rows kept.

    Example:
        >>> import numpy as np
        >>> x = np.arange(40.0).reshape(20, 2)
        >>> y = np.arange(20) > 9
        >>> kept = dsir.graph.EditedNearestNeighbours().fit(x, y).sample_indices_
        >>> len(kept) <= 20
        True
    """

    def __init__(
        self,
        neighbours: int = 3,
        *,
        categorical: Sequence[str | int] | None = None,
        bins: int | None = None,
        missing: Missing = "raise",
        n_jobs: int | None = None,
    ) -> None:
        self.neighbours = neighbours
        self.categorical = categorical
        self.bins = bins
        self.missing = missing
        self.n_jobs = n_jobs

    def _select(self, X: Any, y: Any) -> None:  # noqa: N803
        k = whole_number("neighbours", self.neighbours, 1)
        table = labelled_table(
            X, y, categorical=self.categorical, bins=self.bins, missing=self.missing
        )
        threads = thread_count(None if self.n_jobs in (None, -1) else self.n_jobs)
        graph = neighbours(table.rows, k=k, threads=threads)
        rows = np.repeat(np.arange(len(graph)), np.diff(graph.offsets))
        votes = np.zeros((len(graph), len(table.classes)), np.int64)
        np.add.at(votes, (rows, table.labels[graph.neighbours]), 1)
        own = votes[np.arange(len(graph)), table.labels]
        stays = own >= votes.max(axis=1)
        lost = np.bincount(table.labels[stays], minlength=len(table.classes)) == 0
        self.sample_indices_ = np.flatnonzero(stays | lost[table.labels]).astype(np.int64)
        self._count_kept(table.labels, table.classes)
