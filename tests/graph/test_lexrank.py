import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dsir import DsirWarning, SettingError, _core
from dsir.graph import Idf, centrality, lexrank, similarity_join
from dsir.lexrank.units import units_of

# Most texts here are few and of words drawn at random, so scores are often equal.
pytestmark = pytest.mark.filterwarnings("error", "ignore:LexRank. :dsir.DsirWarning")

EXACT = {"tolerance": 1e-15, "max_iterations": 5000}


def weights_of(cosines, threshold):
    return cosines if threshold is None else np.where(cosines > threshold, 1.0, 0.0)


@pytest.mark.parametrize("threshold", [None, 0.05, 0.1, 0.35, 0.9])
@pytest.mark.parametrize("damping", [0.5, 0.85])
@pytest.mark.parametrize("seed", range(6))
def test_equal_to_brute_force(threshold, damping, seed, many_units, brute_force):
    units = many_units(60 + seed, seed=seed)
    bags = [brute_force.words(text) for text in units]
    cosines = brute_force.cosines(brute_force.tfidf(bags))
    part = [bool(bag) for bag in bags]
    expected = brute_force.walk(weights_of(cosines, threshold), part, damping)
    found = lexrank(units, threshold, damping=damping, **EXACT)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert (found[np.logical_not(part)] == 0).all()
    # A small tolerance is not needed for a good answer.
    np.testing.assert_allclose(lexrank(units, threshold, damping=damping), expected, atol=1e-5)


@pytest.mark.parametrize("threshold", [None, 0.1])
def test_stop_words_and_idf_of_another_corpus(threshold, units, many_units, brute_force):
    others = many_units(40, seed=77)
    bags = [brute_force.words(text, ("the", "of")) for text in units]
    fitted = [brute_force.words(text) for text in others]
    cosines = brute_force.cosines(brute_force.tfidf(bags, fitted))
    part = [bool(bag) for bag in bags]
    expected = brute_force.walk(weights_of(cosines, threshold), part)
    idf = Idf().fit(others)
    found = lexrank(units, threshold, idf=idf, stopwords=["the", "of"], **EXACT)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("threshold", [None, 0.1])
def test_teleport(threshold, units, brute_force):
    bags = [brute_force.words(text) for text in units]
    cosines = brute_force.cosines(brute_force.tfidf(bags))
    part = np.array([bool(bag) for bag in bags])
    jumps = np.arange(len(units), dtype=float) % 5
    expected = brute_force.walk(weights_of(cosines, threshold), part, teleport=jumps)
    found = lexrank(units, threshold, teleport=jumps, **EXACT)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(
        lexrank(units, threshold, teleport=np.ones(len(units))), lexrank(units, threshold)
    )
    # All jumps to one unit: the centrality of what is near it.
    query = np.zeros(len(units))
    query[0] = 7
    assert lexrank(units, threshold, teleport=query, damping=0.3).argmax() == 0


@pytest.mark.parametrize(
    ("teleport", "message"),
    [
        ([1.0], "100 numbers"),
        ([-1.0] * 100, "negative"),
        ([np.nan] * 100, "NaN"),
        ([0.0] * 100, "no unit with a term"),
        (["a"] * 100, "100 numbers"),
    ],
)
def test_wrong_teleport(teleport, message, units):
    with pytest.raises(SettingError, match=message):
        lexrank(units, teleport=teleport)


@pytest.mark.parametrize("threshold", [None, 0.2])
def test_embeddings(threshold, brute_force):
    vectors = np.random.default_rng(1).random((50, 8)).astype(np.float32)
    vectors[7] = 0
    cosines = brute_force.cosines(vectors.astype(np.float64))
    expected = brute_force.walk(weights_of(cosines, threshold), vectors.any(1))
    found = lexrank(vectors, threshold, **EXACT)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_negative_embeddings():
    vectors = np.random.default_rng(2).standard_normal((30, 6))
    assert lexrank(vectors, 0.3).sum() == pytest.approx(1)
    with pytest.raises(SettingError, match=r"row 0 holds a negative value, .*; give a threshold"):
        lexrank(vectors, None)


@pytest.mark.parametrize("threshold", [None, 0.1])
def test_undamped_is_the_degree_of_each_component(threshold, units, brute_force):
    bags = [brute_force.words(text) for text in units]
    part = np.array([bool(bag) for bag in bags])
    cosines = brute_force.cosines(brute_force.tfidf(bags))
    weights = weights_of(cosines, threshold)
    weights[np.diag(part & (weights.sum(0) == 0))] = 1
    reached = weights > 0
    for _ in range(10):
        reached = (reached.astype(float) @ reached) > 0
    expected = np.zeros(len(units))
    for row in np.flatnonzero(part):
        inside = reached[row]
        share = inside.sum() / part.sum()
        expected[row] = share * weights[row].sum() / weights[inside].sum()
    found = lexrank(units, threshold, damping=1, **EXACT)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("threshold", [None, 0.1, 0.4])
def test_degree(threshold, units, brute_force):
    bags = [brute_force.words(text) for text in units]
    cosines = brute_force.cosines(brute_force.tfidf(bags))
    expected = weights_of(cosines, threshold).sum(0)
    expected[[bool(bag) and not degree for bag, degree in zip(bags, expected, strict=True)]] = 1
    found = lexrank(units, threshold, method="degree")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_top_k_and_graphs(units):
    graph = similarity_join(units, threshold=0.1, top_k=3)
    found = centrality(units, 0.1, top_k=3)
    assert found.graph is not None
    assert found.graph.weights is None
    np.testing.assert_array_equal(found.graph.neighbours, graph.neighbours)
    weighted = lexrank(units, None, top_k=3)
    nearest = similarity_join(units, top_k=3)
    part = weighted > 0
    # A graph knows nothing of units that take no part: there all do.
    np.testing.assert_allclose(lexrank(nearest)[part] * 100 / part.sum(), weighted[part], atol=1e-6)
    for unused in ({"stopwords": "en"}, {"punctuation": True}, {"top_k": 2}):
        with pytest.raises(SettingError, match=r"graph already has|is a graph"):
            lexrank(graph, **unused)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([], []),
        ([""], [0.0]),
        (["", None, "..."], [0.0, 0.0, 0.0]),
        (["one unit"], [1.0]),
        (["one unit", ""], [1.0, 0.0]),
        (["twice", "twice"], [0.5, 0.5]),
        (["a b", "c d", "e f", "g h"], [0.25] * 4),
    ],
)
@pytest.mark.parametrize("threshold", [None, 0.1, 1.0])
@pytest.mark.parametrize("damping", [0, 0.85, 1])
def test_small_and_lonely(units, expected, threshold, damping):
    found = lexrank(units, threshold, damping=damping)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)
    degrees = lexrank(units, threshold, method="degree")
    assert (degrees > 0).tolist() == (np.array(expected) > 0).tolist()


def test_stop_words_alone_take_no_part():
    found = lexrank(["the of and", "ship sails", "ship sinks", "court sits"], stopwords="en")
    assert found[0] == 0
    assert found[1] == found[2] > 0
    assert found.sum() == pytest.approx(1)


def test_duplicates_have_one_score(many_units):
    units = many_units(50, seed=8)
    for threshold in (None, 0.1):
        found = lexrank(units + units, threshold)
        np.testing.assert_allclose(found[:50], found[50:], rtol=0, atol=1e-16)


@pytest.mark.parametrize("threshold", [None, 0.1])
def test_threads_change_no_bit(threshold, many_units):
    units = many_units(20_000 if threshold is None else 3_000, seed=5)
    texts = pa.array(units, pa.large_string())
    scores = [lexrank(texts, threshold, threads=threads) for threads in (1, 2, 3, 8)]
    assert len({found.tobytes() for found in scores}) == 1
    vectors = np.random.default_rng(3).random((3000, 9))
    scores = [lexrank(vectors, threshold, threads=threads) for threads in (1, 2, 7)]
    assert len({found.tobytes() for found in scores}) == 1


def test_files_tables_and_lists_give_the_same(tmp_path, units):
    expected = lexrank(units)
    pq.write_table(pa.table({"body": units}), tmp_path / "a.parquet", row_group_size=7)
    np.testing.assert_array_equal(lexrank(str(tmp_path / "a.parquet"), text="body"), expected)
    np.testing.assert_array_equal(lexrank(pa.table({"text": units})), expected)
    np.testing.assert_array_equal(lexrank(pa.array(units).dictionary_encode()), expected)
    np.testing.assert_array_equal(lexrank(iter(units)), expected)


def test_the_report(units):
    found = centrality(units, 0.1)
    assert found.converged
    assert 0 < found.change <= 1e-6
    assert 1 < found.iterations < 200
    assert found.graph is not None
    assert centrality(units, None).graph is None
    with pytest.warns(DsirWarning, match="max_iterations=2 steps"):
        short = centrality(units, 0.1, max_iterations=2)
    assert (short.converged, short.iterations) == (False, 2)
    with pytest.warns(DsirWarning, match="more than tolerance=0"):
        lexrank(units, None, tolerance=0, max_iterations=3)
    with pytest.warns(DsirWarning, match="rounding allows no nearer"):
        nearest = centrality(units, None, tolerance=1e-300)
    assert not nearest.converged
    assert nearest.iterations < 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": -0.1}, "threshold=-0.1"),
        ({"threshold": "0.1"}, "threshold='0.1'"),
        ({"damping": 1.1}, "damping=1.1"),
        ({"damping": float("nan")}, "damping=nan"),
        ({"tolerance": -1}, "tolerance=-1"),
        ({"max_iterations": 0}, "max_iterations=0"),
        ({"method": "centroid"}, "method='centroid'"),
        ({"stopwords": "xx"}, "stopwords='xx'"),
        ({"idf": Idf()}, "fitted on no document"),
        ({"top_k": 1.5}, "top_k=1.5"),
    ],
)
def test_wrong_settings(arguments, message):
    with pytest.raises(SettingError, match=message):
        lexrank(["a b", "b c"], **arguments)


def test_pagerank_of_networkx(units, brute_force):
    networkx = pytest.importorskip("networkx")
    pytest.importorskip("scipy")
    units = [text for text in units if brute_force.words(text)]
    for threshold in (0.1, None):
        if threshold is None:
            graph = similarity_join(units, threshold=1e-9)
            kept = graph.to_scipy()
        else:
            found = centrality(units, threshold)
            assert found.graph is not None
            kept = found.graph.to_scipy()
        pagerank = networkx.pagerank(networkx.from_scipy_sparse_array(kept), tol=1e-14)
        expected = [pagerank[unit] for unit in range(len(units))]
        found_scores = lexrank(units, threshold, **EXACT)
        np.testing.assert_allclose(found_scores, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("threshold", [None, 0.1, 0.03])
def test_the_lexrank_package(threshold):
    package = pytest.importorskip("lexrank")
    words = [
        "ship",
        "sail",
        "anchor",
        "tide",
        "court",
        "judge",
        "clause",
        "flour",
        "yeast",
        "oven",
        "mast",
        "crew",
        "harbour",
    ]
    draw = np.random.default_rng(4)
    units = [" ".join(draw.choice(words, size=draw.integers(2, 9))) for _ in range(60)]
    theirs = package.LexRank([[unit] for unit in units]).rank_sentences(
        units, threshold=threshold, fast_power_method=False
    )
    # It stops when a step changes a score by less than 1e-5 of it, about.
    found = lexrank(units, threshold, damping=1, **EXACT) * len(units)
    np.testing.assert_allclose(found, theirs, rtol=1e-4)
    assert np.argsort(-found, kind="stable")[0] in np.flatnonzero(theirs > theirs.max() * 0.9999)


def test_real_topics(opinosis, brute_force):
    for lines in list(opinosis.values())[::10]:
        bags = [brute_force.words(text) for text in lines]
        cosines = brute_force.cosines(brute_force.tfidf(bags))
        part = [bool(bag) for bag in bags]
        for threshold in (None, 0.1, 0.3):
            expected = brute_force.walk(weights_of(cosines, threshold), part)
            found = lexrank(lines, threshold, **EXACT)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_the_continuous_walk_needs_few_steps(world):
    units = world.texts[:300]
    exact = centrality(units, None, **EXACT)
    assert exact.converged
    vectors = units_of(units)
    takes_part = vectors.occupied != 0
    cosines = np.array([_core.cosines_with(vectors.rows, row) for row in range(len(units))])
    cosines *= takes_part[:, None] & takes_part
    walk = 0.85 * cosines / np.maximum(cosines.sum(axis=0), 1e-300)
    expected = np.linalg.solve(np.eye(len(units)) - walk, 0.15 * takes_part / takes_part.sum())
    np.testing.assert_allclose(exact.scores, expected, rtol=1e-11)
    # The power method shrinks what is lacking by 0.85 a step at worst, Chebyshev's acceleration of
    # it by 0.44, and conjugate gradients by less where few directions are slow.
    for tolerance in (1e-3, 1e-6, 1e-9):
        found = centrality(units, None, tolerance=tolerance)
        assert found.converged
        assert found.iterations <= math.log(tolerance) / math.log(0.15)
        assert np.abs(found.scores - expected).sum() <= tolerance / 0.15
        assert abs(found.scores.sum() - 1) < 1e-12
        assert (found.scores >= 0).all()


@pytest.mark.parametrize("damping", [0.0, 0.5, 0.999, 1.0])
def test_any_damping_converges(damping):
    # Two clusters that share one word: a walk between them is slow.
    units = ["ship sail", "sail mast", "ship mast port", "oven bread", "bread flour", "oven port"]
    slow = centrality(units, None, damping=damping, tolerance=1e-13, max_iterations=100_000)
    assert slow.converged
    quick = centrality(units, None, damping=damping, tolerance=1e-9, max_iterations=100_000)
    assert quick.iterations <= slow.iterations
    if damping < 1:
        assert np.abs(slow.scores - quick.scores).sum() <= 2e-9 / (1 - damping)


def test_what_the_units_or_the_method_leave_nothing_to_say_is_refused():
    texts = ["ships sail", "ships sail home", "bakers bake"]
    with pytest.raises(SettingError, match=r"punctuation=True: .* these units are vectors"):
        lexrank(np.eye(3), punctuation=True)
    with pytest.raises(SettingError, match=r"punctuation=True: .* these units are tokens"):
        lexrank([text.split() for text in texts], punctuation=True)
    with pytest.raises(SettingError, match="teleport: method='degree'"):
        lexrank(texts, method="degree", teleport=[1, 0, 0])
    for unused in ({"damping": 0.5}, {"tolerance": 0.1}, {"max_iterations": 7}):
        with pytest.raises(SettingError, match="method='degree' counts neighbours"):
            lexrank(texts, method="degree", **unused)
    assert lexrank(texts, method="degree", damping=0.85).tolist() == [2, 2, 1]
