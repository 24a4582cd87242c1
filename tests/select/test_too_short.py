"""A run says when most of the corpus is too short to be selected."""

from __future__ import annotations

import pytest

import dsir

TEXTS = [f"words {i} " * 5 for i in range(6)] + [f"words {i} " * 40 for i in range(5)]


@pytest.mark.parametrize(("min_tokens", "said"), [(20, True), (5, False)])
def test_a_note_names_min_tokens(capsys, min_tokens, said):
    dsir.select(TEXTS, TEXTS[:5], n=3, method="top-k", min_tokens=min_tokens)
    note = f"6 of 11 have fewer than min_tokens={min_tokens} tokens"
    assert (note in capsys.readouterr().err) is said
