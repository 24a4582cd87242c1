"""The fast reader of JSON text and the one that goes line by line say the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
    either = json_text.read_texts(one, field)
    slow = json_text._parse_line_by_line(one, field)
    assert either.text.to_pylist() == slow.text.to_pylist()
    assert (either.bad, either.lacking, either.fields, either.having) == (
        slow.bad,
        slow.lacking,
        slow.fields,
        slow.having,
    )


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


def test_plain_objects_take_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("went line by line")

    monkeypatch.setattr(json_text, "_parse_line_by_line", refuse)
    lines = [b'{"text": "a", "meta": {"k": 1}}', b'{"meta": "x", "text": "b"}', b'{"text": null}']
    assert json_text.read_texts(block(lines), ("text",)).text.to_pylist() == ["a", "b", None]
    nested = [b'{"doc": {"body": "a"}}', b'{"doc": null}']
    read = json_text.read_texts(block(nested), ("doc", "body"))
    assert read.text.to_pylist() == ["a", None]


def test_many_fields_are_cut_short() -> None:
    line = json.dumps({f"field{i}": 1 for i in range(100)}).encode()
    ((_, reason),) = json_text.read_texts(block([line]), ("text",)).bad
    assert reason.endswith("field19, and 80 more")
