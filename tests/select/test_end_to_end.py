"""select() on every kind of input: the right rows come back, whole, with their log-weights."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather
from selected import MEAN, accounts_add_up, without_stages

import dsir


def metrics_of(out: Path) -> dict[str, Any]:
    return json.loads((out / "_dsir/selection.json").read_bytes())["metrics"]


def lines_of(paths: list[Path]) -> list[bytes]:
    lines: list[bytes] = []
    for path in paths:
        if path.suffix == ".gz":
            data = gzip.decompress(path.read_bytes())
        elif path.suffix == ".zst":
            data = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd").read()
        else:
            data = path.read_bytes()
        lines += data.splitlines(keepends=True)
    return lines


@pytest.mark.parametrize("length", ["sum", "mean"])
def test_the_right_domain_is_selected(world, parquet, target, length):
    selection = dsir.select(
        parquet, target, n=60, method="top-k", length=length, min_tokens=20, progress=False
    )
    assert Counter(world.domains[row] for row in selection.rows) == {"sea": 60}
    assert selection.metrics["kl_reduction"] > 0.5


def test_drawn_documents_are_of_the_right_domain(world, parquet, target):
    selection = dsir.select(parquet, target, n=60, **MEAN)
    assert Counter(world.domains[row] for row in selection.rows)["sea"] >= 58


def names_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_parquet_comes_back_as_parquet(world, parquet, target, tmp_path):
    out = tmp_path / "out"
    selection = dsir.select(parquet, target, n=60, out=out, keep_types=True, **MEAN)
    accounts_add_up(selection)
    assert selection.table is None
    # The text types of the three shards differ, so each has an output shard of its own.
    assert [path.name for path in selection.paths] == [f"part-0000{i}.parquet" for i in range(3)]
    names = [path.name for path in selection.paths]
    assert names_in(out) == {
        *(f"data/{name}" for name in names),
        *(f"_dsir/rows/{Path(name).stem}.arrow" for name in names),
        ".huggingface.yaml",
        "_dsir/model.dsir",
        "_dsir/run.json",
        "_dsir/selection.json",
    }
    first = 0
    for source, path in zip(parquet, selection.paths, strict=True):
        table, written = pq.read_table(source), pq.read_table(path)
        weight = pa.field("log_weight", pa.float64(), nullable=False)
        assert written.schema.equals(table.schema.append(weight), check_metadata=True)
        inside = (selection.rows >= first) & (selection.rows < first + len(table))
        taken = table.take(selection.rows[inside] - first)
        assert written.drop(["log_weight"]).to_pylist() == taken.to_pylist()
        np.testing.assert_array_equal(
            written["log_weight"].to_numpy(), selection.log_weights[inside]
        )
        first += len(table)
    assert (np.diff(selection.rows) > 0).all()
    assert metrics_of(out) == without_stages(selection.metrics)


def test_log_weights_are_those_of_the_model(world, parquet, target):
    selection = dsir.select(parquet, target, n=60, **MEAN)
    scores = selection.model.score(world.texts)
    np.testing.assert_array_equal(scores[selection.rows], selection.log_weights)
    np.testing.assert_array_equal(selection.model.score([str(p) for p in parquet]), scores)
    fitted = dsir.fit(parquet, target, length="mean", progress=False)
    assert fitted.fingerprint == selection.model.fingerprint


def test_the_metrics_are_what_they_say(world, parquet, target):
    selection = dsir.select(parquet, target, n=60, **MEAN)
    model, metrics = selection.model, selection.metrics
    lengths = np.array([len(model.features.tokens(text or "")) for text in world.texts])
    eligible = lengths >= 20
    weights = np.exp(model.score(world.texts)[eligible])
    assert metrics["effective_sample_size"] == pytest.approx(
        weights.sum() ** 2 / (weights**2).sum(), rel=1e-9
    )
    assert metrics["tokens"]["eligible"] == lengths[eligible].sum()
    assert metrics["tokens"]["selected"] == lengths[selection.rows].sum()
    assert metrics["rows"]["read"] == len(world.rows)
    assert metrics["rows"]["eligible"] == eligible.sum()
    assert metrics["rows"]["passed_over"]["empty"] == (lengths == 0).sum()
    assert metrics["rows"]["passed_over"]["too_short"] == ((lengths > 0) & ~eligible).sum()
    assert metrics["text_bytes"]["read"] == sum(len((t or "").encode()) for t in world.texts)
    assert metrics["shards"] == {"read": 3, "skipped": 0}
    chosen = [world.texts[row] for row in selection.rows]
    assert metrics["kl_reduction"] == pytest.approx(
        dsir.kl_reduction(chosen, parquet, target), rel=1e-9
    )
    assert set(metrics["stages"]) == {"fit", "score", "sample", "write"}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_effective_sample_size_is_that_of_the_draw(world, parquet, target, temperature):
    selection = dsir.select(
        parquet, target, n=5, min_tokens=20, length="mean", temperature=temperature, progress=False
    )
    scores = selection.model.score(world.texts)
    tokens = [len(selection.model.features.tokens(text or "")) for text in world.texts]
    weights = np.exp(scores[np.array(tokens) >= 20] / temperature)
    assert selection.metrics["effective_sample_size"] == pytest.approx(
        weights.sum() ** 2 / (weights**2).sum(), rel=1e-9
    )


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_shards_whose_metadata_differ_share_a_part(kind, world, target, tmp_path):
    """pandas writes the number of rows into it."""
    raw, first = [], 0
    for number in range(6):
        table = world.table().slice(first, 90 + number)
        first += len(table)
        index = {"kind": "range", "name": None, "start": 0, "stop": len(table), "step": 1}
        note = json.dumps({"index_columns": [index], "column_indexes": [], "columns": []})
        table = table.replace_schema_metadata({"pandas": note})
        raw.append(tmp_path / f"{number}.{kind}")
        if kind == "parquet":
            pq.write_table(table, raw[-1])
        else:
            feather.write_feather(table, raw[-1])
    selection = dsir.select(raw, target, n=60, out=tmp_path / "out", **MEAN)
    (part,) = selection.paths
    read = pq.read_table if kind == "parquet" else feather.read_table
    assert read(part)["id"].to_pylist() == selection.rows.tolist()
    assert len(read(part).to_pandas()) == 60
    assert dsir.verify(tmp_path / "out").stands


@pytest.mark.parametrize("metadata", [{"ARROW:extension:name": "x.y"}, {"unit": "m"}])
def test_shards_whose_fields_differ_in_metadata_have_parts_of_their_own(
    metadata, world, target, tmp_path
):
    raw = world.write_parquet(tmp_path / "raw", parts=1)
    table = pq.read_table(raw[0])
    field = table.schema.field("id")
    other = tmp_path / "other.parquet"
    pq.write_table(
        table.cast(
            table.schema.set(table.schema.get_field_index("id"), field.with_metadata(metadata))
        ),
        other,
    )
    selection = dsir.select([*raw, other], target, n=60, out=tmp_path / "out", **MEAN)
    assert len(selection.paths) == 2


def test_json_lines_come_back_byte_for_byte(world, jsonl, target, tmp_path):
    out = tmp_path / "out"
    selection = dsir.select(jsonl, target, n=60, out=out, **MEAN)
    accounts_add_up(selection)
    lines = lines_of(jsonl)
    assert len(lines) == len(world.rows)
    # Three shards of one kind go into one output shard.
    assert [path.name for path in selection.paths] == ["part-00000.jsonl"]
    expected = [lines[row] for row in selection.rows]
    assert selection.paths[0].read_bytes().splitlines(keepends=True) == expected
    weights = feather.read_table(out / "_dsir/weights/part-00000.arrow")
    assert weights.schema.names == ["row", "log_weight"]
    np.testing.assert_array_equal(weights["row"].to_numpy(), selection.rows)
    np.testing.assert_array_equal(weights["log_weight"].to_numpy(), selection.log_weights)
    assert metrics_of(out) == without_stages(selection.metrics)
    assert json.loads((out / "_dsir/selection.json").read_bytes())["outputs"] == [
        "data/part-00000.jsonl"
    ]


def test_odd_lines_come_back_byte_for_byte(world, target, tmp_path):
    text = "the ship at the harbour " * 6
    lines = [
        json.dumps({"text": text}).encode() + b"\r\n",
        b"  " + json.dumps({"text": text, "x": [1, "a", {}]}).encode() + b" \n",
        b"\n",
        json.dumps({"x": 10**30, "text": text}).encode() + b"\n",
        json.dumps({"text": text, "x": "é" * 3}, ensure_ascii=False).encode(),  # No newline.
    ]
    path = tmp_path / "odd.jsonl"
    path.write_bytes(b"".join(lines))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dsir.DsirWarning)
        selection = dsir.select(path, target, n=4, out=tmp_path / "out", **MEAN)
    accounts_add_up(selection)
    assert selection.metrics["rows"]["blank_lines"] == 1
    expected = b"".join(
        line if line.endswith(b"\n") else line + b"\n" for line in lines if line.strip()
    )
    written = selection.paths[0].read_bytes()
    assert [line.strip() for line in written.splitlines()] == [
        line.strip() for line in expected.splitlines()
    ]
    assert lines[0] in written
    assert lines[3] in written
    assert written.endswith(lines[4] + b"\n")


def test_mixed_kinds(world, jsonl, target, tmp_path):
    parts = world.cut(3)
    arrow = tmp_path / "b.arrow"
    middle = world.table().slice(len(parts[0]), len(parts[1]))
    with pa.ipc.new_file(str(arrow), middle.schema) as writer:
        writer.write_table(middle, max_chunksize=50)
    last = tmp_path / "c.parquet"
    pq.write_table(world.table().slice(len(parts[0]) + len(parts[1])), last)
    raw = [jsonl[0], arrow, last]
    selection = dsir.select(raw, target, n=60, out=tmp_path / "out", **MEAN)
    accounts_add_up(selection)
    assert [path.name for path in selection.paths] == [
        "part-00000.jsonl",
        "part-00001.arrow",
        "part-00002.parquet",
    ]
    whole = dsir.select(jsonl, target, n=60, **MEAN)
    np.testing.assert_array_equal(selection.rows, whole.rows)
    ids = [json.loads(line)["id"] for line in selection.paths[0].read_bytes().splitlines()]
    ids += pa.ipc.open_file(str(selection.paths[1])).read_all()["id"].to_pylist()
    ids += pq.read_table(selection.paths[2])["id"].to_pylist()
    assert ids == whole.rows.tolist()


def test_output_shards_by_size(world, jsonl, parquet, target, tmp_path):
    for raw in (jsonl, parquet):
        out = tmp_path / Path(raw[0]).suffix
        selection = dsir.select(raw, target, n=60, out=out, shard_size="5kB", **MEAN)
        accounts_add_up(selection)
        assert len(selection.paths) > 5
        assert [path.name[:10] for path in selection.paths] == [
            f"part-{i:05d}" for i in range(len(selection.paths))
        ]
        ids = []
        for path in selection.paths:
            if path.suffix == ".jsonl":
                rows = [json.loads(line) for line in path.read_bytes().splitlines()]
                weights = feather.read_table(out / f"_dsir/weights/{path.stem}.arrow")
                assert weights["row"].to_pylist() == [row["id"] for row in rows]
            else:
                rows = pq.read_table(path).to_pylist()
            assert rows
            assert sum(len(row["text"].encode()) for row in rows) <= 5000
            ids += [row["id"] for row in rows]
        assert ids == selection.rows.tolist()


def test_a_document_larger_than_a_shard_has_one_to_itself(world, target, tmp_path):
    selection = dsir.select(world.texts, target, n=10, out=tmp_path / "o", shard_size=1, **MEAN)
    assert [len(pq.read_table(path)) for path in selection.paths] == [1] * 10


def test_without_out_the_rows_come_as_a_table(world, parquet, target):
    selection = dsir.select(parquet, target, n=60, **MEAN)
    accounts_add_up(selection)
    table = selection.table
    assert selection.paths == []
    assert table.schema.names == ["id", "text", "domain", "tags", "meta", "log_weight"]
    assert table.drop(["log_weight"]).to_pylist() == [
        {name: row[name] for name in ("id", "text", "domain", "tags", "meta")}
        for row in world.table().take(selection.rows).to_pylist()
    ]
    np.testing.assert_array_equal(table["log_weight"].to_numpy(), selection.log_weights)


@pytest.mark.parametrize("budget", [{"n": 1}, {"n": 60}, {"tokens": 900}])
@pytest.mark.parametrize("more", [{"length": "mean"}, {"method": "coverage"}, {"chunk_tokens": 20}])
def test_texts_of_lines_have_one_type(jsonl, target, budget, more):
    """Whether a row was put aside or is read again depends on the pool, and on the budget."""
    call = {**MEAN, "length": "sum", "fit_tokens": "all", **budget, **more}
    table = dsir.select(jsonl, target, **call).table
    assert table.schema.types[:2] == [pa.large_string(), pa.large_binary()]


def test_json_lines_as_a_table(world, jsonl, target):
    selection = dsir.select(jsonl, target, n=60, **MEAN)
    assert selection.table.schema.names == ["text", "line", "log_weight"]
    assert selection.table["text"].to_pylist() == [world.texts[row] for row in selection.rows]
    lines = lines_of(jsonl)
    assert selection.table["line"].to_pylist() == [
        lines[row].removesuffix(b"\n") for row in selection.rows
    ]


def test_shards_with_other_columns_make_no_one_table(parquet, jsonl, target):
    with pytest.raises(dsir.SettingError, match=r"different columns .* give out="):
        dsir.select([parquet[0], jsonl[1]], target, n=60, **MEAN)


def test_nested_text_column(world, parquet, target, tmp_path):
    nested = [str(world.write_parquet(tmp_path / "nested", parts=2)[1])]
    goal = pa.table({"meta": [{"body": text.upper()} for text in world.target]})
    out = tmp_path / "out"
    selection = dsir.select(nested, goal, n=20, text="meta.body", out=out, **MEAN)
    accounts_add_up(selection)
    rows = pq.read_table(nested[0]).take(selection.rows)
    assert pq.read_table(selection.paths[0]).drop(["log_weight"]).to_pylist() == rows.to_pylist()
    assert Counter(rows["domain"].to_pylist())["sea"] >= 19
    lines = world.write_jsonl(tmp_path / "lines", [".jsonl", ".jsonl"])
    same = dsir.select(lines[1], goal, n=20, text="meta.body", **MEAN)
    assert same.rows.tolist() == selection.rows.tolist()


def test_folder_and_pattern_are_the_list_of_their_files(parquet, target):
    expected = dsir.select(parquet, target, n=60, **MEAN).rows.tolist()
    folder = parquet[0].parent
    for raw in (folder, str(folder), str(folder / "*.parquet"), [str(path) for path in parquet]):
        assert dsir.select(raw, target, n=60, **MEAN).rows.tolist() == expected


def test_another_weight_column(world, target, tmp_path):
    table = world.table().append_column("log_weight", pa.array(range(len(world.rows))))
    with pytest.raises(dsir.OutputError, match="weight_column="):
        dsir.select(table, target, n=5, **MEAN)
    selection = dsir.select(table, target, n=5, weight_column="w", **MEAN)
    assert selection.table.schema.names[-2:] == ["log_weight", "w"]
    assert selection.table["log_weight"].to_pylist() == selection.rows.tolist()
    path = tmp_path / "raw.parquet"
    pq.write_table(table, path)
    out = tmp_path / "out"
    with pytest.raises(dsir.OutputError, match="weight_column="):
        dsir.select(path, target, n=5, out=out, **MEAN)
    assert not out.exists() or not list(out.iterdir())


def test_warning_where_the_sample_is_a_top_k(parquet, target):
    settings: dict[str, Any] = {"min_tokens": 20, "progress": False}
    with pytest.warns(dsir.DsirWarning, match=r"effective sample size .* top-k") as caught:
        selection = dsir.select(parquet, target, n=60, **settings)
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
    assert caught[0].filename == __file__
    assert selection.metrics["effective_sample_size"] < 60
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dsir.select(parquet, target, n=60, method="top-k", **settings)
        dsir.select(parquet, target, n=60, length="mean", **settings)
        everything = dsir.select(parquet, target, n=10**6, allow_fewer=True, **settings)
    assert everything.metrics["rows"]["passed_over"]["not_drawn"] == 0


def test_overwrite(parquet, jsonl, target, tmp_path):
    out = tmp_path / "out"
    dsir.select(jsonl, target, n=60, out=out, shard_size="5kB", **MEAN)
    with pytest.raises(dsir.OutputError, match=r"not empty.*overwrite"):
        dsir.select(parquet, target, n=60, out=out, **MEAN)
    assert (out / "data/part-00003.jsonl").exists()
    selection = dsir.select(parquet, target, n=30, out=out, overwrite=True, **MEAN)
    names = [path.name for path in selection.paths]
    assert names_in(out) == {
        *(f"data/{name}" for name in names),
        *(f"_dsir/rows/{Path(name).stem}.arrow" for name in names),
        ".huggingface.yaml",
        "_dsir/model.dsir",
        "_dsir/run.json",
        "_dsir/selection.json",
    }
    (out / "notes.txt").write_text("mine")
    with pytest.raises(dsir.OutputError, match=r"notes\.txt"):
        dsir.select(parquet, target, n=30, out=out, overwrite=True, **MEAN)
    assert selection.paths[0].exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": 0}, "n=0"),
        ({"n": 1.5}, r"n=1\.5"),
        ({"n": True}, "n=True"),
        ({"n": None, "fraction": 0.0}, "fraction=0"),
        ({"n": None, "fraction": 1.1}, "fraction=1"),
        ({"n": None, "fraction": float("nan")}, "fraction=nan"),
        ({"n": None, "tokens": -3}, "tokens=-3"),
        ({"n": None}, "none of them"),
        ({"tokens": 5}, "n, tokens"),
        ({"method": "best"}, "'best'.*'resample'"),
        ({"temperature": 0}, "temperature=0"),
        ({"temperature": float("inf")}, "temperature=inf"),
        ({"temperature": "1"}, "temperature='1'"),
        ({"n": None, "fraction": "a tenth"}, "fraction='a tenth'"),
        ({"smoothing": "1"}, "smoothing='1'"),
        ({"features": "ngrams"}, "features='ngrams'"),
        ({"length": "max"}, "'max'.*'sum'"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 1 << 64}, "seed="),
        ({"min_tokens": -1}, "min_tokens=-1"),
        ({"smoothing": -0.1}, r"smoothing=-0\.1"),
        ({"fit_tokens": "some"}, "'some'"),
        ({"fit_tokens": 0}, "fit_tokens=0"),
        ({"shard_size": "many"}, "'many'"),
        ({"shard_size": 0}, "shard_size=0"),
        ({"weight_column": ""}, "weight_column"),
        ({"engine": "gpu"}, "'gpu'"),
        ({"threads": 0}, "threads=0"),
        ({"on_error": "ignore"}, "'ignore'"),
        ({"text": ""}, "text"),
        ({"workdir": "w"}, "in memory"),
    ],
)
def test_wrong_settings(world, wrong, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keywords = {"n": 3, "progress": False, **wrong}
    with pytest.raises(dsir.SettingError, match=message):
        dsir.select(world.texts, world.target, **keywords)
    assert not list(tmp_path.iterdir())


def test_a_run_over_files_does_not_import_pandas(tmp_path):
    # pyarrow does so in many of its conversions, and it takes longer than a small selection.
    pytest.importorskip("pandas")
    program = (
        "import sys, warnings, dsir; warnings.simplefilter('ignore'); "
        "dsir.select(sys.argv[1], sys.argv[2], n=5, min_tokens=1, out=sys.argv[3], progress=False);"
        "sys.exit('pandas' in sys.modules)"
    )
    for name in ("raw.parquet", "raw.jsonl"):
        raw = tmp_path / name
        table = pa.table(
            {"text": [f"some words about thing {i}" for i in range(50)], "n": [1] * 50}
        )
        if name.endswith(".parquet"):
            pq.write_table(table, raw)
        else:
            raw.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
        arguments = [sys.executable, "-c", program, raw, raw, tmp_path / f"out-{name}"]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
