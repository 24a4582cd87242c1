"""Runs the reference's three calls on JSON Lines, as a process that is timed from outside.

Usage: python -m benchmarks.reference_run RAW.jsonl ... TARGET.jsonl OUT_FOLDER N
"""

from __future__ import annotations

import sys
from pathlib import Path

from data_selection import HashedNgramDSIR


def main() -> None:
    """Fit, weigh, resample."""
    *raw, target, out, n = sys.argv[1:]
    cache = Path(out) / "cache"
    dsir = HashedNgramDSIR(raw, [target], str(cache), num_proc=2)
    dsir.fit_importance_estimator(num_tokens_to_fit="auto")
    dsir.compute_importance_weights()
    dsir.resample(
        out_dir=str(Path(out) / "selected"),
        num_to_sample=int(n),
        cache_dir=str(Path(out) / "resampled"),
    )


if __name__ == "__main__":
    main()
