"""dsir select from files to files on 2 threads, against reading the text column alone.

There are two corpora: large shards of Parquet and of JSON Lines with zstd, of which one row in a
hundred is selected; and the small shards as they are, against the reference's three calls on the
same rows.

Every process is measured in two ways. "process" is measured from outside, with the start of Python
and all imports. "call" is the call alone, after the imports. Both sides of a ratio are of the same
kind.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq

from benchmarks import corpus, process, readers
from benchmarks.figures import Figure, figure, ratio
from benchmarks.process import Ran
from benchmarks.timing import results_in_turn

_THREADS = 2
_SMALL_N = 1000
_FITS = {"fit on a sample": "1000000", "fit on all rows": "all"}
_ASKED = {"fit on a sample": 1.8, "fit on all rows": 3.0}


def run(data: Path, times: int, shards: int) -> dict[str, Any]:
    """Measure; return figures.

    Args:
        data: the data folder.
        times: number of rounds that count.
        shards: number of large shards (230 MB of text each) to make from the data.
    """
    target = data / "targets" / "movie_reviews.parquet"
    parquet = large(data, target, times, shards, "Parquet")
    lines = large(data, target, times, shards, "JSON Lines .zst")
    small = against_the_reference(data, target, min(times, 3))
    return {
        "figures": parquet["figures"] + lines["figures"] + small["figures"],
        "parquet": parquet["corpus"],
        "json_lines": {**lines["corpus"], "best_reader": lines["best_reader"]},
        "share_of_the_right_source": small["share_of_the_right_source"],
    }


def large(data: Path, target: Path, times: int, shards: int, kind: str) -> dict[str, Any]:
    """Select one row in a hundred of large shards; the floor is the fastest reader."""
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as name:
        folder = Path(name)
        make = corpus.large_parquet if kind == "Parquet" else corpus.large_json_lines
        made, rows, size = make(corpus.shards(data), folder / "raw", shards)
        raw = [str(path) for path in made]
        packed = sum(path.stat().st_size for path in made) / size
        floors = {"pyarrow": readers.PARQUET} if kind == "Parquet" else dict(readers.JSON_LINES)
        if importlib.util.find_spec("orjson") is None:
            floors.pop("orjson", None)
        runs: dict[str, Callable[[], Ran]] = {
            f"reader {reader}": lambda code=code: process.run_code(code, [str(_THREADS), *raw])
            for reader, code in floors.items()
        }
        for fit, tokens in _FITS.items():
            runs[fit] = lambda tokens=tokens: process.run_select(
                raw, target, rows // 100, folder / "out", _THREADS, fit_tokens=tokens
            )
        ran = results_in_turn(runs, times)
    best = min(floors, key=lambda reader: median(one.inside for one in ran[f"reader {reader}"]))
    return {
        "figures": _figures(kind, ran, best, size),
        "best_reader": best,
        "corpus": {
            "shards": shards,
            "rows": rows,
            "text_mb": round(size / 1e6),
            "file_bytes_per_text_byte": round(packed, 3),
        },
    }


def _figures(kind: str, ran: dict[str, list[Ran]], best: str, size: int) -> list[Figure]:
    found = [
        figure(f"{kind}: {name}, call", "MB/s", [size / one.inside / 1e6 for one in rounds])
        for name, rounds in ran.items()
    ]
    floor = ran[f"reader {best}"]
    for fit in _FITS:
        for way, field in (("process", "seconds"), ("call", "inside")):
            found.append(
                ratio(
                    f"{kind}: select, {fit} / reading ({best}), {way}",
                    [getattr(one, field) for one in ran[fit]],
                    [getattr(one, field) for one in floor],
                    better="lower",
                    asked=_ASKED[fit],
                )
            )
        peaks = [one.peak_mb for one in ran[fit]]
        found.append(figure(f"{kind}: select, {fit}: peak", "MB", peaks, better="lower", asked=600))
    return found


def against_the_reference(data: Path, target: Path, times: int) -> dict[str, Any]:
    """Select 1,000 rows of the small shards, with dsir and with the reference."""
    paths = corpus.shards(data)
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as name:
        folder = Path(name)
        lines = [folder / f"{path.stem}.jsonl" for path in paths]
        for path, line in zip(paths, lines, strict=True):
            corpus.to_json_lines(path, line)
        corpus.to_json_lines(target, folder / "target.jsonl")
        number = iter(range(1000))

        def reference() -> float:
            out = folder / f"reference-{next(number)}"
            command = [sys.executable, "-m", "benchmarks.reference_run", *map(str, lines)]
            return process.run([*command, str(folder / "target.jsonl"), str(out), str(_SMALL_N)])

        raw, out = [str(path) for path in paths], folder / "selected"
        floor = [str(_THREADS), *raw]
        seconds = results_in_turn(
            {
                "reference": reference,
                "select": lambda: process.run_select(raw, target, _SMALL_N, out, _THREADS).seconds,
                "read": lambda: process.run_code(readers.PARQUET, floor).seconds,
            },
            times,
        )
        parts = sorted(out.glob("data/*.parquet"))
        chosen = [row for p in parts for row in pq.read_table(p)["source"].to_pylist()]
    what = "small shards, process"
    return {
        "figures": [
            figure(f"{what}: reference", "s", seconds["reference"], better="lower"),
            figure(f"{what}: select", "s", seconds["select"], better="lower"),
            ratio(f"{what}: reference / select", seconds["reference"], seconds["select"]),
            ratio(f"{what}: select / reading", seconds["select"], seconds["read"], better="lower"),
        ],
        "share_of_the_right_source": chosen.count("imdb") / len(chosen),
    }
