"""PyTorch: the rows of a selection as an IterableDataset."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from dsir.arguments.values import flag, shown, whole_number
from dsir.corpus import Paths, resolve
from dsir.corpus.shard_rows import TakenRows
from dsir.errors import SettingError
from dsir.output.manifest import read_selection_file
from dsir.remote import RemotePath, location_of
from dsir.run.load import load


class SelectedRows(IterableDataset):
    """The rows of a selection's folder, each a dict by column.

    Every rank, and every worker of its DataLoader, reads a stretch of consecutive rows and no other
    part of the files. The stretches depend only on the folder and on the numbers of ranks and
    workers, so every run has the same order. Together they are all rows, each once; with
    `drop_last` every rank has equally many, as training in step needs. The rows are in the order of
    the corpus: shuffle them with a buffer behind this.

    Args:
        folder: the folder that `dsir.select` or `dsir write` wrote to, also by URL.
        columns: the columns to give; None for all. "log_weight" is there also when the files are
            JSON Lines.
        rank: number of this process, from 0; None for that of torch.distributed, or 0.
        world_size: number of processes; None for that of torch.distributed, or 1.
        drop_last: leave out the last rows, fewer than `world_size`, that would give some ranks one
            row more than others.

    Raises:
        OutputError: there is no selection in the folder.
        SettingError: an argument is out of range.

    Example:
        >>> from dsir.integrations.torch import SelectedRows
        >>> from torch.utils.data import DataLoader  # doctest: +SKIP
        >>> rows = SelectedRows("selected/", columns=["text"])  # doctest: +SKIP
        >>> loader = DataLoader(rows, batch_size=8, num_workers=2)  # doctest: +SKIP
    """

    def __init__(
        self,
        folder: str | Path | RemotePath,
        *,
        columns: Sequence[str] | None = None,
        rank: int | None = None,
        world_size: int | None = None,
        drop_last: bool = False,
    ) -> None:
        super().__init__()
        if isinstance(columns, str):
            raise SettingError(f"columns={shown(columns)}: expected a list of names")
        if (rank is None) != (world_size is None):
            raise SettingError("rank and world_size: give both, or neither")
        self._given: tuple[int, int] | None = None
        if rank is not None and world_size is not None:
            world_size = whole_number("world_size", world_size, 1)
            self._given = whole_number("rank", rank, 0, world_size - 1), world_size
        self._columns = None if columns is None else list(columns)
        self._drop_last = flag("drop_last", drop_last)
        selection = load(folder)
        self._log_weight = selection.log_weights
        manifest = read_selection_file(location_of(folder))
        settings = manifest.settings
        self._text = str(settings.get("text", "text"))
        self._encoding = settings.get("text_encoding")
        # Where the rows of each file begin among all rows, and where they end.
        ends = np.cumsum([0, *(manifest.files[part].rows for part in manifest.parts)]).tolist()
        places = map(str, selection.paths)
        self._files = list(zip(places, itertools.pairwise(ends), strict=True))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give the rows of this rank and worker.

        Raises:
            InputError: a file cannot be read.
            SettingError: a column is not there.
        """
        rank, world_size = self._given or _of_torch()
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        rows = len(self._log_weight)
        if self._drop_last:
            rows -= rows % world_size
        first, last = _stretch(0, rows, rank, world_size)
        yield from self._rows(*_stretch(first, last, worker, workers))

    def _rows(self, first: int, last: int) -> Iterator[dict[str, Any]]:
        for path, (begin, end) in self._files:
            rows = np.arange(max(first, begin), min(last, end), dtype=np.int64)
            if not len(rows):
                continue
            [shard] = resolve(Paths([path]), text=self._text, encoding=self._encoding).shards
            for taken in shard.take(rows - begin):
                log_weights = self._log_weight[taken.rows + begin].tolist()
                for row, log_weight in zip(_dicts(taken), log_weights, strict=True):
                    yield self._chosen({"log_weight": log_weight} | row)

    def _chosen(self, row: dict[str, Any]) -> dict[str, Any]:
        if self._columns is None:
            return row
        missing = [name for name in self._columns if name not in row]
        if missing:
            raise SettingError(
                f"columns: the selection has no {missing[0]!r}; it has {', '.join(sorted(row))}"
            )
        return {name: row[name] for name in self._columns}


def _dicts(taken: TakenRows) -> list[dict[str, Any]]:
    if taken.lines is not None:
        return [json.loads(line) for line in taken.lines.to_pylist()]
    assert taken.records is not None  # Rows have lines or records.
    rows: list[dict[str, Any]] = taken.records.to_pylist()
    return rows


def _stretch(first: int, last: int, number: int, of: int) -> tuple[int, int]:
    """Return the part of a given number, when rows are cut into parts that differ by 1 at most."""
    rows = last - first
    return first + rows * number // of, first + rows * (number + 1) // of


def _of_torch() -> tuple[int, int]:
    """Return the number of this process and of all, by torch.distributed if it is in use."""
    import torch.distributed

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
