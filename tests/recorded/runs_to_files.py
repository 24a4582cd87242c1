"""Make the recorded runs with the dsir that this Python imports, everything they give in files.

What byte_for_byte.py runs with either installation.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from recorded_runs import RUNS, Place

import dsir


def main() -> None:
    """Make the runs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("inputs", type=Path, help="what recorded_inputs.write_inputs wrote")
    parser.add_argument("folder", type=Path, help="gets a folder a run, and seconds.json")
    parser.add_argument("runs", nargs="*", help="which; all by default")
    parser.add_argument("--threads", type=int, default=2, help="how many to use [default: 2]")
    arguments = parser.parse_args()
    seconds = {}
    for name in arguments.runs or RUNS:
        place = Place(arguments.inputs, arguments.folder / name, arguments.threads)
        place.folder.mkdir(parents=True)
        started = time.perf_counter()
        result = RUNS[name](place)
        seconds[name] = time.perf_counter() - started
        values = place.folder / "values"
        values.mkdir()
        for value_name, value in [*result.values.items(), *result.here.items()]:
            _write(values / value_name, value)
    (arguments.folder / "seconds.json").write_text(json.dumps(seconds))
    print(f"{len(seconds)} runs, {sum(seconds.values()):.1f} s in them, with {dsir.__file__}")


def _write(path: Path, value: Any) -> None:
    """Write a value with all its bits; the suffix says how."""
    if isinstance(value, np.ndarray):
        np.save(path.with_name(path.name + ".npy"), value)
    elif isinstance(value, pa.Table):
        with pa.ipc.new_stream(str(path) + ".arrows", value.schema) as writer:
            writer.write_table(value)
    elif isinstance(value, pa.Array | pa.ChunkedArray):
        _write(path, pa.table({"values": value}))
    else:
        path.with_name(path.name + ".json").write_text(json.dumps(value, default=str))


if __name__ == "__main__":
    main()
