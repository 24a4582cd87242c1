"""What a report reads of a selection, whether it is in a folder or in memory."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.corpus import Shard
from dsir.corpus.encoded_text import encoding_of
from dsir.corpus.files import open_file
from dsir.corpus.partitions import IDENTITY_KEY, partitioned
from dsir.corpus.windows.shard import WINDOW_KEYS, ChunkedShard
from dsir.errors import DsirError
from dsir.model.estimator import Estimator
from dsir.model.language_column import described_languages
from dsir.output.row_origins import Origins
from dsir.remote import location_of
from dsir.remote.location import is_url
from dsir.report.pieces import Piece

_NOT_IDENTITY = ("rows", *WINDOW_KEYS)


class SelectionSource(abc.ABC):
    """A finished selection.

    Attributes:
        name: what its page is called.
        folder: the folder as it was given; "" for a selection in memory.
        place: what messages call its accounts.
        content: what its manifest says, or would say.
        model: the model that its log-weights are from.
        parts: the files or tables with its rows, in order.
    """

    def __init__(
        self,
        *,
        name: str,
        folder: str,
        place: str,
        content: Mapping[str, Any],
        model: Estimator,
        parts: Sequence[Shard],
    ) -> None:
        self.name, self.folder, self.place = name, folder, place
        self.content, self.model, self.parts = content, model, tuple(parts)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the run."""
        settings: Mapping[str, Any] = self.content["settings"]
        return settings

    @abc.abstractmethod
    def origins_of(self, part: int) -> Iterator[Origins]:
        """Yield where the rows of a part come from.

        Raises:
            OutputError: a file is missing or damaged.
        """

    def origins(self) -> Iterator[Origins]:
        """Yield where the rows come from, in their order.

        Raises:
            OutputError: a file is missing or damaged.
        """
        for part in range(len(self.parts)):
            yield from self.origins_of(part)

    def log_weights(self) -> Iterator[npt.NDArray[np.float64]]:
        """Yield the log-weights of the rows, in their order."""
        for origins in self.origins():
            yield origins.log_weight

    def raw(self) -> Found:
        """Look for the inputs that the rows were selected from."""
        return Found(self.content["inputs"].get("raw"), self.settings["text"])

    def targets(self) -> dict[str, Found]:
        """Look for the targets, by name; "" for a target without a name."""
        return found_targets(self.content)


class Found:
    """Inputs of a selection that are still as they were.

    Attributes:
        pieces: the inputs, in order; empty if one of them is gone or has changed.
        complete: whether these are all of their rows.
        why_not: why there are none; "" if there are.
    """

    __slots__ = ("complete", "pieces", "why_not")

    def __init__(self, described: object, text: str, held: Sequence[Piece] = ()) -> None:
        """Look for the inputs.

        Args:
            described: the inputs, as the manifest describes them.
            text: the text column.
            held: what there is of the inputs that are no files.
        """
        self.pieces: tuple[Piece, ...] = ()
        self.complete = True
        self.why_not = ""
        entries = described if isinstance(described, list) else []
        found: list[Piece] = []
        for number, entry in enumerate(entries):
            in_memory = [piece for piece in held if piece.source == number]
            if in_memory:
                found += in_memory
                rows = [piece.shard.documents.rows_in_metadata() or 0 for piece in in_memory]
                self.complete &= sum(rows) == entry["num_rows"]
                continue
            one = _input_of(entry if isinstance(entry, dict) else {}, text)
            if isinstance(one, str):
                self.why_not = one
                return
            found.append(Piece(number, one, 0, None))
        if not found:
            self.why_not = "the manifest does not name them"
        self.pieces = tuple(found)


def found_targets(
    content: Mapping[str, Any], held: Sequence[Sequence[Piece]] = ()
) -> dict[str, Found]:
    """Look for the targets of a selection, by name; "" for a target without a name.

    Args:
        content: what the manifest says.
        held: for each target, what there is of its inputs that are no files.
    """
    described = content["inputs"].get("target")
    settings = content["settings"]
    columns = settings.get("target_text")
    text = columns if isinstance(columns, str) else settings["text"]
    if isinstance(described, list) and described and "shards" in described[0]:
        by_name = columns if isinstance(columns, dict) else {}
        return {
            str(entry.get("name")): Found(
                entry.get("shards"),
                by_name.get(entry.get("name"), text),
                held[number] if held else (),
            )
            for number, entry in enumerate(described)
        }
    return {"": Found(described, text, held[0] if held else ())}


def _input_of(entry: Mapping[str, Any], text: str) -> Shard | str:
    """Return an input of a manifest as a shard, or why it cannot be read."""
    path = entry.get("path")
    if "texts" in entry or path is None:
        return "they were in memory, or came through a pipe"
    if not isinstance(path, str) or "\0" in path or not (is_url(path) or Path(path).is_absolute()):
        return f"the manifest names {path!r:.80}, which is not a path"
    try:
        file = open_file(location_of(path), text, encoding_in(entry))
        shard = partitioned(file, entry.get(IDENTITY_KEY))
        shard = described_languages(shard, entry).surveyed()
    except (DsirError, OSError) as error:  # Also of a store that does not answer.
        return str(error)
    identity = shard.identity()
    was = {name: value for name, value in entry.items() if name not in _NOT_IDENTITY}
    if {name: value for name, value in identity.items() if name not in _NOT_IDENTITY} != was:
        return f"{path} has changed since the selection"
    if "chunk_tokens" in entry:
        shard = ChunkedShard(
            shard,
            entry["chunk_tokens"],
            entry["chunk_stride"],
            entry["chunk_tokenizer"],
            entry.get("chunk_normalize"),
        )
    return shard


def encoding_in(described: Mapping[str, Any]) -> str | None:
    """Return the encoding of the text column of an input, as a manifest has it."""
    found = described.get("text_encoding")
    return None if found is None else encoding_of(found)
