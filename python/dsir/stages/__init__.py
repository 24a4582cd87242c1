"""The stages: count, score, sample, write. Each takes one shard and makes one result."""
