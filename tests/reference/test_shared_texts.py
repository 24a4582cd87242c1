"""Real text, where it lies beside the repository: the reference's tokens, buckets and log-weights.

What is covered: tokens of every document of raw, raw_jsonl and targets, against the reference's
regular expression; n-grams, buckets, counts, lengths and log-weights of every 20th, and at least
three of every source, against the reference's functions (which do 2 MB/s); and one plain JSON Lines
file from end to end through the reference's program.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir import _core, compat

SHARED = Path(__file__).parents[3] / "shared" / "data"
EVERY = 20

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not there")


def files() -> list[Path]:
    folders = (SHARED / name for name in ("raw", "raw_jsonl", "targets"))
    return sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir())


def documents(path: Path) -> Iterator[tuple[str, str]]:
    """(source, text) of the rows that have a text."""
    if path.suffix == ".parquet":
        table = pq.read_table(path, columns=["source", "text"])
        rows: Any = zip(table["source"].to_pylist(), table["text"].to_pylist(), strict=True)
    else:
        with pa.input_stream(str(path), compression="detect") as stream:
            lines = stream.read().splitlines()
        parsed = (json.loads(line) for line in lines)
        rows = ((row["source"], row["text"]) for row in parsed)
    for source, text in rows:
        if text is not None:
            yield source, text


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_tokens_of_every_document(functions, unicode_difference, named_difference, path):
    other = "".join(map(chr, unicode_difference))
    compared = left_out = 0
    for _, text in documents(path):
        if other and not set(text).isdisjoint(other):
            left_out += 1
            continue
        assert _core.wordpunct_tokens(text) == functions.wpt.tokenize(text.lower()), text[:200]
        compared += 1
    assert compared >= 100
    assert left_out <= compared / 1000, named_difference


def sample(unicode_difference: frozenset[int]) -> list[str]:
    """Every 20th document of raw and raw_jsonl, and the first three of every source."""
    seen: Counter[str] = Counter()
    taken = []
    for path in files():
        if path.parent.name == "targets":
            continue
        for number, (source, text) in enumerate(documents(path)):
            if number % EVERY and seen[source] >= 3:
                continue
            if set(map(ord, text)).isdisjoint(unicode_difference):
                seen[source] += 1
                taken.append(text)
    assert len(seen) >= 21
    assert min(seen.values()) >= 3
    return taken


@pytest.fixture(scope="module")
def texts(unicode_difference) -> list[str]:
    return sample(unicode_difference)


@pytest.mark.parametrize(
    ("n", "buckets", "every"), [(2, 10_000, 1), (1, 1_000, 5), (3, 50_000, 20)]
)
def test_buckets_counts_lengths_and_log_weights(functions, texts, tmp_path, n, buckets, every):
    """The model is fitted on all of raw by dsir; its log ratios are the formula of its counts."""
    some = texts[::every]
    features = dsir.HashedNgrams(n=n, buckets=buckets, hash="sha256")
    model = dsir.fit(
        str(SHARED / "raw" / "*.parquet"),
        SHARED / "targets" / "movie_reviews.parquet",
        features=features,
        fit_tokens="all",
        progress=False,
    )
    theirs = functions.HashedNgramDSIR([], [], str(tmp_path), ngrams=n, num_buckets=buckets)
    raw, target = (counts / counts.sum() for counts in (model.raw_counts, model.target_counts))
    theirs.log_diff = np.log(target + 1e-8) - np.log(raw + 1e-8)
    table = pa.table({"text": pa.array(some, pa.large_string())})
    log_weight, tokens, _, status = _core.score(
        table["text"].combine_chunks(),
        features.spec,
        _core.LogRatioTable(model.log_ratio[np.newaxis]),
        _core.Weighing(),
    )
    log_weight = log_weight[0]
    np.testing.assert_array_equal(model.score(table), log_weight)
    assert not status.any()
    total = np.zeros(buckets, dtype=np.int64)
    for row, text in enumerate(some):
        counts = theirs.featurizer(text)
        total += counts
        if row % 10 == 0:
            np.testing.assert_array_equal(compat.get_ngram_counts(text, n, buckets), counts)
        if tokens[row] >= n - 1:
            assert tokens[row] == theirs.get_perexample_metadata({}, counts)
        # 1e-9 of what is summed: where terms cancel, no sum of floats has more.
        size = float(counts @ np.abs(theirs.log_diff))
        expected = float(theirs.importance_estimator(counts))
        assert abs(log_weight[row] - expected) <= 1e-9 * max(abs(expected), 1e-3 * size), text[:200]
    np.testing.assert_array_equal(features.counts(table), total)


def test_target_counts(functions, unicode_difference):
    """A whole target, the smallest, as the reference counts it."""
    path = SHARED / "targets" / "reuters.parquet"
    texts = [text for _, text in documents(path)]
    if not set().union(*map(set, texts)).isdisjoint(map(chr, unicode_difference)):
        pytest.skip("the target has characters that the two versions of Unicode differ on")
    counts = np.zeros(10_000, dtype=int)
    for text in texts:
        functions.get_ngram_counts(text, counts=counts)
    np.testing.assert_array_equal(dsir.HashedNgrams(hash="sha256").counts(path), counts)


def test_a_program_from_end_to_end(functions, tmp_path, capfd):
    """Fit on a budget, weights, and top-k of 500 real documents, by the program and by dsir."""
    del functions
    from data_selection import HashedNgramDSIR
    from joblib import parallel_config

    raw = SHARED / "raw_jsonl" / "part-00002.jsonl"
    target = tmp_path / "target.jsonl"
    wanted = [text for _, text in documents(SHARED / "targets" / "movie_reviews.parquet")][:50]
    target.write_text("".join(json.dumps({"text": text}) + "\n" for text in wanted))
    theirs = HashedNgramDSIR([str(raw)], [str(target)], str(tmp_path / "cache"), num_proc=1)
    theirs.fit_importance_estimator(num_tokens_to_fit=200_000)
    with parallel_config(backend="threading"):
        theirs.compute_importance_weights()
        theirs.resample(str(tmp_path / "out"), 40, cache_dir=str(tmp_path / "work"), top_k=True)
    weights = np.load(theirs.log_importance_weights_dir / "0.npy")
    selection = dsir.select(
        raw,
        target,
        n=40,
        method="top-k",
        features=dsir.HashedNgrams(hash="sha256"),
        fit_tokens=200_000,
        out=tmp_path / "ours",
        progress=False,
    )
    np.testing.assert_allclose(selection.log_weights, weights[selection.rows], rtol=1e-9)
    expected = (tmp_path / "out" / "0.jsonl").read_bytes().splitlines()
    assert selection.paths[0].read_bytes().splitlines() == expected
    np.testing.assert_allclose(selection.model.score(raw), weights, rtol=1e-9)
    capfd.readouterr()
