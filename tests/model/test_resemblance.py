"""Near copies are those of the definition, found without comparing all pairs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir.model import resemblance
from dsir.model.resemblance import WIDTH, near_copies


def found_in(documents):
    tokens = np.array([one for document in documents for one in document], dtype=np.uint32)
    offsets = np.cumsum([0, *map(len, documents)]).astype(np.int64)
    return near_copies(offsets, tokens)


def runs_of(document):
    return {tuple(document[at : at + WIDTH]) for at in range(len(document) - WIDTH + 1)}


def check(documents):
    """Compare with all pairs, one by one."""
    sets = [runs_of(document) for document in documents]
    near = {
        (a, b): len(sets[a] & sets[b]) / len(sets[a] | sets[b])
        for a, b in itertools.combinations(range(len(sets)), 2)
        if sets[a] and 5 * len(sets[a] & sets[b]) >= 4 * len(sets[a] | sets[b])
    }
    found = found_in(documents)
    assert found.complete
    assert found.compared == sum(1 for one in sets if one)
    assert {*np.flatnonzero(found.has_copy)} == {number for pair in near for number in pair}
    for (a, b), value in zip(found.pairs.tolist(), found.resemblance, strict=True):
        assert value == near[a, b]
    assert {*found.pairs.ravel()} == {*np.flatnonzero(found.has_copy)}
    return near


def changed(rng, document, changes):
    document = list(document)
    for _ in range(changes):
        at = int(rng.integers(0, len(document)))
        kind = int(rng.integers(0, 3))
        if kind == 0:
            document[at] = int(rng.integers(0, 5000))
        elif kind == 1 and len(document) > 1:
            del document[at]
        else:
            document.insert(at, int(rng.integers(0, 5000)))
    return document


@pytest.mark.parametrize("seed", range(12))
def test_near_copies_are_those_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    documents = []
    for _ in range(60):
        document = rng.integers(0, 5000 if seed % 2 else 12, int(rng.integers(0, 90))).tolist()
        documents += [document] * (document != [])
        while document and rng.random() < 0.4:
            documents.append(changed(rng, document, int(rng.integers(0, 4))))
    rng.shuffle(documents)
    if seed % 2:
        assert check(documents)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), max_size=14), max_size=9))
def test_short_documents_of_few_tokens(documents):
    check(documents)


def test_the_bound_belongs_to_near_copies():
    # 16 runs each, 16 of 20 shared; and 15 of 19.
    first = list(range(22))
    assert check([first, [*range(18), 50, 51, 52, 53, 54]]) == {}
    assert [*check([list(range(22)), list(range(20))]).values()] == [16 / 18]
    assert [*check([list(range(24)), list(range(4, 24))]).values()] == [0.8]


def test_a_large_group_of_copies_is_found_in_little_work():
    rng = np.random.default_rng(3)
    page = rng.integers(0, 10**6, 150).tolist()
    documents = [changed(rng, page, 2) for _ in range(400)]
    others = rng.integers(0, 10**6, (400, 150)).tolist()
    found = found_in([*documents, *others])
    assert found.has_copy[:400].all()
    assert not found.has_copy[400:].any()
    assert len(found.pairs) < 4000


def test_what_is_not_compared_is_said(monkeypatch):
    monkeypatch.setattr(resemblance, "_MOST_COMPARED", 100)
    monkeypatch.setattr(resemblance, "_AT_ONCE", 50)
    documents = [[*range(30 * number, 30 * number + 30)] for number in range(20) for _ in range(2)]
    found = found_in(documents)
    assert not found.complete
    assert 0 < found.has_copy.sum() < 40
    assert (found.resemblance == 1).all()


@pytest.mark.parametrize("documents", [[], [[]], [[1, 2]], [[], [], []], [[1, 2, 3, 4, 5]]])
def test_nothing_to_compare(documents):
    found = found_in(documents)
    assert found.complete
    assert not found.has_copy.any()
    assert found.pairs.shape == (0, 2)
