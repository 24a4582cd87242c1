"""ROUGE of summaries at equal budgets of words, on the sets of `summary_sets`.

Usage: python -m benchmarks.quality.summaries [--data FOLDER] [--sets NAME ...] [--rows WORD]
       [--peers] [--json FILE]

Prints a table for each set: ROUGE-1, -2 and -L, F1 and recall, and the mean number of words. Every
row has the same budget. `choose` is the set that defaults are chosen on; the others only report.
Needs rouge-score and aclsum (the extra graph-peers); --peers also needs lexrank, sumy and nltk.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
from rouge_score import rouge_scorer

from benchmarks.quality.summary_sets import SETS, Case, SummarySet
from dsir.errors import DsirWarning
from dsir.graph import Idf, summarize
from dsir.lexrank.summaries.methods import DEFAULT_METHOD, SummaryMethod

Choose = Callable[[list[str], int], list[str]]
_MEASURES = ("rouge1", "rouge2", "rougeL")
_RANDOM_DRAWS = 5


class _Words:
    """A tokenizer for rouge_score: words of any language, in lower case."""

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())


class Rouge:
    """ROUGE-1, -2 and -L, the mean over the references of a case."""

    def __init__(self, *, english: bool) -> None:
        names = list(_MEASURES)
        self._scorer = (
            rouge_scorer.RougeScorer(names, use_stemmer=True)
            if english
            else rouge_scorer.RougeScorer(names, tokenizer=_Words())
        )

    def of(self, case: Case, text: str) -> np.ndarray[Any, Any]:
        """Return F1 and recall: float64[2, 3]."""
        scores = [self._scorer.score(reference, text) for reference in case.references]
        return np.mean(
            [
                [
                    [one[name].fmeasure for name in _MEASURES],
                    [one[name].recall for name in _MEASURES],
                ]
                for one in scores
            ],
            axis=0,
        )


def fitting(rank: Callable[[list[str]], list[int]]) -> Choose:
    """Return a choice of the sentences that fit into the words, best first."""

    def choose(lines: list[str], words: int) -> list[str]:
        left, rows = words, []
        for row in rank(lines):
            length = len(lines[row].split())
            if length <= left:
                rows.append(row)
                left -= length
        return [lines[row] for row in sorted(rows)]

    return choose


def by_score(score: Callable[[list[str]], Any]) -> Choose:
    """Return a choice by score; among equals the earlier sentence is first."""
    return fitting(lambda lines: np.argsort(-np.asarray(score(lines)), kind="stable").tolist())


def of_dsir(*, apart: bool, **settings: Any) -> Choose:
    """Return a choice by `dsir.graph.summarize`.

    Args:
        apart: whether each sentence is a document of its own.
        settings: the arguments of `summarize`.
    """

    def choose(lines: list[str], words: int) -> list[str]:
        documents = [[line] for line in lines] if apart else [lines]
        return summarize(documents, words=words, lists="sentences", **settings).sentences

    return choose


def dsir_rows(idf: Idf, *, apart: bool) -> Iterator[tuple[str, Choose]]:
    """Yield every method, with the idf of the texts themselves and with that of the set."""
    for own in (True, False):
        which = "own idf" if own else "corpus idf"
        given: dict[str, Any] = {"apart": apart} if own else {"apart": apart, "idf": idf}
        for method in get_args(SummaryMethod):
            # No idf changes what these choose.
            if method in ("concepts", "lead") and not own:
                continue
            name = f"{method}, the default" if method == DEFAULT_METHOD else method
            yield f"{name}, {which}", of_dsir(method=method, **given)
        for threshold in (0.05, 0.1, 0.2):
            settings = {"method": "lexrank", "threshold": threshold, **given}
            yield f"lexrank, threshold {threshold}, {which}", of_dsir(**settings)
        directed = {"method": "lexrank", "preceding": -0.5, **given}
        yield f"lexrank, preceding -0.5, {which}", of_dsir(**directed)


def peer_rows(cases: list[Case]) -> Iterator[tuple[str, Choose]]:
    """Yield the choices of lexrank (crabcamp) 0.1.0, with the corpus's idf, and of sumy."""
    from sumy.nlp.stemmers import Stemmer
    from sumy.summarizers.lex_rank import LexRankSummarizer

    from lexrank import LexRank as Crabcamp

    everything = Crabcamp([[line] for case in cases for line in case.lines])
    for name, threshold in (("threshold 0.1", 0.1), ("continuous", None)):

        def score(lines: list[str], threshold: float | None = threshold) -> Any:
            return everything.rank_sentences(lines, threshold=threshold, fast_power_method=False)

        yield f"lexrank 0.1.0, corpus idf, {name}", by_score(score)

    def sumy(lines: list[str]) -> Any:
        # Its steps one by one, because its parser would cut some lines and drop others.
        summarizer = LexRankSummarizer(Stemmer("english"))
        words = [
            [summarizer.stem_word(word) for word in re.findall(r"\w+", line.lower())]
            for line in lines
        ]
        matrix = summarizer._create_matrix(
            words,
            summarizer.threshold,
            summarizer._compute_tf(words),
            summarizer._compute_idf(words),
        )
        return summarizer.power_method(matrix, summarizer.epsilon)

    yield "sumy LexRank", by_score(sumy)


def evaluate(found: SummarySet, rouge: Rouge, choose: Choose) -> dict[str, Any]:
    """Return the mean scores and words of one row over all cases."""
    scores, words = [], []
    for case in found.cases:
        text = " ".join(choose(case.lines, found.words))
        words.append(len(text.split()))
        scores.append(rouge.of(case, text))
    f1, recall = np.mean(scores, axis=0)
    return {
        "f1": [round(float(value), 4) for value in f1],
        "recall": [round(float(value), 4) for value in recall],
        "words": round(float(np.mean(words)), 1),
    }


def random_row(found: SummarySet, rouge: Rouge) -> dict[str, Any]:
    """Return the mean scores and words of random choices, over several draws."""
    draws = []
    for seed in range(_RANDOM_DRAWS):
        draw = random.Random(seed)

        def rank(lines: list[str], draw: random.Random = draw) -> list[int]:
            return draw.sample(range(len(lines)), len(lines))

        draws.append(evaluate(found, rouge, fitting(rank)))
    return {
        name: np.round(np.mean([one[name] for one in draws], axis=0), 4).tolist()
        for name in ("f1", "recall", "words")
    }


def table(found: SummarySet, *, peers: bool = False, rows: str = "") -> dict[str, Any]:
    """Measure one set; return F1 and recall (ROUGE-1, -2, -L) and words by row.

    Args:
        found: the set.
        peers: whether other packages have rows too.
        rows: only rows with this text in their name.
    """
    rouge = Rouge(english=found.english)
    idf = Idf().fit([line for case in found.cases for line in case.lines])
    result = {}
    if rows in "random":
        result["random"] = random_row(found, rouge)
    for name, choose in (
        *(peer_rows(found.cases) if peers else ()),
        *dsir_rows(idf, apart=found.apart),
    ):
        if rows in name:
            result[name] = evaluate(found, rouge, choose)
    return result


def main() -> None:
    """Run, print the tables, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--rows", default="", help="only rows with this text in their name")
    parser.add_argument("--peers", action="store_true", help="lexrank and sumy as well (minutes)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    # Graphs without edges are part of what is compared.
    warnings.simplefilter("ignore", DsirWarning)
    results = {}
    for name in options.sets:
        found = SETS[name](options.data)
        results[name] = table(found, peers=options.peers, rows=options.rows)
        print(f"\n{name}: {len(found.cases)} cases, {found.words} words")
        print(f"{'':<44} ROUGE-1 / 2 / L F1    recall              words")
        for row, scores in results[name].items():
            f1, recall = (" ".join(f"{v:.3f}" for v in scores[key]) for key in ("f1", "recall"))
            print(f"{row:<44} {f1}     {recall}   {scores['words']:5.1f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
