"""Real text, where it lies beside the repository: the right documents, whatever the format."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import dsir

SHARED = Path(__file__).parents[3] / "shared" / "data"

pytestmark = [
    pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not there"),
    pytest.mark.filterwarnings("ignore::dsir.DsirWarning"),
]


def share(selection: dsir.Selection, source: str) -> float:
    sources: Counter[str] = Counter()
    for path in selection.paths:
        if path.suffix == ".jsonl":
            import json

            with path.open(encoding="utf-8") as file:
                sources.update(json.loads(line)["source"] for line in file)
        else:
            sources.update(pq.read_table(path, columns=["source"])["source"].to_pylist())
    assert sources.total() == len(selection)
    return sources[source] / sources.total()


@pytest.mark.parametrize(
    ("target", "source", "least"), [("movie_reviews", "imdb", 0.98), ("reuters", "reuters", 0.90)]
)
def test_the_right_source(tmp_path, contents, target, source, least):
    found = []
    for threads in (1, 2):
        selection = dsir.select(
            str(SHARED / "raw" / "*.parquet"),
            SHARED / "targets" / f"{target}.parquet",
            n=1000,
            out=tmp_path / str(threads),
            threads=threads,
            progress=False,
        )
        assert share(selection, source) >= least
        assert selection.metrics["rows"]["read"] == 60_370
        assert selection.metrics["kl_reduction"] > 0
        found.append(contents(tmp_path / str(threads)))
    assert found[0] == found[1]


def test_json_lines_of_the_same_rows(tmp_path):
    target = SHARED / "targets" / "movie_reviews.parquet"
    selection = dsir.select(
        SHARED / "raw_jsonl", target, n=100, out=tmp_path / "jsonl", progress=False
    )
    assert share(selection, "imdb") >= 0.98
    assert selection.metrics["rows"]["read"] == 5500
    accounts(selection)


def accounts(selection: dsir.Selection) -> None:
    rows = selection.metrics["rows"]
    assert rows["read"] == rows["selected"] + sum(rows["passed_over"].values()) + rows["bad"]


BAD = {
    "all_null.parquet": (dsir.ModelError, "no n-grams"),
    "bad_line.jsonl": (dsir.RowError, r"row 1 \(line 2\)"),
    "bitflip.parquet": (dsir.ShardError, "row group"),
    "empty.parquet": (dsir.EmptyCorpusError, "0 bytes"),
    "invalid_utf8.parquet": (dsir.RowError, "row 1"),
    "no_text_column.parquet": (dsir.TextColumnError, "body"),
    "not_zstd.jsonl.zst": (dsir.ShardError, "zstd"),
    "text_is_int.parquet": (dsir.TextColumnError, "int64"),
    "truncated.jsonl.gz": (dsir.ShardError, r"(?i)truncated"),
    "truncated.parquet": (dsir.ShardError, "cannot be read as Parquet"),
    "zero_rows.parquet": (dsir.EmptyCorpusError, "no rows"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(name):
    kind, message = BAD[name]
    path = SHARED / "bad" / name
    good = SHARED / "bad" / "ok.parquet"
    keywords: dict[str, Any] = {"n": 3, "min_tokens": 3, "method": "top-k", "progress": False}
    with pytest.raises(kind, match=message) as caught:
        dsir.select(path, good, **keywords)
    assert str(path) in str(caught.value) or kind is dsir.ModelError
    with pytest.raises(kind, match=message):
        dsir.select(good, path, **keywords)
    # Lines and tables cannot be one table in memory.
    beside = good if path.suffix == ".parquet" else SHARED / "bad" / "long_line.jsonl"
    selection = dsir.select([path, beside], good, on_error="skip", **{**keywords, "n": 1})
    accounts(selection)
    alone = dsir.select(beside, good, **{**keywords, "n": 1}).metrics["rows"]["read"]
    rows = selection.metrics["rows"]
    assert rows["read"] >= alone
    without_rows = ("all_null.parquet", "empty.parquet", "zero_rows.parquet")
    assert bool(selection.skipped) == (name not in without_rows)
    listed = sum(entry.rows for entry in selection.skipped if entry.row is not None)
    assert rows["bad"] == listed


def test_good_files_among_the_bad():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        for name in ("ok.parquet", "long_line.jsonl"):
            path = SHARED / "bad" / name
            selection = dsir.select(path, path, n=1, min_tokens=1, progress=False)
            assert len(selection) == 1
    assert set(BAD) | {"ok.parquet", "long_line.jsonl"} == {
        path.name for path in (SHARED / "bad").iterdir()
    }
