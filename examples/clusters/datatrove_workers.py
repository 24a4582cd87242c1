"""Runs the workers of a planned selection with an executor of datatrove.

    pip install dsir datatrove
    python examples/clusters/datatrove_workers.py

datatrove starts the tasks, here four on this machine; `SlurmPipelineExecutor` starts them as an
array. What is done is in dsir's work directory, so a task that is run again does no harm, and it
does not matter which task does which unit.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep

CORPUS = Path(__file__).parents[1] / "corpus"


def dsir(*words: object) -> None:
    """Run a command of dsir to its end."""
    subprocess.run([sys.executable, "-m", "dsir", *map(str, words)], check=True)


class Work(PipelineStep):
    """One worker of a planned selection."""

    type = "DSIR"
    name = "dsir work"

    def __init__(self, workdir: str) -> None:
        super().__init__()
        self.workdir = workdir

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Any:
        """Do units until none is left."""
        part = f"{rank}/{world_size}"
        dsir("work", self.workdir, "--part", part, "--threads", 1, "--quiet")
        return data


def main() -> None:
    """Plan, work, finish."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = [CORPUS / "raw-00.jsonl", CORPUS / "raw-01.jsonl"]
        target = CORPUS / "target-scripture.jsonl"
        work = folder / "work"
        dsir("plan", *raw, "-t", target, "--n", 20, "-o", folder / "selected", "--workdir", work)
        LocalPipelineExecutor(
            pipeline=[Work(str(work))],
            tasks=4,
            workers=2,
            logging_dir=str(folder / "logs"),
        ).run()
        dsir("finish", work)


if __name__ == "__main__":
    main()
