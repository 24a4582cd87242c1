"""The options that the programs of this folder have in common."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def parser_of(description: str, *, seeds: int, budgets: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser with what all programs take that keep their measurements in a folder."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--budgets", nargs="+", default=list(budgets))
    parser.add_argument("--targets", nargs="+", default=[])
    return parser
