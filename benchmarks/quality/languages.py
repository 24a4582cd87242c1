"""Selections for targets in languages without spaces, with tokenizers that fit and do not fit them.

Usage: python -m benchmarks.quality.languages [--data FOLDER] [--seeds N] [--methods NAME ...]
       [--budgets SIZE ...] [--targets NAME ...] [--tokenizers NAME ...] [--catalogues FOLDER]
       [--json FILE]

Half of each target is given to the selection; the other half is kept out and measured with, in
characters, which favours no tokenizer: the perplexity of an interpolated Kneser-Ney model of three
characters, trained on the selection, and the KL reduction of pairs of characters, in nats.

Targets: Japanese manual pages (`man_ja` of FOLDER/targets), Chinese manual pages and Chinese pages
of the kernel's documentation; half of the documents of the last two, at most 60, are taken out of
raw. With catalogues, as Debian's packages libreoffice-l10n-th and -km have them
(usr/lib/libreoffice/program/resource), also the messages of LibreOffice's spreadsheet in Thai and
in Khmer; raw then has the messages of all its programs, in every language of the folder.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

import dsir
from benchmarks import machine
from benchmarks.quality.catalogues import documents_of
from dsir import _core
from dsir.model.metrics import kl_reduction_of_counts

BASE = "wordpunct"
TOKENIZERS: dict[str, dict[str, Any]] = {
    BASE: {},
    "wordpunct, min_tokens=1": {"min_tokens": 1},
    "unicode": {"features": {"tokenizer": "unicode"}},
    "unicode, n=3": {"features": {"tokenizer": "unicode", "n": 3}},
    "chars, n=3": {"features": {"tokenizer": "chars", "n": 3}},
}
METHODS: dict[str, dict[str, Any]] = {
    "top-k": {"method": "top-k"},
    "top-k, mean": {"method": "top-k", "length": "mean", "smoothing": 1.0},
    "coverage": {"method": "coverage"},
}
_COVERAGE_BUCKETS = 1 << 20  # What coverage has if no features are given.
_SOURCES = {"Chinese manual pages": "man_zh_CN", "Chinese kernel documentation": "linux_rst"}
_CATALOGUES = {"Thai messages": "th/sc", "Khmer messages": "km/sc"}
_MOST_OF_A_SOURCE = 60
_CHARACTERS = dsir.HashedNgrams(n=1, buckets=1 << 24, tokenizer="codepoints")
_PAIRS = dsir.HashedNgrams(n=2, tokenizer="codepoints")


def _is_chinese(text: str | None) -> bool:
    """Whether a tenth of the text's first characters are Chinese, and none are kana."""
    first = (text or "")[:2000]
    han = sum("\u4e00" <= one <= "\u9fff" for one in first)
    return han * 10 > len(first) and not any("\u3040" <= one <= "\u30ff" for one in first)


class World:
    """Raw without the documents of targets that were taken from it, and the targets.

    Attributes:
        raw: the texts.
        targets: texts by name.
    """

    def __init__(self, data: Path, catalogues: Path | None, folder: Path, seed: int) -> None:
        tables = []
        for path in sorted((data / "raw").glob("*.parquet")):
            table = pq.read_table(path, columns=["source", "text"])
            columns = [table[name].cast(pa.large_string()) for name in ("source", "text")]
            tables.append(pa.table(columns, ["source", "text"]))
        everything = pa.concat_tables(tables)
        chinese = np.array([_is_chinese(text) for text in everything["text"].to_pylist()])
        if catalogues is not None:
            messages = pa.table(documents_of(catalogues), schema=everything.schema)
            everything = pa.concat_tables([everything, messages])
            chinese = np.append(chinese, np.zeros(len(messages), dtype=bool))
        source = np.array(everything["source"].to_pylist())
        draw = np.random.default_rng(seed)
        kept = np.ones(len(source), dtype=bool)
        japanese = pq.read_table(data / "targets" / "man_ja.parquet", columns=["text"])["text"]
        self.targets = {"Japanese manual pages": japanese.cast(pa.large_string())}
        found = {name: np.flatnonzero((source == of) & chinese) for name, of in _SOURCES.items()}
        if catalogues is not None:
            found |= {name: np.flatnonzero(source == of) for name, of in _CATALOGUES.items()}
        for name, of_target in found.items():
            most = min(_MOST_OF_A_SOURCE, len(of_target) // 2)
            rows = np.sort(draw.permutation(of_target)[:most])
            self.targets[name] = everything["text"].take(rows)
            kept[rows] = False
        self.raw = everything["text"].filter(pa.array(kept))
        self.path = folder / "raw.parquet"
        pq.write_table(pa.table({"text": self.raw}), self.path, row_group_size=4000)
        self._raw_counts = _PAIRS.counts(self.raw)
        counts = np.bincount(np.concatenate(_characters_of(self.raw)), minlength=1 << 24)
        common = np.flatnonzero(counts >= 2)
        self._numbers = np.ones(1 << 24, dtype=np.uint32)  # 1: any other character.
        self._numbers[common] = np.arange(len(common)) + 2
        self._vocabulary = len(common) + 1

    def _numbered(
        self, texts: pa.ChunkedArray
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
        documents = _characters_of(texts)
        offsets = np.cumsum([0, *map(len, documents)], dtype=np.int64)
        return offsets, self._numbers[np.concatenate(documents)]

    def measured(self, rows: npt.NDArray[np.int64], held_out: pa.ChunkedArray) -> dict[str, float]:
        """Return perplexity and KL reduction of selected rows for documents kept out."""
        chosen = self.raw.take(pa.array(rows))
        model = _core.KneserNey(*self._numbered(chosen), vocabulary=self._vocabulary)
        characters = self._numbered(held_out)
        log_probability = math.fsum(model.log_probabilities(*characters))
        return {
            "perplexity": math.exp(-log_probability / len(characters[1])),
            "kl": kl_reduction_of_counts(
                _PAIRS.counts(chosen), self._raw_counts, _PAIRS.counts(held_out)
            ),
            "documents": len(rows),
        }


def _characters_of(texts: pa.ChunkedArray) -> list[npt.NDArray[np.int64]]:
    """Return the hashes of every document's characters without white space, in order."""
    found: list[npt.NDArray[np.int64]] = []
    for chunk in texts.chunks:
        positions = np.arange(len(chunk), dtype=np.int64)
        offsets, buckets = _core.bucket_lists(chunk, _CHARACTERS.spec, positions)
        found += np.split(buckets.astype(np.int64), offsets[1:-1])
    return found


def _settings(tokenizer: str, method: str) -> dict[str, Any]:
    """Return the arguments of a selection; coverage has its own number of buckets."""
    given = {**TOKENIZERS[tokenizer], **METHODS[method]}
    if "features" in given:
        more = {"buckets": _COVERAGE_BUCKETS} if method == "coverage" else {}
        given["features"] = dsir.HashedNgrams(**given["features"], **more)
    return given


def run(
    data: Path,
    catalogues: Path | None,
    seeds: int,
    methods: list[str],
    budgets: list[str],
    targets: list[str],
    tokenizers: list[str],
) -> dict[str, Any]:
    """Return what every tokenizer gives, for every target, method, budget and seed."""
    cells = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory(prefix="dsir-languages-") as scratch:
            world = World(data, catalogues, Path(scratch), seed)
            for name, texts in world.targets.items():
                if targets and name not in targets:
                    continue
                order = np.random.default_rng([seed, 1]).permutation(len(texts))
                half = len(texts) // 2
                given, held_out = texts.take(order[:half]), texts.take(order[half:])
                for method in methods:
                    for tokenizer in tokenizers:
                        for budget in budgets:
                            with warnings.catch_warnings():
                                warnings.simplefilter("ignore", dsir.DsirWarning)
                                found = dsir.select(
                                    world.path,
                                    pa.table({"text": given}),
                                    bytes=budget,
                                    seed=seed,
                                    fit_tokens="all",
                                    allow_fewer=True,
                                    progress=False,
                                    workdir=Path(scratch) / f"{name}-{method}-{tokenizer}",
                                    **_settings(tokenizer, method),
                                )
                            cell = {"target": name, "seed": seed, "method": method}
                            cell |= {"budget": budget, "tokenizer": tokenizer}
                            cells.append(cell | world.measured(found.rows, held_out))
                            print(json.dumps(cells[-1], ensure_ascii=False), flush=True)
    return {"machine": machine.describe(), "cells": cells}


def table(cells: list[dict[str, Any]]) -> str:
    """Return means over the seeds, as lines of Markdown: perplexity, and KL reduction."""
    tokenizers = list(dict.fromkeys(one["tokenizer"] for one in cells))
    lines = [
        f"| target | method | budget | {' | '.join(tokenizers)} |",
        f"|---|---|---|{'---|' * len(tokenizers)}",
    ]
    rows = dict.fromkeys((one["target"], one["method"], one["budget"]) for one in cells)
    for row in rows:
        shown = []
        for tokenizer in tokenizers:
            mine = [
                one
                for one in cells
                if (one["target"], one["method"], one["budget"]) == row
                and one["tokenizer"] == tokenizer
            ]
            perplexity = math.exp(math.fsum(math.log(c["perplexity"]) for c in mine) / len(mine))
            kl = math.fsum(c["kl"] for c in mine) / len(mine)
            shown.append(f"{perplexity:.1f}, {kl:.2f}")
        lines.append(f"| {' | '.join(row)} | {' | '.join(shown)} |")
    return "\n".join(lines)


def main() -> None:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--budgets", nargs="+", default=["400kB", "1MB"])
    parser.add_argument("--targets", nargs="+", default=[])
    parser.add_argument(
        "--tokenizers", nargs="+", default=list(TOKENIZERS), choices=list(TOKENIZERS)
    )
    parser.add_argument("--catalogues", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    tokenizers = list(dict.fromkeys([BASE, *given.tokenizers]))
    result = run(
        given.data,
        given.catalogues,
        given.seeds,
        given.methods,
        given.budgets,
        given.targets,
        tokenizers,
    )
    if given.json:
        given.json.write_text(json.dumps(result, indent=1, ensure_ascii=False))
    print(table(result["cells"]))


if __name__ == "__main__":
    main()
