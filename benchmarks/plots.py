"""Draws a saved result: throughput against threads, memory against corpus size, as SVG.

Usage: python -m benchmarks.plots RESULT.json FOLDER

The same result and the same version of matplotlib give the same files, byte for byte.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# Dark to light, each with its own marker and line style, so that they can be told apart in black
# and white.
_STYLES = {
    "score": {"color": "#08306b", "marker": "o", "linestyle": "-"},
    "count": {"color": "#d94801", "marker": "s", "linestyle": "--"},
    "select": {"color": "#4d4d4d", "marker": "^", "linestyle": "-."},
}
_WORDS = {
    "score": "score, text in memory",
    "count": "count, text in memory",
    "select": "select, Parquet to Parquet",
}
_SIZE = (5.6, 3.6)


def throughput(result: dict[str, Any]) -> Figure:
    """Plot MB/s of text against threads, beside linear growth."""
    figure, axes = _empty()
    for name, by_threads in result["threads"]["mb_per_second"].items():
        numbers = [int(n) for n in by_threads]
        rates = list(by_threads.values())
        linear = [rates[0] * n / numbers[0] for n in numbers]
        axes.plot(numbers, linear, color="#bbbbbb", linewidth=1, zorder=1)
        axes.plot(numbers, rates, label=_WORDS[name], linewidth=1.5, zorder=2, **_STYLES[name])
    axes.plot([], [], color="#bbbbbb", linewidth=1, label="linear")
    axes.set_xticks(numbers)
    axes.set_xlabel("threads")
    axes.set_ylabel("text, MB/s")
    axes.set_xlim(0, numbers[-1] * 1.05)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)
    return figure


def memory(result: dict[str, Any]) -> Figure:
    """Plot peak memory of select against the size of the corpus."""
    figure, axes = _empty()
    by_size = result["memory"]["by_gigabytes"]
    sizes = [float(size) for size in by_size]
    peaks = [entry["peak_mb"] for entry in by_size.values()]
    axes.plot(sizes, peaks, linewidth=1.5, **_STYLES["score"])
    axes.axhline(600, color="#777777", linewidth=1, linestyle=":")
    axes.text(max(sizes), 600, "limit asked for", ha="right", va="bottom", fontsize=8)
    axes.set_xlabel("text in the corpus, GB (log scale)")
    axes.set_ylabel("peak memory of dsir select, MB")
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.minorticks_off()
    axes.set_ylim(0, max(660, 1.1 * max(peaks)))
    return figure


def draw(result: dict[str, Any], folder: Path) -> list[Path]:
    """Write each plot for which the result has the figures.

    Raises:
        SystemExit: the result has no such figures.
    """
    plots = {"threads": ("throughput.svg", throughput), "memory": ("memory.svg", memory)}
    made = []
    for name, (file_name, plot) in plots.items():
        if name in result:
            path = folder / file_name
            _save(plot(result), path)
            made.append(path)
    if not made:
        raise SystemExit("the result has neither threads nor memory: nothing to draw")
    return made


def _empty() -> tuple[Figure, Any]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    # Without these settings, names in an SVG are random, its date is today's, and text is drawn as
    # shapes.
    with mpl.rc_context({"svg.hashsalt": "dsir", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Draw, and print the paths of the files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plots", description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    for path in draw(json.loads(options.result.read_bytes()), options.folder):
        print(path)


if __name__ == "__main__":
    main()
