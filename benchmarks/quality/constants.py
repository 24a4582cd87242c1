"""Other constants of `coverage`, and choosing them for each target on documents kept out.

Usage: python -m benchmarks.quality.constants --cache FOLDER [--data FOLDER] [--seeds N]
       [--variants NAME ...] [--budgets SHARE ...] [--targets NAME ...]

The half of a target that methods are not given is cut in two: a part to choose on and a part to
report on. Every variant selects; the perplexity of a Kneser-Ney model of trigrams, trained on its
selection, is measured on both parts. The table has the perplexity of each variant on the second
part as a ratio to that of the constants as they are, and a row for "chosen": for each target and
budget the variant that was best on the first part. FOLDER keeps every measurement.

`coverage` is written here again in NumPy (docs/algorithms.md, section 14), so that what is tried
needs no place in the package; a test compares its selections with those of the package. NB-SVM
needs scikit-learn.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import dsir
from benchmarks.quality.cells import Cell, Cells, against, geometric_mean
from benchmarks.quality.options import parser_of
from benchmarks.quality.worlds import World
from dsir import _core
from dsir.comparison.held_out import uniform
from dsir.comparison.measures import VOCABULARY, Measures
from dsir.model.relevance import BUCKETS

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
DEFAULT = "as it is"
_NEGATIVES = 3000


@dataclass(frozen=True, slots=True)
class Constants:
    """The constants of `coverage`, and what may be done otherwise.

    Attributes:
        prior: λ, how many times raw's share is added to the target's.
        quantile: the share of the target's own documents below the threshold of the pool.
        pool: budgets that a pool holds at least.
        smoothing: κ, in budgets.
        largest_gain: the most that an n-gram pays.
        rounds: number of rounds.
        length: a document's gain is divided by its n-grams to this power.
        background: rounds of expectation maximisation that take out of raw's shares what is of the
            target in raw.
        tilt: share of the log-ratio of target to pool that is added to an n-gram's relevance; the
            pool then has no threshold.
        nb_svm: make the pool of the documents with the best scores of an NB-SVM (Wang & Manning
            2012), without a threshold.
    """

    prior: float = 3.0
    quantile: float = 0.1
    pool: float = 1.5
    smoothing: float = 1.0
    largest_gain: float = 10.0
    rounds: int = 10
    length: float = 1.0
    background: int = 0
    tilt: float = 0.0
    nb_svm: bool = False


VARIANTS: Mapping[str, Constants] = {
    DEFAULT: Constants(),
    "λ = 1": Constants(prior=1),
    "λ = 10": Constants(prior=10),
    "quantile 0.02": Constants(quantile=0.02),
    "quantile 0.3": Constants(quantile=0.3),
    "pool 1.2": Constants(pool=1.2),
    "pool 3": Constants(pool=3),
    "κ = 0.3": Constants(smoothing=0.3),
    "κ = 3": Constants(smoothing=3),
    "largest gain 30": Constants(largest_gain=30),
    "length 0.9": Constants(length=0.9),
    "length 1.1": Constants(length=1.1),
    "EM background": Constants(background=5),
    "tilted": Constants(tilt=0.5),
    "NB-SVM": Constants(nb_svm=True),
}


class Documents(NamedTuple):
    """Documents as lists of the buckets of their n-grams."""

    offsets: Counts
    buckets: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, texts: pa.Array, features: dsir.HashedNgrams) -> Documents:
        """List the n-grams of texts."""
        rows = np.arange(len(texts), dtype=np.int64)
        return cls(*_core.bucket_lists(texts, features.spec, rows, threads=1))

    @property
    def lengths(self) -> Counts:
        """N-grams of each document."""
        return np.diff(self.offsets)

    def at(self, rows: Counts) -> Documents:
        """Return some of the documents."""
        lengths = self.lengths[rows]
        ends = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.offsets[rows] - ends[:-1], lengths) + np.arange(ends[-1])
        return Documents(ends, self.buckets[places])

    def means(self, entries: Floats, wanted: npt.NDArray[np.bool_] | None = None) -> Floats:
        """Return the mean of a table's entries over the n-grams of each wanted document."""
        if wanted is None:
            wanted = np.ones(len(self.offsets) - 1, dtype=bool)
        table = _core.LogRatioTable(np.ascontiguousarray(entries).reshape(1, -1))
        return _core.mean_entries(
            self.offsets, self.buckets, table, wanted.view(np.uint8), threads=1
        )

    def counts(self, wanted: npt.NDArray[np.bool_] | None = None) -> Counts:
        """Return the n-grams of the wanted documents, by bucket."""
        if wanted is None:
            wanted = np.ones(len(self.offsets) - 1, dtype=bool)
        counts = np.zeros(BUCKETS, dtype=np.int64)
        _core.add_counts(self.offsets, self.buckets, wanted.view(np.uint8), counts)
        return counts


class Corpus:
    """Raw, listed once for all targets.

    Attributes:
        ngrams: its documents.
        tokens: tokens of each document.
        words: its documents as lists of tokens.
    """

    def __init__(self, texts: pa.Array, least: int = 100) -> None:
        self.features = dsir.HashedNgrams(buckets=BUCKETS)
        self.measures = Measures(self.features)
        self.ngrams = Documents.of(texts, self.features)
        self.words = Documents.of(texts, self.measures.token_features)
        self.tokens = self.words.lengths
        self.eligible = self.tokens >= least
        self.counts = self.ngrams.counts()

    def select(self, target: Documents, amount: int, constants: Constants) -> Counts:
        """Return the rows that cover a target, ascending.

        Args:
            target: its documents.
            amount: the budget in tokens.
            constants: how to.
        """
        wanted = target.counts()
        raw_shares = np.maximum(self.counts, 0.5) / self.counts.sum()
        if constants.background:
            raw_shares = _background(wanted, raw_shares, constants.background)
        relevance = _relevance(wanted, raw_shares, constants.prior)
        if constants.nb_svm:
            rows = np.random.default_rng(0).permutation(np.flatnonzero(self.eligible))[:_NEGATIVES]
            relevance = _nb_svm(target, self.ngrams.at(np.sort(rows)))
        scores = self.ngrams.means(relevance)
        allowed = self.eligible & (self.tokens <= amount)
        if constants.tilt:
            best = self._best(scores, allowed, amount * constants.pool)
            share = (self.ngrams.counts(best) + raw_shares * amount) / amount
            share /= share.sum()
            aim = (wanted + raw_shares * amount) / (wanted.sum() + amount)
            relevance = relevance + constants.tilt * np.log(aim / share)
            scores = self.ngrams.means(relevance)
        least = math.inf
        if not constants.nb_svm and not constants.tilt:  # Calibration is of relevance alone.
            least = _threshold(target, wanted, raw_shares, constants)
        pool = allowed & (scores >= least)
        if self.tokens[pool].sum() < constants.pool * amount:
            pool = self._best(scores, allowed, constants.pool * amount)
        return self._covering(np.flatnonzero(pool), wanted, raw_shares, amount, constants)

    def _best(
        self, scores: Floats, allowed: npt.NDArray[np.bool_], amount: float
    ) -> npt.NDArray[np.bool_]:
        """Return the documents with the best scores, up to the one that makes so many tokens."""
        order = np.argsort(-scores, kind="stable")
        order = order[allowed[order]]
        ends = np.cumsum(self.tokens[order])
        found = np.zeros(len(scores), dtype=bool)
        found[order[: int(np.searchsorted(ends, math.ceil(amount))) + 1]] = True
        return found

    def _covering(
        self, pool: Counts, wanted: Counts, raw_shares: Floats, amount: int, constants: Constants
    ) -> Counts:
        documents, tokens = self.ngrams.at(pool), self.tokens[pool]
        less = np.minimum(wanted, 0.75)
        shares = (wanted - less + raw_shares * less.sum()) / wanted.sum()
        weight = amount * constants.smoothing
        counts = np.zeros(BUCKETS, dtype=np.int64)
        left = np.ones(len(pool), dtype=bool)
        taken = np.zeros(len(pool), dtype=bool)
        spent = 0
        for turn in range(constants.rounds):
            limit = amount * (turn + 1) // constants.rounds - spent
            left &= tokens <= amount - spent
            entries = np.minimum(
                weight * shares / (counts + weight * raw_shares), constants.largest_gain
            )
            gains = documents.means(entries, left)
            gains *= documents.lengths.astype(np.float64) ** (1 - constants.length)
            order = np.argsort(-gains, kind="stable")
            order = order[left[order]]
            ends = np.cumsum(tokens[order])
            chosen = np.zeros(len(pool), dtype=bool)
            chosen[order[: int(np.searchsorted(ends, limit, side="right"))]] = True
            counts += documents.counts(chosen)
            taken |= chosen
            left &= ~chosen
            spent += int(tokens[chosen].sum())
        return pool[taken]

    def perplexity(self, rows: Counts, *held_out: Documents) -> list[float]:
        """Return the perplexity of documents kept out, by a model of some rows."""
        model = _core.KneserNey(*self.words.at(rows), vocabulary=VOCABULARY, threads=1)
        return [
            math.exp(-math.fsum(model.log_probabilities(*part, threads=1)) / len(part.buckets))
            for part in held_out
        ]


def _relevance(wanted: Counts, raw_shares: Floats, prior: float) -> Floats:
    ratio = wanted / (wanted.sum() * raw_shares)
    found: Floats = np.minimum(np.log((ratio + prior) / (1 + prior)), 23.0)
    return found


def _background(wanted: Counts, raw_shares: Floats, times: int) -> Floats:
    """Return raw's shares without what is of the target.

    Raw is taken for a mixture of the target's n-grams and a background, which is what fits best
    (Zhai & Lafferty 2001 have it the other way round).
    """
    target = wanted / wanted.sum()
    background, share = raw_shares, 0.05
    for _ in range(times):
        of_target = share * target / (share * target + (1 - share) * background)
        share = float((raw_shares * of_target).sum())
        background = np.maximum(raw_shares * (1 - of_target), raw_shares * 0.02)
        background = background / background.sum()
    return background


def _nb_svm(target: Documents, others: Documents) -> Floats:
    """Return the weights of n-grams by which an NB-SVM tells a target from other documents.

    Its linear model is a logistic regression over the n-grams that a document has, scaled by their
    log-ratios; the weights go a quarter of the way from their mean size to what it learned.
    """
    from scipy.sparse import csr_matrix, vstack
    from sklearn.linear_model import LogisticRegression

    sides = []
    for side in (target, others):
        rows = np.repeat(np.arange(len(side.lengths)), side.lengths)
        keys = np.unique(rows * BUCKETS + side.buckets)
        ones = (np.ones(len(keys)), (keys // BUCKETS, keys % BUCKETS))
        sides.append(csr_matrix(ones, shape=(len(side.lengths), BUCKETS)))
    present = [np.asarray(side.sum(axis=0)).ravel() + 1 for side in sides]
    ratio = np.log(present[0] / present[0].sum()) - np.log(present[1] / present[1].sum())
    ratio[(present[0] == 1) & (present[1] == 1)] = 0  # Never seen, so nothing is known.
    features = vstack(sides).multiply(ratio).tocsr()
    labels = np.repeat([1, 0], [len(target.lengths), len(others.lengths)])
    model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=100)
    learned = model.fit(features, labels).coef_[0]
    size = np.abs(learned).sum() / max(1, np.count_nonzero(learned))
    weights: Floats = ratio * (0.75 * size + 0.25 * learned)
    return weights / np.abs(weights).max() * 20.0  # Only the order counts.


def _threshold(
    target: Documents, wanted: Counts, raw_shares: Floats, constants: Constants
) -> float:
    """Return what most documents of the target reach, each left out of its own target."""
    lengths = target.lengths
    tokens = (lengths + 1) // 2  # Of n-grams of one and two tokens.
    enough = tokens >= 100
    if np.count_nonzero(enough) < 20:
        enough = tokens > 0
    total, prior = int(wanted.sum()), constants.prior
    found = []
    for row in np.flatnonzero(enough):
        buckets = target.buckets[target.offsets[row] : target.offsets[row + 1]]
        distinct, counts = np.unique(buckets, return_counts=True)
        others = (wanted[distinct] - counts) / raw_shares[distinct] + prior * total
        each = np.log(others / (total - lengths[row] + prior * total))
        found.append(float((counts * each).sum() / lengths[row]))
    return sorted(found)[math.floor(constants.quantile * len(found))]


def measure(
    corpus: Corpus, world: World, name: str, budget: str, variants: Sequence[str], cells: Cells
) -> None:
    """Measure what is not known yet of a target and budget."""
    given, out = world.halves(name)
    target = Documents.of(given, corpus.features)
    first = uniform(_core.content_hashes(out), world.seed + 1000) < 0.5
    parts = [
        Documents.of(out.filter(pa.array(part)), corpus.measures.token_features)
        for part in (first, ~first)
    ]
    amount = int(corpus.tokens.sum() * float(budget.rstrip("%")) / 100)
    for variant in variants:
        if (name, world.seed, budget, variant) in cells:
            continue
        rows = corpus.select(target, amount, VARIANTS[variant])
        choose, report = corpus.perplexity(rows, *parts)
        cells.add(
            {
                "target": name,
                "tuned": world.targets[name].tuned,
                "seed": world.seed,
                "budget": budget,
                "method": variant,
                "choose": choose,
                "perplexity": report,
                "documents": len(rows),
            }
        )
        print(json.dumps(cells.of(target=[name])[-1]), flush=True)


def chosen(cells: Sequence[Cell]) -> list[Cell]:
    """Return, for each target, seed and budget, the variant that was best on the first part."""
    best: dict[tuple[str, int, str], Cell] = {}
    for cell in cells:
        key = (cell["target"], cell["seed"], cell["budget"])
        if key not in best or cell["choose"] < best[key]["choose"]:
            best[key] = cell
    return [{**cell, "method": "chosen"} for cell in best.values()]


def table(cells: Sequence[Cell]) -> str:
    """Return ratios to the constants as they are, as lines of Markdown."""
    lines = ["| | targets | budget | perplexity | best / worst |", "|---|---|---|---|---|"]
    for method, tuned, budget, pairs in against([*cells, *chosen(cells)], DEFAULT):
        ratios = [one["perplexity"] / other["perplexity"] for one, other in pairs]
        lines.append(
            f"| {method} | {'chosen on' if tuned else 'others'} | {budget} | "
            f"{geometric_mean(ratios):.3f} | {min(ratios):.2f} / {max(ratios):.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing, and print a table of all that is known."""
    parser = parser_of(__doc__, seeds=1, budgets=("0.5%", "2%", "10%"))
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    cells = Cells(given.cache / "constants.jsonl")
    variants = list(dict.fromkeys([DEFAULT, *given.variants]))
    for seed in range(given.seeds):
        world = World(given.data, seed)
        corpus = Corpus(world.raw["text"].combine_chunks())
        for name in given.targets or world.targets:
            for budget in given.budgets:
                measure(corpus, world, name, budget, variants, cells)
    print(table(cells.of(budget=given.budgets, target=given.targets, method=variants)))


if __name__ == "__main__":
    main()
