"""Record the digests of the recorded runs, or show what is behind them.

python tests/recorded/record.py                           # writes runs.json: do it on purpose only
python tests/recorded/record.py --check [--threads 1]     # makes the runs and compares
python tests/recorded/record.py --show n-parquet          # prints what one run gave

The runs are made with the dsir that this Python imports. `DSIR_SIMD=scalar` and other numbers of
threads have to give the same digests.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from recorded_digests import digest_of, input_parts, parts_of
from recorded_inputs import write_inputs
from recorded_runs import RUNS, Place

RECORDED = Path(__file__).with_name("runs.json")
INPUTS = "inputs"  # Where runs.json has the digests of what the runs read.


def made(name: str, inputs: Path, folder: Path, threads: int = 2) -> dict[str, Any]:
    """Make a run, and return its parts by name.

    Args:
        name: of the run.
        inputs: what `write_inputs` wrote.
        folder: for the run's files; must not exist.
        threads: how many to use.
    """
    folder.mkdir(parents=True)
    place = Place(inputs, folder, threads)
    return parts_of(RUNS[name](place), place)


def digests(parts: dict[str, Any]) -> dict[str, str]:
    """Return the digest of every part."""
    return {name: digest_of(part) for name, part in parts.items()}


def differences(recorded: dict[str, str], found: dict[str, str]) -> list[str]:
    """Say which parts are not as recorded: a line each."""
    lines = [f"{name}: is no longer there" for name in recorded if name not in found]
    lines += [f"{name}: is new" for name in found if name not in recorded]
    return lines + [
        f"{name}: is {found[name]}, recorded is {digest}"
        for name, digest in recorded.items()
        if name in found and found[name] != digest
    ]


def main() -> int:
    """Record, check or show."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--show", metavar="RUN", choices=sorted(RUNS), help="print a run's parts")
    parser.add_argument("--threads", type=int, default=2, help="how many to use [default: 2]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        write_inputs(folder / "inputs")
        names = [arguments.show] if arguments.show else list(RUNS)
        found = {INPUTS: digests(input_parts(folder / "inputs"))}
        for name in names:
            try:
                parts = made(name, folder / "inputs", folder / name, arguments.threads)
            except Exception as error:
                if not arguments.check:
                    raise
                print(f"{name}: fails with {type(error).__name__}: {error}")
                found[name] = {}
                continue
            found[name] = digests(parts)
            if arguments.show:
                for part, value in parts.items():
                    print(f"---- {part}: {found[name][part]}\n{_shown(value)}")
    if arguments.show:
        return 0
    if not arguments.check:
        RECORDED.write_text(json.dumps(found, indent=1) + "\n")
        print(f"{len(RUNS)} runs, {sum(map(len, found.values()))} digests in {RECORDED}")
        return 0
    recorded = json.loads(RECORDED.read_text())
    wrong = [f"{name}: is no longer there" for name in recorded if name not in found]
    for name, of_run in found.items():
        if of_run:
            wrong += [f"{name}: {line}" for line in differences(recorded.get(name, {}), of_run)]
    failed = [name for name, of_run in found.items() if not of_run]
    if wrong or failed:
        print("\n".join([*wrong, f"{len(failed)} runs fail, {len(wrong)} digests differ"]))
        return 1
    print(f"{len(RUNS)} runs are as recorded")
    return 0


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, indent=1, default=str)
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
