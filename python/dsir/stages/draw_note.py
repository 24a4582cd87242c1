"""A draw as JSON values, exact, so that what one worker has found out serves all others."""

from __future__ import annotations

import math
from typing import Any

from dsir.sampling import Threshold
from dsir.settings.draw import DrawSettings
from dsir.stages.drawn import Draw, TargetDraw
from dsir.storage.marker import is_whole

_NUMBERS = ("rows", "eligible", "eligible_tokens", "eligible_bytes", "duplicates", "total")
_RANK = ("key", "not_row", "selected", "cost", "next_cost")
_FILTERS = 255  # Reasons of quality filters.


def can_note(draw: Draw, settings: DrawSettings) -> bool:
    """Tell whether `draw_of` gives all of a draw: with quotas, groups have ranks of their own."""
    return (
        not settings.quotas.columns
        and not draw.groups
        and all(
            isinstance(target, TargetDraw)
            and not target.closings
            and math.isfinite(target.effective_sample_size)
            for target in draw.targets
        )
    )


def note_of(draw: Draw) -> dict[str, Any]:
    """Return a draw as JSON values; see `can_note`."""
    targets = [
        {
            **{name: getattr(target.threshold, name) for name in _RANK},
            "effective_sample_size": target.effective_sample_size,
        }
        for target in draw.targets
        if isinstance(target, TargetDraw)
    ]
    return {
        **{name: getattr(draw, name) for name in _NUMBERS},
        "passed_over": dict(draw.passed_over),
        "filtered": list(draw.filtered),
        "targets": targets,
    }


def draw_of(note: object, settings: DrawSettings, columns: int) -> Draw | None:
    """Return the draw in a note; None if there is none, or none of this kind.

    Args:
        note: JSON values.
        settings: how was drawn.
        columns: how many targets draw.
    """
    if not isinstance(note, dict):
        return None
    passed_over, filtered, targets = (
        note.get(name) for name in ("passed_over", "filtered", "targets")
    )
    if not (
        all(is_whole(note.get(name)) for name in _NUMBERS)
        and isinstance(passed_over, dict)
        and all(map(is_whole, passed_over.values()))
        and isinstance(filtered, list)
        and len(filtered) == _FILTERS
        and all(map(is_whole, filtered))
        and isinstance(targets, list)
        and len(targets) == columns
        and all(map(_is_target, targets))
    ):
        return None
    drawn = tuple(
        TargetDraw(
            settings.rule.of_target(number),
            Threshold(**{name: target[name] for name in _RANK}),
            float(target["effective_sample_size"]),
        )
        for number, target in enumerate(targets)
    )
    numbers = {name: note[name] for name in _NUMBERS}
    return Draw(**numbers, passed_over=passed_over, filtered=tuple(filtered), targets=drawn)


def _is_target(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    size = value.get("effective_sample_size")
    ranks = [value.get(name) for name in ("key", "not_row")]
    return (
        isinstance(size, float)
        and math.isfinite(size)
        and all(isinstance(one, int) and 0 <= one < 1 << 64 for one in ranks)
        and all(is_whole(value.get(name)) for name in ("selected", "cost", "next_cost"))
    )
