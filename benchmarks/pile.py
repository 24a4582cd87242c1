"""Estimates a selection from the Pile on the reference's 96-core node, from a saved result.

Usage: python -m benchmarks.pile RESULT.json

The result must hold end_to_end, threads and sampling. The program prints what was measured, what is
assumed, and the arithmetic; the text goes into docs/lab/performance.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.figures import all_figures

# Gao et al. 2020 (arXiv 2101.00027), table 1: effective size, mean size of a document.
_TEXT_GIB = 1254.20
_DOCUMENT_KIB = 5.91
# The reference's published run on that node: fit, importance weights, resampling.
_REFERENCE_SECONDS = (59.0, 4.36 * 3600, 353.0)
_CORES = 96
# Assumed share of linear speed-up, because no machine with so many cores was available. The result
# holds the measured share on 2 threads.
_SHARE_OF_LINEAR = 0.9
_DISK_GB = (1.0, 2.5, 10.0)


def estimate(result: dict[str, Any]) -> list[str]:
    """Return the estimate line by line.

    Raises:
        KeyError: the result lacks one of the benchmarks.
    """
    medians = {f"{part}: {one['name']}": one["median"] for part, one in all_figures(result)}
    text = _TEXT_GIB * 2**30
    documents = text / (_DOCUMENT_KIB * 2**10)
    select = medians["end_to_end: Parquet: fit on a sample, call"] / 2
    packed = result["end_to_end"]["parquet"]["file_bytes_per_text_byte"]
    linear = medians["threads: select, 2 threads, share of linear"]
    draw = next(
        one["median"] * 1e8 / _count(one["name"])
        for part, one in all_figures(result)
        if part == "sampling" and one["unit"] == "s"
    )
    rate = select * _CORES * _SHARE_OF_LINEAR / 1e3
    one_pass = text / (rate * 1e9)
    drawing = draw * documents / 1e8
    reference = sum(_REFERENCE_SECONDS)
    total = one_pass + drawing
    lines = [
        f"text: {_TEXT_GIB:,} GiB = {text / 1e12:.3f} TB; {documents / 1e6:.0f} million documents",
        f"measured: select, fit on a sample, 1 of 100 rows: {2 * select:.0f} MB/s of text on 2 "
        f"threads, {select:.0f} a thread",
        f"measured: 2 threads are {linear:.2f} of linear; assumed for {_CORES}: {_SHARE_OF_LINEAR}",
        f"{select:.0f} MB/s x {_CORES} x {_SHARE_OF_LINEAR} = {rate:.1f} GB/s of text; "
        f"{text / 1e9:,.0f} GB / {rate:.1f} GB/s = {one_pass:.0f} s",
        f"drawing: measured {draw:.1f} s for 10^8 weights on 2 threads; x {documents / 1e8:.2f} "
        f"= {drawing:.0f} s",
        f"together {total:.0f} s if the disks keep up: {rate:.1f} GB/s x {packed:.2f} "
        f"(file / text, measured) = {rate * packed:.1f} GB/s of Parquet",
    ]
    for disk in _DISK_GB:
        reading = text * packed / (disk * 1e9)
        lines.append(
            f"disks of {disk} GB/s: {text * packed / 1e9:,.0f} GB / {disk} GB/s = {reading:,.0f} "
            f"s, with drawing {max(one_pass, reading) + drawing:,.0f} s"
        )
    parts = " + ".join(f"{seconds:,.0f}" for seconds in _REFERENCE_SECONDS)
    lines.append(
        f"the reference, as published: {parts} = {reference:,.0f} s ({reference / 3600:.1f} h), "
        f"{reference / total:,.0f} times as long as {total:.0f} s"
    )
    return lines


def _count(name: str) -> float:
    """Return the number of weights in a figure of sampling.py; the name begins with it."""
    return float(name.split()[0])


def main() -> None:
    """Print the estimate as a list."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pile", description=__doc__)
    parser.add_argument("result", type=Path)
    options = parser.parse_args()
    for line in estimate(json.loads(options.result.read_bytes())):
        print(f"- {line}")


if __name__ == "__main__":
    main()
