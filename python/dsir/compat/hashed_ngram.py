"""HashedNgramDSIR: the reference's class for hashed n-grams, on dsir's core."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.arguments.values import whole_number
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

    Fit, weights and resampling run in dsir's core, over JSON Lines files that are read once per
    stage. With your own load or parse function, examples pass through Python and their texts still
    go to the core. With your own featurizer or estimator, every example goes through your methods.

    Args:
        raw_datasets: paths to select from, or whatever `raw_load_dataset_fn` takes.
        target_datasets: paths of the targets, or whatever `target_load_dataset_fn` takes.
        cache_dir: folder for the log-weights.
        raw_load_dataset_fn: returns the examples of a dataset; reads JSON Lines by default.
        raw_parse_example_fn: returns the text of an example, its field "text" by default; None if
            an example is itself a text.
        target_load_dataset_fn: the same for targets.
        target_parse_example_fn: the same for targets.
        num_proc: number of virtual shards, and the most threads to use. None for one per core that
            this process may use; -1 for as many threads, but one virtual shard per dataset.
        ngrams: the longest n-gram.
        num_buckets: the number of buckets.
        tokenizer: "wordpunct", or NLTK's "word_tokenize". If NLTK's sentence data is missing,
            "word_tokenize" warns and does not split sentences.
        min_example_length: examples of fewer tokens are never selected.
        separate_targets: draw for each target separately.
        target_proportions: each separate target's share of the selection; None for its share of the
            n-grams that the fit counts.
        target_laplace_smoothing: pseudo-count added to every bucket of the target.

    Attributes:
        raw_probs: float64[num_buckets]; None before the fit.
        target_probs: the same; with separate targets float64[targets, num_buckets].
        log_diff: log ratio of target_probs and raw_probs, in the shape of target_probs.

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
        """Return an object of this class with the attributes of one of the reference's.

        To convert a pickle of the reference, load it with the reference, pass the object to this
        method, and `save` the result.

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
        """Return the log-weight of counts; with separate targets, one per target.

        Raises:
            ModelError: nothing has been fitted.
        """
        return np.dot(self._fitted(), features)

    def get_perexample_metadata(self, ex: Any, features: npt.NDArray[Any]) -> Any:
        """Return the length of an example in tokens, computed from the number of its n-grams."""
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
            num_tokens_to_fit: how many n-grams of raw, and of each separate target, to count:
                "auto" for 100,000 per bucket, "all", or a number. Each virtual shard has an equal
                share and stops after the example that exceeds it, so the fit depends on num_proc.

        Raises:
            InputError: a dataset cannot be read.
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
        # As in the reference, the budget does not limit pooled targets.
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
        datasets = by_dataset(shards)
        limit = share_of(num_tokens_to_fit, len(shards))
        threads = max(1, threads_for(self.num_proc) // len(datasets))
        tasks = [
            CountTask(
                Dataset(own_shards[0]["path"], load_dataset_fn, parse_example_fn),
                len(own_shards),
                limit,
                self.ngrams,
                self.num_buckets,
                self.tokenizer,
                threads,
            )
            for own_shards in datasets
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
        except ValueError:  # log_diff is not from a fit: the core takes log ratios up to 24.
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
                f"log_diff: expected an entry for each of {self.num_buckets:,} buckets, found "
                f"shape {self.log_diff.shape}; call fit_importance_estimator() again"
            )
        return self.log_diff


def _distribution(
    counts: npt.NDArray[np.int64], smoothing: float, name: str
) -> npt.NDArray[np.float64]:
    if not counts.any():
        raise ModelError(
            f"{name}: has no n-grams, so no model can be fitted; check that its texts are not all "
            "empty or null"
        )
    smoothed = counts + smoothing if smoothing else counts
    probs: npt.NDArray[np.float64] = smoothed / smoothed.sum()
    return probs
