"""Windows of JSON Lines: their lines are those of the documents but for the text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir.corpus import resolve
from dsir.corpus.windows.lines import WindowLine
from dsir.corpus.windows.records import ORIGIN_COLUMNS
from dsir.corpus.windows.shard import chunked
from dsir.errors import OutputError, RowError


def lines_of(path: Path, text: str = "text", tokens: int = 1) -> list[str]:
    """The lines of all windows that have a text."""
    (shard,) = chunked(resolve(path, text=text), tokens).shards
    rows, starts, lengths = [], [], []
    for batch in shard.text_batches(on_error="skip"):
        for row, start, window in zip(
            batch.origin.row.tolist(), batch.origin.start.tolist(), batch.text, strict=True
        ):
            if window.is_valid:
                rows.append(row)
                starts.append(start)
                lengths.append(len(window.as_py().encode()))
    places = [np.array(numbers, dtype=np.int64) for numbers in (rows, starts, lengths)]
    return [
        line.decode() for taken in shard.take_windows(*places) for line in taken.lines.to_pylist()
    ]


@pytest.mark.parametrize(
    ("text", "line", "filled"),
    [
        # Everything but the text stays byte for byte: numbers beyond any type, spaces, escapes.
        (
            "text",
            ' { "a" : 1e400, "b":1.10,"text" : "x\\u00e9", "n": '
            + "9" * 5000
            + ',"s":"\\ud800" } ',
            ' { "a" : 1e400, "b":1.10,"text" : "xé", "n": '
            + "9" * 5000
            + ',"s":"\\ud800" ,"source_row":0,"chunk_start":0,"chunk_stop":2} ',
        ),
        (
            "text",
            '{"text":"\\"q\\"","x":{"text":"no","a":[{"text":null}]},"y":[]}',
            '{"text":"\\"","x":{"text":"no","a":[{"text":null}]},"y":[]'
            ',"source_row":0,"chunk_start":0,"chunk_stop":1}',
        ),
        (
            "doc.body",
            '{"body":"no","doc":{"text":"no","body":"é x","n":{"body":"no"}}}',
            '{"body":"no","doc":{"text":"no","body":"é","n":{"body":"no"}}'
            ',"source_row":0,"chunk_start":0,"chunk_stop":1}',
        ),
        (
            "doc.body",
            '{"doc":{"body":"no"},"doc.body":"x y"}',
            '{"doc":{"body":"no"},"doc.body":"x","source_row":0,"chunk_start":0,"chunk_stop":1}',
        ),
        (
            "text",
            '{"x":' + "[" * 9000 + "]" * 9000 + ',"text":"a"}',
            '{"x":'
            + "[" * 9000
            + "]" * 9000
            + ',"text":"a","source_row":0,"chunk_start":0,"chunk_stop":1}',
        ),
        (
            "text",
            '{"text":"a\\u2028b"}',
            '{"text":"a","source_row":0,"chunk_start":0,"chunk_stop":1}',
        ),
    ],
)
def test_lines_keep_what_is_not_text(tmp_path, text, line, filled):
    path = tmp_path / "a.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    # What precedes and follows a line is the reader's: it does not belong to the row.
    assert lines_of(path, text)[0].strip() == filled.strip()


def test_lines_after_a_carriage_return(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text":"a b"}\r\n\r\n{"text":"c"}')
    assert [line.rstrip("\r") for line in lines_of(path)] == [
        '{"text":"a","source_row":0,"chunk_start":0,"chunk_stop":1}',
        '{"text":"b","source_row":0,"chunk_start":2,"chunk_stop":3}',
        '{"text":"c","source_row":1,"chunk_start":0,"chunk_stop":1}',
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@settings(max_examples=100)
@given(
    before=st.dictionaries(st.text(max_size=4), JSON, max_size=3),
    after=st.dictionaries(st.text(max_size=4), JSON, max_size=3),
    words=st.lists(st.sampled_from(["a", "é", '"', "\\", "😀", "\u2028"]), min_size=1, max_size=9),
    ascii_only=st.booleans(),
)
def test_any_record(tmp_path_factory, before, after, words, ascii_only):
    record = {**before, "text": " ".join(words), **after}
    record["text"] = " ".join(words)
    path = tmp_path_factory.mktemp("any") / "a.jsonl"
    line = json.dumps(record, ensure_ascii=ascii_only)
    try:
        path.write_text(line + "\n", encoding="utf-8")
    except UnicodeEncodeError:
        return  # A lone surrogate outside an escape is no UTF-8.
    for number, made in enumerate(lines_of(path, tokens=100)):
        assert number == 0
        found = json.loads(made)
        start, stop = found.pop("chunk_start"), found.pop("chunk_stop")
        assert found.pop("source_row") == 0
        assert found.pop("text") == record["text"][start:stop]
        del record["text"]
        assert repr(found) == repr(record)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text":"y"}', "its text is not the one that was read"),
        ('{"text":["x"]}', "its text is not the one that was read"),
        ('{"tex":"x"}', "its text is not the one that was read"),
        ('{"text":"x"', "cannot be parsed as JSON"),
        ('{"text":"x","a":[{}}', "cannot be parsed as JSON"),
        ('{"text":"x",5:6}', "cannot be parsed as JSON"),
        ('{"text":"x', "cannot be parsed as JSON"),
        ('{"text":"x","b":}', "cannot be parsed as JSON"),
    ],
)
def test_a_line_that_is_another_than_before(line, message):
    with pytest.raises(RowError, match=f"a.jsonl: row 3: {message}"):
        WindowLine(line.encode(), "text", "x", "a.jsonl: row 3")


@pytest.mark.parametrize("column", ORIGIN_COLUMNS)
def test_a_field_of_an_added_name(tmp_path, column):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"text":"a"}}\n{{"text":"a","{column}":1}}\n')
    with pytest.raises(OutputError, match=rf"row 1: already has a field '{column}'"):
        lines_of(path)
