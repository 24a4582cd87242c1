"""Selections in memory have the pages and explanations that selections in folders have."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.corpus.batches import table_bytes
from dsir.corpus.memory import MemoryShard
from dsir.report import held, pieces
from dsir.report.folder import open_selection
from dsir.report.gather import SelectionGathering
from dsir.report.in_memory import in_memory
from dsir.report.write import MOST_BYTES

pytestmark = pytest.mark.filterwarnings("ignore:effective sample size")

GIVEN = {"n": 60, "min_tokens": 20, "progress": False}
COVERAGE = {"method": "coverage", "features": dsir.HashedNgrams(buckets=4096)}


def facts_of(selection, **given):
    if selection.paths:
        opened = open_selection(selection.paths[0].parent.parent)
        return SelectionGathering(opened, quick=False, **given).facts()
    with in_memory(selection._held, selection.model, selection.table) as opened:
        return SelectionGathering(opened, quick=False, **given).facts()


def shown(facts):
    """What the page shows, besides names of inputs."""
    return {
        "weights": _plain(facts.weights),
        "lengths": _plain(facts.lengths),
        "shares": [one for one in facts.shares if one.column != "input file"],
        "closeness": facts.closeness,
        "coverage": facts.coverage,
        "for and against": (facts.lifting, facts.lowering, facts.lowering_of, facts.explained),
        "samples": [one._replace(where="") for one in facts.samples],
        "read": (facts.raw_read, facts.selected_read),
        "metrics": facts.metrics,
        "unknown": facts.unknown,
    }


def _plain(histogram):
    named = {
        name: (one.tolist(), histogram.medians[name]) for name, one in histogram.shares.items()
    }
    return histogram.edges.tolist(), named, dict(histogram.documents), histogram.beyond


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"dedup": "exact", "max_per": {"domain": 25}},
        {"chunk_tokens": 16, "min_tokens": 5},
        {"method": "random"},
        {**COVERAGE, "n": 30},
        {"decontaminate": dsir.texts(["ship sail sea"]), "decontaminate_ngram": 2},
    ],
    ids=lambda given: "-".join(given) or "plain",
)
def test_a_table_in_memory_is_shown_as_its_file_is(given, world, tmp_path):
    asked = {**GIVEN, **given}
    path = tmp_path / "raw.parquet"
    pq.write_table(world.table(), path)
    target = pa.table({"text": world.target})
    pq.write_table(target, tmp_path / "target.parquet")
    here = dsir.select(world.table(), target, **asked)
    there = dsir.select(path, tmp_path / "target.parquet", out=tmp_path / "out", **asked)
    assert here.rows.tolist() == there.rows.tolist()
    assert shown(facts_of(here)) == shown(facts_of(there))
    for row in (0, len(here) - 1):
        assert here.explain(row) == there.explain(row)


@pytest.mark.parametrize(
    "given",
    [{}, {"chunk_tokens": 16, "min_tokens": 5}, {"targets": "separate", "min_tokens": 1}],
    ids=["plain", "windows", "targets"],
)
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_rows_in_memory_of_files_are_shown_as_a_folder_is(kind, given, request, target, tmp_path):
    files = request.getfixturevalue(kind)
    wanted = {"a": target, "b": target} if "targets" in given else target
    here = dsir.select(files, wanted, **{**GIVEN, **given})
    there = dsir.select(files, wanted, out=tmp_path / "out", **{**GIVEN, **given})
    ours, theirs = facts_of(here), facts_of(there)
    assert shown(ours) == shown(theirs)
    assert [one.where for one in ours.samples] == [one.where for one in theirs.samples]
    assert [one for one in ours.shares if one.column == "input file"]
    assert here.explain(3) == there.explain(3)


def test_texts_that_are_gone_are_on_the_page(world, tmp_path, read_page):
    selection = dsir.select(
        (text or "" for text in world.texts), (text for text in world.target), **GIVEN
    )
    path = selection.report(tmp_path / "r.html")
    html = path.read_text(encoding="utf-8")
    assert html == pickle.loads(pickle.dumps(selection)).report(path).read_text(encoding="utf-8")
    page = read_page(path)
    assert html.count('class="sample"') == 20
    said = page.text("main")
    assert "Near misses" in said
    for missing in ("is not shown", "are not shown", "_dsir", "dsir verify"):
        assert missing not in said
    assert "no command names them" in said
    quick = read_page(selection.report(tmp_path / "q.html", quick=True))
    assert "without reading inputs" in quick.text("main")


def test_a_frame_is_shown_with_its_columns(world):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"text": world.texts, "domain": world.domains})
    facts = facts_of(dsir.select(frame, world.target, **GIVEN))
    assert [one.column for one in facts.shares] == ["domain"]
    assert facts.raw_read == 600


def test_a_column_of_another_name_and_a_model_in_place_of_a_target(world, tmp_path):
    table = world.table().rename_columns(
        [{"text": "body"}.get(name, name) for name in world.table().column_names]
    )
    model = dsir.fit(world.table(), world.target, progress=False)
    selection = dsir.select(table, model=model, text="body", **GIVEN)
    facts = facts_of(selection)
    assert facts.unknown["target"] == "the selection was made with a fitted model"
    assert len(facts.samples) == 20
    assert selection.explain(0) == model.explain(selection.table["body"][0].as_py())


def test_tables_and_files_together(world, tmp_path):
    path = tmp_path / "raw.parquet"
    pq.write_table(world.table(), path)
    selection = dsir.select([world.table().slice(0, 300), path], world.target, **GIVEN)
    facts = facts_of(selection)
    assert facts.raw_read == 900
    [files] = [one for one in facts.shares if one.column == "input file"]
    assert len(files.values) == 2
    path.unlink()
    facts = facts_of(selection)
    assert facts.raw_read == 0
    assert "raw.parquet" in facts.unknown["raw"]


def test_large_tables_are_kept_in_part(world, tmp_path, monkeypatch, read_page):
    monkeypatch.setattr(held, "RAW_BYTES", 400_000)
    monkeypatch.setattr(held, "TARGET_BYTES", 10_000)
    table = pa.concat_tables([world.table()] * 12)
    large = dsir.select(table, world.target, **{**GIVEN, "n": 900, "method": "random"})
    assert sum(piece.shard.size for piece in large._held.inputs.raw) <= 400_000
    assert len(pickle.dumps(large._held)) < 600_000
    assert len(large._held.inputs.raw) == 64
    facts = facts_of(large)
    assert 300 < facts.raw_read < 6000
    [domain] = [one for one in facts.shares if one.column == "domain"]
    for one in domain.values:  # The rows are spread, so an estimate is near.
        assert one.raw == pytest.approx(1 / 3, abs=0.1)
    assert "Estimated from" in domain.note
    page = read_page(large.report(tmp_path / "r.html"))
    assert f"Raw is estimated from {facts.raw_read:,} of 7,200 rows" in page.text("main")
    chosen = {*large.rows.tolist()}
    for one in facts.samples:  # Rows have their numbers in the whole table.
        row = int(one.where.rpartition(" ")[2].replace(",", ""))
        assert (row in chosen) == (one.group != "near miss")
        assert "".join(piece for piece, _ in one.text.pieces)[:20] in table["text"][row].as_py()


@pytest.mark.parametrize("kind", ["dictionary", "string_view"])
def test_one_value_that_many_rows_share_is_not_copied_for_each(kind, world):
    values = pa.array(["sail ship " * 20_000, *world.texts])
    rows = np.zeros(3000, dtype=np.int64)
    rows[::5] = np.arange(1, 601)
    if kind == "dictionary":
        column = pa.DictionaryArray.from_arrays(pa.array(rows, pa.int32()), values)
    else:
        column = values.cast(pa.string_view())
        views = np.frombuffer(column.buffers()[1], dtype="V16")[rows]
        buffers = [None, pa.py_buffer(views.tobytes()), *column.buffers()[2:]]
        column = pa.Array.from_buffers(pa.string_view(), len(rows), buffers)
    table = pa.table({"text": column})
    shard = MemoryShard("raw", table_bytes(table), "text", table)
    assert shard.between(0, 5).copied(10_000) is None
    copy = shard.between(0, 5).copied(10**6)
    assert copy.table["text"].to_pylist() == table["text"].slice(0, 5).to_pylist()
    assert copy.table.get_total_buffer_size() < 900_000


@pytest.mark.parametrize("kind", ["string", "string_view", "dictionary"])
def test_what_is_kept_does_not_hold_the_whole_table(kind, world, monkeypatch):
    monkeypatch.setattr(held, "RAW_BYTES", 100_000)
    texts = pa.array(world.texts * 4)
    column = texts.dictionary_encode() if kind == "dictionary" else texts.cast(getattr(pa, kind)())
    table = pa.table({"text": column, "list": [["a", "b"]] * len(texts)})
    selection = dsir.select(table, world.target, **GIVEN)
    pieces = selection._held.inputs.raw
    assert len(pieces) > (30 if kind == "dictionary" else 60)  # Long runs are left out.
    assert sum(piece.shard.table.get_total_buffer_size() for piece in pieces) < 400_000
    for piece in pieces:
        rows = piece.shard.table["text"].to_pylist()
        assert rows == table["text"].slice(piece.first_row, len(rows)).to_pylist()


def test_a_large_selection_is_measured_in_part(world, monkeypatch):
    monkeypatch.setattr("dsir.report.gather.SELECTED_BYTES", 100_000)
    monkeypatch.setattr(pieces, "_LEAST_BYTES", 4 << 10)
    table = pa.concat_tables([world.table()] * 12)
    facts = facts_of(dsir.select(table, world.target, **{**GIVEN, "n": 3000, "method": "random"}))
    assert 64 <= facts.selected_read < 1500
    assert "counted on" in facts.unknown["coverage"]


def test_one_text_that_is_larger_than_all_that_is_kept(world, monkeypatch):
    monkeypatch.setattr(held, "RAW_BYTES", 1000)
    selection = dsir.select(["sail " * 9000, *world.texts], world.target, **GIVEN)
    assert sum(piece.shard.size for piece in selection._held.inputs.raw) <= 1000
    facts_of(selection)


def test_hostile_texts_stay_texts(tmp_path, read_page):
    attacks = [
        "<script>document.title = 'taken'</script> ship sail sea",
        "</p></main><style>*{display:none}</style><img src=x onerror=alert(1)> ship",
        "\u202eevil\u202c \u2066isolate\u2069 null \x00 bell \x07 escape \x1b[31m ship",
        "word" * 300_000,
    ]
    table = pa.table(
        {
            "text": [*attacks * 3, *["court judge law"] * 40],
            "source": [*(one[:200] for one in attacks * 3), *["<b>law</b>"] * 40],
        }
    )
    selection = dsir.select(table, attacks[:3] * 9, n=9, min_tokens=1, progress=False)
    page = read_page(selection.report(tmp_path / "r.html"))
    html = page.html
    assert len(html.encode()) < MOST_BYTES
    assert page.unbalanced == []
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert not {"img", "b"} & {name for name, _ in page.elements}
    assert "document.title = 'taken'" in page.text("main")
    assert not {"\u202e", "\u2066", "\0", "\x1b"} & {*html}


def test_token_numbers_have_no_texts_to_show(tmp_path, read_page):
    rng = np.random.default_rng(0)
    raw = pa.table({"ids": [rng.integers(0, 99, 30).tolist() for _ in range(90)]})
    ids = {"text": "ids", "text_encoding": "token-ids"}
    ids["features"] = dsir.HashedNgrams(tokenizer="ids")
    selection = dsir.select(raw, raw.slice(0, 9), n=9, min_tokens=1, progress=False, **ids)
    said = read_page(selection.report(tmp_path / "r.html")).text("main")
    assert "token numbers, not texts" in said


def test_what_is_wrong_is_said_before_the_work(world, tmp_path):
    selection = dsir.select(world.table(), world.target, **GIVEN)
    with pytest.raises(dsir.SettingError, match=r'report\("report\.html"\)'):
        selection.report()
    with pytest.raises(dsir.OutputError, match="folder"):
        selection.report(tmp_path)
    with pytest.raises(dsir.SettingError, match="has 60 rows, from 0"):
        selection.explain(60)
    with pytest.raises(dsir.SettingError, match="row="):
        selection.explain(-1)
    for odd in (5, b"r.html", ["r.html"], "r\0.html"):
        with pytest.raises(dsir.SettingError, match="expected a path or URL"):
            selection.report(odd)
    with pytest.raises(dsir.SettingError, match="quick='yes': expected True or False"):
        selection.report(tmp_path / "r.html", quick="yes")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("odd", [5, None, b"x", ["x"], "a\0b"], ids=repr)
def test_what_names_no_place_is_refused(odd, world):
    selection = dsir.select(world.table(), world.target, **GIVEN)
    for call in (dsir.load_model, selection.model.save):
        with pytest.raises(dsir.SettingError, match="expected a path or URL"):
            call(odd)


def test_lines_keep_their_fields(tmp_path, world):
    raw = tmp_path / "raw.jsonl"
    raw.write_text(
        "".join(
            json.dumps({"doc": {"body": text}, "source": f"s{number % 2}"}) + "\n"
            for number, text in enumerate(world.texts)
        )
    )
    selection = dsir.select(raw, world.target, text="doc.body", target_text="text", **GIVEN)
    facts = facts_of(selection)
    assert [one.column for one in facts.shares] == ["source"]
    assert len(facts.samples) == 20
