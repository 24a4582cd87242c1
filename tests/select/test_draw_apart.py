"""The draw where the scores are is the draw of one process, to the last bit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dsir.engine import LocalEngine
from dsir.errors import BudgetError
from dsir.sampling import Calibration, KeyRule
from dsir.settings.budget import Budget
from dsir.settings.draw import DrawSettings
from dsir.stages import draw_apart as module
from dsir.stages import rank_search
from dsir.stages.draw import draw
from dsir.stages.draw_apart import draw_apart
from dsir.stages.score_table import ScoreForm, Scores
from dsir.stages.shard_scores import ShardScores
from dsir.storage.place import Place

ENGINE = LocalEngine(2)


def stored(folder, rows: int, columns: int, seed: int, *, ties: bool) -> list[ShardScores]:
    """Scores of units of all sizes, in files."""
    noise = np.random.default_rng(seed)
    form = ScoreForm(columns)
    units = []
    left = rows
    while left:
        size = min(left, int(noise.choice([0, 1, 7, 900, 70_000, 140_000])))
        left -= size
        weights = noise.normal(-40, 12, (columns, size))
        if ties:
            weights = np.round(weights / 20) * 20
        scores = Scores(
            weights,
            noise.integers(0, 400, size, dtype=np.uint32),
            noise.integers(0, 2000, size, dtype=np.uint32),
        )
        place = Place.at(folder / f"{len(units):05d}", "print", durable=False)
        with place.file(".arrow") as file, pa.ipc.new_file(file, form.schema) as writer:
            for first in range(0, size, 30_000):
                writer.write_batch(scores.at(slice(first, first + 30_000)).to_batch())
        units.append(ShardScores(rows=size, documents=size, form=form, place=place))
    return units


@pytest.mark.parametrize("few", [1, 2000, 1 << 18])
@pytest.mark.parametrize(
    ("budget", "rule", "columns", "ties"),
    [
        ({"n": 5000}, KeyRule(3), 1, False),
        ({"n": 179_000}, KeyRule(3), 1, False),
        ({"tokens": 900_000}, KeyRule(1, "resample", 0.05), 1, True),
        ({"bytes": 7_000_000}, KeyRule(2, "top-k"), 1, True),
        ({"fraction": 0.3}, KeyRule(5, "random"), 2, False),
        ({"n": 20_000}, KeyRule(5, "top-k"), 3, True),
        ({"n": 20_000}, KeyRule(5, "cap", calibrations=(Calibration(-30.0, 4.0),)), 1, False),
    ],
)
def test_the_draw_is_that_of_one_process(few, budget, rule, columns, ties, tmp_path, monkeypatch):
    monkeypatch.setattr(rank_search, "_FEW", few)
    monkeypatch.setattr(module, "_MOST_RUNS", 2)
    units = stored(tmp_path, 200_000, columns, 11, ties=ties)
    settings = DrawSettings(budget=Budget(**budget), rule=rule, min_tokens=40)
    shares = {1: [1.0], 2: [0.25, 0.75], 3: [0.5, 0.0, 0.5]}[columns]
    one = draw(units, settings, shares, 2)
    other = draw_apart(units, settings, shares, ENGINE)
    assert other == one
    assert [t.effective_sample_size for t in other.targets] == [
        t.effective_sample_size for t in one.targets
    ]


def test_everything_may_be_drawn_and_nothing(tmp_path):
    units = stored(tmp_path, 80_000, 1, 5, ties=False)
    settings = DrawSettings(
        budget=Budget(n=80_000), rule=KeyRule(1), min_tokens=0, allow_fewer=True
    )
    assert draw_apart(units, settings, [1.0], ENGINE) == draw(units, settings, [1.0], 1)
    settings = DrawSettings(budget=Budget(n=5), rule=KeyRule(1), min_tokens=5000)
    for make in (
        lambda: draw(units, settings, [1.0], 1),
        lambda: draw_apart(units, settings, [1.0], ENGINE),
    ):
        with pytest.raises(BudgetError, match="min_tokens"):
            make()
