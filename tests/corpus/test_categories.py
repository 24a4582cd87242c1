"""Text columns that are categories: dictionaries of strings, and of views as polars makes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import dsir

TEXTS = [f"the ship {row % 4} and the sea" for row in range(24)]
PLAIN = pa.table({"text": TEXTS, "lang": ["en", "de"] * 12})
TARGET = ["the ship and the sea"] * 9
QUICK: dict[str, Any] = {"n": 6, "min_tokens": 1, "progress": False}


def categories(kind: pa.DataType) -> pa.Table:
    def column(texts: list[str]) -> pa.Array:
        values = sorted(set(texts))
        places = pa.array([values.index(text) for text in texts], pa.uint32())
        return pa.DictionaryArray.from_arrays(places, pa.array(values, kind))

    columns = [column(PLAIN[name].to_pylist()) for name in PLAIN.column_names]
    return pa.table(columns, names=PLAIN.column_names)


def polars_frame(kind: str) -> Any:
    pl = pytest.importorskip("polars")
    dtype = pl.Categorical if kind == "Categorical" else pl.Enum(sorted({*TEXTS, "en", "de"}))
    return pl.DataFrame(
        {name: pl.Series(PLAIN[name].to_pylist(), dtype=dtype) for name in ("text", "lang")}
    )


SOURCES = {
    "string": lambda: categories(pa.string()),
    "large_string": lambda: categories(pa.large_string()),
    "string_view": lambda: categories(pa.string_view()),
    "Categorical": lambda: polars_frame("Categorical"),
    "Enum": lambda: polars_frame("Enum"),
}


@pytest.mark.filterwarnings("ignore::dsir.DsirWarning")
@pytest.mark.parametrize("kind", SOURCES)
def test_they_are_read_as_their_texts(tmp_path, kind):
    source = SOURCES[kind]()
    for options in (
        {},
        {"dedup": "exact", "n": 3},
        {"chunk_tokens": 3},
        {"method": "coverage"},
        {"max_per": {"lang": "60%"}},
        {"combine": {"dsir": 1, "lexrank": 1}},
    ):
        given = {**QUICK, **options}
        expected = dsir.select(PLAIN, TARGET, **given)
        found = dsir.select(source, TARGET, **given)
        np.testing.assert_array_equal(found.rows, expected.rows)
        np.testing.assert_array_equal(found.log_weights, expected.log_weights)
    out = dsir.select(source, source, out=tmp_path / "o", **QUICK)
    assert dsir.verify(tmp_path / "o", raw=source, target=source).stands
    assert out.to_pandas()["text"].isin(TEXTS).all()


@pytest.mark.filterwarnings("ignore::dsir.DsirWarning")
@pytest.mark.parametrize("kind", SOURCES)
def test_the_graph_reads_them(kind):
    source = SOURCES[kind]()
    np.testing.assert_array_equal(dsir.graph.lexrank(source), dsir.graph.lexrank(PLAIN))
    for split in (True, False):
        found = dsir.graph.summarize(source, sentences=2, split=split)
        assert str(found) == str(dsir.graph.summarize(PLAIN, sentences=2, split=split))
