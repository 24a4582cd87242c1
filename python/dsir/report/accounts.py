"""Checks the accounts in a manifest before a page is made of them: they may come from anyone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COUNTS = {
    "rows": ("read", "documents", "eligible", "selected", "bad"),
    "shards": ("read", "skipped"),
    "tokens": ("eligible", "selected"),
    "text_bytes": ("read", "selected"),
}
_MEASURES = ("kl_reduction", "random_kl_reduction", "effective_sample_size")


def has_accounts(content: Mapping[str, Any]) -> bool:
    """Tell whether a manifest has the accounts and inputs that a page needs.

    Args:
        content: the manifest, with the types that `dsir.output.manifest` has checked.
    """
    metrics = content["metrics"]
    found = all(
        isinstance(metrics.get(name), dict) and all(_is_count(metrics[name].get(k)) for k in keys)
        for name, keys in _COUNTS.items()
    )
    if not found or not _are_counts(metrics["rows"].get("bad_by_kind")):
        return False
    passed_over = metrics["rows"].get("passed_over")
    if not isinstance(passed_over, dict) or not _is_count(passed_over.get("not_drawn")):
        return False
    if not all(_is_count(one) or _are_counts(one) for one in passed_over.values()):
        return False
    duplicates = metrics.get("duplicates", {"rows": 0})
    if not isinstance(duplicates, dict) or not _is_count(duplicates.get("rows")):
        return False
    targets = metrics.get("targets", {})
    return (
        isinstance(targets, dict)
        and all(isinstance(one, dict) and _has_measures(one) for one in targets.values())
        and _has_measures(metrics)
        and _has_targets(content["inputs"])
    )


def _has_measures(of: Mapping[str, Any]) -> bool:
    return all(
        isinstance(of.get(name, 0.0), int | float) and not isinstance(of.get(name), bool)
        for name in _MEASURES
    )


def _has_targets(inputs: Mapping[str, Any]) -> bool:
    if "target" not in inputs:
        return isinstance(inputs.get("model"), dict)
    described = inputs["target"]
    if not isinstance(described, list) or not all(isinstance(one, dict) for one in described):
        return False
    shards = [one["shards"] for one in described if "shards" in one]
    return all(
        isinstance(several, list) and all(isinstance(one, dict) for one in several)
        for several in shards
    )


def _are_counts(value: object) -> bool:
    return isinstance(value, dict) and all(_is_count(one) for one in value.values())


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0  # Not isinstance: True is an int.
