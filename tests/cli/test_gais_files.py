"""`dsir gais`: files of every kind, and what their columns may hold."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.gais.labelled_files import read_instances, write_instances
from dsir.graph import GAIS, RandomSelection
from dsir.remote import location_of


def ids_in(out):
    tables = [pq.read_table(path) for path in sorted(out.glob("data/part-*.parquet"))]
    return [value for one in tables for value in one.column("id").to_pylist()]


def few(rows=80):
    """Rows of two classes."""
    x = np.random.default_rng(1).normal(size=rows)
    return [{"x": float(one), "label": "p" if one > 0 else "n", "id": k} for k, one in enumerate(x)]


def kept_of(invoke_dsir, tmp_path, *files, options=()):
    """The rows that a quick selection writes, as a table."""
    out = tmp_path / "out"
    call = ["gais", *files, "--label", "label", "--features", "x", "--keep", "20%", "--epochs", 2]
    done = invoke_dsir(*call, "--out", out, "--overwrite", "-q", *options)
    assert done.returncode == 0, done.stderr
    return pa.concat_tables(
        [pq.read_table(path) for path in sorted(out.glob("data/part-*.parquet"))]
    )


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_json_lines_of_any_fields_are_read(tmp_path, invoke_dsir):
    rows = few()
    for k, row in enumerate(rows):
        row["meta"] = [1, "x", {"k": 1}, None][k % 4]
        row["day"] = f"2024-01-{k % 28 + 1:02d}"
        row["time"] = "2024-01-01T00:00:00Z"
        row["late"] = None if k < 79 else {"a": 1}
        row["flag"] = bool(k % 2) if k % 3 else k
        row["bare"] = {}
        row["large"] = 2**70 + k
        row["long"] = "word " * 300_000 if k == 5 else ""
        if k % 5:
            row["rare"] = k
    kept = kept_of(invoke_dsir, tmp_path, write_lines(tmp_path / "a.jsonl", rows))
    for row in kept.to_pylist():
        given = rows[row["id"]]
        for name in ("x", "label", "day", "time", "late", "long"):
            assert row[name] == given[name]
        assert row["rare"] == given.get("rare")
        for name in ("meta", "flag", "bare", "large"):
            found = row[name]
            assert (None if found is None else json.loads(found)) == given[name]


def test_types_of_files_that_differ_are_promoted(tmp_path, invoke_dsir):
    rows = few()
    whole = [{**row, "x": round(row["x"] * 100)} for row in rows[:40]]
    half = [{**row, "x": row["x"] * 100} for row in rows[40:]]
    write_lines(tmp_path / "a.jsonl", whole)
    second = pa.Table.from_pylist(half)
    label = second["label"].combine_chunks().dictionary_encode()
    pq.write_table(second.set_column(1, "label", label), tmp_path / "b.parquet")
    files, out = [tmp_path / "a.jsonl", tmp_path / "b.parquet"], tmp_path / "out"
    options = ["--features", "x", "--keep", "20%", "--epochs", 2, "--out", out]
    assert invoke_dsir("gais", *files, "--label", "label", *options).returncode == 0
    both = pa.Table.from_pylist([{**row, "x": float(row["x"])} for row in whole + half])
    gais = GAIS(0.8, epochs=2).fit(both.select(["x"]), both["label"])
    assert ids_in(out) == gais.sample_indices_.tolist()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{broken\n", "row 80 (line 81): the line is not JSON"),
        (b"[1]\n", "row 80 (line 81): the line is no object but list"),
        (b'{"x": "\xff"}\n', "row 80 (line 81): the line is not UTF-8"),
        (b'{"label": "\\ud800"}\n', "'label' holds half a surrogate pair"),
        (b'{"\\ud800": 1}\n', "half a surrogate pair in its name"),
        (b"[" * 100_000 + b"\n", "row 80 (line 81): the line is"),
    ],
)
def test_a_bad_line_is_named(tmp_path, invoke_dsir, line, message):
    path = write_lines(tmp_path / "a.jsonl", few())
    path.write_bytes(path.read_bytes() + line)
    done = invoke_dsir(
        "gais", path, "--label", "label", "--features", "x", "-q", "-o", tmp_path / "o"
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_files_of_polars_are_read_and_written_without_views(tmp_path, invoke_dsir):
    rows = pa.Table.from_pylist(few())
    views = rows["label"].cast(pa.string_view())
    codes = pa.array([k % 2 for k in range(80)], pa.uint32())
    named = pa.DictionaryArray.from_arrays(codes, pa.array(["u", "v"], pa.string_view()))
    table = pa.table({"x": rows["x"], "label": views, "id": rows["id"], "cat": named})
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), table.schema) as writer:
        writer.write_table(table)
    options = ["--features", "x,cat"]
    kept = kept_of(invoke_dsir, tmp_path, tmp_path / "a.arrow", options=options)
    assert kept.schema.field("label").type == pa.large_string()
    for row in kept.to_pylist():
        assert row == table.slice(row["id"], 1).to_pylist()[0]


def test_missing_values(tmp_path, invoke_dsir):
    rows = few()
    for k in (4, 40, 41):
        rows[k]["x"] = None
    rows[7]["label"] = None
    path = write_lines(tmp_path / "a.jsonl", rows)
    call = ["gais", path, "--label", "label", "--features", "x", "-o", tmp_path / "o"]
    done = invoke_dsir(*call)
    assert done.returncode == 2
    assert "row 7 has no label" in done.stderr
    kept = kept_of(invoke_dsir, tmp_path, path, options=["--missing", "drop", "--report"])
    assert not {4, 7, 40, 41} & set(kept["id"].to_pylist())
    rows[7]["label"] = "n"
    path = write_lines(tmp_path / "b.jsonl", rows)
    assert invoke_dsir(*call[:1], path, *call[2:]).returncode == 2
    assert len(kept_of(invoke_dsir, tmp_path, path, options=["--missing", "fill"])) == 16
    done = invoke_dsir(*call, "--missing", "ignore")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def odd_tables():
    """Tables with columns that GAIS cannot use, and what names the cause."""
    rows = pa.Table.from_pylist(few())
    x, label = rows["x"].combine_chunks(), rows["label"].combine_chunks()
    count = len(x)
    plain = {"x": x, "label": label}
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([count], pa.int32()), pa.array([1.5]))
    interval = pa.array([(1, 2, 3)] * count, pa.month_day_nano_interval())
    yield "labels of lists", pa.table({"x": x, "label": pa.array([[1]] * count)}), "list<"
    yield "labels of records", pa.table({"x": x, "label": pa.array([{"a": 1}] * count)}), "struct<"
    yield "intervals", pa.table({"x": interval, "label": label}), "interval"
    yield "runs", pa.table({"x": runs, "label": label}), "run_end_encoded"
    yield (
        "maps",
        pa.table({**plain, "x": pa.array([[("a", 1)]] * count, pa.map_(pa.string(), pa.int64()))}),
        "map<",
    )
    twice = pa.Table.from_arrays([x, x, label], ["x", "x", "label"])
    yield "one name twice", twice, "named 'x'"
    twice = pa.Table.from_arrays([x, label, label], ["x", "label", "label"])
    yield "two labels", twice, "named 'label'"
    yield "an unused interval", pa.table({**plain, "i": interval}), "interval"


@pytest.mark.parametrize("name", [name for name, _, _ in odd_tables()])
def test_columns_of_odd_types_are_one_line(tmp_path, invoke_dsir, name):
    table, message = next((table, said) for one, table, said in odd_tables() if one == name)
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), table.schema) as writer:
        writer.write_table(table)
    for options in (["--features", "x"], []):
        done = invoke_dsir(
            *["gais", tmp_path / "a.arrow", "-q", "--label", "label", "-o", tmp_path / "o"],
            *["--overwrite", "--epochs", 2, *options],
        )
        assert done.returncode in (1, 2), done.stdout
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert message in done.stderr


@pytest.mark.parametrize("kind", ["string", "large_string", "binary", "list", "dictionary"])
def test_arrow_files_with_one_bit_flipped_never_crash(tmp_path, invoke_dsir, kind):
    rows = pa.Table.from_pylist(few(30))
    words = pa.array([f"w{k % 3}" for k in range(30)])
    column = {
        "list": pa.array([[k] * (k % 3) for k in range(30)]),
        "dictionary": words.dictionary_encode(),
    }.get(kind)
    if column is None:
        column = words.cast(getattr(pa, kind)())
    sink = pa.BufferOutputStream()
    table = pa.table({"x": rows["x"], "label": rows["label"], "other": column})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    content = sink.getvalue().to_pybytes()
    path = tmp_path / "a.arrow"
    outcomes = set()
    for bit in range(0, 8 * len(content), 97):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(flipped)
        try:
            tables = read_instances([str(path)], label="label", features=["x"])
            x, y = tables.inputs()
            RandomSelection(0.5).fit(x, y)
            out = location_of(str(tmp_path / f"o{bit}"))
            write_instances(tables, np.arange(0, len(tables), 3), out, {})
            outcomes.add("read")
        except dsir.DsirError as error:
            outcomes.add("two lines" if "\n" in str(error) else "refused")
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize("index", ["unnamed", "named", "texts"])
def test_the_index_of_a_pandas_frame_is_no_feature(tmp_path, invoke_dsir, index):
    pd = pytest.importorskip("pandas")
    random = np.random.default_rng(3)
    # Sorted by label: the row numbers would tell everything, the column nothing.
    frame = pd.DataFrame({"x": random.normal(size=120), "label": ["p"] * 60 + ["q"] * 60})
    order = {
        "unnamed": pd.Index([*range(119, 1, -1), 0, 1]),
        "named": pd.Index([*range(119, 1, -1), 0, 1], name="id"),
        "texts": pd.Index([f"row {k}" for k in range(120)]),
    }[index]
    name = "id" if index == "named" else "__index_level_0__"
    path = tmp_path / "a.parquet"
    frame.set_index(order).to_parquet(path)
    call = ["gais", path, "--label", "label", "--keep", "20%", "--epochs", 2, "-o", tmp_path / "o"]
    done = invoke_dsir(*call)
    assert done.returncode == 0, done.stderr
    assert f"not a feature: {name}, the index of a pandas frame" in done.stderr
    expected = GAIS(0.8, epochs=2).fit(frame[["x"]], frame["label"]).sample_indices_
    kept = json.loads((tmp_path / "o" / "_dsir" / "instances.json").read_text())
    assert kept["rows_kept"] == expected.tolist()
    assert kept["settings"]["features"] == ["x"]
    assert name in pq.read_table(tmp_path / "o" / "data" / "part-00000.parquet").column_names
    arrow = pq.read_table(path)
    gais = GAIS(0.8, epochs=2).fit(arrow.drop_columns("label"), arrow["label"])
    assert gais.sample_indices_.tolist() == expected.tolist()
    if index == "texts":
        return
    done = invoke_dsir(*call, "--overwrite", "--features", f"x,{name}")
    assert done.returncode == 0, done.stderr
    assert "not a feature" not in done.stderr
    with_index = GAIS(0.8, epochs=2).fit(
        pd.DataFrame({"x": frame["x"], name: order}), frame["label"]
    )
    kept = json.loads((tmp_path / "o" / "_dsir" / "instances.json").read_text())
    assert kept["rows_kept"] == with_index.sample_indices_.tolist()


def test_the_index_of_pandas_is_no_feature_in_a_frame_of_polars(tmp_path):
    pl = pytest.importorskip("polars")
    x = np.random.default_rng(3).normal(size=(80, 1))
    frame = pl.DataFrame({"x": x[:, 0], "__index_level_0__": np.arange(80)})
    labels = ["p", "q"] * 40
    assert (
        GAIS(0.8, epochs=2).fit(frame, labels).sample_indices_.tolist()
        == GAIS(0.8, epochs=2).fit(x, labels).sample_indices_.tolist()
    )


def test_all_columns_that_hold_names_are_listed_at_once(tmp_path, invoke_dsir):
    table = pa.Table.from_pylist(few())
    words = pa.array(["a", "b"] * 40)
    days = pa.array([86_400 * k for k in range(80)], pa.timestamp("ms"))
    table = table.append_column("word", words).append_column("day", days)
    pq.write_table(table, tmp_path / "a.parquet")
    done = invoke_dsir(
        "gais", tmp_path / "a.parquet", "--label", "label", "-q", "-o", tmp_path / "o"
    )
    assert done.returncode == 2
    assert (
        "columns 'word' (string), 'day' (timestamp[ms]) do not hold numbers; name those that are "
        "features in --categorical, or leave the others out (--exclude)"
    ) in done.stderr
