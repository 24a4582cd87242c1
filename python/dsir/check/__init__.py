"""Checks of finished selections: verify, diff, and making a selection again."""
