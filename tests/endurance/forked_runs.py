"""Selections in processes that are killed or stopped at a chosen write, at a few per second.

`Runs` starts this file as a process that has dsir loaded and has never selected anything. That
process forks once for every run, which takes milliseconds. In the fork an audit hook counts what
the run does to files below a folder: opening for writing, renaming, removing, making folders. At
the number that was asked for, the run kills itself, or stops until it is told to go on.

The protocol `shelf://` is a store of fsspec: a folder of this machine, which processes share.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EVENTS = {"os.rename": 0, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0, "os.truncate": 0}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_UNIT_BYTES = 3000


@dataclass(frozen=True)
class Ended:
    """How a run ended, or that it was stopped.

    Attributes:
        how: "done", "refused" (an error of dsir), "failed" (any other), "killed" or "stopped".
        said: the error.
        events: how often it wrote; 0 if it was killed.
        process: its process.
    """

    how: str
    said: str
    events: int
    process: int


class Runs:
    """Makes runs, one after the other; close it at the end.

    Args:
        folder: the writes below this folder are counted; its `store` is the store, and temporary
            files go to its `tmp`.
    """

    def __init__(self, folder: Path) -> None:
        for name in ("store", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._server = subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(folder / "tmp")},
        )

    def run(self, call: dict[str, Any], *, kill: int = 0, stop: int = 0) -> Ended:
        """Make a call of `dsir.select`.

        Args:
            call: its arguments, JSON values.
            kill: kill the run before its write of this number; 0 for never.
            stop: stop it there.
        """
        return self._ask({"call": call, "kill": kill, "stop": stop})

    def go_on(self, stopped: Ended) -> Ended:
        """Let a stopped run go on, and wait for its end."""
        return self._ask({"go_on": stopped.process})

    def _ask(self, request: dict[str, Any]) -> Ended:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process that forks ended with {self._server.wait()}")
        return Ended(**json.loads(answer))

    def close(self) -> None:
        """End the process that forks."""
        self._server.communicate()


class _Counter:
    """The audit hook of a run."""

    def __init__(self, folder: str, kill: int, stop: int) -> None:
        self.count = 0
        self._folder = folder
        self._at = {kill: signal.SIGKILL, stop: signal.SIGSTOP}

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if not (set(mode or "") & set("wax+") or (flags or 0) & _WRITES):
                return
        elif event in _EVENTS:
            path = arguments[0]
        else:
            return
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        if os.fsdecode(path).startswith(self._folder):
            self.count += 1
            if self.count in self._at:
                os.kill(os.getpid(), self._at[self.count])


def _be_run(folder: str, request: dict[str, Any], pipe: int) -> None:
    import dsir

    counter = _Counter(folder, request["kill"], request["stop"])
    sys.addaudithook(counter)
    how, said = "failed", ""
    try:
        dsir.select(**request["call"], threads=1, progress=False)
        how = "done"
    except dsir.DsirError as error:
        how, said = "refused", str(error)
    finally:
        if how == "failed":
            said = traceback.format_exc()
        os.write(pipe, json.dumps({"how": how, "said": said, "events": counter.count}).encode())
        os._exit(0)


def _answer(pipe: int, process: int) -> dict[str, Any]:
    """Wait until a run has ended or was stopped; returns the fields of `Ended`."""
    _, status = os.waitpid(process, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"how": "stopped", "said": "", "events": 0, "process": process}
    with os.fdopen(pipe, "rb") as stream:
        said = stream.read()
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return {"how": "killed", "said": "", "events": 0, "process": process}
    if status != 0 or not said:
        return {"how": "failed", "said": f"status {status}", "events": 0, "process": process}
    return {**json.loads(said), "process": process}


def _register_store(folder: Path) -> None:
    import fsspec
    from fsspec.implementations.dirfs import DirFileSystem
    from fsspec.implementations.local import LocalFileSystem

    class Shelf(DirFileSystem):  # type: ignore[misc]
        """A folder as a store."""

        protocol = "shelf"

        def __init__(self) -> None:
            super().__init__(path=str(folder / "store"), fs=LocalFileSystem(auto_mkdir=True))

    fsspec.register_implementation("shelf", Shelf)


def main(folder: Path) -> None:
    """Fork for every request on standard input, and answer on standard output."""
    # What a run imports is loaded once, before any fork.
    import pyarrow.compute
    import pyarrow.json
    import pyarrow.parquet

    from dsir.run import select
    from dsir.stages import units

    del pyarrow, select
    warnings.simplefilter("ignore")
    units.UNIT_BYTES = _UNIT_BYTES
    # A kill is survived without it.
    os.fsync = lambda handle: None  # type: ignore[assignment]
    _register_store(folder)
    pipes: dict[int, int] = {}
    for line in sys.stdin:
        request = json.loads(line)
        process = request.get("go_on")
        if process is None:
            reading, writing = os.pipe()
            process = os.fork()
            if process == 0:
                os.close(reading)
                _be_run(str(folder), request, writing)
            os.close(writing)
            pipes[process] = reading
        else:
            os.kill(process, signal.SIGCONT)
        answer = _answer(pipes[process], process)
        if answer["how"] != "stopped":
            del pipes[process]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
