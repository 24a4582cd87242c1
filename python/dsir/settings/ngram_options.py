"""The options that make up one argument, `features`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsir._core import MAX_ORDER
from dsir.arguments.declared import arguments_of
from dsir.arguments.values import whole_number
from dsir.model.features import HashedNgrams
from dsir.settings.documents import default_buckets
from dsir.settings.fit import estimator_of

NGRAMS = {one.option: one for one in arguments_of(HashedNgrams).values()}


def with_features(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return given arguments, with the n-gram options turned into the argument `features`."""
    rest = {name: value for name, value in given.items() if name not in NGRAMS}
    options = {NGRAMS[name].name: given[name] for name in given if name in NGRAMS}
    if not options:
        return rest
    if "n" in options:
        whole_number("ngrams", options["n"], 1, MAX_ORDER)  # The message names the option.
    options.setdefault("buckets", default_buckets(estimator_of(given)))
    if given.get("preprocessing") == "paper":
        options.setdefault("tokenizer", "word_tokenize")
    return {**rest, "features": HashedNgrams(**options)}
