"""Quotas: the values they go by, windows, the amounts that are left, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, time
from decimal import Decimal
from math import inf, nan
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

import dsir
from dsir.settings.quotas import Cap

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")

MEAN: dict[str, Any] = {"min_tokens": 12, "length": "mean", "progress": False}
TARGETS = {
    "one": ["ship sail anchor tide and the mast of it"] * 9,
    "two": ["court judge the statute , a clause for it"] * 7,
}


@pytest.fixture(scope="module")
def corpus(quota_corpus):
    return quota_corpus


def test_windows(corpus):
    """Windows are rows: copies among them are duplicates, and they have their document's source."""
    selection = dsir.select(
        corpus.table(),
        TARGETS,
        n=40,
        chunk_tokens=12,
        dedup="exact",
        max_per={"source": 11},
        **MEAN,
    )
    texts = selection.table.column("text").to_pylist()
    assert len(set(texts)) == len(texts) == 40
    assert max(Counter(selection.table.column("source").to_pylist()).values()) == 11
    assert selection.metrics["rows"]["passed_over"]["duplicates"] > 0


@settings(max_examples=40)
@given(st.data())
def test_any_corpus(data):
    """The first of equal texts stays, whatever they are; no source has more than its share."""
    text = st.sampled_from(["a b", "a  b", "a b ", "A b", "ä b", "c d e", "", None])
    rows = data.draw(st.lists(st.tuples(text, st.sampled_from(["x", "y", None])), min_size=3))
    texts, sources = [one for one, _ in rows], [source for _, source in rows]
    first = [i for i, one in enumerate(texts) if one and one not in texts[:i]]
    if not first:
        return
    table = pa.table(
        {"text": pa.array(texts, pa.string()), "source": pa.array(sources, pa.string())}
    )
    keywords = {**MEAN, "min_tokens": 1, "dedup": "exact", "allow_fewer": True, "n": len(rows)}
    assert dsir.select(table, ["a b"], **keywords).rows.tolist() == first
    most = data.draw(st.integers(1, 3))
    capped = dsir.select(table, ["a b"], max_per={"source": most}, **keywords).rows.tolist()
    counted = Counter(sources[row] for row in first)
    assert Counter(sources[row] for row in capped) == {s: min(c, most) for s, c in counted.items()}


def test_shares_hold_where_fewer_are_taken(corpus):
    """With allow_fewer the budget is lowered until the shares are of what is selected."""
    for share in (0.25, 0.3, 0.5):
        selection = dsir.select(
            corpus.table(),
            TARGETS,
            n=10_000,
            max_per={"source": share},
            allow_fewer=True,
            **MEAN,
        )
        counts = Counter(corpus.source[row] for row in selection.rows.tolist())
        assert max(counts.values()) <= share * len(selection)
        # And not one more could be: the largest budget within the shares.
        sizes = Counter(
            source
            for source, tokens in zip(corpus.source, corpus.tokens, strict=True)
            if tokens >= MEAN["min_tokens"]
        )
        for more in range(len(selection) + 1, len(selection) + 20):
            assert sum(min(size, int(share * more)) for size in sizes.values()) < more
    with pytest.raises(dsir.BudgetError, match="nothing can be selected within these shares"):
        dsir.select(corpus.table(), TARGETS, n=50, max_per={"lang": 0.2}, allow_fewer=True, **MEAN)


def test_messages(corpus):
    cases = [
        ({"n": 150, "max_per": {"source": 0.2}}, "leaves room for at most"),
        ({"n": 3, "max_per": {"source": 0.2}}, "leaves room for at most 0 of the 3 documents"),
        ({"n": 60, "max_per": {"source": 3}}, "leaves room for at most 15 of the 60 documents"),
        ({"n": 50, "group_by": "source"}, r"n=50 by 'source': \d of 5 values have fewer eligible"),
        ({"bytes": 10, "max_per": {"source": 0.5}}, "every document is larger|less than the"),
        ({"bytes": 5}, "bytes=5 is less than the .* bytes of the first document"),
        ({"bytes": "1GB"}, "asks for 1,000,000,000 bytes, but only"),
        ({"fraction": 0.001, "group_by": "source"}, "of each value is less than one document"),
    ]
    for keywords, message in cases:
        with pytest.raises(dsir.BudgetError, match=message):
            dsir.select(corpus.table(), TARGETS, **keywords, **MEAN)
    settings_ = [
        ({"n": 1, "max_per": {"source": 1.5}}, "expected a share"),
        ({"n": 1, "max_per": {"source": 0}}, "expected a share"),
        ({"n": 1, "max_per": {"source": True}}, "expected a share"),
        ({"n": 1, "max_per": "source=0.2"}, "expected shares by column"),
        ({"n": 1, "max_per": {"a": 0.2}, "group_by": "a"}, "'a' is in both"),
        ({"n": 1, "max_per": dict.fromkeys("abcde", 2)}, "at most 4 columns"),
        ({"n": 1, "max_per": {"": 2}}, "not the name of a column"),
        ({"n": 1, "dedup": "fuzzy"}, "dedup='fuzzy'"),
        ({"n": 1, "bytes": 5}, "exactly one of n, fraction, tokens and bytes"),
        ({"bytes": "many"}, "bytes='many'"),
    ]
    for keywords, message in settings_:
        with pytest.raises(dsir.SettingError, match=message):
            dsir.select(corpus.table(), TARGETS, **keywords, **MEAN)
    for column, message in (("nothing", "no column 'nothing'"), ("meta", "quotas need a column")):
        with pytest.raises(dsir.ShardError, match=message):
            dsir.select(corpus.table(), TARGETS, n=1, group_by=column, **MEAN)


@pytest.mark.parametrize("settings", [{"max_per": {"k": 1}}, {"combine": {"column:k": 1.0}}])
def test_two_columns_of_one_name(settings):
    texts = pa.array(["a b c", "d e f"])
    raw = pa.Table.from_arrays(
        [texts, pa.array([1, 2]), pa.array([3, 4])], names=["text", "k", "k"]
    )
    with pytest.raises(dsir.InputError, match="raw: has 2 columns named 'k'; rename one of them"):
        dsir.select(raw, dsir.texts(["a b"]), n=1, min_tokens=0, progress=False, **settings)


def test_a_field_that_no_line_has(corpus, tmp_path):
    paths = corpus.write_lines(tmp_path / "raw")
    with pytest.raises(dsir.ShardError, match="no line has a field 'sauce'"):
        dsir.select(paths, TARGETS, n=1, group_by="sauce", **MEAN)
    paths.append(tmp_path / "blank.jsonl")
    paths[-1].write_bytes(b"\n\n")
    paths.append(tmp_path / "nulls.jsonl")
    paths[-1].write_bytes(b'{"text": "a", "source": null}\n')
    assert len(dsir.select(paths, TARGETS, n=1, group_by="source", **MEAN)) == 5


def test_values_of_every_kind_in_lines(corpus, tmp_path):
    """Any JSON value is one, whichever way its block is parsed; the string is not the number."""
    text = corpus.texts[0]
    values = ["1", "1", "1.5", '"1"', "true", "null", "[1, 2]", "[1,2]", '{"b":1,"a":2}', "-0"]
    line = '{"text": %s, "source": %s}\n'
    path = tmp_path / "values.jsonl"
    path.write_text("".join(line % (json.dumps(text), value) for value in values))
    keywords = {**MEAN, "min_tokens": 1, "n": 1, "group_by": "source", "method": "top-k"}
    selection = dsir.select(path, TARGETS, **keywords)
    assert selection.rows.tolist() == [0, 2, 3, 4, 5, 6, 8, 9]
    found = [one["value"] for one in selection.metrics["groups"]["source"]["most"]]
    assert sorted(map(json.dumps, found)) == sorted(
        ["1", "1.5", '"1"', "true", "null", "[1, 2]", '{"a": 2, "b": 1}', "0"]
    )
    path.write_text("".join(line % (json.dumps(text), i % 3) for i in range(9)))
    assert dsir.select(path, TARGETS, **keywords).rows.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("kind", "values", "names"),
    [
        (
            pa.float32(),
            [0.1, -0.0, 0.0, nan, inf, nan, None],
            ["0.1", "0.0", '"NaN"', '"Infinity"'],
        ),
        (pa.float16(), [0.5, 1.0, 0.5, 0.5, 1.0, 1.0, None], ["0.5", "1.0"]),
        (pa.decimal128(4, 2), [Decimal("1.50")] * 6 + [None], ["1.5"]),
        (pa.date32(), [date(2026, 1, 2)] * 6 + [None], ['"2026-01-02"']),
        (pa.time64("us"), [time(7, 30)] * 6 + [None], ['"07:30:00"']),
        (pa.timestamp("s"), [datetime(2026, 1, 2)] * 6 + [None], ['"2026-01-02 00:00:00"']),
        (
            pa.timestamp("ns", "UTC"),
            [datetime(2026, 1, 2, microsecond=500)] * 6 + [None],
            ['"2026-01-02 00:00:00.0005Z"'],
        ),
    ],
)
@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_numbers_and_dates_are_values(corpus, tmp_path, kind, values, names, coded, suffix):
    column = pa.array(
        [
            None if one is None else np.float16(one) if kind == pa.float16() else one
            for one in values
        ],
        kind,
    )
    if coded and kind != pa.float16():  # pyarrow cannot write a dictionary of these.
        column = column.dictionary_encode()
    table = pa.table({"text": corpus.texts[: len(values)], "source": column})
    path = tmp_path / f"raw.{suffix}"
    if suffix == "parquet":
        pq.write_table(table, path)
    else:
        feather.write_feather(table, path)
    settings = {**MEAN, "min_tokens": 1, "n": 1, "method": "top-k", "group_by": "source"}
    selection = dsir.select(path, TARGETS, out=tmp_path / "out", **settings)
    found = [one["value"] for one in selection.metrics["groups"]["source"]["most"]]
    assert sorted(map(json.dumps, found)) == sorted([*names, "null"])


def test_numbers_that_json_has_not(corpus, tmp_path):
    values = ["NaN", "1e999", "-Infinity", "-0.0", "0.0", "[NaN]"]
    line = '{"text": %s, "source": %s}\n'
    path = tmp_path / "values.jsonl"
    path.write_text("".join(line % (json.dumps(corpus.texts[0]), value) for value in values))
    settings = {**MEAN, "min_tokens": 1, "n": 1, "method": "top-k", "group_by": "source"}
    selection = dsir.select(path, TARGETS, out=tmp_path / "out", **settings)
    found = [one["value"] for one in selection.metrics["groups"]["source"]["most"]]
    assert sorted(map(str, found)) == ["-Infinity", "0.0", "Infinity", "NaN", "['NaN']"]


def test_caps_are_exact_decimals():
    assert Cap("a", 0.29).of(100) == 29
    assert Cap("a", 0.07).of(100) == 7
    assert Cap("a", 1.0).of(10**18 + 1) == 10**18 + 1
    assert Cap("a", 7).of(100) == 7
