"""Several models in one pass over the same texts, against one of them alone, on one thread.

Five models of the same n-grams share the work on a text, and their tables lie side by side. Five of
three kinds share the tokens and hashes; each kind has another number of buckets. Times are CPU
seconds of the process, which has one thread.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import dsir
from benchmarks import corpus
from benchmarks.figures import figure, ratio
from benchmarks.timing import in_turn

# Every eighth text: models are made of these, and scored on them.
_STEP = 8
_TARGETS = ("code_python", "man_ja", "medical_leaflets", "movie_reviews", "reuters")


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure; return figures."""
    everything = corpus.texts(corpus.shards(data))
    texts = everything.take(list(range(0, len(everything), _STEP)))
    targets = {
        name: pq.read_table(data / "targets" / f"{name}.parquet", columns=["text"])
        for name in _TARGETS
    }

    def fit(target: str, estimator: str = "ratio") -> Any:
        return dsir.fit(texts, targets[target], estimator=estimator, progress=False)

    same = {name: fit(name) for name in _TARGETS}
    kinds = {
        **{name: same[name] for name in _TARGETS[:2]},
        **{f"classifier {name}": fit(name, "classifier") for name in _TARGETS[2:4]},
        "relevance": fit(_TARGETS[4], "relevance"),
    }
    alone = {"classifier": kinds[f"classifier {_TARGETS[2]}"]}  # The slowest kind.
    seconds = in_turn(
        {
            "one": lambda: dsir.score(texts, {"one": same[_TARGETS[0]]}),
            "one classifier": lambda: dsir.score(texts, alone),
            "five, same n-grams": lambda: dsir.score(texts, same),
            "five, three kinds": lambda: dsir.score(texts, kinds),
        },
        times,
        clock=time.process_time,
    )
    size = corpus.text_bytes(texts) / 1e6
    return {
        "figures": [
            *(figure(name, "MB/s", [size / s for s in each]) for name, each in seconds.items()),
            ratio(
                "five, same n-grams / one",
                seconds["five, same n-grams"],
                seconds["one"],
                better="lower",
                asked=2.0,
            ),
            ratio(
                "five, three kinds / one classifier",
                seconds["five, three kinds"],
                seconds["one classifier"],
                better="lower",
                asked=2.0,
            ),
        ]
    }
