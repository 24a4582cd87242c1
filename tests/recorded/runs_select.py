"""Recorded runs of `dsir.select`."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq
from run_set import (
    ARROW,
    COPIED_LINES,
    COPIES,
    DAMAGED,
    DOCUMENTS,
    LINES,
    NOVEL,
    PARQUET,
    PROSE,
    RUNS,
    SEA,
    THREE,
    Place,
    Result,
    plain,
    recorded,
    said_in,
    texts_in,
    without_times,
)

import dsir


def selection_of(place: Place, raw: object, target: object, **settings: Any) -> Result:
    """Select, into the folder `out` unless `out` is given, and say what came of it."""
    arguments = {"out": place.out, "threads": place.threads, **DOCUMENTS, **settings}
    with said_in() as said:
        selection = dsir.select(raw, target, **arguments)
    return _described(selection, place, said)


def _described(selection: dsir.Selection, place: Place, said: list[Any]) -> Result:
    model = selection.model
    values = {
        "rows": selection.rows,
        "log_weights": selection.log_weights,
        "target": selection.target,
        "metrics": without_times(plain(selection.metrics)),
        "skipped": [
            [one.path, one.row, one.rows, one.kind, one.snippet] for one in selection.skipped
        ],
        "table": selection.table,
        "paths": [str(path) for path in selection.paths],
        "raw_counts": model.raw_counts,
        "target_counts": model.target_counts,
        "log_ratio": model.log_ratio,
        "fingerprint": model.fingerprint,
        "warnings": [type(one).__name__ for one in said],
    }
    here = {"reasons": [one.reason for one in selection.skipped], "warned": list(map(str, said))}
    return Result({name: one for name, one in values.items() if one is not None}, here)


def _select(name: str, raw: tuple[str, ...], wanted: Any, /, **settings: Any) -> None:
    """Add a run that is one call of `dsir.select` over files, or over their tables in memory.

    Args:
        name: of the run.
        raw: names of inputs.
        wanted: names of several targets, or the name of one file.
        settings: of the call.
    """

    def run(place: Place) -> Result:
        several = isinstance(wanted, tuple)
        target = place.target(*wanted) if several else place.inputs / wanted
        return selection_of(place, place.of(*raw), target, **settings)

    RUNS[name] = run


# Budgets, methods, lengths.
_select("n-parquet", (PARQUET,), SEA, n=60)
_select("fraction-jsonl", (LINES,), SEA, fraction=0.1, seed=3)
_select("tokens-arrow", (ARROW,), SEA, tokens=5000, length="mean", temperature=0.1)
_select("bytes-parquet", (PARQUET,), SEA, bytes="20kB", length="mean", seed=2**64 - 1)
_select("top-k-parquet", (PARQUET,), SEA, n=50, method="top-k")
_select("top-k-tokens-jsonl", (LINES,), SEA, tokens=3000, method="top-k", length="mean")
_select("hot-parquet", (PARQUET,), SEA, n=70, temperature=40.0)
_select("cold-jsonl", (LINES,), SEA, n=70, temperature=0.05, length="mean")
_select("length-half-parquet", (PARQUET,), SEA, n=50, length=0.5, seed=4)
_select("length-poisson-jsonl", (LINES,), SEA, n=50, length="poisson", temperature=20.0)
_select("length-poisson-arrow", (ARROW,), THREE, n=50, length="poisson", targets="mixture")
_select("fewer-parquet", (PARQUET,), SEA, n=10_000, allow_fewer=True)

# Features and fit.
_select("sha256-parquet", (PARQUET,), SEA, n=40, features=dsir.HashedNgrams(hash="sha256"), seed=5)
_select(
    "word-tokenize-jsonl",
    (LINES,),
    SEA,
    bytes=15_000,
    length="mean",
    features=dsir.HashedNgrams(tokenizer="word_tokenize"),
)
_select(
    "unigrams-parquet", (PARQUET,), SEA, n=40, features=dsir.HashedNgrams(n=1, buckets=500), seed=6
)
_select(
    "trigrams-arrow",
    (ARROW,),
    SEA,
    n=40,
    features=dsir.HashedNgrams(n=3, buckets=65_536),
    smoothing=0.5,
    length=0.5,
)
_select(
    "trigrams-sha256-jsonl",
    (LINES,),
    THREE,
    n=40,
    features=dsir.HashedNgrams(n=3, hash="sha256", tokenizer="word_tokenize"),
    smoothing=1.0,
)
_select("fit-tokens-jsonl", (LINES,), SEA, n=40, fit_tokens=2000, length="mean")
_select("fit-tokens-parquet", (PARQUET,), SEA, fraction=0.2, fit_tokens=5001, temperature=30.0)
_select("fit-all-jsonl", (LINES,), SEA, n=25, fit_tokens="all", length="mean", temperature=0.2)

# Several targets.
_select("pooled-parquet", (PARQUET,), THREE, n=60, length="mean")
_select(
    "separate-parquet",
    (PARQUET,),
    THREE,
    n=60,
    targets="separate",
    proportions={"sea": 0.5, "law": 0.2, "bake": 0.3},
    length="mean",
    temperature=0.3,
)
_select(
    "separate-jsonl",
    (LINES,),
    THREE,
    tokens=6000,
    targets="separate",
    target_column="wanted_by",
    weight_column="lw",
    method="top-k",
)
_select("separate-bytes-arrow", (ARROW,), ("law", "sea"), bytes=9000, targets="separate", seed=8)
_select(
    "mixture-parquet",
    (PARQUET,),
    THREE,
    n=60,
    targets="mixture",
    proportions={"sea": 3, "law": 1, "bake": 0},
    temperature=10.0,
)
_select("mixture-jsonl", (LINES,), THREE, fraction=0.15, targets="mixture", length="mean")

# Windows, filters, preprocessing.
_select("windows-parquet", (PARQUET,), SEA, n=90, chunk_tokens=20, min_tokens=10)
_select(
    "windows-stride-jsonl",
    (LINES,),
    SEA,
    fraction=0.1,
    chunk_tokens=20,
    chunk_stride=7,
    min_tokens=20,
    length="mean",
    shard_size="4kB",
)
_select(
    "windows-separate-arrow",
    (ARROW,),
    THREE,
    tokens=3000,
    chunk_tokens=16,
    targets="separate",
    min_tokens=4,
)
_select("windows-sha256-jsonl", (LINES,), SEA, n=33, chunk_tokens=31, fit_tokens=3000, min_tokens=9)
_select("filters-paper-prose", PROSE, NOVEL, n=40, filters="paper", length="mean")
_select(
    "filters-thresholds-parquet",
    (PARQUET,),
    SEA,
    n=30,
    filters={"min_words": 20, "max_words": 150, "max_repeated": 0.12, "max_informative": 0.8},
)
_select(
    "filters-text-prose",
    PROSE,
    NOVEL,
    fraction=0.1,
    filters="paper,max_words=none,min_alphanumeric=0.97,max_repeated_ngrams=0.05",
    temperature=20.0,
)
_select("paper-prose", PROSE, NOVEL, n=60, preprocessing="paper", min_tokens=40)
_select(
    "paper-windows-prose",
    PROSE,
    NOVEL,
    n=60,
    preprocessing="paper",
    chunk_tokens=64,
    chunk_stride=32,
    filters="min_words=30,max_numeric=0.1",
    min_tokens=40,
    length="mean",
)

# Quotas, duplicates, centrality.
_select("max-per-parquet", (COPIES,), SEA, n=60, max_per={"source": 0.3}, length="mean")
_select("max-per-two-jsonl", (COPIED_LINES,), SEA, tokens=4000, max_per={"source": 20, "lang": 0.6})
_select("max-per-bytes-flag", (COPIES,), SEA, bytes=9000, max_per={"meta.flag": 0.4}, seed=2)
_select("group-by-parquet", (COPIES,), SEA, n=12, group_by="lang", length="mean", temperature=0.2)
_select(
    "group-by-fraction-jsonl",
    (COPIED_LINES,),
    SEA,
    fraction=0.1,
    group_by="source",
    max_per={"lang": 0.7},
    allow_fewer=True,
)
_select("group-by-tokens-parquet", (COPIES,), SEA, tokens=900, group_by="source", method="top-k")
_select("dedup-parquet", (COPIES,), SEA, n=80, dedup="exact")
_select("dedup-windows-jsonl", (COPIED_LINES,), SEA, n=80, dedup="exact", chunk_tokens=15)
_select(
    "dedup-quotas-separate",
    (COPIES,),
    THREE,
    n=60,
    dedup="exact",
    max_per={"source": 0.4},
    targets="separate",
    proportions=[2, 1, 1],
    allow_fewer=True,
)
_select(
    "combine-parquet",
    (PARQUET,),
    SEA,
    n=30,
    combine={"dsir": 1.0, "lexrank": 0.4},
    length="mean",
    temperature=0.2,
)
_select(
    "combine-candidates-jsonl",
    (COPIED_LINES,),
    SEA,
    tokens=2500,
    combine={"dsir": 0.5, "lexrank": 1.0},
    candidates=2.5,
    dedup="exact",
)

# Where rows come from and go to.
_select("parts-parquet", (PARQUET,), SEA, n=150, shard_size="7kB", weight_column="lw")
_select("kinds-together", (LINES, ARROW, PARQUET), SEA, n=200, length="mean", shard_size=40_000)
_select("nested-text-jsonl", (LINES,), SEA, n=40, text="text", memory="400MB")
_select(
    "skip-damaged",
    DAMAGED,
    "targets/damaged.jsonl",
    n=180,
    on_error="skip",
    max_bad_rows="40%",
    max_bad_shards=2,
    length="mean",
)
_select(
    "skip-damaged-quotas",
    DAMAGED,
    "targets/damaged.jsonl",
    fraction=0.2,
    on_error="skip",
    max_per={"domain": 0.5},
    dedup="exact",
    allow_fewer=True,
)
_select(
    "skip-damaged-windows",
    DAMAGED,
    "targets/damaged.jsonl",
    tokens=4000,
    on_error="skip",
    chunk_tokens=25,
    min_tokens=5,
)


@recorded
def nested_text_parquet(place: Place) -> Result:
    target = [text.upper() for text in texts_in(place.of(SEA)[0])["text"].to_pylist()]
    return selection_of(place, place.of(PARQUET), target, text="meta.body", n=40, length="mean")


@recorded
def in_memory_table(place: Place) -> Result:
    tables = [
        pq.read_table(path) for path in place.of("parquet/part-1.parquet", "parquet/part-2.parquet")
    ]
    target = texts_in(str(place.inputs / SEA))
    return selection_of(place, tables, target, n=40, out=None, length="mean")


@recorded
def in_memory_texts(place: Place) -> Result:
    texts = pq.read_table(place.inputs / "parquet" / "part-2.parquet")["text"].to_pylist()
    texts = [text or "" for text in texts]
    target = texts_in(str(place.inputs / SEA))["text"].to_pylist()
    return selection_of(place, texts, target, n=40, temperature=15.0)


@recorded
def in_memory_windows(place: Place) -> Result:
    table = pq.read_table(place.inputs / "parquet" / "part-2.parquet")
    target = {
        name: texts_in(path)["text"].to_pylist() for name, path in place.target(*THREE).items()
    }
    return selection_of(
        place, table, target, n=40, chunk_tokens=18, targets="separate", out=None, min_tokens=5
    )


@recorded
def lines_to_memory(place: Place) -> Result:
    return selection_of(place, place.of(LINES), place.inputs / SEA, n=30, out=None, length="mean")


@recorded
def workdir_resumed(place: Place) -> Result:
    """Stopped by the limit of bad rows while scoring; the same call with a higher one goes on."""
    raw, target = place.of(*DAMAGED), place.inputs / SEA
    settings = {"n": 60, "on_error": "skip", "workdir": place.folder / "work", "length": "mean"}
    try:
        selection_of(place, raw, target, max_bad_rows=3, **settings)
    except dsir.BadDataError as error:
        first = {"path": error.path, "row": error.row}
    result = selection_of(place, raw, target, **settings)
    result.values["first"] = first
    return result


@recorded
def workdir_again(place: Place) -> Result:
    """Done a second time, all from what the first left."""
    raw, target = place.of(PARQUET, LINES), place.target(*THREE)
    settings = {"tokens": 5000, "targets": "separate", "workdir": place.folder / "work"}
    first = selection_of(place, raw, target, **settings)
    again = selection_of(place, raw, target, **settings)
    over = selection_of(place, raw, target, overwrite=True, **settings)
    results = {"first": first, "again": again, "over": over}
    return Result(
        {
            f"{name}.{part}": value
            for name, result in results.items()
            for part, value in result.values.items()
        }
    )
