"""Measurements of dsir: ratios against a peer or a limit in the same run, the median of several."""
