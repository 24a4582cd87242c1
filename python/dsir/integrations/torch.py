"""PyTorch: the rows of a selection as an IterableDataset."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch.utils.data import IterableDataset, get_worker_info

from dsir.arguments.values import flag, shown, whole_number
from dsir.corpus import Paths, resolve
from dsir.corpus.shard_rows import TakenRows
from dsir.errors import RowError, SettingError, warn
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
        columns: the columns to give; None for all. When the files are JSON Lines, rows have the
            fields of their line, "log_weight", and the target of separate targets.
        rank: number of this process, from 0; None for that of torch.distributed, or 0. Give 0, and
            world_size=1, to accelerate and to the Trainer of transformers, which divide rows over
            ranks themselves.
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
        self._columns = None if columns is None else _names(columns)
        if (rank is None) != (world_size is None):
            raise SettingError("rank and world_size: give both, or neither")
        self._given: tuple[int, int] | None = None
        if rank is not None and world_size is not None:
            world_size = whole_number("world_size", world_size, 1)
            self._given = whole_number("rank", rank, 0, world_size - 1), world_size
        self._drop_last = flag("drop_last", drop_last)
        selection = load(folder)
        self._log_weight = selection.log_weights
        manifest = read_selection_file(location_of(folder))
        settings = manifest.settings
        self._text = str(settings.get("text", "text"))
        self._encoding = settings.get("text_encoding")
        # The target that took each row, if targets are separate, and the name of its column.
        self._target = selection.target
        self._targets = selection.model.column_names
        self._target_column = str(settings.get("target_column", "target"))
        # Where the rows of each file begin among all rows, and where they end.
        ends = np.cumsum([0, *(manifest.files[part].rows for part in manifest.parts)]).tolist()
        places = map(str, selection.paths)
        self._files = list(zip(places, itertools.pairwise(ends), strict=True))

    def __getstate__(self) -> dict[str, Any]:
        """Return what a worker gets that is spawned: it is itself in no process group."""
        return {**self.__dict__, "_given": self._given or _of_torch()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give the rows of this rank and worker.

        Warns:
            DsirWarning: accelerate may divide the rows of this rank over the ranks once more.

        Raises:
            InputError: a file cannot be read.
            SettingError: a column is not there, or a line of JSON has no such field.
        """
        rank, world_size = self._given or _of_torch() or (0, 1)
        _warn_of_accelerate(self._given, world_size)
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
                added = self._added(taken.rows + begin)
                places = taken.rows.tolist()
                for place, more, row in zip(places, added, _dicts(taken, path), strict=True):
                    where = None if taken.lines is None else f"{path}: row {place}"
                    yield self._chosen(more | row, where)

    def _added(self, rows: npt.NDArray[np.int64]) -> Iterator[dict[str, Any]]:
        """Give what the selection knows of each row, whatever the format of its file."""
        targets = None if self._target is None else self._target[rows].tolist()
        for number, log_weight in enumerate(self._log_weight[rows].tolist()):
            more = {"log_weight": log_weight}
            if targets is not None:
                more[self._target_column] = self._targets[targets[number]]
            yield more

    def _chosen(self, row: dict[str, Any], line: str | None) -> dict[str, Any]:
        """Return the wanted columns of a row; `line` is the place of a line of JSON."""
        if self._columns is None:
            return row
        missing = [name for name in self._columns if name not in row]
        if missing:
            has = f"has no {missing[0]!r}; it has {', '.join(sorted(row))}"
            if line is None:
                raise SettingError(f"columns: the selection {has}")
            raise SettingError(
                f"columns: {line} {has}; name fields that every line has, or leave columns out and "
                "take the fields from each row"
            )
        return {name: row[name] for name in self._columns}


def _names(columns: object) -> list[str]:
    """Return the names of columns as a list.

    Raises:
        SettingError: they are no list of names.
    """
    names = [] if isinstance(columns, str) or not isinstance(columns, Iterable) else list(columns)
    if not names or not all(isinstance(name, str) for name in names):
        raise SettingError(f"columns={shown(columns)}: expected a list of names")
    return names


def _dicts(taken: TakenRows, path: str) -> list[dict[str, Any]]:
    if taken.lines is None:
        assert taken.records is not None  # Rows have lines or records.
        rows: list[dict[str, Any]] = taken.records.to_pylist()
        return rows
    found = []
    for row, line in zip(taken.rows.tolist(), taken.lines.to_pylist(), strict=True):
        try:
            found.append(_object(line))
        except ValueError as error:
            raise RowError(
                f"{path}: row {row}: the line is no JSON object: {error}; the file has changed "
                "since it was written: make the selection again",
                path=path,
                row=row,
            ) from error
    return found


def _object(line: bytes) -> dict[str, Any]:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError(f"it holds {type(found).__name__}")  # noqa: TRY004 - as json does
    return found


def _stretch(first: int, last: int, number: int, of: int) -> tuple[int, int]:
    """Return the part of a given number, when rows are cut into parts that differ by 1 at most."""
    rows = last - first
    return first + rows * number // of, first + rows * (number + 1) // of


def _of_torch() -> tuple[int, int] | None:
    """Return the number of this process and of all; None if torch.distributed is not in use."""
    import torch.distributed

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return None


def _warn_of_accelerate(given: tuple[int, int] | None, world_size: int) -> None:
    """Warn if accelerate, which divides the rows of a DataLoader over ranks itself, is in use."""
    state = getattr(sys.modules.get("accelerate.state"), "PartialState", None)
    if given is None and world_size > 1 and getattr(state, "_shared_state", None):
        warn(
            "SelectedRows: this rank gives its own rows, and accelerate divides those of a "
            "DataLoader that it prepares over the ranks once more, so most rows would not be seen; "
            "give SelectedRows rank=0, world_size=1, or, for a DataLoader of your own, the rank "
            "and world_size of this process"
        )
