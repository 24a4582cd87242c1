"""DSIR: the reference's base class, for your own features and importance estimator."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from dsir.arguments.values import whole_number
from dsir.compat import state_file
from dsir.compat.dataset import (
    Dataset,
    LoadDataset,
    ParseExample,
    default_load_dataset_fn,
    default_parse_example_fn,
    name_of,
)
from dsir.compat.drawing import Pool, by_target, draw
from dsir.compat.proportions import budgets
from dsir.compat.virtual_shards import VirtualShard, by_dataset, global_rows, split, threads_for
from dsir.compat.weighing import Weigh, WeighOneByOne, WeighTask, weigh_dataset
from dsir.compat.weights_folder import Stored, WeightsFolder
from dsir.compat.writing import Destination, WriteTask, write_dataset
from dsir.engine import LocalEngine, Progress, usable_cores
from dsir.errors import SettingError
from dsir.model.proportions import shares
from dsir.progress import reporter
from dsir.version import __version__ as _version


class _HasDataset(Protocol):
    @property
    def dataset(self) -> Dataset: ...


Task = TypeVar("Task", bound=_HasDataset)
Result = TypeVar("Result")


class DSIR:
    """Data selection with importance resampling: subclass it with features and an estimator.

    A subclass defines `featurizer` and `importance_estimator`. To filter examples, it also defines
    `get_perexample_metadata` and `perexample_metadata_filter`. Functions and methods are called
    from several threads, each of which works on one dataset; they need not be picklable.

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
        separate_targets: draw for each target separately.
        target_proportions: each separate target's share of the selection; None if
            `fit_importance_estimator` sets the shares.

    Raises:
        SettingError: an argument is out of range.
    """

    __version__ = _version

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
        separate_targets: bool = False,
        target_proportions: Sequence[float] | None = None,
    ) -> None:
        for name, given in (("raw_datasets", raw_datasets), ("target_datasets", target_datasets)):
            if isinstance(given, str | bytes | os.PathLike):
                raise SettingError(f"{name}={given!r}: expected a list of paths")
        self.raw_datasets = raw_datasets
        self.target_datasets = target_datasets
        self.raw_parse_example_fn = raw_parse_example_fn
        self.raw_load_dataset_fn = raw_load_dataset_fn
        self.target_parse_example_fn = target_parse_example_fn
        self.target_load_dataset_fn = target_load_dataset_fn
        self.cache_dir = Path(cache_dir)
        if num_proc is None:
            num_proc = usable_cores()
        # As in joblib, which the reference runs on, -1 means every core.
        self.num_proc = -1 if num_proc == -1 else whole_number("num_proc", num_proc, 1)
        self.log_importance_weights_dir = self.cache_dir / "log_importance_weights"
        self.log_importance_weights_dir.mkdir(parents=True, exist_ok=True)
        self.perexample_metadata_dir = self.cache_dir / "perexample_metadata"
        self.separate_targets = separate_targets
        self.target_proportions = (
            None if target_proportions is None else shares("target_proportions", target_proportions)
        )

    def _get_virtually_sharded_datasets(self, datasets: Sequence[Any]) -> list[VirtualShard]:
        """Return the virtual shards of datasets: path, shard_idx, num_shards, overall_idx."""
        return split(datasets, self.num_proc)

    def featurizer(self, text: str) -> npt.NDArray[Any]:
        """Return the features of a text."""
        raise NotImplementedError

    def importance_estimator(self, features: npt.NDArray[Any]) -> Any:
        """Return the log-weight of features; with separate targets, one per target."""
        raise NotImplementedError

    def get_perexample_metadata(self, ex: Any, features: npt.NDArray[Any]) -> Any:
        """Return the number, or numbers, that `perexample_metadata_filter` filters by.

        Args:
            ex: the example.
            features: its features.
        """
        raise NotImplementedError

    def perexample_metadata_filter(
        self, concat_metadata: npt.NDArray[Any]
    ) -> npt.NDArray[np.bool_]:
        """Return which examples may be selected: bool, one per example.

        Args:
            concat_metadata: the metadata of all examples.
        """
        raise NotImplementedError

    def fit_importance_estimator(self) -> None:
        """Fit what `importance_estimator` needs."""
        raise NotImplementedError

    def compute_importance_weights(self) -> None:
        """Compute the log-weight of every raw example.

        Writes `log_importance_weights_dir/{i}.npy` for every virtual shard i, and
        `perexample_metadata_dir/{i}.npy` if there are metadata.

        Raises:
            InputError: a dataset cannot be read.
            SettingError: a method returns unusable values.
        """
        datasets = by_dataset(self._get_virtually_sharded_datasets(self.raw_datasets))
        weigh = self._weigh(max(1, threads_for(self.num_proc) // len(datasets)))
        tasks = [WeighTask(self._raw(shards), weigh) for shards in datasets]
        folder = WeightsFolder(self.log_importance_weights_dir, self.perexample_metadata_dir)
        folder.begin()
        found = self._over_datasets("score", weigh_dataset, tasks)
        for shards, weights in zip(datasets, found, strict=True):
            folder.add(shards, weights)
        folder.finish()

    def _weigh(self, threads: int) -> Weigh:
        """Return the function that weighs a dataset, on this many threads."""
        del threads
        return WeighOneByOne(
            self.featurizer, self.importance_estimator, self.get_perexample_metadata
        )

    def resample(
        self,
        out_dir: str | os.PathLike[str],
        num_to_sample: int,
        cache_dir: str | os.PathLike[str] | None = None,
        top_k: bool = False,
        *,
        seed: int | None = None,
    ) -> None:
        """Draw raw examples by their weights and write them, one file per virtual shard.

        Args:
            out_dir: folder for the files `{i}.jsonl`.
            num_to_sample: number of examples to draw.
            cache_dir: folder to write the files to first; None to write them to out_dir.
            top_k: take the examples with the greatest weights instead of sampling.
            seed: seed of the sample, which is then the same for any num_proc and on any machine;
                None for numpy's global generator (`np.random.seed`), as in the reference.

        Raises:
            BudgetError: fewer examples can be selected.
            OutputError: the files cannot be written.
            WorkdirError: the weights belong to other datasets or to another num_proc.
        """
        wanted = whole_number("num_to_sample", num_to_sample, 1)
        by_targets = [wanted]
        if self.separate_targets:
            by_targets = budgets(wanted, self.target_proportions, len(self.target_datasets))
        all_shards = self._get_virtually_sharded_datasets(self.raw_datasets)
        datasets = by_dataset(all_shards)
        destination = Destination(Path(out_dir), Path(out_dir if cache_dir is None else cache_dir))
        destination.check(len(all_shards))
        folder = WeightsFolder(self.log_importance_weights_dir, self.perexample_metadata_dir)
        stored = folder.read(all_shards)
        sizes = [sum(stored.rows[shard["overall_idx"]] for shard in shards) for shards in datasets]
        ends = np.cumsum(sizes)
        pool = Pool(
            by_target(stored.weights, self.separate_targets),
            self._eligible(stored),
            global_rows(datasets, stored.rows),
            functools.partial(_name_row, [shards[0]["path"] for shards in datasets], ends),
        )
        threads = threads_for(self.num_proc)
        chosen = draw(pool, by_targets, top_k=top_k, seed=seed, threads=threads)
        tasks = [
            WriteTask(
                Dataset(shards[0]["path"], self.raw_load_dataset_fn, None),
                chosen_here,
                [destination.file(shard["overall_idx"]) for shard in shards],
            )
            for shards, chosen_here in zip(datasets, np.split(chosen, ends[:-1]), strict=True)
        ]
        for _ in self._over_datasets("write", write_dataset, tasks):
            pass
        destination.finish()

    def _eligible(self, stored: Stored) -> npt.NDArray[np.bool_]:
        rows = sum(stored.rows)
        if stored.metadata is None:
            return np.ones(rows, dtype=bool)
        mask = np.asarray(self.perexample_metadata_filter(stored.metadata))
        if mask.shape != (rows,) or mask.dtype != np.bool_:
            raise SettingError(
                f"perexample_metadata_filter: expected {rows:,} booleans, found an array of "
                f"{mask.dtype} of shape {mask.shape}"
            )
        return mask

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write this object's attributes to a file, which is never a pickle.

        docs/reference/compatibility.md describes the file. Functions are not written; default
        functions are noted by name.

        Raises:
            SettingError: an attribute has a type that cannot be written.
        """
        state_file.write(Path(path), vars(self))

    def load(self, path: str | os.PathLike[str], exclude_keys: Sequence[str] | None = None) -> None:
        """Set this object's attributes from a file that `save` wrote.

        Args:
            path: the file.
            exclude_keys: attributes to leave unchanged.

        Raises:
            ModelError: the file is damaged, or is a pickle.
        """
        vars(self).update(state_file.read(Path(path), vars(self), exclude_keys or ()))

    def _raw(self, shards: Sequence[VirtualShard]) -> Dataset:
        return Dataset(shards[0]["path"], self.raw_load_dataset_fn, self.raw_parse_example_fn)

    def _over_datasets(
        self, name: str, stage: Callable[[Task, Progress], Result], tasks: Sequence[Task]
    ) -> Iterator[Result]:
        sizes = [task.dataset.size for task in tasks]
        unit = "bytes" if tasks[0].dataset.is_lines else "datasets"
        engine = LocalEngine(threads_for(self.num_proc))
        with reporter(True).stage(name, sum(sizes), unit) as advance:
            yield from engine.run(stage, tasks, advance)


def _name_row(paths: Sequence[Any], ends: npt.NDArray[np.int64], row: int) -> str:
    number = int(np.searchsorted(ends, row, side="right"))
    first = int(ends[number - 1]) if number else 0
    return f"{name_of(paths[number])}: example {row - first}"
