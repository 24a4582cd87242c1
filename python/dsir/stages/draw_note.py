"""A draw as JSON values, exact, so that what one worker has found out serves all others."""

from __future__ import annotations

import base64
import json
import math
import zlib
from typing import Any

import numpy as np

from dsir.sampling import Threshold
from dsir.settings.draw import DrawSettings
from dsir.stages.drawn import Draw, TargetDraw
from dsir.stages.quota_draw import Closing, GroupAccounts
from dsir.storage.marker import is_whole

_NUMBERS = ("rows", "eligible", "eligible_tokens", "eligible_bytes", "duplicates", "total")
_RANK = ("key", "not_row", "selected", "cost", "next_cost")
_FILTERS = 255  # Reasons of quality filters.


def can_note(draw: Draw) -> bool:
    """Tell whether `draw_of` gives all of a draw."""
    return all(
        isinstance(target, TargetDraw) and math.isfinite(target.effective_sample_size)
        for target in draw.targets
    )


def note_of(draw: Draw) -> dict[str, Any]:
    """Return a draw as JSON values; see `can_note`."""
    targets = [
        {
            **{name: getattr(target.threshold, name) for name in _RANK},
            "effective_sample_size": target.effective_sample_size,
            # A column may have a million groups, so their ranks are a text and no list.
            "closings": [_packed(closing) for closing in target.closings],
        }
        for target in draw.targets
        if isinstance(target, TargetDraw)
    ]
    # Values as JSON texts, because JSON proper has no NaN.
    groups = [
        {
            "column": one.column,
            "values": one.values,
            "most": [[json.dumps(value), *counts] for value, *counts in one.most],
        }
        for one in draw.groups
    ]
    return {
        **{name: getattr(draw, name) for name in _NUMBERS},
        "passed_over": dict(draw.passed_over),
        "filtered": list(draw.filtered),
        "targets": targets,
        "groups": groups,
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
    try:
        groups = tuple(map(_accounts, note["groups"]))
        closings = [tuple(map(_unpacked, target["closings"])) for target in targets]
    except (KeyError, TypeError, ValueError, zlib.error):
        return None
    quotas = settings.quotas.columns
    sizes = [[len(closing.key) for closing in of_target] for of_target in closings]
    if tuple(one.column for one in groups) != quotas or any(
        found != [one.values for one in groups] for found in sizes
    ):
        return None
    drawn = tuple(
        TargetDraw(
            settings.rule.of_target(number),
            Threshold(**{name: target[name] for name in _RANK}),
            float(target["effective_sample_size"]),
            of_target,
        )
        for number, (target, of_target) in enumerate(zip(targets, closings, strict=True))
    )
    numbers = {name: note[name] for name in _NUMBERS}
    return Draw(
        **numbers,
        passed_over=passed_over,
        filtered=tuple(filtered),
        targets=drawn,
        groups=groups,
    )


def _packed(closing: Closing) -> str:
    columns = np.stack([closing.key, closing.not_row, closing.taken]).astype("<u8")
    return base64.b64encode(zlib.compress(columns.tobytes(), 1)).decode("ascii")


def _unpacked(text: str) -> Closing:
    data = zlib.decompress(base64.b64decode(text, validate=True))
    return Closing(*np.frombuffer(data, "<u8").astype(np.uint64).reshape(3, -1))


def _accounts(note: dict[str, Any]) -> GroupAccounts:
    most = []
    for value, eligible, selected in note["most"]:
        if not (is_whole(eligible) and is_whole(selected)):
            raise ValueError("are no whole numbers")
        most.append((json.loads(value), eligible, selected))
    if not (isinstance(note["column"], str) and is_whole(note["values"])):
        raise ValueError("is no column")
    return GroupAccounts(note["column"], note["values"], tuple(most))


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
