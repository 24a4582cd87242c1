"""Pages of every kind of selection, and of folders whose inputs are gone."""

from __future__ import annotations

import gzip
import json
import re
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.report import gather, pieces, source
from dsir.report.gather import selection_facts
from dsir.report.write import write_report


@pytest.mark.parametrize(
    "given",
    [
        {"chunk_tokens": 20, "chunk_stride": 10},
        {"targets": "separate", "named": True},
        {"targets": "mixture", "named": True},
        {"method": "coverage"},
        {"combine": {"dsir": 1, "lexrank": 0.5}},
        {"filters": {"min_words": 40}, "max_per": {"domain": 0.9}},
        {"features": dsir.HashedNgrams(tokenizer="word_tokenize", normalize="NFC")},
        {"method": "top-k", "length": "poisson", "shard_size": 9000},
    ],
    ids=[
        "windows",
        "separate",
        "mixture",
        "coverage",
        "combine",
        "filters",
        "word_tokenize",
        "parts",
    ],
)
def test_every_kind_of_selection_has_a_page(given, select_to, page_of, target, tmp_path):
    given = dict(given)
    if given.pop("named", False):
        given["target"] = {"<b>": target, "b": target}
    folder = select_to(tmp_path / "out", **given)
    page = page_of(folder)
    assert page.unbalanced == []
    assert page.html.count('class="sample"') == 20
    assert not re.search("not shown|[Nn]ot measured|unknown", page.text())
    for asked in given.keys() & {"combine", "filters"}:
        shown = {"combine": "Combined by", "filters": "Filters"}[asked]
        for name in given[asked]:
            assert f"{name} " in page.text("dl").partition(shown)[2]


def test_lines_and_labels(select_to, page_of, jsonl, tmp_path):
    folder = select_to(tmp_path / "lines", raw=jsonl)
    facts = selection_facts(folder)
    assert {one.column for one in facts.shares} == {"input file", "domain"}
    assert all(one.raw is not None for shares in facts.shares for one in shares.values)
    assert len(facts.samples) == 20
    assert page_of(folder).unbalanced == []


def test_a_selection_with_a_fitted_model_knows_no_target(select_to, parquet, target, tmp_path):
    model = dsir.fit(parquet, target, progress=False)
    facts = selection_facts(select_to(tmp_path / "out", target=None, model=model))
    assert "fitted model" in facts.unknown["target"]
    assert set(facts.weights.shares) == {"raw", "selected"}


def test_rows_of_token_numbers_are_not_shown(select_to, page_of, world, tmp_path):
    for name, texts in (("raw", world.texts), ("target", world.target)):
        ids = [[len(word) for word in (text or "").split()] for text in texts]
        pq.write_table(pa.table({"text": pa.array(ids)}), tmp_path / f"{name}.parquet")
    folder = select_to(
        tmp_path / "out",
        raw=tmp_path / "raw.parquet",
        target=tmp_path / "target.parquet",
        text_encoding="token-ids",
        features=dsir.HashedNgrams(tokenizer="ids"),
    )
    assert "token numbers, not texts" in page_of(folder).text()


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_inputs_that_are_not_as_they_were_are_said_to_be(how, world, select_to, page_of, tmp_path):
    raw = world.write_parquet(tmp_path / "raw")
    folder = select_to(tmp_path / "out", raw=raw)
    if how == "gone":
        raw[1].unlink()
    else:
        pq.write_table(world.table().slice(0, 9), raw[1])
    page = page_of(folder)
    assert "Raw is not shown" in page.text()
    assert raw[1].name in page.text("main")
    assert page.html.count('class="sample"') == 15
    assert "Near misses are not shown" in page.text()


def test_quick_reads_no_input(selected, page_of, monkeypatch):
    monkeypatch.setattr(source, "Found", None)  # Looking for inputs would fail.
    monkeypatch.setattr(source, "found_targets", None)
    assert "without reading inputs" in page_of(selected, quick=True).text()


def test_a_corpus_above_the_budget_is_sampled_and_the_page_says_so(
    select_to, page_of, world, tmp_path, monkeypatch
):
    raw = tmp_path / "raw.parquet"
    pq.write_table(pa.concat_tables([world.table()] * 12), raw, row_group_size=50)
    folder = select_to(tmp_path / "out", raw=raw, n=1500, method="random", seed=3)
    monkeypatch.setattr(pieces, "_LEAST_BYTES", 4 << 10)
    monkeypatch.setattr(gather, "RAW_BYTES", 200_000)
    monkeypatch.setattr(gather, "SELECTED_BYTES", 100_000)
    facts = selection_facts(folder)
    assert 0 < facts.raw_read < 4000
    assert 0 < facts.selected_read < 1500
    [domain] = [one for one in facts.shares if one.column == "domain"]
    for one in domain.values:  # The places are spread, so an estimate is near.
        assert one.raw == pytest.approx(1 / 3, abs=0.15)
    assert "Estimated from" in domain.note
    # Rows are found by their place in the file: no selected row is a near miss.
    chosen = {f"raw.parquet, row {row:,}" for row in dsir.load(folder).rows}
    near = [one.where for one in facts.samples if one.group == "near miss"]
    assert len(near) == 5
    assert not chosen & {*near}
    assert "estimated from" in page_of(folder).text()


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "parquet"])
def test_a_file_that_cannot_be_entered_is_read_up_to_the_budget(
    suffix, select_to, world, tmp_path, monkeypatch
):
    raw = tmp_path / f"raw.{suffix}"
    texts = [text or "" for text in world.texts] * 40
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    if suffix == "parquet":
        pq.write_table(pa.table({"text": texts}), raw)  # One row group.
    else:
        raw.write_bytes(gzip.compress(lines, 1) if suffix.endswith("gz") else lines)
    folder = select_to(tmp_path / "out", raw=raw)
    monkeypatch.setattr(pieces, "_LEAST_BYTES", 4 << 10)
    monkeypatch.setattr(gather, "RAW_BYTES", sum(map(len, texts)) // 4)
    assert selection_facts(folder).raw_read == pytest.approx(len(texts) / 4, rel=0.4)


def test_more_values_than_fit_are_added_up(select_to, tmp_path, world):
    rows = [
        {"text": text, "host": f"h{number % 40}.org"} for number, text in enumerate(world.texts)
    ]
    raw = tmp_path / "raw.jsonl"
    raw.write_text("".join(json.dumps(row) + "\n" for row in rows))
    [shares] = selection_facts(select_to(tmp_path / "out", raw=raw)).shares
    assert shares.values[-1].is_rest
    assert shares.values[-1].value == f"{40 - len(shares.values) + 1} others"
    assert sum(one.selected for one in shares.values) == pytest.approx(1)
    assert sum(one.raw for one in shares.values) == pytest.approx(1)


@pytest.mark.parametrize("page", ["page/", "page/" * 60])
def test_urls_count_by_host(page, select_to, tmp_path, world):
    rows = [
        {"text": text, "url": f"https://h{number % 2}.org/{page}{number}"}
        for number, text in enumerate(world.texts)
    ]
    raw = tmp_path / "raw.jsonl"
    raw.write_text("".join(json.dumps(row) + "\n" for row in rows))
    [shares] = selection_facts(select_to(tmp_path / "out", raw=raw)).shares
    assert {one.value for one in shares.values} == {"h0.org", "h1.org"}


def test_a_page_is_written_into_the_folder_and_belongs_to_it(select_to, invoke_dsir, tmp_path):
    folder = select_to(tmp_path / "out")
    written = dsir.load(folder).report()
    assert written == folder / "_dsir/report.html"
    assert dsir.verify(folder, quick=True, progress=False).stands
    assert not dsir.verify(folder, quick=True, progress=False).notes
    before = written.read_bytes()
    done = invoke_dsir("report", folder, "-o", tmp_path / "out.html")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'out.html'}\n"), done.stderr
    assert (tmp_path / "out.html").read_bytes() == before
    select_to(folder, overwrite=True, n=9)  # A page of another selection would mislead.
    assert not written.exists()


def test_what_has_no_page(tmp_path, select_to, invoke_dsir):
    done = invoke_dsir("report", tmp_path / "nowhere")
    assert (done.returncode, "no such folder" in done.stderr) == (1, True)
    folder = select_to(tmp_path / "out")
    done = invoke_dsir("report", folder, "--out", folder)
    assert done.returncode == 1
    assert f"{folder}: cannot be written" in done.stderr
    shutil.rmtree(folder / "data")
    with pytest.raises(dsir.OutputError, match="part-00000"):
        dsir.load(folder).report(tmp_path / "page.html")


def test_what_cannot_be_read_of_raw_is_left_out_and_named(select_to, world, tmp_path):
    raw = world.write_parquet(tmp_path / "raw", parts=2)
    data = bytearray(raw[1].read_bytes())
    groups = pq.read_metadata(raw[1])
    texts = groups.row_group(groups.num_row_groups - 1).column(1)
    header = texts.data_page_offset
    data[header : header + 20] = b"\xff" * 20
    raw[1].write_bytes(data)
    folder = select_to(tmp_path / "out", raw=raw, on_error="skip", n=20)
    facts = selection_facts(folder)
    assert 0 < facts.raw_read < 600
    assert raw[1].name in facts.unknown["raw files"]
    assert len([one for one in facts.samples if one.group == "near miss"]) == 5


@pytest.mark.parametrize("given", [{}, {"chunk_tokens": 30}], ids=["documents", "windows"])
def test_a_field_that_the_first_line_lacks_is_counted(given, select_to, tmp_path, world):
    """And one of whole numbers, as in a table; and none that no line has."""
    topics = [
        {"topic": number % 2, "meta": {"lang": "en"}} if number else {} for number in range(600)
    ]
    texts = [text or "" for text in world.texts]
    lines = [json.dumps({"text": t, **one}) for t, one in zip(texts, topics, strict=True)]
    raw = [tmp_path / "raw.jsonl", tmp_path / "without.jsonl"]
    raw[0].write_text("\n".join(lines))
    raw[1].write_text("\n".join(json.dumps({"text": text}) for text in texts[:200]))
    facts = selection_facts(select_to(tmp_path / "out", raw=raw, **given))
    counted = {one.column: one for one in facts.shares if one.column != "input file"}
    assert set(counted) == {"topic", "meta.lang"}
    [lang] = [one for one in counted["meta.lang"].values if one.value == "en"]
    assert lang.raw == pytest.approx(599 / 800, abs=0 if not given else 0.05)
    assert lang.selected > 0.5
    assert "raw files" not in facts.unknown


@pytest.mark.parametrize("whole", [True, False])
def test_a_near_miss_that_is_a_duplicate_is_said_to_be_one(
    whole, select_to, tmp_path, world, monkeypatch
):
    raw = tmp_path / "raw.jsonl"
    lines = "".join(json.dumps({"text": text}) + "\n" for text in world.texts)
    raw.write_text(lines * 3)
    if not whole:
        monkeypatch.setattr(gather, "RAW_BYTES", len(lines) // 2)
    folder = select_to(tmp_path / "out", raw=raw, dedup="exact", method="top-k")
    near = [one for one in selection_facts(folder).samples if one.group == "near miss"]
    assert len(near) == 5
    reasons = {one.reason for one in near if one.reason != "too short"}
    assert reasons == ({"duplicate"} if whole else {"not drawn, or a duplicate"})


def test_a_target_that_is_gone_leaves_what_is_known_of_the_others(
    select_to, page_of, target, tmp_path
):
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({"text": "court judge law statute"}) + "\n" * 2)
    folder = select_to(tmp_path / "out", target={"law": other, "sea": target}, n=20)
    other.unlink()
    facts = selection_facts(folder)
    assert set(facts.weights.shares) == {"raw", "selected", "target"}
    assert {one.target: bool(one.missing) for one in facts.coverage} == {"law": False, "sea": True}
    text = page_of(folder).text()
    assert "Some of the target's documents are not shown: " in text
    assert "The target is not shown" not in text


def test_where_no_page_can_be_is_said_before_anything_is_read(tmp_path):
    with pytest.raises(dsir.OutputError, match="is a folder, not a file"):
        write_report(tmp_path / "nowhere", tmp_path)
