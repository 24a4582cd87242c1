"""dsir lexrank on files that cannot be read as a whole."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ranked_files import names_in, scores_in, table_of

from dsir.graph import lexrank, summarize
from dsir.output.folder import DATASET_NOTE


@pytest.fixture
def damaged(world, tmp_path):
    """Five files: a good one, bad lines, a text and a key that are not UTF-8, one cut off."""
    folder = tmp_path / "damaged"
    folder.mkdir()
    rows = [row for row in world.rows[:90] if row["text"]]
    parts = [rows[0:20], rows[20:40], rows[40:60], rows[60:80]]
    pq.write_table(table_of(parts[0]), folder / "a.parquet")
    lines = [json.dumps(row).encode() for row in parts[1]]
    lines[3] = b'{"text": 5, "domain": "x"}'
    lines[7] = b'{"text": "cut'
    (folder / "b.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    for number, column in ((2, "text"), (3, "domain")):
        values = [row[column].encode() for row in parts[number]]
        values[5] = b"a \xff b"
        texts = pa.array(values, pa.binary())
        bad = pa.Array.from_buffers(pa.string(), len(texts), texts.buffers())
        table = table_of(parts[number]).set_column(
            table_of(parts[number]).column_names.index(column), column, bad
        )
        with pa.ipc.new_file(str(folder / f"{'abcd'[number]}.arrow"), table.schema) as writer:
            writer.write_table(table)
    (folder / "e.parquet").write_bytes((folder / "a.parquet").read_bytes()[:-400])
    texts = [row["text"] for part in parts for row in part]
    groups = [row["domain"] for part in parts for row in part]
    for row in (23, 27, 45):
        texts[row] = None
    return folder, texts, groups


@pytest.mark.parametrize("group_by", [False, True])
def test_what_cannot_be_read_is_listed(damaged, tmp_path, invoke_dsir, group_by):
    folder, texts, groups = damaged
    bad = [23, 27, 45]
    if group_by:
        texts[65], bad = None, [*bad, 65]
    arguments = ["--group-by", "domain", "--idf", "group"] if group_by else []
    out = tmp_path / "out"
    done = invoke_dsir("lexrank", folder, "--out", out, "--on-error", "skip", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [(entry["path"].rpartition("/")[2], entry["row"]) for entry in said["skipped"]] == [
        ("b.jsonl", 3),
        ("b.jsonl", 7),
        ("c.arrow", 5),
        *([("d.arrow", 5)] if group_by else []),
        ("e.parquet", None),
    ]
    assert all(entry["reason"] for entry in said["skipped"])
    accounts = json.loads((out / "_dsir/ranking.json").read_text())
    assert accounts["accounts"]["bad"] == len(bad)
    assert accounts["skipped"] == said["skipped"]
    assert (said["rows"], said["written"]) == (80, 80 - len(bad))
    readable = {key for row, key in enumerate(groups) if row not in bad}
    assert said["groups"] == (len(readable) if group_by else 1)
    expected = np.zeros(80)
    keys = np.array(groups if group_by else [""] * 80, dtype=object)
    if group_by:
        keys[bad] = None
    for key in set(keys.tolist()):
        members = np.flatnonzero(keys == key)
        expected[members] = lexrank([texts[row] for row in members], None)
    kept = [row for row in range(80) if row not in bad]
    np.testing.assert_array_equal([score for _, score in scores_in(out)], expected[kept])


@pytest.mark.parametrize(
    "arguments", [[], ["--idf", "group"], ["--top", 1], ["--summary", 1, "--show"]]
)
@pytest.mark.parametrize("keyless", [False, True])
def test_what_cannot_be_read_is_no_group(tmp_path, invoke_dsir, arguments, keyless):
    lines = [b"text,topic", b"\xff\xfe,sea", b"A ship sails.,sea", b"\xff,land", b"A ship.,sea"]
    lines += [b"A judge ruled.,law", *([b"Nobody knows.,"] if keyless else [])]
    (tmp_path / "raw.csv").write_bytes(b"\n".join(lines) + b"\n")
    out = tmp_path / "out"
    options = ["--group-by", "topic", "--on-error", "skip", "--json", *arguments]
    done = invoke_dsir("lexrank", tmp_path / "raw.csv", "--out", out, *options)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    accounts = json.loads((out / "_dsir/ranking.json").read_text())["accounts"]
    assert said["groups"] == accounts["groups"] == 2 + keyless
    assert (said["rows"], accounts["bad"]) == (5 + keyless, 2)
    if "--show" in arguments:
        shown = [one["group"] for one in said["summaries"]]
        assert shown == ["sea", "law", *([None] if keyless else [])]


@pytest.mark.parametrize("split", [False, True])
def test_a_summary_passes_over_what_cannot_be_read(damaged, tmp_path, invoke_dsir, split):
    folder, texts, _ = damaged
    out = tmp_path / "out"
    arguments = ["--summary", 4, "--on-error", "skip"] + ([] if split else ["--no-split"])
    done = invoke_dsir("lexrank", folder, "--out", out, *arguments)
    assert done.returncode == 0, done.stderr
    assert "skipped: 3 rows, 1 file;" in done.stdout
    summary = summarize(texts, sentences=4, split=split)
    table = pq.read_table(out / "data/summaries.parquet").to_pydict()
    assert table["sentence"] == summary.sentences
    assert table["row"] == summary.documents.tolist()
    assert table["score"] == summary.scores.tolist()
    # Nothing that was put aside stays.
    assert names_in(out) == {"_dsir/ranking.json", "data/summaries.parquet", DATASET_NOTE}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("b.jsonl", "row 3 (line 4)"),
        ("c.arrow", "row 5: the text is not UTF-8"),
        ("e.parquet", "e.parquet: "),
    ],
)
@pytest.mark.parametrize("arguments", [[], ["--summary", 2], ["--group-by", "domain"]])
def test_what_cannot_be_read_is_an_error(damaged, tmp_path, invoke_dsir, name, message, arguments):
    out = tmp_path / "out"
    done = invoke_dsir("lexrank", damaged[0] / name, "--out", out, "--quiet", *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert names_in(out) == set()


def test_nothing_readable(damaged, tmp_path, invoke_dsir):
    path, out = damaged[0] / "e.parquet", tmp_path / "out"
    done = invoke_dsir("lexrank", path, "--out", out, "--on-error", "skip", "--quiet")
    assert done.returncode == 1
    assert "no file can be read" in done.stderr
