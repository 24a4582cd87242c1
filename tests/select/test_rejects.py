"""Bad data: kept in a reject file, counted by kind, and a run that is rotten stops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir.corpus.bad_text import snippet_at, snippet_of

SETTINGS: dict[str, Any] = {
    "n": 5,
    "min_tokens": 3,
    "method": "top-k",
    "progress": False,
    "on_error": "skip",
}
TEXTS = [f"the ship {number} sails from the harbour at night" for number in range(40)]
BAD = {
    "broken_json": b'{"text": "a sh',
    "not_utf8": b'{"text": "a \xff ship"}',
    "no_text_field": b'{"id": 1, "x": "broken JSON, not an object"}',
    "not_an_object": b'["a ship"]',
    "not_a_string": b'{"text": 7}',
    "half_a_surrogate": b'{"text": "\\ud800"}',
}


def line(text: str) -> bytes:
    return json.dumps({"text": text}).encode()


def lines(path: Path, *rows: bytes) -> Path:
    path.write_bytes(b"\n".join(rows))
    return path


def rejects(out: Path) -> list[dict[str, Any]]:
    return [json.loads(entry) for entry in (out / "_dsir/rejects.jsonl").read_bytes().splitlines()]


def flipped(path: Path, groups: list[int], size: int = 20) -> Path:
    """A Parquet file of forty rows with a flipped bit in the texts of some row groups."""
    texts = [f"{text} group {number // size}." for number, text in enumerate(TEXTS)]
    pq.write_table(
        pa.table({"id": range(len(texts)), "text": texts}),
        path,
        row_group_size=size,
        compression="none",
        use_dictionary=False,
        write_page_checksum=True,
        write_statistics=False,
    )
    data = bytearray(path.read_bytes())
    for group in groups:
        data[data.rindex(f"group {group}.".encode())] ^= 4
    path.write_bytes(data)
    return path


@pytest.fixture
def rotten(tmp_path) -> Path:
    """Forty good rows, and a bad one of every kind that lines know."""
    return lines(
        tmp_path / "rotten.jsonl", *map(line, TEXTS[:20]), *BAD.values(), *map(line, TEXTS)
    )


def test_every_reason_has_its_kind_and_its_line(rotten, tmp_path):
    array = pa.array([b"a ship", b"the \xff " + b"x" * 300], pa.binary()).view(pa.string())
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"text": array}), other)
    gone = lines(tmp_path / "gone.jsonl.gz", b"no gzip")
    out = tmp_path / "out"
    selection = dsir.select([rotten, other, gone], TEXTS, out=out, **SETTINGS)
    found = rejects(out)
    assert [entry["kind"] for entry in found] == [*BAD, "not_utf8", "shard"]
    assert [entry["row"] for entry in found] == [*range(20, 26), 1, None]
    assert [entry["rows"] for entry in found] == [1] * 7 + [0]
    assert [entry["shard"] for entry in found] == [str(rotten)] * 6 + [str(other), str(gone)]
    snippets = [entry["snippet"] for entry in found]
    assert snippets[:2] == [BAD["broken_json"].decode(), '{"text": "a \\xff ship"}']
    assert snippets[6] == "the \\xff " + "x" * 194
    assert snippets[7] is None
    assert [entry["reason"] for entry in found] == [one.reason for one in selection.skipped]
    rows = selection.metrics["rows"]
    expected = dict.fromkeys(BAD, 1) | {"not_utf8": 2}
    assert rows["bad_by_kind"] == dict(sorted(expected.items()))
    assert sum(rows["bad_by_kind"].values()) == rows["bad"] == 7
    assert selection.metrics["shards"] == {"read": 2, "skipped": 1}
    assert out / "_dsir/rejects.jsonl" not in selection.paths
    manifest = json.loads((out / "_dsir/selection.json").read_bytes())
    assert manifest["files"]["_dsir/rejects.jsonl"]["rows"] == len(found)
    assert manifest["metrics"]["rows"] == rows
    assert manifest["skipped"] == [entry.to_json() for entry in selection.skipped]
    assert dsir.verify(out, target=TEXTS, threads=1).stands


def test_the_same_bytes_for_any_number_of_threads_and_after_a_resume(rotten, tmp_path, contents):
    raw = [rotten, flipped(tmp_path / "flipped.parquet", [1]), lines(tmp_path / "more.jsonl", b"{")]
    found = []
    for threads in (1, 2, 7):
        out = tmp_path / f"out-{threads}"
        work = tmp_path / f"work-{threads}"
        for _ in range(2):
            dsir.select(raw, TEXTS, out=out, workdir=work, threads=threads, **SETTINGS)
        found.append(contents(out))
    assert found[0] == found[1] == found[2]
    assert found[0]["_dsir/rejects.jsonl"].count(b"\n") == len(BAD) + 2
    dsir.select(TEXTS, TEXTS[:9], out=tmp_path / "out-1", overwrite=True, **SETTINGS)
    assert not (tmp_path / "out-1" / "_dsir/rejects.jsonl").exists()


@given(st.binary(max_size=450))
@settings(max_examples=60)
def test_any_snippet(data):
    found = snippet_of(data)
    assert json.loads(json.dumps(found)) == found
    assert len(found.encode()) <= 4 * 200
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    # Whole characters, as many as there is room for.
    assert text.startswith(found)
    assert 197 <= len(found.encode()) <= 200 or found == text
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        assert snippet_at(pa.array(["x", text], kind), 1) == found
    assert snippet_at(pa.array(["x", text]).dictionary_encode(), 1) == found


@pytest.mark.parametrize("chunks", [{}, {"chunk_tokens": 4, "min_tokens": 2}])
@pytest.mark.parametrize("groups", [[0], [1], [0, 2, 3], [0, 1, 2, 3]])
def test_a_damaged_row_group_is_lost_alone(tmp_path, groups, chunks):
    path = flipped(tmp_path / "flipped.parquet", groups, size=10)
    table = pa.table(
        {"id": range(40), "text": [f"{t} group {i // 10}." for i, t in enumerate(TEXTS)]}
    )
    sound = tmp_path / "sound.parquet"
    lost = [row for group in groups for row in range(10 * group, 10 * group + 10)]
    texts = [None if row in lost else text for row, text in enumerate(table["text"].to_pylist())]
    pq.write_table(table.set_column(1, "text", pa.array(texts, pa.string())), sound)
    keywords = {**SETTINGS, **chunks}
    good = tmp_path / "good.parquet"
    pq.write_table(table, good)
    one = dsir.select([path, good], TEXTS, out=tmp_path / "one", **keywords)
    two = dsir.select([sound, good], TEXTS, out=tmp_path / "two", **keywords)
    assert one.rows.tolist() == two.rows.tolist()
    assert one.log_weights.tobytes() == two.log_weights.tobytes()
    assert one.metrics["rows"]["bad"] == len(lost)
    assert one.metrics["rows"]["bad_by_kind"] == {"damaged_row_group": len(lost)}
    assert one.metrics["rows"]["read"] == two.metrics["rows"]["read"]
    assert [(entry.row, entry.rows) for entry in one.skipped] == [(10 * g, 10) for g in groups]
    assert [entry["rows"] for entry in rejects(tmp_path / "one")] == [10] * len(groups)
    with pytest.raises(dsir.ShardError, match="row group"):
        dsir.select([path, good], TEXTS, **{**keywords, "on_error": "raise"})
    # A target is counted without it as well.
    model = dsir.fit(good, [path, good], on_error="skip", progress=False)
    other = dsir.fit(good, [sound, good], progress=False)
    assert model.target_counts.tobytes() == other.target_counts.tobytes()


def stopped(raw: Any, **more: Any) -> dsir.BadDataError:
    """The error, which is the same for any number of threads."""
    found = []
    for threads in (1, 2, 7):
        with pytest.raises(dsir.BadDataError) as caught:
            dsir.select(raw, TEXTS, threads=threads, **{**SETTINGS, **more})
        found.append((str(caught.value), caught.value.path, caught.value.row))
    assert found[0] == found[1] == found[2]
    return caught.value


def test_a_number_of_bad_rows_stops_the_run(tmp_path):
    raw = [
        lines(tmp_path / f"{number}.jsonl", *map(line, TEXTS), *[b"{"] * number, b"7")
        for number in range(6)
    ]
    # 1, 2, 3, ... bad rows: the eleventh is the first of the fifth shard.
    error = stopped(raw, max_bad_rows=10)
    assert str(error) == (
        f"raw: more rows are bad than max_bad_rows=10 allows; the first above the limit: row 40 of "
        f"{raw[4]}: "
        "broken JSON: Expecting property name enclosed in double quotes at character 1 of the line"
    )
    assert error.row == 40
    assert stopped(raw, max_bad_rows=0).path == str(raw[0])
    assert stopped(raw, max_bad_rows="20").path == str(raw[5])
    assert dsir.select(raw, TEXTS, max_bad_rows=21, **SETTINGS).metrics["rows"]["bad"] == 21
    # In a target as well, and of each on its own.
    for call in (dsir.fit, dsir.select):
        keywords = {"n": 5, "min_tokens": 3} if call is dsir.select else {}
        with pytest.raises(dsir.BadDataError, match=r"^target: more rows"):
            call(TEXTS, raw, on_error="skip", max_bad_rows=20, progress=False, **keywords)


def test_a_share_of_bad_rows_stops_the_run(tmp_path):
    raw = [
        lines(tmp_path / "a.jsonl", *[b"{"] * 2, *map(line, TEXTS[:18])),
        lines(tmp_path / "b.jsonl", *map(line, TEXTS)),
        lines(tmp_path / "c.jsonl", *map(line, TEXTS)),
    ]
    for allowed in ("2%", "2.0 %", "100%", 2):
        dsir.select(raw, TEXTS, max_bad_rows=allowed, **SETTINGS)
    for refused in ("1.99%", "0%", "0.000001%"):
        error = stopped(raw, max_bad_rows=refused)
        assert str(error).startswith(
            f"raw: 2 of 100 rows are bad, more than max_bad_rows={refused} allows; the first: row "
            "0 of "
        )


def test_bad_shards_stop_the_run(tmp_path):
    raw = [lines(tmp_path / f"{number}.jsonl", *map(line, TEXTS)) for number in range(10)]
    for number in (3, 7):
        raw[number].write_bytes(b"PAR1\x15")
    for allowed in (2, "2", "20%", "29%"):
        selection = dsir.select(raw, TEXTS, max_bad_shards=allowed, **SETTINGS)
        assert selection.metrics["shards"] == {"read": 8, "skipped": 2}
    for refused in (1, "10%", "19.9%"):
        error = stopped(raw, max_bad_shards=refused)
        assert str(error) == (
            f"raw: more of its 10 shards cannot be read than max_bad_shards={refused} allows; "
            f"the first above the limit: {raw[7]}: is Parquet, not "
            "JSON Lines; let its name end in .parquet"
        )
        assert error.path == str(raw[7])
    # Rows lost with a shard are not among the bad ones.
    dsir.select(raw, TEXTS, max_bad_rows=0, **SETTINGS)


def test_a_run_that_stopped_goes_on_with_a_higher_limit(tmp_path, contents):
    raw = [
        lines(tmp_path / f"{number}.jsonl", *map(line, TEXTS), *[b"{"] * 5) for number in range(4)
    ]
    keywords = {**SETTINGS, "workdir": tmp_path / "work", "out": tmp_path / "out"}
    with pytest.raises(dsir.BadDataError):
        dsir.select(raw, TEXTS[:3], max_bad_rows=12, **keywords)  # In memory, and the same again.
    assert not (tmp_path / "out").exists()
    dsir.select(raw, TEXTS[:3], max_bad_rows=20, **keywords)
    dsir.select(raw, TEXTS[:3], out=tmp_path / "fresh", max_bad_rows=20, **SETTINGS)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


@pytest.mark.parametrize("value", [-1, 1.5, True, "x", "-1", "101%", "1.5", "", "%", "1e9%", [1]])
@pytest.mark.parametrize("name", ["max_bad_rows", "max_bad_shards"])
def test_limits_that_are_none(name, value):
    with pytest.raises(dsir.SettingError, match=name):
        dsir.select(TEXTS, TEXTS, **{**SETTINGS, name: value})


def test_limits_go_with_skip():
    for call in (dsir.fit, dsir.select):
        keywords = {"n": 5} if call is dsir.select else {}
        with pytest.raises(dsir.SettingError, match=r"max_bad_rows: goes with on_error=.skip"):
            call(TEXTS, TEXTS, max_bad_rows=1, progress=False, **keywords)


def test_the_commands(invoke_dsir, rotten, tmp_path):
    target = lines(tmp_path / "target.jsonl", *map(line, TEXTS))
    model = tmp_path / "model.dsir"
    options = ["--on-error", "skip"]
    draw = ["--n", 5, "--min-tokens", 3, "--method", "top-k"]
    done = invoke_dsir("select", rotten, "-t", target, "-o", tmp_path / "out", *draw, *options)
    assert done.returncode == 0, done.stderr
    assert "see _dsir/rejects.jsonl" in done.stdout
    assert "broken json" in done.stdout
    assert len(rejects(tmp_path / "out")) == len(BAD)
    done = invoke_dsir("fit", rotten, "-t", target, "-o", model, *options)
    assert done.returncode == 0, done.stderr
    limit = ["--max-bad-rows", "5"]
    for command in (
        ["select", rotten, "-t", target, "-o", tmp_path / "none", *draw],
        ["fit", rotten, "-t", target, "-o", tmp_path / "none.dsir"],
        ["score", rotten, "-m", model, "-o", tmp_path / "scores"],
    ):
        done = invoke_dsir(*command, *options, *limit, "--quiet")
        assert done.returncode == 1
        words = "dsir: error: raw: more rows are bad than --max-bad-rows 5 allows; "
        assert done.stderr.startswith(words)
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "none").exists()
    assert not (tmp_path / "none.dsir").exists()


def test_names_and_numbers_that_cannot_be_written_down():
    with pytest.raises(dsir.SettingError, match="weight_column"):
        dsir.select(TEXTS, TEXTS, weight_column="\ud800", **SETTINGS)
    with pytest.raises(dsir.SettingError, match="fit_tokens"):
        dsir.select(TEXTS, TEXTS, fit_tokens=1 << 63, **SETTINGS)
