"""Selections of every method against those of the reference, on target documents kept out.

Usage: python -m benchmarks.quality.selection [--data FOLDER] [--seeds N] [--methods NAME ...]
       [--budgets SHARE ...] [--targets NAME ...] [--json FILE]

Half of each target is given to the selection; the other half is kept out and measured with: the
perplexity of an interpolated Kneser-Ney model of trigrams, trained on the selection (as a ratio to
the reference's), and the KL reduction (as a difference to the reference's, in nats). The reference
is its top-k, which its samples are (docs/algorithms.md, section 3): log-weights summed over 10,000
buckets.

Targets: the files of FOLDER/targets, on which the constants of `coverage` were chosen, and
documents of six sources of raw, taken out of raw, on which they were not.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

import dsir
from benchmarks import machine
from dsir import _core
from dsir.model.metrics import kl_reduction_of_counts

Ids = npt.NDArray[np.int64]

REFERENCE = "reference"
METHODS: dict[str, dict[str, Any]] = {
    REFERENCE: {"method": "top-k"},
    "random": {"method": "random"},
    "mean, smoothing 1": {"method": "top-k", "length": "mean", "smoothing": 1.0},
    "cap": {"method": "cap"},
    "coverage": {"method": "coverage"},
}
SOURCES = ["dictionary_gcide", "html_rust", "linux_rst", "man_de", "shakespeare", "webtext"]
_DOCUMENTS_OF_A_SOURCE = 300
_UNIGRAMS = dsir.HashedNgrams(n=1, buckets=1 << 24)
_KL = dsir.HashedNgrams()


def _texts_of(paths: list[Path]) -> pa.Table:
    tables = []
    for path in sorted(paths):
        table = pq.read_table(path, columns=["source", "text"])
        columns = [table[name].cast(pa.large_string()) for name in ("source", "text")]
        tables.append(pa.table(columns, ["source", "text"]))
    return pa.concat_tables(tables)


def _tokens_of(texts: pa.ChunkedArray) -> list[Ids]:
    """Return the hashes of every document's tokens, in order."""
    found: list[Ids] = []
    for chunk in texts.chunks:
        offsets, buckets = _core.bucket_lists(
            chunk, _UNIGRAMS.spec, np.arange(len(chunk), dtype=np.int64)
        )
        found += np.split(buckets.astype(np.int64), offsets[1:-1])
    return found


class World:
    """Raw without the documents of targets that were taken from it, and the targets.

    Attributes:
        tokens: the tokens of every document of raw.
        vocabulary: how many different tokens there are: those that raw has twice, and one for all
            others.
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
        self._texts = raw["text"]
        self.tokens = _tokens_of(self._texts)
        counts = np.bincount(np.concatenate(self.tokens), minlength=_UNIGRAMS.buckets)
        common = np.flatnonzero(counts >= 2)
        self._numbers = np.ones(_UNIGRAMS.buckets, dtype=np.int64)  # 1: any other token.
        self._numbers[common] = np.arange(len(common)) + 2
        self.vocabulary = len(common) + 2
        self._raw_counts = _KL.counts(self._texts)

    def _numbered(self, documents: list[Ids]) -> tuple[Ids, npt.NDArray[np.uint32]]:
        """Return where each document begins, and the numbers of all tokens."""
        offsets = np.cumsum([0, *map(len, documents)], dtype=np.int64)
        return offsets, self._numbers[np.concatenate(documents)].astype(np.uint32)

    def measured(self, rows: npt.NDArray[np.int64], held_out: pa.ChunkedArray) -> dict[str, float]:
        """Return perplexity and KL reduction of selected rows for documents kept out."""
        model = _core.KneserNey(
            *self._numbered([self.tokens[row] for row in rows]), vocabulary=self.vocabulary - 1
        )
        tokens = self._numbered(_tokens_of(held_out))
        log_probability = math.fsum(model.log_probabilities(*tokens))
        selected = _KL.counts(self._texts.take(rows))
        return {
            "perplexity": math.exp(-log_probability / len(tokens[1])),
            "kl": kl_reduction_of_counts(selected, self._raw_counts, _KL.counts(held_out)),
            "tokens": int(sum(len(self.tokens[row]) for row in rows)),
            "documents": len(rows),
        }


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
                order = np.random.default_rng([seed, 1]).permutation(len(texts))
                half = len(texts) // 2
                given, held_out = texts.take(order[:half]), texts.take(order[half:])
                path = Path(scratch) / f"{name}.parquet"
                pq.write_table(pa.table({"text": given}), path)
                for method in methods:
                    for budget in budgets:
                        begun = time.perf_counter()
                        with warnings.catch_warnings():
                            warnings.simplefilter("ignore", dsir.DsirWarning)
                            found = dsir.select(
                                world.folder,
                                path,
                                tokens=budget,
                                seed=seed,
                                fit_tokens="all",
                                allow_fewer=True,
                                progress=False,
                                workdir=Path(scratch) / "work" / f"{name}-{method}",
                                **METHODS[method],
                            )
                        cell = {"target": name, "tuned": tuned, "seed": seed, "method": method}
                        cell |= {"budget": budget, "seconds": time.perf_counter() - begun}
                        cells.append(cell | world.measured(found.rows, held_out))
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
                more = np.array([c["kl"] - r["kl"] for c, r in pairs])
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
