"""The first texts of some files of a corpus: enough to see what it is written in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pyarrow as pa

from dsir.corpus.cast_columns import cast_column
from dsir.corpus.resolve import Corpus
from dsir.corpus.shard import Shard
from dsir.corpus.token_ids import holds_ids
from dsir.errors import InputError
from dsir.remote import RemotePath

_FILES = 4
_ROWS = 64
_CHARACTERS = 2_000
_BATCH_BYTES = 256 << 10


def sample_texts(corpus: Corpus, *, remote: bool = False) -> list[str]:
    """Return the beginnings of the first 64 texts of up to 4 files, evenly spread over the corpus.

    Files that cannot be read give nothing: the stage that reads them says why. Columns of token
    numbers hold no texts.

    Args:
        corpus: the corpus, not cut into windows.
        remote: whether to ask stores as well; each of their files takes some requests.

    Returns:
        At most 256 texts of 2,000 characters each; nulls are left out.
    """
    shards = [shard for shard in corpus.shards if remote or not isinstance(shard.file, RemotePath)]
    step = max(1, len(shards) // _FILES)
    return [text for shard in shards[::step][:_FILES] for text in _first_of(shard)]


def _first_of(shard: Shard) -> list[str]:
    try:
        return list(itertools.islice(_texts(shard), _ROWS))
    except InputError:
        return []


def _texts(shard: Shard) -> Iterator[str]:
    for batch in shard.text_batches(on_error="skip", batch_bytes=_BATCH_BYTES):
        if holds_ids(batch.text):
            return
        for start in range(0, len(batch.text), _ROWS):
            few = cast_column(batch.text[start : start + _ROWS], pa.large_string())
            # Whether texts are UTF-8 is checked where they are counted.
            for content in few.cast(pa.large_binary()).to_pylist():
                if content:
                    beginning: bytes = content[: 4 * _CHARACTERS]
                    yield beginning.decode("utf-8", "replace")[:_CHARACTERS]
