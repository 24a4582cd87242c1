"""Selections of every method against those of the reference, on target documents kept out.

Usage: python -m benchmarks.quality.selection --cache FOLDER [--data FOLDER] [--seeds N]
       [--methods NAME ...] [--budgets SHARE ...] [--targets NAME ...] [--by-target]
       [--against METHOD]

`dsir.compare` keeps half of each target out and measures on it: the perplexity of an interpolated
Kneser-Ney model of trigrams, trained on the selection (as a ratio to the reference's), and the KL
reduction (as a difference to the reference's, in nats). Besides, the share of the selection's
tokens that are from the target's own source (purity), and the share of its trigrams that are
different (diversity). The reference draws by log-weights summed over 10,000 buckets.

`benchmarks.quality.selectors` has the methods, `benchmarks.quality.worlds` the targets. FOLDER
keeps every measurement; the command goes on where it stopped, and prints the tables of all that is
there. `fastText` needs the wheel of fastText.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

import dsir
from benchmarks.quality.cells import Cell, Cells, against, by_target, geometric_mean
from benchmarks.quality.options import parser_of
from benchmarks.quality.selectors import METHODS, REFERENCE, Selectors
from benchmarks.quality.worlds import HELD_OUT, World


def measure(
    world: World,
    folder: Path,
    name: str,
    methods: Sequence[str],
    budgets: Sequence[str],
    selectors: Selectors,
) -> list[Cell]:
    """Return what methods give for a target.

    Args:
        world: raw and the targets.
        folder: the files of raw.
        name: name of the target.
        methods: names of methods.
        budgets: shares of the tokens of raw.
        selectors: the arguments of the methods.
    """
    target = world.targets[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dsir.DsirWarning)
        found = dsir.compare(
            folder,
            pa.table({"text": target.texts}),
            methods={method: selectors.arguments(method) for method in methods},
            budgets=list(budgets),
            hold_out=HELD_OUT,
            seeds=1,
            seed=world.seed,
            fit_tokens="all",
            allow_fewer=True,
            shares_by="source",
            progress=False,
        )
    assert found.shares is not None
    purity = {
        (one["budget"], one["method"]): one["share"]
        for one in found.shares.to_pylist()
        if one["value"] == target.source
    }
    return [
        {
            "target": name,
            "tuned": target.tuned,
            **cell,
            "purity": purity.get((cell["budget"], cell["method"]), 0.0),
        }
        for cell in found.cells.to_pylist()
    ]


def table(cells: Sequence[Cell], other: str = REFERENCE) -> str:
    """Return the ratios and differences to another method, as lines of Markdown."""
    lines = [
        "| | targets | budget | perplexity, geometric mean | best / worst | better in | "
        "KL reduction, mean difference | worst | better in | purity | distinct trigrams |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for method, tuned, budget, pairs in against(cells, other):
        ratios = np.array([c["perplexity"] / r["perplexity"] for c, r in pairs])
        more = np.array([c["kl_reduction"] - r["kl_reduction"] for c, r in pairs])
        purer = np.mean([c["purity"] - r["purity"] for c, r in pairs])
        lines.append(
            f"| {method} | {'chosen on' if tuned else 'others'} | {budget} | "
            f"{geometric_mean(ratios):.2f} | {ratios.min():.2f} / "
            f"{ratios.max():.2f} | {np.count_nonzero(ratios < 1)} of {len(ratios)} | "
            f"{more.mean():+.3f} | {more.min():+.3f} | "
            f"{np.count_nonzero(more > 0)} of {len(more)} | "
            f"{np.mean([c['purity'] for c, _ in pairs]):.0%} ({purer:+.0%}) | "
            f"{np.mean([c['distinct_trigrams'] for c, _ in pairs]):.0%} |"
        )
    return "\n".join(lines)


def table_by_target(cells: Sequence[Cell], other: str = REFERENCE) -> str:
    """Return the mean ratios and differences of each target, as lines of Markdown."""
    lines = ["| | budget | target | perplexity | KL reduction |", "|---|---|---|---|---|"]
    for method, _, budget, pairs in against(cells, other):
        ratios = by_target(pairs, lambda one, two: one["perplexity"] / two["perplexity"])
        more = by_target(pairs, lambda one, two: one["kl_reduction"] - two["kl_reduction"])
        lines += [
            f"| {method} | {budget} | {name} | {geometric_mean(found):.3f} | "
            f"{np.mean(more[name]):+.4f} |"
            for name, found in ratios.items()
        ]
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing, and print tables of all that is known."""
    parser = parser_of(__doc__, seeds=1, budgets=("0.5%", "2%", "10%"))
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--by-target", action="store_true", help="print a row for each target")
    parser.add_argument("--against", default=REFERENCE, choices=list(METHODS))
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    cells = Cells(given.cache / "selection.jsonl")
    methods = list(dict.fromkeys([given.against, *given.methods]))
    for seed in range(given.seeds):
        world = World(given.data, seed)
        with tempfile.TemporaryDirectory(prefix="dsir-quality-") as scratch:
            folder = world.written(Path(scratch))
            for name in given.targets or world.targets:
                missing = [
                    method
                    for method in methods
                    if any((name, seed, b, method) not in cells for b in given.budgets)
                ]
                if not missing:
                    continue
                selectors = Selectors(world, name, given.cache)
                for cell in measure(world, folder, name, missing, given.budgets, selectors):
                    if (name, seed, cell["budget"], cell["method"]) not in cells:
                        cells.add(cell)
                        print(json.dumps(cell), flush=True)
    wanted = cells.of(method=methods, budget=given.budgets, target=given.targets)
    print((table_by_target if given.by_target else table)(wanted, given.against))


if __name__ == "__main__":
    main()
