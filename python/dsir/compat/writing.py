"""Writes the resampled examples: one JSON Lines file per virtual shard, moved to out_dir last."""

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
        dataset: the dataset.
        chosen: bool, one entry per example.
        paths: the output file of each virtual shard.
    """

    dataset: Dataset
    chosen: npt.NDArray[np.bool_]
    paths: Sequence[Path]


def write_dataset(task: WriteTask, progress: Progress) -> None:
    """Write the chosen examples; the files appear complete or not at all.

    Raises:
        ShardError: the dataset has more or fewer examples than when it was weighed.
        OutputError: the files cannot be written.
    """
    files: list[UnfinishedFile] = []
    try:
        for path in task.paths:
            with _output_errors(path):
                files.append(UnfinishedFile(path))
        pieces = _lines(task, progress) if task.dataset.is_lines else _dumps(task, progress)
        for shard, lines in pieces:
            with _output_errors(task.paths[shard]):
                files[shard].write(lines)
        for path, file in zip(task.paths, files, strict=True):
            with _output_errors(path):
                file.commit()
    finally:
        for file in files:
            file.discard()
    progress(task.dataset.size)


@contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _lines(task: WriteTask, progress: Progress) -> Iterator[tuple[int, bytes]]:
    """Yield the chosen lines of each virtual shard: the file's bytes, without outer white space."""
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
            f"{task.dataset.name}: has more or fewer examples than the {len(task.chosen):,} that "
            "were weighed; call compute_importance_weights() again",
            path=task.dataset.name,
        )


@dataclass(frozen=True, slots=True)
class Destination:
    """The folder that resample() writes to, and the folder that the files are moved to at the end.

    As in the reference, files are written to the cache directory. It then becomes the out directory
    or, if the out directory already exists, a folder in it.

    Attributes:
        out: the out directory.
        cache: the cache directory; `out` if none was given.
    """

    out: Path
    cache: Path

    def check(self, files: int) -> None:
        """Check that the move at the end can work, and that no other selection's files are there.

        Args:
            files: number of files that will be written.

        Raises:
            OutputError: the move would fail, or files of two selections would be mixed.
        """
        if self.out.exists() and not self.out.is_dir():
            raise OutputError(
                f"{self.out}: is a file; expected a folder, or a path that does not exist"
            )
        if self._moves():
            place = self.out / self.cache.name if self.out.is_dir() else self.out
            if place.exists():
                raise OutputError(f"{place}: already exists; remove it, or choose another folder")
            if self.cache.resolve() in self.out.resolve().parents:
                raise OutputError(
                    f"{self.cache}: cannot be moved into itself, to {self.out}; choose another "
                    "folder"
                )
        for path in sorted(self.cache.glob("*.jsonl")):
            if path.stem.isdigit() and int(path.stem) >= files:
                raise OutputError(
                    f"{path}: belongs to another selection and would be mixed with the {files} "
                    "files of this one; remove it, or choose another folder"
                )

    def file(self, number: int) -> Path:
        """Return the path to write a virtual shard's file to."""
        return self.cache / f"{number}.jsonl"

    def finish(self) -> None:
        """Move the files to the out directory.

        Raises:
            OutputError: they cannot be moved.
        """
        if self._moves():
            with _output_errors(self.out):
                shutil.move(str(self.cache), str(self.out))

    def _moves(self) -> bool:
        return self.cache.resolve() != self.out.resolve()
