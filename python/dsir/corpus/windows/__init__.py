"""Windows: documents cut into runs of equally many tokens."""
