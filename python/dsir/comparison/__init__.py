"""Methods compared on documents of the target that were kept out."""
