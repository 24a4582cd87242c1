"""The content of a folder of `dsir compare`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dsir.errors import OutputError
from dsir.output.folder import COMPARISON_FILE
from dsir.output.side_table import unreadable_output
from dsir.remote import Location
from dsir.remote.read_errors import translated
from dsir.remote.reading import open_bytes

_FORMAT = 1
_LISTS = ("table", "cells", "overlaps")
_NUMBERS = ("perplexity", "perplexity_ratio", "kl_reduction", "distinct_trigrams", "documents")


def comparison_content(folder: Location) -> Mapping[str, Any]:
    """Return the JSON object that `Comparison.save` wrote.

    Raises:
        OutputError: it is missing, damaged, or of another version.
        StoreError: a store does not answer.
    """
    path = folder / COMPARISON_FILE
    with translated(lambda error: unreadable_output(path, error)), open_bytes(path) as file:
        try:
            content = json.loads(file.read())
        except (ValueError, RecursionError) as error:
            raise OutputError(f"{path}: is not JSON: {error}") from error
    if not isinstance(content, dict) or not _is_comparison(content):
        raise OutputError(f"{path}: does not hold a comparison")
    if content.get("format") != _FORMAT:
        raise OutputError(
            f"{path}: has the format {content.get('format')!r:.80}, which this version of dsir "
            "does not know"
        )
    return content


def _is_comparison(content: Mapping[str, Any]) -> bool:
    """Tell whether an object has what pages and tables need, of the right kinds."""
    lists = [content.get(name) for name in _LISTS]
    shares = content.get("shares")
    lists += [] if shares is None else [shares]
    recommendation = content.get("recommendation")
    return (
        isinstance(content.get("settings"), dict)
        and all(
            isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in lists
        )
        and all(_is_row(row) for row in content["table"])
        and bool(content["table"])
        and isinstance(recommendation, dict)
        and isinstance(recommendation.get("method"), str)
        and all(_are_texts(recommendation.get(name)) for name in ("level", "reasons"))
    )


def _is_row(row: Mapping[str, Any]) -> bool:
    names = all(isinstance(row.get(name), str) for name in ("budget", "method"))
    numbers = all(
        isinstance(row.get(name), int | float) and not isinstance(row.get(name), bool)
        for name in _NUMBERS
    )
    return names and numbers and row["perplexity"] > 0


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
