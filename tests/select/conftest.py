"""A corpus with copies among its rows, and columns to set quotas by."""

from __future__ import annotations

import json
import random
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir

sys.path.insert(0, str(Path(__file__).parent))  # For what tests share.

_WORDS = ["ship", "sail", "tide", "court", "judge", "bake", "flour", "the", "a", "of", "and"]
_SOURCES = ["web", "web", "web", "web", "books", "books", "news", None, 'a "quoted", name']


class QuotaCorpus:
    """Rows with copies among them, and what is known of each."""

    def __init__(self, count: int = 260, seed: int = 3) -> None:
        draw = random.Random(seed)
        texts: list[str | None] = []
        for number in range(count):
            if number > 5 and draw.random() < 0.3:
                texts.append(texts[draw.randrange(len(texts))])
                continue
            length = draw.choice([4, 12, 20, 33, 60])
            texts.append(" ".join(draw.choice(_WORDS) for _ in range(length)) + draw.choice("é .x"))
        texts[50] = texts[90] = None
        texts[51] = texts[91] = ""
        self.texts = texts
        self.source = [draw.choice(_SOURCES) for _ in range(count)]
        self.lang = [draw.choice([1, 1, 1, 2, 3]) for _ in range(count)]
        self.flag = [draw.choice([True, False, None]) for _ in range(count)]
        features = dsir.HashedNgrams()
        self.tokens = np.array([len(features.tokens(text or "")) for text in texts])
        self.bytes = np.array([len((text or "").encode()) for text in texts])
        self.columns = {"source": self.source, "lang": self.lang, "meta.flag": self.flag}

    def table(self) -> pa.Table:
        return pa.table(
            {
                "text": pa.array(self.texts, pa.large_string()),
                "source": pa.array(self.source, pa.string()).dictionary_encode(),
                "lang": pa.array(self.lang, pa.int16()),
                "meta": pa.array([{"flag": flag, "x": 1} for flag in self.flag]),
            }
        )

    def lines(self) -> list[bytes]:
        return [
            json.dumps(
                {"meta": {"flag": flag}, "text": text, "lang": lang}
                | ({} if source is None else {"source": source})
            ).encode()
            + b"\n"
            for text, source, lang, flag in zip(
                self.texts, self.source, self.lang, self.flag, strict=True
            )
        ]

    def write_parquet(self, folder: Path) -> list[Path]:
        folder.mkdir(parents=True)
        table, paths = self.table(), []
        for number, (start, stop) in enumerate(pairwise([0, 40, 41, 190, len(self.texts)])):
            paths.append(folder / f"part-{number}.parquet")
            pq.write_table(table[start:stop], paths[-1], row_group_size=23)
        return paths

    def write_lines(self, folder: Path) -> list[Path]:
        folder.mkdir(parents=True)
        lines, paths = self.lines(), []
        for number, (start, stop) in enumerate(pairwise([0, 60, len(lines)])):
            paths.append(folder / f"part-{number}.jsonl")
            paths[-1].write_bytes(b"".join(lines[start:stop]))
        return paths


@pytest.fixture(scope="session")
def quota_corpus() -> QuotaCorpus:
    """The corpus. Not to be changed."""
    return QuotaCorpus()
