"""The headings of `--help` under which options stand."""

BUDGET = "How much (exactly one)"
DRAW = "How to draw"
NGRAMS = "N-grams"
DOCUMENTS = "Preparing documents"
RUN = "How to run"
