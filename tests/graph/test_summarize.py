import numpy as np
import pyarrow as pa
import pytest

from dsir import SettingError
from dsir.graph import Idf, lexrank, sentences, summarize
from dsir.lexrank.summaries.candidates import words_in

# Most texts here are few and of words drawn at random, so scores are often equal.
pytestmark = pytest.mark.filterwarnings("error", "ignore:LexRank. :dsir.DsirWarning")

DOCUMENTS = [
    "The ship left the harbour at dawn. The court sat late. A ship at dawn left the harbour.",
    "",
    "At dawn the harbour was full of ships. Flour was dear. The ship left the harbour at dawn!",
]


def greedy(brute_force, texts, scores, *, count, words, redundancy):
    """The choice, over all pairs."""
    cosines = brute_force.cosines(brute_force.tfidf([brute_force.words(text) for text in texts]))
    chosen = []
    for row in np.argsort(-scores, kind="stable").tolist():
        if scores[row] == 0 or (count is not None and len(chosen) == count):
            break
        if any(cosines[row, other] > redundancy for other in chosen):
            continue
        length = sum(words_in(texts[other]) for other in [*chosen, row])
        if words is not None and length > words:
            continue
        chosen.append(row)
    return chosen


@pytest.mark.parametrize("redundancy", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("count", "words"), [(1, None), (4, None), (None, 9), (None, 40)])
def test_the_choice(redundancy, count, words, many_units, brute_force):
    texts = many_units(60, seed=12)
    scores = lexrank(texts, 0.2)
    expected = greedy(brute_force, texts, scores, count=count, words=words, redundancy=redundancy)
    summary = summarize(
        texts,
        method="lexrank",
        threshold=0.2,
        sentences=count,
        words=words,
        redundancy=redundancy,
        split=False,
    )
    assert summary.documents.tolist() == sorted(expected)
    assert summary.documents[np.argsort(summary.ranks)].tolist() == expected
    assert summary.sentences == [texts[row] for row in sorted(expected)]
    np.testing.assert_array_equal(summary.scores, scores[sorted(expected)])
    assert (summary.positions == 0).all()
    if words is not None:
        assert summary.words <= words


def test_documents_are_split_and_places_known():
    summary = summarize(DOCUMENTS, sentences=3)
    split = sentences(DOCUMENTS).to_pylist()
    for number, sentence in enumerate(summary):
        place = (int(summary.documents[number]), int(summary.positions[number]))
        assert split[place[0]][place[1]] == sentence
    order = list(zip(summary.documents.tolist(), summary.positions.tolist(), strict=True))
    assert order == sorted(order)
    assert sorted(summary.ranks.tolist()) == [0, 1, 2]
    assert str(summary) == summary.text == " ".join(summary.sentences)
    # The sentence that is there twice but for its stop is in at most once.
    assert sum("left the harbour at dawn" in sentence for sentence in summary) <= 1


def test_redundancy_of_one_lets_everything_pass():
    texts = ["one two three", "one two three", "four five"]
    assert len(summarize(texts, sentences=3, redundancy=1, split=False)) == 3
    assert len(summarize(texts, sentences=3, redundancy=0.99, split=False)) == 2


def test_short_sentences_are_passed_over():
    texts = ["ship ahoy", "ship ahoy there my captain", "a captain of ship and crew", "ship"]
    for least in (1, 3, 5, 6, 7):
        chosen = summarize(texts, sentences=4, redundancy=1, min_words=least, split=False)
        assert chosen.sentences == [text for text in texts if words_in(text) >= least]


def test_one_text_and_none():
    assert len(summarize("A single sentence here")) == 1
    assert summarize("corpus.parquet").sentences == ["corpus.parquet"]
    for nothing in ("", [], ["", None], "\n", pa.array([], pa.string())):
        summary = summarize(nothing)
        assert (len(summary), summary.words, summary.text) == (0, 0, "")
    assert len(summarize("Far too long for this. Also too long.", words=1)) == 0


def test_settings_are_passed_on(opinosis):
    lines = next(iter(opinosis.values()))
    idf = Idf().fit(line for topic in opinosis.values() for line in topic)
    given = {"method": "lexrank", "sentences": 2, "split": False}
    assert summarize(lines, idf=idf, **given).scores.max() == lexrank(lines, None, idf=idf).max()
    assert summarize(lines, threshold=0.1, **given).scores.max() == lexrank(lines, 0.1).max()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sentences": 2, "words": 10}, "not both"),
        ({"sentences": 0}, "sentences=0"),
        ({"words": -1}, "words=-1"),
        ({"redundancy": 1.5}, "redundancy=1.5"),
        ({"min_words": -1}, "min_words=-1"),
        ({"redundancy": "half"}, "redundancy='half'"),
        ({"threshold": 0}, "threshold=0"),
        ({"words": 9, "characters": 9}, "give words=... or characters=..., not both"),
        ({"characters": 0}, "characters=0"),
        ({"tokens": 2.5}, "tokens=2.5"),
        ({"tokens": str.split}, "tokenizer=..."),
        ({"method": "best"}, "method='best': expected 'coverage' or 'lexrank'"),
        ({"threshold": 0.1}, "threshold=0.1: method='coverage' does not read it"),
        ({"method": "mmr", "redundancy": 0.5}, "redundancy=0.5: method='mmr' does not read it"),
        ({"method": "lead", "query": "ship"}, "query='ship': method='lead'"),
        ({"method": "mmr", "diversity": 1.5}, "diversity=1.5"),
        ({"method": "lexrank", "preceding": "much"}, "preceding='much'"),
        ({"query": 3}, "query=3: expected a text"),
        ({"stems": "xx"}, "stems='xx'"),
        ({"ngram": 0}, "ngram=0"),
        ({"tokenizer": "words"}, "tokenizer='words'"),
        ({"tokenizer": "ids"}, "tokenizer='ids'"),
        ({"lists": "texts"}, "lists='texts'"),
        ({"lists": "tokens"}, "element 0 is str"),
        ({"embeddings": np.ones((2, 3))}, "2 vectors for 6 sentences"),
        ({"language": "en", "threads": 0}, "threads=0"),
    ],
)
def test_wrong_calls(arguments, message):
    with pytest.raises(SettingError, match=message):
        summarize(DOCUMENTS, **arguments)
