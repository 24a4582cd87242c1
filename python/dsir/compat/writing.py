"""The resampled examples: a file of JSON Lines per virtual shard, then moved to where they go."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dsir.compat.dataset import Dataset, lines_of, open_lines
from dsir.engine import Progress
from dsir.errors import OutputError, ShardError
from dsir.storage.atomic import UnfinishedFile


@dataclass(frozen=True, slots=True)
class WriteTask:
    """Write the chosen examples of one dataset.

    Attributes:
        chosen: bool, an entry per example.
        paths: where to, by virtual shard.
    """

    dataset: Dataset
    chosen: npt.NDArray[np.bool_]
    paths: Sequence[Path]


def write_dataset(task: WriteTask, progress: Progress) -> None:
    """Write the chosen examples; the files appear whole, or not at all.

    Raises:
        ShardError: the dataset has other examples than when it was weighed.
        OutputError: the files cannot be written.
    """
    files: list[UnfinishedFile] = []
    try:
        for path in task.paths:
            with _refusing(path):
                files.append(UnfinishedFile(path))
        pieces = _lines(task, progress) if task.dataset.is_lines else _dumps(task, progress)
        for shard, lines in pieces:
            with _refusing(task.paths[shard]):
                files[shard].write(lines)
        for path, file in zip(task.paths, files, strict=True):
            with _refusing(path):
                file.commit()
    finally:
        for file in files:
            file.discard()
    progress(task.dataset.size)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _lines(task: WriteTask, progress: Progress) -> Iterator[tuple[int, bytes]]:
    """Yield lines as they stand in the file, without white space around them, by virtual shard."""
    rows = 0
    for block in lines_of(open_lines(task.dataset.path)):
        wanted = np.flatnonzero(task.chosen[rows : rows + block.rows])
        shards = (rows + wanted) % len(task.paths)
        for shard in np.unique(shards).tolist():
            lines = block.original_lines(wanted[shards == shard])
            yield shard, b"".join(line.strip() + b"\n" for line in lines.to_pylist())
        rows += block.rows
        progress(0)
    _check_rows(task, rows)


def _dumps(task: WriteTask, progress: Progress) -> Iterator[tuple[int, bytes]]:
    rows = 0
    for rows, (example, _) in enumerate(task.dataset.examples(progress), start=1):
        if rows > len(task.chosen):
            break
        if task.chosen[rows - 1]:
            yield (rows - 1) % len(task.paths), json.dumps(example).encode("ascii") + b"\n"
    _check_rows(task, rows)


def _check_rows(task: WriteTask, rows: int) -> None:
    if rows != len(task.chosen):
        raise ShardError(
            f"{task.dataset.name}: has other examples than the {len(task.chosen):,} that were "
            "weighed; call compute_importance_weights() again",
            path=task.dataset.name,
        )


@dataclass(frozen=True, slots=True)
class Destination:
    """Where resample() writes, and where that goes at the end.

    As in the reference: files are written to the cache directory, which is then moved: it becomes
    the out directory, or where that is there already, a folder in it.

    Attributes:
        out: the out directory.
        cache: the cache directory; the same as `out` where none was given.
    """

    out: Path
    cache: Path

    def check(self, files: int) -> None:
        """Refuse what would fail at the end, or leave a mixture of two selections.

        Raises:
            OutputError: it cannot be done.
        """
        if self.out.exists() and not self.out.is_dir():
            raise OutputError(f"{self.out}: is a file, so no folder of files can be made there")
        if self._moves():
            place = self.out / self.cache.name if self.out.is_dir() else self.out
            if place.exists():
                raise OutputError(f"{place}: is there already; remove it, or choose another place")
            if self.cache.resolve() in self.out.resolve().parents:
                raise OutputError(f"{self.cache}: cannot be moved into itself, to {self.out}")
        for path in sorted(self.cache.glob("*.jsonl")):
            if path.stem.isdigit() and int(path.stem) >= files:
                raise OutputError(
                    f"{path}: is of another selection, and would be mixed into the {files} files "
                    "of this one; remove it, or choose another folder"
                )

    def file(self, number: int) -> Path:
        """Return where the file of a virtual shard is written."""
        return self.cache / f"{number}.jsonl"

    def finish(self) -> None:
        """Move what was written to where it goes.

        Raises:
            OutputError: it cannot be moved.
        """
        if self._moves():
            with _refusing(self.out):
                shutil.move(str(self.cache), str(self.out))

    def _moves(self) -> bool:
        return self.cache.resolve() != self.out.resolve()
