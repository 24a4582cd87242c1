"""JSON Lines shards: what a row is, which rows are bad, and lines kept byte for byte."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import re
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir.corpus import BadRow, Shard, TextBatch, resolve
from dsir.errors import EmptyCorpusError, RowError, ShardError, TextColumnError

SUFFIXES = ["", ".gz", ".zst", ".bz2", ".lz4"]


def compress(content: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        return gzip.compress(content)
    if suffix == ".bz2":
        return bz2.compress(content)
    if suffix in (".zst", ".lz4"):
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd" if suffix == ".zst" else "lz4") as stream:
            stream.write(content)
        return sink.getvalue().to_pybytes()
    return content


def shard(path: Path, content: bytes, text: str = "text") -> Shard:
    path.write_bytes(content)
    (one,) = resolve(path, text=text).shards
    return one


def read(one: Shard, on_error: str = "raise") -> list[TextBatch]:
    batches = list(one.text_batches(on_error=on_error))
    rows = 0
    for batch in batches:
        assert batch.unit_row == rows
        rows += len(batch.text)
    return batches


def texts_of(one: Shard, on_error: str = "raise") -> list[str | None]:
    return [text for batch in read(one, on_error) for text in batch.text.to_pylist()]


def bad_of(one: Shard) -> list[BadRow]:
    return [bad for batch in read(one, "skip") for bad in batch.bad]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_compressions(tmp_path: Path, suffix: str) -> None:
    content = b'{"text": "one"}\n{"text": null}\n{"text": "\xe8\xaa\x9e"}'
    one = shard(tmp_path / f"a.jsonl{suffix}", compress(content, suffix))
    assert one.kind == "jsonl"
    assert one.rows_in_metadata() is None
    assert one.schema() is None
    assert texts_of(one) == ["one", None, "語"]


@pytest.mark.parametrize("suffix", [".gz", ".zst", ".bz2"])
def test_concatenated_streams_are_read_whole(tmp_path: Path, suffix: str) -> None:
    parts = [b'{"text": "a"}\n{"te', b'xt": "b"}\n', b'{"text": "c"}\n' * 1000]
    one = shard(tmp_path / f"a.jsonl{suffix}", b"".join(compress(part, suffix) for part in parts))
    assert texts_of(one) == ["a", "b"] + ["c"] * 1000


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.none() | st.text(max_size=20), min_size=1, max_size=40),
    ascii_only=st.booleans(),
    suffix=st.sampled_from(SUFFIXES),
    newline=st.sampled_from(["\n", "\r\n"]),
    block=st.sampled_from([1, 30, 200, 8 << 20]),
    piece=st.sampled_from([1, 7, 1 << 18]),
    blanks=st.lists(st.integers(0, 40), max_size=5),
    final_newline=st.booleans(),
    data=st.data(),
)
def test_rows_in_are_rows_out(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str | None],
    ascii_only: bool,
    suffix: str,
    newline: str,
    block: int,
    piece: int,
    blanks: list[int],
    final_newline: bool,
    data: st.DataObject,
) -> None:
    rows = [json.dumps({"id": i, "text": t}, ensure_ascii=ascii_only) for i, t in enumerate(texts)]
    lines = list(rows)
    for position in blanks:
        lines.insert(position, data.draw(st.sampled_from(["", " ", "\t ", "  \r"])))
    content = (newline.join(lines) + newline * final_newline).encode()
    wanted = np.array(sorted(data.draw(st.sets(st.integers(0, len(texts) - 1)))), dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dsir.corpus.line_blocks.BLOCK_BYTES", block)
        patch.setattr("dsir.corpus.line_blocks._PIECE_BYTES", piece)
        path = tmp_path_factory.mktemp("rows") / f"a.jsonl{suffix}"
        one = shard(path, compress(content, suffix))
        batches = read(one)
        taken = list(one.take(wanted))
    assert [text for batch in batches for text in batch.text.to_pylist()] == texts
    counted = content.split(b"\n")
    if counted[-1] == b"":
        counted.pop()
    assert sum(batch.blank_lines for batch in batches) == len(counted) - len(texts)
    assert [row for part in taken for row in part.rows.tolist()] == wanted.tolist()
    assert [text for part in taken for text in part.text.to_pylist()] == [texts[r] for r in wanted]
    originals = [line for line in content.split(b"\n") if line.strip()]
    assert [line for part in taken for line in part.lines.to_pylist()] == [
        originals[row] for row in wanted
    ]
    assert all(part.records is None for part in taken)


def test_batches_are_bounded(tmp_path: Path) -> None:
    line = json.dumps({"text": "x" * 1000}).encode() + b"\n"
    batches = read(shard(tmp_path / "a.jsonl", line * 20_000))
    assert len(batches) >= 2
    assert max(batch.text.nbytes for batch in batches) < 10 << 20
    assert sum(len(batch.text) for batch in batches) == 20_000


def test_long_line(tmp_path: Path) -> None:
    long = "z" * 30_000_000
    lines = [json.dumps({"text": text}) for text in ("short", long, "after")]
    one = shard(tmp_path / "a.jsonl", "\n".join(lines).encode())
    assert [len(text or "") for text in texts_of(one)] == [5, 30_000_000, 5]
    (part,) = one.take(np.array([1]))
    assert part.lines.to_pylist() == [lines[1].encode()]


def test_other_fields_of_mixed_types(tmp_path: Path) -> None:
    lines = [
        b'{"text": "a", "meta": {"k": 1}}',
        b'{"meta": "words", "text": "b", "more": [1, "x", {"y": [null]}]}',
        b'{"text": "c", "meta": null, "more": 3}',
        b'{"text": "d", "big": 123456789012345678901234567890, "meta": NaN}',
        b'{"text": "e", "digits": ' + b"7" * 5000 + b"}",
        b'{"text": "f", "text2": "\\ud800", "meta": -Infinity}',
        b'{"meta": 1, "meta": 2, "text": "g"}',
        b'{"text": "first", "text": "last"}',
        b'{"text": "deep", "x": ' + b"[" * 500 + b"]" * 500 + b"}",
    ]
    expected = ["a", "b", "c", "d", "e", "f", "g", "last", "deep"]
    # On their own (the fast reader where it can) and together (line by line).
    for number, (line, text) in enumerate(zip(lines, expected, strict=True)):
        assert texts_of(shard(tmp_path / f"{number}.jsonl", line)) == [text]
    assert texts_of(shard(tmp_path / "all.jsonl", b"\n".join(lines))) == expected


GOOD = b'{"text": "good"}'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "broken', "broken JSON: Unterminated string at character 9"),
        (b'{"text": "a"} trailing', "broken JSON: Extra data"),
        (b'{"text": "a"}{"text": "b"}', "broken JSON: Extra data"),
        (b'{"text": "a",}', "broken JSON: "),
        (b'{"text": "a\tb"}', "broken JSON: Invalid control character"),
        (b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "broken JSON: nested too deep"),
        (b"[1, 2]", "the line is a list, not an object"),
        (b'"text"', "the line is a string, not an object"),
        (b"12", "the line is a number, not an object"),
        (b"null", "the line is null, not an object"),
        (b"true", "the line is true or false, not an object"),
        (b'{"text": 12.5}', "text is a number, not a string"),
        (b'{"text": false}', "text is true or false, not a string"),
        (b'{"text": ["a"]}', "text is a list, not a string"),
        (b'{"text": {"a": "b"}}', "text is an object, not a string"),
        (b'{"body": "b", "id": 3}', "no field 'text'; fields: body, id"),
        (b"{}", "no field 'text'; fields: none"),
        (b'{"text": "\\ud83d"}', "half a surrogate pair"),
        (b'{"text": "caf\xe9"}', "invalid UTF-8 at byte 13 of the line"),
        (b'{"text": "fine", "other": "\xff"}', "invalid UTF-8"),
        (b'{"text": "\xed\xa0\x80"}', "invalid UTF-8"),
        (b"\x0c", "broken JSON: "),
        (b"\0", "broken JSON: "),
    ],
)
def test_bad_lines(tmp_path: Path, line: bytes, reason: str) -> None:
    # A blank line before: rows and lines are counted apart.
    one = shard(tmp_path / "a.jsonl", b"\n".join([GOOD, b"", line, GOOD]))
    (bad,) = bad_of(one)
    assert bad.row == 1
    assert reason in bad.reason
    assert texts_of(one, "skip") == ["good", None, "good"]
    with pytest.raises(RowError) as caught:
        read(one)
    assert caught.value.row == 1
    assert caught.value.path == str(tmp_path / "a.jsonl")
    assert "a.jsonl: row 1 (line 3): " in str(caught.value)
    assert reason in str(caught.value)


def test_bad_rows_in_later_blocks_have_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsir.corpus.line_blocks.BLOCK_BYTES", 100)
    monkeypatch.setattr("dsir.corpus.line_blocks._PIECE_BYTES", 10)
    one = shard(tmp_path / "a.jsonl", b"\n \n".join([GOOD] * 50 + [b"[]"] + [GOOD] * 50))
    assert bad_of(one) == [BadRow(50, "the line is a list, not an object")]
    with pytest.raises(RowError, match=r"row 50 \(line 101\)"):
        read(one)
    assert sum(batch.blank_lines for batch in read(one, "skip")) == 100


def test_null_and_missing_are_told_apart(tmp_path: Path) -> None:
    one = shard(tmp_path / "a.jsonl", b'{"text": "a"}\n{"text": null}\n{"id": 1}\n')
    assert texts_of(one, "skip") == ["a", None, None]
    assert bad_of(one) == [BadRow(2, "no field 'text'; fields: id")]


def test_objects_across_lines_are_not_rows(tmp_path: Path) -> None:
    # Two objects on one line and one object on two lines: as many objects as lines.
    content = b'{"text": "a"}{"text": "b"}\n{"text":\n"c"}\n'
    one = shard(tmp_path / "a.jsonl", content)
    assert [bad.row for bad in bad_of(one)] == [0, 1, 2]


def test_pretty_printed_json_is_not_json_lines(tmp_path: Path) -> None:
    one = shard(tmp_path / "a.json", json.dumps([{"text": "a"}], indent=1).encode())
    with pytest.raises(RowError, match="row 0"):
        read(one)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_no_line_has_the_field(tmp_path: Path, on_error: str) -> None:
    one = shard(tmp_path / "a.jsonl", b'{"id": 1, "body": "x"}\n{"id": 2}\n')
    with pytest.raises(TextColumnError) as caught:
        read(one, on_error)
    assert "no line has a field 'text'" in str(caught.value)
    assert "id, body" in str(caught.value)


def test_the_field_comes_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsir.corpus.line_blocks.BLOCK_BYTES", 50)
    monkeypatch.setattr("dsir.corpus.line_blocks._PIECE_BYTES", 10)
    one = shard(tmp_path / "a.jsonl", b'{"id": 1}\n' * 100 + GOOD)
    assert len(bad_of(one)) == 100
    assert texts_of(one, "skip") == [None] * 100 + ["good"]
    with pytest.raises(RowError, match="row 0 "):
        read(one)


def test_all_null(tmp_path: Path) -> None:
    assert texts_of(shard(tmp_path / "a.jsonl", b'{"text": null}\n' * 3)) == [None] * 3


def test_nested_text(tmp_path: Path) -> None:
    lines = [
        b'{"doc": {"body": "a", "k": 1}}',
        b'{"doc": null}',
        b'{"doc": {"body": null}}',
        b'{"doc": {"k": 1}}',
        b'{"id": 1}',
        b'{"doc": "words"}',
        b'{"doc": {"body": 3}}',
    ]
    one = shard(tmp_path / "a.jsonl", b"\n".join(lines), "doc.body")
    assert texts_of(one, "skip") == ["a", None, None, None, None, None, None]
    assert bad_of(one) == [
        BadRow(3, "no field 'doc.body'; fields: doc"),
        BadRow(4, "no field 'doc.body'; fields: id"),
        BadRow(5, "doc is a string, not an object"),
        BadRow(6, "doc.body is a number, not a string"),
    ]
    fast = shard(tmp_path / "b.jsonl", b"\n".join(lines[:3]), "doc.body")
    assert texts_of(fast) == ["a", None, None]


def test_exact_field_name_wins_over_nested(tmp_path: Path) -> None:
    content = b'[]\n{"doc.body": "exact", "doc": {"body": "nested"}}\n'
    one = shard(tmp_path / "a.jsonl", content, "doc.body")
    assert texts_of(one, "skip") == [None, "exact"]


def test_lines_longer_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsir.corpus.line_blocks.BLOCK_BYTES", 40)
    monkeypatch.setattr("dsir.corpus.line_blocks._PIECE_BYTES", 10)
    texts = ["é" * length for length in (0, 300, 1, 1000, 39, 40, 41)]
    content = "\n".join(json.dumps({"text": text}) for text in texts).encode()
    assert texts_of(shard(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + content)) == texts


def test_byte_order_mark(tmp_path: Path) -> None:
    one = shard(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + GOOD + b"\r\n" + GOOD)
    assert texts_of(one) == ["good", "good"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_empty_file(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(EmptyCorpusError, match=r"nothing to read: .*a.jsonl.* is empty"):
        shard(tmp_path / f"a.jsonl{suffix}", b"")


def test_nothing_but_blank_lines(tmp_path: Path) -> None:
    one = shard(tmp_path / "a.jsonl", b"\n \r\n\t\n")
    assert texts_of(one) == []
    assert sum(batch.blank_lines for batch in read(one)) == 3


@pytest.mark.parametrize("suffix", [".gz", ".zst", ".bz2", ".lz4"])
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_truncated(tmp_path: Path, suffix: str, on_error: str) -> None:
    rng = np.random.default_rng(1)
    lines = [json.dumps({"text": rng.bytes(300).hex()}).encode() + b"\n" for _ in range(2000)]
    content = compress(b"".join(lines), suffix)
    one = shard(tmp_path / f"a.jsonl{suffix}", content[: len(content) * 3 // 4])
    with pytest.raises(ShardError, match=r"breaks off after about [\d,]+ rows: ") as caught:
        read(one, on_error)
    assert f"a.jsonl{suffix}" in str(caught.value)
    with pytest.raises(ShardError, match="breaks off"):
        list(one.take(np.array([1999])))


def test_truncated_says_where(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    lines = [json.dumps({"text": rng.bytes(300).hex()}).encode() + b"\n" for _ in range(100)]
    content = gzip.compress(b"".join(lines))
    content = content[: len(content) // 2]
    whole = zlib.decompressobj(wbits=31).decompress(content).count(b"\n")
    with pytest.raises(ShardError) as caught:
        read(shard(tmp_path / "a.jsonl.gz", content))
    said = re.search(r"breaks off after about (\d+) rows", str(caught.value))
    assert said is not None
    # What is lost between the two is less than a piece: 14 of these lines.
    assert whole - 14 <= int(said[1]) <= whole


def test_truncated_in_a_later_block_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsir.corpus.line_blocks.BLOCK_BYTES", 160_000)
    monkeypatch.setattr("dsir.corpus.line_blocks._PIECE_BYTES", 1000)
    rng = np.random.default_rng(3)
    lines = [json.dumps({"text": rng.bytes(300).hex()}).encode() + b"\n" for _ in range(2000)]
    content = gzip.compress(b"".join(lines))
    for share in (0.31, 0.52, 0.97):
        part = content[: int(len(content) * share)]
        whole = zlib.decompressobj(wbits=31).decompress(part).count(b"\n")
        one = shard(tmp_path / "a.jsonl.gz", part)
        with pytest.raises(ShardError) as caught:
            read(one)
        said = re.search(r"breaks off after about ([\d,]+) rows", str(caught.value))
        assert said is not None
        # Not a piece of 20,000 bytes is lost, but one of 1000: two of these lines.
        assert whole - 2 <= int(said[1].replace(",", "")) <= whole


@pytest.mark.parametrize("suffix", [".gz", ".zst", ".bz2", ".lz4"])
@pytest.mark.parametrize("tail", [5, 1])
def test_truncated_in_the_trailer(tmp_path: Path, suffix: str, tail: int) -> None:
    content = compress(GOOD + b"\n", suffix)
    one = shard(tmp_path / f"a.jsonl{suffix}", content[:-tail])
    with pytest.raises(ShardError):
        read(one, "skip")


@pytest.mark.parametrize("suffix", [".gz", ".zst", ".bz2", ".lz4"])
def test_not_what_the_suffix_says(tmp_path: Path, suffix: str) -> None:
    for content, message in ((b"words " * 20, "cannot be read as"), (lzma.compress(GOOD), "is xz")):
        one = shard(tmp_path / f"a.jsonl{suffix}", content)
        with pytest.raises(ShardError, match=message):
            read(one, "skip")


def test_take_beyond_the_end(tmp_path: Path) -> None:
    one = shard(tmp_path / "a.jsonl", GOOD + b"\n\n" + GOOD)
    with pytest.raises(ShardError, match=r"row 2 was asked for, but the shard has 2 rows"):
        list(one.take(np.array([0, 2])))


def test_take_of_a_bad_row_has_no_text(tmp_path: Path) -> None:
    one = shard(tmp_path / "a.jsonl", GOOD + b"\n[]\n")
    (part,) = one.take(np.array([0, 1]))
    assert part.text.to_pylist() == ["good", None]
    assert part.lines.to_pylist() == [GOOD, b"[]"]
