"""The reference's answers: fit, weights, lengths, and what is resampled."""

from __future__ import annotations

import inspect
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dsir import compat
from dsir.compat.dataset import lines_of, open_lines

SMALL = {"num_buckets": 1000, "min_example_length": 20}


@pytest.mark.parametrize("num_proc", [1, 2, 3, 5])
@pytest.mark.parametrize("files", [1, 2, 3])
def test_virtual_shards(corpus, pair, num_proc, files):
    raw, target = corpus
    both = pair(raw[:files], target, num_proc=num_proc, **SMALL)
    for datasets in (raw[:files], target):
        expected, found = both.both(
            lambda dsir, which=datasets: dsir._get_virtually_sharded_datasets(which)
        )
        assert found == expected
    both.fit_and_weigh(3000)
    both.check_fit()
    both.check_weights()
    expected, found = both.resample(40, top_k=True)
    assert found == expected


# The reference keeps a number for every bucket of every document: many buckets are slow.
@pytest.mark.parametrize(
    ("ngrams", "num_buckets"), [(1, 1_000), (2, 1_000), (3, 1_000), (2, 10_000), (3, 50_000)]
)
def test_features(corpus, pair, ngrams, num_buckets):
    raw, target = corpus
    both = pair(raw[1:], target, num_proc=2, ngrams=ngrams, num_buckets=num_buckets)
    both.fit_and_weigh()
    both.check_fit()
    both.check_weights()
    expected, found = both.resample(30, top_k=True)
    assert found == expected


@pytest.mark.parametrize("functions", [False, True])
@pytest.mark.parametrize("budget", [3000, "auto"])
def test_many_batches(corpus, pair, monkeypatch, functions, budget):
    """Virtual shards go on from batch to batch, in the fit, the weights and the output."""
    monkeypatch.setattr("dsir.corpus.line_blocks.BLOCK_BYTES", 1)
    monkeypatch.setattr("dsir.compat.dataset._BATCH_EXAMPLES", 7)
    raw, target = corpus
    assert sum(1 for _ in lines_of(open_lines(raw[0]))) > 5
    arguments = {"raw_parse_example_fn": lambda example: example["text"]} if functions else {}
    both = pair(raw, target, num_proc=8, **SMALL, **arguments)
    both.fit_and_weigh(budget)
    both.check_fit()
    both.check_weights()
    expected, found = both.resample(90, top_k=True)
    assert found == expected


@pytest.mark.parametrize("ngrams", [9, 12])
def test_features_beyond_the_core(corpus, pair, ngrams):
    raw, target = corpus
    both = pair(raw[2:], target[1:], num_proc=2, ngrams=ngrams, num_buckets=500)
    both.fit_and_weigh(900)
    both.check_fit()
    both.check_weights()


@pytest.mark.parametrize("budget", [0, 1, 700, 2_500.5, 40_000, 10**9, "auto", "all", None])
@pytest.mark.parametrize("num_proc", [1, 4])
def test_budgets(corpus, pair, budget, num_proc):
    both = pair(*corpus, num_proc=num_proc, separate_targets=True, **SMALL)
    both.both(lambda dsir: dsir.fit_importance_estimator(budget))
    both.check_fit()


@pytest.mark.parametrize("proportions", [None, [1, 1], [3, 1], [0, 2], [1, 0]])
@pytest.mark.parametrize("num_proc", [1, 3])
def test_separate_targets(corpus, pair, proportions, num_proc):
    both = pair(
        *corpus,
        num_proc=num_proc,
        separate_targets=True,
        target_proportions=proportions,
        **SMALL,
    )
    both.fit_and_weigh(5_000)
    both.check_fit()
    both.check_weights()
    for n in (1, 7, 50):
        expected, found = both.resample(n, top_k=True)
        assert found == expected


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("num_proc", [1, 5])
def test_sampling_draws_the_reference_s_noise(corpus, pair, separate, num_proc):
    """numpy's global generator, asked for the same numbers in the same order."""
    both = pair(*corpus, num_proc=num_proc, separate_targets=separate, **SMALL)
    both.fit_and_weigh()
    for seed in (0, 1, 2):
        state = np.random.RandomState(seed).get_state()

        def call(dsir, state=state, seed=seed):
            np.random.set_state(state)  # noqa: NPY002
            out = Path(dsir.cache_dir).parent / f"seed-{seed}"
            dsir.resample(str(out), 60)
            return {path.name: path.read_bytes() for path in out.iterdir()}

        expected, found = both.both(call)
        assert found == expected


def test_moving_from_the_cache_directory(corpus, pair, tmp_path):
    both = pair(*corpus, num_proc=2, **SMALL)
    both.fit_and_weigh()

    def places(dsir):
        side = tmp_path / ("ours" if dsir is both.ours else "reference") / "places"
        (side / "there").mkdir(parents=True)
        for out, cache in (("new", "a"), ("deep/new", "b"), ("there", "c"), ("itself", "itself")):
            dsir.resample(str(side / out), 10, cache_dir=str(side / cache), top_k=True)
        dsir.resample(side / "none", 10, top_k=True)
        dsir.resample(side / "none", 10, top_k=True)
        return sorted(str(path.relative_to(side)) for path in side.rglob("*"))

    expected, found = both.both(places)
    assert found == expected
    assert "there/c/0.jsonl" in found


def test_signatures(reference):
    from data_selection import base, hashed_ngram_dsir

    for theirs, ours in (
        (reference.DSIR, compat.DSIR),
        (reference.HashedNgramDSIR, compat.HashedNgramDSIR),
    ):
        names = [name for name, value in vars(theirs).items() if callable(value)]
        for name in names:
            expected = inspect.signature(getattr(theirs, name)).parameters
            found = inspect.signature(getattr(ours, name)).parameters
            assert list(found)[: len(expected)] == list(expected), name
            added = set(found) - set(expected)
            assert added <= {"seed", "target_laplace_smoothing"}, name
            for argument in expected.values():
                if not callable(argument.default) or argument.default is argument.empty:
                    assert found[argument.name].default == argument.default, name
    for module, name in (
        (hashed_ngram_dsir, "get_ngram_counts"),
        (hashed_ngram_dsir, "hash_buckets"),
        (base, "default_load_dataset_fn"),
        (base, "default_parse_example_fn"),
    ):
        expected = inspect.signature(getattr(module, name)).parameters
        found = inspect.signature(getattr(compat, name)).parameters
        assert list(found) == list(expected)


def test_attributes(corpus, pair):
    both = pair(*corpus, num_proc=2)
    added = {"target_laplace_smoothing"}
    assert set(vars(both.ours)) == set(vars(both.reference)) | added
    both.fit_and_weigh()
    assert set(vars(both.ours)) == set(vars(both.reference)) | added


# What the running Python and the core have in common: all but what either does not know yet.
CHARACTERS = st.one_of(
    st.sampled_from("ab _.ΣσİıẞÅ\u0300\u0307\u00ad\u200d\0\t\n\x1c\x85\u2028\u3000'“„é中あ²𐐀😀"),
    st.characters(
        exclude_categories=("Cs", "Cn"),
        **({} if unicodedata.unidata_version == "14.0.0" else {"max_codepoint": 0x2FF}),
    ),
)
TEXTS = st.lists(st.text(CHARACTERS, max_size=60), min_size=1, max_size=9)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    raw=TEXTS,
    target=TEXTS,
    num_proc=st.sampled_from([1, 2, 3, 5]),
    ngrams=st.sampled_from([1, 2, 3]),
    num_buckets=st.sampled_from([2, 1_000, 5_000]),
    budget=st.sampled_from(["auto", "all", 3, 20]),
    escaped=st.booleans(),
)
@example([""] * 3 + ["x"], ["x"], 2, 3, 50_000, "auto", False)
def test_any_text(
    pair_in, write, capfd, raw, target, num_proc, ngrams, num_buckets, budget, escaped
):
    raw, target = ["a word", *raw], ["a target", *target]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cut = len(raw) // 3
        files = [
            str(write(folder / "raw-0.jsonl", raw[:cut], escaped)),
            str(write(folder / "raw-1.jsonl", raw[cut:], escaped)),
        ]
        both = pair_in(
            folder,
            files,
            [str(write(folder / "target.jsonl", target, escaped))],
            num_proc=num_proc,
            ngrams=ngrams,
            num_buckets=num_buckets,
        )
        both.fit_and_weigh(budget)
        both.check_fit()
        both.check_weights()
    capfd.readouterr()
