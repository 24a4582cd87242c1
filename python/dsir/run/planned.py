"""Planned runs: a call of select(), checked and cut into units once, for workers to carry out.

`plan_run` makes the work directory and seals the call in `plan.json`. `open_planned` reads it, on
any machine that sees the same paths, and refuses inputs that have changed since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dsir.corpus import Paths
from dsir.errors import ModelError, SettingError, WorkdirError
from dsir.model.carried_features import restore_features, sealed_features
from dsir.model.targets import TargetCorpora
from dsir.remote import Folder, Location, Mirror, folder_of, location_of
from dsir.run.first_look import look_as_planned
from dsir.run.inputs import Inputs, note_left_out, open_inputs
from dsir.run.planned_code import refused_code, sealed_code, sources_in
from dsir.run.select_run import SelectionRun
from dsir.settings.machine import Machine
from dsir.settings.plan import Plan
from dsir.storage.sealed_json import read_sealed, write_sealed
from dsir.storage.workdir import Workdir
from dsir.storage.workdir_folder import make_folder
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
        sources: files and modules whose kernels and functions workers need.
    """

    files: int
    units: int
    bytes: int
    sources: tuple[str, ...] = ()


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
    negatives: object = None,
) -> PlannedUnits:
    """Check a call of select() and seal it in a new work directory.

    The same call may be planned again: then nothing changes.

    Args:
        plan: everything that the result depends on, besides the inputs.
        machine: what planning may use.
        raw: paths, patterns or folders.
        target: the target, given as in `select`, in files.
        out: the folder to write to.
        workdir: the work directory, a folder that all workers see, or one in a store.
        overwrite: replace a selection in `out`.
        negatives: what a classifier learns to tell the target from, in files; None for raw.

    Raises:
        WorkdirError: the folder belongs to another run, or the store cannot hold one.
        DsirError: see `select`.
    """
    sealed_code(plan)  # Refuses what workers could not have.
    plan.fit.refuse_negatives(negatives)
    with folder_of(_location(workdir)) as folder:
        return _plan_in(folder, plan, machine, raw, target, out, overwrite, negatives)


def _plan_in(
    folder: Folder,
    plan: Plan,
    machine: Machine,
    raw: list[str],
    target: object,
    out: Location,
    overwrite: bool,
    negatives: object,
) -> PlannedUnits:
    plan.documents.check_texts(plan.fit.features)
    inputs = open_inputs(
        Paths(raw),
        target,
        text=plan.reading.text,
        target_text=plan.reading.target_text,
        text_encoding=plan.reading.text_encoding,
        language=plan.language.column(),
        on_error=plan.reading.on_error,
        windows=plan.documents,
        features=plan.fit.features,
        machine=machine,
        look=lambda found, targets: look_as_planned(
            found, targets, machine.engine, plan, plan.fit.features
        ),
        negatives=negatives,
    )
    note_left_out(machine.reporter, inputs.raw, *inputs.target.all_corpora)
    run = SelectionRun.of(plan, machine, inputs, out, overwrite=overwrite)
    run.check_folders(folder)
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
            **_negatives_of(inputs.target),
            "versions": _versions(),
            **sealed_features(plan.fit.features),
            **sealed_code(plan),
        }
        earlier = _read(folder) if _plan_of(folder).exists() else None
        if earlier is not None and earlier != described:
            raise WorkdirError(
                f"{folder}: another call is planned in it; give another work directory, "
                "or remove this one"
            )
        opened.stage("counts", plan.counts())
        path = _plan_of(folder)
        write_sealed(path, described)
        if isinstance(folder, Mirror):
            folder.upload(path)
    shards = inputs.raw.shards
    return PlannedUnits(
        len(inputs.raw.first_shards), len(shards), inputs.raw.size, tuple(sources_in(described))
    )


@contextmanager
def open_planned(workdir: str, machine: Machine) -> Iterator[PlannedRun]:
    """Open a planned run for a block.

    Raises:
        WorkdirError: nothing is planned in the folder, the inputs have changed since, or this
            worker has other versions or other kernels than the one that planned.
        SettingError: the plan needs kernels that this process has not imported.
        InputError: an input is missing or cannot be reached.
    """
    with folder_of(_location(workdir)) as folder:
        yield _opened(folder, machine)


def _opened(folder: Folder, machine: Machine) -> PlannedRun:
    described = _read(folder)
    plan = _plan_in_file(folder, described)
    try:
        target = described["target"]
        sources = (
            Paths(target)
            if isinstance(target, list)
            else {name: Paths(files) for name, files in target.items()}
        )
        raw, out, overwrite = Paths(described["raw"]), described["out"], described["overwrite"]
        negatives = Paths(described["negatives"]) if "negatives" in described else None
    except (AttributeError, KeyError, TypeError) as error:
        raise _no_plan(folder, error) from error
    inputs = open_inputs(
        raw,
        sources,
        text=plan.reading.text,
        target_text=plan.reading.target_text,
        text_encoding=plan.reading.text_encoding,
        language=plan.language.column(),
        on_error=plan.reading.on_error,
        windows=plan.documents,
        features=plan.fit.features,
        machine=machine,
        negatives=negatives,
    )
    run = SelectionRun.of(plan, machine, inputs, location_of(out), overwrite=bool(overwrite))
    return PlannedRun(run, _workdir_of(folder, inputs))


def _plan_in_file(folder: Folder, described: Mapping[str, Any]) -> Plan:
    """Return what was planned.

    Raises:
        WorkdirError, SettingError: see `open_planned`.
    """
    _refuse_versions(folder, described["versions"])
    try:
        restore_features(described)
        return Plan.from_json(described["settings"])
    except ModelError as error:
        refused = refused_code(folder, described, error)
        if refused is None:
            raise
        raise refused from error
    except SettingError as error:
        # The versions are those that it was planned with, so a file that it names has changed.
        raise WorkdirError(f"{folder}: does not hold any more: {error}; or plan again") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise _no_plan(folder, error) from error


def _no_plan(folder: Folder, error: Exception) -> WorkdirError:
    return WorkdirError(
        f"{folder}/{PLAN_FILE}: is no plan of this version of dsir ({error}); plan again"
    )


def check_planned(workdir: str) -> None:
    """Raise the errors of `open_planned` that do not come from the inputs."""
    with folder_of(_location(workdir)) as folder:
        _plan_in_file(folder, _read(folder))


def is_planned(folder: Folder) -> bool:
    """Tell whether a work directory holds a planned run."""
    return _plan_of(folder).is_file()


def _location(workdir: str) -> Location:
    """Return the work directory as given, so that messages name it in the caller's words."""
    found = location_of(workdir)
    return Path(workdir) if isinstance(found, Path) and "://" not in workdir else found


def _plan_of(folder: Folder) -> Path:
    """Return the path of the plan, fetched from the store if the folder is in one."""
    return folder.fetch(PLAN_FILE) if isinstance(folder, Mirror) else folder / PLAN_FILE


def _workdir_of(folder: Folder, inputs: Inputs) -> Workdir:
    return Workdir(folder, {"stage": "select"}, inputs.identity(), units=inputs.units())


def _read(folder: Folder) -> dict[str, Any]:
    path = _plan_of(folder)
    try:
        found = read_sealed(path)
    except FileNotFoundError:
        raise WorkdirError(
            f"{folder}: nothing is planned in it; run 'dsir plan ... --workdir {folder}' first"
        ) from None
    except (OSError, ValueError) as error:
        raise WorkdirError(f"{folder}/{PLAN_FILE}: cannot be read ({error}); plan again") from error
    if found.get("format") != _FORMAT or not isinstance(found.get("versions"), dict):
        raise WorkdirError(f"{folder}/{PLAN_FILE}: is no plan of this version of dsir; plan again")
    return found


def _versions() -> dict[str, str]:
    """Return the versions that may change a result or the bytes of a file."""
    return {"dsir": __version__, "pyarrow": pa.__version__, "numpy": np.__version__}


def _refuse_versions(folder: Folder, planned: Mapping[str, str]) -> None:
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


def _negatives_of(target: TargetCorpora) -> dict[str, list[str]]:
    """Return the files of the negatives, if there are any, as an entry of the plan."""
    if target.negatives is None:
        return {}
    return {"negatives": [_absolute(shard.file) for shard in target.negatives.first_shards]}


def _absolute(location: Location | None) -> str:
    """Return where a file is for workers that start in other folders."""
    return str(location.absolute() if isinstance(location, Path) else location)
