"""Scores a Daft data frame with a batch function.

pip install dsir daft
python examples/clusters/daft_frame.py
"""

from __future__ import annotations

from pathlib import Path

import daft
from daft import DataType, Series, col

import dsir

CORPUS = Path(__file__).parents[1] / "corpus"


def main() -> None:
    """Fit here, score in Daft's workers."""
    raw = [str(CORPUS / "raw-00.jsonl"), str(CORPUS / "raw-01.jsonl")]
    model = dsir.fit(raw, CORPUS / "target-scripture.jsonl", progress=False)

    @daft.func.batch(return_dtype=DataType.float64())
    def log_weight(texts: Series) -> Series:
        return Series.from_numpy(model.score(texts.to_arrow()))

    frame = daft.read_json(raw).with_column("log_weight", log_weight(col("text")))
    scored = frame.select("text", "log_weight").to_arrow()
    weights = scored["log_weight"].to_numpy()
    print(f"{len(weights)} rows, sum of log-weights {weights.sum():.6f}")
    for row in weights.argsort()[::-1][:3].tolist():
        print(f"{weights[row]:8.2f}  {scored['text'][row].as_py()[:70]}")


if __name__ == "__main__":
    main()
