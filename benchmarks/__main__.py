"""Runs the benchmarks and writes what they found.

Usage: python -m benchmarks [--quick | --full] [--data FOLDER] [--only NAME] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks import end_to_end, kernels, machine, memory, reference_program, scoring


def main() -> None:
    """Run what was asked for, print a table, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="few rounds, small corpora (default)")
    size.add_argument("--full", action="store_true", help="five rounds, corpora of 1 and 5 GB")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", choices=("scoring", "kernels", "end_to_end", "compat", "memory"))
    parser.add_argument("--json", type=Path, help="write the result here as well")
    options = parser.parse_args()
    rounds = 5 if options.full else 2
    sizes = (1.0, 5.0) if options.full else (0.1, 0.5)
    result: dict[str, Any] = {"machine": machine.describe(), "rounds": rounds}
    lines: list[tuple[str, str]] = []
    if options.only in (None, "scoring"):
        result["scoring"] = scoring.run(options.data, rounds)
        lines += scoring.rows(result["scoring"])
    if options.only in (None, "kernels"):
        result["kernels"] = kernels.run(options.data, rounds)
        lines += kernels.rows(result["kernels"])
    if options.only in (None, "end_to_end"):
        result["end_to_end"] = end_to_end.run(options.data, min(rounds, 3))
        lines += end_to_end.rows(result["end_to_end"])
    if options.only in (None, "compat"):
        shards = 8 if options.full else 2
        result["compat"] = reference_program.run(options.data, min(rounds, 2), shards)
        lines += reference_program.rows(result["compat"])
    if options.only in (None, "memory"):
        result["memory"] = memory.run(options.data, sizes)
        lines += memory.rows(result["memory"])
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print(f"{name:<{width}}  {value}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
