"""The rows of docs/reference/compatibility.md where the answer is not the reference's."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

import dsir
from dsir import compat

LONG = "a b c d e f g h"


@pytest.fixture
def make(tmp_path, capfd):
    """A function that makes an object on files of the test's folder."""

    def make_one(raw, target=None, **arguments):
        arguments = {"num_buckets": 200, "min_example_length": 1, "num_proc": 1, **arguments}
        return compat.HashedNgramDSIR(
            raw, raw if target is None else target, tmp_path / "cache", **arguments
        )

    return make_one


def run(made, out, n, **arguments):
    made.fit_importance_estimator()
    made.compute_importance_weights()
    made.resample(out, n, **arguments)
    return made


def taken(folder):
    return sorted(
        line for path in folder.glob("*.jsonl") for line in path.read_bytes().splitlines()
    )


def test_an_empty_target(make, write, tmp_path):
    raw, empty = write(tmp_path / "raw.jsonl", [LONG]), write(tmp_path / "empty.jsonl", ["", " "])
    for target, message in (([empty], "target_datasets: has no n-grams"), ([], "is empty")):
        with pytest.raises(dsir.DsirError, match=message):
            make([raw], target).fit_importance_estimator()
    with pytest.raises(dsir.ModelError, match=r"empty\.jsonl: has no n-grams"):
        make([raw], [raw, empty], separate_targets=True).fit_importance_estimator()
    with pytest.raises(dsir.SettingError, match="target_datasets: is empty"):
        make([raw], [], separate_targets=True).fit_importance_estimator()
    with pytest.raises(dsir.ModelError, match="raw_datasets: has no n-grams"):
        make([empty], [raw]).fit_importance_estimator()


def test_blank_lines_are_no_examples(make, tmp_path):
    path = tmp_path / "raw.jsonl"
    lines = [json.dumps({"text": f"{LONG} {number}"}) for number in range(5)]
    path.write_text("\ufeff" + "\n\n  \r\n".join(lines) + "\n\n")
    made = run(make([path], num_proc=2), tmp_path / "out", 5)
    assert [len(np.load(made.log_importance_weights_dir / f"{i}.npy")) for i in (0, 1)] == [3, 2]
    assert taken(tmp_path / "out") == sorted(line.encode() for line in lines)
    assert list(compat.default_load_dataset_fn(path)) == [json.loads(line) for line in lines]


def test_compressed_lines(make, tmp_path):
    line = json.dumps({"text": LONG}).encode()
    path = tmp_path / "raw.json.gz"
    path.write_bytes(gzip.compress(line + b"\n"))
    run(make([path]), tmp_path / "out", 1)
    assert taken(tmp_path / "out") == [line]


def test_null_is_a_text_without_words(make, write, tmp_path):
    path = write(tmp_path / "raw.jsonl", [LONG, None, LONG + " i"])
    made = run(make([path]), tmp_path / "out", 2)
    assert np.load(made.perexample_metadata_dir / "0.npy").tolist() == [8, 0, 9]
    parsed = make([path], raw_parse_example_fn=lambda example: example["text"])
    parsed.fit_importance_estimator()
    np.testing.assert_array_equal(parsed.raw_probs, made.raw_probs)


@pytest.mark.parametrize("suffix", [".txt", "", ".json"])
def test_a_file_of_any_other_suffix_is_lines(make, write, tmp_path, suffix):
    texts = [LONG, LONG + " i", LONG]
    made = run(make([write(tmp_path / f"raw{suffix}", texts)]), tmp_path / "out", 2)
    assert np.load(made.perexample_metadata_dir / "0.npy").tolist() == [8, 9, 8]


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        ('{"text": "\\ud800"}', dsir.RowError, "example 1: text holds half a surrogate pair"),
        ('{"text": 7}', dsir.RowError, "example 1: text is a number, not a string"),
        ('{"txt": "a"}', dsir.RowError, "example 1: no field 'text'; fields: txt"),
        ('{"text": "a"', dsir.RowError, "example 1: broken JSON"),
        ('["a"]', dsir.RowError, "example 1: the line is a list"),
        ('{"text": "a"}\r{"text": "b"}', dsir.RowError, "example 1: broken JSON"),
    ],
)
@pytest.mark.parametrize("stage", ["fit", "score"])
def test_bad_lines(make, write, tmp_path, line, error, message, stage):
    good = write(tmp_path / "good.jsonl", [LONG, LONG, LONG])
    bad = tmp_path / "raw.jsonl"
    bad.write_text(f'{{"text": "{LONG}"}}\n{line}\n{{"text": "{LONG}"}}\n')
    made = make([good if stage == "score" else bad], [good])
    if stage == "score":
        made.fit_importance_estimator()
        made.raw_datasets = [bad]
    read = made.fit_importance_estimator if stage == "fit" else made.compute_importance_weights
    with pytest.raises(error, match=message) as caught:
        read()
    assert caught.value.row == 1
    assert "on_error" not in str(caught.value)
    if "JSON" in message:
        with pytest.raises(dsir.RowError, match=r"example 1 \(line 2\): is not JSON"):
            list(compat.default_load_dataset_fn(bad))


def test_no_text_at_all(make, tmp_path):
    path = tmp_path / "raw.jsonl"
    path.write_text('{"body": "a"}\n')
    with pytest.raises(dsir.TextColumnError, match="no line has a field 'text'; give a function"):
        make([path]).fit_importance_estimator()
    with pytest.raises(dsir.ShardError, match="nowhere: no such file"):
        make([tmp_path / "nowhere"]).fit_importance_estimator()
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(dsir.SettingError, match="is not JSON Lines; give a function"):
        make([tmp_path / "a.parquet"]).fit_importance_estimator()


@pytest.mark.parametrize("value", [7, b"a", ["a"], "a\udfff"])
def test_bad_examples_of_functions(make, value):
    made = make([["a", value]], raw_load_dataset_fn=iter, raw_parse_example_fn=None)
    with pytest.raises(dsir.RowError, match="<list>: example 1: ") as caught:
        made._fit_bow([["a", value]], None, iter, None)
    assert caught.value.row == 1


def test_files_without_examples(make, write, tmp_path):
    paths = [
        write(tmp_path / "a.jsonl", []),
        write(tmp_path / "b.jsonl", [LONG, LONG]),
        write(tmp_path / "c.jsonl", []),
    ]
    for separate in (False, True):
        made = make(paths, [paths[1]] * 2, num_proc=7, separate_targets=separate)
        run(made, tmp_path / f"out-{separate}", 2)
        assert len(taken(tmp_path / f"out-{separate}")) == 2
        assert len(list((tmp_path / f"out-{separate}").iterdir())) == 7


def test_more_than_there_is(make, write, tmp_path):
    path = write(tmp_path / "raw.jsonl", [LONG] * 4 + ["short"])
    made = run(make([path], min_example_length=3), tmp_path / "all", 4)
    assert len(taken(tmp_path / "all")) == 4
    with pytest.raises(dsir.BudgetError, match="5 examples are wanted, but only 4 of 5"):
        made.resample(tmp_path / "more", 5)
    assert not (tmp_path / "more").exists()
    for n in (0, -1, 2.0, True):
        with pytest.raises(dsir.SettingError, match="num_to_sample"):
            made.resample(tmp_path / "more", n)
    separate = make([path], [path, path], separate_targets=True, target_proportions=[1, 3])
    run(separate, tmp_path / "separate", 5)
    with pytest.raises(dsir.BudgetError, match="7 examples are wanted for target 1, but only 3"):
        separate.resample(tmp_path / "more", 9)


def test_ties_go_to_the_earlier_example(make, write, tmp_path):
    paths = [write(tmp_path / f"{n}.jsonl", [LONG] * 5) for n in range(2)]
    for num_proc in (1, 3, 8):
        run(make(paths, num_proc=num_proc), tmp_path / f"{num_proc}", 7, top_k=True)
        ids = sorted(json.loads(line)["id"] for line in taken(tmp_path / f"{num_proc}"))
        assert ids == [0, 0, 1, 1, 2, 3, 4]


def test_a_seed_gives_the_same_sample_for_any_num_proc(corpus, make, tmp_path):
    """That of dsir.sample, with the rows of all files in their order."""
    samples = {}
    for num_proc in (1, 2, 5):
        made = make(*corpus, num_proc=num_proc)
        made.fit_importance_estimator()
        made.log_diff = made.log_diff / 50  # So that the noise decides.
        made.compute_importance_weights()
        for seed in (0, 7):
            out = tmp_path / f"{num_proc}-{seed}"
            made.resample(out, 50, seed=seed)
            samples[num_proc, seed] = taken(out)
    for seed in (0, 7):
        assert samples[1, seed] == samples[2, seed] == samples[5, seed]
    assert len(set(samples[1, 0]) & set(samples[1, 7])) < 45
    made.num_proc = 3  # A virtual shard a file.
    made.compute_importance_weights()
    weights, lengths = (
        np.concatenate([np.load(folder / f"{number}.npy") for number in range(3)])
        for folder in (made.log_importance_weights_dir, made.perexample_metadata_dir)
    )
    rows = dsir.sample(np.where(lengths >= 1, weights, -np.inf), 50, seed=7)
    lines = [line for path in corpus[0] for line in Path(path).read_bytes().splitlines()]
    assert samples[1, 7] == sorted(lines[row] for row in rows)
    for seed in (-1, 1 << 64, 0.5):
        with pytest.raises(dsir.SettingError, match="seed"):
            made.resample(tmp_path / "never", 5, seed=seed)


def test_seeds_and_no_seed_make_a_difference(make, write, tmp_path):
    """Where the weights are alike, the noise decides."""
    path = write(tmp_path / "raw.jsonl", [LONG] * 40)
    made = make([path])
    made.fit_importance_estimator()
    made.compute_importance_weights()
    for number, seed in enumerate((0, 1, None, None)):
        made.resample(tmp_path / f"{number}", 8, seed=seed)
    assert len({tuple(taken(tmp_path / f"{number}")) for number in range(4)}) == 4


def test_num_proc_changed_between_the_stages(corpus, make, tmp_path):
    made = run(make(*corpus, num_proc=3), tmp_path / "out", 5)
    made.num_proc = 4
    with pytest.raises(dsir.WorkdirError, match="3 virtual shards, but now there are 4"):
        made.resample(tmp_path / "other", 5)
    made.num_proc = 3
    made.raw_datasets = made.raw_datasets[::-1]
    with pytest.raises(dsir.WorkdirError, match="are in another order than the weights"):
        made.resample(tmp_path / "other", 5)
    made.raw_datasets = [*corpus[0][:2], corpus[1][0]]
    with pytest.raises(dsir.WorkdirError, match=r"target-0\.jsonl is new"):
        made.resample(tmp_path / "other", 5)
    made.raw_datasets = corpus[0][:2]
    with pytest.raises(dsir.WorkdirError, match=r"other raw_datasets \(3, now 2\)"):
        made.resample(tmp_path / "other", 5)
    assert not (tmp_path / "other").exists()


def test_weights_that_are_not_whole(corpus, make, tmp_path):
    made = make(*corpus, num_proc=3)
    with pytest.raises(dsir.WorkdirError, match=r"has no shards\.json"):
        made.resample(tmp_path / "out", 5)
    run(made, tmp_path / "out", 5)
    note = made.log_importance_weights_dir / "shards.json"
    whole = note.read_text()
    for content in ("{", "[]", '{"format": 1}', '{"format": 1, "metadata": true, "shards": [1]}'):
        note.write_text(content)
        with pytest.raises(dsir.WorkdirError, match=r"shards\.json: cannot be read"):
            made.resample(tmp_path / "out", 5)
    note.write_text(whole.replace('"format": 1', '"format": 2'))
    with pytest.raises(dsir.WorkdirError, match="has format 2, not 1"):
        made.resample(tmp_path / "out", 5)
    note.write_text(whole)
    weights = made.log_importance_weights_dir / "1.npy"
    np.save(weights, np.zeros(3))
    with pytest.raises(dsir.WorkdirError, match=r"1\.npy: does not hold \d+ examples"):
        made.resample(tmp_path / "out", 5)
    weights.write_bytes(b"")
    with pytest.raises(dsir.WorkdirError, match=r"1\.npy: cannot be read"):
        made.resample(tmp_path / "out", 5)
    made.compute_importance_weights()
    made.resample(tmp_path / "out", 5)


def test_a_run_that_fails_leaves_no_weights(corpus, make, tmp_path):
    made = run(make(*corpus, num_proc=3), tmp_path / "out", 5)
    made.raw_datasets = [*corpus[0][:2], tmp_path / "nowhere"]
    with pytest.raises(dsir.ShardError):
        made.compute_importance_weights()
    made.raw_datasets = corpus[0]
    with pytest.raises(dsir.WorkdirError, match=r"has no shards\.json"):
        made.resample(tmp_path / "out", 5)


def test_fewer_virtual_shards_leave_no_files_of_the_old(corpus, make):
    made = make(*corpus, num_proc=6)
    made.fit_importance_estimator()
    made.compute_importance_weights()
    made.num_proc = 3
    made.compute_importance_weights()
    for folder in (made.log_importance_weights_dir, made.perexample_metadata_dir):
        assert sorted(path.name for path in folder.glob("*.npy")) == ["0.npy", "1.npy", "2.npy"]


@pytest.mark.parametrize("change", ["longer", "shorter"])
def test_a_dataset_that_changed_between_the_stages(make, write, tmp_path, change):
    path = write(tmp_path / "raw.jsonl", [LONG] * 6)
    for arguments in ({}, {"raw_load_dataset_fn": lambda p: compat.default_load_dataset_fn(p)}):
        write(path, [LONG] * 6)
        made = make([path], num_proc=2, **arguments)
        made.fit_importance_estimator()
        made.compute_importance_weights()
        write(path, [LONG] * (8 if change == "longer" else 4))
        with pytest.raises(dsir.ShardError, match="more or fewer examples than the 6 that"):
            made.resample(tmp_path / "out", 6)
        assert not list((tmp_path / "out").iterdir())


def test_nan_weights(make, write, tmp_path):
    path = write(tmp_path / "raw.jsonl", [LONG, LONG, "short"])
    made = make([path, path], min_example_length=3)
    made.fit_importance_estimator()
    made.importance_estimator = lambda features: np.nan if features.sum() < 2 else 0.0
    made.compute_importance_weights()
    made.resample(tmp_path / "out", 4)  # Those that cannot be taken may be NaN.
    made.min_example_length = 0
    with pytest.raises(dsir.ModelError, match=r"raw\.jsonl: example 2: its log-weight is NaN"):
        made.resample(tmp_path / "out", 4)


def test_infinite_weights(make, write, tmp_path):
    path = write(tmp_path / "raw.jsonl", ["a", "b b", "c c c"])
    made = make([path])
    made.fit_importance_estimator()
    infinite = {1: -np.inf, 3: 0.0, 5: np.inf}
    made.importance_estimator = lambda features: infinite[int(features.sum())]
    made.compute_importance_weights()
    for top_k in (False, True):
        for n in (1, 2, 3):
            out = tmp_path / f"{top_k}-{n}"
            made.resample(out, n, top_k=top_k)
            assert sorted(json.loads(x)["id"] for x in taken(out)) == [0, 1, 2][3 - n :]


def test_log_ratios_that_no_fit_gives(make, write, tmp_path):
    path = write(tmp_path / "raw.jsonl", ["a", "b b", "c c c"])
    made = make([path])
    made.log_diff = np.full(200, 100.0)
    made.compute_importance_weights()
    weights = np.load(made.log_importance_weights_dir / "0.npy")
    assert weights.tolist() == [100.0, 300.0, 500.0]
    made.log_diff = np.zeros(7)
    with pytest.raises(dsir.ModelError, match=r"each of 200 buckets, found shape \(7,\)"):
        made.compute_importance_weights()
    made.log_diff = None
    with pytest.raises(dsir.ModelError, match="nothing has been fitted"):
        made.compute_importance_weights()


def test_filters_and_weights_of_the_wrong_shape(make, write, tmp_path):
    path = write(tmp_path / "raw.jsonl", [LONG] * 3)
    made = run(make([path]), tmp_path / "out", 1)
    made.perexample_metadata_filter = lambda metadata: metadata
    with pytest.raises(dsir.SettingError, match="expected 3 booleans, found an array of float64"):
        made.resample(tmp_path / "out", 1)
    del made.perexample_metadata_filter
    made.separate_targets = True
    made.target_proportions = np.array([1.0])
    with pytest.raises(dsir.SettingError, match="expected a row of weights per example"):
        made.resample(tmp_path / "out", 1)
    made.target_proportions = np.array([0.5, 0.5])
    with pytest.raises(dsir.SettingError, match="2 for 1 targets"):
        made.resample(tmp_path / "out", 1)
    made.target_proportions = None
    with pytest.raises(dsir.SettingError, match="none are given"):
        made.resample(tmp_path / "out", 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_proc": 0}, "num_proc=0: expected a whole number, 1 or more"),
        ({"num_proc": -2}, "num_proc=-2"),
        ({"ngrams": 0}, "ngrams=0"),
        ({"num_buckets": 0}, "num_buckets=0"),
        ({"tokenizer": "gpt2"}, "tokenizer='gpt2': expected 'wordpunct' or 'word_tokenize'"),
        ({"target_laplace_smoothing": -1.0}, "target_laplace_smoothing=-1.0: expected 0 or more"),
        ({"target_proportions": [0, 0]}, "target_proportions"),
        ({"target_proportions": [1, -1]}, "target_proportions"),
        ({"target_proportions": [1, float("nan")]}, "target_proportions"),
    ],
)
def test_settings_that_are_refused(make, arguments, message):
    with pytest.raises(dsir.SettingError, match=message):
        make([], [], **arguments)


def test_calls_that_are_refused(make, write, tmp_path):
    path = write(tmp_path / "raw.jsonl", [LONG])
    with pytest.raises(dsir.SettingError, match="expected a list of paths"):
        make(str(path))
    with pytest.raises(dsir.SettingError, match="there are no datasets"):
        make([], [path]).fit_importance_estimator()
    for budget in ("some", -1, True, float("inf")):
        with pytest.raises(dsir.SettingError, match="num_tokens_to_fit"):
            make([path]).fit_importance_estimator(budget)


def test_one_virtual_shard_each_on_every_core(corpus, make, reference, tmp_path):
    made = run(make(*corpus, num_proc=-1), tmp_path / "out", 5)
    theirs = reference.DSIR(*corpus, str(tmp_path / "theirs"), num_proc=-1)
    expected = theirs._get_virtually_sharded_datasets(corpus[0])
    assert made._get_virtually_sharded_datasets(corpus[0]) == expected


def test_places_that_are_refused(corpus, make, tmp_path):
    made = run(make(*corpus), tmp_path / "a", 5, cache_dir=tmp_path / "cached")
    (tmp_path / "file").touch()
    (tmp_path / "there" / "cached").mkdir(parents=True)
    for out, cache, message in (
        (tmp_path / "file", None, "file: is a file"),
        (tmp_path / "there", tmp_path / "cached", "there/cached: already exists"),
        (tmp_path / "in" / "deep", tmp_path / "in", "cannot be moved into itself"),
    ):
        with pytest.raises(dsir.OutputError, match=message):
            made.resample(out, 5, cache_dir=cache)
    with pytest.raises(dsir.OutputError, match=r"file/sub/0\.jsonl: cannot be written"):
        made.resample(tmp_path / "file" / "sub", 5)
    (tmp_path / "a" / "3.jsonl").touch()
    with pytest.raises(dsir.OutputError, match=r"a/3\.jsonl: belongs to another selection"):
        made.resample(tmp_path / "a", 5)
    (tmp_path / "a" / "3.jsonl").unlink()
    made.resample(tmp_path / "a", 7)
    assert len(taken(tmp_path / "a")) == 7


def test_smoothing(make, write, tmp_path):
    raw = write(tmp_path / "raw.jsonl", [LONG, "x y z"])
    target = write(tmp_path / "target.jsonl", ["a b a"])
    counts = compat.get_ngram_counts("a b a", 2, 200)
    for separate in (False, True):
        made = make([raw], [target], target_laplace_smoothing=0.5, separate_targets=separate)
        made.fit_importance_estimator()
        expected = (counts + 0.5) / (counts + 0.5).sum()
        np.testing.assert_allclose(np.ravel(made.target_probs), expected, rtol=1e-14)
        assert separate == (made.target_probs.ndim == 2)
