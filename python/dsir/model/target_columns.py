"""The columns of an importance model: how its targets become log ratios and log-weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.errors import SettingError
from dsir.model.length import CorpusSize, Length, exponent, mean_tokens
from dsir.model.proportions import shares
from dsir.model.targets import Proportions, TargetMode, in_order


@dataclass(frozen=True, slots=True)
class TargetColumns:
    """The targets of a model, and how their mode turns them into log ratios and log-weights.

    There is one row of log ratios if the targets are pooled, else one row per target. There is one
    column of log-weights per target if the targets are separate, else one column.

    Attributes:
        names: names of the targets; empty for a single target without a name.
        mode: how several targets are combined.
        counts: int64[targets, buckets], n-grams of each target.
        asked: the proportions that were asked for, in the order of the targets; None for their
            shares of n-grams. A model file holds these and not `proportions`, because scaling
            twice to a sum of 1 may change the last bits.
        proportions: float64[targets], adding up to 1; None if the targets are pooled.
    """

    names: tuple[str, ...]
    mode: TargetMode
    counts: npt.NDArray[np.int64]
    asked: list[float] | None
    proportions: npt.NDArray[np.float64] | None

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        mode: TargetMode,
        counts: npt.NDArray[np.int64],
        proportions: Proportions,
    ) -> TargetColumns:
        """Return the columns of targets.

        Args:
            names: names of the targets; empty for a single target without a name.
            mode: how several targets are combined.
            counts: int64[targets, buckets], n-grams of each target.
            proportions: by name or in the order of the targets; None for their shares of n-grams.

        Raises:
            SettingError: the proportions do not fit the targets, or are out of range.
        """
        asked = in_order(proportions, names, mode)
        if mode == "pooled":
            return cls(tuple(names), mode, counts, asked, None)
        scaled = shares("proportions", counts.sum(axis=1) if asked is None else asked)
        scaled.setflags(write=False)
        return cls(tuple(names), mode, counts, asked, scaled)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the targets if they are separate; else empty."""
        return self.names if self.mode == "separate" else ()

    @property
    def column_shares(self) -> list[float]:
        """The proportions of separate targets; else 1 for the only column."""
        if self.mode != "separate" or self.proportions is None:
            return [1.0]
        column_shares: list[float] = self.proportions.tolist()
        return column_shares

    @property
    def ratio_counts(self) -> npt.NDArray[np.int64]:
        """The target counts behind each row of log ratios: int64[rows, buckets]."""
        if self.mode != "pooled":
            return self.counts
        pooled: npt.NDArray[np.int64] = self.counts.sum(axis=0, keepdims=True)
        return pooled

    def row_of(self, target: str | None) -> int:
        """Return the row of log ratios of a target.

        Raises:
            SettingError: pooled targets are given a name, or others none that they have.
        """
        if self.mode == "pooled":
            if target is not None:
                raise SettingError(f"target={target!r}: the targets of this model are pooled")
            return 0
        if target not in self.names:
            known = ", ".join(self.names)
            raise SettingError(f"target={target!r}: name one of the model's targets: {known}")
        return self.names.index(target)

    def mean_tokens(
        self, raw_size: CorpusSize | None, target_sizes: Sequence[CorpusSize] | None
    ) -> list[tuple[float, float]]:
        """Return the mean tokens per document of target and raw, a pair per row of log ratios.

        Raises:
            SettingError: a size is not known.
        """
        raw_mean = mean_tokens(raw_size, "raw")
        sizes = list(target_sizes or [])
        if self.mode == "pooled" and sizes:
            documents = sum(size.documents for size in sizes)
            sizes = [CorpusSize(documents, sum(size.tokens for size in sizes))]
        if not sizes:
            mean_tokens(None, "target")
        return [(mean_tokens(size, "target"), raw_mean) for size in sizes]

    def weighing(self, length: Length, means: Sequence[tuple[float, float]]) -> _core.Weighing:
        """Return how the core makes log-weights from sums of log ratios.

        Args:
            length: the length policy.
            means: what `mean_tokens` returns if the policy is "poisson"; else empty.
        """
        mixed = self.proportions if self.mode == "mixture" else None
        return _core.Weighing(
            targets=1 if self.mode == "pooled" else len(self.names),
            alpha=exponent(length),
            lengths=means,
            shares=() if mixed is None else mixed.tolist(),
        )
