"""A program written for the reference, run twice; only its import line differs.

Usage: python -m benchmarks.reference_program [--data FOLDER] [--shards N] [--rounds N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import corpus, process
from benchmarks.timing import in_turn, median_ratio

# The quick start of the reference's README, on two processes. The draw is seeded as a user of the
# reference would seed it.
_PROGRAM = """
from {module} import HashedNgramDSIR
import sys, numpy as np

*raw_datasets, target, out = sys.argv[1:]
dsir = HashedNgramDSIR(raw_datasets, [target], cache_dir=out + '/dsir_cache', num_proc=2)
dsir.fit_importance_estimator(num_tokens_to_fit='auto')
dsir.compute_importance_weights()
np.random.seed(0)
dsir.resample(out_dir=out + '/resampled', num_to_sample={n}, cache_dir=out + '/resampled_cache')
dsir.resample(out_dir=out + '/top', num_to_sample={n}, top_k=True)
dsir.save(out + '/dsir_params')
"""
_MODULES = {"reference": "data_selection", "dsir": "dsir.compat"}
_N = 1000


def run(data: Path, times: int, shards: int) -> dict[str, Any]:
    """Run both in turn; return seconds of whole processes, and how far the results agree.

    Args:
        data: the data folder.
        times: number of rounds that count.
        shards: number of raw shards to use.
    """
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as name:
        folder = Path(name)
        raw = [folder / f"{path.stem}.jsonl" for path in corpus.shards(data)[:shards]]
        for path, line in zip(corpus.shards(data), raw, strict=False):
            corpus.to_json_lines(path, line)
        target = folder / "target.jsonl"
        corpus.to_json_lines(data / "targets" / "movie_reviews.parquet", target)
        number = iter(range(1000))
        last: dict[str, Path] = {}

        def program(kind: str) -> None:
            out = last[kind] = folder / f"{kind}-{next(number)}"
            code = _PROGRAM.format(module=_MODULES[kind], n=_N)
            process.run([sys.executable, "-c", code, *map(str, [*raw, target, out])])

        seconds = in_turn(
            {kind: lambda kind=kind: program(kind) for kind in _MODULES},
            times,
        )
        weights = {kind: _arrays(last[kind], "log_importance_weights") for kind in _MODULES}
        lengths = {kind: _arrays(last[kind], "perexample_metadata") for kind in _MODULES}
        difference = np.abs(weights["dsir"] - weights["reference"])
        size = np.abs(weights["reference"])
        return {
            "examples": len(size),
            "json_lines_mb": round(sum(path.stat().st_size for path in raw) / 1e6, 1),
            "seconds": {kind: round(float(np.median(s)), 2) for kind, s in seconds.items()},
            "times_the_reference": round(median_ratio(seconds["reference"], seconds["dsir"]), 1),
            "largest_relative_difference": float(np.max(difference / np.maximum(size, 1e-300))),
            "weights_within_1e-9": bool((difference <= 1e-9 * size).all()),
            "lengths_equal": bool(np.array_equal(lengths["dsir"], lengths["reference"])),
            "top_k_equal": _files(last["dsir"] / "top") == _files(last["reference"] / "top"),
            "sample_equal": _files(last["dsir"] / "resampled")
            == _files(last["reference"] / "resampled"),
        }


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the result as lines of a table."""
    size = f"{result['examples']:,} examples, {result['json_lines_mb']} MB of JSON Lines"
    return [
        ("corpus", size),
        *((f"from {_MODULES[kind]} import ...", f"{s} s") for kind, s in result["seconds"].items()),
        ("reference / dsir.compat", f"{result['times_the_reference']}x"),
        ("largest relative difference of a weight", f"{result['largest_relative_difference']:.1e}"),
        ("weights equal to 1e-9", _yes(result["weights_within_1e-9"])),
        ("lengths equal", _yes(result["lengths_equal"])),
        (f"top {_N:,}: files equal byte for byte", _yes(result["top_k_equal"])),
        (f"sample of {_N:,}, np.random.seed(0): the same", _yes(result["sample_equal"])),
    ]


def _arrays(folder: Path, name: str) -> np.ndarray[Any, Any]:
    paths = sorted((folder / "dsir_cache" / name).glob("*.npy"), key=lambda path: int(path.stem))
    return np.concatenate([np.load(path) for path in paths])


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _yes(answer: bool) -> str:
    return "yes" if answer else "NO"


def main() -> None:
    """Run and print a table; the exit code is 1 if the results differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--shards", type=int, default=2, help="how many raw shards (default 2)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds that count (default 2)")
    options = parser.parse_args()
    lines = rows(run(options.data, options.rounds, options.shards))
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print(f"{name:<{width}}  {value}")
    sys.exit(any(value == "NO" for _, value in lines))


if __name__ == "__main__":
    main()
