"""The order of the units changes no edge, not even at a tie with the threshold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir.graph import Idf, similarity_join

LINES = st.lists(
    st.lists(st.sampled_from([f"w{k}" for k in range(9)]), min_size=1, max_size=7).map(" ".join),
    min_size=2,
    max_size=12,
)


def edges(lines, order, **given):
    graph = similarity_join([lines[row] for row in order], **given)
    found = {}
    for unit in range(len(lines)):
        for other, weight in zip(*graph.of(unit), strict=True):
            found[int(order[unit]), int(order[other])] = float(weight)
    return found


@settings(max_examples=150, deadline=None)
@given(lines=LINES, seed=st.integers(0, 2**32 - 1), fitted=st.booleans())
def test_cosines_have_the_same_bits_in_any_order(lines, seed, fitted):
    idf = Idf().fit([*lines, "w1 w2", "w3"]) if fitted else None
    order = np.random.default_rng(seed).permutation(len(lines))
    same = np.arange(len(lines))
    plain = edges(lines, same, threshold=1e-9, idf=idf)
    assert edges(lines, order, threshold=1e-9, idf=idf) == plain
    # A threshold that some pair meets exactly.
    for threshold in sorted(set(plain.values()))[:4]:
        at_tie = {pair: cosine for pair, cosine in plain.items() if cosine >= threshold}
        assert edges(lines, order, threshold=threshold, idf=idf) == at_tie


@pytest.mark.parametrize("seed", range(3))
def test_embeddings_have_the_same_bits_in_any_order(seed):
    draw = np.random.default_rng(seed)
    vectors = draw.integers(-3, 4, (40, 7)).astype(np.float32)
    order = draw.permutation(40)
    plain = similarity_join(vectors, threshold=0.5).to_scipy().toarray()
    mixed = similarity_join(vectors[order], threshold=0.5).to_scipy().toarray()
    np.testing.assert_array_equal(mixed, plain[order][:, order])
