"""The kernels on one thread: every path through them against plain scoring, in the same run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import corpus
from benchmarks.figures import figure, ratio
from benchmarks.timing import in_turn
from dsir import HashedNgrams, ImportanceModel

# Sources in the data that are mostly in another language, and their names in the table.
_LANGUAGES = {"man_fr": "French", "man_de": "German", "man_ja": "Japanese", "man_zh_CN": "Chinese"}

# A language has few documents. They are repeated until they have this much text.
_LANGUAGE_BYTES = 20_000_000


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure; return MB/s and the ratios that matter, round by round, as figures."""
    paths = corpus.shards(data)
    everything = corpus.texts(paths)
    target = pq.read_table(data / "targets" / "movie_reviews.parquet", columns=["text"])["text"]
    plain = HashedNgrams()
    raw_counts, target_counts = plain.counts(everything), plain.counts(target)
    model = ImportanceModel(plain, raw_counts, target_counts)
    several = ImportanceModel(
        plain,
        raw_counts,
        np.tile(target_counts, (8, 1)),
        target_names=[f"t{i}" for i in range(8)],
        targets="separate",
    )
    others = {
        "2^20 buckets": HashedNgrams(buckets=1 << 20),
        "trigrams": HashedNgrams(n=3),
        "word_tokenize": HashedNgrams(tokenizer="word_tokenize", sentences="none"),
        "sha256": HashedNgrams(hash="sha256"),
    }
    ascii_only = everything.filter(pa.array([text.isascii() for text in everything.to_pylist()]))
    texts = {"ASCII": ascii_only, **_languages(paths)}
    runs = {
        "score": lambda: model.score(everything),
        "count": lambda: plain.counts(everything),
        "eight targets": lambda: several.score(everything),
    }
    for name, features in others.items():
        its_model = ImportanceModel(features, features.counts(everything), features.counts(target))
        runs[name] = lambda its_model=its_model: its_model.score(everything)
    for name, some in texts.items():
        runs[name] = lambda some=some: model.score(some)
    seconds = in_turn(runs, times)
    sizes = {name: corpus.text_bytes(some) for name, some in texts.items()}
    size = corpus.text_bytes(everything)
    rates = {n: [sizes.get(n, size) / s / 1e6 for s in found] for n, found in seconds.items()}
    languages = tuple(_LANGUAGES.values())
    figures = [figure(f"{name}, 1 thread", "MB/s", rate) for name, rate in rates.items()]
    for name, other in (dict.fromkeys(runs, "score") | dict.fromkeys(languages, "ASCII")).items():
        if name not in (other, "eight targets"):
            asked = 0.4 if name in languages else 0.8 if name == "count" else None
            figures.append(ratio(f"{name} / {other}", rates[name], rates[other], asked=asked))
    eight = ratio(
        "time of eight targets / one",
        seconds["eight targets"],
        seconds["score"],
        better="lower",
        asked=1.6,
    )
    return {"figures": [*figures, eight]}


def _languages(paths: list[Path]) -> dict[str, pa.Array]:
    found: dict[str, list[str]] = {source: [] for source in _LANGUAGES}
    for path in paths:
        table = pq.read_table(path, columns=["source", "text"])
        rows = zip(table["source"].to_pylist(), table["text"].to_pylist(), strict=True)
        for source, text in rows:
            if source in found and text is not None:
                found[source].append(text)
    arrays = {}
    for source, name in _LANGUAGES.items():
        array = pa.array(found[source], pa.large_string())
        arrays[name] = pa.concat_arrays([array] * (_LANGUAGE_BYTES // corpus.text_bytes(array) + 1))
    return arrays
