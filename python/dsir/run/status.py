"""How far a run is, from its work directory alone; also for a dead run or on another machine."""

from __future__ import annotations

import fnmatch
import os
import re
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.output.folder import SELECTION_FILE, UNITS_FOLDER
from dsir.remote import Folder, Mirror, location_of
from dsir.run.folders import is_folder_of_columns
from dsir.run.planned import is_planned
from dsir.run.score_columns import COLUMNS_STAGE
from dsir.stages.count_files import WHOLE
from dsir.stages.units import unit_counts, unit_sizes
from dsir.storage.sealed_json import read_sealed
from dsir.storage.workdir_folder import local_copy
from dsir.storage.workdir_lock import holder_of
from dsir.storage.workdir_manifest import fingerprint_of, read_manifest
from dsir.storage.workers import WorkerStatus, workers_of


@dataclass(frozen=True, slots=True)
class StageStatus:
    """How far a stage is.

    Attributes:
        name: fit, score, sample or write.
        done: finished units of work (shards, or parts of large shards).
        total: number of all units; None if it is not known yet.
        bytes_done: size of the finished units of the input; 0 for stages that go by rows.
        bytes_total: size of all units of the input; 0 for stages that go by rows.
        first: time of the first result, in seconds since 1970; None if there is none.
        last: time of the last result.
    """

    name: str
    done: int
    total: int | None
    bytes_done: int = 0
    bytes_total: int = 0
    first: float | None = None
    last: float | None = None

    @property
    def bytes_per_second(self) -> float | None:
        """The rate between the first and the last result; None if there are not two."""
        if self.first is None or self.last is None or self.last <= self.first or not self.done:
            return None
        # The first result's own bytes lie before the first time.
        return self.bytes_done * (self.done - 1) / self.done / (self.last - self.first) or None

    @property
    def seconds_left(self) -> float | None:
        """The time left at this rate; None if the rate is not known."""
        rate = self.bytes_per_second
        return None if rate is None else (self.bytes_total - self.bytes_done) / rate

    def describe(self) -> dict[str, Any]:
        """Return the same as plain values."""
        return {
            "name": self.name,
            "done": self.done,
            "total": self.total,
            "bytes_per_second": self.bytes_per_second,
            "seconds_left": self.seconds_left,
        }


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How far a run is.

    Attributes:
        holder: the process at work: host, pid, since; None if there is none.
        finished: whether the selection is written.
        stages: the stages, in order.
        skipped: number of rows and shards that could not be read so far.
        planned: whether the run was planned, for workers.
        workers: the workers of a planned run, dead ones included.
    """

    holder: dict[str, Any] | None
    finished: bool
    stages: tuple[StageStatus, ...]
    skipped: int
    planned: bool = False
    workers: tuple[WorkerStatus, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Return the same as plain values."""
        return {
            "holder": self.holder,
            "finished": self.finished,
            "stages": [stage.describe() for stage in self.stages],
            "skipped": self.skipped,
            "planned": self.planned,
            "workers": [worker.describe() for worker in self.workers],
        }


def run_status(folder: Folder) -> RunStatus:
    """Return how far the run of a work directory is.

    Raises:
        WorkdirError: the folder is neither a work directory nor a folder of scores.
    """
    if is_folder_of_columns(folder):
        folder = folder / UNITS_FOLDER
    workdir = local_copy(folder, _is_marker)
    if isinstance(folder, Mirror):
        for stage in ("counts", "scores", "rows", "outputs"):
            (folder / stage).fetch_all(_is_marker)
    manifest = read_manifest(folder)
    if manifest["settings"].get("stage") in ("score", COLUMNS_STAGE):
        return _status_of_scores(folder, workdir, manifest)
    counts, outputs = workdir / "counts", workdir / "outputs"
    fingerprint = _own_fingerprint(counts)
    layout = manifest["units"]["raw"]
    files = manifest["inputs"]["raw"]
    sizes = np.array(unit_sizes(files, layout), dtype=np.int64)
    raw = _Markers(counts, "raw-", fingerprint)
    raw.add_files(_Markers(counts, f"{WHOLE}-", fingerprint), unit_counts(files, layout))
    target = _Markers(counts, "target", fingerprint)
    scores = _Markers(workdir / "scores", "", _own_fingerprint(workdir / "scores"))
    rows = _Markers(workdir / "rows", "", _own_fingerprint(workdir / "rows"))
    written = _Markers(outputs, "", _own_fingerprint(outputs))
    out = ((_read(outputs / "manifest.json") or {}).get("settings") or {}).get("out")
    finished = out is not None and (location_of(out) / SELECTION_FILE).is_file()
    stages = (
        raw.status("fit", len(sizes), sizes),
        scores.status("score", len(sizes), sizes),
        rows.status("sample", len(sizes)),
        written.status("write", len(written.numbers) if finished else None),
    )
    return RunStatus(
        holder_of(folder),
        finished,
        stages,
        scores.skipped + target.skipped,
        planned=is_planned(folder),
        workers=tuple(workers_of(folder)),
    )


def _status_of_scores(folder: Folder, local: Path, manifest: dict[str, Any]) -> RunStatus:
    """Return how far a folder of `dsir score` is."""
    of_units = unit_sizes(manifest["inputs"]["raw"], manifest["units"]["raw"])
    sizes = np.array(of_units, dtype=np.int64)
    scores = _Markers(local, "", fingerprint_of(manifest))
    stage = scores.status("score", len(sizes), sizes)
    return RunStatus(holder_of(folder), stage.done == stage.total, (stage,), scores.skipped)


class _Markers:
    """The markers of a stage that belong to the run, in 16 bytes each.

    Attributes:
        numbers: int64, the numbers in their names, in no order.
        times: float64, when each was written, in seconds since 1970.
        skipped: how many rows and shards they say could not be read.
    """

    def __init__(self, folder: Path, prefix: str, fingerprint: str | None) -> None:
        numbers, times = array("q"), array("d")
        self.skipped = 0
        if fingerprint is not None and folder.is_dir():
            # Sums of counts have names that begin with a word.
            named = re.compile(fnmatch.translate(f"{prefix or '[0-9]'}*[0-9].json"))
            with os.scandir(folder) as entries:
                for entry in entries:
                    content = _read(Path(entry.path)) if named.match(entry.name) else None
                    if content is None or content.get("fingerprint") != fingerprint:
                        continue
                    numbers.append(int(Path(entry.name).stem.rpartition("-")[2]))
                    times.append(entry.stat().st_mtime)
                    self.skipped += len(content.get("result", {}).get("skipped", []))
        self.numbers = np.array(numbers, dtype=np.int64)
        self.times = np.array(times, dtype=np.float64)

    def add_files(self, files: _Markers, units: list[int]) -> None:
        """Add the markers of files that were counted as a whole, as if counted unit by unit.

        Args:
            files: markers, each named by the number of the file's first unit.
            units: number of units of each file.
        """
        stops = np.cumsum(units, dtype=np.int64)
        firsts = stops - np.array(units, dtype=np.int64)
        whole = np.isin(firsts, files.numbers)
        ranges = zip(firsts[whole].tolist(), stops[whole].tolist(), strict=True)
        of_files = [np.arange(first, stop, dtype=np.int64) for first, stop in ranges]
        self.numbers = np.unique(np.concatenate([self.numbers, *of_files]))
        used = files.times[np.isin(files.numbers, firsts)]
        self.times = np.concatenate([self.times, used])

    def status(
        self, name: str, total: int | None, sizes: npt.NDArray[np.int64] | None = None
    ) -> StageStatus:
        """Return the status of the stage.

        Args:
            name: the stage.
            total: number of all units; None if it is not known yet.
            sizes: bytes of every unit, by number; None for stages that go by rows.
        """
        sizes = np.zeros(0, np.int64) if sizes is None else sizes
        known = self.numbers[self.numbers < len(sizes)]
        return StageStatus(
            name,
            len(self.numbers),
            total,
            int(sizes[known].sum()),
            int(sizes.sum()),
            float(self.times.min()) if len(self.times) else None,
            float(self.times.max()) if len(self.times) else None,
        )


def _is_marker(name: str) -> bool:
    return name.endswith(".json")


def _own_fingerprint(folder: Path) -> str | None:
    content = _read(folder / "manifest.json")
    return None if content is None else fingerprint_of(content)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return read_sealed(path)
    except (OSError, ValueError):  # Missing or damaged: the run itself reports it.
        return None
