"""The table of formats: what each row names is there, and does what the row says."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pytest

from dsir.corpus import resolve
from dsir.corpus.file_shard import FileShard
from dsir.formats import FORMATS, SUFFIXES, Format, format_of, how_read, loaded
from dsir.output import Writer, open_writer

TABLE = pa.table({"text": ["a b", "c d", "e f"], "id": [1, 2, 3]})
formats = pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.kind)


@formats
def test_readers_are_of_the_corpus_and_writers_of_the_output(form: Format) -> None:
    assert form.writer.startswith("dsir.output.")
    assert issubclass(loaded(form.writer), Writer)
    assert format_of(form.kind) is form
    if form.row_counter is not None:
        assert form.row_counter.startswith("dsir.output.")
    if form.reader is None:
        assert form.suffixes == form.suffixes_by_name == ()
        return
    assert form.reader.startswith("dsir.corpus.")
    reader = loaded(form.reader)
    assert issubclass(reader, FileShard)
    assert reader.kind == form.kind


def test_no_suffix_is_of_two_formats() -> None:
    every = [suffix for form in FORMATS for suffix in (*form.suffixes, *form.suffixes_by_name)]
    assert len({*every}) == len(every)
    assert all(f"{suffix}, " in SUFFIXES or f"{suffix} (" in SUFFIXES for suffix in every)


@formats
def test_the_suffix_decides(form: Format) -> None:
    for suffix in (*form.suffixes, *form.suffixes_by_name):
        for name in (f"a{suffix}", f"a.b{suffix.upper()}", f"a.gz{suffix}"):
            assert how_read(PurePosixPath(name)) == (form, None, suffix in form.suffixes)
        for last, compression in form.compressions.items():
            assert how_read(PurePosixPath(f"a.b{suffix}{last}")) == (form, compression, True)
            assert how_read(PurePosixPath(f"a{suffix}{last}{last}")) is None
        assert how_read(PurePosixPath(f"a{suffix}.bak")) is None
        assert how_read(PurePosixPath(suffix)) is None  # A hidden file without a suffix.
    for last in form.compressions:
        assert how_read(PurePosixPath(f"a{last}")) is None


@formats
def test_what_is_written_is_counted_and_read_again(form: Format, tmp_path: Path) -> None:
    source: object = TABLE
    if form.rows_are_lines:
        source = tmp_path / f"in{form.suffixes[0]}"
        source.write_text("".join(f'{{"text": "{text}"}}\n' for text in TABLE["text"].to_pylist()))
    [shard] = resolve(source).shards
    with open_writer(form.kind, tmp_path / "out", schema=shard.schema()) as writer:
        for taken in shard.take(np.arange(3)):
            writer.write(taken, [pa.array(np.zeros(3))], taken.rows)
        path = writer.close()[0]
    as_parquet = form.writer == format_of("parquet").writer
    suffix = ".parquet" if as_parquet else form.suffixes[0]
    assert path == tmp_path / f"out{suffix}"
    found = how_read(path)
    assert found is not None
    assert found.format.writer == form.writer
    if form.row_counter is None:
        assert path.read_bytes().count(b"\n") == 3
    else:
        assert loaded(form.row_counter)(path) == 3
    [again] = resolve(path).shards
    [batch] = again.text_batches(on_error="raise")
    assert batch.text.to_pylist() == TABLE["text"].to_pylist()
