"""The attributes of an object of the reference; its functions become those of dsir."""

from __future__ import annotations

from typing import Any

from dsir.compat.dataset import default_load_dataset_fn, default_parse_example_fn
from dsir.compat.ngram_counts import tokenizer_named, wordpunct
from dsir.errors import SettingError

_FUNCTIONS = {
    "data_selection.base.default_load_dataset_fn": default_load_dataset_fn,
    "data_selection.base.default_parse_example_fn": default_parse_example_fn,
}
_NEEDED = ("raw_datasets", "target_datasets", "cache_dir", "num_proc", "ngrams", "num_buckets")


def _full_name(value: object) -> str:
    """Return the module and the name of a function."""
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__name__', '')}"


def attributes_of(reference: object) -> dict[str, Any]:
    """Return the attributes of an object of the reference.

    Raises:
        SettingError: the object is not a HashedNgramDSIR of the reference.
    """
    attributes = dict(vars(reference))
    missing = [name for name in _NEEDED if name not in attributes]
    if missing:
        raise SettingError(
            f"expected a HashedNgramDSIR of data-selection 1.0.3, found {type(reference).__name__} "
            f"without {', '.join(missing)}"
        )
    for name, value in attributes.items():
        if callable(value):
            attributes[name] = _FUNCTIONS.get(_full_name(value), value)
    owner = getattr(attributes["tokenizer"], "__self__", None)
    if type(owner).__name__ == "WordPunctTokenizer":
        attributes["tokenizer"] = wordpunct
    elif _full_name(attributes["tokenizer"]) == "nltk.tokenize.word_tokenize":
        attributes["tokenizer"] = tokenizer_named("word_tokenize")
    attributes.setdefault("target_laplace_smoothing", 0.0)
    return attributes
