"""A short soak, and what counts as growth."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def soaked(monkeypatch) -> ModuleType:
    """The script, as a module."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import soak

    return soak


def turns(soaked: ModuleType, count: int = 90, **more: Any) -> list[Any]:
    """Turns in which nothing grows but what `more` says: a function of the turn's number."""
    steady = {"peak": 1 << 27, "memory": 1 << 28, "arrow": 0, "handles": 6, "threads": 8, "kept": 9}
    return [
        soaked.Turn(
            kind=f"call {number % 3}",
            at=float(number),
            **steady | {name: value(number) for name, value in more.items()},
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory", lambda number: (1 << 28) + number * (1 << 20)),
        ("arrow", lambda number: number * (1 << 17)),
        ("handles", lambda number: 6 + number // 80),
        ("threads", lambda number: 8 + number // 80),
        ("kept", lambda number: 9 + number // 30),
        ("peak", lambda number: (1 << 27) + number * (1 << 20)),
    ],
)
def test_what_grows_is_found(soaked, name, value):
    found = soaked.growth(turns(soaked, **{name: value}))
    assert found
    assert all(name in line for line in found)


def test_what_only_goes_up_and_down_is_no_growth(soaked):
    waves = {"memory": lambda number: (1 << 28) + number % 7 * (1 << 24)}
    assert soaked.growth(turns(soaked, **waves)) == []
    assert "| `call 0` | 30 |" in soaked.report(turns(soaked, **waves))


def test_a_temporary_file_that_stays_is_found(soaked, tmp_path):
    soaked.make_inputs(tmp_path, rows=5, seed=0)
    soaked.watched(tmp_path, "nothing", 0.0, 0)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".part-00000.parquet.tmp-12-ab").touch()
    with pytest.raises(soaked.WrongError, match="call left"):
        soaked.watched(tmp_path, "call", 0.0, 0)


@pytest.mark.filterwarnings("ignore::dsir.DsirWarning")
def test_a_short_soak(soaked, tmp_path):
    assert soaked.run(tmp_path / "soak", 0.1, rows=60, kinds={"calls"})
    assert soaked.run(tmp_path / "again", 0.1, rows=60, kinds={"commands"})[0].peak > 1 << 20
