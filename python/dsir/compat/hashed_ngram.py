"""HashedNgramDSIR: the reference's class for hashed n-grams, on dsir's core."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.arguments import whole_number
from dsir.compat.base import DSIR
from dsir.compat.counting import AUTO_NGRAMS_PER_BUCKET, CountTask, count_dataset, share_of
from dsir.compat.dataset import (
    Dataset,
    LoadDataset,
    ParseExample,
    default_load_dataset_fn,
    default_parse_example_fn,
    name_of,
)
from dsir.compat.from_reference import attributes_of
from dsir.compat.ngram_counts import features_in_core, get_ngram_counts, tokenizer_named
from dsir.compat.virtual_shards import by_dataset, threads_for
from dsir.compat.weighing import Weigh, WeighInCore
from dsir.errors import ModelError, SettingError

Self = TypeVar("Self", bound="HashedNgramDSIR")
_IN_CORE = ("featurizer", "importance_estimator", "get_perexample_metadata")


class HashedNgramDSIR(DSIR):
    """DSIR with hashed n-gram features.

    Fit, weights and resampling run in dsir's core, over files of JSON Lines that are read once a
    stage. With load or parse functions of one's own the examples pass through Python, their texts
    still go to the core; with a featurizer or an estimator of one's own, every example goes through
    these methods.

    Args:
        raw_datasets: paths of what to select from; or whatever `raw_load_dataset_fn` takes.
        target_datasets: the same for what is wanted.
        cache_dir: where log-weights are kept.
        raw_load_dataset_fn: gives the examples of a dataset; JSON Lines by default.
        raw_parse_example_fn: gives the text of an example; its field "text" by default.
        target_load_dataset_fn: the same for targets.
        target_parse_example_fn: the same for targets.
        num_proc: virtual shards, and at most so many threads; None for every core this process may
            use.
        ngrams: the longest n-gram.
        num_buckets: the number of buckets.
        tokenizer: "wordpunct", or NLTK's "word_tokenize", which warns and does not split sentences
            where NLTK's data for that is missing.
        min_example_length: examples of fewer tokens are never taken.
        separate_targets: draw for every target on its own.
        target_proportions: what share each of the separate targets has; None for that of its size.
        target_laplace_smoothing: pseudo-count on every bucket of the target.

    Attributes:
        raw_probs: float64[num_buckets], once fitted.
        target_probs: the same, or with separate targets float64[targets, num_buckets].
        log_diff: log ratio of the two, of the shape of target_probs.

    Raises:
        SettingError: an argument is out of range.
    """

    def __init__(
        self,
        raw_datasets: Sequence[Any],
        target_datasets: Sequence[Any],
        cache_dir: str | os.PathLike[str],
        raw_load_dataset_fn: LoadDataset = default_load_dataset_fn,
        raw_parse_example_fn: ParseExample | None = default_parse_example_fn,
        target_load_dataset_fn: LoadDataset = default_load_dataset_fn,
        target_parse_example_fn: ParseExample | None = default_parse_example_fn,
        num_proc: int | None = None,
        ngrams: int = 2,
        num_buckets: int = 10000,
        tokenizer: str = "wordpunct",
        min_example_length: int = 100,
        separate_targets: bool = False,
        target_proportions: Sequence[float] | None = None,
        target_laplace_smoothing: float = 0.0,
    ) -> None:
        super().__init__(
            raw_datasets=raw_datasets,
            target_datasets=target_datasets,
            cache_dir=cache_dir,
            raw_load_dataset_fn=raw_load_dataset_fn,
            raw_parse_example_fn=raw_parse_example_fn,
            target_load_dataset_fn=target_load_dataset_fn,
            target_parse_example_fn=target_parse_example_fn,
            num_proc=num_proc,
            separate_targets=separate_targets,
            target_proportions=target_proportions,
        )
        if not 0 <= target_laplace_smoothing < float("inf"):
            raise SettingError(
                f"target_laplace_smoothing={target_laplace_smoothing!r}: expected 0 or more"
            )
        self.tokenizer = tokenizer_named(tokenizer)
        self.ngrams = whole_number("ngrams", ngrams, 1)
        self.num_buckets = whole_number("num_buckets", num_buckets, 1)
        self.min_example_length = min_example_length
        self.target_laplace_smoothing = target_laplace_smoothing
        self.raw_probs: npt.NDArray[np.float64] | None = None
        self.target_probs: npt.NDArray[np.float64] | None = None
        self.log_diff: npt.NDArray[np.float64] | None = None

    @classmethod
    def from_reference(cls: type[Self], reference: object) -> Self:
        """Make an object of this class from one of the reference's.

        This is how a pickle of the reference is converted: load it with the reference, hand the
        object over, and `save` what comes back.

        Args:
            reference: a data_selection.HashedNgramDSIR.
        """
        made = cls.__new__(cls)
        vars(made).update(attributes_of(reference))
        return made

    def featurizer(self, text: str) -> npt.NDArray[np.int64]:
        """Return the n-grams of a text, counted per bucket."""
        return get_ngram_counts(
            text, n=self.ngrams, num_buckets=self.num_buckets, tokenizer=self.tokenizer
        )

    def importance_estimator(self, features: npt.NDArray[Any]) -> Any:
        """Return the log-weight of counts, or with separate targets one a target.

        Raises:
            ModelError: nothing has been fitted.
        """
        return np.dot(self._fitted(), features)

    def get_perexample_metadata(self, ex: Any, features: npt.NDArray[Any]) -> Any:
        """Return the length of an example in tokens, taken from the number of its n-grams."""
        del ex
        return (features.sum() + self.ngrams * (self.ngrams - 1) / 2) // self.ngrams

    def perexample_metadata_filter(
        self, concat_metadata: npt.NDArray[Any]
    ) -> npt.NDArray[np.bool_]:
        """Return which examples are long enough."""
        long_enough: npt.NDArray[np.bool_] = concat_metadata >= self.min_example_length
        return long_enough

    def fit_importance_estimator(self, num_tokens_to_fit: str | float | None = "auto") -> None:
        """Count the n-grams of raw and target, and set raw_probs, target_probs and log_diff.

        Args:
            num_tokens_to_fit: n-grams of raw (and of each separate target) to count: "auto" for
                100,000 a bucket, "all", or a number. Virtual shards have equal shares of it, and
                stop behind the example that passes theirs: the fit depends on num_proc.

        Raises:
            InputError: something cannot be read.
            ModelError: raw or a target has no n-grams.
        """
        budget: Any = num_tokens_to_fit
        if budget == "auto":
            budget = AUTO_NGRAMS_PER_BUCKET * self.num_buckets
        elif budget == "all":
            budget = None
        raw = self._fit_bow(
            self.raw_datasets, budget, self.raw_load_dataset_fn, self.raw_parse_example_fn
        )
        raw_probs = _distribution(raw, 0.0, "raw_datasets")
        if not len(self.target_datasets):
            raise SettingError("target_datasets: is empty")
        # Pooled targets are counted whole.
        targets: list[tuple[str, Sequence[Any], Any]] = (
            [(name_of(one), [one], budget) for one in self.target_datasets]
            if self.separate_targets
            else [("target_datasets", self.target_datasets, None)]
        )
        counts = [
            self._fit_bow(
                datasets, limit, self.target_load_dataset_fn, self.target_parse_example_fn
            )
            for _, datasets, limit in targets
        ]
        probs = [
            _distribution(one, float(self.target_laplace_smoothing), name)
            for one, (name, _, _) in zip(counts, targets, strict=True)
        ]
        self.raw_probs = raw_probs
        self.target_probs = np.asarray(probs) if self.separate_targets else probs[0]
        if self.separate_targets and self.target_proportions is None:
            sizes = np.asarray([one.sum() for one in counts])
            self.target_proportions = sizes / sizes.sum()
        self.log_diff = np.log(self.target_probs + 1e-8) - np.log(self.raw_probs + 1e-8)

    def _fit_bow(
        self,
        paths: Sequence[Any],
        num_tokens_to_fit: float | None = None,
        load_dataset_fn: LoadDataset = default_load_dataset_fn,
        parse_example_fn: ParseExample | None = default_parse_example_fn,
    ) -> npt.NDArray[np.int64]:
        """Count the n-grams of datasets within a budget: int64[num_buckets]."""
        shards = self._get_virtually_sharded_datasets(paths)
        groups = by_dataset(shards)
        limit = share_of(num_tokens_to_fit, len(shards))
        threads = max(1, threads_for(self.num_proc) // len(groups))
        tasks = [
            CountTask(
                Dataset(group[0]["path"], load_dataset_fn, parse_example_fn),
                len(group),
                limit,
                self.ngrams,
                self.num_buckets,
                self.tokenizer,
                threads,
            )
            for group in groups
        ]
        counts = np.zeros(self.num_buckets, dtype=np.int64)
        for found in self._over_datasets("fit", count_dataset, tasks):
            counts += found
        return counts

    def _weigh(self, threads: int) -> Weigh:
        log_diff = self._fitted() if self._is_own("importance_estimator") else None
        features = features_in_core(self.ngrams, self.num_buckets, self.tokenizer)
        if log_diff is None or features is None or not all(map(self._is_own, _IN_CORE)):
            return super()._weigh(threads)
        try:
            rows = np.ascontiguousarray(np.atleast_2d(log_diff), dtype=np.float64)
            table = _core.LogRatioTable(rows)
        except ValueError:  # Not of a fit: the core takes log ratios up to 24.
            return super()._weigh(threads)
        return WeighInCore(features, table, len(rows), log_diff.ndim == 2, threads)

    def _is_own(self, method: str) -> bool:
        """Whether a method is this class's, neither overridden nor replaced on the object."""
        return getattr(type(self), method) is getattr(
            HashedNgramDSIR, method
        ) and method not in vars(self)

    def _fitted(self) -> npt.NDArray[np.float64]:
        if self.log_diff is None:
            raise ModelError("nothing has been fitted; call fit_importance_estimator() first")
        if self.log_diff.shape[-1:] != (self.num_buckets,):
            raise ModelError(
                f"log_diff: is of shape {self.log_diff.shape}, for {self.num_buckets:,} buckets"
            )
        return self.log_diff


def _distribution(
    counts: npt.NDArray[np.int64], smoothing: float, name: str
) -> npt.NDArray[np.float64]:
    if not counts.any():
        raise ModelError(
            f"{name}: has no n-grams, so there is no model to be made; check that its texts are "
            "not all empty or null"
        )
    smoothed = counts + smoothing if smoothing else counts
    probs: npt.NDArray[np.float64] = smoothed / smoothed.sum()
    return probs
