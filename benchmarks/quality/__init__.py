"""How good the results are, beside how fast."""
