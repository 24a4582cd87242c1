"""Checks of finished selections: verify, diff, and a selection made again from its manifest."""
