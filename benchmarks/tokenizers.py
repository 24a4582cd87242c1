"""Counting with each tokenizer and form against "wordpunct", per language, on one thread."""

from __future__ import annotations

import time
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import corpus
from benchmarks.figures import figure, ratio
from dsir import HashedNgrams, _core

# Sources that are in one language, and their names in the table. Others are told by their letters.
_SOURCES = {"man_fr": "French", "man_de": "German", "man_ja": "Japanese", "man_zh_CN": "Chinese"}

# A language counts if it has so much text, and is repeated until it has this much.
_LEAST_BYTES = 8_000
_MOST_BYTES = 4_000_000

_BASE = "wordpunct"

# What is measured against it, and the ratio that is aimed at.
_OTHERS: dict[str, tuple[HashedNgrams, float | None]] = {
    "NFC": (HashedNgrams(normalize="NFC"), None),
    "NFKC": (HashedNgrams(normalize="NFKC"), None),
    "unicode": (HashedNgrams(tokenizer="unicode"), 0.5),
    "chars": (HashedNgrams(tokenizer="chars"), 1.0),
    "codepoints": (HashedNgrams(tokenizer="codepoints"), None),
    "bytes": (HashedNgrams(tokenizer="bytes"), 1.0),
    "whitespace": (HashedNgrams(tokenizer="whitespace"), None),
}


def run(data: Path, times: int) -> dict[str, Any]:
    """Measure; return MB/s of processor time, and ratios to wordpunct in the same round."""
    features = {_BASE: HashedNgrams()} | {name: one for name, (one, _) in _OTHERS.items()}
    figures = []
    for language, texts in sorted(_texts(corpus.shards(data)).items()):
        size = sum(len(text.encode()) for text in texts)
        array = pa.array(texts * (1 + _MOST_BYTES // size), pa.large_string())
        rates: dict[str, list[float]] = {name: [] for name in features}
        for round_number in range(times + 1):
            for name, one in features.items():
                counts = np.zeros(one.buckets, dtype=np.int64)
                begun = time.thread_time()
                _core.count(array, one.spec, counts)
                seconds = time.thread_time() - begun
                if round_number:
                    rates[name].append(corpus.text_bytes(array) / seconds / 1e6)
        figures.append(figure(f"{language}, {_BASE}", "MB/s", rates[_BASE]))
        for name, (_, asked) in _OTHERS.items():
            title = f"{language}, {name} / {_BASE}"
            figures.append(ratio(title, rates[name], rates[_BASE], asked=asked))
    return {"figures": figures}


def _texts(paths: list[Path]) -> dict[str, list[str]]:
    """The texts of each language, in NFC, 4 MB of each at most."""
    found: dict[str, list[str]] = {}
    sizes: Counter[str] = Counter()
    for path in paths:
        table = pq.read_table(path, columns=["source", "text"])
        rows = zip(table["source"].to_pylist(), table["text"].to_pylist(), strict=True)
        for source, text in rows:
            if not text:
                continue
            language = _SOURCES.get(source) or _script(text)
            if sizes[language] < _MOST_BYTES:
                found.setdefault(language, []).append(unicodedata.normalize("NFC", text))
                sizes[language] += len(text.encode())
    return {name: texts for name, texts in found.items() if sizes[name] >= _LEAST_BYTES}


def _script(text: str) -> str:
    """ASCII, or the first word of the names of most letters: LATIN, CYRILLIC, THAI."""
    if text.isascii():
        return "ASCII"
    letters = (letter for letter in text[:2000] if letter.isalpha() and not letter.isascii())
    scripts = Counter(
        "LATIN" if letter < "\u0250" else unicodedata.name(letter, "other").split()[0]
        for letter in letters
    )
    return scripts.most_common(1)[0][0] if scripts else "other"
