"""Select on a Ray cluster of two small nodes, lose nodes, and compare with `dsir select` alone.

    python tests/endurance/ray_anywhere.py --settings 20 --seed 1

For each of so many random settings the same call runs on one machine and on the cluster; in most
rounds a node is killed while the call is at work, and another takes its place. The outputs must be
equal byte for byte. Exits with 1 if one is not.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from ray_cluster import SMALL, two_nodes
from work_anywhere import WrongError, _compare, done, dsir, make_inputs, settings_of

_PATIENCE = 600.0


def run(settings: int, seed: int, files: int) -> tuple[int, list[str]]:
    """Go through so many settings; return how many nodes were killed, and what was wrong."""
    draw = random.Random(seed)
    killed, wrong = 0, []
    with tempfile.TemporaryDirectory() as name, two_nodes() as cluster:
        folder = Path(name)
        make_inputs(folder, files, seed)
        node = cluster.add_node(**SMALL)
        for number, options in enumerate([settings_of(draw) for _ in range(settings)]):
            place = folder / f"round-{number}"
            place.mkdir()
            call = [folder / "raw", "-t", folder / "target.parquet", *options]
            done("select", *call, "-o", place / "alone")
            there = ["--workdir", place / "work", "--engine", "ray"]
            words = dsir("select", *call, "-o", place / "far", *there)
            words += ["--ray-address", cluster.address]
            ended = threading.Event()
            process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
            try:
                if draw.random() < 0.7:
                    ended.wait(draw.uniform(2.0, 6.0))
                    if process.poll() is None:
                        cluster.remove_node(node, allow_graceful=False)
                        killed += 1
                        node = cluster.add_node(**SMALL)
                _wait_for(process, options)
                _compare(place / "alone", place / "far", options)
                print(f"round {number}: equal, {killed} nodes killed so far", flush=True)
            except (WrongError, subprocess.TimeoutExpired) as error:
                process.kill()
                wrong.append(f"round {number}: {error}")
    return killed, wrong


def _wait_for(process: subprocess.Popen[str], options: list[str]) -> None:
    _, said = process.communicate(timeout=_PATIENCE)
    if process.returncode:
        raise WrongError(f"{options}: exit code {process.returncode}: {said}")


def main() -> int:
    """Read the options, run, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=int, default=20)
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    killed, wrong = run(options.settings, options.seed, options.files)
    print(f"{options.settings} settings, {killed} nodes killed: {len(wrong)} rounds wrong")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
