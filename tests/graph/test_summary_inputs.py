"""What summaries may be made of: lists, vectors, tokens of every kind, stems, stop words."""

import numpy as np
import pyarrow as pa
import pytest

import dsir
from dsir import SettingError
from dsir.graph import Idf, sentences, summarize
from dsir.lexrank.cutting import Cutting

DOCUMENTS = [
    "The ship left at dawn. The court sat late. A ship at dawn left the harbour.",
    "At dawn the harbour was full. Flour was dear.",
]
CHINESE = "北京的书店很大很新。上海的图书馆很大。北京的图书馆很新。羊吃草。"
JAPANESE = "東京の本屋は大きいです。京都の図書館は大きいです。東京の図書館は新しいです。雨が降る。"
THAI = ["ร้านหนังสือที่กรุงเทพใหญ่มาก", "ห้องสมุดที่เชียงใหม่ใหญ่มาก", "ห้องสมุดที่กรุงเทพใหม่มาก"]


def rows(summary):
    return list(zip(summary.documents.tolist(), summary.positions.tolist(), strict=True))


@pytest.mark.parametrize("kind", ["lists", "chunks", "table", "numpy"])
def test_sentences_that_are_split_already(kind):
    expected = summarize(DOCUMENTS, sentences=2)
    split = sentences(DOCUMENTS)
    source = {
        "lists": split.to_pylist(),
        "chunks": split,
        "table": pa.table({"body": split}),
        "numpy": tuple(tuple(one) for one in split.to_pylist()),
    }[kind]
    found = summarize(source, sentences=2, lists="sentences", text="body")
    assert (found.sentences, rows(found)) == (expected.sentences, rows(expected))
    assert len(summarize([None, [], ["Ship."]], lists="sentences")) == 1


def test_tokens():
    lines = ["ship left dawn", "court sat late", "ship dawn harbour"]
    tokens = [line.split() for line in lines]
    expected = summarize(lines, sentences=2, split=False)
    found = summarize(tokens, sentences=2, lists="tokens")
    assert (found.sentences, rows(found)) == (expected.sentences, rows(expected))
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert summarize(tokens, tokens=4, lists="tokens").words <= 4


@pytest.mark.parametrize(
    ("texts", "given", "message"),
    [
        ([["a b"]], {}, 'lists="sentences"'),
        ([["a b"]], {"lists": "tokens"}, "which is no token"),
        ([["a", 1]], {"lists": "tokens"}, "holds int"),
        (["a b"], {"lists": "sentences"}, "element 0 is str"),
        (3, {"lists": "sentences"}, "found int"),
        ([["a"]], {"lists": "tokens", "tokenizer": "chars"}, "not both"),
        ([["\ud800"]], {"lists": "sentences"}, "half a surrogate"),
        ([["\ud800"]], {"lists": "tokens"}, "half a surrogate"),
        (["a b"], {"tokenizer": lambda text: text}, "is not a list of tokens"),
        (["a b"], {"tokenizer": lambda text: [1]}, "gave 1, which is no str"),
    ],
)
def test_lists_that_are_unclear(texts, given, message):
    with pytest.raises(SettingError, match=message):
        summarize(texts, **given)


@pytest.mark.parametrize("method", ["coverage", "mmr", "submodular", "centroid", "lead"])
def test_embeddings_take_the_place_of_terms(method):
    text = "One ship. Two courts. Three ovens. Four masts."
    near, far = [1.0, 0.1, 0.0], [0.3, 1.0, 0.2]
    vectors = np.array([near, near, near, far], dtype=np.float32)
    found = summarize(text, method=method, sentences=1, embeddings=vectors)
    assert found.text != "Four masts."
    more = {"diversity": 0.9} if method == "mmr" else {}
    pairs = summarize(text, method=method, sentences=2, embeddings=vectors, **more)
    if method in ("coverage", "mmr", "centroid"):
        assert "Four masts." in pairs.sentences  # The others repeat each other.
    assert summarize(text, sentences=1, embeddings=vectors.tolist()).sentences


@pytest.mark.parametrize("tokenizer", dsir._core.TOKENIZERS)
def test_tokenizers_of_the_core(tokenizer):
    if tokenizer == "ids":
        return
    cut = Cutting(tokenizer)
    assert cut.tokens("Ships sail.") == dsir.HashedNgrams(tokenizer=tokenizer).tokens("Ships sail.")
    found = summarize(DOCUMENTS, tokenizer=tokenizer, tokens=40)
    assert 0 < sum(len(cut.tokens(one)) for one in found) <= 40


def test_words_are_the_tokens_of_the_core():
    plain = summarize(DOCUMENTS, sentences=2)
    named = summarize(DOCUMENTS, sentences=2, tokenizer="wordpunct")
    assert named.sentences == plain.sentences
    np.testing.assert_allclose(named.scores, plain.scores, rtol=1e-12)


@pytest.mark.parametrize(
    ("texts", "odd"),
    [(CHINESE, "羊吃草。"), (JAPANESE, "雨が降る。"), ([*THAI, "ฝนตก"], "ฝนตก")],
)
def test_pairs_of_characters(texts, odd):
    given = {"tokenizer": "chars", "ngram": 2, "split": isinstance(texts, str)}
    found = summarize(texts, sentences=2, **given)
    assert len(found) == 2
    assert odd not in found.sentences
    assert Cutting("chars", ngram=2).terms("北京。书店") == ["北 京", "京 书", "书 店"]
    assert sum(map(len, summarize(texts, characters=30, **given))) <= 30


def test_sentences_of_languages_without_spaces():
    assert len(sentences(CHINESE)) == 4
    assert len(sentences(JAPANESE)) == 4
    assert sentences("行くと言った。次は\uff1fはい\uff01") == [
        "行くと言った。",
        "次は\uff1f",
        "はい\uff01",
    ]


def test_stems_join_the_forms_of_a_word():
    pytest.importorskip("snowballstemmer")
    assert Cutting(stems="de").terms("Die Häuser und das Haus.") == Cutting(stems="de").terms(
        "die haus und das haus"
    )
    lines = ["ships sailed", "a ship sails", "the courts", "flour"]
    found = summarize(lines, method="centroid", sentences=2, stems="en", redundancy=1, split=False)
    assert found.sentences == lines[:2]
    with pytest.raises(SettingError, match=r"stems='en': the idf was fitted with stems=None"):
        summarize(lines, stems="en", idf=Idf().fit(lines))
    stemmed = Idf(stems="en").fit(lines)
    assert stemmed["ship"] == pytest.approx(np.log(2))
    assert summarize(lines, stems="en", idf=stemmed, split=False).sentences
    with pytest.raises(SettingError, match=r"stems=None: the idf was fitted with stems='en'"):
        summarize(lines, idf=stemmed)


def test_an_idf_of_other_terms_is_saved_and_read(tmp_path):
    pytest.importorskip("snowballstemmer")
    texts = ["ships sail", "ships sank", "日本 語"]
    for given in ({"stems": "en"}, {"tokenizer": "chars", "ngram": 2}, {"tokenizer": "unicode"}):
        made = Idf(**given).fit(texts)
        made.save(tmp_path / "x.idf")
        read = Idf.load(tmp_path / "x.idf")
        assert (read.terms, read.documents) == (made.terms, 3)
        assert read.cutting == made.cutting
        assert summarize(texts, idf=read, split=False, **given).sentences
    with pytest.raises(SettingError, match="only a tokenizer with a name can be saved"):
        Idf(tokenizer=str.split).fit(texts).save(tmp_path / "y.idf")
    with pytest.raises(SettingError, match="ngram"):
        Idf(ngram=2).merge(Idf())


def test_an_idf_that_cannot_read_its_text():
    bad = pa.array([b"good", b"\xff"], pa.binary()).view(pa.utf8())
    with pytest.raises(dsir.InputError, match="row 1"):
        Idf(tokenizer="chars").fit(pa.table({"text": bad}))


def test_stop_words_of_a_language():
    pytest.importorskip("stop_words")
    assert Cutting(stopwords="de").terms("Das Schiff und der Hafen") == ["schiff", "hafen"]
    with pytest.raises(SettingError, match="stopwords='xx'"):
        summarize("Ein Text.", stopwords="xx")


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "snowballstemmer", None)
    monkeypatch.setitem(__import__("sys").modules, "stop_words", None)
    with pytest.raises(SettingError, match=r"pip install 'dsir\[languages\]'"):
        summarize("Ein Text.", stems="de")
    with pytest.raises(SettingError, match=r"pip install 'dsir\[languages\]'"):
        summarize("Ein Text.", stopwords="de")
