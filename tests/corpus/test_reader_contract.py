"""What every reader does, whatever the format: see `dsir.corpus.shard.Shard`.

A new reader gets all of these tests by one line in `readers.READERS`.
"""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dsir import _core
from dsir.corpus import Corpus, Shard, TextBatch, resolve
from dsir.corpus.batches import ReadLimits
from dsir.corpus.shard import OnError
from dsir.corpus.skipped import bad_rows_of
from dsir.corpus.windows.shard import chunked
from dsir.errors import InputError, RowError, ShardError, TextColumnError
from readers import BAD_ROW, READERS, ROWS, TABLE, TEXTS, Reader, with_bad_text


@pytest.fixture(params=READERS, ids=lambda reader: reader.name)
def reader(request: pytest.FixtureRequest) -> Reader:
    return request.param


@pytest.fixture
def shard(reader: Reader, tmp_path: Path) -> Shard:
    return shard_of(reader.write(tmp_path, TABLE))


@pytest.fixture(params=[one for one in READERS if one.is_file], ids=lambda one: one.name)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file of each of the readers of files."""
    return request.param.write(tmp_path, TABLE)


def shard_of(source: object, text: str = "text") -> Shard:
    [shard] = resolve(source, text=text).shards
    return shard


def windows_of(shard: Shard) -> Shard:
    [windows] = chunked(Corpus((shard,), "raw"), 4, 3).shards
    return windows


def batches_of(shard: Shard, on_error: OnError = "raise", **how: object) -> Iterator[TextBatch]:
    """All batches; makes sure that the row numbers have no gap."""
    row = 0
    for batch in shard.text_batches(on_error=on_error, **how):  # type: ignore[arg-type]
        assert batch.unit_row == row
        row += len(batch.text)
        yield batch


def texts_of(shard: Shard, on_error: OnError = "raise", **how: object) -> list[str | None]:
    return [text for batch in batches_of(shard, on_error, **how) for text in batch.text.to_pylist()]


def bad_in(batch: TextBatch) -> list[int]:
    """The bad rows of a batch: the reader's, and those that the core refuses."""
    refused = _core.TermCounter(words_only=True, stopwords=[], keep_rows=False).add(
        batch.text, threads=1
    )
    return [bad.row for bad in bad_rows_of(batch, refused.tolist())]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch_bytes", [None, 1, 700])
def test_every_row_comes_once_in_order(shard, batch_bytes, threads):
    assert texts_of(shard, batch_bytes=batch_bytes, threads=threads) == TEXTS


def test_limits_change_how_much_is_read_at_a_time_and_nothing_else(shard):
    limited = shard.limited(ReadLimits(batch_bytes=300))
    assert texts_of(limited) == TEXTS
    assert limited.identity() == shard.identity()
    rows = np.arange(0, ROWS, 7)
    assert [text for one in limited.take(rows) for text in one.text.to_pylist()] == TEXTS[::7]
    if shard.file is not None:
        assert limited.limits.batch_bytes == 300
        assert windows_of(shard).limited(limited.limits).limits == limited.limits


@pytest.mark.parametrize("rows", [range(ROWS), [0], [ROWS - 1], range(3, ROWS, 50), [38, 39, 40]])
def test_rows_are_taken_by_their_number(shard, rows):
    wanted = np.array(rows, dtype=np.int64)
    found = list(shard.take(wanted))
    assert np.concatenate([taken.rows for taken in found]).tolist() == wanted.tolist()
    assert [text for one in found for text in one.text.to_pylist()] == [TEXTS[row] for row in rows]
    for taken in found:
        assert (taken.records is None) == (shard.schema() is None) == (taken.lines is not None)
        if taken.records is not None:
            assert taken.records.schema.equals(shard.schema(), check_metadata=True)
            ids = taken.records["id"].to_pylist()
        else:
            ids = [json.loads(line)["id"] for line in taken.lines.to_pylist()]
        assert [*map(int, ids)] == taken.rows.tolist()


def test_no_rows_are_taken_of_none(shard):
    assert list(shard.take(np.zeros(0, np.int64))) == []


def test_a_row_behind_the_last_is_refused(shard):
    with pytest.raises(ShardError, match=r"row 300 was asked for, but the shard has 300 rows"):
        list(shard.take(np.array([5, ROWS])))


def test_a_source_without_rows(reader, tmp_path):
    shard = shard_of(reader.write(tmp_path, TABLE.slice(0, 0)))
    assert texts_of(shard) == texts_of(windows_of(shard)) == []
    assert shard.rows_in_metadata() in (0, None)
    assert shard.without_damage() is None


def test_the_number_of_rows_is_right_where_it_is_known_beforehand(shard):
    assert shard.rows_in_metadata() in (ROWS, None)
    assert shard.surveyed().rows_in_metadata() in (ROWS, None)


def test_a_shard_travels(shard):
    for one in (shard, shard.surveyed(), windows_of(shard)):
        again = pickle.loads(pickle.dumps(one))
        assert again == one
        assert again.identity() == one.identity()
        assert texts_of(again) == texts_of(one)


def test_another_source_is_another_shard(reader, tmp_path):
    first = shard_of(reader.write(tmp_path, TABLE))
    was = first.identity()
    assert first.identity() == was
    first.check_unchanged()
    second = shard_of(reader.write(tmp_path, TABLE.slice(1)))
    assert second.identity() != was
    second.check_unchanged()
    assert windows_of(second).identity() != windows_of(first).identity()
    assert windows_of(second).identity() != second.identity()
    if first.file is not None:
        with pytest.raises(ShardError, match="changed while the run was going on"):
            first.check_unchanged()
        with pytest.raises(ShardError, match="changed while the run was going on"):
            windows_of(first).check_unchanged()


def test_groups_come_with_the_texts(reader, shard, monkeypatch):
    monkeypatch.setattr("dsir.corpus.batches.BATCH_BYTES", 700)
    for one in (shard, windows_of(shard)):
        for batch in batches_of(one, groups=["lang", "where.page"]):
            row = np.arange(len(batch.text)) + batch.unit_row
            documents = row if batch.origin is None else batch.origin.row
            expected = TABLE.take(documents)
            for values, column in zip(batch.groups, ("lang", "page"), strict=True):
                names = [json.loads(values.names[code]) for code in values.codes]
                if column == "page" and not reader.typed:
                    names = [*map(int, names)]
                found = expected["lang"] if column == "lang" else expected["where"]
                assert names == [
                    value if column == "lang" else value["page"] for value in found.to_pylist()
                ]


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_column_for_groups_that_is_not_there(shard, on_error):
    with pytest.raises(ShardError, match="country"):
        texts_of(shard, on_error, groups=["country"])


def test_a_text_column_that_is_not_there(reader, tmp_path):
    source = reader.write(tmp_path, TABLE)
    with pytest.raises(TextColumnError, match="body"):
        texts_of(shard_of(source, "body"), "skip")


def test_a_nested_text_column(reader, tmp_path):
    nested = pa.table({"id": TABLE["id"], "doc": [{"body": text} for text in TEXTS]})
    assert texts_of(shard_of(reader.write(tmp_path, nested), "doc.body")) == TEXTS


def test_bad_rows_are_listed_or_refused(reader, tmp_path):
    """A text that is not UTF-8 is found by the reader or by the core, and harms no other row."""
    shard = shard_of(reader.write(tmp_path, with_bad_text(TABLE)))
    found, texts = [], []
    for batch in batches_of(shard, "skip"):
        bad = bad_in(batch)
        found += bad
        texts += [
            None if batch.unit_row + at in bad else batch.text[at].as_py()
            for at in range(len(batch.text))
        ]
    assert found == [BAD_ROW]
    assert texts == [text if row != BAD_ROW else None for row, text in enumerate(TEXTS)]
    windows = [
        (batch.origin.row[at], text)
        for batch in batches_of(windows_of(shard), "skip")
        for at, text in enumerate(batch.text.to_pylist())
    ]
    assert [text for row, text in windows if row == BAD_ROW] == [None]
    assert [b.row for batch in batches_of(windows_of(shard), "skip") for b in batch.bad] == found
    with pytest.raises(RowError) as caught:
        texts_of(windows_of(shard))
    assert (caught.value.path, caught.value.row) == (shard.name, BAD_ROW)


def test_parts_cover_the_whole(shard):
    for whole in (shard, windows_of(shard)):
        known = whole.surveyed()
        bounds = known.bounds(max(1, shard.size // 5))
        assert bounds == known.bounds(max(1, shard.size // 5))
        assert known.bounds(1 << 40) == ()
        parts = known.parts(bounds)
        assert sum(part.size for part in parts) == whole.size
        assert len(parts) == (len(bounds) - 1 if bounds else 1)
        assert [text for part in parts for text in texts_of(part)] == texts_of(whole)
        before = 0
        for part in parts:
            documents = texts_of(part.documents)
            assert part.rows_before() == part.placed(before).rows_before() == before
            assert (part.name, part.kind, part.file) == (whole.name, whole.kind, whole.file)
            assert part.whole().size == whole.size
            assert part.identity() == known.identity()
            assert documents == TEXTS[before : before + len(documents)]
            before += len(documents)
        assert before == ROWS


def test_windows_are_taken_by_their_place(shard):
    windows = windows_of(shard)
    assert windows.is_windows
    assert not shard.is_windows
    assert windows.documents is shard
    assert shard.documents is shard
    assert (windows.kind, windows.name, windows.size) == (shard.kind, shard.name, shard.size)
    assert windows.kept_as is None
    rows, starts, texts = [], [], []
    for batch in batches_of(windows):
        rows += batch.origin.row.tolist()
        starts += batch.origin.start.tolist()
        texts += batch.text.to_pylist()
    assert sorted({*rows}) == [*range(ROWS)]
    there = [at for at, text in enumerate(texts) if text is not None]
    taken = windows.take_windows(
        np.array([rows[at] for at in there]),
        np.array([starts[at] for at in there]),
        np.array([len(texts[at].encode()) for at in there]),
    )
    assert [text for one in taken for text in one.text.to_pylist()] == [texts[at] for at in there]
    for refused in (
        lambda: list(windows.take(np.array([0]))),
        lambda: windows.read_table(),
        lambda: list(shard.take_windows(np.array([0]), np.array([0]), np.array([1]))),
    ):
        with pytest.raises(NotImplementedError, match="taken by"):
            refused()


def test_what_is_kept_of_rows_is_what_is_taken(shard):
    rows = np.arange(2, ROWS, 9)
    taken = list(shard.take(rows))
    if shard.kept_as == "lines":
        lines = [
            line
            for batch in batches_of(shard)
            for line in batch.lines.original_lines(np.arange(len(batch.text))).to_pylist()
        ]
        expected = [line for one in taken for line in one.lines.to_pylist()]
        assert [lines[row] for row in rows] == expected
    elif shard.kept_as == "records":
        beside = pa.Table.from_batches(shard.take_beside(rows))
        assert beside.to_pylist() == TABLE.drop_columns("text").take(rows).to_pylist()
    else:
        with pytest.raises(NotImplementedError, match="not kept"):
            list(shard.take_beside(rows))


def test_lines_that_were_put_aside_are_read_as_before(shard, tmp_path):
    path = tmp_path / "lines"
    if shard.kept_as != "lines":
        assert not shard.worth_spooling
        with pytest.raises(NotImplementedError, match="not put aside"):
            shard.spooled(path)
        return
    path.write_bytes(b"".join(bytes(batch.lines.data) for batch in batches_of(shard)))
    spooled = shard.spooled(path)
    assert texts_of(spooled) == TEXTS
    assert (spooled.name, spooled.size, spooled.kind) == (shard.name, shard.size, shard.kind)


def test_the_whole_table_is_read_whatever_its_columns(reader, shard):
    expected = TABLE if reader.typed else TABLE.flatten()  # CSV has nothing nested.
    for threads in (1, 2):
        found = shard.read_table(threads=threads)
        assert found.select(expected.column_names).to_pylist() == expected.to_pylist()
    if shard.schema() is not None and reader.typed:
        assert found.schema.equals(shard.schema(), check_metadata=True)


def test_nothing_is_damaged_in_what_is_sound(shard):
    every = np.arange(ROWS)
    for one in (shard, windows_of(shard)):
        assert one.without_damage() is None
        assert one.damaged_of(every) == ()
        assert texts_of(one.without(())) == texts_of(one)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_file_of_no_bytes(file, on_error):
    shard = shard_of(file)
    file.write_bytes(b"")
    for read in (
        lambda: texts_of(shard, on_error),
        lambda: list(shard.take(np.array([0]))),
        lambda: shard.read_table(),
    ):
        with pytest.raises(ShardError, match=r"is empty \(0 bytes\)"):
            read()


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_file_that_is_gone(file, on_error):
    shard = shard_of(file)
    file.unlink()
    for read in (
        lambda: texts_of(shard, on_error),
        lambda: texts_of(windows_of(shard), on_error),
        lambda: list(shard.take(np.array([0]))),
        lambda: shard.read_table(),
        shard.check_unchanged,
    ):
        with pytest.raises(ShardError) as caught:
            read()
        assert caught.value.path == shard.name
        assert "\n" not in str(caught.value)


def bad_rows_or_error(shard: Shard) -> list[int] | InputError:
    """What reading comes to when bad rows are passed over."""
    try:
        return [row for batch in batches_of(shard, "skip") for row in bad_in(batch)]
    except InputError as error:
        return error


def test_a_file_that_is_cut_off(file):
    """No row is lost in silence: the file is refused, or the row that it breaks off in."""
    data = file.read_bytes()
    for size in (len(data) // 3 + 1, len(data) // 2, len(data) - 9):
        file.write_bytes(data[:size])
        shard = shard_of(file)
        with pytest.raises(InputError) as caught:
            texts_of(shard)
        assert caught.value.path == shard.name
        assert "\n" not in str(caught.value)
        found = bad_rows_or_error(shard)
        assert isinstance(found, ShardError) or len(found) == 1
        with pytest.raises(ShardError) as refused:
            shard.read_table()
        assert refused.value.path == shard.name


def test_flipped_bytes_are_a_matter_of_the_file(file):
    """Whatever is wrong with a file, its error is one of dsir's and names the file."""
    data = bytearray(file.read_bytes())
    refused = 0
    for at in range(3, len(data), max(1, len(data) // 97)):
        file.write_bytes(bytes([*data[:at], data[at] ^ 0x55, *data[at + 1 :]]))
        found = bad_rows_or_error(shard_of(file).surveyed())
        if isinstance(found, InputError):
            assert found.path == str(file)
        refused += found != []
    assert refused


def test_a_folder_in_place_of_the_file(file):
    shard = shard_of(file)
    file.unlink()
    file.mkdir()
    with pytest.raises(ShardError, match="is not a regular file"):
        shard.check_unchanged()


def test_several_iterations_do_not_disturb_each_other(shard):
    """Files are opened inside the methods and never held."""
    pairs = itertools.zip_longest(batches_of(shard, batch_bytes=1), batches_of(shard))
    first, second = zip(*pairs, strict=True)
    for batches in (first, second):
        texts = [text for one in batches if one is not None for text in one.text.to_pylist()]
        assert texts == TEXTS
