"""Recorded runs of models, of the field's functions, and of the reference's API."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from run_set import (
    ARROW,
    LINES,
    PARQUET,
    PROSE,
    RUNS,
    SEA,
    THREE,
    Place,
    Result,
    lines_in,
    plain,
    recorded,
)

import dsir
from dsir import compat


@recorded
def fit_and_model(place: Place) -> Result:
    values: dict[str, Any] = {}
    texts = pq.read_table(place.inputs / "parquet" / "part-1.parquet")["text"]
    kinds: dict[str, dict[str, Any]] = {
        "one": {},
        "separate": {"targets": "separate", "proportions": [1, 2, 3], "smoothing": 0.1},
        "mixture": {"targets": "mixture", "length": "poisson"},
        "windows": {"chunk_tokens": 20, "fit_tokens": 4000, "length": "mean"},
    }
    for name, settings in kinds.items():
        several = "targets" in settings
        target = place.target(*THREE) if several else place.inputs / SEA
        raw = place.of(LINES if several else PARQUET)
        model = dsir.fit(raw, target, threads=place.threads, progress=False, **settings)
        path = place.folder / f"{name}.dsir"
        model.save(path)
        loaded = dsir.ImportanceModel.load(path)
        values[f"{name}.scores"] = loaded.score(texts, threads=place.threads)
        values[f"{name}.scores_of_files"] = loaded.score(place.of(ARROW), threads=place.threads)
        values[f"{name}.log_ratio"] = loaded.log_ratio
        values[f"{name}.explained"] = loaded.explain(
            "The captain saw a ship, and the judge a statute.", target="law" if several else None
        )
        values[f"{name}.plain"] = {
            "fingerprint": loaded.fingerprint,
            "names": list(loaded.target_names),
            "targets": loaded.targets,
            "proportions": plain(loaded.proportions),
            "smoothing": loaded.smoothing,
            "length": loaded.length,
            "features": loaded.features.fingerprint,
        }
    return Result(values)


@recorded
def classifiers(place: Place) -> Result:
    values: dict[str, Any] = {}
    kinds: dict[str, dict[str, Any]] = {
        "one": {},
        "separate": {"targets": "separate", "features": dsir.HashedNgrams(n=3, buckets=3000)},
        "mixture": {"targets": "mixture", "fit_tokens": 20_000},
    }
    for name, settings in kinds.items():
        given = {"estimator": "classifier", "threads": place.threads, **settings}
        target = place.target(*THREE) if "targets" in settings else place.inputs / SEA
        model = dsir.fit(place.of(PARQUET), target, progress=False, **given)
        values[f"{name}.weights"] = model.weights
        values[f"{name}.scores"] = model.score(place.of(ARROW), threads=place.threads)
        values[f"{name}.plain"] = {
            "fingerprint": model.fingerprint,
            "lines": plain(model.lines),
            "learned": [one.describe() for one in model.learned],
        }
    return Result(values)


@recorded
def features_and_filters(place: Place) -> Result:
    texts = ["The ship\u2019s sail — don't! 3.14, 42", "", "ÜNDER über\u0130 日本語 a_b", "x " * 30]
    values: dict[str, Any] = {}
    kinds = {
        "default": dsir.HashedNgrams(),
        "sha256": dsir.HashedNgrams(n=3, buckets=300, hash="sha256"),
        "words": dsir.HashedNgrams(n=1, buckets=50, tokenizer="word_tokenize"),
    }
    for name, features in kinds.items():
        values[f"{name}.tokens"] = [features.tokens(text) for text in texts]
        values[f"{name}.ngrams"] = [plain(features.ngrams(text)) for text in texts]
        values[f"{name}.counts"] = features.counts(texts)
        values[f"{name}.plain"] = [features.fingerprint, features.unicode_version, repr(features)]
    prose = pa.array([json.loads(line)["text"] for line in lines_in(place, PROSE[0])])
    for name, filters in {
        "paper": dsir.QualityFilters.paper(),
        "parsed": dsir.QualityFilters.parse("paper,max_words=80,max_informative=none"),
        "own": dsir.QualityFilters(min_words=30, max_repeated_ngrams=0.01, max_numeric=0.0),
    }.items():
        values[f"{name}.failed"] = filters.apply(prose, threads=place.threads)
        values[f"{name}.repr"] = repr(filters)
    return Result(values)


@recorded
def sample_and_size(place: Place) -> Result:
    # Multiples of 1/32, so that they are the same everywhere.
    weights = (np.arange(5000) * 2654435761 % 4093 - 2000) / 32.0
    weights[[5, 77]] = -np.inf
    values: dict[str, Any] = {}
    for seed in (0, 1, 2**63):
        values[f"resample-{seed}"] = dsir.sample(weights, 200, seed=seed, threads=place.threads)
    values["hot"] = dsir.sample(weights, 200, temperature=9.5)
    values["top-k"] = dsir.sample(weights, 200, method="top-k")
    return Result(values, {"size": dsir.effective_sample_size(weights)})


@recorded
def kl_reductions(place: Place) -> Result:
    selected = place.of("jsonl/part-1.jsonl.gz")
    raw, targets = place.of(PARQUET), place.target(*THREE)
    features = dsir.HashedNgrams(n=1, buckets=700)
    found = {
        "one": dsir.kl_reduction(selected, raw, place.inputs / SEA, threads=place.threads),
        "mean": dsir.kl_reduction(selected, raw, targets, features=features),
        "interval": plain(
            dsir.kl_reduction(
                selected, raw, targets, features=features, bootstrap=25, confidence=0.8, seed=4
            )
        ),
    }
    # They go through numpy's logarithm, whose last digits are the machine's.
    return Result({"rounded": json.loads(json.dumps(found), parse_float=_rounded)}, found)


def _rounded(number: str) -> float:
    return float(f"{float(number):.9g}")


def _compat(name: str, **settings: Any) -> None:
    """Add a run of a program of the reference."""

    def run(place: Place) -> Result:
        # Plain files, as the reference reads them.
        raw = place.of("paragraphs/raw-00.jsonl", "paragraphs/raw-01.jsonl")
        targets = place.of("paragraphs/target-novel.jsonl", "paragraphs/target-satire.jsonl")
        made = compat.HashedNgramDSIR(
            raw, targets, place.folder / "work", num_proc=2, min_example_length=30, **settings
        )
        made.fit_importance_estimator(num_tokens_to_fit=9000)
        made.compute_importance_weights()
        made.resample(place.out, num_to_sample=40, cache_dir=None, top_k=True)
        np.random.seed(4)  # noqa: NPY002 (as programs of the reference do)
        made.resample(place.folder / "numpy", num_to_sample=40, cache_dir=None)
        made.resample(place.folder / "seeded", num_to_sample=40, cache_dir=None, seed=9)
        made.save(place.folder / "work" / "state.dsir")
        again = compat.HashedNgramDSIR(raw, targets, place.folder / "work")
        again.load(place.folder / "work" / "state.dsir")
        weights = [
            np.load(path)
            for path in sorted((place.folder / "work" / "log_importance_weights").glob("*.npy"))
        ]
        here = {"log_diff": again.log_diff, "weights": np.concatenate(weights)}
        values = {"raw_probs": again.raw_probs, "target_probs": again.target_probs}
        values["rounded"] = np.round(np.concatenate(weights), 6) + 0.0
        return Result(values, here)

    RUNS[name] = run


_compat("compat")
_compat("compat-separate", separate_targets=True, target_proportions=[0.3, 0.7], ngrams=1)
_compat("compat-smoothed", target_laplace_smoothing=0.5, num_buckets=777, ngrams=3)


@recorded
def compat_functions(place: Place) -> Result:
    text = "A ship, and a ship's captain; 3.14 of Über."
    return Result(
        {
            "counts": np.asarray(compat.get_ngram_counts(text, n=3, num_buckets=97)),
            "buckets": [compat.hash_buckets(word) for word in ("a", "ship", "a ship", "über")],
        }
    )
