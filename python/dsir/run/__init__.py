"""Runs: select, fit and the stages on their own, from checked settings to finished folders."""
