"""Rows kept while they are scored, so that selected rows need not be read again from the input."""
