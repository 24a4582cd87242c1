"""Runs the benchmarks and writes their results.

Usage: python -m benchmarks [--quick | --full] [--data FOLDER] [--only NAME ...] [--json FILE]

--full: five rounds, corpora of 2 GB of text (memory: 1, 3 and 10 GB); takes about 20 minutes on two
cores and up to 6 GB in the temporary folder. --quick: two rounds, corpora of half a gigabyte.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import (
    classifier,
    decontaminate,
    end_to_end,
    fasttext_models,
    kernels,
    machine,
    memory,
    methods,
    near_duplicates,
    own_kernels,
    peers,
    reference_program,
    sampling,
    scorers,
    scoring,
    start_up,
    threads,
    tokenizers,
)
from benchmarks.figures import Figure, figure, table


def benchmarks(data: Path, *, full: bool) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return the benchmarks by name, in the order in which they run."""
    rounds = 5 if full else 2
    # Each has 231 MB of text.
    shards = 9 if full else 2
    return {
        "scoring": lambda: _scoring(data, rounds),
        "kernels": lambda: kernels.run(data, rounds),
        "tokenizers": lambda: tokenizers.run(data, 3 * rounds),
        "own_kernels": lambda: own_kernels.run(data, 3 * rounds),
        "peers": lambda: peers.run(data, rounds),
        "classifier": lambda: classifier.run(data, rounds),
        "scorers": lambda: scorers.run(data, 3 * rounds),
        "decontaminate": lambda: decontaminate.run(data, rounds),
        "methods": lambda: methods.run(data, 2 * rounds + 1),
        "near_duplicates": lambda: near_duplicates.run(data, rounds),
        "fasttext": lambda: fasttext_models.run(data, rounds),
        "end_to_end": lambda: end_to_end.run(data, rounds, shards),
        "threads": lambda: threads.run(data, rounds, shards),
        "sampling": lambda: sampling.run(10**8 if full else 10**7, rounds),
        "start_up": lambda: start_up.run(20 if full else 5),
        "memory": lambda: memory.run(
            data, (1.0, 3.0, 10.0) if full else (0.1, 0.5), min(rounds, 3)
        ),
        "compat": lambda: _compat(data, min(rounds, 2), 8 if full else 2),
    }


def _scoring(data: Path, rounds: int) -> dict[str, Any]:
    result = scoring.run(data, rounds)
    if "figures" not in result:
        result["figures"] = [
            figure(f"{name}, 1 thread", "MB/s", [rate])
            for name, rate in result["mb_per_second"].items()
        ] + [
            figure(f"{name} / reference", "x", [times])
            for name, times in result["times_the_reference"].items()
        ]
        result["figures"].append(
            figure("score fast / decode zstd", "x", [result["times_decoding"]])
        )
    return result


def _compat(data: Path, rounds: int, shards: int) -> dict[str, Any]:
    result = reference_program.run(data, rounds, shards)
    agree = ("weights_within_1e-9", "lengths_equal", "top_k_equal", "sample_equal")
    figures: list[Figure] = [
        figure("reference / dsir.compat, process", "x", [result["times_the_reference"]]),
        *(figure(name, "", [float(result[name])], asked=1.0) for name in agree),
    ]
    return {**result, "figures": figures}


def main() -> None:
    """Run the benchmarks that were asked for, print a table of each, and write JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="few rounds, small corpora (default)")
    size.add_argument("--full", action="store_true", help="five rounds, large corpora")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    names = tuple(benchmarks(Path(), full=False))
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--json", type=Path, help="write the result here as well")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine.describe(), "full": options.full}
    for name, run in benchmarks(options.data, full=options.full).items():
        if options.only and name not in options.only:
            continue
        begun = time.perf_counter()
        result[name] = run()
        print(f"{name} ({time.perf_counter() - begun:.0f} s)")
        print(table(result[name]["figures"]) + "\n", flush=True)
        if options.json:  # After each, so that a run that is stopped keeps its results so far.
            options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
