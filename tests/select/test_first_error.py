"""Of several damaged files the error is that of the first in the order of the corpus."""

from __future__ import annotations

import json

import pytest

import dsir

TARGET = ["the ship and the sea"] * 9


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("command", ["select", "fit"])
def test_it_is_the_first_for_any_threads(tmp_path, threads, command):
    good = json.dumps({"text": "the ship and the sea and the wind"}) + "\n"
    for number in range(12):
        # The first of the damaged files is the longest, so another is found damaged before it.
        lines = 20_000 if number == 3 else 20
        broken = "" if number < 3 else "{broken\n"
        (tmp_path / f"{number:02}.jsonl").write_text(good * lines + broken)
    given = {"threads": threads, "progress": False, "fit_tokens": "all"}
    if command == "select":
        given |= {"n": 3, "min_tokens": 1}
    with pytest.raises(dsir.RowError, match=r"03\.jsonl: row 20000 \(line 20001\)"):
        getattr(dsir, command)(tmp_path, TARGET, **given)
