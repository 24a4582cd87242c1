"""A corpus of three topics, and a target of one of them."""

from __future__ import annotations

import numpy as np

TOPICS = ("sea", "law", "stars")
_WORDS = {
    "sea": "ship sail anchor harbour tide wave mast crew reef keel deck rope captain storm gull",
    "law": "court judge clause plea statute appeal verdict trial bench witness oath brief tort",
    "stars": "orbit comet nebula lens planet moon ring flare galaxy dust probe dwarf pulsar arc",
}
_COMMON = ["the", "of", "and", "a", "to", "in", "was", "that", "it", "with", "for", "on", "as"]


def document(draw: np.random.Generator, topic: str, tokens: int) -> str:
    words = _WORDS[topic].split()
    places = draw.integers(0, len(words), tokens)
    # Words of a topic follow each other in an order of their own, so that trigrams say something.
    own = [words[(place + step) % len(words)] for step, place in enumerate(places // 3 * 3)]
    common = draw.choice(_COMMON, tokens)
    return " ".join(np.where(draw.random(tokens) < 0.5, own, common).tolist())


def corpus(seed: int = 0, documents: int = 360) -> tuple[list[str], list[str]]:
    """Texts of all topics, and the topic of each."""
    draw = np.random.default_rng(seed)
    topics = [TOPICS[number] for number in draw.integers(0, len(TOPICS), documents)]
    texts = [document(draw, topic, int(draw.integers(15, 90))) for topic in topics]
    return texts, topics


def target(seed: int = 1, documents: int = 60) -> list[str]:
    """Texts of the first topic."""
    draw = np.random.default_rng(seed)
    return [document(draw, "sea", int(draw.integers(30, 80))) for _ in range(documents)]
