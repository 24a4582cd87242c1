"""Compares two results of `python -m benchmarks`; the exit code is 1 on a regression.

Usage: python -m benchmarks.compare OLD.json NEW.json

It compares ratios (both sides measured in turn in one run), peak memory, and yes-or-no answers. It
does not compare seconds and MB/s, because they depend on the machine and on its other work; their
ratios are compared. Figures that only one of the results has are listed and fail nothing.

A change is a regression if the median is worse by more than its noise: the greater of 10 % of the
old median and three times the greater median absolute deviation of the two. A figure of one round
has no deviation, so its noise is 10 %. An answer that was yes must stay yes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any, Literal, NamedTuple

from benchmarks.figures import Figure, align, all_figures

_SHARE = 0.1
_DEVIATIONS = 3.0

Verdict = Literal["same", "better", "REGRESSION", "only old", "only new"]


class Comparison(NamedTuple):
    """One figure of two results.

    Attributes:
        name: benchmark and figure.
        unit: unit of the values.
        old, new: medians; None if the result has none.
        noise: how much the medians may differ by chance.
        verdict: how the new median compares with the old.
    """

    name: str
    unit: str
    old: float | None
    new: float | None
    noise: float
    verdict: Verdict


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[Comparison]:
    """Compare two results, figure by figure, in the order of the new one."""
    before = {f"{part}: {one['name']}": one for part, one in all_figures(old) if _comparable(one)}
    after = {f"{part}: {one['name']}": one for part, one in all_figures(new) if _comparable(one)}
    found = [
        _compare(name, before[name], one)
        if name in before
        else Comparison(name, one["unit"], None, one["median"], 0.0, "only new")
        for name, one in after.items()
    ]
    return found + [
        Comparison(name, one["unit"], one["median"], None, 0.0, "only old")
        for name, one in before.items()
        if name not in after
    ]


def noise_of(old: list[float], new: list[float], *, share: float = _SHARE) -> float:
    """Return by how much the medians of two lists of rounds may differ by chance."""
    deviation = max(_deviation(old), _deviation(new))
    return max(share * abs(statistics.median(old)), _DEVIATIONS * deviation)


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return, in words, how the circumstances of two results differ."""
    names = ("cpu", "cores", "memory_gb", "kernel", "python", "simd", "commit", "versions")
    one, other = old.get("machine", {}), new.get("machine", {})
    found = [
        f"{name}: {one.get(name)} -> {other.get(name)}"
        for name in names
        if one.get(name) != other.get(name)
    ]
    if old.get("full") != new.get("full"):
        found.append("one is --full and one --quick: corpora differ in size")
    return found


def _comparable(one: Figure) -> bool:
    return one["unit"] in ("x", "MB", "")


def _compare(name: str, old: Figure, new: Figure) -> Comparison:
    share = 0.0 if new["unit"] == "" else _SHARE
    noise = noise_of(old["rounds"], new["rounds"], share=share)
    gain = new["median"] - old["median"]
    if new["better"] == "lower":
        gain = -gain
    verdict: Verdict = "REGRESSION" if gain < -noise else "better" if gain > noise else "same"
    return Comparison(name, new["unit"], old["median"], new["median"], noise, verdict)


def _deviation(values: list[float]) -> float:
    middle = statistics.median(values)
    return statistics.median(abs(value - middle) for value in values)


def _number(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:.4g} {unit}".rstrip()


def main(arguments: list[str] | None = None) -> int:
    """Print what changed; return 1 if a figure is worse beyond noise, and 2 for a wrong file."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    options = parser.parse_args(arguments)
    try:
        old, new = (json.loads(path.read_bytes()) for path in (options.old, options.new))
        found = compare(old, new)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        print(f"error: not results of python -m benchmarks: {error!r}", file=sys.stderr)
        return 2
    lines: list[tuple[str, ...]] = [("", "old", "new", "noise", "")]
    lines += [
        (
            one.name,
            _number(one.old, one.unit),
            _number(one.new, one.unit),
            f"{one.noise:.2g}",
            one.verdict,
        )
        for one in found
    ]
    print(align(lines))
    for line in differences(old, new):
        print(f"differs: {line}")
    print("not compared: seconds and MB/s, which depend on the machine and its other work")
    worse = [one.name for one in found if one.verdict == "REGRESSION"]
    both = sum(one.old is not None and one.new is not None for one in found)
    print(f"{both} figures compared, {len(worse)} worse beyond noise")
    if not both:
        print("error: the two results have no figure in common", file=sys.stderr)
        return 2
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
