"""What is given as a model and is none: a message that says what the file is, and what to give."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import dsir
from dsir.cli.main import app

TABLE = pa.table({"text": ["the tide and the ship"] * 3})


@pytest.fixture(params=["Parquet", "gzip", "an Arrow file"])
def other(request, tmp_path) -> tuple[str, Path]:
    path = tmp_path / "given"
    if request.param == "Parquet":
        pq.write_table(TABLE, path)
    elif request.param == "gzip":
        path.write_bytes(gzip.compress(b'{"text": "the tide"}\n'))
    else:
        with pa.ipc.new_file(path, TABLE.schema) as file:
            file.write_table(TABLE)
    return request.param, path


def test_the_message_says_what_the_file_is(other):
    title, path = other
    with pytest.raises(dsir.ModelError) as caught:
        dsir.load_model(path)
    assert str(caught.value) == (
        f"{path}: is {title}, not a model; give the file of a model, or the folder of a selection"
    )


def test_the_command_says_so_too(other):
    title, path = other
    found = CliRunner().invoke(app, ["explain", str(path), "the tide"])
    assert found.exit_code == 1
    assert f"is {title}, not a model" in found.stderr


def test_a_large_file_is_not_read_to_say_so(tmp_path):
    path = tmp_path / "corpus.parquet"
    with path.open("wb") as file:
        file.write(b"PAR1\x15\x04")
        file.truncate(1 << 43)  # A hole: more than any memory.
    with pytest.raises(dsir.ModelError, match="is Parquet, not a model"):
        dsir.load_model(path)
