"""The output folder of one run: held while the run works, and opened for its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dsir.errors import OutputError
from dsir.output.claim import Claim, claimed, refuse_lost
from dsir.output.folder import SELECTION_FILE
from dsir.output.manifest import write_manifest
from dsir.output.writer import writing
from dsir.remote import Location, RemotePath
from dsir.run.ownership import is_output_of, note_finished
from dsir.stages.damage.columns import LostGroups
from dsir.storage.workdir import Workdir


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutput:
    """The output folder of one run.

    Attributes:
        folder: where it is.
        run: what tells the run from others: the same command again is the same run.
        settings: what the output depends on besides the inputs, JSON values.
        overwrite: replace a selection of another run.
        check: raises what would stop the last stage; told whether the folder may hold files of an
            earlier call of this run.
    """

    folder: Location
    run: str
    settings: Mapping[str, Any]
    overwrite: bool
    check: Callable[[bool], None]

    @contextmanager
    def held(self, workdir: Workdir | None, *, for_workers: bool = False) -> Iterator[HeldOutput]:
        """Hold the folder during a block, once it is checked.

        Args:
            workdir: the work directory; None without one.
            for_workers: whether other processes are to write the parts, after the block.

        Raises:
            OutputError: another run is at work in the folder, or it cannot be written to.
        """
        if isinstance(self.folder, RemotePath):
            # A refused run leaves nothing behind; a lock that is removed leaves an empty folder.
            self.check(self._resumes(workdir, Claim(self.folder)))
        with claimed(self.folder, for_others=for_workers) as claim:
            resuming = self._resumes(workdir, claim)
            self.check(resuming)
            held = HeldOutput(self, claim, workdir, resuming)
            try:
                yield held
            except BaseException:
                if not held.resumable:
                    claim.forget(self.run)
                raise

    def _resumes(self, workdir: Workdir | None, claim: Claim) -> bool:
        """Tell whether an earlier call of this run has begun to write what is in the folder."""
        if workdir is None or workdir.stage_settings("outputs") != self.settings:
            return False
        return is_output_of(self.run, self.folder, claim, workdir)

    def refuse_lost(self, workdir: Workdir) -> None:
        """Raise OutputError if another run has taken the folder from the workers of this one."""
        claim = Claim(self.folder)
        owner = claim.owner
        if owner == self.run:
            return
        # Without a note it is finished, by this run or by another.
        if owner is not None or not is_output_of(self.run, self.folder, claim, workdir):
            raise OutputError(
                f"{self.folder}: another run has written to it since the draw of this one; "
                "plan again with another out"
            )


@dataclass(frozen=True, slots=True)
class HeldOutput:
    """An output folder that this process holds; see `RunOutput.held`."""

    output: RunOutput
    claim: Claim
    workdir: Workdir | None
    resuming: bool

    @property
    def resumable(self) -> bool:
        """Whether the same call goes on where this run stops."""
        return self.workdir is not None and self.workdir.durable

    def open(self, lost: LostGroups) -> Workdir | None:
        """Make the folder ready for parts; return the folder that notes which are finished.

        Args:
            lost: the damaged row groups.
        """
        if self._clears(lost):
            self.claim.clear()
        self.claim.begin(self.output.run, resumable=self.resumable)
        if self.workdir is None:
            return None
        return self.workdir.stage(lost.stage("outputs"), self.output.settings)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest, if all that it names is still there.

        Raises:
            OutputError: a file has gone or was changed, or the manifest cannot be written.
        """
        folder = self.output.folder
        refuse_lost(folder, manifest["files"])
        if self.workdir is not None and self.resumable:
            note_finished(self.workdir, self.output.run, manifest)
        # Written last, because this file says that the selection is complete.
        with writing(folder / SELECTION_FILE):
            write_manifest(folder, manifest)
        self.claim.finish()

    def _clears(self, lost: LostGroups) -> bool:
        """Tell whether to clear the folder before writing to it."""
        if not lost:
            left = self.output.overwrite or self.claim.owner is not None
            return left and not self.resuming
        # An earlier draw, made before the damage was found, may have written more parts than this
        # one.
        stage = lost.stage("outputs")
        return (
            self.workdir is not None and self.workdir.stage_settings(stage) != self.output.settings
        )
