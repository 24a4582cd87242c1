"""Planned runs: a call of select(), checked and cut into units once, for workers to carry out.

`plan_run` makes the work directory and seals the call in `plan.json`. `open_planned` reads it, on
any machine that sees the same paths, and refuses inputs that have changed since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dsir.corpus import Paths
from dsir.errors import SettingError, WorkdirError
from dsir.model.targets import TargetCorpora
from dsir.remote import Location, is_url, location_of
from dsir.run.first_look import look_at_inputs
from dsir.run.inputs import Inputs, note_left_out, open_inputs
from dsir.run.select_run import SelectionRun
from dsir.settings.machine import Machine
from dsir.settings.plan import Plan
from dsir.storage.sealed_json import read_sealed, write_sealed
from dsir.storage.workdir import Workdir, make_folder
from dsir.storage.workdir_lock import locked
from dsir.version import __version__

PLAN_FILE = "plan.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class PlannedUnits:
    """How much there is to do in a planned run.

    Attributes:
        files: files of raw.
        units: units of work that they are cut into.
        bytes: bytes of these.
    """

    files: int
    units: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A planned run, opened by a worker.

    Attributes:
        run: the call.
        workdir: its work directory.
    """

    run: SelectionRun
    workdir: Workdir


def plan_run(
    plan: Plan,
    machine: Machine,
    raw: list[str],
    target: object,
    *,
    out: Location,
    workdir: str,
    overwrite: bool,
) -> PlannedUnits:
    """Check a call of select() and seal it in a new work directory.

    The same call may be planned again: then nothing changes.

    Args:
        plan: everything that the result depends on, besides the inputs.
        machine: what planning may use.
        raw: paths, patterns or folders.
        target: the target, given as in `select`, in files.
        out: the folder to write to.
        workdir: the work directory, a folder that all workers see.
        overwrite: replace a selection in `out`.

    Raises:
        SettingError: the work directory is in a store.
        WorkdirError: the folder belongs to another run.
        DsirError: see `select`.
    """
    folder = _shared_folder(workdir)
    inputs = open_inputs(
        Paths(raw),
        target,
        text=plan.reading.text,
        target_text=plan.reading.target_text,
        text_encoding=plan.reading.text_encoding,
        on_error=plan.reading.on_error,
        windows=plan.documents,
        features=plan.fit.features,
        machine=machine,
        look=lambda found, targets: look_at_inputs(
            found, targets, machine.engine, plan.reading, plan.draw
        ),
    )
    note_left_out(machine.reporter, inputs.raw, *inputs.target.corpora)
    run = SelectionRun.of(plan, machine, inputs, out, overwrite=overwrite)
    make_folder(folder)
    with locked(folder):
        opened = _workdir_of(folder, inputs)
        output = run.output()
        assert output is not None
        with output.held(opened):
            pass  # It is checked, and may be held.
        described = {
            "format": _FORMAT,
            "settings": plan.describe(),
            "out": _absolute(out),
            "overwrite": overwrite,
            "raw": [_absolute(shard.file) for shard in inputs.raw.first_shards],
            "target": _files_of(inputs.target),
            "versions": _versions(),
        }
        earlier = _read(folder) if (folder / PLAN_FILE).exists() else None
        if earlier is not None and earlier != described:
            raise WorkdirError(
                f"{folder}: another call is planned in it; give another work directory, "
                "or remove this one"
            )
        opened.stage("counts", plan.counts())
        write_sealed(folder / PLAN_FILE, described)
    return PlannedUnits(len(inputs.raw.first_shards), len(inputs.raw.shards), inputs.raw.size)


def open_planned(workdir: str, machine: Machine) -> PlannedRun:
    """Open a planned run.

    Raises:
        WorkdirError: nothing is planned in the folder, the inputs have changed since, or this
            worker has other versions than the one that planned.
        SettingError: the folder is in a store.
        InputError: an input is missing or cannot be reached.
    """
    folder = _shared_folder(workdir)
    described = _read(folder)
    _refuse_versions(folder, described["versions"])
    try:
        plan = Plan.from_json(described["settings"])
        target = described["target"]
        sources = (
            Paths(target)
            if isinstance(target, list)
            else {name: Paths(files) for name, files in target.items()}
        )
        raw, out, overwrite = Paths(described["raw"]), described["out"], described["overwrite"]
    except (AttributeError, KeyError, TypeError, SettingError) as error:
        raise WorkdirError(
            f"{folder / PLAN_FILE}: is no plan of this version of dsir ({error}); plan again"
        ) from error
    inputs = open_inputs(
        raw,
        sources,
        text=plan.reading.text,
        target_text=plan.reading.target_text,
        text_encoding=plan.reading.text_encoding,
        on_error=plan.reading.on_error,
        windows=plan.documents,
        features=plan.fit.features,
        machine=machine,
    )
    run = SelectionRun.of(plan, machine, inputs, location_of(out), overwrite=bool(overwrite))
    return PlannedRun(run, _workdir_of(folder, inputs))


def check_planned(workdir: str) -> None:
    """Raise WorkdirError unless a run is planned in a work directory that this version can do.

    Raises:
        SettingError: the folder is in a store.
    """
    folder = _shared_folder(workdir)
    _refuse_versions(folder, _read(folder)["versions"])


def is_planned(folder: Path) -> bool:
    """Tell whether a work directory holds a planned run."""
    return (folder / PLAN_FILE).is_file()


def _shared_folder(workdir: str) -> Path:
    if is_url(workdir):
        raise SettingError(
            f"workdir={workdir}: a planned run needs a folder that all workers see, such as one "
            "on a network file system; a store cannot be shared between workers yet"
        )
    return Path(workdir)


def _workdir_of(folder: Path, inputs: Inputs) -> Workdir:
    return Workdir(folder, {"stage": "select"}, inputs.identity(), units=inputs.units())


def _read(folder: Path) -> dict[str, Any]:
    path = folder / PLAN_FILE
    try:
        found = read_sealed(path)
    except FileNotFoundError:
        raise WorkdirError(
            f"{folder}: nothing is planned in it; run 'dsir plan ... --workdir {folder}' first"
        ) from None
    except (OSError, ValueError) as error:
        raise WorkdirError(f"{path}: cannot be read ({error}); plan again") from error
    if found.get("format") != _FORMAT or not isinstance(found.get("versions"), dict):
        raise WorkdirError(f"{path}: is no plan of this version of dsir; plan again")
    return found


def _versions() -> dict[str, str]:
    """Return the versions that may change a result or the bytes of a file."""
    return {"dsir": __version__, "pyarrow": pa.__version__, "numpy": np.__version__}


def _refuse_versions(folder: Path, planned: Mapping[str, str]) -> None:
    """Refuse to work with other versions, before any work: parts would differ by worker."""
    for name, version in _versions().items():
        if planned.get(name) != version and name != "numpy":
            raise WorkdirError(
                f"{folder}: was planned with {name} {planned.get(name)}, and this worker has "
                f"{version}; install the same version everywhere, or plan again"
            )


def _files_of(target: TargetCorpora) -> list[str] | dict[str, list[str]]:
    files = [[_absolute(shard.file) for shard in one.first_shards] for one in target.corpora]
    return dict(zip(target.names, files, strict=True)) if target.names else files[0]


def _absolute(location: Location | None) -> str:
    """Return where a file is for workers that start in other folders."""
    return str(location.absolute() if isinstance(location, Path) else location)
