import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsir import RowError, SettingError
from dsir.graph import sentences, summarize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\n\t", []),
        ("One", ["One"]),
        ("One. Two! Three? Four… Five", ["One.", "Two!", "Three?", "Four…", "Five"]),
        ("Really?! Yes... No.", ["Really?!", "Yes...", "No."]),
        ("It costs 3.50 at v1.2.Now", ["It costs 3.50 at v1.2.Now"]),
        ("wait... what? he said", ["wait... what? he said"]),
        ("Dr. Smith met J. Doe, e.g. Vol. 3. Then left.",
         ["Dr. Smith met J. Doe, e.g. Vol. 3.", "Then left."]),
        ("So am I. You too.", ["So am I.", "You too."]),
        ('He said "Go." (And went.) "Ok"', ['He said "Go."', "(And went.)", '"Ok"']),
        ("wrapped\nline. Next\nline", ["wrapped\nline.", "Next\nline"]),
        ("A title\n\nThe text. More\n \t\r\nend", ["A title", "The text.", "More", "end"]),
        ("你好。再见\uff01「好。」对", ["你好。", "再见\uff01", "「好。」", "对"]),
        ("Ende. Übung. École. été", ["Ende.", "Übung.", "École. été"]),
        ("No 3. 4 more", ["No 3.", "4 more"]),
        ("?!", ["?!"]),
    ],
)  # fmt: skip
def test_the_plain_rule(text, expected):
    assert sentences(text) == expected
    assert sentences([text, None, text]).to_pylist() == [expected, [], expected]


@given(st.text(alphabet="aBcé .!?\n\"'。(\u2028)…") | st.text())
def test_nothing_is_lost(text):
    if any("\ud800" <= c <= "\udfff" for c in text):
        with pytest.raises(RowError):
            sentences(text)
        return
    found = sentences(text)
    squeezed = "".join(c for c in text if not c.isspace())
    assert "".join(c for one in found for c in one if not c.isspace()) == squeezed
    for one in found:
        assert one == one.strip()
        assert one in text
    assert sentences([text]).to_pylist() == [found]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_documents_in_bulk(kind):
    texts = ["A b. C d.", None, "", "E"]
    found = sentences(pa.array(texts, kind))
    assert found.type == pa.large_list(pa.large_string())
    assert found.to_pylist() == [["A b.", "C d."], [], [], ["E"]]
    table = pa.table({"body": pa.array(texts).dictionary_encode()})
    assert sentences(table, column="body").to_pylist() == found.to_pylist()
    assert sentences([]).to_pylist() == []


def test_bad_texts():
    array = pa.array([b"ok.", b"\xff"], pa.binary()).view(pa.string())
    for language in (None, "en"):
        if language is not None:
            pytest.importorskip("sentencex")
        with pytest.raises(RowError, match="row 1: the text is not UTF-8"):
            sentences(pa.table({"text": array}), language=language)
    with pytest.raises(RowError, match="lone surrogate"):
        sentences("a \ud800")


def test_a_library_for_languages():
    pytest.importorskip("sentencex")
    text = "Es gilt z. B. das. Er kam am 3. Mai an.\n\nUnd ging."
    assert sentences(text, language="de")[-1] == "Und ging."
    assert sentences("Hello Dr. Smith. Fine.", language="en") == ["Hello Dr. Smith.", "Fine."]
    assert sentences(["A. B c.", None], language="en").to_pylist()[1] == []
    with pytest.raises(SettingError, match="expected a code"):
        sentences("a", language="")


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sentencex", None)
    with pytest.raises(SettingError, match=r"pip install 'dsir\[sentences\]'"):
        sentences("a", language="en")


@pytest.mark.parametrize("language", ["Klingon", "tlh", "EN", "xx", "", 5, "english", "-de"])
def test_a_language_that_nothing_knows_is_refused(language):
    for call in (
        lambda: sentences("A text.", language=language),
        lambda: summarize(["A text."], language=language),
        lambda: summarize(["A text."], language=language, split=False),
    ):
        with pytest.raises(SettingError, match="there are rules for am ar bg"):
            call()


def test_languages_of_a_region_and_near_languages_are_split():
    pytest.importorskip("sentencex")
    for language in ("de", "de-at", "sv", "zh-hant"):
        assert sentences("One here. Two there.", language=language)[0] == "One here."
