"""verify(), diff() and load() take a selection in place of its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

import dsir

RAW = [f"ship {number} and sail and sea" for number in range(40)]
SETTINGS = {"n": 5, "min_tokens": 1, "progress": False}


def made(out: Path | None = None, seed: int = 0) -> dsir.Selection:
    return dsir.select(RAW, ["ship and sea"] * 9, seed=seed, out=out, **SETTINGS)


def test_a_selection_stands_for_its_folder(tmp_path):
    one, other = made(tmp_path / "a"), made(tmp_path / "b", seed=1)
    assert dsir.verify(one, raw=RAW, target=["ship and sea"] * 9).stands
    assert dsir.load(one).rows.tolist() == one.rows.tolist()
    found = dsir.diff(one, tmp_path / "b")
    assert found.a == tmp_path / "a"
    assert found.rows == dsir.diff(tmp_path / "a", dsir.load(other)).rows


@pytest.mark.parametrize("given", ["memory", 5, None, ["a"]])
def test_what_has_no_folder_is_a_setting_error(tmp_path, given):
    given, said = (made(), "is in memory; give the folder") if given == "memory" else (
        given, "expected the folder of a selection"
    )  # fmt: skip
    made(tmp_path / "a")
    for call in (
        dsir.verify,
        dsir.load,
        lambda one: dsir.diff(one, tmp_path / "a"),
        lambda one: dsir.diff(tmp_path / "a", one),
    ):
        with pytest.raises(dsir.SettingError, match=said):
            call(given)
