"""LexRank: similarity graphs of text units, centrality, and extractive summaries."""
