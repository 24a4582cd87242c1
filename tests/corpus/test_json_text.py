"""The core's reader of JSON text and Python's, which is the arbiter, say the same."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dsir import _core
from dsir._core import line_spans
from dsir.corpus import json_text
from dsir.corpus.line_blocks import LineBlock

SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.dictionaries(
    st.sampled_from(["text", "doc", "id"]) | st.text(max_size=4), VALUES, max_size=4
)
TEXT_OBJECTS = st.builds(
    lambda rest, text: {**rest, "text": text}, OBJECTS, st.none() | st.text(max_size=12)
)
DOC_OBJECTS = st.builds(
    lambda rest, doc: {**rest, "doc": doc},
    OBJECTS,
    st.none() | st.dictionaries(st.sampled_from(["body", "k"]), st.none() | st.text(max_size=5)),
)


def block(lines: list[bytes]) -> LineBlock:
    data = b"\n".join(lines)
    starts, ends, objects, _ = line_spans(data)
    return LineBlock(data, 0, 0, starts, ends, objects, len(lines))


def read_both(lines: list[bytes], field: tuple[str, ...]) -> None:
    one = block(lines)
    read = json_text.read_texts(one, field)
    read.text.validate(full=True)
    arbiter = [json_text._read_line(one.row_bytes(index), field) for index in range(one.rows)]
    assert read.text.type == pa.string()
    assert read.text.to_pylist() == [line.text for line in arbiter]
    reasons = [(index, line.reason) for index, line in enumerate(arbiter) if line.reason]
    assert list(read.bad) == reasons
    lacking = [line for line in arbiter if line.lacks_field]
    assert read.lacking == len(lacking)
    assert read.fields == (lacking[0].fields if lacking else "")
    assert read.having == one.rows - len(lacking) - sum(not line.is_object for line in arbiter)


@settings(max_examples=150, deadline=None)
@given(
    objects=st.lists(OBJECTS | TEXT_OBJECTS | DOC_OBJECTS, min_size=1, max_size=6),
    ascii_only=st.booleans(),
    field=st.sampled_from([("text",), ("doc", "body"), ("doc.body",)]),
)
@example(objects=[{"text": "a"}, {"text": None}, {}], ascii_only=True, field=("text",))
@example(objects=[{"doc": None}, {"doc": {}}, {"id": 1}], ascii_only=True, field=("doc", "body"))
def test_both_readers_agree_on_objects(
    objects: list[dict[str, object]], ascii_only: bool, field: tuple[str, ...]
) -> None:
    read_both([json.dumps(one, ensure_ascii=ascii_only).encode() for one in objects], field)


@settings(max_examples=150, deadline=None)
@given(objects=st.lists(TEXT_OBJECTS, min_size=1, max_size=4), data=st.data())
def test_both_readers_agree_on_damaged_lines(
    objects: list[dict[str, object]], data: st.DataObject
) -> None:
    lines = [json.dumps(one).encode() for one in objects]
    number = data.draw(st.integers(0, len(lines) - 1))
    line = bytearray(lines[number])
    position = data.draw(st.integers(0, len(line) - 1))
    # Letters and signs that JSON gives a meaning, and some that it does not.
    line[position] = data.draw(st.sampled_from(b'{}[]":,\\ x0\t\xff\xe9'))
    lines[number] = bytes(line)
    read_both(lines, ("text",))


# Pieces of lines, right and wrong; whatever is put together of them has to be read alike.
PIECES = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b",", b":", b'"', b" ", b"\t", b"\r", b"\\", b"\x0c", b"\0"),
        *(b'{"text":', b'"text": "a"', b'"text": null', b'"doc": {', b'"body": "b"', b'"k": 1'),
        *(b'"t\\u0065xt":', b'"\\ud83d\\ude00"', b'"\\ud83d"', b'"\\ude00\\ud83d"', b"\\u00e9"),
        *(
            b"\\n",
            b'\\"',
            b"\\/",
            b"\\x",
            b"\\u12",
            b"\\u00G0",
            b"\\u0000",
            b"\\",
            b"\\\\",
            b"\x7f",
        ),
        *(b"true", b"false", b"null", b"nul", b"NaN", b"Infinity", b"-Infinity", b"True"),
        *(b"0", b"-0", b"01", b"1.", b".5", b"1.5e3", b"1e", b"1E+9", b"-", b"+1", b"1e999"),
        *(b"7" * 400, b"[" * 200, b"]" * 200, b'{"a":' * 130, b"}" * 130, b"x" * 70, b" " * 70),
        *(
            "é語😀".encode(),
            b"\xff",
            b"\xe9",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xef\xbb\xbf",
        ),
    ]
)
FIELDS = st.sampled_from([("text",), ("doc", "body"), ("doc.body",), ("é",), ("",), ('"',)])


@settings(max_examples=400, deadline=None)
@given(lines=st.lists(st.lists(PIECES, max_size=8), min_size=1, max_size=4), field=FIELDS)
def test_both_readers_agree_on_what_is_put_together(
    lines: list[list[bytes]], field: tuple[str, ...]
) -> None:
    read_both([b"{" + b"".join(pieces) for pieces in lines], field)


@settings(max_examples=300, deadline=None)
@given(
    objects=st.lists(TEXT_OBJECTS | DOC_OBJECTS, min_size=1, max_size=3),
    ascii_only=st.booleans(),
    changes=st.lists(
        st.tuples(st.integers(0, 1 << 16), st.integers(0, 3), PIECES), min_size=1, max_size=3
    ),
    field=FIELDS,
)
def test_both_readers_agree_on_lines_with_pieces_exchanged(
    objects: list[dict[str, object]],
    ascii_only: bool,
    changes: list[tuple[int, int, bytes]],
    field: tuple[str, ...],
) -> None:
    lines = [bytearray(json.dumps(one, ensure_ascii=ascii_only).encode()) for one in objects]
    for number, (position, removed, piece) in enumerate(changes):
        line = lines[number % len(lines)]
        at = position % (len(line) + 1)
        line[at : at + removed] = piece
    read_both([bytes(line) for line in lines], field)


@settings(max_examples=150, deadline=None)
@given(
    raw=st.lists(st.binary(max_size=5) | st.text(max_size=70).map(str.encode), max_size=8),
    name=st.sampled_from([b"text", b"other"]),
)
def test_both_readers_agree_on_bytes_in_strings(raw: list[bytes], name: bytes) -> None:
    content = b"".join(raw).translate(None, b'\n"')
    read_both([b'{"' + name + b'": "' + content + b'", "text2": 1}'], ("text",))


@pytest.mark.parametrize(
    "line",
    [
        b'{"text": "a", "text": "b"}',
        b'{"text": "a", "t\\u0065xt": null}',
        b'{"text": null, "text": "b"}',
        b'{"text": "\\ud800", "text": "b"}',
        b'{"text": "a", "x": NaN}',
        b'{"text": "a", "x": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"text": "\\u0000\\ud83d\\ude00\\uD83D\\uDE00\\/"}',
        b' {\t"text"\r: \t"a" }\t',
        b'{"text": "a", "x": -0, "y": 1e999, "z": "\\ud800"}',
    ],
)
def test_what_python_takes_is_taken(line: bytes) -> None:
    one = block([line, b'{"text": "before"}', line])
    expected = json.loads(line)["text"]
    read = json_text.read_texts(one, ("text",))
    assert read.text.to_pylist() == [expected, "before", expected]
    assert read.bad == ()
    assert read.having == 3


def test_plain_lines_are_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("looked at a line again")

    monkeypatch.setattr(json_text, "_read_line", refuse)
    lines = [
        b'{"text": "a", "meta": {"k": [1, {}]}}',
        b'{"meta": "x", "text": "b"}',
        b'{"text": null}',
    ]
    assert json_text.read_texts(block(lines), ("text",)).text.to_pylist() == ["a", "b", None]
    nested = [
        b'{"doc": {"body": "a\\n"}}',
        b'{"doc": null}',
        b'{"t\\u0065xt": 1, "doc": {"body": null}}',
    ]
    read = json_text.read_texts(block(nested), ("doc", "body"))
    assert read.text.to_pylist() == ["a\n", None, None]


def test_what_the_core_refuses_to_read() -> None:
    def ask(starts: list[int], ends: list[int], field: list[bytes]) -> object:
        return _core.json_texts(b'{"text": 1}', np.array(starts), np.array(ends), field)

    for starts, ends in (([0], [12]), ([-1], [3]), ([5], [4]), ([0, 1], [2])):
        with pytest.raises(ValueError, match="line"):
            ask(starts, ends, [b"text"])
    with pytest.raises(ValueError, match="name"):
        ask([0], [11], [])


def test_many_fields_are_cut_short() -> None:
    line = json.dumps({f"field{i}": 1 for i in range(100)}).encode()
    ((_, reason),) = json_text.read_texts(block([line]), ("text",)).bad
    assert reason.endswith("field19, and 80 more")
