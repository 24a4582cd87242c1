"""A run and a dry run end with the same error, before any row is read."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir

ROWS = 30


@pytest.fixture
def place(tmp_path):
    meta = pa.array([{"host": f"h{i % 3}", "size": i} for i in range(ROWS)])
    table = pa.table({"text": [f"words {i} " * 20 for i in range(ROWS)], "meta": meta})
    pq.write_table(table, tmp_path / "a.parquet")
    pq.write_table(table.rename_columns(["body", "meta"]), tmp_path / "other.parquet")
    pq.write_table(table.slice(0, 0), tmp_path / "empty.parquet")
    pq.write_table(table.slice(0, 4), tmp_path / "want.parquet")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    (tmp_path / "file").touch()
    return tmp_path


CALLS = [
    (["a.parquet", "other.parquet"], [], "no column 'text'"),
    (["a.parquet"], ["--text", "host"], "did you mean meta.host?"),
    (["a.parquet"], ["--text", "txet"], "did you mean text?"),
    (["a.parquet"], ["--group-by", "hots"], "no column 'hots' for quotas"),
    (["a.parquet"], ["--max-per", "host=50%"], "did you mean meta.host?"),
    (["a.parquet"], ["--group-by", "meta.hosts"], "did you mean meta.host?"),
    (["a.parquet"], ["-t", "empty.parquet"], "has no rows"),
    (["a.parquet", "empty.parquet"], ["-n", "31"], "raw has only 30 rows"),
    (["empty.parquet"], [], "has no rows"),
    (["a.parquet"], ["-o", "full"], "is not empty"),
    (["a.parquet"], ["-o", "file"], "is not a folder"),
    (["a.parquet"], ["-o", "."], "is not empty"),
    (["a.parquet"], ["--workdir", "file"], "file"),
    (["gone.parquet"], [], "gone.parquet"),
]


@pytest.mark.parametrize(("raw", "options", "message"), CALLS)
def test_a_run_and_a_dry_run_end_alike(place, invoke_dsir, raw, options, message):
    given = {"-t": "want.parquet", "-n": "3", "-o": "out", "--min-tokens": "1"}
    given |= dict(zip(options[::2], options[1::2], strict=True))
    call = ["select", *raw, *(word for pair in given.items() for word in pair), "-q"]
    before = sorted(place.rglob("*"))
    ends = [invoke_dsir(*call, *dry, cwd=place) for dry in (["--dry-run"], [])]
    assert [done.returncode for done in ends] == [1, 1]
    assert message in ends[0].stderr
    assert message in ends[1].stderr
    assert sorted(place.rglob("*")) == before


def test_a_dry_run_of_another_runs_work_directory(place, invoke_dsir):
    call = ["select", "-t", "want.parquet", "-n", "3", "--min-tokens", 1, "-q", "--workdir", "work"]
    assert invoke_dsir(*call, "a.parquet", "-o", "o1", cwd=place).returncode == 0
    same = invoke_dsir(*call, "a.parquet", "-o", "o1", "--dry-run", cwd=place)
    assert same.returncode == 0, same.stderr
    other = invoke_dsir(*call, "want.parquet", "-o", "o1", "--dry-run", cwd=place)
    assert other.returncode == 1
    assert "belongs to another run" in other.stderr


def test_files_that_a_run_skips_are_no_error_of_a_dry_run(place, invoke_dsir):
    (place / "cut.parquet").write_text("this is no Parquet")
    call = ["select", "a.parquet", "other.parquet", "cut.parquet", "-t", "want.parquet", "-n", "3"]
    for options, code in (([], 1), (["--on-error", "skip"], 0)):
        done = invoke_dsir(*call, "-o", "out", "--dry-run", "--json", *options, cwd=place)
        assert done.returncode == code, done.stderr
        assert len(json.loads(done.stdout)[0]["unreadable"]) == 2


@pytest.mark.filterwarnings("ignore:target.* is the same as raw:dsir.DsirWarning")
def test_what_may_be_missing(place):
    raw = str(place / "a.parquet")
    more = dsir.select(raw, raw, n=99, allow_fewer=True, min_tokens=1, progress=False,
                       method="top-k")  # fmt: skip
    assert len(more.rows) == ROWS
    with pytest.raises(dsir.EmptyCorpusError):
        dsir.fit(raw, str(place / "empty.parquet"), progress=False)
    with pytest.raises(dsir.TextColumnError, match=r"did you mean meta\.host\?"):
        dsir.fit(raw, raw, text="meta.hots", progress=False)


def test_a_dry_run_names_the_scripts_and_the_tokenizer_that_fits(tmp_path, invoke_dsir):
    raw, target = tmp_path / "raw.jsonl", tmp_path / "target.jsonl"
    raw.write_text('{"text": "the court heard the judge"}\n' * 30)
    target.write_text('{"text": "法院审理了这个案件并作出判决"}\n' * 5)
    call = ("select", raw, "-t", target, "-n", 3, "-o", tmp_path / "out", "--dry-run")
    told = invoke_dsir(*call)
    assert told.returncode == 0
    assert "Latin 100 %" in told.stdout
    assert "target: 100 % of the letters are Han" in told.stdout
    assert "--tokenizer unicode cuts them" in told.stdout
    fitting = invoke_dsir(*call, "--tokenizer", "unicode")
    assert "of the letters are" not in fitting.stdout
    surveys = json.loads(invoke_dsir(*call, "--json").stdout)
    assert [one["scripts"] for one in surveys] == [{"Latin": 1.0}, {"Han": 1.0}]
    assert [len(one["advice"]) for one in surveys] == [0, 1]


def test_files_with_the_same_fault_are_folded(tmp_path, invoke_dsir):
    folder = tmp_path / "raw"
    folder.mkdir()
    for number in range(6):
        columns = {"body": ["a text"], f"extra{number}": [1]}
        pq.write_table(pa.table(columns), folder / f"{number}.parquet")
    (folder / "9.parquet").write_bytes(b"PAR1 this is no Parquet")
    pq.write_table(pa.table({"content": ["a text"] * 30}), tmp_path / "t.parquet")
    done = invoke_dsir(
        *["select", folder, "-t", tmp_path / "t.parquet", "-n", 1, "-o", tmp_path / "o"],
        *["--text", "content", "--dry-run"],
    )
    assert done.returncode == 1
    said = [line for line in done.stdout.splitlines() if line.startswith("cannot be read")]
    assert len(said) == 2
    assert "0.parquet: no column 'content'" in said[0]
    assert said[0].endswith("(and 5 more files alike)")
    assert "text=" not in said[0]
    assert "9.parquet" in said[1]
