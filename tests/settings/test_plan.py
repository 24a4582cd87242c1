"""Plans: checked once, described as JSON, and made again of it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir.arguments.declared import arguments_of
from dsir.errors import SettingError
from dsir.run.fit import FIT_SETTINGS, FitCall
from dsir.run.select import SELECT_SETTINGS, SelectCall
from dsir.settings import plan as plan_module
from dsir.settings.machine import Machine
from dsir.settings.plan import Plan

NAMES = ("law", "news")
shares = st.floats(0.015625, 1, width=32)
columns = st.text("abc_é", min_size=1, max_size=5)


def budgets() -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.fixed_dictionaries({"n": st.integers(1, 10**12)}),
        st.fixed_dictionaries({"fraction": shares}),
        st.fixed_dictionaries({"tokens": st.integers(1, 10**15)}),
        st.fixed_dictionaries({"bytes": st.sampled_from([1, 10**9, "10GB", "1.5MB"])}),
    )


def features() -> st.SearchStrategy[dsir.HashedNgrams]:
    return st.builds(
        dsir.HashedNgrams,
        n=st.integers(1, 8),
        buckets=st.integers(2, 10_000),
        tokenizer=st.sampled_from(["wordpunct", "word_tokenize"]),
        hash=st.sampled_from(["fast", "sha256"]),
    )


def other_settings() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "allow_fewer": st.booleans(),
            "method": st.sampled_from(["resample", "top-k"]),
            "temperature": st.floats(0.001, 1e9),
            "seed": st.integers(0, 2**64 - 1),
            "min_tokens": st.integers(0, 100),
            "dedup": st.sampled_from([None, "none", "exact"]),
            "features": st.none() | features(),
            "smoothing": st.floats(0, 1e6) | st.integers(0, 9),
            "length": st.sampled_from(["sum", "mean", "poisson", 0, 1, 0.5, 1.0]),
            "fit_tokens": st.sampled_from(["auto", "all", 1, 10**12]),
            "chunk_tokens": st.integers(100, 10_000),
            "filters": st.sampled_from(
                [None, "paper", "min_words=3", {"max_numeric": 0.25}, dsir.QualityFilters()]
            ),
            "preprocessing": st.sampled_from(["none", "paper"]),
            "text": columns,
            "on_error": st.just("skip"),
            "shard_size": st.sampled_from(["256MB", 1, 10**9]),
            "weight_column": columns,
        },
    )


@st.composite
def calls(draw) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Arguments that are right, and the names of the targets."""
    call = {**draw(budgets()), **draw(other_settings())}
    names = draw(st.sampled_from([(), NAMES]))
    if names:
        call["targets"] = draw(st.sampled_from(["pooled", "separate", "mixture"]))
        if call["targets"] != "pooled":
            call["proportions"] = draw(
                st.sampled_from([None, [0.25, 0.75], {"law": 0.1, "news": "90%"}])
            )
    extra = draw(st.sampled_from(["quotas", "combine", "none"]))
    if extra == "quotas":
        call["max_per"] = draw(st.dictionaries(columns, shares | st.integers(1, 99), max_size=2))
        call["group_by"] = draw(st.none() | st.just("lang"))
    elif extra == "combine" and call.get("targets") != "separate":
        call["combine"] = {"dsir": 1.0, "lexrank": draw(st.floats(0, 9))}
        call["candidates"] = draw(st.floats(1, 99))
    if call.get("on_error") == "skip":
        call["max_bad_rows"] = draw(st.sampled_from([None, 0, 7, "1%", "0.25%"]))
    if "chunk_tokens" in call and draw(st.booleans()):
        call["chunk_stride"] = draw(st.integers(1, call["chunk_tokens"]))
    return call, names


@given(calls())
@settings(max_examples=300)
def test_a_plan_is_what_it_describes(call):
    plan = Plan.of(*call)
    described = json.loads(json.dumps(plan.describe()))
    again = Plan.from_json(described)
    assert again == plan
    assert again.describe() == plan.describe()
    assert list(again.describe()) == list(plan.describe())
    assert again.counts() == plan.counts()


@given(calls(), calls())
@settings(max_examples=100)
def test_other_plans_describe_themselves_otherwise(one, other):
    one, other = Plan.of(*one), Plan.of(*other)
    assert (one == other) == (one.describe() == other.describe())


VALUES: list[Any] = [
    *(None, True, False, -1, 0, 1, 2**70, 1.5, -0.5, float("nan"), float("inf"), "", "x", "1%"),
    *([], [1], ["a"], {}, {"a": 1}, {"a": []}, {"dsir": 1}, {1: 2}, (), b"x", object(), "\ud800"),
    *(
        "separate",
        "mixture",
        "paper",
        "poisson",
        "skip",
        dsir.HashedNgrams(),
        dsir.QualityFilters(),
    ),
]
SETTINGS = arguments_of(Plan)


# `decontaminate` reads files; tests/quality/test_decontamination.py has it.
APART = ("n", "features", "decontaminate")


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in APART])
def test_any_value_is_taken_or_refused(name):
    """Never another error than SettingError, whatever is given, from Python or from a manifest."""
    refused = 0
    described = Plan.of({"n": 1}, ()).describe()
    for value in VALUES:
        for make in (
            lambda value=value: Plan.of({"n": 1, name: value}, NAMES),
            lambda value=value: Plan.from_json({**described, name: value}),
        ):
            try:
                plan = make()
            except SettingError:
                refused += 1
            else:
                assert Plan.from_json(plan.describe()) == plan
    assert refused > 10


def test_a_plan_cannot_be_changed():
    plan = Plan.of({"n": 3}, ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.combine = None  # type: ignore[misc]
    assert not hasattr(plan, "__dict__")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"later": 1}, "knows no setting 'later'"),
        ({"out": "/etc"}, "knows no setting 'out'"),
        ({"seed": "1"}, "seed='1': expected a whole number"),
        ({"features": None}, "features=None: expected names and values"),
        ({"features": []}, "features=\\[\\]: expected names and values"),
    ],
)
def test_what_comes_from_elsewhere_is_checked(change, message):
    described = Plan.of({"n": 3}, ()).describe()
    with pytest.raises(SettingError, match=message):
        Plan.from_json({**described, **change})
    del described["seed"]
    with pytest.raises(SettingError, match="the setting 'seed' is missing"):
        Plan.from_json(described)


def test_a_setting_that_was_added_later_has_its_default_in_older_manifests(monkeypatch):
    assert {name for name, one in SETTINGS.items() if one.added} == plan_module._ADDED
    described = Plan.of({"n": 3, "seed": 5}, ()).describe()
    del described["seed"]
    monkeypatch.setattr(plan_module, "_ADDED", {"seed"})
    assert Plan.from_json(described) == Plan.of({"n": 3}, ())


@pytest.mark.parametrize(
    ("call", "groups"), [(SelectCall, SELECT_SETTINGS), (FitCall, FIT_SETTINGS)]
)
def test_calls_take_the_arguments_of_their_settings(call, groups):
    """The types of a call stand beside the fields of its settings: one for each."""
    assert call.__annotations__.keys() == arguments_of(*groups).keys()


def test_every_argument_says_what_it_does():
    for groups in (SELECT_SETTINGS, FIT_SETTINGS, (dsir.HashedNgrams,)):
        for one in arguments_of(*groups).values():
            assert one.help.endswith("."), one.name
            assert one.help[0].isupper() or one.help[0] in "'", one.name
            assert one.kind in (int, float, str, bool), one.name


def test_a_machine_is_no_part_of_a_plan():
    """Nothing that a result depends on is in a machine."""
    assert not arguments_of(Plan).keys() & {"engine", "threads", "memory", "progress"}
    machine = Machine.of({"threads": 2, "memory": "2GB", "progress": False})
    assert machine.engine.threads == 2
    assert machine.memory.reading.row_bytes is not None
    with pytest.raises(SettingError, match="threads=0"):
        Machine.of({"threads": 0})
    with pytest.raises(SettingError, match="engine='abacus'"):
        Machine.of({"engine": "abacus"})
