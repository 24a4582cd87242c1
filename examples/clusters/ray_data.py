"""Scores a corpus in a Ray Data pipeline: the log-weight becomes a column.

    pip install dsir 'ray[data]'
    python examples/clusters/ray_data.py

For a whole selection use `dsir.select(..., engine="ray")`; this is for pipelines that have other
steps around the score. Rows pass through Ray's object store here.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import ray

import dsir

CORPUS = Path(__file__).parents[1] / "corpus"


class Score:
    """Adds the column `log_weight`; made once in each worker."""

    def __init__(self, model: dsir.ImportanceModel) -> None:
        self._model = model

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Return the batch with its log-weights."""
        return batch.append_column("log_weight", pa.array(self._model.score(batch["text"])))


def main() -> None:
    """Fit on the driver, score on the workers."""
    raw = [str(CORPUS / "raw-00.jsonl"), str(CORPUS / "raw-01.jsonl")]
    model = dsir.fit(raw, CORPUS / "target-scripture.jsonl", progress=False)
    scored = ray.data.read_json(raw).map_batches(
        Score,
        fn_constructor_args=(model,),
        batch_format="pyarrow",
        batch_size=4096,
        concurrency=1,  # Workers that score; reading needs a core as well.
    )
    best = scored.sort("log_weight", descending=True).take(3)
    print(f"{scored.count()} rows, sum of log-weights {scored.sum('log_weight'):.6f}")
    for row in best:
        print(f"{row['log_weight']:8.2f}  {row['text'][:70]}")


if __name__ == "__main__":
    main()
