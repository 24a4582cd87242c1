"""Selections of every method against those of the reference, on target documents kept out.

Usage: python -m benchmarks.quality.selection [--data FOLDER] [--seeds N] [--methods NAME ...]
       [--budgets SHARE ...] [--targets NAME ...] [--json FILE]

`dsir.compare` keeps half of each target out and measures on it: the perplexity of an interpolated
Kneser-Ney model of trigrams, trained on the selection (as a ratio to the reference's), and the KL
reduction (as a difference to the reference's, in nats). The reference is its top-k, which its
samples are (docs/algorithms.md, section 3): log-weights summed over 10,000 buckets.

Targets: the files of FOLDER/targets, on which the constants of `coverage` were chosen, and
documents of six sources of raw, taken out of raw, on which they were not.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import dsir
from benchmarks import machine

REFERENCE = "reference"
METHODS: dict[str, dict[str, Any]] = {
    REFERENCE: {"method": "top-k"},
    "random": {"method": "random"},
    "mean, smoothing 1": {"method": "top-k", "length": "mean", "smoothing": 1.0},
    "classifier": {"estimator": "classifier", "method": "top-k"},
    "cap": {"method": "cap"},
    "coverage": {"method": "coverage"},
}
SOURCES = ["dictionary_gcide", "html_rust", "linux_rst", "man_de", "shakespeare", "webtext"]
_DOCUMENTS_OF_A_SOURCE = 300


def _texts_of(paths: list[Path]) -> pa.Table:
    tables = []
    for path in sorted(paths):
        table = pq.read_table(path, columns=["source", "text"])
        columns = [table[name].cast(pa.large_string()) for name in ("source", "text")]
        tables.append(pa.table(columns, ["source", "text"]))
    return pa.concat_tables(tables)


class World:
    """Raw without the documents of targets that were taken from it, and the targets.

    Attributes:
        folder: the files of raw.
        targets: texts by name, and whether the constants were chosen on them.
    """

    def __init__(self, data: Path, folder: Path, seed: int) -> None:
        everything = _texts_of(list((data / "raw").glob("*.parquet")))
        source = np.array(everything["source"].to_pylist())
        draw = np.random.default_rng(seed)
        kept = np.ones(len(source), dtype=bool)
        self.targets: dict[str, tuple[pa.ChunkedArray, bool]] = {}
        for path in sorted((data / "targets").glob("*.parquet")):
            self.targets[path.stem] = (_texts_of([path])["text"], True)
        for name in SOURCES:
            rows = np.flatnonzero(source == name)
            most = min(_DOCUMENTS_OF_A_SOURCE, len(rows) // 3)
            rows = np.sort(draw.permutation(rows)[:most])
            self.targets[name] = (everything["text"].take(rows), False)
            kept[rows] = False
        raw = everything.filter(pa.array(kept))
        self.folder = folder / "raw"
        self.folder.mkdir()
        for number, first in enumerate(range(0, len(raw), 8000)):
            path = self.folder / f"part-{number:02d}.parquet"
            pq.write_table(raw[first : first + 8000], path, compression="zstd")


def run(
    data: Path, seeds: int, methods: list[str], budgets: list[str], targets: list[str]
) -> dict[str, Any]:
    """Return what every method gives, for every target, budget and seed."""
    cells = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory(prefix="dsir-quality-") as scratch:
            world = World(data, Path(scratch), seed)
            for name, (texts, tuned) in world.targets.items():
                if targets and name not in targets:
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", dsir.DsirWarning)
                    found = dsir.compare(
                        world.folder,
                        pa.table({"text": texts}),
                        methods={method: METHODS[method] for method in methods},
                        budgets=budgets,
                        seeds=1,
                        seed=seed,
                        fit_tokens="all",
                        allow_fewer=True,
                        progress=False,
                    )
                for cell in found.cells.to_pylist():
                    cells.append({"target": name, "tuned": tuned, **cell})
                    print(json.dumps(cells[-1]), flush=True)
    return {"machine": machine.describe(), "cells": cells}


def table(cells: list[dict[str, Any]]) -> str:
    """Return the ratios and differences to the reference, as lines of Markdown."""
    lines = [
        "| | targets | budget | perplexity, geometric mean | best / worst | better in | "
        "KL reduction, mean difference | worst | better in |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    reference = {
        (one["target"], one["seed"], one["budget"]): one
        for one in cells
        if one["method"] == REFERENCE
    }
    methods = dict.fromkeys(one["method"] for one in cells)
    budgets = dict.fromkeys(one["budget"] for one in cells)
    for method in methods:
        for tuned in (True, False):
            for budget in budgets:
                wanted = (method, tuned, budget)
                mine = [c for c in cells if (c["method"], c["tuned"], c["budget"]) == wanted]
                if method == REFERENCE or not mine:
                    continue
                pairs = [(c, reference[c["target"], c["seed"], c["budget"]]) for c in mine]
                ratios = np.array([c["perplexity"] / r["perplexity"] for c, r in pairs])
                more = np.array([c["kl_reduction"] - r["kl_reduction"] for c, r in pairs])
                lines.append(
                    f"| {method} | {'chosen on' if tuned else 'others'} | {budget} | "
                    f"{np.exp(np.log(ratios).mean()):.2f} | {ratios.min():.2f} / "
                    f"{ratios.max():.2f} | {np.count_nonzero(ratios < 1)} of {len(ratios)} | "
                    f"{more.mean():+.3f} | {more.min():+.3f} | "
                    f"{np.count_nonzero(more > 0)} of {len(more)} |"
                )
    return "\n".join(lines)


def main() -> None:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--budgets", nargs="+", default=["0.5%", "2%", "10%"])
    parser.add_argument("--targets", nargs="+", default=[])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    methods = list(dict.fromkeys([REFERENCE, *given.methods]))
    result = run(given.data, given.seeds, methods, given.budgets, given.targets)
    if given.json:
        given.json.write_text(json.dumps(result, indent=1))
    print(table(result["cells"]))


if __name__ == "__main__":
    main()
