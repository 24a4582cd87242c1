"""Models: n-gram features, importance weights, targets, metrics, quality filters, and the model file."""
