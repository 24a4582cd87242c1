"""Measurements of the quality of results, not of speed."""
