"""estimator="classifier": a logistic regression tells the target from raw."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.model import examples
from dsir.model.classifier_training import learn
from dsir.run import fitting, learning
from dsir.stages import units
from dsir.storage.sealed_json import read_sealed, write_sealed

QUIET = {"progress": False, "threads": 1}
FEATURES = dsir.HashedNgrams(buckets=2000)
CLASSIFIER = {"estimator": "classifier", "features": FEATURES, **QUIET}


@pytest.fixture(scope="module")
def labelled(world):
    """Texts and whether each is of the target's domain: half to learn from, half held out."""
    pairs = [
        (text, domain == "sea")
        for text, domain in zip(world.texts, world.domains, strict=True)
        if text and text.strip()
    ]
    return pairs[::2], pairs[1::2]


def auc_of(scores: np.ndarray, wanted: np.ndarray) -> float:
    above = scores[wanted][:, None] - scores[~wanted][None]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


def test_it_is_level_with_scikit_learns_on_held_out_documents(labelled):
    linear = pytest.importorskip("sklearn.linear_model")
    text = pytest.importorskip("sklearn.feature_extraction.text")
    # The words of two domains, mixed, so that the task is not trivial.
    noise = np.random.default_rng(0)
    common = np.array(["the", "of", "and", "to", "in", "was", "ship", "court", "tide", "judge"])

    def noisy(document: str, wanted: bool) -> str:
        kept = noise.choice(document.split(), 6).tolist()
        return " ".join([*kept, *noise.choice(common, 30).tolist()])

    learned_from = [(noisy(*pair), pair[1]) for pair in labelled[0]]
    held_out = [(noisy(*pair), pair[1]) for pair in labelled[1]]
    wanted = [text for text, is_wanted in learned_from if is_wanted]
    others = [text for text, is_wanted in learned_from if not is_wanted]
    texts, labels = [one for one, _ in held_out], np.array([one for _, one in held_out])
    model = dsir.fit(others, wanted, estimator="classifier", **QUIET)
    found = model.score(texts)
    vectors = text.HashingVectorizer(ngram_range=(1, 2), alternate_sign=False)
    peer = linear.SGDClassifier(loss="log_loss", random_state=0, class_weight="balanced")
    peer.fit(vectors.transform(wanted + others), [1] * len(wanted) + [0] * len(others))
    peers = peer.decision_function(vectors.transform(texts))
    # It holds one document in five out, to calibrate its log-odds.
    assert auc_of(found, labels) >= auc_of(peers, labels) - 0.01
    assert auc_of(found, labels) > 0.9
    assert np.mean((found > 0) == labels) >= np.mean((peers > 0) == labels) - 0.03
    [account] = model.learned
    assert account.wanted + account.others + account.held_out == len(set(wanted)) + len(set(others))
    assert account.auc == pytest.approx(auc_of(found, labels), abs=0.1)


def test_it_selects_the_domain_of_the_target(world):
    found = dsir.select(world.texts, world.target, n=60, method="top-k", min_tokens=5, **CLASSIFIER)
    domains = [world.domains[row] for row in found.rows]
    assert domains.count("sea") > 55


def test_log_odds_are_calibrated(world):
    """Of the documents with log-odds near x, with both sides counting equally, e^x to 1 are sea."""
    sea = [t for t, d in zip(world.texts, world.domains, strict=True) if d == "sea" and t]
    rest = [t for t, d in zip(world.texts, world.domains, strict=True) if d != "sea" and t]
    model = dsir.fit(rest[::2], sea[::2], **CLASSIFIER)
    of_sea, of_rest = model.score(sea[1::2]), model.score(rest[1::2])
    expected = np.mean(1 / (1 + np.exp(-of_sea))) / 2 + np.mean(1 / (1 + np.exp(-of_rest))) / 2
    assert expected == pytest.approx(0.5, abs=0.1)
    assert of_sea.mean() > 0 > of_rest.mean()


def test_negatives_take_the_place_of_raw(world, target, tmp_path, parquet, invoke_dsir):
    law = [t for t, d in zip(world.texts, world.domains, strict=True) if d == "law" and t]
    model = dsir.fit(world.texts, world.target, negatives=law, **CLASSIFIER)
    found, baking = model.score(law), model.score(["bake the bread with flour"])
    assert np.median(found) < baking < np.median(model.score(world.target))
    # Only what is learned differs: the n-grams of raw are counted for the KL reduction.
    plain = dsir.fit(world.texts, world.target, **CLASSIFIER)
    assert np.array_equal(model.raw_counts, plain.raw_counts)
    alone = dsir.fit(law, world.target, **CLASSIFIER)
    assert model.weights.tobytes() == alone.weights.tobytes()
    assert model.learned == alone.learned
    path = tmp_path / "law.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in law))
    out = tmp_path / "model.dsir"
    words = ("--estimator", "classifier", "--buckets", 2000, "--negatives", path, "-q")
    done = invoke_dsir("fit", *parquet, "-t", target, "-o", out, *words)
    assert done.returncode == 0, done.stderr
    assert dsir.load_model(out).fingerprint == model.fingerprint
    chosen = dsir.select(parquet, model=out, n=40, method="top-k", **QUIET)
    assert "law" not in {row["domain"] for row in chosen.table.to_pylist()}


def test_negatives_are_for_classifiers_only(world):
    with pytest.raises(dsir.SettingError, match="negatives: are for"):
        dsir.fit(world.texts, world.target, negatives=["a"], **QUIET)
    with pytest.raises(dsir.ModelError, match="negatives: 1 different document with"):
        dsir.fit(world.texts, world.target, negatives=["a", "a"], **CLASSIFIER)


def test_copies_of_a_text_are_one_example(world):
    texts = [text for text in world.texts if text]
    once = dsir.fit(texts, world.target, **CLASSIFIER)
    thrice = dsir.fit(texts * 3, world.target * 2, **CLASSIFIER)
    assert thrice.weights.tobytes() == once.weights.tobytes()
    assert thrice.learned == once.learned


def test_a_text_of_both_sides_is_one_of_the_target(world):
    apart = dsir.fit(world.texts, world.target, **CLASSIFIER)
    among = dsir.fit(world.texts + world.target, world.target, **CLASSIFIER)
    assert among.weights.tobytes() == apart.weights.tobytes()
    assert among.learned == apart.learned


def test_the_order_of_files_changes_nothing(parquet, target):
    one, other = (dsir.fit(paths, target, **CLASSIFIER) for paths in (parquet, parquet[::-1]))
    assert one.fingerprint == other.fingerprint


def test_threads_and_units_change_no_bit(world, target, tmp_path, monkeypatch, contents):
    files = world.write_parquet(tmp_path / "raw", parts=2, group=23)
    found = []
    for number, (threads, size) in enumerate(itertools.product([1, 2, 8], [None, 3000])):
        with monkeypatch.context() as patched:
            if size is not None:
                patched.setattr(units, "UNIT_BYTES", size)
            out = tmp_path / f"out-{number}"
            given = {**CLASSIFIER, "threads": threads}
            dsir.select(files, target, n=50, min_tokens=5, out=out, **given)
        found.append(str(contents(out)))
    assert len(set(found)) == 1
    assert dsir.verify(tmp_path / "out-0").stands
    assert isinstance(dsir.load(tmp_path / "out-0").model, dsir.ClassifierModel)


_FIT = """
import dsir, sys
raw = [" ".join(f"w{i * k % 97}" for k in range(2 + i)) for i in range(60)]
raw.append(" ".join(f"w{k * k % 9973}" for k in range(60_000)))
goal = [f"w3 w{i} w9 w{i + 1}" for i in range(30)]
model = dsir.fit(raw, goal, estimator="classifier", progress=False)
print(model.fingerprint, model.score(raw).tobytes().hex())
"""


def test_kernels_change_no_bit():
    """Documents too long to be listed whole are among these."""
    found = set()
    for level in ("scalar", ""):
        environment = {**os.environ, "DSIR_SIMD": level}
        done = subprocess.run(
            [sys.executable, "-c", _FIT], capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1


def test_only_a_sample_of_a_large_corpus_is_learned_from(world, monkeypatch):
    monkeypatch.setattr(examples, "MOST_DOCUMENTS", 200)
    [account] = dsir.fit(world.texts, world.target, **CLASSIFIER).learned
    assert 120 < account.others * 5 / 4 < 280
    assert account.wanted == 48  # Four in five of the target.


def test_documents_beyond_the_fit_budget_are_not_learned_from(parquet, target):
    few = dsir.fit(parquet, target, **CLASSIFIER, fit_tokens=9000)
    every = dsir.fit(parquet, target, **CLASSIFIER)
    assert few.learned[0].others < every.learned[0].others / 3


def test_what_was_learned_is_kept_in_the_work_directory(
    parquet, target, tmp_path, monkeypatch, contents
):
    given = {**CLASSIFIER, "workdir": tmp_path / "work", "min_tokens": 5}
    dsir.select(parquet, target, n=30, out=tmp_path / "one", **given)
    monkeypatch.setattr(learning, "list_examples", None)  # Nothing is read again.
    dsir.select(parquet, target, n=50, out=tmp_path / "two", **given)
    monkeypatch.undo()
    dsir.select(parquet, target, n=50, out=tmp_path / "alone", **{**given, "workdir": None})
    assert contents(tmp_path / "two") == contents(tmp_path / "alone")
    path = tmp_path / "work" / "counts" / "learned-00000.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(dsir.WorkdirError, match="learned-00000"):
        dsir.select(parquet, target, n=60, out=tmp_path / "three", **given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lines", None),
        ("lines", [[1.0]]),
        ("lines", [["a", 0.0]]),
        ("lines", []),
        ("learned", []),
        ("learned", [{}]),
        ("learned", [[]]),
    ],
)
def test_a_marker_of_what_was_learned_that_holds_something_else(
    parquet, target, tmp_path, name, value
):
    given = {**CLASSIFIER, "workdir": tmp_path / "work", "min_tokens": 5}
    dsir.select(parquet, target, n=30, out=tmp_path / "one", **given)
    file = tmp_path / "work" / "counts" / "learned-00000.json"
    marker = read_sealed(file)
    assert set(marker["result"]) == {"lines", "learned"}
    marker["result"][name] = value
    write_sealed(file, marker, durable=False)
    with pytest.raises(dsir.WorkdirError, match=r"learned-00000\..*damaged"):
        dsir.select(parquet, target, n=40, out=tmp_path / "two", **given)


def test_the_commands(parquet, target, tmp_path, invoke_dsir):
    model = tmp_path / "model.dsir"
    done = invoke_dsir(
        "fit", *parquet, "-t", target, "-o", model, "--estimator", "classifier", "--buckets", 2000
    )
    assert done.returncode == 0, done.stderr
    assert "AUC" in done.stdout
    found = dsir.fit(parquet, target, **CLASSIFIER)
    assert dsir.load_model(model).fingerprint == found.fingerprint
    done = invoke_dsir("explain", model, "the ship and the sea")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    words = ("--n", 20, "--min-tokens", 5, "--estimator", "classifier", "-q")
    done = invoke_dsir("select", *parquet, "-t", target, "-o", out, *words)
    assert done.returncode == 0, done.stderr
    assert dsir.load(out).model.features.buckets == 1 << 18
    assert invoke_dsir("verify", out).returncode == 0
    settings = json.loads((out / "_dsir" / "selection.json").read_text())["settings"]
    assert settings["estimator"] == "classifier"


def test_bad_rows_are_passed_over(world, tmp_path):
    path = tmp_path / "raw.parquet"
    texts = [(text or "").encode() for text in world.texts]
    texts[5] = b"broken \xff"
    pq.write_table(pa.table({"text": pa.array(texts, pa.binary()).view(pa.string())}), path)
    with pytest.raises(dsir.RowError):
        dsir.fit(path, world.target, **CLASSIFIER)
    model = dsir.fit(path, world.target, on_error="skip", **CLASSIFIER)
    texts.pop(5)
    without = dsir.fit([text.decode() for text in texts], world.target, **CLASSIFIER)
    assert model.weights.tobytes() == without.weights.tobytes()


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("change", ["rewritten", "removed"])
@pytest.mark.parametrize(
    ("estimator", "module", "stage"),
    [("classifier", learning, "list_examples"), ("relevance", fitting, "calibrate_shard")],
)
def test_a_file_that_changes_after_its_count_ends_the_fit(
    world, tmp_path, monkeypatch, on_error, change, estimator, module, stage
):
    """It is no damage that the count has reported, so it is not passed over."""
    target = tmp_path / "target.parquet"
    pq.write_table(pa.table({"text": world.target}), target)
    run = getattr(module, stage)

    def after_a_change(task, progress):
        if task.shard.name == str(target):
            target.unlink()
            if change == "rewritten":
                pq.write_table(pa.table({"text": world.target[::2]}), target)
        return run(task, progress)

    monkeypatch.setattr(module, stage, after_a_change)
    with pytest.raises(dsir.ShardError, match=r"target\.parquet: (changed|no such file)"):
        dsir.fit(world.texts, target, on_error=on_error, **CLASSIFIER | {"estimator": estimator})


def test_a_target_like_raw_gives_no_weights_and_a_warning():
    numbers = np.random.default_rng(5)
    texts = [" ".join(map(str, numbers.integers(0, 30, 40))) for _ in range(4000)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for first in range(0, 1000, 25):  # By chance, one target in two is ranked above raw.
            model = dsir.fit(texts[1000:], texts[first : first + 25], **CLASSIFIER)
            if caught:
                break
    assert "cannot tell" in str(caught[0].message)
    assert not model.score(texts[:50]).any()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"smoothing": 1.0}, "smoothing"),
        ({"length": "mean"}, "length"),
        ({"method": "coverage"}, 'estimator="relevance"'),
    ],
)
def test_what_does_not_go_together_is_an_error(world, given, said):
    with pytest.raises(dsir.SettingError, match=said):
        dsir.select(world.texts, world.target, n=5, **CLASSIFIER, **given)


def test_too_few_different_documents_are_an_error(world):
    with pytest.raises(dsir.ModelError, match=r"target: 2 different documents"):
        dsir.fit(world.texts, ["a ship", "the sea", "the sea"] * 9, **CLASSIFIER)
    with pytest.raises(dsir.ModelError, match=r"raw: 3 different documents"):
        dsir.fit(["a", "b", "c"], world.target, **CLASSIFIER)


def test_ten_different_documents_of_each_side_are_enough():
    seas = [f"ship {number} and the sea" for number in range(10)]
    laws = [f"judge {number} of the court" for number in range(10)]
    [account] = dsir.fit(laws, seas, **CLASSIFIER).learned
    assert (account.wanted, account.others, account.held_out) == (8, 8, 4)
    for few in ((laws, seas[:9]), (laws[:9], seas)):
        with pytest.raises(dsir.ModelError, match="9 different documents"):
            dsir.fit(*few, **CLASSIFIER)


@pytest.mark.parametrize("kept", [39, 12])
def test_a_raw_corpus_of_target_documents_alone_is_an_error_that_says_so(kept):
    seas = [f"ship {number} and the sea" for number in range(40)]
    said = r"0 different documents with a token that target does not have"
    with pytest.raises(dsir.ModelError, match=f"raw: {said}"):
        dsir.fit(seas[:kept], seas, **CLASSIFIER)
    with pytest.raises(dsir.ModelError, match=f"negatives: {said}"):
        dsir.fit([*seas, "the law"], seas, negatives=seas[:kept], **CLASSIFIER)


def test_a_side_without_documents_is_never_learned_from():
    nothing = examples.Examples.joined([])
    with pytest.raises(dsir.ModelError, match="sea: 0 different"):
        learn(nothing, nothing, 100, names=("sea", "raw"))
