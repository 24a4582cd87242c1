"""Damage met by the stages: what is lost, counted, and left out of a draw."""
