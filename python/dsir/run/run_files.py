"""The files beside a selection: what they say of the inputs, and of the run."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from dsir.output.folder import RUN_FILE
from dsir.output.manifest import described_input
from dsir.output.writer import writing
from dsir.remote import Location
from dsir.run.fitting import Fitted
from dsir.run.given_model import GivenModel
from dsir.run.inputs import Inputs
from dsir.settings.machine import Machine
from dsir.storage.atomic import write_json
from dsir.version import __version__


def described_inputs(
    inputs: Inputs,
    raw_rows: Sequence[int],
    fitted: Fitted,
    model: GivenModel | None,
) -> dict[str, Any]:
    """Return the inputs as JSON values for the manifest, with the rows of each file.

    Args:
        inputs: the corpora.
        raw_rows: rows read, for every file of raw.
        fitted: the fit, which knows the rows of every file of the targets and the negatives.
        model: the model that takes the place of targets; None for targets.
    """
    raw = [described_input(*one) for one in zip(inputs.raw.first_shards, raw_rows, strict=True)]
    if model is not None:
        return {"raw": raw, "model": {"path": None if model.path is None else str(model.path)}}
    names = inputs.target.names
    targets = [
        [described_input(*one) for one in zip(corpus.first_shards, rows, strict=True)]
        for corpus, rows in zip(inputs.target.corpora, fitted.target_rows, strict=True)
    ]
    found: dict[str, Any] = {"raw": raw}
    if names:
        named = zip(names, targets, strict=True)
        found["target"] = [{"name": name, "shards": shards} for name, shards in named]
    else:
        found["target"] = targets[0]
    negatives = inputs.target.negatives
    if negatives is not None:
        with_rows = zip(negatives.first_shards, fitted.negative_rows, strict=True)
        found["negatives"] = [described_input(*one) for one in with_rows]
    return found


def write_run_file(
    out: Location, machine: Machine, inputs: Inputs, stages: Any, begun: float
) -> None:
    """Write run.json: versions, threads and times of a run.

    They are not in `selection.json`, which depends on data, settings and seed alone, so that two
    runs can be compared byte by byte.

    Args:
        out: the output folder.
        machine: what the run used.
        inputs: its inputs, which know what was left out.
        stages: how long each stage took, as `Metrics.stages`.
        begun: when the run began, in seconds since 1970.

    Raises:
        OutputError: the file cannot be written.
    """
    run = {
        "dsir": __version__,
        "python": platform.python_version(),
        "pyarrow": pa.__version__,
        "machine": platform.machine(),
        "threads": machine.engine.threads,
        "left_out": [one.describe() for one in inputs.left_out],
        "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begun)),
        "seconds": round(time.time() - begun, 3),
        "stages": stages,
    }
    with writing(out / RUN_FILE):
        write_json(out / RUN_FILE, run)
