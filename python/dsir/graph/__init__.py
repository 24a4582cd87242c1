"""Graphs of text units: similarity, centrality (LexRank), summaries.

Source: Erkan & Radev 2004, "LexRank: Graph-based Lexical Centrality as Salience in Text
Summarization" (JAIR 22); ALGORITHMS section 3. What was chosen and why: docs/lexrank.md.
"""

from __future__ import annotations

from dsir.graph.estimator import LexRank
from dsir.graph.idf import Idf
from dsir.graph.lexrank import Centrality, centrality, lexrank
from dsir.graph.neighbours import SimilarityGraph, similarity_join
from dsir.graph.sentences import sentences
from dsir.graph.summarize import Summary, summarize

__all__ = [
    "Centrality",
    "Idf",
    "LexRank",
    "SimilarityGraph",
    "Summary",
    "centrality",
    "lexrank",
    "sentences",
    "similarity_join",
    "summarize",
]
