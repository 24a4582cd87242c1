"""Scores a Dask data frame, partition by partition.

pip install dsir 'dask[dataframe]'
python examples/clusters/dask_frame.py
"""

from __future__ import annotations

from pathlib import Path

import dask.dataframe as dd
import pandas as pd

import dsir

CORPUS = Path(__file__).parents[1] / "corpus"


def score(frame: pd.DataFrame, model: dsir.ImportanceModel) -> pd.Series:
    """Return the log-weights of a partition. A model can be pickled, so Dask sends it along."""
    return pd.Series(model.score(frame["text"].tolist()), index=frame.index, name="log_weight")


def main() -> None:
    """Fit here, score in Dask's workers."""
    raw = [str(CORPUS / "raw-00.jsonl"), str(CORPUS / "raw-01.jsonl")]
    model = dsir.fit(raw, CORPUS / "target-scripture.jsonl", progress=False)
    frame = dd.read_json(raw, lines=True)
    weights = frame.map_partitions(score, model, meta=("log_weight", "f8"))
    scored = frame.assign(log_weight=weights).compute()
    print(f"{len(scored)} rows, sum of log-weights {scored['log_weight'].sum():.6f}")
    for row in scored.nlargest(3, "log_weight").itertuples():
        print(f"{row.log_weight:8.2f}  {row.text[:70]}")


if __name__ == "__main__":
    main()
