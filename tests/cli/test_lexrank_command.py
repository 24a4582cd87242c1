import json
import re
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather
from ranked_files import names_in, scores_in, table_of

from dsir.graph import Idf, lexrank, summarize
from dsir.output.folder import DATASET_NOTE


@pytest.fixture
def shards(world, tmp_path):
    """The corpus as two Parquet shards, one of JSON Lines and one of Arrow."""
    first, second, third, fourth = world.cut(4)
    folder = tmp_path / "in"
    folder.mkdir()
    pq.write_table(table_of(first), folder / "a.parquet", row_group_size=11)
    pq.write_table(table_of(second), folder / "b.parquet")
    lines = [json.dumps(row).encode() + b"\n" for row in third]
    (folder / "c.jsonl").write_bytes(b"".join(lines))
    with pa.ipc.new_file(str(folder / "d.arrow"), table_of(fourth).schema) as writer:
        writer.write_table(table_of(fourth), max_chunksize=13)
    return folder


def expected_scores(world, group_by=False, **settings):
    scores = np.zeros(len(world.rows))
    if group_by:
        settings.setdefault("idf", Idf().fit(world.texts))
    groups = np.array([row["domain"] if group_by else "" for row in world.rows])
    for group in dict.fromkeys(groups.tolist()):
        members = np.flatnonzero(groups == group)
        scores[members] = lexrank([world.texts[row] for row in members], **settings)
    return scores, groups


@pytest.mark.parametrize("group_by", [False, True])
@pytest.mark.parametrize("threshold", [None, 0.3])
def test_scores_as_a_column(world, shards, tmp_path, invoke_dsir, group_by, threshold):
    out = tmp_path / "out"
    arguments = ["--group-by", "domain"] if group_by else []
    if threshold:
        arguments += ["--threshold", threshold]
    done = invoke_dsir("lexrank", shards, "--out", out, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["rows"], said["written"]) == (600, 600)
    assert said["groups"] == (3 if group_by else 1)
    scores, _ = expected_scores(world, group_by, threshold=threshold)
    found = scores_in(out)
    assert [row for row, _ in found] == [row["id"] for row in world.rows]
    np.testing.assert_array_equal([score for _, score in found], scores)
    ranking = json.loads((out / "_dsir/ranking.json").read_text())
    assert ranking["accounts"]["groups"] == said["groups"]
    assert ranking["settings"]["threshold"] == threshold
    assert names_in(out) == {
        *("data/part-00000.parquet", "data/part-00001.parquet", "data/part-00002.jsonl"),
        *(
            "data/part-00003.arrow",
            "_dsir/weights/part-00002.arrow",
            "_dsir/ranking.json",
            DATASET_NOTE,
        ),
    }


@pytest.mark.parametrize("top", ["10%", "7"])
def test_the_most_central_rows(world, shards, tmp_path, invoke_dsir, top):
    out = tmp_path / "out"
    done = invoke_dsir("lexrank", shards, "--out", out, "--group-by", "domain", "--top", top)
    assert done.returncode == 0, done.stderr
    scores, groups = expected_scores(world, True, threshold=None)
    expected = []
    for group in dict.fromkeys(groups.tolist()):
        members = np.flatnonzero(groups == group)
        eligible = int((scores[members] > 0).sum())
        count = -(-eligible // 10) if top == "10%" else 7
        expected += members[np.argsort(-scores[members], kind="stable")[:count]].tolist()
    assert [row for row, _ in scores_in(out)] == sorted(expected)


@pytest.mark.parametrize("group_by", [False, True])
def test_summaries(world, shards, tmp_path, invoke_dsir, group_by):
    out = tmp_path / "out"
    arguments = ["--group-by", "domain"] if group_by else []
    done = invoke_dsir(
        "lexrank", shards, "--out", out, "--summary", 3, "--redundancy", 0.9, *arguments
    )
    assert done.returncode == 0, done.stderr
    table = pq.read_table(out / "data/summaries.parquet").to_pylist()
    idf = Idf().fit(world.texts) if group_by else None
    _, groups = expected_scores(world, group_by)
    expected = []
    for group in dict.fromkeys(groups.tolist()):
        members = np.flatnonzero(groups == group)
        texts = [world.texts[row] for row in members]
        summary = summarize(texts, sentences=3, redundancy=0.9, idf=idf)
        for number, sentence in enumerate(summary):
            expected.append(
                {
                    "group": group or None,
                    "rank": int(summary.ranks[number]),
                    "sentence": sentence,
                    "score": float(summary.scores[number]),
                    "row": int(members[summary.documents[number]]),
                    "position": int(summary.positions[number]),
                }
            )
    assert table == expected


def test_threads_and_cuts_change_no_byte(world, shards, tmp_path, invoke_dsir, contents):
    made = []
    for threads in (1, 3):
        out = tmp_path / f"out-{threads}"
        arguments = ["--group-by", "domain", "--summary-words", 40, "--threads", threads]
        assert invoke_dsir("lexrank", shards, "--out", out, *arguments).returncode == 0
        made.append(contents(out))
    assert made[0] == made[1]


def test_many_small_groups_in_files(world, tmp_path, invoke_dsir, monkeypatch):
    from dsir.lexrank import groups

    monkeypatch.setattr(groups, "_BUCKET_BYTES", 1000)
    keys = [None if row["id"] % 50 == 3 else str(row["id"] % 37) for row in world.rows]
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": world.texts, "k": keys, "id": range(600)}), path)
    out = tmp_path / "out"
    done = invoke_dsir("lexrank", path, "--out", out, "--group-by", "k", "--json", "--idf", "group")
    assert json.loads(done.stdout)["groups"] == 38
    found = dict(scores_in(out))
    for key in set(keys):
        members = [row for row in range(600) if keys[row] == key]
        expected = lexrank([world.texts[row] for row in members], None)
        np.testing.assert_array_equal([found[row] for row in members], expected)
    assert names_in(out) == {"data/part-00000.parquet", "_dsir/ranking.json", DATASET_NOTE}


def test_idf_and_stop_words(world, shards, tmp_path, invoke_dsir):
    idf = Idf().fit(world.target)
    idf.save(tmp_path / "x.idf")
    out = tmp_path / "out"
    arguments = ["--idf", tmp_path / "x.idf", "--stopwords", "en", "--quiet"]
    done = invoke_dsir("lexrank", shards, "--out", out, *arguments)
    assert (done.returncode, done.stdout) == (0, "")
    expected = lexrank(world.texts, None, idf=idf, stopwords="en")
    np.testing.assert_array_equal([score for _, score in scores_in(out)], expected)


def test_overwrite(shards, tmp_path, invoke_dsir):
    out = tmp_path / "out"
    assert invoke_dsir("lexrank", shards, "--out", out, "--top", "5").returncode == 0
    done = invoke_dsir("lexrank", shards, "--out", out)
    assert done.returncode == 1
    assert "--overwrite" in done.stderr
    done = invoke_dsir("lexrank", shards, "--out", out, "--summary", 2, "--overwrite")
    assert done.returncode == 0, done.stderr
    assert names_in(out) == {"_dsir/ranking.json", "data/summaries.parquet", DATASET_NOTE}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--top", "0"], 2, "--top 0"),
        (["--top", "101%"], 2, "--top"),
        (["--top", "1%", "--summary", "2"], 2, "not both"),
        (["--summary", "2", "--summary-words", "9"], 2, "not both"),
        (["--summary-words", "0"], 2, "--summary-words 0"),
        (["--summary", "3", "--redundancy", "-1"], 2, "--redundancy"),
        (["--summary", "0"], 2, "--summary 0"),
        (["--threshold", "2"], 2, "--threshold 2"),
        (["--group-by", "nothing"], 1, "no column 'nothing'"),
        (["--group-by", "meta.x"], 1, "no column 'meta.x'"),
        (["--text", "nothing"], 1, "no column 'nothing'"),
        (["--idf", "/no/such/file"], 1, "cannot be read"),
        (["--stopwords", "xx"], 2, "--stopwords"),
        (["--on-error", "perhaps"], 2, "--on-error"),
        (["--score-column", "id"], 1, "already has a column 'id'"),
        (["--summary", "2", "--score-column", "central"], 2, "--score-column: is for rows"),
        (["--summary", "2", "--score-in-lines"], 2, "--score-in-lines: is for rows"),
        (["--summary", "2", "--graph", "g.graphml"], 2, "--graph: is for rows"),
        (["--graph", "g.graphml"], 2, "--threshold 0.1"),
        (["--graph", "g.txt", "--threshold", "0.1"], 2, "--graph g.txt: expected a file"),
        (["--graph", "s3://a/g.arrow", "--threshold", "0.1"], 2, "--graph s3://a/g.arrow"),
        (["--no-split"], 2, "--no-split: is for summaries"),
        (["--min-words", "3"], 2, "--min-words: is for summaries"),
        (["--summary", "2", "--query", "\udcff"], 2, "half a surrogate pair"),
    ],
)
def test_wrong_calls(shards, tmp_path, invoke_dsir, arguments, code, message):
    folder = tmp_path / "out"
    done = invoke_dsir("lexrank", shards / "a.parquet", "--out", folder, "--quiet", *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    left = tmp_path / "out"
    assert not left.exists() or not list(left.iterdir())


def test_a_group_field_that_no_line_has(shards, tmp_path, invoke_dsir):
    (path,) = shards.glob("*.jsonl")
    done = invoke_dsir("lexrank", path, "--out", tmp_path / "out", "-q", "--group-by", "nothing")
    assert done.returncode == 1
    assert "no line has a field 'nothing', which the quotas or --group-by name" in done.stderr


def test_help_says_where_skipped_rows_are_listed(invoke_dsir):
    words = re.sub(r"[│\s]+", " ", invoke_dsir("lexrank", "--help").stdout)
    assert "lists them in _dsir/ranking.json of the output" in words
    assert "rejects" not in words
    assert "Selection" not in words


@pytest.mark.parametrize(
    ("arguments", "stages"),
    [
        ([], ["count", "rank", "write"]),
        (["--summary", 2, "--on-error", "skip"], ["check", "split", "rank"]),
        (["--group-by", "domain"], ["idf", "groups", "sort", "rank", "write"]),
    ],
)
def test_progress(shards, tmp_path, invoke_dsir, arguments, stages):
    done = invoke_dsir("lexrank", shards, "--out", tmp_path / "out", *arguments)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    begun = [line.split()[1].rstrip(":") for line in lines if "done in" not in line]
    assert begun == stages
    assert sum("done in" in line for line in lines) == len(stages)


def test_scores_in_lines(tmp_path, invoke_dsir):
    path = tmp_path / "in.jsonl"
    rows = [{"text": "ship sail", "n": 1e400}, {"text": "sail mast oven"}, {"text": "mast  {ship}"}]
    lines = [json.dumps(row).replace("Infinity", "1e400") for row in rows]
    path.write_text("\n".join([lines[0], lines[1] + "  ", lines[2]]))
    out = tmp_path / "out"
    done = invoke_dsir(
        *["lexrank", path, "-o", out, "--score-in-lines", "--score-column", "rank", "--quiet"]
    )
    assert done.returncode == 0, done.stderr
    written = (out / "data/part-00000.jsonl").read_text().splitlines()
    scores = lexrank([row["text"] for row in rows], None)
    assert [json.loads(line)["rank"] for line in written] == scores.tolist()
    for line, before in zip(written, lines, strict=True):
        assert line.startswith(before.rstrip()[:-1])  # Every byte of the line stays.
    again = invoke_dsir(
        *["lexrank", out / "data/part-00000.jsonl", "-o", tmp_path / "o", "--score-in-lines"],
        *["--score-column", "rank"],
    )
    assert again.returncode == 1
    assert "has a field 'rank' already" in again.stderr
    assert "--score-column" in again.stderr


@pytest.mark.parametrize("method", ["lexrank", "concepts", "mmr", "submodular", "centroid", "lead"])
@pytest.mark.parametrize("group_by", [False, True])
def test_methods_are_those_of_python(world, shards, tmp_path, invoke_dsir, method, group_by):
    out = tmp_path / "out"
    arguments = ["--group-by", "domain"] if group_by else []
    done = invoke_dsir(
        *["lexrank", shards, "--out", out, "--summary-characters", 200, "--method", method],
        *["--idf", "group", "--show", "--json", *arguments],
    )
    assert done.returncode == 0, done.stderr
    _, groups = expected_scores(world, group_by)
    expected = []
    for group in dict.fromkeys(groups.tolist()):
        texts = [world.texts[row] for row in np.flatnonzero(groups == group)]
        summary = summarize(texts, characters=200, method=method)
        expected.append({"group": group or None, "text": summary.text})
    assert json.loads(done.stdout)["summaries"] == expected


def test_terms_and_queries_of_summaries(tmp_path, invoke_dsir):
    texts = ["北京的书店很大。上海的图书馆很大。", "北京的图书馆很新。羊吃草。", "羊。"]
    pq.write_table(pa.table({"text": texts, "k": ["a", "b", "b"]}), tmp_path / "in.parquet")
    given = [
        "--tokenizer",
        "chars",
        "--ngram",
        2,
        "--query",
        "北京",
        "--summary",
        1,
        "--show",
    ]
    for number, grouped in enumerate(([], ["--group-by", "k"])):
        done = invoke_dsir(
            *["lexrank", tmp_path / "in.parquet", "-o", tmp_path / f"o{number}", *given, *grouped]
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0].endswith("。")
        assert "北京" in done.stdout
        assert "no spaces between words" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "mmr"], "--summary 5"),
        (["--show"], "--summary 5"),
        (["--summary", "2", "--summary-tokens", "9"], "give --summary or --summary-tokens"),
        (["--summary", "2", "--method", "best"], "--method best"),
        (["--summary", "2", "--threshold", "0.1"], "--method coverage does not read it"),
        (["--summary", "2", "--method", "mmr", "--redundancy", "0.1"], "--redundancy"),
        (["--summary", "2", "--stems", "xx"], "--stems xx"),
        (["--summary", "2", "--ngram", "0"], "--ngram 0"),
    ],
)
def test_options_of_summaries_that_are_wrong(shards, tmp_path, invoke_dsir, arguments, message):
    done = invoke_dsir("lexrank", shards, "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("kind", ["parquet", "arrow", "jsonl", "csv", "dictionary"])
@pytest.mark.parametrize(
    "values",
    [
        [3, None, 3, 12],
        [True, False, True, None],
        [0.5, 1.25, 0.5, None],
        [date(2026, 1, 2), None, date(2026, 1, 2), date(2026, 2, 1)],
    ],
)
def test_groups_of_numbers_dates_and_flags(tmp_path, invoke_dsir, kind, values):
    texts = ["Ship one.", "Ship two sails.", "Ship three.", "Ship four."]
    column = pa.array(values)
    if kind == "dictionary":
        narrow = pa.types.is_floating(column.type) or pa.types.is_date(column.type)
        column = (column if narrow else column.cast(pa.int32())).dictionary_encode()
    table = pa.table({"text": texts, "k": column})
    path = tmp_path / f"in.{'parquet' if kind == 'dictionary' else kind}"
    if kind == "arrow":
        feather.write_feather(table, path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row, default=str) + "\n" for row in table.to_pylist()))
    elif kind == "csv":
        rows = [
            f"{text},{'' if key is None else key}" for text, key in zip(texts, values, strict=True)
        ]
        path.write_text("\n".join(["text,k", *rows]) + "\n")
    else:
        pq.write_table(table, path)
    out = tmp_path / "out"
    done = invoke_dsir(
        *["lexrank", path, "-o", out, "--group-by", "k", "--summary", 9, "--idf", "group"]
    )
    assert done.returncode == 0, done.stderr
    found = pq.read_table(out / "data/summaries.parquet").to_pylist()
    assert {row["sentence"] for row in found} == set(texts)
    keys = table["k"].to_pylist()
    for one in found:
        for other in found:
            assert (one["group"] == other["group"]) == (keys[one["row"]] == keys[other["row"]])
