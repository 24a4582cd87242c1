import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsir import SettingError, _core
from dsir.graph import (
    Idf,
    LexRank,
    SimilarityGraph,
    lexrank,
    sentences,
    similarity_join,
    summarize,
)

pytestmark = pytest.mark.filterwarnings("error", "ignore:LexRank. :dsir.DsirWarning")


class Csr:
    """What similarity_join looks for in a sparse matrix."""

    def __init__(self, dense):
        rows, columns = np.nonzero(dense)
        self.indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(dense)))))
        self.indices = columns.astype(np.int32)
        self.data = dense[rows, columns].astype(np.float64)
        self.shape = dense.shape


def dense_of(graph):
    size = len(graph)
    matrix = np.zeros((size, size))
    rows = np.repeat(np.arange(size), np.diff(graph.offsets))
    for row in range(size):
        assert (np.diff(graph.of(row)[0]) > 0).all()
    matrix[rows, graph.neighbours] = 1 if graph.weights is None else graph.weights
    return matrix


def thresholded(cosines, threshold, include_self=True):
    expected = np.where(cosines >= threshold, cosines, 0)
    if not include_self:
        np.fill_diagonal(expected, 0)
    return expected


def ranked(cosines, top_k, threshold=1e-9):
    """The union of what every row names; the smaller row first among equals."""
    size = len(cosines)
    named = np.zeros((size, size), bool)
    for row in range(size):
        others = np.round(cosines[row], 11)
        others[row] = -1
        best = np.argsort(-others, kind="stable")[:top_k]
        named[row, best[cosines[row, best] >= threshold]] = True
    named |= named.T
    named |= np.diag(np.diag(cosines) > 0)
    return np.where(named, cosines, 0)


def near_no(threshold, cosines):
    """No cosine is so near the threshold that rounding decides."""
    return not (np.abs(cosines - threshold) < 1e-9).any()


def random_rows(seed, size=70, width=40, share=0.12):
    generator = np.random.default_rng(seed)
    popularity = 1 / (1 + np.arange(width)) ** 0.7
    rows = (generator.random((size, width)) < share * 4 * popularity) * generator.random(
        (size, width)
    )
    rows[generator.integers(size, size=6)] = 0
    # Multiples by a power of two: ties to the last bit.
    rows[generator.integers(size, size=5)] = 4 * rows[generator.integers(size, size=5)]
    return rows


@pytest.mark.parametrize("threshold", [0.003, 0.1, 0.3, 0.55, 0.9, 0.999])
@pytest.mark.parametrize("seed", range(8))
def test_equal_to_brute_force(threshold, seed, brute_force):
    rows = random_rows(seed)
    cosines = brute_force.cosines(rows)
    assert near_no(threshold, cosines)
    for given_rows, tolerance in ((Csr(rows), 1e-12), (rows.astype(np.float32), 1e-6)):
        graph = similarity_join(given_rows, threshold=threshold)
        found = dense_of(graph)
        np.testing.assert_array_equal(found > 0, cosines >= threshold)
        np.testing.assert_allclose(found, thresholded(cosines, threshold), rtol=0, atol=tolerance)
        np.testing.assert_array_equal(found, found.T)
        assert np.diag(found)[rows.any(1)].tolist() == [1.0] * int(rows.any(1).sum())


@pytest.mark.parametrize("block_rows", [1, 7, 64, 65536])
@pytest.mark.parametrize("seed", range(3))
def test_blocks_and_threads_change_no_bit(block_rows, seed):
    rows = random_rows(seed, size=300)
    scale = np.ones(rows.shape[1])
    csr = Csr(rows)
    sparse = _core.UnitRows.sparse(csr.indptr, csr.indices, csr.data, scale)
    dense = _core.UnitRows.dense(rows.astype(np.float32))
    for units in (sparse, dense):
        for top_k in (0, 4):
            expected = _core.similarity_join(units, threshold=0.15, top_k=top_k)
            for threads in (1, 2, 5):
                found = _core.similarity_join(
                    units, threshold=0.15, top_k=top_k, threads=threads, block_rows=block_rows
                )
                for a, b in zip(found, expected, strict=True):
                    assert a.tobytes() == b.tobytes()


def rows_like_text(seed, size=700, width=600):
    """Few common columns of little weight and many rare ones; some rows have the former alone."""
    generator = np.random.default_rng(seed)
    share = np.minimum(0.6, 3.0 / (1 + np.arange(width)))
    rows = np.zeros((size, width))
    for row in range(size):
        columns = np.flatnonzero(generator.random(width) < share * generator.uniform(0.3, 1.5))
        if row % 9 == 0:
            columns = columns[columns < 30]
        rows[row, columns] = generator.integers(1, 3, len(columns))
    rows *= np.log(size / np.maximum(1, (rows > 0).sum(0)))
    rows[generator.integers(size, size=40)] = rows[generator.integers(size, size=40)]
    return rows


@pytest.mark.parametrize("block_rows", [0, 90, 400])
@pytest.mark.parametrize("seed", range(2))
def test_top_k_misses_none_for_the_columns_it_leaves_out(seed, block_rows, brute_force):
    rows = rows_like_text(seed)
    csr = Csr(rows)
    units = _core.UnitRows.sparse(csr.indptr, csr.indices, csr.data, np.ones(rows.shape[1]))
    cosines = brute_force.cosines(rows)
    for top_k, threshold in ((1, 1e-9), (12, 1e-9), (12, 0.4)):
        found = _core.similarity_join(
            units, threshold=threshold, top_k=top_k, block_rows=block_rows, threads=2
        )
        expected = ranked(cosines, top_k, threshold)
        np.testing.assert_allclose(dense_of(SimilarityGraph(*found)), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("top_k", [1, 3, 10, 1000])
@pytest.mark.parametrize("seed", range(6))
def test_top_k_is_the_union_of_the_nearest(top_k, seed, brute_force):
    rows = random_rows(seed)
    cosines = brute_force.cosines(rows)
    found = dense_of(similarity_join(Csr(rows), top_k=top_k))
    expected = ranked(cosines, top_k)
    np.testing.assert_array_equal(found > 0, expected > 0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    both = dense_of(similarity_join(Csr(rows), top_k=top_k, threshold=0.31))
    np.testing.assert_allclose(both, ranked(cosines, top_k, 0.31), rtol=0, atol=1e-12)
    if top_k == 1000:
        whole = similarity_join(Csr(rows), threshold=1e-9)
        np.testing.assert_array_equal(found, dense_of(whole))


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
        # Small whole numbers: ties, multiples and duplicates abound.
        elements=st.integers(-2, 4).map(float),
    ),
    st.sampled_from([0.01, 0.21, 0.52, 0.83, 0.97, 1.0]),
    st.integers(1, 5),
)
def test_any_matrix(brute_force, rows, threshold, block_rows):
    cosines = brute_force.cosines(rows)
    csr = Csr(rows)
    units = _core.UnitRows.sparse(csr.indptr, csr.indices, csr.data, np.ones(rows.shape[1]))
    dense = _core.UnitRows.dense(rows.astype(np.float32))
    assert near_no(threshold, cosines[cosines < 1])
    for vectors in (units, dense):
        graph = SimilarityGraph(
            *_core.similarity_join(vectors, threshold=threshold, block_rows=block_rows)
        )
        expected = thresholded(cosines, threshold)
        np.testing.assert_allclose(dense_of(graph), expected, rtol=0, atol=1e-12)


def test_a_threshold_of_one_finds_duplicates_and_multiples():
    rows = np.array([[1, 2, 0.1], [1, 2, 0.1], [3, 6, 0.3], [1, 2, 0.1001], [0, 0, 0]])
    graph = similarity_join(Csr(rows), threshold=1)
    assert [graph.of(row)[0].tolist() for row in range(5)] == [[0, 1, 2]] * 3 + [[3], []]
    texts = ["The cat sat.", "the cat SAT", "a dog", "sat cat the the"]
    assert similarity_join(texts, threshold=1.0).of(0)[0].tolist() == [0, 1]


def test_without_edges_to_oneself():
    rows = random_rows(2)
    graph = similarity_join(Csr(rows), threshold=0.2, include_self=False)
    expected = dense_of(similarity_join(Csr(rows), threshold=0.2))
    np.fill_diagonal(expected, 0)
    np.testing.assert_array_equal(dense_of(graph), expected)
    assert 0 < graph.edges == len(graph.neighbours)


def test_texts_and_token_lists(units, brute_force):
    bags = [brute_force.words(text) for text in units]
    cosines = brute_force.cosines(brute_force.tfidf(bags))
    expected = thresholded(cosines, 0.123)
    np.testing.assert_allclose(
        dense_of(similarity_join(units, threshold=0.123)), expected, rtol=0, atol=1e-12
    )
    lists = pa.array(bags, pa.large_list(pa.large_string()))
    for source in (lists, pa.chunked_array([lists]), pa.table({"text": lists})):
        found = dense_of(similarity_join(source, threshold=0.123))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_arrow_columns_of_vectors():
    rows = random_rows(4).astype(np.float32)
    expected = dense_of(similarity_join(rows, threshold=0.2))
    flat = pa.array(rows.ravel())
    for column in (
        pa.FixedSizeListArray.from_arrays(flat, rows.shape[1]),
        pa.array(rows.tolist(), pa.list_(pa.float64())),
        pa.array(rows.tolist(), pa.large_list(pa.float32())),
    ):
        found = dense_of(similarity_join(pa.table({"v": column}), threshold=0.2, text="v"))
        np.testing.assert_array_equal(found, expected)
    entries = [
        [{"i": int(c), "w": float(row[c])} for c in np.flatnonzero(row)[::-1]] for row in rows
    ]
    kind = pa.list_(pa.struct([("i", pa.int32()), ("w", pa.float32())]))
    sparse = dense_of(similarity_join(pa.array(entries, kind), threshold=0.2))
    np.testing.assert_allclose(sparse, expected, rtol=0, atol=1e-12)


def test_unsorted_and_repeated_columns_are_put_right():
    rows = random_rows(5)
    csr = Csr(rows)
    messy = Csr(rows)
    messy.indices = np.concatenate([csr.indices[::-1], csr.indices]).astype(np.int64)
    # Every row twice over, backwards and forwards, at half the value.
    parts = [slice(a, b) for a, b in zip(csr.indptr, csr.indptr[1:], strict=False)]
    messy.indices = np.concatenate(
        [np.concatenate([csr.indices[p][::-1], csr.indices[p]]) for p in parts]
    )
    messy.data = np.concatenate([np.concatenate([csr.data[p][::-1], csr.data[p]]) for p in parts])
    messy.indptr = csr.indptr * 2
    found = dense_of(similarity_join(messy, threshold=0.2))
    np.testing.assert_allclose(
        found, dense_of(similarity_join(csr, threshold=0.2)), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("scale", [1e-90, 1e-30, 1e30, 1e90])
def test_scales_do_not_matter(scale):
    rows = random_rows(6)
    expected = similarity_join(Csr(rows), threshold=0.2)
    found = similarity_join(Csr(rows * scale), threshold=0.2)
    assert found.neighbours.tobytes() == expected.neighbours.tobytes()
    np.testing.assert_allclose(found.weights, expected.weights, rtol=0, atol=1e-12)


def test_no_rows_and_one():
    for none in ([], np.zeros((0, 3), np.float32), Csr(np.zeros((0, 4)))):
        graph = similarity_join(none, threshold=0.1)
        assert (len(graph), graph.edges) == (0, 0)
        assert len(similarity_join(none, top_k=3)) == 0
    graph = similarity_join(["one sentence"], threshold=0.1)
    # Its only terms are in every unit, so their idf is 0.
    assert (len(graph), graph.edges) == (1, 0)
    assert similarity_join(np.ones((1, 2), np.float32), top_k=2).edges == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.array([[1.0, np.nan]]), "row 0 holds NaN"),
        (np.array([[1.0, 2.0], [np.inf, 0]]), "row 1 holds NaN or an infinite"),
        (np.array([[1e300, 1.0]]), "row 0 holds NaN or an infinite"),  # beyond float32
        (np.ones(3), r"shape \(3,\)"),
        (np.ones((2, 2, 2)), "two dimensions"),
        (np.ones((2, 2), complex), "real numbers"),
        (pa.array([[1.0, 2.0], [1.0]]), "not all have the same length"),
        (pa.array([[1.0, 2.0], None]), "is null"),
        (pa.array([[1.0, None]]), "holds a null"),
        (pa.array([[True]]), "neither tokens nor vectors"),
        (pa.array([[{"a": 1.5, "b": 1.0}]]), "structs of an integer"),
    ],
)
def test_wrong_rows_are_refused(rows, message):
    with pytest.raises(SettingError, match=message):
        similarity_join(rows, threshold=0.5)


def test_wrong_sparse_rows_are_refused():
    for name, value, message in [
        ("data", np.nan, "row 0 holds NaN"),
        ("data", 1e200, "larger than 1e"),
        ("indices", 40, "not from 0 to 39"),
        ("indices", -1, "not from 0 to 39"),
    ]:
        csr = Csr(random_rows(0))
        getattr(csr, name)[0] = value
        with pytest.raises(SettingError, match=message):
            similarity_join(csr, threshold=0.5)
    csr = Csr(random_rows(0))
    csr.indptr[-1] += 1
    with pytest.raises(SettingError, match="offsets"):
        similarity_join(csr, threshold=0.5)
    csr.format = "csc"
    with pytest.raises(SettingError, match="tocsr"):
        similarity_join(csr, threshold=0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give threshold="),
        ({"threshold": 0}, "above 0"),
        ({"threshold": 1.1}, "at most 1"),
        ({"threshold": float("nan")}, "threshold=nan"),
        ({"threshold": True}, "threshold=True"),
        ({"top_k": 0}, "top_k=0"),
        ({"threshold": 0.1, "threads": 0}, "threads=0"),
        ({"threshold": 0.1, "idf": 3}, "an Idf"),
    ],
)
def test_wrong_settings(arguments, message):
    with pytest.raises(SettingError, match=message):
        similarity_join(["a b", "b c"], **arguments)


def test_idf_and_stop_words_are_not_for_vectors():
    with pytest.raises(SettingError, match="these units are vectors"):
        similarity_join(np.ones((2, 2)), threshold=0.1, stopwords="en")


def test_real_sentences(opinosis, brute_force):
    units = [line for lines in list(opinosis.values())[:4] for line in lines][:400]
    bags = [brute_force.words(text) for text in units]
    cosines = brute_force.cosines(brute_force.tfidf(bags))
    for threshold in (0.05, 0.1, 0.3, 0.8):
        if not near_no(threshold, cosines):
            continue
        found = dense_of(similarity_join(units, threshold=threshold))
        np.testing.assert_allclose(found, thresholded(cosines, threshold), rtol=0, atol=1e-9)
    ours = dense_of(similarity_join(units, top_k=20))
    expected = ranked(cosines, 20)
    np.testing.assert_array_equal(ours > 0, expected > 0)


def test_to_scipy():
    pytest.importorskip("scipy")
    graph = similarity_join(random_rows(1).astype(np.float32), threshold=0.2)
    np.testing.assert_array_equal(graph.to_scipy().toarray(), dense_of(graph))
    with pytest.raises(SettingError, match="unit=70"):
        graph.of(70)


def test_lists_of_tokens_are_units():
    tokens = [["court", "judge"], ["court", "oven"], [], ["judge", "court"]]
    column = pa.array(tokens)
    for units in (tokens, [tuple(one) for one in tokens]):
        np.testing.assert_array_equal(lexrank(units, 0.1), lexrank(column, 0.1))
        joined, expected = (similarity_join(one, threshold=0.1) for one in (units, column))
        np.testing.assert_array_equal(joined.neighbours, expected.neighbours)
    assert len(LexRank().fit(tokens).scores_) == 4


def test_lists_of_numbers_are_embeddings():
    rows = [[1.0, 2.0], [2, 1], [0.5, 0.25]]
    np.testing.assert_array_equal(lexrank(rows, 0.1), lexrank(np.array(rows), 0.1))


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([["the court ruled", "the court appealed"], ["butter"]], "white space: a text"),
        ([["court"], "oven"], "element 1 is str, but others are lists"),
        ([["court"], None], "element 1 is NoneType"),
        ([["court", 5]], "element 0 holds int, not tokens"),
        ([[1.0, 2.0], [1.0, "x"]], "element 1 holds str, not numbers"),
        ([[1.0, 2.0], [1.0]], "same length"),
        ([[["court"]]], "element 0 holds list"),
    ],
)
def test_lists_of_anything_else_are_refused(units, message):
    with pytest.raises(SettingError, match=message):
        lexrank(units)


@pytest.mark.parametrize("documents", [[["a court", "a judge"]], [("court",)], ["a", ["b"]]])
def test_documents_are_never_flattened(documents):
    for call in (
        lambda: Idf().fit(documents),
        lambda: summarize(documents),
        lambda: summarize(documents, split=False),
        lambda: sentences(documents),
    ):
        with pytest.raises(SettingError, match="document, sentences or tokens is unclear"):
            call()
