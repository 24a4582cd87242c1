"""grades="column": a classifier learns how much each document of the target is wanted."""

from __future__ import annotations

import itertools
import json
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import dsir
from dsir import _core
from dsir.model.examples import examples_in, graded_in, sample_bound
from dsir.stages import units

QUIET = {"progress": False, "threads": 1}
FEATURES = dsir.HashedNgrams(buckets=2000)
GRADED = {"estimator": "classifier", "grades": "score", "features": FEATURES, **QUIET}
GOOD = ["theorem", "proof", "lemma", "energy", "molecule", "cell", "history", "grammar", "planet"]
BAD = ["click", "buy", "cheap", "subscribe", "winner", "discount", "viral", "celebrity", "casino"]
RAW = ["the sea and the ship"] * 20


def documents(count, seed):
    """Texts of 40 words whose share of good ones is about the grade, and grades from 0 to 5."""
    draw = np.random.default_rng(seed)
    grades = draw.integers(0, 6, count)
    texts = []
    for grade in grades.tolist():
        good = draw.binomial(40, 0.2 + 0.12 * grade)
        words = [*draw.choice(GOOD, good), *draw.choice(BAD, 40 - good)]
        texts.append(" ".join(draw.permutation(words).tolist()))
    return texts, grades


@pytest.fixture(scope="module")
def table():
    texts, grades = documents(600, 0)
    return pa.table({"text": texts, "score": grades, "meta": [{"q": g / 5} for g in grades]})


def rank_correlation(one, other):
    ranks = [np.unique(values, return_inverse=True)[1].astype(float) for values in (one, other)]
    ranks = [
        np.array([np.mean(np.flatnonzero(np.sort(values) == v)) for v in values])
        for values in ranks
    ]
    return float(np.corrcoef(*ranks)[0, 1])


def test_scores_order_documents_that_were_held_out_and_tell_their_grades(table):
    model = dsir.fit(RAW, table, **GRADED)
    texts, grades = documents(400, 1)
    log_weights = model.score(texts)
    assert rank_correlation(log_weights, grades) > 0.8
    expected = 5 / (1 + np.exp(-log_weights))
    assert abs(expected.mean() - grades.mean()) < 0.2
    for low, high in ((0, 1.5), (1.5, 3), (3, 5)):
        near = (expected >= low) & (expected < high)
        assert abs(expected[near].mean() - grades[near].mean()) < 0.4
    [learned] = model.learned
    assert learned.grades == (0, 5)
    assert learned.auc > 0.8
    assert learned.accuracy > 0.8
    assert (learned.wanted, learned.others, learned.held_out) == (480, 0, 120)
    assert "480 with grades from 0 to 5" in repr(model)
    above, below = model.score([" ".join(GOOD * 3), " ".join(BAD * 3)])
    assert above > 0 > below


def plain(offsets, terms, grades, buckets, passes, batch, rate):
    """Stochastic gradient descent on the cross-entropy, document by document, in doubles."""
    used = [d for d in range(len(grades)) if grades[d] >= 0 and offsets[d] < offsets[d + 1]]
    weights, bias = np.zeros(buckets), 0.0
    vectors = []
    for start, stop in itertools.pairwise(offsets.tolist()):
        of_document = terms[start:stop]
        values = 1 + np.log(of_document & 255)
        vectors.append((of_document >> 8, values / np.sqrt((values**2).sum())))
    for done in range(passes):
        for at in range(0, len(used), batch):
            step = rate * (1 - (done * len(used) + at) / (passes * len(used)))
            some = used[at : at + batch]
            scores = [weights[vectors[d][0]] @ vectors[d][1] + bias for d in some]
            for d, score in zip(some, scores, strict=True):
                off = 1 / (1 + np.exp(-score)) - grades[d]
                np.subtract.at(weights, vectors[d][0], step * off * vectors[d][1])
                bias -= 0.01 * step * off
    return weights


def test_training_is_that_of_the_definition():
    texts, grades = documents(70, 2)
    found = examples_in(pa.array(texts), FEATURES, sample_bound(1, 1))
    labels = (grades / 5).astype(np.float32)
    labels[::7] = -1
    given = {"buckets": 2000, "passes": 4, "batch": 8, "rate": 0.8}
    weights = [
        _core.train_logistic(
            found.offsets, found.terms, labels, **given, graded=True, threads=threads
        )
        for threads in (1, 2, 5)
    ]
    assert all(one.tobytes() == weights[0].tobytes() for one in weights)
    expected = plain(found.offsets, found.terms, labels, 2000, 4, 8, 0.8)
    assert np.allclose(weights[0], expected, atol=1e-4)
    assert np.abs(expected).max() > 0.1


def test_calibration_is_where_the_cross_entropy_is_least():
    draw = np.random.default_rng(3)
    scores = draw.normal(size=300)
    grades = np.clip(1 / (1 + np.exp(-2 * scores + 0.5)) + draw.normal(0, 0.1, 300), 0, 1)
    labels = (grades * 300 + 1) / 302

    def loss(slope, intercept):
        x = slope * scores + intercept
        return float(np.mean(np.logaddexp(0, x) - labels * x))

    slope, intercept = _core.platt_graded(scores, grades)
    least = loss(slope, intercept)
    assert slope > 1
    for by in (1e-3, -1e-3):
        assert loss(slope + by, intercept) > least
        assert loss(slope, intercept + by) > least
    for wrong in (grades + 1, grades * np.nan, grades[:-1], grades[:0]):
        with pytest.raises(ValueError, match="grades"):
            _core.platt_graded(scores[: len(wrong)] if len(wrong) == 0 else scores, wrong)


def test_the_same_bits_for_any_threads_formats_and_order(table, tmp_path, monkeypatch):
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=50)
    rows = [json.dumps(row) for row in table.to_pylist()]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    pa.csv.write_csv(table.select(["text", "score"]), tmp_path / "a.csv")
    texts = table.column("score").cast(pa.string())
    given = [
        (table, {}),
        (table, {"threads": 3}),
        (tmp_path / "a.parquet", {"threads": 2}),
        (tmp_path / "a.jsonl", {}),
        (tmp_path / "a.csv", {}),
        (table.take(np.random.default_rng(0).permutation(len(table))), {}),
        (table.set_column(1, "score", texts), {}),
        (tmp_path / "a.parquet", {"grades": "meta.q"}),
        (tmp_path / "a.jsonl", {"grades": "meta.q"}),
    ]
    found = []
    for target, more in given:
        monkeypatch.setattr(units, "UNIT_BYTES", 3000 if more else 1 << 26)
        found.append(dsir.fit(RAW, target, **{**GRADED, **more}))
    assert len({one.fingerprint for one in found[:7]}) == 1
    for one in found[7:]:  # Other grades on the same scale.
        assert one.learned[0].grades == (0, 1)
        assert np.allclose(one.weights, found[0].weights, atol=1e-5)


def test_equal_texts_have_the_mean_of_their_grades():
    texts = pa.array(["a b c", "d e f", "a b c", "g h", "a b c"])
    found = graded_in(texts, np.array([1.0, 4.0, 2.0, 0.0, 6.0]), FEATURES, sample_bound(1, 1))
    joined = type(found).joined([found])
    of_text = {}
    for text in ("a b c", "d e f", "g h"):
        [key] = examples_in(pa.array([text]), FEATURES, sample_bound(1, 1)).keys
        of_text[text] = joined.means()[joined.examples.keys.tolist().index(key)]
    assert of_text == {"a b c": 3.0, "d e f": 4.0, "g h": 0.0}


def test_a_model_file_keeps_it(table, tmp_path):
    model = dsir.fit(RAW, table, **GRADED)
    model.save(tmp_path / "m.dsir")
    again = dsir.load_model(tmp_path / "m.dsir")
    assert again.learned == model.learned
    assert again.fingerprint == model.fingerprint
    texts = documents(20, 5)[0]
    assert again.score(texts).tobytes() == model.score(texts).tobytes()
    explained = again.explain(texts[0])
    total = sum(explained.column("contribution").to_pylist())
    assert total == pytest.approx(float(model.score(texts[:1])[0]))


def test_named_targets_each_have_grades_of_their_own(table):
    other = table.set_column(1, "score", pa.array(10 - np.asarray(table["score"])))
    target = {"good": table, "bad": other}
    model = dsir.fit(RAW, target, targets="separate", **GRADED)
    assert [one.grades for one in model.learned] == [(0, 5), (5, 10)]
    scores = np.asarray(model.score([" ".join(GOOD), " ".join(BAD)]))
    assert scores.shape == (2, 2)
    assert np.array_equal(scores > 0, np.eye(2, dtype=bool))
    pooled = dsir.fit(RAW, {"a": table.slice(0, 300), "b": table.slice(300)}, **GRADED)
    assert pooled.weights.tobytes() == dsir.fit(RAW, table, **GRADED).weights.tobytes()


def test_a_selection_is_resumed_and_verified(table, tmp_path, contents):
    texts, grades = documents(300, 6)
    raw = tmp_path / "raw.parquet"
    pq.write_table(pa.table({"text": texts, "grade": grades}), raw)
    pq.write_table(table, tmp_path / "target.parquet")
    given = {**GRADED, "n": 30, "min_tokens": 5, "method": "top-k"}
    for workdir in (None, tmp_path / "work", tmp_path / "work"):
        out = tmp_path / "out"
        found = dsir.select(
            raw, tmp_path / "target.parquet", out=out, workdir=workdir, overwrite=True, **given
        )
        assert found.table is None
        assert grades[found.rows].mean() > 4
    settings = json.loads((out / "_dsir/selection.json").read_text())["settings"]
    assert settings["grades"] == "score"
    assert dsir.verify(out).stands


def test_the_command(table, tmp_path, run_dsir):
    pq.write_table(table, tmp_path / "t.parquet")
    (tmp_path / "raw.jsonl").write_text(json.dumps({"text": "the sea"}) + "\n")
    call = ["fit", "raw.jsonl", "-t", "t.parquet", "--estimator", "classifier"]
    done = run_dsir(*call, "--grades", "score", "-o", "m.dsir", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert dsir.load_model(tmp_path / "m.dsir").learned[0].grades == (0, 5)
    done = run_dsir(*call, "--grades", "scores", "-o", "n.dsir", cwd=tmp_path)
    assert done.returncode != 0
    assert "no column 'scores' for grades" in done.stderr
    assert "score" in done.stderr


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize(
    ("grades", "message"),
    [
        ([None], "row 12: column 'score' is null, and grades are finite numbers"),
        ([float("nan")], "row 12: column 'score' is 'NaN'"),
        ([float("inf")], "row 12: column 'score' is 'Infinity'"),
        (["good"], "row 12: column 'score' is 'good'"),
        (["1_0"], "row 12: column 'score' is '1_0'"),
    ],
    ids=str,
)
def test_a_document_without_a_grade_is_refused(table, tmp_path, grades, message, on_error):
    kind = pa.string() if isinstance(grades[0], str) else pa.float64()
    column = pa.concat_arrays(
        [pa.array([1] * 12).cast(kind), pa.array(grades, kind), pa.array([2] * 587).cast(kind)]
    )
    wrong = table.set_column(1, "score", column)
    pq.write_table(wrong, tmp_path / "a.parquet")
    for target in (wrong, tmp_path / "a.parquet"):
        with pytest.raises(dsir.ModelError, match=message):
            dsir.fit(RAW, target, on_error=on_error, **GRADED)


def test_what_cannot_be_learned_is_refused(table, tmp_path):
    with pytest.raises(dsir.ModelError, match="all documents have the grade 3"):
        dsir.fit(RAW, table.set_column(1, "score", pa.array([3] * 600)), **GRADED)
    with pytest.raises(dsir.ModelError, match="9 different documents"):
        dsir.fit(RAW, table.slice(0, 9), **GRADED)
    with pytest.raises(dsir.InputError, match="no column 'score' for grades"):
        dsir.fit(RAW, ["a list of texts", "has no grades"], **GRADED)
    with pytest.raises(dsir.InputError, match="grades needs a column of numbers"):
        dsir.fit(RAW, table, **{**GRADED, "grades": "meta"})
    lines = tmp_path / "a.jsonl"
    lines.write_text("\n".join(json.dumps({"text": f"some text {i}"}) for i in range(20)))
    with pytest.raises(dsir.ModelError, match="column 'score' is null"):
        dsir.fit(RAW, lines, **GRADED)
    for settings, message in (
        ({"estimator": "ratio"}, 'grades=.score.: are for estimator="classifier", not "ratio"'),
        ({"estimator": "auto"}, 'are for estimator="classifier"'),
        ({"negatives": RAW}, "negatives: cannot be given with grades="),
        ({"grades": ""}, "expected the name of a column"),
        ({"grades": 5}, "expected the name of a column"),
    ):
        with pytest.raises(dsir.SettingError, match=message):
            dsir.fit(RAW, table, **{**GRADED, **settings})
    with pytest.raises(dsir.SettingError, match="only the texts of the target"):
        dsir.compare(RAW, table, methods=["classifier: grades=score"], budgets=[3])


def test_the_command_names_options(tmp_path, run_dsir):
    path = str(tmp_path / "t.parquet")  # Arguments are checked before inputs.
    words = ["fit", path, "-t", path, "--estimator", "classifier", "--grades", "score"]
    ran = run_dsir(*words, "--negatives", path, "-o", tmp_path / "m.dsir")
    assert "error: --negatives: cannot be given with --grades, which say" in ran.stderr


def test_grades_that_texts_do_not_tell_are_warned_of():
    """Of grades at random, held-out documents follow what was learned as often as its contrary."""
    texts, _ = documents(100, 9)
    zero = 0
    for seed in range(8):
        grades = np.random.default_rng(seed).random(100)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            model = dsir.fit(RAW, pa.table({"text": texts, "score": grades}), **GRADED)
        nothing = not model.score(texts[:5]).any()
        said = [one for one in warned if "cannot tell documents with high" in str(one.message)]
        assert len(said) == nothing
        zero += nothing
    assert 0 < zero < 8


def test_a_plan_from_before_has_no_grades():
    from dsir.settings.plan import Plan

    described = Plan.of({"n": 1, "estimator": "classifier"}, ()).describe()
    assert "grades" not in described
    graded = Plan.of({"n": 1, "estimator": "classifier", "grades": "q"}, ())
    assert Plan.from_json(graded.describe()) == graded
