"""Duplicates found by tasks, each of which sees a range of the rows or a range of the hashes."""
