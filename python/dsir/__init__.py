"""dsir: select the documents to train a language model on.

import dsir

selection = dsir.select("corpus/*.parquet", "wanted.jsonl", n=100_000, out="selected/")
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from dsir import interrupts as _interrupts

if _interrupts.is_command():  # Loading the libraries takes a second; Ctrl-C may come before.
    _interrupts.answer_signals()

try:
    from dsir import _core as _core
except ImportError as error:  # The import found the source tree, or the build is broken.
    raise ImportError(
        "dsir's compiled core is missing or cannot be loaded "
        f"({error}); install the package (pip install .) and import it from outside its sources"
    ) from error

from dsir.check.diff import SelectionDifference, diff
from dsir.check.verify import Verification, verify
from dsir.comparison.compare import compare
from dsir.comparison.result import Comparison
from dsir.corpus.names_or_texts import files, texts
from dsir.errors import (
    BadDataError,
    BudgetError,
    DsirError,
    DsirWarning,
    EmptyCorpusError,
    EngineError,
    InputError,
    KernelError,
    ModelError,
    OutputError,
    RowError,
    SettingError,
    ShardError,
    StoreError,
    TextColumnError,
    WorkdirError,
)
from dsir.model.bootstrap import Interval
from dsir.model.classifier import ClassifierModel
from dsir.model.estimators import load_model
from dsir.model.fasttext_model import FastTextModel
from dsir.model.features import HashedNgrams
from dsir.model.importance import ImportanceModel
from dsir.model.kernels import kernel
from dsir.model.label_model import LabelModel
from dsir.model.metrics import effective_sample_size, kl_reduction
from dsir.model.quality import QualityFilters
from dsir.model.relevance import RelevanceModel
from dsir.model.scorers import score
from dsir.run.fit import fit
from dsir.run.load import load
from dsir.run.select import select
from dsir.run.selection import Selection
from dsir.sampling import sample
from dsir.version import __version__

if TYPE_CHECKING:
    from dsir import graph

__all__ = [
    "BadDataError",
    "BudgetError",
    "ClassifierModel",
    "Comparison",
    "DsirError",
    "DsirWarning",
    "EmptyCorpusError",
    "EngineError",
    "FastTextModel",
    "HashedNgrams",
    "ImportanceModel",
    "InputError",
    "Interval",
    "KernelError",
    "LabelModel",
    "ModelError",
    "OutputError",
    "QualityFilters",
    "RelevanceModel",
    "RowError",
    "Selection",
    "SelectionDifference",
    "SettingError",
    "ShardError",
    "StoreError",
    "TextColumnError",
    "Verification",
    "WorkdirError",
    "__version__",
    "compare",
    "diff",
    "effective_sample_size",
    "files",
    "fit",
    "graph",
    "kernel",
    "kl_reduction",
    "load",
    "load_model",
    "sample",
    "score",
    "select",
    "texts",
    "verify",
]


def __getattr__(name: str) -> ModuleType:
    """Import `dsir.graph` on first use, since most runs do not need it."""
    if name == "graph":
        return importlib.import_module("dsir.graph")
    raise AttributeError(f"module 'dsir' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Show the public names and nothing else."""
    return sorted(__all__)
