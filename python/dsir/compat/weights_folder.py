"""The files of weights in a cache directory, and a note of the datasets that they belong to.

The note is shards.json, beside the reference's {i}.npy files: the datasets, their virtual shards
and the number of examples in each. It is removed first and written last, so files of an unfinished
run or of other datasets are never taken for the weights of these.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.compat.dataset import name_of
from dsir.compat.virtual_shards import VirtualShard
from dsir.compat.weighing import DatasetWeights
from dsir.errors import SettingError, WorkdirError
from dsir.storage.atomic import atomic_file, write_json

FORMAT = 1
_NOTE = "shards.json"
_AGAIN = "call compute_importance_weights() again"


@dataclass(frozen=True, slots=True)
class Stored:
    """Weights read from the files, one virtual shard after the other.

    Attributes:
        rows: number of examples in each virtual shard.
        weights: float64, one entry per example; with separate targets one row per example.
        metadata: one entry per example; None if there are no metadata.
    """

    rows: list[int]
    weights: npt.NDArray[np.float64]
    metadata: npt.NDArray[Any] | None


@dataclass(slots=True)
class WeightsFolder:
    """Writes and reads the two folders of a cache directory.

    Attributes:
        weights: the folder of log-weights and of the note.
        metadata: the folder of per-example metadata.
    """

    weights: Path
    metadata: Path
    _shards: list[dict[str, Any]] = field(default_factory=list)
    _with_metadata: set[bool] = field(default_factory=set)

    def begin(self) -> None:
        """Remove the weights and metadata of earlier runs."""
        self.weights.mkdir(parents=True, exist_ok=True)
        (self.weights / _NOTE).unlink(missing_ok=True)
        for folder in (self.weights, self.metadata):
            for path in folder.glob("*.npy"):
                if path.stem.isdigit():
                    path.unlink()

    def add(self, shards: Sequence[VirtualShard], found: DatasetWeights) -> None:
        """Write the weights of a dataset, one file per virtual shard."""
        if len(found.weights):
            self._with_metadata.add(found.metadata is not None)
        for shard in shards:
            number, index = shard["overall_idx"], shard["shard_idx"]
            weights = found.weights[index :: len(shards)]
            _save(self.weights / f"{number}.npy", weights)
            if found.metadata is not None:
                _save(self.metadata / f"{number}.npy", found.metadata[index :: len(shards)])
            self._shards.append({**_described(shard), "rows": len(weights)})

    def finish(self) -> None:
        """Write the note, which says that the weights are complete.

        Raises:
            SettingError: only some of the datasets have metadata.
        """
        if len(self._with_metadata) > 1:
            raise SettingError(
                "get_perexample_metadata: returns metadata for some datasets and none for others"
            )
        write_json(
            self.weights / _NOTE,
            {"format": FORMAT, "metadata": self._with_metadata == {True}, "shards": self._shards},
        )

    def read(self, shards: Sequence[VirtualShard]) -> Stored:
        """Read the weights of these virtual shards.

        Raises:
            WorkdirError: there are no weights, they belong to other virtual shards, or they are
                damaged.
        """
        note = self._read_note()
        self._check(note["shards"], [_described(shard) for shard in shards])
        rows = [int(shard["rows"]) for shard in note["shards"]]
        metadata = self._load(self.metadata, rows) if note["metadata"] else None
        return Stored(rows, self._load(self.weights, rows).astype(np.float64, copy=False), metadata)

    def _read_note(self) -> dict[str, Any]:
        path = self.weights / _NOTE
        try:
            note = json.loads(path.read_bytes())
            if note["format"] != FORMAT:
                raise WorkdirError(f"{path}: has format {note['format']}, not {FORMAT}; {_AGAIN}")
            note["metadata"], [shard["rows"] for shard in note["shards"]]
        except FileNotFoundError:
            raise WorkdirError(
                f"{self.weights}: has no {_NOTE}, so dsir has not computed a complete set of "
                "weights here; call compute_importance_weights() first"
            ) from None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise WorkdirError(f"{path}: cannot be read ({error}); {_AGAIN}") from error
        return note  # type: ignore[no-any-return]

    def _check(self, noted: list[dict[str, Any]], asked: list[dict[str, Any]]) -> None:
        had = [{name: shard.get(name) for name in asked[0]} for shard in noted]
        if had == asked:
            return
        before, now = (list(dict.fromkeys(s["path"] for s in shards)) for shards in (had, asked))
        if before == now:
            what = (
                f"the weights were computed for {len(had)} virtual shards, but now there are "
                f"{len(asked)}, because num_proc has changed; set it back"
            )
        elif sorted(map(str, before)) == sorted(map(str, now)):
            what = "raw_datasets are in another order than the weights; restore their order"
        else:
            other = next((path for path in now if path not in before), None)
            found = f"{other} is new" if other is not None else f"{len(before)}, now {len(now)}"
            what = f"the weights were computed for other raw_datasets ({found}); restore them"
        raise WorkdirError(f"{self.weights}: {what}, or {_AGAIN}")

    def _load(self, folder: Path, rows: list[int]) -> npt.NDArray[Any]:
        arrays = []
        for number, count in enumerate(rows):
            path = folder / f"{number}.npy"
            try:
                array = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise WorkdirError(f"{path}: cannot be read ({error}); {_AGAIN}") from error
            if array.ndim == 0 or len(array) != count:
                raise WorkdirError(f"{path}: does not hold {count:,} examples; {_AGAIN}")
            if count:
                arrays.append(array)
        try:
            return np.concatenate(arrays) if arrays else np.zeros(0)
        except ValueError as error:
            raise WorkdirError(
                f"{folder}: its files differ in shape ({error}); {_AGAIN}"
            ) from error


def _described(shard: VirtualShard) -> dict[str, Any]:
    return {
        "path": name_of(shard["path"]),
        "shard_idx": shard["shard_idx"],
        "num_shards": shard["num_shards"],
    }


def _save(path: Path, array: npt.NDArray[Any]) -> None:
    with atomic_file(path) as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)
