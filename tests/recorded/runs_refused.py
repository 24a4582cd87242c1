"""Recorded calls that are refused: by which error, and with which exit code."""

from __future__ import annotations

from typing import Any

from run_set import (
    DAMAGED,
    DOCUMENTS,
    PARQUET,
    SEA,
    THREE,
    Place,
    Result,
    dsir_command,
    recorded,
    said_in,
    well,
)

import dsir

WRONG_CALLS: dict[str, dict[str, Any]] = {
    "no budget": {"n": None},
    "two budgets": {"fraction": 0.5},
    "n of none": {"n": 0},
    "n of a half": {"n": 0.5},
    "n above all": {"n": 10_000},
    "fraction above one": {"n": None, "fraction": 1.5},
    "tokens of none": {"n": None, "tokens": 0},
    "tokens below one document": {"n": None, "tokens": 1},
    "bytes of no unit": {"n": None, "bytes": "10XB"},
    "seed below 0": {"seed": -1},
    "seed too large": {"seed": 2**64},
    "temperature of 0": {"temperature": 0.0},
    "temperature of NaN": {"temperature": float("nan")},
    "min_tokens below 0": {"min_tokens": -1},
    "method": {"method": "best"},
    "length": {"length": "max"},
    "length above 1": {"length": 1.5},
    "smoothing below 0": {"smoothing": -0.5},
    "targets": {"targets": "both"},
    "separate of one": {"targets": "separate"},
    "proportions of one": {"proportions": [1.0]},
    "fit_tokens of 0": {"fit_tokens": 0},
    "fit_tokens": {"fit_tokens": "some"},
    "features": {"features": "bigrams"},
    "chunk_tokens of 0": {"chunk_tokens": 0},
    "stride without windows": {"chunk_stride": 5},
    "stride above windows": {"chunk_tokens": 10, "chunk_stride": 11},
    "filters": {"filters": "books"},
    "filters of no value": {"filters": "min_words"},
    "filters out of range": {"filters": {"max_numeric": 3}},
    "preprocessing": {"preprocessing": "book"},
    "max_per above 1": {"max_per": {"domain": 1.5}},
    "max_per of no column": {"max_per": {"nowhere": 0.5}},
    "max_per too low": {"n": 200, "max_per": {"domain": 5}},
    "group_by of no column": {"group_by": "nowhere"},
    "group_by of a list": {"group_by": "tags"},
    "dedup": {"dedup": "fuzzy"},
    "combine": {"combine": {"dsir": 1.0, "pagerank": 1.0}},
    "combine with coverage": {"combine": {"dsir": 1, "lexrank": 1}, "method": "coverage"},
    "candidates below 1": {"combine": {"dsir": 1, "lexrank": 1}, "candidates": 0.5},
    "shard_size of 0": {"shard_size": 0},
    "weight_column that exists": {"weight_column": "id"},
    "weight_column of no name": {"weight_column": ""},
    "engine": {"engine": "cluster"},
    "threads of 0": {"threads": 0},
    "memory too small": {"memory": "1MB"},
    "memory": {"memory": "much"},
    "on_error": {"on_error": "ignore"},
    "bad rows without skip": {"max_bad_rows": 5},
    "bad rows": {"on_error": "skip", "max_bad_rows": "200%"},
    "text of no column": {"text": "body"},
    "text of numbers": {"text": "id"},
}


@recorded
def refused_calls(place: Place) -> Result:
    """What is raised, by its public name; the words are compared byte for byte only."""
    kinds: dict[str, str] = {}
    words: dict[str, str] = {}

    def call(name: str, raw: object, target: object, **settings: Any) -> None:
        arguments = {"n": 20, "out": place.out, "threads": place.threads, **DOCUMENTS, **settings}
        try:
            with said_in():
                dsir.select(raw, target, **arguments)
            kinds[name] = "none"
        except Exception as error:  # noqa: BLE001 (its kind is the result)
            kinds[name] = type(error).__name__
            words[name] = str(error)

    raw, target = place.of(PARQUET), place.inputs / SEA
    for name, settings in WRONG_CALLS.items():
        call(name, raw, target, **settings)
    call("raw of nothing", [], target)
    call("raw of no file", place.of("nowhere/*.parquet"), target)
    call("raw of a number", 5, target)
    call("raw of one text", ["a text"], target)
    call("paths and texts", [*raw, "a text"], target)
    call("target of no texts", raw, [""])
    call("targets of nothing", raw, {})
    # One of them: which of several is met first depends on the threads.
    for name in DAMAGED[:3]:
        call(name, place.of(name), target)
    named = place.target(*THREE)
    call("proportions too few", raw, named, targets="separate", proportions=[1, 2])
    call("proportions of others", raw, named, targets="mixture", proportions={"x": 1})
    call("proportions below 0", raw, named, targets="separate", proportions=[1, -1, 1])
    (place.out).mkdir()
    (place.out / "mine.txt").write_text("not dsir's")
    call("a folder with files", raw, target)
    call("a folder with files, overwritten", raw, target, overwrite=True)
    return Result({"kinds": kinds}, {"words": words})


@recorded
def refused_commands(place: Place) -> Result:
    raw, target, model = place.of(PARQUET), str(place.inputs / SEA), place.folder / "model.dsir"
    scores, other = place.folder / "scores", place.folder / "other.dsir"
    budget = ["-n", "20"]
    well("fit", *raw, "-t", target, "-o", model, "-q")
    well("fit", *raw, "-t", target, "-o", other, "-q", "--ngrams", "1")
    well("score", *raw, "-m", model, "-o", scores, "-q")
    well("sample", scores, "-o", place.folder / "rows", *budget, "-q", "--min-tokens", "12")
    calls: dict[str, list[object]] = {
        "nothing": [],
        "no such command": ["choose"],
        "no such option": ["select", *raw, "--best"],
        "no target": ["select", *raw, "-o", "out", *budget],
        "no out": ["select", *raw, "-t", target, *budget],
        "no budget": ["select", *raw, "-t", target, "-o", place.out],
        "n of words": ["select", *raw, "-t", target, "-o", place.out, "-n", "many"],
        "too many": ["select", *raw, "-t", target, "-o", place.out, "-n", "99999", "-q"],
        "no raw": ["select", place.inputs / "no", "-t", target, "-o", place.out, *budget],
        "max-per": ["select", *raw, "-t", target, "-o", place.out, *budget, "--max-per", "x"],
        "score of no model": ["score", *raw, "-m", place.folder / "no", "-o", place.out],
        "score of a text": ["score", *raw, "-m", target, "-o", place.out],
        "score of a part": ["score", *raw, "-m", model, "-o", place.out, "--part", "2/2"],
        "score with others": ["score", *raw, "-m", other, "-o", scores, "-q"],
        "sample of no scores": ["sample", place.inputs, "-o", place.out, *budget],
        "sample of no groups": ["sample", scores, "-o", place.out, *budget, "--group-by", "id"],
        "sample without dedup": ["sample", scores, "-o", place.out, *budget, "--dedup", "exact"],
        "write with another": ["write", place.folder / "rows", "-m", other, "-o", place.out, "-q"],
        "explain of no model": ["explain", target, "words"],
        "verify of nothing": ["verify", place.inputs],
        "diff of nothing": ["diff", place.inputs, place.inputs],
        "status of nothing": ["status", place.inputs],
        "lexrank of both": ["lexrank", *raw, "-o", place.out, "--top", "3", "--summary", "2"],
        "lexrank of no group": ["lexrank", *raw, "-o", place.out, "--group-by", "no", "-q"],
        "gais of no label": ["gais", *raw, "-o", place.out, "--label", "nowhere", "-q"],
    }
    done = {name: dsir_command(*words) for name, words in calls.items()}
    return Result(
        {"codes": {name: one.code for name, one in done.items()}},
        {"words": {name: [one.out, one.err] for name, one in done.items()}},
    )
