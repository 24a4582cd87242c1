"""A model, texts of every kind, and the numbers that every adapter has to give."""

from __future__ import annotations

import numpy as np
import pytest

import dsir

TEXTS = ["a ship at sea", "a court of law", None, "", "sail.jsonl", "Ünïcode ship " * 40, "sea"]
RAW = ["ship and sail and sea", "judge and court of law", "sea and sail and ship", "law of the sea"]


@pytest.fixture(scope="session")
def model() -> dsir.ImportanceModel:
    return dsir.fit(RAW, ["ship and sea"] * 9, smoothing=0.5, progress=False)


@pytest.fixture(scope="session")
def two_targets() -> dsir.ImportanceModel:
    targets = {"sea": ["ship and sea"] * 9, "law": ["court of law"] * 9}
    return dsir.fit(RAW, targets, targets="separate", smoothing=0.5, progress=False)


@pytest.fixture
def texts() -> list[str | None]:
    return list(TEXTS)


@pytest.fixture(scope="session")
def expected(model) -> np.ndarray:
    weights = model.score(dsir.texts(TEXTS))
    assert weights[2] == weights[3] == 0
    assert len(set(weights.tolist())) == len(TEXTS) - 1
    return weights
