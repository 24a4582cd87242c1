"""Text units of many kinds, and brute force: what the core computes, straight from the formulas."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).parents[3] / "shared" / "data"


@dataclass(frozen=True)
class BruteForce:
    """The formulas of docs/algorithms.md, section 10, over all pairs."""

    @staticmethod
    def words(text, stopwords=()):
        return [
            token
            for token in re.findall(r"\w+|[^\w\s]+", (text or "").lower())
            if re.match(r"\w", token) and token not in stopwords
        ]

    @staticmethod
    def tfidf(bags, documents=None):
        """Dense tf-idf vectors of bags of words; idf over `documents` (bags), or themselves."""
        fitted = [set(bag) for bag in (bags if documents is None else documents) if bag]
        terms = sorted({term for bag in bags for term in bag})
        found = Counter(term for bag in fitted for term in bag)
        idf = {
            term: math.log(len(fitted) / found[term]) if found[term] else math.log(len(fitted) + 1)
            for term in terms
        }
        vectors = np.zeros((len(bags), len(terms)))
        for row, bag in enumerate(bags):
            for term, count in Counter(bag).items():
                vectors[row, terms.index(term)] = count * idf[term]
        return vectors

    @staticmethod
    def cosines(vectors):
        """All cosines; 1 on the diagonal of rows that are not zero."""
        lengths = np.linalg.norm(vectors, axis=1)
        unit = vectors / np.where(lengths > 0, lengths, 1)[:, None]
        cosines = np.clip(unit @ unit.T, -1, 1)
        cosines[np.abs(cosines - 1) < 1e-12] = 1
        return cosines

    @staticmethod
    def walk(weights, takes_part=None, damping=0.85, teleport=None, steps=3000):
        """The power method on a dense matrix, until it no longer moves."""
        size = len(weights)
        part = np.ones(size, bool) if takes_part is None else np.asarray(takes_part, bool)
        if not part.any():
            return np.zeros(size)
        matrix = np.array(weights, dtype=float)
        alone = part & (matrix.sum(0) == 0)
        matrix[alone, alone] = 1
        matrix[:, part] /= matrix[:, part].sum(0)
        matrix[:, ~part] = 0
        jump = np.where(part, 1.0 if teleport is None else teleport, 0.0)
        jump /= jump.sum()
        scores = part / part.sum()
        for _ in range(steps):
            after = (1 - damping) * jump + damping * (matrix @ scores)
            if np.abs(after - scores).sum() < 1e-16:
                break
            scores = after
        return scores


@pytest.fixture(scope="session")
def brute_force():
    """The formulas."""
    return BruteForce()


_WORDS = [
    "the",
    "a",
    "of",
    "to",
    "and",
    "in",
    "it",
    "was",
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
    "verdict",
    "harbour",
    "butter",
    "éclair",
    "ΣΟΦΟΣ",
    "don't",
    "42",
    "x_y",
]


def make_units(count, seed):
    """Random sentences of Zipf-like words; some empty, null, stop words alone, or twice."""
    draw = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(_WORDS))]
    units = []
    for number in range(count):
        if number % 17 == 5:
            units.append(draw.choice(["", None, " \n", "...", "the a of"]))
        elif units and number % 11 == 3:
            units.append(draw.choice(units))
        else:
            words = draw.choices(_WORDS, weights, k=draw.randint(1, 12))
            units.append(" ".join(words).capitalize() + draw.choice([".", "!", "", " — ok?"]))
    return units


@pytest.fixture(scope="session")
def units():
    """A hundred sentences."""
    return make_units(100, seed=3)


@pytest.fixture(scope="session")
def many_units():
    """A function: so many sentences."""
    return make_units


@pytest.fixture(scope="session")
def opinosis():
    """Sentences of real review topics, by topic."""
    folder = SHARED / "opinosis" / "topics"
    if not folder.is_dir():
        pytest.skip("the shared data is not there")
    return {
        path.stem: [
            line.strip()
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
            if line.strip()
        ]
        for path in sorted(folder.glob("*.data"))
    }
