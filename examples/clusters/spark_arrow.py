"""Scores a Spark data frame with `mapInArrow`.

pip install dsir pyspark          # needs Java 17 or newer
PYSPARK_PYTHON=$(which python) python examples/clusters/spark_arrow.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession

import dsir

CORPUS = Path(__file__).parents[1] / "corpus"


def main() -> None:
    """Fit on the driver, score in the executors."""
    raw = [str(CORPUS / "raw-00.jsonl"), str(CORPUS / "raw-01.jsonl")]
    model = dsir.fit(raw, CORPUS / "target-scripture.jsonl", progress=False)
    spark = SparkSession.builder.master("local[2]").appName("dsir").getOrCreate()
    sent = spark.sparkContext.broadcast(model)

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            weights = pa.array(sent.value.score(batch["text"]))
            yield pa.record_batch([batch["text"], weights], ["text", "log_weight"])

    frame = spark.read.json(raw).select("text")
    scored = frame.mapInArrow(score, "text string, log_weight double").cache()
    total = scored.groupBy().sum("log_weight").first()[0]
    print(f"{scored.count()} rows, sum of log-weights {total:.6f}")
    for row in scored.orderBy("log_weight", ascending=False).head(3):
        print(f"{row['log_weight']:8.2f}  {row['text'][:70]}")
    spark.stop()


if __name__ == "__main__":
    main()
