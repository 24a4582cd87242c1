"""Windows: documents cut into runs of a fixed number of tokens."""
