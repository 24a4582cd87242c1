"""The recorded runs: small calls of everything public, each with what came of it.

Nothing is imported but public names, so that the same runs can be made with any version of dsir.
"""

from __future__ import annotations

import runs_commands
import runs_graph
import runs_models
import runs_names
import runs_refused
import runs_select
from run_set import RUNS, Place, Result

__all__ = ["RUNS", "Place", "Result"]

# A module adds its runs as it is imported.
_MODULES = (runs_select, runs_models, runs_commands, runs_graph, runs_refused, runs_names)
