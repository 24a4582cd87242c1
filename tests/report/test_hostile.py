"""Texts and names that try to be more than text."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsir.report.markup import escaped, joined, tag
from dsir.report.write import MOST_BYTES

ATTACKS = [
    "<script>document.title = 'taken'</script> ship sail sea",
    "</p></main><style>*{display:none}</style><img src=x onerror=alert(1)> ship",
    "--><!-- ]]> <![CDATA[ &lt;b&gt; &amp;amp; \" ' ` sail",
    "\u202eevil\u202c \u2066isolate\u2069 \u200f\u061c ship \u2028 line \u2029",
    "null \x00 bell \x07 escape \x1b[31m delete \x7f next \x85 ship",
    "tags \U000e0041\U000e007f mark \ufeff ship",
    "z\u0310\u0311\u0312" * 400 + " ship",
    "שלום عالم ship sail",
    "word" * 300_000,
    "ship " * 250_000,
]


@pytest.fixture(scope="module")
def page(tmp_path_factory, select_to, page_of):
    folder = tmp_path_factory.mktemp("hostile")
    raw, wanted = folder / "<i>raw&.jsonl", folder / 'tar"get.jsonl'
    rows = [{"text": text, "source": text[:300]} for text in ATTACKS * 2]
    rows += [{"text": "court judge law " * 9, "source": "law"}] * 40
    raw.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    texts = [*ATTACKS[:8] * 9, "ship sail sea " * 20]
    wanted.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    return page_of(select_to(folder / "out", raw=raw, target=wanted, n=16, min_tokens=1))


def test_no_text_becomes_a_tag(page):
    assert page.unbalanced == []
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert not {"img", "i", "b"} & {name for name, _ in page.elements}
    assert "document.title = 'taken'" in page.text("main")


def test_what_nobody_would_see_is_shown(page):
    html = page.html
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", html
    )
    for name in ("U+202E", "U+2066", "U+0000", "U+001B", "U+E0041"):
        assert name in page.text("main")


def test_directions_end_where_they_began(page):
    texts = [one for one in page.all("p") if one.get("class") == "text"]
    assert texts
    assert all(one["dir"] == "auto" for one in texts)
    assert page.all("bdi")


def test_a_long_line_is_cut_off_and_the_page_says_so(page):
    assert len(page.html.encode()) < MOST_BYTES
    assert re.search(r"… 1,(199|249),\d{3} more characters", page.text()) or re.search(
        r"… 1,\d{3},\d{3} more characters|… 1,04\d,\d{3} more characters", page.text()
    )


def test_a_page_that_would_be_too_large_shows_less_of_each_text(
    selected, page_of, monkeypatch, tmp_path
):
    from dsir.report import write

    whole = len(page_of(selected).html)
    monkeypatch.setattr(write, "MOST_BYTES", whole // 2)
    assert len(page_of(selected).html.encode()) <= whole // 2


@given(st.text())
def test_any_text_stays_text(text):
    html = escaped(text)
    assert "<" not in re.sub(r'<span class="unseen">U\+[0-9A-F]{4,6}</span>', "", html)
    assert not re.search("[\x00-\x08\u202a-\u202e]", html)
    assert '"' not in html.replace('<span class="unseen">', "")


@given(st.text(), st.text())
def test_any_attribute_stays_in_its_quotes(value, child):
    html = tag("p", child, title=value, hidden=False, lang=None, inert=True)
    assert re.fullmatch(r'<p title="[^"<>]*" inert>.*</p>', html, re.DOTALL)


def test_markup_is_not_escaped_twice_and_numbers_have_separators():
    assert joined("a < b", tag("b", 1234), None, [["x"], "&"]) == "a &lt; b<b>1,234</b>x&amp;"
    assert tag("a", "x < y", href="#top", class_="quiet") == (
        '<a href="#top" class="quiet">x &lt; y</a>'
    )
