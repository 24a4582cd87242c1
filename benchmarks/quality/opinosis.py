"""Summaries of the 51 Opinosis topics against human summaries: ROUGE at equal budgets.

Usage: python -m benchmarks.quality.opinosis [--data FOLDER] [--peers] [--sweep] [--json FILE]

Every method ranks the sentences of a topic. All methods then choose alike: two sentences, or as
many as fit into 25 words. Only dsir's own choice also has its redundancy limit. F1 by itself
rewards short summaries (the human ones have 17 words on average), so the tables also show mean
words and recall. Needs rouge-score; --peers also needs lexrank, sumy and nltk.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rouge_score import rouge_scorer

from dsir.graph import Idf, lexrank, summarize

Rank = Callable[[list[str]], list[int]]
Choose = Callable[[list[str]], list[str]]
_MEASURES = ("rouge1", "rouge2", "rougeL")
_RANDOM_DRAWS = 10
_WORDS = 25


@dataclass(frozen=True, slots=True)
class Topic:
    """Sentences about one thing, and the human summaries of them."""

    lines: list[str]
    summaries: list[str]


def topics(data: Path) -> list[Topic]:
    """Read the topics, in order of their names."""
    folder = data / "opinosis"
    found = []
    for path in sorted((folder / "topics").glob("*.data")):
        text = path.read_text(encoding="utf-8", errors="replace")
        name = path.name.removesuffix(".data").removesuffix(".txt")
        gold = sorted((folder / "summaries-gold" / name).glob("*.gold"))
        summaries = [one.read_text(encoding="utf-8", errors="replace").strip() for one in gold]
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        found.append(Topic(lines, summaries))
    return found


class Rouge:
    """ROUGE-1, -2 and -L with stemming, the mean over the human summaries of a topic."""

    def __init__(self) -> None:
        self._scorer = rouge_scorer.RougeScorer(list(_MEASURES), use_stemmer=True)

    def of(self, topic: Topic, text: str) -> np.ndarray[Any, Any]:
        """Return F1 and recall: float64[2, 3]."""
        scores = [self._scorer.score(gold, text) for gold in topic.summaries]
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


def first_sentences(rank: Rank) -> Choose:
    """Return a choice of the two best sentences."""
    return lambda lines: [lines[row] for row in sorted(rank(lines)[:2])]


def first_words(rank: Rank) -> Choose:
    """Return a choice of the sentences that fit into the words, best first."""

    def choose(lines: list[str]) -> list[str]:
        left, rows = _WORDS, []
        for row in rank(lines):
            length = len(lines[row].split())
            if length <= left:
                rows.append(row)
                left -= length
        return [lines[row] for row in sorted(rows)]

    return choose


def by_score(score: Callable[[list[str]], Any]) -> Rank:
    """Return a ranking by score; among equals the earlier sentence is first."""
    return lambda lines: np.argsort(-np.asarray(score(lines)), kind="stable").tolist()


def plain_ranks(idf: Idf) -> Iterator[tuple[str, Rank]]:
    """Yield the rankings that need no peer."""
    yield "first", lambda lines: list(range(len(lines)))
    yield "centroid, own idf", by_score(lambda lines: lexrank(lines, None, method="degree"))
    yield (
        "centroid, corpus idf",
        by_score(lambda lines: lexrank(lines, None, method="degree", idf=idf)),
    )


def peer_ranks(found: list[Topic]) -> Iterator[tuple[str, Rank]]:
    """Yield the rankings of lexrank (crabcamp) 0.1.0, with either idf, and of sumy."""
    from sumy.nlp.stemmers import Stemmer
    from sumy.summarizers.lex_rank import LexRankSummarizer

    from lexrank import LexRank as Crabcamp

    everything = Crabcamp([[line] for topic in found for line in topic.lines])

    def crabcamp(threshold: float | None, *, own: bool) -> Callable[[list[str]], Any]:
        def score(lines: list[str]) -> Any:
            ranker = Crabcamp([[line] for line in lines]) if own else everything
            return ranker.rank_sentences(lines, threshold=threshold, fast_power_method=False)

        return score

    yield "lexrank 0.1.0, threshold 0.1", by_score(crabcamp(0.1, own=True))
    yield "lexrank 0.1.0, continuous", by_score(crabcamp(None, own=True))
    yield "lexrank 0.1.0, corpus idf, threshold 0.1", by_score(crabcamp(0.1, own=False))
    yield "lexrank 0.1.0, corpus idf, continuous", by_score(crabcamp(None, own=False))

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


def dsir_choices(idf: Idf, sweep: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield settings of dsir: the defaults and changes to them, or with `sweep` a whole grid."""
    if not sweep:
        yield "dsir, defaults", {}
        yield "dsir, corpus idf", {"idf": idf}
        yield "dsir, continuous", {"threshold": None}
        yield "dsir, corpus idf, continuous", {"idf": idf, "threshold": None}
        yield "dsir, corpus idf, threshold 0.1", {"idf": idf, "threshold": 0.1}
        yield "dsir, corpus idf, no stop words", {"idf": idf, "stopwords": "en"}
        yield "dsir, corpus idf, redundancy 1", {"idf": idf, "redundancy": 1}
        return
    for source in (None, idf):
        for stopwords in (None, "en"):
            for threshold in (None, 0.1, 0.15, 0.2, 0.25, 0.3):
                for redundancy in (0.3, 0.5, 0.7, 1.0):
                    name = f"idf={'own' if source is None else 'corpus'} stopwords={stopwords} "
                    yield (
                        f"{name}threshold={threshold} redundancy={redundancy}",
                        {
                            "idf": source,
                            "stopwords": stopwords,
                            "threshold": threshold,
                            "redundancy": redundancy,
                        },
                    )


def evaluate(found: list[Topic], rouge: Rouge, choose: Choose) -> dict[str, Any]:
    """Return the mean scores and words of one method over all topics."""
    scores, words = [], []
    for topic in found:
        text = " ".join(choose(topic.lines))
        words.append(len(text.split()))
        scores.append(rouge.of(topic, text))
    f1, recall = np.mean(scores, axis=0)
    return {
        "f1": [round(float(value), 4) for value in f1],
        "recall": [round(float(value), 4) for value in recall],
        "words": round(float(np.mean(words)), 1),
    }


def random_choice(found: list[Topic], rouge: Rouge, pick: Callable[[Rank], Choose]) -> Any:
    """Return the mean scores and words of random rankings, over several draws."""
    draws = []
    for seed in range(_RANDOM_DRAWS):
        draw = random.Random(seed)
        rank: Rank = lambda lines: draw.sample(range(len(lines)), len(lines))  # noqa: B023, E731
        draws.append(evaluate(found, rouge, pick(rank)))
    return {
        name: np.round(np.mean([one[name] for one in draws], axis=0), 4).tolist()
        for name in ("f1", "recall", "words")
    }


def run(data: Path, *, peers: bool, sweep: bool) -> dict[str, Any]:
    """Measure; return F1 and recall (ROUGE-1, -2, -L) and words by budget and method."""
    found = topics(data)
    rouge = Rouge()
    idf = Idf().fit(line for topic in found for line in topic.lines)
    result: dict[str, Any] = {}
    for budget, pick, own in (
        ("two sentences", first_sentences, {"sentences": 2}),
        (f"{_WORDS} words", first_words, {"words": _WORDS}),
    ):
        table: dict[str, Any] = {"random": random_choice(found, rouge, pick)}
        ranks = [*plain_ranks(idf), *(peer_ranks(found) if peers else ())]
        for name, rank in ranks:
            table[name] = evaluate(found, rouge, pick(rank))
        for name, settings in dsir_choices(idf, sweep):
            table[name] = evaluate(
                found,
                rouge,
                lambda lines, s={**own, **settings}: summarize(lines, split=False, **s).sentences,
            )
        result[budget] = table
    begun = time.perf_counter()
    for topic in found:
        summarize(topic.lines, sentences=2, split=False)
    result["seconds for all topics"] = round(time.perf_counter() - begun, 3)
    return result


def main() -> None:
    """Run, print tables, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--peers", action="store_true", help="lexrank and sumy as well (a minute)")
    parser.add_argument("--sweep", action="store_true", help="all settings of dsir")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = run(options.data, peers=options.peers, sweep=options.sweep)
    for budget, table in result.items():
        if not isinstance(table, dict):
            print(f"{budget}: {table}")
            continue
        print(f"\n{budget}: ROUGE-1 / 2 / L F1, recall, mean words")
        for name, row in table.items():
            f1, recall = (" ".join(f"{v:.3f}" for v in row[key]) for key in ("f1", "recall"))
            print(f"{name:<72} {f1}   {recall}   {row['words']:5.1f}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
