"""Bad input: an error that says what, where and what to do; or skipped, listed and counted.

Never a crash, never a row lost in silence. Every case goes through the API and the command.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ship_files import GOOD, SETTINGS, TEXTS, parquet
from typer.testing import CliRunner

import dsir
from dsir.cli.main import app

OPTIONS = ["--n", "5", "--min-tokens", "3", "--method", "top-k", "--quiet"]

# Most of these calls select from the target itself, or learn from a line.
pytestmark = [
    pytest.mark.filterwarnings("ignore:target. is the same as raw:dsir.DsirWarning"),
    pytest.mark.filterwarnings("ignore:target. has only:dsir.DsirWarning"),
]


def lines(path: Path, *rows: bytes) -> Path:
    path.write_bytes(b"\n".join(rows))
    return path


def line(text: str) -> bytes:
    return json.dumps({"text": text}).encode()


def cut_off(path: Path) -> Path:
    parquet(path, GOOD)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def bit_flipped(path: Path) -> Path:
    """One bit of the second row group's texts."""
    parquet(
        path,
        GOOD,
        row_group_size=20,
        compression="none",
        use_dictionary=False,
        write_page_checksum=True,
        write_statistics=False,
    )
    data = bytearray(path.read_bytes())
    data[data.rindex(b"sails from")] ^= 4
    path.write_bytes(bytes(data))
    return path


def invalid_utf8(path: Path) -> Path:
    texts = [text.encode() for text in TEXTS[:4]]
    texts[2] = b"the ship \xff sails"
    array = pa.array(texts, pa.binary()).view(pa.string())
    return parquet(path, pa.table({"text": array}))


def cut_gzip(path: Path) -> Path:
    data = gzip.compress(b"\n".join(line(f"{text} {hash(text)}") for text in TEXTS * 20))
    path.write_bytes(data[: len(data) // 2])
    return path


@dataclass(frozen=True)
class Case:
    """A bad file.

    Attributes:
        make: writes it.
        kind: what is raised.
        message: a pattern in the message, besides the file.
        row: the row that the exception names.
        bad, read: with on_error="skip", bad rows and rows read of it; None: the shard is skipped.
    """

    name: str
    make: Callable[[Path], Path]
    kind: type[dsir.DsirError]
    message: str
    row: int | None = None
    bad: int | None = None
    read: int = 0


CASES = [
    Case("cut.parquet", cut_off, dsir.ShardError, "cannot be read as Parquet"),
    Case("flipped.parquet", bit_flipped, dsir.ShardError, "row group 1", bad=20, read=40),
    Case("no.parquet", lambda p: lines(p, b"no"), dsir.ShardError, "cannot be read as Parquet"),
    Case("no.jsonl.zst", lambda p: lines(p, b"no\0no"), dsir.ShardError, "as zstd"),
    Case("no.jsonl.gz", lambda p: lines(p, b"no\0no"), dsir.ShardError, "as gzip"),
    Case("no.arrow", lambda p: lines(p, b"no"), dsir.ShardError, "as Arrow"),
    Case("json.parquet", lambda p: lines(p, line("a")), dsir.ShardError, r"is JSON Lines .*jsonl"),
    Case("json.arrow", lambda p: lines(p, line("a")), dsir.ShardError, r"is JSON Lines .*jsonl"),
    Case("cut.jsonl.gz", cut_gzip, dsir.ShardError, r"(?i)truncated"),
    Case(
        "parquet.jsonl",
        lambda p: parquet(p, GOOD),
        dsir.ShardError,
        r"is Parquet, not JSON Lines; let its name end in \.parquet",
    ),
    Case(
        "no_column.parquet",
        lambda p: parquet(p, GOOD.rename_columns(["id", "body"])),
        dsir.TextColumnError,
        r"no column 'text'; columns: id \(int64\), body \(string\).*text",
    ),
    Case(
        "no_field.jsonl",
        lambda p: lines(p, b'{"body": "a"}', b'{"body": "b", "x": 1}'),
        dsir.TextColumnError,
        "no line has a field 'text'; fields of the first line: body",
    ),
    Case(
        "int.parquet",
        lambda p: parquet(p, pa.table({"text": [1, 2]})),
        dsir.TextColumnError,
        "column 'text' is int64, not text",
    ),
    Case(
        "utf8.parquet", invalid_utf8, dsir.RowError, "row 2: the text is not UTF-8.*on_error",
        row=2, bad=1, read=4,
    ),
    Case(
        "utf8.jsonl",
        lambda p: lines(p, line("a ship"), b'{"text": "a \xff ship"}', line("one more")),
        dsir.RowError,
        r"row 1 \(line 2\): invalid UTF-8.*on_error",
        row=1, bad=1, read=3,
    ),
    Case(
        "broken.jsonl",
        lambda p: lines(p, line("a ship"), b"", b'{"text": "a sh', line("one more"), b"7", b"null"),
        dsir.RowError,
        r"row 1 \(line 3\): broken JSON.*on_error",
        row=1, bad=3, read=5,
    ),
    Case(
        "array.jsonl",
        lambda p: lines(p, line("a ship"), b'["a ship"]', line("more ships")),
        dsir.RowError,
        r"row 1 \(line 2\): the line is a list, not an object",
        row=1, bad=1, read=3,
    ),
    Case(
        "number.jsonl",
        lambda p: lines(p, line("a ship"), b'{"text": 7}', b'{"text": ["a"]}', b'{"text": null}'),
        dsir.RowError,
        r"row 1 \(line 2\): text is a number, not a string",
        row=1, bad=2, read=4,
    ),
    Case(
        "missing.jsonl",
        lambda p: lines(p, line("a ship"), b'{"id": 1}', line("more ships")),
        dsir.RowError,
        r"row 1 \(line 2\): no field 'text'; fields: id",
        row=1, bad=1, read=3,
    ),
    Case(
        "two.jsonl",
        lambda p: lines(p, line("a ship"), line("b") + line("c"), line("d")),
        dsir.RowError,
        r"row 1 \(line 2\): broken JSON",
        row=1, bad=1, read=3,
    ),
    Case(
        "surrogate.jsonl",
        lambda p: lines(p, line("a ship"), b'{"text": "\\ud800"}'),
        dsir.RowError,
        r"row 1 \(line 2\): .*surrogate",
        row=1, bad=1, read=2,
    ),
]  # fmt: skip


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request) -> Case:
    return request.param


@pytest.fixture
def good(tmp_path) -> Path:
    return parquet(tmp_path / "good.parquet", GOOD)


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["select", *map(str, arguments)])


def one_line_error(result: Any, pattern: str) -> None:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    beside = r"\Adsir: warning: target: (is the same as raw|1 file of it is part of raw).*\n"
    told = re.sub(beside, "", result.stderr)
    assert re.fullmatch(rf"dsir: error: [^\n]*{pattern}[^\n]*\n", told), result.stderr


def test_raised(case, good, tmp_path):
    path = case.make(tmp_path / case.name)
    for raw in (path, [good, path]):
        with pytest.raises(case.kind, match=case.message) as caught:
            dsir.select(raw, TEXTS, out=tmp_path / "out", **(SETTINGS | {"n": 1}))
        assert str(path) in str(caught.value)
        assert caught.value.path == str(path)
        assert caught.value.row == case.row
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "out").exists()
    with pytest.raises(case.kind, match=case.message):
        dsir.select(TEXTS, path, **SETTINGS)
    with pytest.raises(case.kind, match=case.message):
        dsir.fit(TEXTS, path, progress=False)
    with pytest.raises(case.kind, match=case.message):
        dsir.fit(TEXTS, TEXTS, progress=False).score(path)
    result = run(good, path, "--target", good, "--out", tmp_path / "out", *OPTIONS)
    assert result.exit_code == 1
    one_line_error(result, re.escape(str(path)))
    # The command line speaks of options, which have dashes.
    assert re.search(re.sub("_|=", ".", case.message), result.stderr)


def test_skipped(case, good, tmp_path):
    path = case.make(tmp_path / case.name)
    alone = dsir.select(good, TEXTS, **SETTINGS)
    selection = dsir.select([good, path], TEXTS, on_error="skip", **SETTINGS)
    rows = selection.metrics["rows"]
    passed = rows["passed_over"]
    assert rows["read"] == rows["selected"] + sum(passed.values()) + rows["bad"]
    skipped = [entry for entry in selection.skipped if entry.path == str(path)]
    assert skipped == selection.skipped
    if case.bad is None:
        assert selection.metrics["shards"] == {"read": 1, "skipped": 1}
        assert [entry.row for entry in skipped] == [None]
        assert str(path) in skipped[0].reason
        assert rows["read"] == len(TEXTS)
        assert rows["bad"] == 0
        assert selection.rows.tolist() == alone.rows.tolist()
    else:
        assert selection.metrics["shards"] == {"read": 2, "skipped": 0}
        assert sum(entry.rows for entry in skipped) == rows["bad"] > 0
        assert [entry.row for entry in skipped] == sorted(entry.row for entry in skipped)
        # Raised, a row group is no row; skipped, it has one where it begins.
        assert skipped[0].row == (20 if case.row is None else case.row)
        if case.bad > 0:
            assert rows["bad"] == case.bad
            assert rows["read"] == len(TEXTS) + case.read
    out = tmp_path / "out"
    result = run(
        good, path, "--target", good, "--out", out, *OPTIONS, "--on-error", "skip", "--json"
    )
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["skipped"] == [entry.to_json() for entry in selection.skipped]
    manifest = json.loads((out / "_dsir/selection.json").read_bytes())
    assert manifest["skipped"] == told["skipped"]
    assert manifest["metrics"]["rows"] == rows


def test_nothing_but_what_is_skipped(case, tmp_path):
    path = case.make(tmp_path / case.name)
    with pytest.raises(dsir.DsirError) as caught:
        dsir.select(path, TEXTS, on_error="skip", **{**SETTINGS, "n": 100})
    if case.bad is None:
        assert isinstance(caught.value, dsir.EmptyCorpusError)
        assert str(path) in str(caught.value)
    else:
        assert isinstance(caught.value, dsir.BudgetError | dsir.ModelError)


def test_a_skipped_target_is_listed(good, tmp_path):
    bad = lines(tmp_path / "bad.jsonl", b"{", *map(line, TEXTS))
    gone = lines(tmp_path / "gone.jsonl.gz", b"no\0no")
    selection = dsir.select(good, [bad, gone], on_error="skip", **SETTINGS)
    assert [(entry.path, entry.row) for entry in selection.skipped] == [
        (str(bad), 0),
        (str(gone), None),
    ]
    assert selection.metrics["rows"]["bad"] == 0


NOTHING = {
    "empty.parquet": (lambda p: lines(p), dsir.EmptyCorpusError, r"is empty \(0 bytes\)"),
    "empty.jsonl": (lambda p: lines(p), dsir.EmptyCorpusError, r"is empty \(0 bytes\)"),
    "empty.jsonl.gz": (lambda p: lines(p), dsir.EmptyCorpusError, r"is empty \(0 bytes\)"),
    "empty.arrow": (lambda p: lines(p), dsir.EmptyCorpusError, r"is empty \(0 bytes\)"),
    "zero_rows.parquet": (lambda p: parquet(p, GOOD.slice(0, 0)), dsir.EmptyCorpusError, "no rows"),
    "blank.jsonl": (lambda p: lines(p, b"", b" ", b""), dsir.EmptyCorpusError, "no rows"),
    "all_null.parquet": (
        lambda p: parquet(p, pa.table({"text": pa.nulls(3, pa.string())})),
        dsir.ModelError,
        "no n-grams",
    ),
    "null.jsonl": (lambda p: lines(p, b'{"text": null}'), dsir.ModelError, "no n-grams"),
    "spaces.jsonl": (lambda p: lines(p, line(" \u3000\n")), dsir.ModelError, "no n-grams"),
}


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("name", NOTHING)
def test_nothing_to_learn_from(name, on_error, good, tmp_path):
    make, kind, message = NOTHING[name]
    path = make(tmp_path / name)
    for raw, target, side in ((path, good, "raw"), (good, path, "target")):
        with pytest.raises(kind, match=message) as caught:
            dsir.select(raw, target, on_error=on_error, **(SETTINGS | {"n": 1}))
        assert side in str(caught.value)
        call = [raw, "-t", target, "-o", tmp_path / "out", *OPTIONS, "--n", "1"]
        result = run(*call, "--on-error", on_error)
        assert result.exit_code == 1
        one_line_error(result, message)
    if path.suffix == ".jsonl":  # Lines and tables cannot be one table.
        good = lines(tmp_path / "good.jsonl", *map(line, TEXTS))
    beside = dsir.select([path, good], TEXTS, on_error=on_error, **SETTINGS)
    rows = beside.metrics["rows"]
    assert rows["read"] - rows["passed_over"]["empty"] == len(TEXTS)
    assert rows["read"] == rows["selected"] + sum(rows["passed_over"].values())
    assert beside.skipped == []


def test_empty_targets_in_memory():
    for target in ([""], [None], [" "], iter([]), pa.table({"text": pa.array([], pa.string())})):
        with pytest.raises((dsir.ModelError, dsir.EmptyCorpusError), match="target"):
            dsir.select(TEXTS, target, **SETTINGS)
    with pytest.raises(dsir.InputError, match="target"):
        dsir.select(TEXTS, [], **SETTINGS)


def test_no_file(tmp_path, good):
    cases = [
        (tmp_path / "gone.parquet", dsir.ShardError, "no such file"),
        (str(tmp_path / "gone-*.parquet"), dsir.EmptyCorpusError, "no file matches"),
        (tmp_path / "folder", dsir.EmptyCorpusError, "no file to read in the folder"),
        (lines(tmp_path / "words.log", b"a"), dsir.SettingError, "dsir reads .parquet"),
    ]
    (tmp_path / "folder").mkdir()
    for raw, kind, message in cases:
        for on_error in ("raise", "skip"):
            with pytest.raises(kind, match=message) as caught:
                dsir.select(raw, good, on_error=on_error, **SETTINGS)
            assert str(raw) in str(caught.value)
        result = run(raw, "-t", good, "-o", tmp_path / "out", *OPTIONS)
        assert result.exit_code == (2 if kind is dsir.SettingError else 1)
        one_line_error(result, message)
        result = run(good, "-t", raw, "-o", tmp_path / "out", *OPTIONS)
        one_line_error(result, message)


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "desktop.ini"])
def test_what_a_file_manager_left_is_no_content_of_an_output_folder(good, tmp_path, name):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_bytes(b"x")
    assert len(dsir.select(good, TEXTS, out=out, **SETTINGS)) == SETTINGS["n"]
    assert (out / name).exists()
    assert dsir.verify(out, target=TEXTS).stands


def test_output_folder_is_not_empty(good, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    for more in ([], ["--overwrite"]):
        result = run(good, "-t", good, "-o", out, *OPTIONS, *more)
        assert result.exit_code == 1
        one_line_error(result, r"thesis\.tex")
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]
    file = lines(tmp_path / "file", b"x")
    one_line_error(run(good, "-t", good, "-o", file, *OPTIONS), "is not a folder")
    beyond = run(good, "-t", good, "-o", file / "below", *OPTIONS)
    assert beyond.exit_code == 1
    one_line_error(beyond, "file")


def test_fit_and_score_name_the_files_that_they_pass_over(good, tmp_path):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing else")
    with pytest.warns(dsir.DsirWarning, match=r"passed over 1 file .*broken\.parquet"):
        model = dsir.fit([good, broken], TEXTS, on_error="skip", progress=False)
    model.save(tmp_path / "model.dsir")
    command = ["score", str(good), str(broken), "--model", str(tmp_path / "model.dsir")]
    command += ["-o", str(tmp_path / "scores"), "--on-error", "skip", "--quiet"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "dsir: warning: passed over 1 file" in done.stderr
    assert "broken.parquet" in done.stderr


def test_a_line_of_30_mb(tmp_path):
    long = "ships at sea " * (30_000_000 // 13)
    path = lines(tmp_path / "long.jsonl", line("a small ship"), line(long), line("one more ship"))
    selection = dsir.select(path, TEXTS, **{**SETTINGS, "n": 1, "length": "mean"})
    assert selection.metrics["rows"]["read"] == 3
    assert selection.metrics["tokens"]["eligible"] == len(long.split()) + 6
    everything = dsir.select(path, TEXTS, out=tmp_path / "out", **{**SETTINGS, "n": 3})
    assert everything.paths[0].read_bytes() == path.read_bytes() + b"\n"


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "sound.parquet"
    table = pa.table(
        {"id": range(40), "text": TEXTS, "tags": [[str(i)] * (i % 3) for i in range(40)]}
    )
    pq.write_table(table, path, row_group_size=15, write_page_checksum=True)
    return path.read_bytes()


@given(where=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
@settings(max_examples=60)
def test_any_flipped_byte_is_an_error_or_changes_nothing(sound, tmp_path_factory, where, mask):
    data = bytearray(sound)
    data[int(where * len(data))] ^= mask
    path = tmp_path_factory.mktemp("flipped") / "flipped.parquet"
    path.write_bytes(data)
    for out in (None, path.parent / "out"):
        try:
            selection = dsir.select(path, TEXTS, out=out, threads=1, **SETTINGS)
        except dsir.DsirError as error:
            assert str(error)  # noqa: PT017
            continue
        assert selection.metrics["rows"]["read"] == 40
        for row in (selection.table or pq.read_table(selection.paths[0])).to_pylist():
            assert row["text"] in TEXTS


@given(st.binary(max_size=60), st.integers(0, 5))
@settings(max_examples=60)
def test_any_bytes_as_json_lines(tmp_path_factory, noise, at):
    rows = [line(text) for text in TEXTS[:6]]
    rows.insert(at, noise)
    path = lines(tmp_path_factory.mktemp("noise") / "noise.jsonl", *rows)
    selection = dsir.select(path, TEXTS, on_error="skip", **SETTINGS)
    metrics = selection.metrics["rows"]
    expected = sum(1 for row in b"\n".join(rows).split(b"\n") if row.strip(b" \t\r"))
    assert metrics["read"] == expected
    assert metrics["bad"] == len(selection.skipped) == expected - 6
