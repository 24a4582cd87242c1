"""Summarizes a corpus whose sentences do not fit into memory, by storing them in a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pyarrow as pa

from dsir.corpus import Corpus
from dsir.lexrank.sentences import sentence_lists
from dsir.lexrank.summarizer import Summarizer
from dsir.lexrank.summary import Summary
from dsir.lexrank.units import weighed_terms
from dsir.primitive_arrays import to_numpy
from dsir.remote import Location, RemotePath

_SCHEMA = pa.schema([("sentence", pa.large_string())])


def summarize_spooled(
    corpus: Corpus,
    scratch: Location,
    *,
    summarizer: Summarizer,
    language: str | None,
    split: bool,
    ranking: Callable[[int], AbstractContextManager[object]],
) -> tuple[Summary, int]:
    """Summarize all documents of a corpus; returns the same summary as `summarize`.

    Sentences are written to a file when they are split, and their terms are counted. When the
    sentences have been scored, the texts of candidates are read back from the file. Memory holds
    the vectors, eight bytes for each entry, and a few numbers for each sentence.

    Args:
        corpus: the documents.
        scratch: a folder to create a temporary folder in, which is removed at the end. If `scratch`
            is in a store, this machine's folder for temporary files is used instead.
        summarizer: how to summarize.
        language: see `summarize`.
        split: see `summarize`.
        ranking: called with the number of sentences; the context is open while they are scored.

    Returns:
        The summary, and the number of documents.

    Raises:
        InputError: a document cannot be read, or is not UTF-8.
    """
    counter = summarizer.counter()
    lengths = [np.zeros(1, dtype=np.int64)]
    place = None if isinstance(scratch, RemotePath) else scratch
    with tempfile.TemporaryDirectory(prefix=".dsir-sentences-", dir=place) as folder:
        path = str(Path(folder) / "sentences.arrow")
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
            for lists in sentence_lists(corpus, language=language, split=split):
                found = lists.flatten()
                lengths.append(np.diff(to_numpy(lists.offsets)).astype(np.int64))
                summarizer.count(counter, found)
                writer.write_batch(pa.RecordBatch.from_arrays([found], schema=_SCHEMA))
        offsets = np.cumsum(np.concatenate(lengths))
        with pa.memory_map(path) as source:
            reader = pa.ipc.open_file(source)
            chunks = [reader.get_batch(k).column(0) for k in range(reader.num_record_batches)]
            candidates = pa.chunked_array(chunks, pa.large_string())
            with ranking(len(candidates)):
                units = weighed_terms(counter, summarizer.idf, threads=summarizer.threads)
                summary = summarizer.summary(candidates, offsets, units)
            return summary, len(offsets) - 1
