"""Documents that hold pieces of a benchmark, and a plain search for n-grams that are shared."""

from __future__ import annotations

import random
import re

TOKENS = {
    "wordpunct": lambda text: re.findall(r"\w+|[^\w\s]+", text.lower()),
    "whitespace": lambda text: text.lower().split(),
}


def shared(documents, texts, n, cut=TOKENS["wordpunct"]):
    """For each document, its different n-grams that are in the texts, and the first one's text."""
    first = {}
    for number, text in enumerate(texts):
        for ngram in ngrams(cut(text or ""), n):
            first.setdefault(ngram, number)
    found = []
    for document in documents:
        own = [ngram for ngram in ngrams(cut(document or ""), n) if ngram in first]
        found.append((len(set(own)), first[own[0]] if own else 2**32 - 1))
    return found


def ngrams(tokens, n):
    return [tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1)]


def text_of(drawn, words):
    return " ".join(drawn.choices([f"word{i}" for i in range(400)], k=words))


def documents_and_benchmark():
    """Documents, some with a piece of a benchmark, and the texts of the benchmark."""
    drawn = random.Random(7)
    documents = [text_of(drawn, drawn.randrange(30, 120)) for _ in range(200)]
    texts = [text_of(drawn, 40) for _ in range(8)]
    for row, text, size in ((3, 0, 13), (40, 5, 15), (41, 5, 30), (120, 7, 12), (199, 2, 14)):
        words = documents[row].split()
        words[10:10] = texts[text].upper().split()[4 : 4 + size]
        documents[row] = " ".join(words)
    return documents, texts


CONTAMINATED = [3, 40, 41, 199]  # Row 120 shares 12 words in a row, which is one too few.
