"""JSON Lines output: the original bytes, and the log-weights beside them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from dsir.corpus import TakenRows, resolve
from dsir.output import AddedColumns, Writer, open_writer
from dsir.primitive_arrays import to_arrow


def writer_at(stem: Path) -> Writer:
    return open_writer("jsonl", stem, schema=None, added=AddedColumns("log_weight"))


def taken_of(lines: list[bytes]) -> TakenRows:
    rows = np.arange(len(lines), dtype=np.int64)
    return TakenRows(
        rows, pa.nulls(len(lines), pa.string()), lines=pa.array(lines, pa.large_binary())
    )


def test_lines_and_weights(tmp_path: Path) -> None:
    lines = [b'{"text": "a" }', b'  {"text":"\\u00e9", "x": 1e400}\r', b"\xff not even text"]
    with writer_at(tmp_path / "data" / "part-00000") as writer:
        writer.write(taken_of(lines[:2]), [to_arrow(np.array([-1.5, 0.25]))], np.array([7, 2**40]))
        writer.write(taken_of([]), [to_arrow(np.zeros(0))], np.array([], dtype=np.int64))
        writer.write(taken_of(lines[2:]), [to_arrow(np.array([-0.0]))], np.array([2**41]))
    assert (tmp_path / "data" / "part-00000.jsonl").read_bytes() == b"\n".join([*lines, b""])
    weights = feather.read_table(tmp_path / "_dsir" / "weights" / "part-00000.arrow")
    assert weights.to_pydict() == {"row": [7, 2**40, 2**41], "log_weight": [-1.5, 0.25, -0.0]}
    assert not any(field.nullable for field in weights.schema)
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == [
        "part-00000.arrow",
        "part-00000.jsonl",
    ]


def test_paths_are_returned_lines_first(tmp_path: Path) -> None:
    assert writer_at(tmp_path / "data" / "a").close() == [
        tmp_path / "data" / "a.jsonl",
        tmp_path / "_dsir" / "weights" / "a.arrow",
    ]


@settings(max_examples=30, deadline=None)
@given(
    lines=st.lists(st.text(max_size=30).map(lambda text: text.replace("\n", "")), min_size=1),
    newline=st.sampled_from(["\n", "\r\n"]),
    data=st.data(),
)
def test_from_file_to_file_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], newline: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    content = newline.join(['{"text": ""}', *lines]).encode()
    (folder / "in.jsonl").write_bytes(content)
    (shard,) = resolve(folder / "in.jsonl").shards
    count = sum(len(batch.text) for batch in shard.text_batches(on_error="skip"))
    wanted = np.array(sorted(data.draw(st.sets(st.integers(0, count - 1)))), dtype=np.int64)
    with writer_at(folder / "data" / "out") as writer:
        for taken in shard.take(wanted):
            writer.write(taken, [to_arrow(np.zeros(len(taken.rows)))], taken.rows)
    originals = [line for line in content.split(b"\n") if line.strip(b" \t\r")]
    expected = b"".join(originals[row] + b"\n" for row in wanted)
    assert (folder / "data" / "out.jsonl").read_bytes() == expected


def test_both_files_appear_when_whole_or_not_at_all(tmp_path: Path) -> None:
    writer = writer_at(tmp_path / "data" / "a")
    writer.write(taken_of([b"{}"]), [to_arrow(np.zeros(1))], np.zeros(1, dtype=np.int64))
    assert not (tmp_path / "data" / "a.jsonl").exists()
    assert not (tmp_path / "_dsir" / "weights" / "a.arrow").exists()
    writer.abort()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_weights_are_read_by_no_one_as_a_corpus(tmp_path: Path) -> None:
    with writer_at(tmp_path / "data" / "a") as writer:
        writer.write(
            taken_of([b'{"text": "x"}']), [to_arrow(np.zeros(1))], np.zeros(1, dtype=np.int64)
        )
    (shard,) = resolve(tmp_path).shards
    assert Path(shard.name).name == "a.jsonl"


def test_the_output_depends_on_the_rows_alone(tmp_path: Path) -> None:
    lines = [b'{"text": "%d"}' % i for i in range(30)]
    weights = np.arange(30, dtype=np.float64)
    for stem, cuts in (("a", [0, 30]), ("b", [0, 1, 17, 30])):
        with writer_at(tmp_path / "data" / stem) as writer:
            for first, last in pairwise(cuts):
                writer.write(
                    taken_of(lines[first:last]),
                    [to_arrow(weights[first:last])],
                    np.arange(first, last),
                )
    for one, other in (
        ("data/a.jsonl", "data/b.jsonl"),
        ("_dsir/weights/a.arrow", "_dsir/weights/b.arrow"),
    ):
        assert (tmp_path / one).read_bytes() == (tmp_path / other).read_bytes()
