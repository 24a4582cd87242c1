r"""Writes the figures of README.md from a run of the benchmarks, so that none is copied by hand.

    python -m benchmarks --full --only scoring end_to_end sampling memory \
        --json benchmarks/results.json
    python -m benchmarks.readme

`benchmarks/results.json` is that run on the machine which the README names; a test holds that the
README says what it says. With `--check` nothing is written, and the exit code is 1 if they differ.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import Figure, all_figures

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- figures of benchmarks/results.json -->", "<!-- end of the figures -->"
_DIGITS = 3


class Row(NamedTuple):
    """A row of the table: what is measured, and the figures in its cells.

    Attributes:
        title: the first cell; `{}` in it stands for what the group of `dsir` matched.
        benchmark: the benchmark that has the figures.
        dsir, reference, ratio: patterns of the whole names of figures; None for an empty cell.
    """

    title: str
    benchmark: str
    dsir: str | None = None
    reference: str | None = None
    ratio: str | None = None


ROWS = (
    Row(
        'score bigrams into 10,000 buckets, 1 thread, `hash="fast"`',
        "scoring",
        "score fast, 1 thread",
        "reference, 1 thread",
        "score fast / reference",
    ),
    Row(
        'the same with the reference\'s buckets, `hash="sha256"`',
        "scoring",
        "score sha256, 1 thread",
        "reference, 1 thread",
        "score sha256 / reference",
    ),
    Row(
        "`dsir select` of 1,000 documents out of 60,370, whole process, 2 threads",
        "end_to_end",
        ".*: select",
        ".*: reference",
        ".*: reference / select",
    ),
    Row(
        "`dsir select` over Parquet, 2 threads, as a multiple of reading the text column",
        "end_to_end",
        ratio=r"Parquet: select, fit on a sample / reading \(pyarrow\), call",
    ),
    Row(
        "draw {}, 2 threads",
        "sampling",
        "(.* weights to .* rows), spread 2, 2 threads",
    ),
    Row("peak memory over {} of text, 2 threads", "memory", "(.* GB), 2 threads: peak"),
)


def lines_of(result: Mapping[str, Any]) -> list[str]:
    """Return the lines between the two marks of the README.

    Raises:
        SystemExit: the run lacks a figure.
    """
    machine = result["machine"]
    lines = [
        BEGIN,
        f"Measured on {machine['cores']} cores of an {machine['cpu']} ({machine['simd'].upper()}, "
        f"{machine['memory_gb']:.0f} GB), commit {str(machine['commit'])[:7]}, medians of",
        f"`{command_of(result)}`,",
        "against `data-selection` 1.0.3 in the same run; [the whole run](benchmarks/results.json):",
        "",
        "| | dsir | the reference | ratio |",
        "|---|---|---|---|",
    ]
    for row in ROWS:
        found = _named(result, row.benchmark, row.dsir or row.ratio or "")
        for one, group in found:
            dsir = _cell(one) if row.dsir else ""
            reference = _only(result, row.benchmark, row.reference)
            ratio = _only(result, row.benchmark, row.ratio)
            lines.append(f"| {row.title.format(group)} | {dsir} | {reference} | {ratio} |")
    return [*lines, END]


def command_of(result: Mapping[str, Any]) -> str:
    """Return the command that made a run."""
    size = "--full" if result["full"] else "--quick"
    names = [name for name, part in result.items() if isinstance(part, dict) and "figures" in part]
    return f"python -m benchmarks {size} --only {' '.join(names)}"


def with_figures(text: str, result: Mapping[str, Any]) -> str:
    """Return the README's text with the figures of a run between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"README.md: has no lines {BEGIN} and {END}")
    return before + "\n".join(lines_of(result)) + after


def _named(result: Mapping[str, Any], benchmark: str, pattern: str) -> list[tuple[Figure, str]]:
    """Return the figures of a benchmark whose names match, each with what the group matched."""
    found = []
    for name, one in all_figures(dict(result)):
        match = re.fullmatch(pattern, one["name"])
        if name == benchmark and match is not None:
            found.append((one, match[1] if match.groups() else ""))
    if not found:
        raise SystemExit(f"the run has no figure {pattern!r} of {benchmark!r}")
    return found


def _only(result: Mapping[str, Any], benchmark: str, pattern: str | None) -> str:
    if pattern is None:
        return ""
    [(one, _)] = _named(result, benchmark, pattern)
    return _cell(one)


def _cell(one: Figure) -> str:
    value = one["median"]
    large = abs(value) >= 10 ** (_DIGITS - 1)
    shown = f"{value:,.0f}" if large else f"{value:.{_DIGITS}g}"
    return f"{shown}\u00d7" if one["unit"] == "x" else f"{shown} {one['unit']}"


def main() -> None:
    """Write the figures into the README, or check them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readme", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    text = README.read_text(encoding="utf-8")
    found = with_figures(text, json.loads(RESULTS.read_text(encoding="utf-8")))
    if options.check:
        sys.exit(0 if found == text else "README.md: run python -m benchmarks.readme")
    README.write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main()
