"""Pages of rankings, summaries and kept instances."""

from __future__ import annotations

import json
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.report.instances import instances_facts
from dsir.report.ranking import ranking_facts


@pytest.mark.parametrize("kind", ["parquet", "arrow", "jsonl"])
def test_a_ranking_shows_scores_and_texts(kind, small_world, invoke_dsir, page_of, tmp_path):
    texts = [text or "" for text in small_world.texts]
    raw, out = tmp_path / f"raw.{kind}", tmp_path / "ranked"
    table = pa.table({"text": texts})
    if kind == "parquet":
        pq.write_table(table, raw)
    elif kind == "arrow":
        with pa.ipc.new_file(raw, table.schema) as writer:
            writer.write_table(table)
    else:
        raw.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    done = invoke_dsir("lexrank", raw, "-o", out, "--score-column", "centrality", "-q")
    assert done.returncode == 0, done.stderr
    expected = dsir.graph.lexrank(dsir.texts(texts), threshold=None) * len(texts)
    facts = ranking_facts(out)
    assert facts.scores.medians["rows"] == pytest.approx(np.median(expected))
    best = [one for one in facts.texts if one.group == "highest"]
    assert [one.score for one in best] == pytest.approx(sorted(expected, reverse=True)[:6])
    assert best[0].text == texts[int(np.argmax(expected))]
    page = page_of(out)
    assert page.unbalanced == []
    assert "Most central" in page.text()
    assert best[0].text[:40] in page.text()


def test_summaries_are_shown_by_group(invoke_dsir, page_of, tmp_path):
    rows = [
        {"text": f"The <b>{word}</b> is far. The {word} is near. All is {word}.", "topic": word}
        for word in ("ship", "court", "oven")
        for _ in range(3)
    ]
    raw, out = tmp_path / "raw.jsonl", tmp_path / "summaries"
    raw.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = invoke_dsir("lexrank", raw, "-o", out, "--group-by", "topic", "--summary", 2, "-q")
    assert done.returncode == 0, done.stderr
    facts = ranking_facts(out)
    assert set(facts.summaries) == {"ship", "court", "oven"}
    page = page_of(out)
    assert page.unbalanced == []
    assert len(page.all("b")) == 0
    assert page.text("ol").count("rank 0") == 3


def test_kept_instances_show_classes_and_accuracies(invoke_dsir, page_of, tmp_path):
    draw = random.Random(0)
    label = [draw.choice("ab") for _ in range(200)]
    near = [draw.gauss(ord(one), 0.3) for one in label]
    pq.write_table(pa.table({"x": near, "class": label}), tmp_path / "raw.parquet")
    out = tmp_path / "kept"
    words = ("--label", "class", "--keep", "10%", "-o", out, "--report", "-q")
    done = invoke_dsir("gais", tmp_path / "raw.parquet", *words)
    assert done.returncode == 0, done.stderr
    facts = instances_facts(out)
    kept = pq.read_table(out / "data")["class"].to_pylist()
    assert {one.value: one.selected for one in facts.classes.values} == {
        name: kept.count(name) / len(kept) for name in ("a", "b")
    }
    page = page_of(out)
    assert page.unbalanced == []
    assert "random rows" in page.text()
    assert f"{len(kept):,} of 200 labelled rows were kept" in page.text()


@pytest.mark.parametrize(
    "change", [lambda d: d.pop("outputs"), lambda d: d.update(outputs=["../x"])]
)
def test_a_description_that_was_changed_is_refused(change, invoke_dsir, page_of, tmp_path):
    raw, out = tmp_path / "raw.jsonl", tmp_path / "ranked"
    raw.write_text('{"text": "ship and sail"}\n{"text": "sail and sea"}\n')
    assert invoke_dsir("lexrank", raw, "-o", out, "-q").returncode == 0
    path = out / "_dsir/ranking.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(dsir.OutputError, match="does not describe a run"):
        page_of(out)


def test_a_ranking_has_no_card_and_is_left_as_it_is(invoke_dsir, tmp_path):
    raw, out = tmp_path / "raw.jsonl", tmp_path / "ranked"
    raw.write_text('{"text": "ship and sail"}\n{"text": "sail and sea"}\n')
    assert invoke_dsir("lexrank", raw, "-o", out, "-q").returncode == 0
    done = invoke_dsir("report", out, "--card")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no selection" in done.stderr
    assert not (out / "_dsir/report.html").exists()
