"""Damage in the input: what is lost with it, counted against limits, and left out of a draw."""
