"""Scorers of users: kernels that numba compiles (extra: numba), and Python functions."""

from __future__ import annotations

import json
import math
import pickle
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir.model import own_part, own_scorer

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")  # Of small targets and speed.


def summed(buckets, counts, log_ratio, tokens):
    """Do what the core does: the sum of the log ratios."""
    total = 0.0
    for place in range(len(buckets)):
        total += counts[place] * log_ratio[buckets[place]]
    return total


def penalised(buckets, counts, log_ratio, tokens):
    """Return the mean over distinct n-grams, less a penalty for documents of over 10 tokens."""
    total = 0.0
    for place in range(len(buckets)):
        total += log_ratio[buckets[place]]
    return total / len(buckets) - 0.01 * max(0, tokens - 10)


WORDS = ["ship", "sails", "the", "sea", "stocks", "fell", "\u6771\u4eac", "10", "A"]
RAW = [" ".join(WORDS[(i * k + k) % len(WORDS)] for k in range(1, 5 + i % 40)) for i in range(120)]
TARGET = dsir.texts(["ship sails the sea"] * 9)


def fit(scorer, **more):
    return dsir.fit(RAW, TARGET, scorer=scorer, progress=False, **more)


def compiled(function):
    pytest.importorskip("numba")
    return dsir.kernel("scorer")(function)


@pytest.fixture(params=["numba", "python"])
def scorer_of(request):
    """Both ways to give a scorer."""
    return compiled if request.param == "numba" else (lambda function: function)


def test_a_scorer_that_sums_gives_what_the_core_gives(scorer_of):
    texts = dsir.texts([*RAW, "", "word " * 5_000])
    plain, own = fit(None), fit(scorer_of(summed))
    assert own.score(texts) == pytest.approx(plain.score(texts), rel=1e-12, abs=1e-9)
    assert own.score(texts, threads=2).tolist() == own.score(texts).tolist()
    assert own.scorer.name == "summed"
    assert plain.fingerprint != own.fingerprint


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from([*WORDS, "x" * 40]), max_size=400), st.integers(1, 4))
def test_what_a_scorer_gets(words, n):
    """The features of the text, each distinct bucket once, ascending; the log ratios; the size."""
    found = []

    def looking(buckets, counts, log_ratio, tokens):
        found.append((buckets.tolist(), counts.tolist(), log_ratio.copy(), tokens))
        return 1.5

    features = dsir.HashedNgrams(n=n, buckets=700)
    model = fit(looking, features=features)
    text = " ".join(words)
    assert model.score(dsir.texts([text])).tolist() == [1.5 if words else 0.0]
    if not words:
        assert not found
        return
    [(buckets, counts, log_ratio, tokens)] = found
    expected = features.counts(dsir.texts([text]))
    assert buckets == np.flatnonzero(expected).tolist()
    assert counts == expected[buckets].tolist()
    assert (log_ratio == model.log_ratio).all()
    assert tokens == len(features.tokens(text))


def test_rare_and_bad_rows(scorer_of):
    model = fit(scorer_of(penalised))
    scored = model.score_batch(pa.array(["ship", None, "", "  "]))
    assert scored.log_weight[0, 1:].tolist() == [0, 0, 0]
    assert scored.status.tolist() == [0, 1, 0, 0]
    expected = penalised(
        np.flatnonzero(model.features.counts(dsir.texts(["ship"]))), [1], model.log_ratio, 1
    )
    assert scored.log_weight[0, 0] == pytest.approx(expected)


def test_separate_targets_are_scored_each_by_their_log_ratios(scorer_of):
    own, plain = (
        dsir.fit(
            RAW,
            {"sea": TARGET, "money": dsir.texts(["stocks fell 10"] * 9)},
            targets="separate",
            scorer=scorer,
            progress=False,
        )
        for scorer in (scorer_of(summed), None)
    )
    assert own.score(RAW).shape == (len(RAW), 2)
    assert own.score(RAW) == pytest.approx(plain.score(RAW), rel=1e-12, abs=1e-9)


def test_selections_do_not_depend_on_threads_and_are_resumed(scorer_of, tmp_path):
    own = scorer_of(penalised)
    table = pa.table({"text": RAW})
    for part in range(3):
        pq.write_table(table.slice(part * 40, 40), tmp_path / f"{part}.parquet")
    chosen = [
        dsir.select(
            f"{tmp_path}/*.parquet",
            TARGET,
            n=30,
            min_tokens=1,
            scorer=own,
            threads=threads,
            workdir=tmp_path / "w",
            progress=False,
            out=tmp_path / f"out{threads}",
        )
        for threads in (1, 2)
    ]
    assert chosen[0].rows.tolist() == chosen[1].rows.tolist()
    assert chosen[0].log_weights.tolist() == chosen[1].log_weights.tolist()
    manifest = json.loads((tmp_path / "out1/_dsir/selection.json").read_text())
    assert manifest["settings"]["scorer"]["name"] == "penalised"
    assert not dsir.verify(tmp_path / "out1", target=TARGET).findings
    rows = chosen[0].rows
    assert chosen[0].log_weights == pytest.approx(fit(own).score(RAW)[rows])


def test_explanations_add_up(scorer_of):
    model = fit(scorer_of(penalised))
    text = RAW[30]
    table = model.explain(text)
    [whole] = model.score([text])
    assert sum(table["contribution"].to_pylist()) == pytest.approx(whole)
    [rest] = [row for row in table.to_pylist() if row["ngram"] is None]
    assert rest["count"] == len(model.features.tokens(text))


def test_a_model_says_which_scorer_it_needs(scorer_of, tmp_path, monkeypatch):
    model = fit(scorer_of(penalised))
    model.save(tmp_path / "m.dsir")
    loaded = dsir.ImportanceModel.load(tmp_path / "m.dsir")
    assert loaded.scorer == model.scorer
    assert loaded.fingerprint == model.fingerprint
    assert loaded.score(RAW).tolist() == model.score(RAW).tolist()
    monkeypatch.setattr(own_part, "_known", {})
    with pytest.raises(
        dsir.ModelError, match=r"m\.dsir: the model needs the scorer \w+ penalised \(digest"
    ):
        dsir.ImportanceModel.load(tmp_path / "m.dsir")


def test_the_command_line_says_that_a_scorer_is_needed(
    scorer_of, tmp_path, invoke_dsir, monkeypatch
):
    pq.write_table(pa.table({"text": RAW}), tmp_path / "raw.parquet")
    pq.write_table(pa.table({"text": [*TARGET]}), tmp_path / "target.parquet")
    out = tmp_path / "out"
    dsir.select(
        tmp_path / "raw.parquet",
        tmp_path / "target.parquet",
        n=5,
        min_tokens=1,
        scorer=scorer_of(penalised),
        out=out,
        progress=False,
    )
    monkeypatch.setattr(own_part, "_known", {})
    for arguments, says in (
        (["explain", str(out), "ship"], "the model needs the scorer"),
        (["score", str(tmp_path / "raw.parquet"), "--model", str(out), "-o", str(tmp_path / "s")],
         "the model needs the scorer"),
        (["verify", str(out)], "the model needs the scorer"),
        (["select", "--config", str(out / "_dsir/selection.json"), str(tmp_path / "raw.parquet"),
          "-t", str(tmp_path / "target.parquet"), "-o", str(tmp_path / "again")],
         "penalised, whose code it does not hold; give --scorer FILE.py:"),
    ):  # fmt: skip
        done = invoke_dsir(*arguments)
        assert done.returncode in (1, 2), arguments
        told = (done.stdout + done.stderr).replace("│", " ")
        assert says in " ".join(told.split()), done
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("value", "says"),
    [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "inf"), (2e15, "1e15"), (-2e15, "1e15")],
)
def test_what_a_scorer_returns_is_checked(scorer_of, value, says):
    def returning(buckets, counts, log_ratio, tokens):
        return value if tokens > 3 else 1e15

    model = fit(scorer_of(returning))
    assert model.score(dsir.texts(["a b"])).tolist() == [1e15]
    with pytest.raises(dsir.KernelError, match=f"scorer=.*returning.*{says}"):
        model.score(RAW, threads=2)


def test_a_kernel_that_raises_is_an_error():
    def raising(buckets, counts, log_ratio, tokens):
        if tokens > 3:
            raise ValueError("too long")
        return 0.0

    with pytest.raises(
        dsir.KernelError, match=r"scorer=.*raising \(.*\.py:\d+\): .*raised an exception"
    ):
        fit(compiled(raising)).score(RAW)


def test_a_function_that_raises_is_the_cause_of_the_error():
    def raising(buckets, counts, log_ratio, tokens):
        if tokens > 3:
            raise LookupError("too long")
        return 0.0

    model = fit(raising)
    with pytest.raises(dsir.KernelError, match=r"raised LookupError: too long") as found:
        model.score(RAW, threads=2)
    assert isinstance(found.value.__cause__, LookupError)
    assert model.score(dsir.texts(["a b"])).tolist() == [0.0]  # The next call begins anew.

    def interrupted(buckets, counts, log_ratio, tokens):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(interrupted).score(RAW)

    def writing(buckets, counts, log_ratio, tokens):
        log_ratio[0] = 1
        return 0.0

    with pytest.raises(dsir.KernelError, match="read-only"):
        fit(writing).score(RAW)

    def texts(buckets, counts, log_ratio, tokens):
        return "high"

    with pytest.raises(dsir.KernelError, match="ValueError"):
        fit(texts).score(RAW)


def test_a_python_function_is_said_to_be_slow_once(monkeypatch):
    monkeypatch.setattr(own_scorer, "_said", set())
    with pytest.warns(dsir.DsirWarning, match="many times slower"):
        fit(summed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(summed)


def test_another_source_or_constant_is_another_scorer(scorer_of):
    def made(factor):
        def one(buckets, counts, log_ratio, tokens):
            return factor * tokens

        return fit(scorer_of(one))

    first, same, other = made(1.0), made(1.0), made(2.0)
    assert first.fingerprint == same.fingerprint != other.fingerprint


def test_models_with_functions_are_pickled_by_what_they_need():
    model = fit(summed)
    again = pickle.loads(pickle.dumps(model))
    assert again.score(RAW).tolist() == model.score(RAW).tolist()


def test_scorers_where_there_are_none(scorer_of):
    own = scorer_of(summed)
    two = {"a": TARGET, "b": TARGET}
    for wrong, target, says in (
        ({"length": "mean"}, TARGET, "length="),
        ({"targets": "mixture"}, two, "mixture"),
        ({"estimator": "relevance"}, TARGET, "scorer="),
        ({"estimator": "classifier"}, TARGET, "scorer="),
    ):
        with pytest.raises(dsir.SettingError, match=says):
            dsir.fit(RAW, target, scorer=own, progress=False, **wrong)
    for wrong in (5, "summed", dsir.HashedNgrams, [summed]):
        with pytest.raises(dsir.SettingError, match="scorer="):
            fit(wrong)


def test_kernels_of_other_kinds_are_no_scorers():
    pytest.importorskip("numba")

    @dsir.kernel("features")
    def one(tokens, buckets, out):
        return 0

    with pytest.raises(dsir.SettingError, match="scorer="):
        fit(one)
    with pytest.raises(dsir.SettingError, match="extractor="):
        dsir.HashedNgrams(extractor=compiled(summed))
