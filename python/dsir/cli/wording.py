"""Messages in the words of the command line: options, where the package speaks of arguments."""

from __future__ import annotations

import re

_ARGUMENTS = (
    *(
        "allow_fewer",
        "buckets",
        "engine",
        "fit_tokens",
        "fraction",
        "hash",
        "length",
        "method",
        "n",
    ),
    *("ngrams", "on_error", "out", "overwrite", "seed", "sentences", "shard_size", "smoothing"),
    *("temperature", "text", "threads", "tokenizer", "tokens", "min_tokens", "workdir"),
    *("proportions", "targets", "weight_column", "target_column"),
    *("chunk_tokens", "chunk_stride", "filters", "preprocessing", "min_words"),
    *("combine", "candidates", "max_bad_rows", "max_bad_shards", "ignore_times", "by", "quick"),
    *("damping", "group_by", "redundancy", "stopwords", "summary", "summary_words", "threshold"),
    *("tolerance", "top", "score_column"),
    *("categorical", "graph", "keep", "label", "passes", "score"),
)
_VALUE = r"""("[^"]*"|'[^']*'|[^\s,;:)]+)"""
_GIVEN = re.compile(rf"(?<![\w./=-])({'|'.join(_ARGUMENTS)})={_VALUE}")
# Without a value, only names that are no English words.
_NAMED = re.compile(rf"(?<![\w./=-])({'|'.join(n for n in _ARGUMENTS if '_' in n)})\b(?!=)")


def in_options(message: str) -> str:
    """Turn `min_tokens=5` into `--min-tokens 5`, and `allow_fewer=True` into `--allow-fewer`."""

    def given(match: re.Match[str]) -> str:
        value = match[2].strip("\"'")
        option = _option(match[1])
        return option if value in ("True", "...") else f"{option} {value}"

    return _NAMED.sub(lambda match: _option(match[1]), _GIVEN.sub(given, message))


def _option(argument: str) -> str:
    return "--" + argument.replace("_", "-")
