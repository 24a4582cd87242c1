"""The parts of the benchmarks that can be wrong without anyone noticing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.figures import figure
from benchmarks.timing import in_turn, results_in_turn

from benchmarks import corpus, pile, process, readers, sampling, threads

ROOT = Path(__file__).parents[2]


@pytest.fixture
def small(tmp_path: Path) -> list[Path]:
    """Two shards of 30 texts in all, with types that one file cannot have."""
    tables = [
        pa.table({"text": pa.array([f"text {i} " * 20 for i in range(20)]), "id": range(20)}),
        pa.table(
            {
                "text": pa.array([*("a b c" for _ in range(9)), None], pa.large_string()),
                "id": range(10),
            }
        ),
    ]
    paths = []
    for number, table in enumerate(tables):
        paths.append(tmp_path / f"{number}.parquet")
        pq.write_table(table, paths[-1])
    return paths


def test_rounds_go_in_turn_and_the_first_does_not_count():
    calls: list[str] = []
    found = results_in_turn({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 2)
    assert calls == ["a", "b"] * 3
    assert found == {"a": [None] * 2, "b": [None] * 2}
    assert [len(seconds) for seconds in in_turn({"a": list, "b": list}, 3).values()] == [3, 3]


def test_large_shards_hold_every_row(
    small: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(corpus, "_SHARD_BYTES", 10_000)
    monkeypatch.setattr(corpus, "_GROUP_BYTES", 3_000)
    size = 20 * 20 * 7 + 10 * 20 + 9 * 5
    made, rows, text = corpus.large_parquet(small, tmp_path / "parquet", 2)
    assert (rows, text) == (2 * 3 * 30, 2 * 3 * size)
    tables = [pq.read_table(path) for path in made]
    assert sum(map(len, tables)) == rows
    assert corpus.text_bytes(corpus.texts(made)) == text
    assert pq.ParquetFile(made[0]).num_row_groups > 1
    lines, line_rows, _ = corpus.large_json_lines(small, tmp_path / "lines", 2)
    assert line_rows == rows
    with pa.input_stream(str(lines[1]), compression="zstd") as stream:
        read = [json.loads(line) for line in stream.read().splitlines()]
    assert read == tables[1].to_pylist()


@pytest.mark.parametrize("reader", ["pyarrow", *readers.JSON_LINES])
def test_readers_read_every_row(reader: str, small: list[Path], tmp_path: Path):
    if reader == "orjson":
        pytest.importorskip("orjson")
    make = corpus.large_parquet if reader == "pyarrow" else corpus.large_json_lines
    code = readers.PARQUET if reader == "pyarrow" else readers.JSON_LINES[reader]
    # Few enough rows: the shard is repeated to 200 MB otherwise.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "_SHARD_BYTES", 1)
        made, rows, _ = make(small, tmp_path / "made", 2)
    counted = code.replace("assert found", f"assert found == {rows}")
    assert counted != code
    ran = process.run_code(counted, ["2", *map(str, made)])
    assert 0 < ran.inside < ran.seconds
    assert 10 < ran.peak_mb < 2000


def test_a_process_that_fails_stops_the_run():
    with pytest.raises(SystemExit, match="exit code 1"):
        process.run([sys.executable, "-c", "raise SystemExit(1)"])


def test_thread_counts():
    assert [threads.thread_counts(n) for n in (1, 2, 3, 6, 16)] == [
        [1],
        [1, 2],
        [1, 2, 3],
        [1, 2, 4, 6],
        [1, 2, 4, 8, 16],
    ]


def test_sampling_runs():
    figures = sampling.run(1000, 1)["figures"]
    assert len(figures) == 6
    assert all(one["median"] > 0 for one in figures)


def test_the_runner_writes_figures_and_what_they_were_measured_on(tmp_path: Path):
    code = (
        "import sys\n"
        "from benchmarks import __main__ as runner, start_up\n"
        "start_up._CODE = {name: 'pass' for name in start_up._CODE}\n"
        "runner.main()\n"
    )
    path = tmp_path / "result.json"
    command = [sys.executable, "-c", code, "--quick", "--only", "start_up", "--json", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "import dsir" in done.stdout
    result = json.loads(path.read_bytes())
    assert {"cpu", "cores", "memory_gb", "simd", "kernel", "commit", "build", "versions"} <= set(
        result["machine"]
    )
    assert all(len(one["rounds"]) == 5 for one in result["start_up"]["figures"])


def test_plots_are_the_same_every_time(tmp_path: Path):
    pytest.importorskip("matplotlib")
    from benchmarks import plots

    curve = {name: {"1": 100.0, "2": 190.0} for name in ("score", "count", "select")}
    sizes = {"1.04": {"peak_mb": 300}, "9.94": {"peak_mb": 310}}
    result = {"threads": {"mb_per_second": curve}, "memory": {"by_gigabytes": sizes}}
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        folder.mkdir()
        made = plots.draw(result, folder)
        assert [path.name for path in made] == ["throughput.svg", "memory.svg"]
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()
        assert b"MB" in path.read_bytes()
    with pytest.raises(SystemExit, match="nothing to draw"):
        plots.draw({}, tmp_path)


def test_the_estimate_shows_its_arithmetic():
    figures = {
        "end_to_end": [figure("Parquet: fit on a sample, call", "MB/s", [500.0])],
        "threads": [figure("select, 2 threads, share of linear", "x", [0.95])],
        "sampling": [figure("1e+07 weights to 1e+05 rows, spread 30, 2 threads", "s", [0.2])],
    }
    result = {part: {"figures": found} for part, found in figures.items()}
    result["end_to_end"]["parquet"] = {"file_bytes_per_text_byte": 0.4}
    lines = "\n".join(pile.estimate(result))
    # 250 MB/s x 96 x 0.9, and 2.22 times 2 s.
    assert "21.6 GB/s of text; 1,347 GB / 21.6 GB/s = 62 s" in lines
    assert "x 2.23 = 4 s" in lines
    assert "59 + 15,696 + 353 = 16,108 s (4.5 h)" in lines
    assert "together 67 s" in lines
    assert "539 GB / 1.0 GB/s = 539 s" in lines
