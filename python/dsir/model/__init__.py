"""Models: n-gram features, importance weights, targets, metrics, filters, the model file."""
