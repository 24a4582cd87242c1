"""Chunks and quality filters in a selection: rows of their own, counted and written as such."""

from __future__ import annotations

import json
import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir

QUIET = {"progress": False, "min_tokens": 10}
CHUNKS = {**QUIET, "chunk_tokens": 25, "length": "mean", "temperature": 0.3}
TOKEN = re.compile(r"\w+|[^\w\s]+")


def windows_of(text: str | None, tokens: int, stride: int) -> list[tuple[int, int]]:
    """Spans of characters; one empty span where there is no token."""
    spans = [match.span() for match in TOKEN.finditer(text or "")]
    if not spans:
        return [(0, 0)]
    found = []
    for first in range(0, len(spans), stride):
        last = min(first + tokens, len(spans))
        found.append((spans[first][0], spans[last - 1][1]))
        if last == len(spans):
            break
    return found


def cut(texts, tokens=25, stride=25):
    """(row, start, stop, text) of every window, in order."""
    return [
        (row, start, stop, (text or "")[start:stop])
        for row, text in enumerate(texts)
        for start, stop in windows_of(text, tokens, stride)
    ]


@pytest.mark.parametrize("stride", [None, 10])
def test_a_selection_of_windows_is_one_of_texts_that_were_cut_before(world, target, stride):
    """Fit, log-weights, draw: as if the windows had been the documents."""
    pieces = cut(world.texts, 25, stride or 25)
    wanted = [text for *_, text in cut(world.target, 25, stride or 25)]
    ours = dsir.select(world.texts, world.target, n=90, chunk_stride=stride, **CHUNKS)
    settings = {key: value for key, value in CHUNKS.items() if key != "chunk_tokens"}
    theirs = dsir.select([text for *_, text in pieces], wanted, n=90, **settings)
    assert ours.rows.tolist() == theirs.rows.tolist()
    assert ours.log_weights.tobytes() == theirs.log_weights.tobytes()
    assert ours.model.fingerprint == theirs.model.fingerprint
    for name in ("eligible", "selected", "read"):
        assert ours.metrics["rows"][name] == theirs.metrics["rows"][name]
    assert ours.metrics["rows"]["documents"] == len(world.texts)
    assert ours.metrics["kl_reduction"] == theirs.metrics["kl_reduction"]
    chosen = [pieces[row] for row in ours.rows]
    for column, at in (("source_row", 0), ("chunk_start", 1), ("chunk_stop", 2), ("text", 3)):
        assert ours.table[column].to_pylist() == [piece[at] for piece in chosen]


def test_other_columns_come_with_every_window(world, parquet, target, tmp_path):
    selection = dsir.select(parquet, target, n=90, out=tmp_path / "out", **CHUNKS)
    tables = [pq.read_table(path) for path in selection.paths]
    names = ["id", "text", "domain", "tags", "meta"]
    added = ["source_row", "chunk_start", "chunk_stop", "log_weight"]
    for table in tables:
        assert table.schema.names == names + added
        for row in table.to_pylist():
            source = world.rows[row["id"]]
            assert row["text"] == source["text"][row["chunk_start"] : row["chunk_stop"]]
            for name in ("domain", "tags", "meta"):
                assert row[name] == source[name]
    assert sum(map(len, tables)) == 90
    assert max(Counter(row for table in tables for row in table["id"].to_pylist()).values()) > 1


def test_json_lines_stay_json_lines(world, jsonl, target, tmp_path):
    selection = dsir.select(jsonl, target, n=90, out=tmp_path / "out", **CHUNKS)
    lines = [
        json.loads(line) for path in selection.paths for line in path.read_bytes().splitlines()
    ]
    assert len(lines) == 90
    for line in lines:
        source = world.rows[line["id"]]
        span = source["text"][line["chunk_start"] : line["chunk_stop"]]
        assert line["text"] == span
        assert line["meta"] == source["meta"]


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_threads_restarts_and_the_stages_give_the_same(
    form, request, target, tmp_path, contents, invoke_dsir
):
    raw = request.getfixturevalue(form)
    settings = {**CHUNKS, "chunk_stride": 20, "filters": {"max_repeated": 0.3}}
    selection = dsir.select(raw, target, n=90, out=tmp_path / "a", threads=1, **settings)
    expected = contents(tmp_path / "a")
    dsir.select(raw, target, n=90, out=tmp_path / "b", threads=3, **settings)
    assert contents(tmp_path / "b") == expected
    for _ in range(2):
        dsir.select(raw, target, n=90, out=tmp_path / "c", workdir=tmp_path / "w", **settings)
        assert contents(tmp_path / "c") == expected
    windows = ["--chunk-tokens", 25, "--chunk-stride", 20]
    for command in (
        ["fit", *raw, "-t", target, *windows, "--length", "mean", "-o", "m.dsir"],
        ["score", *raw, "-m", "m.dsir", *windows, "--filters", "max_repeated=0.3", "-o", "s"],
        ["sample", "s", "-n", 90, "--min-tokens", 10, "--temperature", 0.3, "-o", "r", "--json"],
        ["write", "r", "-m", "m.dsir", "-o", "d"],
    ):
        done = invoke_dsir(*command, "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        if command[0] == "sample":
            told = json.loads(done.stdout)["metrics"]["rows"]
            assert told == selection.metrics["rows"]
            assert told["passed_over"]["filtered"]["max_repeated"] > 0
    # Its manifest names the stages that made it, and else says the same.
    for name, data in contents(tmp_path / "d", without=("run.json", "selection.json")).items():
        assert expected[name] == data
    assert dsir.verify(tmp_path / "d").stands


def test_filters_keep_rows_out_and_count_them(world, parquet, target):
    filters = dsir.QualityFilters(min_words=40, max_words=150, max_repeated=0.14)
    selection = dsir.select(parquet, target, n=60, filters=filters, length="mean", **QUIET)
    features = selection.model.features
    expected: Counter[str] = Counter()
    for text in world.texts:
        tokens = features.tokens(text or "")
        if len(tokens) < 10:
            continue
        most = Counter(tokens).most_common(1)[0][1]
        if len(tokens) < 40:
            expected["min_words"] += 1
        elif len(tokens) > 150:
            expected["max_words"] += 1
        elif most / len(tokens) > 0.14:
            expected["max_repeated"] += 1
        else:
            expected["eligible"] += 1
    rows = selection.metrics["rows"]
    assert all(expected.values())
    assert rows["eligible"] == expected.pop("eligible")
    assert rows["passed_over"]["filtered"] == expected
    over = rows["passed_over"]
    assert rows["read"] == (
        rows["selected"]
        + over["not_drawn"]
        + over["too_short"]
        + over["empty"]
        + sum(over["filtered"].values())
        + rows["bad"]
    )
    for text in selection.table["text"].to_pylist():
        assert 40 <= len(features.tokens(text)) <= 150
    plain = dsir.select(parquet, target, n=60, length="mean", **QUIET)
    assert "filtered" not in plain.metrics["rows"]["passed_over"]
    assert plain.model.fingerprint == selection.model.fingerprint
    same = dsir.select(parquet, target, n=60, length="mean", filters="min_words=0", **QUIET)
    assert same.rows.tolist() == plain.rows.tolist()


def test_one_option_for_the_paper_s_preprocessing(parquet, target):
    """The default filters of the paper refuse most of these made-up texts."""
    settings = {"n": 20, "method": "top-k", "min_tokens": 0, "progress": False}
    lenient = "paper,max_repeated=none,max_informative=none"
    named = dsir.select(parquet, target, preprocessing="paper", filters=lenient, **settings)
    spelled = dsir.select(
        parquet,
        target,
        chunk_tokens=128,
        filters=lenient,
        features=dsir.HashedNgrams(tokenizer="word_tokenize"),
        **settings,
    )
    assert named.rows.tolist() == spelled.rows.tolist()
    assert named.model.features.tokenizer == "word_tokenize"
    kept = dsir.select(
        parquet,
        target,
        preprocessing="paper",
        filters=lenient,
        features=dsir.HashedNgrams(buckets=1000),
        **settings,
    )
    assert kept.model.features == dsir.HashedNgrams(buckets=1000)
    with pytest.raises(dsir.BudgetError):
        dsir.select(parquet, target, preprocessing="paper", n=10**6, progress=False)


def test_bad_rows_are_named_by_their_document(tmp_path, target):
    texts = pa.array([b"a b c d e f g h", b"x \xff", b"i j k l m n o p"]).view(pa.string())
    path = tmp_path / "raw.parquet"
    pq.write_table(pa.table({"text": texts}), path)
    settings = {"n": 2, "chunk_tokens": 3, "min_tokens": 1, "progress": False}
    with pytest.raises(dsir.RowError, match=r"raw\.parquet: row 1: the text is not UTF-8"):
        dsir.select(path, target, **settings)
    selection = dsir.select(path, target, on_error="skip", **settings)
    assert [(entry.row, entry.reason) for entry in selection.skipped] == [
        (1, "the text is not UTF-8")
    ]
    rows = selection.metrics["rows"]
    assert (rows["documents"], rows["read"], rows["bad"]) == (3, 7, 1)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"chunk_tokens": 0}, "chunk_tokens=0"),
        ({"chunk_tokens": 2.5}, "chunk_tokens=2.5"),
        ({"chunk_tokens": 20, "chunk_stride": 21}, "chunk_stride=21"),
        ({"chunk_stride": 5}, "chunk_stride=5: is for windows; give chunk_tokens"),
        ({"chunk_tokens": 9}, "no window has min_tokens=10 tokens"),
        ({"filters": "min_word=3"}, "'min_word=3' is not a filter"),
        ({"filters": {"max_length": 3}}, "'max_length' is not a filter"),
        ({"filters": 3}, "filters=3"),
        ({"preprocessing": "usual"}, "preprocessing='usual'"),
    ],
)
def test_wrong_calls(world, keywords, message):
    with pytest.raises(dsir.SettingError, match=re.escape(message)):
        dsir.select(world.texts, world.target, n=1, **{**QUIET, **keywords})


@pytest.mark.parametrize("name", ["source_row", "chunk_start", "chunk_stop"])
def test_a_column_of_an_added_name(world, target, name):
    table = world.table().append_column(name, pa.array(np.arange(600)))
    with pytest.raises(dsir.OutputError, match=f"already has a column {name!r}"):
        dsir.select(table, target, n=9, **CHUNKS)
    assert len(dsir.select(table, target, n=9, length="mean", **QUIET)) == 9


def test_the_words_of_the_command_line(invoke_dsir, parquet, target, tmp_path):
    options = ["--chunk-tokens", 25, "--filters", "max_repeated=0.3", "--min-tokens", 10]
    done = invoke_dsir(
        "select", *parquet, "-t", target, "-n", 50, *options, "-o", "out", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"documents read +600 +3 shards\s+windows of them +[\d,]+ ", done.stdout)
    assert re.search(r"filtered: max_repeated +\d+", done.stdout)
    done = invoke_dsir(
        "select", *parquet, "-t", target, "-n", 5, "--chunk-stride", 3, "-o", "x", cwd=tmp_path
    )
    assert done.returncode == 2
    assert "--chunk-stride 3: is for windows; give --chunk-tokens" in done.stderr
