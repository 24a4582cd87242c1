"""A small neural model that goes on with what each method selected, tried on documents kept out.

Usage: python -m benchmarks.quality.neural --cache FOLDER [--data FOLDER] [--seeds N]
       [--methods NAME ...] [--budgets SHARE ...] [--targets NAME ...] [--steps N]
       [--against METHOD]

A first model learns from random documents of raw, one for each seed. A copy of it continues with
each selection for the same number of steps (`benchmarks.quality.small_model`), and its perplexity
on documents of the target that were kept out is told as a ratio to the reference's. A seed is of
the documents that are kept out, of the first weights, and of the order of documents.

Needs torch and tokenizers, and fasttext for its rows. FOLDER keeps every measurement; the command
goes on where it stopped, and prints the table of all that is there.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import dsir
from benchmarks.quality.cells import Cell, Cells, against, by_target, geometric_mean
from benchmarks.quality.options import parser_of
from benchmarks.quality.selectors import METHODS, REFERENCE, Selectors
from benchmarks.quality.small_model import (
    Training,
    Vocabulary,
    continued,
    first_model,
    perplexity,
)
from benchmarks.quality.worlds import World

_LEARNED_FROM = 6  # The vocabulary: every sixth document of raw.
_ESTIMATORS = {"coverage": "relevance", "cap": "relevance"}


class Measuring:
    """Measurements in one world.

    Args:
        world: the world.
        cache: folder in which the vocabulary is kept.
        training: how models are trained.
    """

    def __init__(self, world: World, cache: Path, training: Training) -> None:
        self._world = world
        self._cache = cache
        self._training = training
        texts = world.everything["text"].to_pylist()
        learned_from = [text for text in texts[::_LEARNED_FROM] if text]
        self._vocabulary = Vocabulary.learned(learned_from, cache / "vocabulary.json")
        self._raw = world.raw
        rows = np.random.default_rng(world.seed).permutation(world.kept)[: len(world.kept) // 8]
        self._first = first_model(
            lambda: self._vocabulary.documents([texts[row] for row in rows.tolist()]),
            self._vocabulary.size,
            world.seed,
            training,
            cache / f"first-{training.digest}-{world.seed}.pt",
        )

    def of_target(
        self, name: str, methods: Sequence[str], budgets: Sequence[str], cells: Cells
    ) -> None:
        """Measure what is not known yet of a target."""
        seed = self._world.seed
        given, out = self._world.halves(name)
        held_out = self._vocabulary.documents(out.to_pylist())
        selectors = Selectors(self._world, name, self._cache)
        for method in methods:
            missing = [b for b in budgets if (name, seed, b, method) not in cells]
            if not missing:
                continue
            arguments = _fitted(selectors.arguments(method), self._raw, given)
            for budget in missing:
                begun = time.perf_counter()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", dsir.DsirWarning)
                    selected = dsir.select(
                        self._raw,
                        tokens=budget,
                        seed=seed,
                        allow_fewer=True,
                        threads=1,
                        progress=False,
                        **arguments,
                    ).table
                documents = self._vocabulary.documents(selected["text"].to_pylist())
                model = continued(self._first, documents, seed, self._training)
                cells.add(
                    {
                        "target": name,
                        "tuned": self._world.targets[name].tuned,
                        "seed": seed,
                        "budget": budget,
                        "method": method,
                        "perplexity": perplexity(model, held_out, self._training),
                        "before": perplexity(self._first, held_out, self._training),
                        "documents": len(documents),
                        "tokens": sum(map(len, documents)),
                        "seconds": round(time.perf_counter() - begun, 1),
                    }
                )
                print(json.dumps(cells.of(method=[method])[-1]), flush=True)


def _fitted(arguments: dict[str, Any], raw: pa.Table, target: pa.Array) -> dict[str, Any]:
    """Return arguments of `select` with a model in place of those that it is fitted by."""
    if "model" in arguments:
        return arguments
    draw = {name: value for name, value in arguments.items() if name == "method"}
    fit = {name: value for name, value in arguments.items() if name not in ("method",)}
    fit.setdefault("estimator", _ESTIMATORS.get(arguments["method"], "ratio"))
    model = dsir.fit(
        raw, pa.table({"text": target}), fit_tokens="all", threads=1, progress=False, **fit
    )
    return {**draw, "model": model}


def table(cells: Sequence[Cell], other: str = REFERENCE) -> str:
    """Return the ratios to another method, as lines of Markdown."""
    lines = [
        "| | targets | budget | cells | perplexity, geometric mean | better in | by target |",
        "|---|---|---|---|---|---|---|",
    ]
    for method, tuned, budget, pairs in against(cells, other):
        ratios = by_target(pairs, lambda one, two: one["perplexity"] / two["perplexity"])
        means = {name: geometric_mean(found) for name, found in ratios.items()}
        flat = [ratio for found in ratios.values() for ratio in found]
        lines.append(
            f"| {method} | {'chosen on' if tuned else 'others'} | {budget} | {len(flat)} | "
            f"{geometric_mean(flat):.3f} | {sum(ratio < 1 for ratio in flat)} of {len(flat)} | "
            + ", ".join(f"{name} {mean:.2f}" for name, mean in sorted(means.items()))
            + " |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing, and print a table of all that is known."""
    parser = parser_of(__doc__, seeds=3, budgets=("0.5%", "2%"))
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--steps", type=int, default=Training().steps)
    parser.add_argument("--against", default=REFERENCE, choices=list(METHODS))
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    given.cache.mkdir(parents=True, exist_ok=True)
    training = Training(steps=given.steps)
    cells = Cells(given.cache / f"neural-{given.steps}.jsonl")
    methods = list(dict.fromkeys([given.against, *given.methods]))
    for seed in range(given.seeds):
        measuring = None
        world = World(given.data, seed)
        for name in given.targets or world.targets:
            wanted = [(name, seed, b, m) for b in given.budgets for m in methods]
            if all(key in cells for key in wanted):
                continue
            if measuring is None:
                measuring = Measuring(world, given.cache, training)
            measuring.of_target(name, methods, given.budgets, cells)
    print(
        table(cells.of(method=methods, budget=given.budgets, target=given.targets), given.against)
    )


if __name__ == "__main__":
    main()
