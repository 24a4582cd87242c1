"""Ways to choose the sentences of a summary: one module for each method."""
