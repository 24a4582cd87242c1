"""Whose selection is in an output folder: that of this run, begun earlier, or that of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsir.errors import OutputError
from dsir.output.claim import Claim
from dsir.output.folder import DATA_FOLDER, ORIGINS_FOLDER, WEIGHTS_FOLDER, own_files
from dsir.output.manifest import checksum_in
from dsir.remote import Location, within
from dsir.stages.write import written_files
from dsir.storage.workdir import Workdir

_NOTE = "finished.json"
_WITH_MARKERS = (DATA_FOLDER, ORIGINS_FOLDER, WEIGHTS_FOLDER)


def note_finished(workdir: Workdir, run: str, manifest: Mapping[str, Any]) -> None:
    """Note in a work directory which selection its run is about to finish.

    Args:
        workdir: the work directory.
        run: what tells the run from others.
        manifest: the content of the selection's manifest.
    """
    workdir.keep(_NOTE, {"run": run, "selection": manifest["checksum"]})


def is_output_of(run: str, out: Location, claim: Claim, workdir: Workdir) -> bool:
    """Tell whether everything that dsir has written to a folder is of this run.

    A selection is if its manifest is the one that the work directory names. Unfinished output is if
    the folder's claim names the run. Parts without manifest and claim are if the work directory has
    their markers.

    Args:
        run: what tells the run from others.
        out: the output folder.
        claim: its claim.
        workdir: the work directory, which has begun to write to the folder.

    Raises:
        OutputError: the folder cannot be read.
        WorkdirError: the work directory is damaged.
    """
    try:
        selection = checksum_in(out)
    except (FileNotFoundError, NotADirectoryError):
        return claim.owner == run or _all_marked(out, workdir)
    except OSError as error:
        raise OutputError(f"{out}: cannot be read: {error}") from error
    return workdir.kept(_NOTE) == {"run": run, "selection": selection}


def _all_marked(out: Location, workdir: Workdir) -> bool:
    marked = written_files(workdir, "outputs", out)
    return all(
        path in marked
        for path in own_files(out)
        if within(path, out).rpartition("/")[0] in _WITH_MARKERS
    )
