"""Load and parse functions of one's own, and subclasses."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

import dsir
from dsir import compat


def load_upper(path):
    """Every example but each seventh, in capitals."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        for number, line in enumerate(file):
            if number % 7:
                yield {"body": {"text": json.loads(line)["text"].upper()}, "number": number}


def parse_body(example):
    return example["body"]["text"]


@pytest.mark.parametrize("num_proc", [1, 3, 5])
@pytest.mark.parametrize("budget", ["auto", 4_000])
def test_functions(corpus, pair, num_proc, budget):
    both = pair(
        *corpus,
        raw_load_dataset_fn=load_upper,
        raw_parse_example_fn=parse_body,
        target_parse_example_fn=lambda example: example["text"][5:],
        num_proc=num_proc,
        num_buckets=500,
        min_example_length=10,
    )
    both.fit_and_weigh(budget)
    both.check_fit()
    both.check_weights()
    expected, found = both.resample(50, top_k=True)
    assert found == expected
    assert json.loads(next(filter(None, found.values())).splitlines()[0])["number"] >= 1


def test_datasets_need_not_be_paths(pair):
    texts = [["a b c", "d e", "a"], ["c d e f"] * 5]
    both = pair(
        texts,
        [["a b", "a b c d"]],
        raw_load_dataset_fn=lambda dataset: iter(dataset),
        raw_parse_example_fn=None,
        target_load_dataset_fn=lambda dataset: dataset,
        target_parse_example_fn=None,
        num_proc=3,
        num_buckets=100,
        min_example_length=2,
    )
    both.fit_and_weigh()
    both.check_fit()
    both.check_weights()
    expected, found = both.resample(4, top_k=True)
    assert sum(len(f.splitlines()) for f in found.values()) == 4
    assert found == expected


def test_a_dataset_is_loaded_once_a_stage(tmp_path, capfd):
    calls = []

    def load(name):
        calls.append(name)
        return [{"text": f"word {number} of {name}"} for number in range(20)]

    ours = compat.HashedNgramDSIR(
        ["x", "y"],
        ["z"],
        tmp_path / "cache",
        raw_load_dataset_fn=load,
        target_load_dataset_fn=load,
        num_proc=8,
        min_example_length=0,
    )
    ours.fit_importance_estimator()
    assert sorted(calls) == ["x", "y", "z"]
    ours.compute_importance_weights()
    ours.resample(tmp_path / "out", 5)
    assert sorted(calls) == sorted(["x", "y", "z", "x", "y", "x", "y"])


def test_reading_stops_behind_the_budget(tmp_path, capfd):
    read = 0

    def load(_):
        nonlocal read
        for number in range(10**9):
            read = number
            yield {"text": "one two three"}

    ours = compat.HashedNgramDSIR(
        ["endless"], ["also"], tmp_path, raw_load_dataset_fn=load, num_proc=2
    )
    counts = ours._fit_bow(["endless"], 100, load)
    assert counts.sum() == 2 * 55  # 11 texts of 5 n-grams pass 50.
    assert read < 2_000


def test_functions_need_not_be_picklable(tmp_path, write, contents, capfd):
    lock = threading.Lock()

    def parse(example):
        with lock:
            return example["text"]

    path = write(tmp_path / "a.jsonl", ["a b c"] * 9)
    ours = compat.HashedNgramDSIR(
        [path, path], [path], tmp_path / "c", raw_parse_example_fn=parse, min_example_length=1
    )
    ours.fit_importance_estimator()
    ours.compute_importance_weights()
    ours.resample(tmp_path / "out", 18)
    assert sum(len(file.splitlines()) for file in contents(tmp_path / "out").values()) == 18


def subclass(base):
    """A class as the reference's documentation says: features, and an estimator of them."""

    class Length(base):
        def featurizer(self, text):
            return np.array([len(text), text.count("e")])

        def importance_estimator(self, features):
            return float(features @ self.slope)

        def fit_importance_estimator(self):
            self.slope = np.array([0.5, -2.0])

    return Length


def test_a_subclass_without_metadata(corpus, tmp_path, contents, capfd):
    ours = subclass(compat.DSIR)(corpus[0], corpus[1], tmp_path / "cache", num_proc=4)
    ours.fit_importance_estimator()
    ours.compute_importance_weights()
    assert not ours.perexample_metadata_dir.exists()
    ours.resample(tmp_path / "out", 20, top_k=True)
    taken = [
        json.loads(line)["text"]
        for file in contents(tmp_path / "out").values()
        for line in file.splitlines()
    ]
    texts = [example["text"] for path in corpus[0] for example in ours.raw_load_dataset_fn(path)]
    weight = {text: len(text) * 0.5 - 2 * text.count("e") for text in texts}
    assert sorted(weight[t] for t in taken) == sorted(weight.values())[-20:]


@pytest.mark.parametrize("num_proc", [1, 4])
def test_a_subclass_with_metadata(corpus, reference, tmp_path, contents, capfd, num_proc):
    def with_filter(base):
        class Filtered(subclass(base)):
            def get_perexample_metadata(self, ex, features):
                return [ex["id"], features[0]]

            def perexample_metadata_filter(self, concat_metadata):
                return (concat_metadata[:, 0] % 2 == 0) & (concat_metadata[:, 1] > 30)

        return Filtered

    found = []
    for base in (reference.DSIR, compat.DSIR):
        folder = tmp_path / base.__module__
        made = with_filter(base)(corpus[0], corpus[1], str(folder / "cache"), num_proc=num_proc)
        made.fit_importance_estimator()
        from joblib import parallel_config

        with parallel_config(backend="threading"):
            made.compute_importance_weights()
            made.resample(str(folder / "out"), 15, top_k=True)
        found.append(contents(folder / "out"))
    assert sorted(b"".join(found[0].values()).splitlines()) == sorted(
        b"".join(found[1].values()).splitlines()
    )


@pytest.mark.parametrize(
    "method", ["featurizer", "importance_estimator", "get_perexample_metadata"]
)
def test_methods_overridden_in_a_subclass_are_called(corpus, tmp_path, contents, capfd, method):
    called = []

    def wrapped(self, *arguments):
        called.append(method)
        return getattr(compat.HashedNgramDSIR, method)(self, *arguments)

    arguments = {"num_proc": 3, "num_buckets": 300, "min_example_length": 20}
    plain = compat.HashedNgramDSIR(*corpus, tmp_path / "plain", **arguments)
    own = type("Own", (compat.HashedNgramDSIR,), {method: wrapped})(
        *corpus, tmp_path / "own", **arguments
    )
    for made in (plain, own):
        made.fit_importance_estimator()
        made.compute_importance_weights()
        made.resample(tmp_path / f"{type(made).__name__}-out", 30, top_k=True)
    assert len(called) == 330
    assert contents(tmp_path / "Own-out") == contents(tmp_path / "HashedNgramDSIR-out")


def test_the_base_class_has_no_methods_of_its_own(tmp_path):
    base = compat.DSIR([], [], tmp_path)
    for method, arguments in (
        ("featurizer", ["a"]),
        ("importance_estimator", [np.zeros(1)]),
        ("get_perexample_metadata", [{}, np.zeros(1)]),
        ("perexample_metadata_filter", [np.zeros(1)]),
        ("fit_importance_estimator", []),
    ):
        with pytest.raises(NotImplementedError):
            getattr(base, method)(*arguments)


@pytest.mark.parametrize(
    ("method", "result", "message"),
    [
        ("importance_estimator", object(), "importance_estimator: expected numbers"),
        ("get_perexample_metadata", {}, "get_perexample_metadata: expected numbers"),
    ],
)
def test_results_that_are_no_numbers(corpus, tmp_path, capfd, method, result, message):
    kind = type("Own", (subclass(compat.DSIR),), {method: lambda *_: result})
    made = kind(*corpus, tmp_path)
    made.fit_importance_estimator()
    with pytest.raises(dsir.SettingError, match=message):
        made.compute_importance_weights()
