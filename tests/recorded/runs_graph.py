"""Recorded runs of `dsir.graph`, `dsir lexrank` and `dsir gais`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from run_set import (
    ARROW,
    DAMAGED,
    LINES,
    PARQUET,
    PROSE,
    RUNS,
    Place,
    Result,
    lines_in,
    recorded,
    well,
)

from dsir import graph


@recorded
def lexrank_variants(place: Place) -> Result:
    texts = pq.read_table(place.inputs / "parquet" / "part-1.parquet")["text"]
    teleport = [float(number % 5) for number in range(len(texts))]
    values: dict[str, Any] = {}
    for name, settings in {
        "default": {},
        "continuous": {"threshold": None},
        "degree": {"method": "degree", "threshold": 0.3},
        "centroid": {"method": "degree", "threshold": None},
        "top-k": {"top_k": 7, "threshold": None, "stopwords": "en"},
        "teleport": {"teleport": teleport, "damping": 0.6, "tolerance": 1e-3, "punctuation": True},
    }.items():
        found: Any = graph.centrality(texts, threads=place.threads, **settings)
        values[name] = found.scores
        values[f"{name}.walk"] = [found.iterations, found.converged]
    values["estimator"] = graph.LexRank(0.2).fit(texts).scores_
    vectors = (np.arange(60 * 5) * 7919 % 257).reshape(60, 5) / 256.0
    values["embeddings"] = graph.lexrank(vectors, threshold=0.8)
    return Result(values)


@recorded
def graphs_and_idf(place: Place) -> Result:
    texts = pq.read_table(place.inputs / "parquet" / "part-1.parquet")["text"].combine_chunks()
    idf = graph.Idf(stopwords="en").fit(texts[:90], threads=place.threads)
    idf.merge(graph.Idf(stopwords="en").fit(texts[90:]))
    idf.save(place.folder / "words.idf")
    loaded = graph.Idf.load(place.folder / "words.idf")
    near = graph.similarity_join(texts, threshold=0.35, idf=loaded, stopwords="en")
    best = graph.similarity_join(texts, top_k=4, include_self=False, threads=place.threads)
    values: dict[str, Any] = {"idf": [loaded["ship"], loaded["never-met"], loaded.documents]}
    for name, one in {"near": near, "best": best}.items():
        values[f"{name}.offsets"] = one.offsets
        values[f"{name}.neighbours"] = one.neighbours
        values[f"{name}.weights"] = one.weights
    points = (np.arange(200 * 4) * 7919 % 257).reshape(200, 4) / 256.0
    labels = np.arange(200) % 3
    here: dict[str, Any] = {}
    for method in ("exact", "minibatch", "lsh", "lsh-multilevel", "lsh-multiview"):
        found = graph.neighbours(points, k=5, method=method, labels=labels, batch_size=64)
        here[f"{method}.neighbours"] = found.neighbours
        here[f"{method}.cosines"] = found.cosines
        values[f"{method}.offsets"] = found.offsets
    return Result(values, here)


@recorded
def summaries(place: Place) -> Result:
    texts = [json.loads(line)["text"] for line in lines_in(place, PROSE[0])[:40]]
    values: dict[str, Any] = {"split": graph.sentences(texts[:10])}
    for name, settings in {
        "five": {"sentences": 5},
        "words": {"words": 60, "redundancy": 0.2, "min_words": 4, "threshold": None},
        "rows": {"sentences": 3, "split": False, "stopwords": "en"},
    }.items():
        found: Any = graph.summarize(texts, threads=place.threads, **settings)
        values[f"{name}.sentences"] = found.sentences
        values[f"{name}.scores"] = found.scores
        values[f"{name}.places"] = [
            getattr(found, one).tolist() for one in ("documents", "positions", "ranks")
        ]
    return Result(values)


def _lexrank(name: str, inputs: tuple[str, ...], *options: object) -> None:
    """Add a run of `dsir lexrank`."""

    def run(place: Place) -> Result:
        words = [*place.of(*inputs), "--out", place.out, "--json", "--threads", place.threads]
        done = well("lexrank", *words, *options, "-q")
        said = done.said
        said["skipped"] = _without_reasons(said.get("skipped"))
        return Result({"said": said})

    RUNS[name] = run


def _without_reasons(skipped: Any) -> Any:
    if not isinstance(skipped, list):
        return skipped
    return [{name: one[name] for name in one if name != "reason"} for one in skipped]


_lexrank("lexrank-threshold", (PARQUET, LINES), "--threshold", 0.2)
_lexrank("lexrank-continuous", (ARROW,), "--score-column", "centrality", "--damping", 0.7)
_lexrank("lexrank-group-top", (LINES,), "--group-by", "domain", "--top", "10%", "--threshold", 0.1)
_lexrank("lexrank-group-idf", (PARQUET,), "--group-by", "domain", "--idf", "group", "--top", 7)
_lexrank("lexrank-summary", PROSE, "--summary", 6, "--min-words", 5, "--stopwords", "en")
_lexrank("lexrank-group-summary", PROSE, "--group-by", "domain", "--summary-words", 80)
_lexrank("lexrank-no-split", (PARQUET,), "--summary", 4, "--no-split", "--redundancy", 0.3)
_lexrank("lexrank-skip", DAMAGED, "--on-error", "skip", "--group-by", "domain")


def _labelled(place: Place) -> tuple[pa.Table, pa.ChunkedArray]:
    table = pq.read_table(place.inputs / "labelled" / "a.parquet")
    return table.select(["a", "b", "colour"]), table["label"]


@recorded
def gais_selects(place: Place) -> Result:
    columns, labels = _labelled(place)
    # What is kept is the same for all; the network's numbers end in numpy's exponential.
    values: dict[str, Any] = {}
    here: dict[str, Any] = {}
    for name, settings in {
        "coverage": {"graph": "minibatch"},
        "no-trials": {"trials": False, "graph": "exact", "random_state": 3},
        "attention": {"select": "attention-coverage", "graph": "lsh"},
        "top": {"select": "top", "rank_by": "confidence", "graph": "lsh-multilevel"},
        "sample": {"select": "sample", "rank_by": "attention-same-class", "heads": 2, "hidden": 4},
    }.items():
        arguments: dict[str, Any] = {"epochs": 6, "categorical": ["colour"], **settings}
        fitted = graph.GAIS(0.9, n_jobs=place.threads, **arguments).fit(columns, labels)
        values[name] = np.asarray(fitted.sample_indices_)
        here[f"{name}.scores"] = np.asarray(fitted.scores_)
        here[f"{name}.embeddings"] = np.asarray(fitted.embeddings_)
    numbers = np.stack([columns["a"].to_numpy(), columns["b"].to_numpy()], axis=1)
    names = np.asarray(labels.to_pylist())
    for name, one in {
        "random": graph.RandomSelection(0.9, random_state=2),
        "k-means": graph.KMeansPrototypes(0.9),
        "edited": graph.EditedNearestNeighbours(),
    }.items():
        one.fit_resample(numbers, names)
        values[name] = np.asarray(one.sample_indices_)
    return Result(values, here)


@recorded
def gais_files(place: Place) -> Result:
    inputs = place.of("labelled/a.parquet", "labelled/b.jsonl")
    words = [*inputs, "--label", "label", "--out", place.out, "--epochs", 6, "--json", "-q"]
    words += ["--features", "a,b,colour", "--categorical", "colour", "--keep", "8%", "--report"]
    return Result({"said": well("gais", *words, "--threads", place.threads).said})


@recorded
def gais_texts(place: Place) -> Result:
    inputs = place.of("labelled/b.jsonl")
    words = [*inputs, "--label", "label", "--text", "text", "--out", place.out, "--epochs", 4]
    words += ["--keep", 20, "--buckets", 300, "--seed", 3, "--select", "top", "--json", "-q"]
    return Result({"said": well("gais", *words, "--threads", place.threads).said})
