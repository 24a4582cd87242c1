"""Every command with its files in a store."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import dsir
from dsir.remote import RemotePath


@pytest.fixture
def raw(s3, parquet, jsonl):
    """The corpus in the bucket."""
    for path in [*parquet, *jsonl]:
        s3.put(path, f"raw/{path.name}")
    return f"{s3.url}/raw"


def ran(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_columns_of_several_models(raw, s3, world, tmp_path, invoke_dsir):
    model = dsir.fit(world.texts, world.target, progress=False)
    model.save(f"{s3.url}/m.dsir")
    out = f"{s3.url}/columns"
    for part in ("0/2", "1/2", "0/1"):  # The last job finds everything done.
        ran(invoke_dsir("score", raw, "--with", f"{s3.url}/m.dsir", "-o", out, "--part", part))
    status = json.loads(ran(invoke_dsir("status", out, "--json")))
    assert [(one["done"], one["total"]) for one in status["stages"]] == [(6, 6)]
    names = [name for name in s3.files("columns") if name.startswith("data/")]
    assert len(names) == 6
    found = pq.read_table(pa.BufferReader(s3.read("columns/data/part-00000.parquet")))
    assert found.column_names == ["source", "source_row", "m"]
    assert found["source"][0].as_py() == f"{s3.url}/raw/part-0.jsonl"
    lines = len(world.cut(3)[0])
    assert found["m"].to_numpy().tobytes() == model.score(world.texts[:lines]).tobytes()


def test_the_stages_one_by_one(
    raw, s3, target, parquet, jsonl, tmp_path, invoke_dsir, contents, comparable
):
    draw = ["-n", 30, "--min-tokens", 20, "--temperature", 50]
    wanted = s3.put(target, "t.jsonl")

    def stages(raw, target, place):
        model, scores, rows = f"{place}/m.dsir", f"{place}/scores", f"{place}/rows"
        ran(invoke_dsir("fit", *raw, "-t", target, "-o", model, "-q"))
        for part in (0, 1):
            ran(invoke_dsir("score", *raw, "-m", model, "-o", scores, "--part", f"{part}/2", "-q"))
        ran(invoke_dsir("sample", scores, *draw, "-o", rows, "-q"))
        done = invoke_dsir("write", rows, "-m", model, "-o", f"{place}/out", "--json")
        return json.loads(ran(done))

    local = sorted([*parquet, *jsonl], key=lambda path: path.name)
    here = stages(local, target, tmp_path)
    there = stages([raw], wanted, f"{s3.url}/made")
    assert comparable(s3.files("made/out")) == comparable(contents(tmp_path / "out"))
    assert s3.read("made/m.dsir") == (tmp_path / "m.dsir").read_bytes()
    assert there["kl_reduction"] == here["kl_reduction"]
    assert [path.rpartition("/")[2] for path in there["paths"]] == [
        path.rpartition("/")[2] for path in here["paths"]
    ]
    text = "A ship at sea"
    assert ran(invoke_dsir("explain", f"{s3.url}/made/m.dsir", text)) == ran(
        invoke_dsir("explain", tmp_path / "m.dsir", text)
    )
    done = invoke_dsir("sample", f"{s3.url}/made/out", *draw, "-o", f"{s3.url}/x", "-q")
    assert (done.returncode, "is not a work directory" in done.stderr) == (1, True)
    done = invoke_dsir("score", raw, "-m", f"{s3.url}/no.dsir", "-o", f"{s3.url}/y", "-q")
    assert (done.returncode, "no.dsir: cannot be read: no such file" in done.stderr) == (1, True)


def test_select_and_status(raw, s3, target, invoke_dsir):
    place = ["-o", f"{s3.url}/out", "--workdir", f"{s3.url}/work"]
    call = ["select", raw, "-t", target, "-n", 30, "--min-tokens", 20, *place]
    done = json.loads(ran(invoke_dsir(*call, "--dry-run", "--json")))
    assert (done[0]["shards"], done[0]["bytes"] > 0) == (6, True)
    assert s3.keys("out") + s3.keys("work") == []
    told = json.loads(ran(invoke_dsir(*call, "-q", "--json")))
    assert told["paths"][0] == f"{s3.url}/out/data/part-00000.jsonl"
    status = json.loads(ran(invoke_dsir("status", f"{s3.url}/work", "--json")))
    assert status["finished"]
    assert status["holder"] is None
    assert [(stage["name"], stage["done"]) for stage in status["stages"]][:3] == [
        ("fit", 6),
        ("score", 6),
        ("sample", 6),
    ]
    done = invoke_dsir("status", f"{s3.url}/out")
    assert (done.returncode, "holds a selection" in done.stderr) == (1, True)


def test_a_refused_run_leaves_no_trace(raw, s3, target, invoke_dsir):
    s3.put(target, "taken/notes.txt")
    for name, more, told in (
        ("new", ["--text", "txt"], "did you mean"),
        ("new", ["-n", 10**9], "but raw has only"),
        ("taken", [], "is not empty"),
        ("raw", [], "is not empty"),
    ):
        before = s3.keys(name)
        # Parquet, whose footers say how many rows there are.
        words = [f"{raw}/*.parquet", "-t", target, "-o", f"{s3.url}/{name}", "-q", *more]
        for dry in ([], ["--dry-run"]):
            done = invoke_dsir("select", *words, *([] if "-n" in more else ["-n", 9]), *dry)
            assert (done.returncode, told in done.stderr) in ((1, True), (2, True)), done.stderr
            assert s3.keys(name) == before
    assert s3.keys("new") == []


def test_a_folder_that_is_something_else_is_no_work_directory(s3, raw, target, invoke_dsir):
    done = invoke_dsir("select", raw, "-t", target, "-n", 1, "-o", f"{s3.url}/o", "--workdir", raw)
    assert done.returncode == 1
    assert f"{raw}: is not empty and not a work directory of dsir" in done.stderr


def test_lexrank(raw, s3, parquet, tmp_path, invoke_dsir, contents):
    there = f"{raw}/part-1.parquet"
    for words in ([], ["--group-by", "domain", "--summary", 1]):
        name = f"ranked{len(words)}"
        ran(invoke_dsir("lexrank", parquet[1], "-o", tmp_path / name, "-q", *words))
        ran(invoke_dsir("lexrank", there, "-o", f"{s3.url}/{name}", "-q", *words))
        here = contents(tmp_path / name)
        found = s3.files(name)
        inputs = [
            json.loads(files.pop("_dsir/ranking.json")).pop("inputs") for files in (here, found)
        ]
        assert inputs == [[str(parquet[1])], [there]]
        assert found == here


def test_gais(s3, tmp_path, invoke_dsir, contents):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"x": [i % 7 * 1.0 for i in range(60)], "y": ["a", "b"] * 30})
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "a.parquet")
    feather.write_feather(table, tmp_path / "in" / "b.arrow")
    lines = "".join(json.dumps(row) + "\n" for row in table.to_pylist())
    (tmp_path / "in" / "c.jsonl").write_text(lines)
    words = ["--label", "y", "--keep", 12, "--epochs", 2, "-q"]
    ran(invoke_dsir("gais", tmp_path / "in", *words, "-o", tmp_path / "out"))
    ran(invoke_dsir("gais", s3.put(tmp_path / "in", "in"), *words, "-o", f"{s3.url}/out"))
    assert s3.files("out") == contents(tmp_path / "out")


def test_a_refused_command_leaves_nothing_in_the_store(raw, s3, target, tmp_path, invoke_dsir):
    """And a command that ends well leaves neither a probe nor a lock."""
    part, model = f"{raw}/part-1.parquet", tmp_path / "m.dsir"
    ran(invoke_dsir("fit", part, "-t", target, "-o", model, "-q"))
    ran(invoke_dsir("score", part, "-m", model, "-o", tmp_path / "scores", "-q"))
    draw = ["sample", tmp_path / "scores", "-n", 3, "--min-tokens", 1, "-o", tmp_path / "rows"]
    ran(invoke_dsir(*draw, "-q"))
    calls = {
        "lexrank": (["lexrank", part], ["--group-by", "nosuch"], []),
        "gais": (["gais", part, "--text", "text"], ["--label", "nosuch"], ["--label", "domain"]),
        "write": (["write", tmp_path / "rows"], ["-m", tmp_path / "no.dsir"], ["-m", model]),
        "select": (["select", part, "-t", target, "-n", 2], ["--text", "nosuch"], []),
    }
    for name, (words, wrong, right) in calls.items():
        out = f"{s3.url}/{name}"
        more = ["--keep", "50%", "--epochs", 1, "--missing", "fill"] if name == "gais" else []
        assert invoke_dsir(*words, *wrong, *more, "-o", out, "-q").returncode != 0
        assert s3.keys(name) == [], name
        ran(invoke_dsir(*words, *right, *more, "-o", out, "-q"))
        assert s3.keys(f"{name}/data")
        odd = [key for key in s3.keys(name) if key.endswith(".lock") or "probe" in key]
        assert odd == [], name


def test_idf_files(s3, tmp_path):
    idf = dsir.graph.Idf().fit(["one sentence here", "another sentence there"])
    idf.save(f"{s3.url}/words.idf")
    idf.save(tmp_path / "words.idf")
    assert s3.read("words.idf") == (tmp_path / "words.idf").read_bytes()
    assert dsir.graph.Idf.load(RemotePath(f"{s3.url}/words.idf")).documents == 2
