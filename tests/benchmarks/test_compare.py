"""python -m benchmarks.compare: what counts as a regression, and what is noise."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.compare import compare, main, noise_of
from benchmarks.figures import figure, ratio, table


def result(rounds: list[float], **options: Any) -> dict[str, Any]:
    return {
        "machine": {"cpu": "A", "commit": "1"},
        "full": True,
        "scoring": {"figures": [figure("score / reference", "x", rounds, **options)]},
    }


def verdict(old: dict[str, Any], new: dict[str, Any]) -> str:
    (one,) = compare(old, new)
    return one.verdict


def test_a_figure_is_made_of_all_rounds():
    one = ratio("a / b", [10.0, 9.0, 8.0], [2.0, 3.0, 2.0], asked=4.5)
    assert one["rounds"] == [5.0, 3.0, 4.0]
    assert (one["median"], one["met"]) == (4.0, False)
    assert ratio("a", [2.0], [2.0], better="lower", asked=1.0)["met"] is True
    assert "MISSED" in table([one])
    with pytest.raises(ValueError, match="shorter"):
        ratio("a", [1.0], [])


def test_ten_per_cent_are_noise():
    old = result([100.0, 100.0, 100.0])
    assert verdict(old, result([90.5] * 3)) == "same"
    assert verdict(old, result([89.0] * 3)) == "REGRESSION"
    assert verdict(old, result([111.0] * 3)) == "better"


def test_lower_may_be_better():
    old = result([1.0] * 3, better="lower")
    assert verdict(old, result([1.2] * 3, better="lower")) == "REGRESSION"
    assert verdict(old, result([0.8] * 3, better="lower")) == "better"


def test_noisy_rounds_allow_more():
    # Deviations from the median 100: 0, 10, 10, so 30 may be noise.
    old = result([90.0, 100.0, 110.0])
    assert noise_of([90.0, 100.0, 110.0], [75.0]) == 30.0
    assert verdict(old, result([75.0] * 3)) == "same"
    assert verdict(old, result([69.0] * 3)) == "REGRESSION"
    # The noise of the new result counts as well.
    assert verdict(result([100.0] * 3), result([75.0, 85.0, 65.0])) == "same"
    # One round that is far off is no noise.
    assert verdict(result([100.0, 100.0, 20.0]), result([85.0] * 3)) == "REGRESSION"


def test_one_round_has_ten_per_cent():
    assert verdict(result([100.0]), result([91.0])) == "same"
    assert verdict(result([100.0]), result([89.0])) == "REGRESSION"


def test_a_yes_stays_a_yes():
    def answers(value: float) -> dict[str, Any]:
        return {"compat": {"figures": [figure("top_k_equal", "", [value])]}}

    assert verdict(answers(1.0), answers(1.0)) == "same"
    assert verdict(answers(1.0), answers(0.0)) == "REGRESSION"


def test_seconds_are_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    old = result([100.0] * 3)
    old["scoring"]["figures"].append(figure("score", "MB/s", [1000.0]))
    old["start_up"] = {"figures": [figure("import dsir", "s", [0.1], better="lower")]}
    new = copy.deepcopy(old)
    new["scoring"]["figures"][1] = figure("score", "MB/s", [10.0])
    new["start_up"]["figures"][0] = figure("import dsir", "s", [9.0], better="lower")
    assert run(tmp_path, old, new) == 0
    out = capsys.readouterr().out
    assert "import dsir" not in out
    assert "not compared: seconds and MB/s" in out
    assert "1 figures compared, 0 worse" in out


def test_peak_memory_is_compared():
    def memory(peak: float) -> dict[str, Any]:
        return {"memory": {"figures": [figure("peak", "MB", [peak], better="lower")]}}

    assert verdict(memory(300.0), memory(320.0)) == "same"
    assert verdict(memory(300.0), memory(340.0)) == "REGRESSION"


def run(folder: Path, old: dict[str, Any], new: dict[str, Any]) -> int:
    paths = [folder / "old.json", folder / "new.json"]
    for path, one in zip(paths, (old, new), strict=True):
        path.write_text(json.dumps(one), encoding="utf-8")
    return main([str(path) for path in paths])


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    old, new = result([100.0] * 3), result([50.0] * 3)
    new["machine"]["cpu"] = "B"
    new["peers"] = {"figures": [figure("dsir / peer", "x", [3.0])]}
    assert run(tmp_path, old, new) == 1
    out = capsys.readouterr().out
    assert "REGRESSION" in out
    assert "only new" in out
    assert "differs: cpu: A -> B" in out
    assert run(tmp_path, new, old) == 0
    assert "only old" in capsys.readouterr().out


def test_wrong_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(tmp_path, result([1.0]), {"machine": {}}) == 2
    assert "no figure in common" in capsys.readouterr().err
    (tmp_path / "text").write_text("no JSON", encoding="utf-8")
    assert main([str(tmp_path / "text")] * 2) == 2
    assert main([str(tmp_path / "absent")] * 2) == 2
    assert "not results of" in capsys.readouterr().err
    assert run(tmp_path, {"scoring": {"figures": [{}]}}, {}) == 2
