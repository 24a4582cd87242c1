"""`Selection.metrics`: attributes, the dict that it always was, and the JSON of the manifest."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir.run.metrics import (
    ByteAccounts,
    DuplicateAccounts,
    Metrics,
    PassedOver,
    RowAccounts,
    ShardAccounts,
    TargetAccounts,
    TokenAccounts,
)

SETTINGS: dict[str, Any] = {"n": 30, "min_tokens": 20, "length": "mean", "progress": False}
LAW = ["the court and the judge of the law"] * 9

COUNT = st.integers(0, 1 << 60)
SHARE = st.floats(0, 1e9, allow_nan=False)
NAMES = st.text(max_size=5)


def maybe(strategy):
    return st.none() | strategy


METRICS = st.builds(
    Metrics,
    rows=st.builds(
        RowAccounts,
        *[COUNT] * 4,
        st.builds(PassedOver, *[COUNT] * 3, maybe(COUNT), maybe(st.dictionaries(NAMES, COUNT))),
        COUNT,
        st.dictionaries(NAMES, COUNT),
        COUNT,
    ),
    shards=st.builds(ShardAccounts, COUNT, COUNT),
    tokens=st.builds(TokenAccounts, COUNT, COUNT),
    text_bytes=st.builds(ByteAccounts, *[COUNT] * 3),
    duplicates=maybe(st.builds(DuplicateAccounts, COUNT, st.lists(COUNT, max_size=3))),
    groups=maybe(
        st.dictionaries(
            NAMES,
            st.fixed_dictionaries(
                {"values": COUNT, "most": st.lists(st.just({"value": None, "selected": 2}))}
            ),
        )
    ),
    effective_sample_size=maybe(SHARE),
    targets=maybe(
        st.dictionaries(NAMES, st.builds(TargetAccounts, *[maybe(COUNT)] * 3, *[maybe(SHARE)] * 3))
    ),
    kl_reduction=maybe(SHARE),
    random_kl_reduction=maybe(SHARE),
    stages=maybe(st.dictionaries(NAMES, st.just({"seconds": 0.5, "mb_per_second": None}))),
)


@given(METRICS)
def test_json_there_and_back(metrics):
    described = metrics.describe()
    assert type(described) is dict
    again = Metrics.from_json(json.loads(json.dumps(described)))
    assert again == metrics == described
    assert type(again.rows.passed_over) is PassedOver
    assert repr(again) == repr(metrics)
    assert json.dumps(metrics) == json.dumps(described)
    assert list(metrics) == [
        field.name for field in fields(metrics) if getattr(metrics, field.name) is not None
    ]


@given(METRICS)
def test_copies(metrics):
    for made in (pickle.loads(pickle.dumps(metrics)), copy.deepcopy(metrics), copy.copy(metrics)):
        assert type(made) is Metrics
        assert made == metrics
        assert made.rows == metrics.rows
    described = metrics.describe()
    described["rows"]["passed_over"]["empty"] = -1
    assert metrics.rows.passed_over.empty >= 0


@pytest.fixture(scope="module")
def plain(world) -> dsir.Selection:
    return dsir.select(world.table(), world.target, **SETTINGS)


def test_it_is_the_dict_that_it_was(plain):
    metrics = plain.metrics
    assert isinstance(metrics, dict)
    assert metrics["kl_reduction"] == metrics.kl_reduction == metrics.get("kl_reduction")
    assert metrics["rows"]["passed_over"]["empty"] == metrics.rows.passed_over.empty > 0
    assert "duplicates" not in metrics
    assert metrics.duplicates is None
    assert metrics.get("targets", {}) == {}
    with pytest.raises(KeyError):
        metrics["targets"]
    assert dict(metrics) == {**metrics} == metrics.describe()
    assert type({**metrics}) is dict
    assert json.loads(json.dumps(metrics)) == metrics.describe()


def test_the_keys_and_their_order(world, plain, tmp_path):
    assert list(plain.metrics) == [
        "rows",
        "shards",
        "tokens",
        "text_bytes",
        "effective_sample_size",
        "kl_reduction",
        "random_kl_reduction",
        "stages",
    ]
    assert list(plain.metrics.rows) == [
        "read",
        "documents",
        "eligible",
        "selected",
        "passed_over",
        "bad",
        "bad_by_kind",
        "blank_lines",
    ]
    assert list(plain.metrics.rows.passed_over) == ["not_drawn", "too_short", "empty"]
    assert list(plain.metrics.stages["write"]) == ["seconds", "text_bytes", "mb_per_second"]
    table = world.table()
    given: dict[str, Any] = {**SETTINGS, "dedup": "exact", "max_per": {"domain": 0.5}}
    several = dsir.select(
        table,
        {"sea": world.target, "law": LAW},
        targets="separate",
        filters="min_words=5",
        out=tmp_path / "out",
        **given,
    )
    assert list(several.metrics) == [
        "rows",
        "shards",
        "tokens",
        "text_bytes",
        "duplicates",
        "groups",
        "targets",
        "kl_reduction",
        "random_kl_reduction",
        "stages",
    ]
    assert list(several.metrics.rows.passed_over)[3:] == ["duplicates", "filtered"]
    assert list(several.metrics.duplicates) == ["rows", "by_shard"]
    assert list(several.metrics.groups["domain"]) == ["values", "most"]
    assert list(several.metrics.targets) == ["sea", "law"]
    assert list(several.metrics.targets["sea"]) == [
        "selected",
        "tokens",
        "text_bytes",
        "effective_sample_size",
        "kl_reduction",
        "random_kl_reduction",
    ]
    written = json.loads((tmp_path / "out" / "_dsir/selection.json").read_bytes())["metrics"]
    assert written == {name: one for name, one in several.metrics.items() if name != "stages"}
    pooled = dsir.select(table, {"sea": world.target, "law": LAW}, **SETTINGS).metrics
    assert list(pooled)[4:7] == ["effective_sample_size", "targets", "kl_reduction"]
    assert list(pooled.targets["law"]) == ["kl_reduction", "random_kl_reduction"]


def test_it_is_frozen(plain):
    metrics = plain.metrics
    before = metrics.describe()
    for change in (
        lambda: metrics.__setitem__("rows", 1),
        lambda: metrics.rows.__setitem__("read", 1),
        lambda: metrics.__delitem__("rows"),
        lambda: metrics.update(rows=1),
        lambda: metrics.__ior__({"rows": 1}),
        lambda: metrics.setdefault("targets", {}),
        lambda: metrics.pop("rows"),
        lambda: metrics.popitem(),
        lambda: metrics.clear(),
    ):
        with pytest.raises(TypeError, match="cannot be changed; change a copy"):
            change()
    with pytest.raises(FrozenInstanceError):
        metrics.kl_reduction = 1.0
    assert metrics.describe() == before
    assert {**metrics, "note": "mine"}["note"] == "mine"


@pytest.mark.parametrize(
    "change",
    [
        lambda given: given.pop("rows"),
        lambda given: given.update(rows=5),
        lambda given: given.update(more={}),
        lambda given: given["rows"].pop("read"),
        lambda given: given["rows"].update(passed_over=[]),
        lambda given: given.update(tokens=None),
        lambda given: given.update(targets=[1]),
        lambda given: given.update(targets={"a": {"b": 1}}),
    ],
)
def test_other_objects_are_no_metrics(plain, change):
    described = plain.metrics.describe()
    change(described)
    with pytest.raises((KeyError, TypeError, ValueError)):
        Metrics.from_json(described)
