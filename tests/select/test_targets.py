"""Several targets: pooled, separate, or mixed."""

from __future__ import annotations

import json
import re
from itertools import chain

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather

import dsir
from dsir.model.proportions import shares, split

NAMES = ("sea", "law", "bake")
QUIET = {"progress": False, "min_tokens": 20}
SEPARATE = {**QUIET, "targets": "separate", "length": "mean", "temperature": 0.05}


@pytest.fixture(scope="module")
def wanted(world) -> dict[str, list[str]]:
    """A target a domain, of differing size."""
    return {
        name: [row["text"] for row in world.rows if row["domain"] == name and row["text"]][:size]
        for name, size in zip(NAMES, (20, 30, 40), strict=True)
    }


def by_hand(world, wanted, k, proportions, seed=0, method="resample", temperature=1.0, **fit):
    """One model after the other, without a word of the code that is tested."""
    features = dsir.HashedNgrams()
    free = np.array([len(features.tokens(text or "")) >= 20 for text in world.texts])
    taken: dict[int, tuple[str, float]] = {}
    parts = [int(k * share) for share in proportions]
    parts[-1] += k - sum(parts)
    for index, (name, texts) in enumerate(wanted.items()):
        model = dsir.fit(world.texts, texts, progress=False, **fit)
        weights = model.score(world.texts)
        settings = dsir._core.KeySettings(
            seed=seed, target=index, temperature=temperature, noise=method == "resample"
        )
        keys = dsir._core.keys(settings, weights, 0)
        keys[~free] = -np.inf
        for row in np.argsort(-keys, kind="stable")[: parts[index]].tolist():
            taken[row] = (name, weights[row])
            free[row] = False
    return taken


@pytest.mark.parametrize("method", ["resample", "top-k"])
@pytest.mark.parametrize("threads", [1, 3])
def test_separate_targets_take_in_turn(world, parquet, wanted, method, threads):
    selection = dsir.select(
        parquet,
        wanted,
        n=101,
        targets="separate",
        proportions=[0.5, 0.2, 0.3],
        length="mean",
        method=method,
        temperature=0.3,
        seed=3,
        threads=threads,
        **QUIET,
    )
    expected = by_hand(world, wanted, 101, [0.5, 0.2, 0.3], 3, method, 0.3, length="mean")
    assert selection.rows.tolist() == sorted(expected)
    names = [selection.model.target_names[target] for target in selection.target]
    assert names == [expected[row][0] for row in sorted(expected)]
    assert selection.log_weights.tolist() == [expected[row][1] for row in sorted(expected)]
    assert selection.table["target"].to_pylist() == names
    assert selection.table["log_weight"].to_pylist() == selection.log_weights.tolist()
    of = selection.metrics["targets"]
    assert [of[name]["selected"] for name in NAMES] == [50, 20, 31]
    assert selection.metrics["rows"]["selected"] == 101


def test_each_target_gets_its_domain(world, parquet, wanted):
    selection = dsir.select(parquet, wanted, n=90, **SEPARATE)
    found = [world.domains[row] for row in selection.rows]
    names = [NAMES[target] for target in selection.target]
    assert np.mean([a == b for a, b in zip(found, names, strict=True)]) > 0.95
    for of in selection.metrics["targets"].values():
        assert of["kl_reduction"] > 0.2
        assert 1 <= of["effective_sample_size"] <= 600
    values = [of["kl_reduction"] for of in selection.metrics["targets"].values()]
    assert selection.metrics["kl_reduction"] == pytest.approx(np.mean(values))


def test_metrics_by_target(world, parquet, wanted):
    selection = dsir.select(parquet, wanted, n=90, **SEPARATE)
    model = selection.model
    for number, name in enumerate(NAMES):
        rows = selection.rows[selection.target == number]
        texts = [world.texts[row] for row in rows]
        expected = dsir.kl_reduction(texts, world.texts, wanted[name])
        of = selection.metrics["targets"][name]
        assert of["kl_reduction"] == pytest.approx(expected, rel=1e-9)
        assert of["tokens"] == sum(len(model.features.tokens(text)) for text in texts)
        weights = model.score(world.texts)[:, number]
        long_enough = [len(model.features.tokens(text or "")) >= 20 for text in world.texts]
        size = dsir.effective_sample_size(weights[long_enough] / 0.05)
        assert of["effective_sample_size"] == pytest.approx(size, rel=1e-9)


def test_default_proportions_are_shares_of_ngrams(world, wanted):
    model = dsir.fit(world.texts, wanted, targets="separate", progress=False)
    ngrams = [dsir.HashedNgrams().counts(texts).sum() for texts in wanted.values()]
    np.testing.assert_allclose(model.proportions, np.array(ngrams) / sum(ngrams), rtol=1e-15)
    assert model.log_ratio.shape == model.target_counts.shape == (3, 10_000)
    assert model.score(world.texts).shape == (600, 3)
    assert model.target_names == NAMES


@pytest.mark.parametrize("length", ["sum", "mean", 0.5, "poisson"])
def test_separate_weights_are_those_of_each_target(world, wanted, length):
    together = dsir.fit(world.texts, wanted, targets="separate", length=length, progress=False)
    weights = together.score(world.texts, threads=2)
    for number, texts in enumerate(wanted.values()):
        alone = dsir.fit(world.texts, texts, length=length, progress=False)
        assert alone.score(world.texts).tobytes() == weights[:, number].tobytes()
        explained = together.explain(world.texts[0], target=NAMES[number])
        assert explained.equals(alone.explain(world.texts[0]))


@pytest.mark.parametrize("length", ["sum", "mean", 0.5, "poisson"])
def test_mixture_is_the_density_of_the_mixture(world, wanted, length):
    proportions = {"bake": 0.25, "sea": 0.75, "law": 0.0}
    mixed = dsir.fit(
        world.texts,
        wanted,
        targets="mixture",
        proportions=proportions,
        length=length,
        progress=False,
    )
    each = dsir.fit(world.texts, wanted, targets="separate", length=length, progress=False)
    of_each = each.score(world.texts)
    expected = np.logaddexp(of_each[:, 0] + np.log(0.75), of_each[:, 2] + np.log(0.25))
    tokens = np.array([len(mixed.features.tokens(text or "")) for text in world.texts])
    found = mixed.score(world.texts)
    np.testing.assert_allclose(found, np.where(tokens > 0, expected, 0), rtol=1e-12, atol=1e-12)
    assert mixed.explain("a ship", target="sea").equals(each.explain("a ship", target="sea"))


def test_a_mixture_selects_from_all_its_parts(world, parquet, wanted):
    selection = dsir.select(
        parquet,
        {name: wanted[name] for name in ("sea", "law")},
        n=80,
        targets="mixture",
        proportions=[0.5, 0.5],
        length="mean",
        temperature=0.1,
        **QUIET,
    )
    found = [world.domains[row] for row in selection.rows]
    assert found.count("bake") <= 4
    assert min(found.count("sea"), found.count("law")) > 10
    assert selection.target is None
    assert "target" not in selection.table.schema.names
    assert set(selection.metrics["targets"]) == {"sea", "law"}
    assert "effective_sample_size" in selection.metrics


def test_pooled_names_are_one_target_with_a_kl_each(world, parquet, wanted):
    pooled = dsir.select(parquet, wanted, n=60, length="mean", temperature=0.1, **QUIET)
    one = dsir.select(
        parquet, list(chain(*wanted.values())), n=60, length="mean", temperature=0.1, **QUIET
    )
    assert pooled.rows.tolist() == one.rows.tolist()
    assert pooled.log_weights.tobytes() == one.log_weights.tobytes()
    values = [pooled.metrics["targets"][name]["kl_reduction"] for name in NAMES]
    assert pooled.metrics["kl_reduction"] == pytest.approx(np.mean(values))
    assert "targets" not in one.metrics


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_files_say_which_target_took_a_row(form, request, wanted, tmp_path, contents):
    raw = request.getfixturevalue(form)
    selection = dsir.select(raw, wanted, n=90, out=tmp_path / "a", **SEPARATE)
    names = [NAMES[target] for target in selection.target]
    if form == "jsonl":
        weights = feather.read_table(tmp_path / "a" / "_dsir/weights/part-00000.arrow")
        assert weights.schema.names == ["row", "log_weight", "target"]
        assert weights["target"].to_pylist() == names
    else:
        tables = [pq.read_table(path) for path in selection.paths]
        assert [name for t in tables for name in t["target"].to_pylist()] == names
    kept = {**SEPARATE, "workdir": tmp_path / "work", "out": tmp_path / "b", "shard_size": "256MB"}
    for threads in (3, 1):  # The second goes on where the first has ended.
        dsir.select(raw, wanted, n=90, threads=threads, **kept)
        assert contents(tmp_path / "a") == contents(tmp_path / "b")
    manifest = json.loads((tmp_path / "a" / "_dsir/selection.json").read_text())
    assert manifest["settings"]["targets"] == "separate"
    assert [one["name"] for one in manifest["inputs"]["target"]] == list(NAMES)


@given(st.integers(1, 10**9), st.lists(st.floats(0, 100), min_size=1, max_size=9))
def test_split_is_the_reference_s(amount, proportions):
    if not 0 < sum(proportions) < np.inf:
        with pytest.raises(dsir.SettingError, match="one above 0"):
            shares("proportions", proportions)
        return
    given_shares = shares("proportions", proportions)
    parts = split(amount, given_shares)
    assert sum(parts) == amount
    assert parts[:-1] == [int(amount * share) for share in given_shares[:-1]]


@pytest.mark.parametrize("budget", [{"tokens": 9000}, {"fraction": 0.1}, {"n": 1}, {"n": 2}])
def test_every_kind_of_budget(parquet, wanted, budget):
    selection = dsir.select(parquet, wanted, proportions=[0.3, 0.3, 0.4], **budget, **SEPARATE)
    of = selection.metrics["targets"]
    if "tokens" in budget:
        for name, share in zip(NAMES, (2700, 2700, 3600), strict=True):
            assert share - 250 < of[name]["tokens"] <= share
    else:
        amount = 60 if "fraction" in budget else budget["n"]
        parts = split(amount, [0.3, 0.3, 0.4])
        assert [of[name]["selected"] for name in NAMES] == parts
        assert len(set(selection.rows.tolist())) == amount


def test_all_that_is_eligible(parquet, wanted):
    everything = dsir.select(parquet, wanted, n=10**6, allow_fewer=True, **SEPARATE)
    eligible = everything.metrics["rows"]["eligible"]
    assert len(everything) == eligible == len(set(everything.rows.tolist()))
    with pytest.raises(dsir.BudgetError, match=f"only {eligible}"):
        dsir.select(parquet, wanted, n=eligible + 1, **SEPARATE)
    with pytest.raises(dsir.BudgetError, match="tokens of the first"):
        dsir.select(parquet, wanted, tokens=5, **SEPARATE)


def test_a_warning_names_the_target(world, parquet, wanted):
    with pytest.warns(dsir.DsirWarning, match=r"size of target sea .* \(and of 2 more targets\)"):
        dsir.select(parquet, wanted, n=90, targets="separate", **QUIET)


@pytest.mark.parametrize(
    ("target", "keywords", "message"),
    [
        (["a ship"], {"targets": "separate"}, "needs targets by name"),
        (["a ship"], {"targets": "mixture"}, "needs targets by name"),
        (["a ship"], {"targets": "each"}, "targets='each'"),
        ({}, {}, "dict of targets is empty"),
        ({"": ["a"]}, {}, "is not a name"),
        ({3: ["a"]}, {}, "is not a name"),
        ({"a\n": ["a"]}, {}, "is not a name"),
        ({"a": ["a"]}, {"proportions": [1]}, "are for targets="),
        ({"a": ["a"]}, {"targets": "separate", "proportions": [1, 2]}, "2 for 1 targets"),
        ({"a": ["a"]}, {"targets": "separate", "proportions": {"b": 1}}, "are given for b"),
        ({"a": ["a"]}, {"targets": "separate", "proportions": {"a": 0}}, "one above 0"),
        ({"a": ["a"]}, {"targets": "separate", "proportions": {"a": "x"}}, "expected numbers"),
        (
            {"a": ["a"]},
            {"targets": "separate", "target_column": ""},
            "expected the name of a column",
        ),
        ({"a": ["a"]}, {"targets": "separate", "target_column": "log_weight"}, "are both"),
    ],
)
def test_wrong_calls(world, target, keywords, message):
    with pytest.raises(dsir.SettingError, match=re.escape(message)):
        dsir.select(world.texts, target, n=1, **QUIET, **keywords)


@pytest.mark.filterwarnings("ignore:target sea. has only:dsir.DsirWarning")
def test_a_target_without_ngrams_is_named(world):
    with pytest.raises(dsir.ModelError, match="the target law corpus has no n-grams"):
        dsir.fit(world.texts, {"sea": ["a ship"], "law": [" "]}, progress=False)


def test_explain_needs_a_name(world, wanted):
    model = dsir.fit(world.texts, wanted, targets="separate", progress=False)
    for target in (None, "air"):
        with pytest.raises(dsir.SettingError, match="name one of the model's targets: sea, law"):
            model.explain("a ship", target=target)
    pooled = dsir.fit(world.texts, wanted, progress=False)
    with pytest.raises(dsir.SettingError, match="are pooled"):
        pooled.explain("a ship", target="sea")


def test_a_column_of_that_name_is_there_already(world, wanted):
    table = world.table().rename_columns(["id", "text", "target", "tags", "meta"])
    with pytest.raises(dsir.OutputError, match=r"already has a column 'target'; .* target_column="):
        dsir.select(table, wanted, n=5, **SEPARATE)
    selection = dsir.select(table, wanted, n=5, target_column="took", **SEPARATE)
    assert selection.table.schema.names[-2:] == ["log_weight", "took"]
    pooled = dsir.select(table, wanted, n=5, progress=False, length="mean", temperature=0.1)
    assert pooled.table.schema.names[-2:] == ["meta", "log_weight"]
