"""Graph methods: LexRank, similarity and summaries of text units, and GAIS for labelled rows.

LexRank: Erkan & Radev 2004, "LexRank: Graph-based Lexical Centrality as Salience in Text
Summarization" (JAIR 22); docs/algorithms.md, section 10; our choices: docs/lab/lexrank.md.
GAIS: Rustamov et al. 2025 (arXiv 2502.20293); docs/algorithms.md, section 13; our choices:
docs/lab/gais.md.
"""

from __future__ import annotations

from dsir.gais.baselines import EditedNearestNeighbours, KMeansPrototypes, RandomSelection
from dsir.gais.gais import GAIS
from dsir.gais.neighbours import NeighbourGraph, neighbours
from dsir.lexrank.estimator import LexRank
from dsir.lexrank.idf import Idf
from dsir.lexrank.rank import Centrality, centrality, lexrank
from dsir.lexrank.sentences import sentences
from dsir.lexrank.similarity import SimilarityGraph, similarity_join
from dsir.lexrank.summarize import summarize
from dsir.lexrank.summary import Summary

__all__ = [
    "GAIS",
    "Centrality",
    "EditedNearestNeighbours",
    "Idf",
    "KMeansPrototypes",
    "LexRank",
    "NeighbourGraph",
    "RandomSelection",
    "SimilarityGraph",
    "Summary",
    "centrality",
    "lexrank",
    "neighbours",
    "sentences",
    "similarity_join",
    "summarize",
]


def __dir__() -> list[str]:
    """Show the public names and nothing else."""
    return sorted(__all__)
