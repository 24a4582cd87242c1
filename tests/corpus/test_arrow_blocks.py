"""Footers of Arrow files that do not list all record batches are refused, whoever reads them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import dsir
from dsir.cli.main import app
from dsir.corpus import resolve
from dsir.corpus.arrow_blocks import check_blocks
from dsir.corpus.buffers import check_buffers
from dsir.errors import ShardError

TABLE = pa.table(
    {
        "text": [f"text {row}" for row in range(90)],
        "site": pa.array([f"s{row % 7}" for row in range(90)]).dictionary_encode(),
    }
)


def arrow(table: pa.Table = TABLE, rows: int = 30, **options) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue()


def check(data: bytes) -> None:
    check_blocks(pa.PythonFile(io.BytesIO(data), mode="r"))


@pytest.mark.parametrize("rows", [1, 30, 90, 1000])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd"},
        {"use_legacy_format": True, "metadata_version": pa.ipc.MetadataVersion.V4},
        {"emit_dictionary_deltas": True},
    ],
)
def test_files_of_pyarrow_pass(rows, options):
    check(arrow(rows=rows, **options))
    check(arrow(TABLE.slice(0, 0), rows=rows, **options))


@pytest.mark.parametrize("rows", [None, 20])
def test_files_of_polars_pass(tmp_path, rows):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"text": TABLE["text"].to_pylist(), "n": range(90)})
    frame = frame.with_columns(polars.col("n").cast(polars.String).cast(polars.Categorical))
    frame.write_ipc(tmp_path / "a.arrow", record_batch_size=rows)
    check((tmp_path / "a.arrow").read_bytes())
    (shard,) = resolve(tmp_path / "a.arrow", text="text").shards
    assert sum(len(batch.text) for batch in shard.text_batches(on_error="raise")) == 90


def without_batches(data: bytes, kept: int, first: int = 0) -> bytes:
    """Make the footer list fewer record batches: some from the first on, or from another on."""
    length = int.from_bytes(data[-10:-6], "little")
    footer = bytearray(data[-10 - length : -10])
    table = int.from_bytes(footer[:4], "little")
    offsets = table - int.from_bytes(footer[table : table + 4], "little", signed=True)
    place = offsets + 4 + 2 * 3
    field = table + int.from_bytes(footer[place : place + 2], "little")
    vector = field + int.from_bytes(footer[field : field + 4], "little")
    blocks = footer[vector + 4 + 24 * first : vector + 4 + 24 * (first + kept)]
    footer[vector : vector + 4] = kept.to_bytes(4, "little")
    footer[vector + 4 : vector + 4 + len(blocks)] = blocks
    return data[: -10 - length] + bytes(footer) + data[-10:]


@pytest.mark.parametrize(("kept", "first"), [(2, 0), (2, 1), (1, 1), (0, 0)])
def test_record_batches_that_the_footer_leaves_out_are_missed(tmp_path, kept, first):
    path = tmp_path / "fewer.arrow"
    path.write_bytes(without_batches(arrow(), kept, first))
    assert pa.ipc.open_file(path).read_all().num_rows == 30 * kept
    (shard,) = resolve(path, text="text").shards
    for read in (
        lambda: list(shard.text_batches(on_error="skip")),
        lambda: list(shard.take(np.array([0]))),
        shard.read_table,
        shard.schema,
    ):
        with pytest.raises(ShardError, match="the Arrow footer is damaged"):
            read()


def test_files_without_an_end_are_refused():
    data = arrow()
    for cut in range(len(data)):
        with pytest.raises(ValueError, match=r"footer"):
            check(data[:cut])


@pytest.fixture
def bad_offset(tmp_path) -> Path:
    """An Arrow file in which an offset of the column beside the text leads far away."""
    rows = 60
    texts = [f"some text number {row} of the ship" for row in range(rows)]
    data = arrow(pa.table({"text": texts, "side": [f"value{row % 3}" for row in range(rows)]}), 60)
    offsets = (6 * np.arange(rows + 1)).astype("<i4").tobytes()
    at = data.index(offsets) + 4 * 31
    path = tmp_path / "bad.arrow"
    path.write_bytes(data[:at] + (1 << 30).to_bytes(4, "little") + data[at + 4 :])
    return path


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_damage_beside_the_text_ends_the_run_and_names_the_column(bad_offset, tmp_path, on_error):
    settings = {"n": 3, "min_tokens": 0, "progress": False, "on_error": on_error}
    with pytest.raises(ShardError, match=r"bad\.arrow: .*column 'side': Offset invariant failure"):
        dsir.select(bad_offset, ["of the ship"] * 20, out=tmp_path / "out", **settings)


@pytest.mark.parametrize("roles", [["--features", "text"], ["--features", "side"]])
def test_gais_refuses_damage_in_any_column(bad_offset, tmp_path, roles):
    command = ["gais", str(bad_offset), "--label", "text", *roles, "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert "column 'side': Offset invariant failure" in done.stderr
    said = done.stderr.strip().splitlines()
    assert [line for line in said if line.startswith("dsir: ")] == said[-1:]


def test_types_that_pyarrow_cannot_read_are_refused():
    class Batch:
        schema = pa.schema([("span", pa.month_day_nano_interval())])

        def column(self, place: int) -> pa.Array:
            # pyarrow reads intervals of months in schemas only, and cannot write them.
            raise KeyError(21)

    with pytest.raises(pa.ArrowNotImplementedError, match=r"column 'span' is .*interval, which"):
        check_buffers(Batch())
