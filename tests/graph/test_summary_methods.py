"""Methods of summarizing, against brute force over all summaries and against their definitions."""

import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir import DsirWarning, SettingError
from dsir.graph import summarize
from dsir.lexrank.cutting import Cutting
from dsir.lexrank.summaries import concepts, submodular
from dsir.lexrank.summaries.budget import SummaryBudget
from dsir.lexrank.summaries.candidates import Candidates
from dsir.lexrank.summaries.concepts import Concepts, best_summary, concepts_of
from dsir.lexrank.summaries.coverage_search import best_cover
from dsir.lexrank.summaries.lazy_greedy import lazy_greedy
from dsir.lexrank.summaries.methods import METHODS
from dsir.lexrank.units import units_of

pytestmark = pytest.mark.filterwarnings("error", "ignore:LexRank. :dsir.DsirWarning")

TEXTS = st.lists(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6).map(" ".join),
    min_size=1,
    max_size=8,
)


def candidates_of(texts, *, to_query=None):
    column = pa.array(texts, pa.large_string())
    offsets = np.arange(len(texts) + 1)
    return Candidates(column, offsets, units_of(texts), str.split, Cutting(str.split), to_query)


def subsets(lengths, limit):
    rows = range(len(lengths))
    for count in range(len(lengths) + 1):
        for chosen in itertools.combinations(rows, count):
            if sum(lengths[row] for row in chosen) <= limit:
                yield np.array(chosen, dtype=np.int64)


def bigrams(text):
    words = text.split()
    return set(itertools.pairwise(words)) if len(words) > 1 else {("", words[0])}


def weights_of(texts):
    counts = {}
    for text in texts:
        for one in bigrams(text):
            counts[one] = counts.get(one, 0) + 1
    shared = {one: count for one, count in counts.items() if count >= 2}
    return shared or counts


def worth(texts, weights, chosen):
    covered = set().union(*(bigrams(texts[row]) for row in chosen))
    return sum(weights.get(one, 0) for one in covered)


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, words=st.integers(1, 12))
def test_concepts_finds_the_best_summary(texts, words):
    weights, lengths = weights_of(texts), [len(text.split()) for text in texts]
    best = max(worth(texts, weights, chosen) for chosen in subsets(lengths, words))
    found = summarize(texts, method="concepts", words=words, split=False)
    assert found.value == found.bound == best
    assert found.words <= words
    assert worth(texts, weights, found.documents.tolist()) == best


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, limit=st.integers(1, 12), by_words=st.booleans())
def test_the_greedy_cover_has_its_guarantee_and_a_bound(texts, limit, by_words):
    found = concepts_of(candidates_of(texts))
    lengths = np.array([len(text.split()) if by_words else 1 for text in texts])
    best = max(worth(texts, weights_of(texts), chosen) for chosen in subsets(lengths, limit))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(concepts, "_LARGEST_SEARCH", 0)
        rows, value, bound = best_summary(found, np.ones(len(texts), bool), lengths, limit)
    assert worth(texts, weights_of(texts), rows) == value
    assert value <= best <= bound
    share = 1 - 1 / math.e
    assert value >= (share / 2 if by_words else share) * best


COVERS = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@settings(max_examples=60, deadline=None)
@given(draw=COVERS, limit=st.integers(1, 15), most_nodes=st.sampled_from([1, 3, 10**6]))
def test_the_search_is_exact_or_says_how_far_off_it_may_be(draw, limit, most_nodes):
    covers = draw.random((9, 14)) < 0.3
    weights = draw.integers(0, 9, 14).astype(float)
    lengths = draw.integers(1, 7, 9)
    best = max(weights[covers[rows].any(axis=0)].sum() for rows in subsets(lengths, limit))
    found = best_cover(covers, weights, lengths, limit, start=[], most_nodes=most_nodes)
    assert lengths[found.rows].sum() <= limit
    assert weights[covers[found.rows].any(axis=0)].sum() == found.value
    assert found.value <= best <= found.bound
    if most_nodes == 10**6:
        assert found.value == best == found.bound


@settings(max_examples=60, deadline=None)
@given(draw=COVERS, limit=st.integers(1, 20), power=st.sampled_from([0.0, 0.3, 1.0]))
def test_lazy_greedy_is_greedy(draw, limit, power):
    covers = draw.random((12, 20)) < 0.3
    weights, lengths = draw.integers(0, 5, 20), draw.integers(1, 7, 12)

    def gain(row, covered):
        return float(weights[covers[row] & ~covered].sum())

    expected, covered, left = [], np.zeros(20, bool), limit
    while True:
        open_ = [row for row in range(12) if row not in expected and lengths[row] <= left]
        ratios = [gain(row, covered) / float(lengths[row]) ** power for row in open_]
        if not open_ or max(ratios) <= 0:
            break
        row = open_[int(np.argmax(ratios))]
        expected.append(row)
        covered |= covers[row]
        left -= lengths[row]
    state = [np.zeros(20, bool)]
    found = lazy_greedy(
        np.array([gain(row, state[0]) for row in range(12)]),
        lambda row: gain(row, state[0]),
        lambda row: state.append(state.pop() | covers[row]),
        lengths,
        limit,
        power,
    )
    assert found == expected


def submodular_worth(texts, chosen, diversity):
    found = submodular.worth_of(candidates_of(texts), diversity)
    for row in chosen:
        found.take(row)
    return found.value


@settings(max_examples=40, deadline=None)
@given(texts=TEXTS, count=st.integers(1, 4), diversity=st.sampled_from([0.0, 0.5, 1.0]))
def test_submodular_has_the_guarantee_of_greedy(texts, count, diversity):
    best = max(
        submodular_worth(texts, chosen, diversity) for chosen in subsets([1] * len(texts), count)
    )
    found = summarize(texts, method="submodular", sentences=count, diversity=diversity, split=False)
    assert found.value == pytest.approx(submodular_worth(texts, found.documents, diversity))
    assert (1 - 1 / math.e) * best - 1e-9 <= found.value <= best + 1e-9


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, diversity=st.sampled_from([0.0, 0.5, 1.0]), data=st.data())
def test_the_worth_of_sentences_is_monotone_and_submodular(texts, diversity, data):
    rows = st.lists(st.integers(0, len(texts) - 1), unique=True)
    small = data.draw(rows)
    large = small + [row for row in data.draw(rows) if row not in small]
    more = data.draw(st.integers(0, len(texts) - 1))

    def gain(chosen):
        found = submodular.worth_of(candidates_of(texts), diversity)
        for row in chosen:
            found.take(row)
        return found.gain(more)

    assert gain(small) >= gain(large) - 1e-12
    assert gain(large) >= -1e-12
    everything = submodular_worth(texts, range(len(texts)), diversity)
    assert -1e-12 <= everything <= 1 + 1e-9


def centre(brute_force, texts):
    cosines = brute_force.cosines(brute_force.tfidf([brute_force.words(text) for text in texts]))
    return cosines, cosines.sum(axis=1) / np.sqrt(cosines.sum())


@pytest.mark.parametrize("diversity", [0.0, 0.3, 0.8])
def test_mmr(diversity, many_units, brute_force):
    texts = [text for text in many_units(40, seed=3) if brute_force.words(text)]
    cosines, relevance = centre(brute_force, texts)
    expected, left = [], 60
    while True:
        open_ = [
            row
            for row, text in enumerate(texts)
            if row not in expected and len(text.split()) <= left
        ]
        if not open_:
            break
        repeated = [max((cosines[row, other] for other in expected), default=0) for row in open_]
        worth = [
            (1 - diversity) * relevance[row] - diversity * closest
            for row, closest in zip(open_, repeated, strict=True)
        ]
        expected.append(open_[int(np.argmax(np.round(worth, 12)))])
        left -= len(texts[expected[-1]].split())
    found = summarize(texts, method="mmr", words=60, diversity=diversity, split=False)
    assert found.documents[np.argsort(found.ranks)].tolist() == expected
    np.testing.assert_allclose(found.scores, relevance[found.documents], rtol=1e-9)


def test_centroid_and_lead(many_units, brute_force):
    texts = [text for text in many_units(40, seed=4) if brute_force.words(text)]
    _, relevance = centre(brute_force, texts)
    found = summarize(texts, method="centroid", sentences=3, redundancy=1, split=False)
    np.testing.assert_allclose(sorted(found.scores), sorted(np.sort(relevance)[-3:]), rtol=1e-9)
    documents = ["One ship. Two courts. Three ovens.", "", "Four masts. Five crews."]
    lead = summarize(documents, method="lead", sentences=4)
    assert lead.sentences == ["One ship.", "Two courts.", "Four masts.", "Five crews."]
    assert lead.ranks.tolist() == [0, 2, 1, 3]


def test_edges_with_a_direction(brute_force):
    texts = ["ship sail mast", "ship oven", "sail oven bread", "mast bread ship"]
    cosines = brute_force.cosines(brute_force.tfidf([text.split() for text in texts]))
    np.fill_diagonal(cosines, 0)
    for preceding in (-1.0, 0.0, 0.5, 2.0):
        later = np.triu(cosines).sum(axis=1)
        expected = preceding * np.tril(cosines).sum(axis=1) + (1 - preceding) * later
        found = summarize(
            ". ".join(text.capitalize() for text in texts),
            method="lexrank",
            preceding=preceding,
            redundancy=1,
            sentences=4,
        )
        np.testing.assert_allclose(
            found.scores - found.scores.min(), expected - expected.min(), atol=1e-9
        )
    # No direction is known between documents: every edge counts half.
    apart = summarize(texts, method="lexrank", preceding=-1, redundancy=1, split=False)
    np.testing.assert_allclose(
        apart.scores - apart.scores.min(),
        (cosines.sum(axis=1) - cosines.sum(axis=1).min()) / 2,
        atol=1e-9,
    )


@pytest.mark.parametrize("method", METHODS)
def test_every_method_keeps_to_every_budget(method, many_units):
    texts = many_units(80, seed=5)
    measures = {
        "sentences": len,
        "words": lambda summary: summary.words,
        "characters": lambda summary: sum(map(len, summary)),
        "tokens": lambda summary: sum(len(text.replace("'", " ' ").split()) for text in summary),
    }
    for unit, measure in measures.items():
        for limit in (1, 4, 30):
            found = summarize(texts, method=method, split=False, threads=1, **{unit: limit})
            assert measure(found) <= limit
            again = summarize(texts, method=method, split=False, threads=3, **{unit: limit})
            assert again.documents.tolist() == found.documents.tolist()
            assert again.ranks.tolist() == found.ranks.tolist()
            np.testing.assert_array_equal(again.scores, found.scores)
        assert len(found) > 0
    short = summarize(texts, method=method, min_words=6, sentences=9, split=False)
    assert all(len(text.split()) >= 6 for text in short)
    assert len(short) > 2


@pytest.mark.parametrize("method", METHODS)
def test_every_method_summarizes_what_hardly_is_a_text(method):
    assert summarize("", method=method).sentences == []
    assert summarize([None, "", "\n"], method=method, split=False).sentences == []
    for one in ("Ship.", "Ship ahoy.", "Ship ahoy there."):
        assert summarize(one, method=method).sentences == [one]
        assert one in summarize([one] * 3, method=method, split=False).sentences
    assert len(summarize(["Ships sail.", "Courts judge."], method=method)) == 2


@pytest.mark.parametrize("method", METHODS)
def test_what_is_repeated_is_chosen_once(method):
    lines = ["the battery lasts a day"] * 9 + ["the screen is bright", "it was too dear"] * 3
    found = summarize(lines, method=method, sentences=3, split=False)
    assert len(found) == 3
    if method not in ("mmr",):  # Nothing forbids it there, but the measure of worth.
        assert len(set(found)) == 3


@pytest.mark.parametrize(
    "method", [name for name, method in METHODS.items() if "query" in method.reads]
)
def test_a_query_is_answered(method):
    text = "The battery lasts a day. The screen is bright. The price of the screen is fair. Why?"
    for query, answer in (("battery", "battery"), ("What is the PRICE?", "price")):
        found = summarize(text, method=method, sentences=1, query=query)
        assert answer in found.text
    vectors = np.eye(4, 3)
    found = summarize(text, method=method, sentences=1, embeddings=vectors, query=[0, 1, 0])
    assert found.text == "The screen is bright."


def test_a_query_does_not_change_what_is_rare():
    lines = ["ship ship oven", "ship court", "oven court", "mast"]
    plain = summarize(lines, method="centroid", query="ship court", split=False, redundancy=1)
    vectors = units_of(lines)
    assert len(vectors) == len(lines)
    # ln 2 for ship, oven and court, which are in two of four lines each.
    expected = [2 / np.sqrt(5 * 2), 1.0, 0.5]
    np.testing.assert_allclose(plain.scores, expected, rtol=1e-12)


def test_a_query_that_no_sentence_is_like():
    lines = ["ship court", "oven court", "mast court"]
    plain = summarize(lines, sentences=1, split=False)
    for query in ("zeppelin", "the court", "?"):
        with pytest.warns(DsirWarning, match="no sentence is like it"):
            found = summarize(lines, sentences=1, split=False, query=query)
        assert found.sentences == plain.sentences


@pytest.mark.parametrize("given", [{"embeddings": np.eye(4)}, {"query": [1.0]}])
def test_vectors_that_do_not_fit(given):
    with pytest.raises(SettingError, match=r"embeddings|query"):
        summarize(["a b", "b c"], split=False, **given)


def test_the_budget_names_its_unit():
    budget = SummaryBudget(tokens=7)
    assert (budget.unit, budget.limit) == ("tokens", 7)
    assert (SummaryBudget().unit, SummaryBudget().limit) == ("sentences", 5)


def test_concepts_count_a_sentence_once():
    found = concepts_of(candidates_of(["a b a b", "a b", "c"]))
    assert isinstance(found, Concepts)
    assert found.weights.tolist() == [2.0]
    assert found.worth().tolist() == [2.0, 2.0, 0.0]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"stopwords": ["the", "ß"]},
        {"stems": "en"},
        {"ngram": 2},
        {"tokenizer": "chars", "ngram": 2},
        {"tokenizer": str.split},
    ],
)
def test_terms_as_numbers(given):
    if "stems" in given:
        pytest.importorskip("snowballstemmer")
    cutting = Cutting(**given)
    texts = [
        "The ships, the Ship's _sails_!",
        None,
        "",
        "...",
        "Straße ß 12 ½",
        "sailing ships 漢字",
    ]
    chunks = [pa.array(texts[:2], pa.large_string()), pa.array(texts[2:], pa.large_string())]
    offsets, numbers = cutting.sequences(chunks)
    found = [numbers[a:b].tolist() for a, b in itertools.pairwise(offsets.tolist())]
    expected = [cutting.terms(text or "") for text in texts]
    assert list(map(len, found)) == list(map(len, expected))
    pairs = set(zip(itertools.chain(*found), itertools.chain(*expected), strict=True))
    assert len(pairs) == len({number for number, _ in pairs}) == len({term for _, term in pairs})
    assert min(numbers.tolist(), default=1) >= 1


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, least=st.integers(1, 3))
def test_shared_pairs_are_those_of_sets(texts, least):
    found = concepts_of(candidates_of(texts), least=least)
    counts = {}
    for text in texts:
        for one in bigrams(text):
            counts[one] = counts.get(one, 0) + 1
    shared = {one for one, count in counts.items() if count >= least} or set(counts)
    names = {}
    for row, text in enumerate(texts):
        own = found.of(row).tolist()
        assert len(own) == len(set(own)) == len(bigrams(text) & shared)
        for number in own:
            names[number] = names.get(number, bigrams(text)) & bigrams(text)
    assert len(names) == len(shared) == len(found.weights)
    assert sorted(found.weights) == sorted(counts[one] for one in shared)
