"""A shard that reads another one, and changes some of what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from dsir.corpus.batches import ReadLimits
from dsir.corpus.shard import DamagedGroups, FilePart, Shard
from dsir.formats import Kind
from dsir.remote import Location

Wrapped = TypeVar("Wrapped", bound="WrappedShard")


@dataclass(frozen=True, slots=True)
class WrappedShard(Shard):
    """A shard with the file, the parts and the damage of another one; subclasses give the rows.

    Attributes:
        inner: the other shard.
    """

    inner: Shard
    name: str = field(init=False)
    size: int = field(init=False)
    text: str = field(init=False)

    def __post_init__(self) -> None:
        """Copy name, size and text column of the inner shard."""
        for attribute in ("name", "size", "text"):
            object.__setattr__(self, attribute, getattr(self.inner, attribute))

    @property
    def kind(self) -> Kind:
        """The format of the inner shard."""
        return self.inner.kind

    @property
    def file(self) -> Location | None:
        """The file of the inner shard."""
        return self.inner.file

    @property
    def part(self) -> FilePart | None:
        """The part of the file that the inner shard is."""
        return self.inner.part

    @property
    def is_empty(self) -> bool:
        """Whether the inner shard is empty."""
        return self.inner.is_empty

    @property
    def folder_columns(self) -> Mapping[str, str | None]:
        """The columns of the inner shard."""
        return self.inner.folder_columns

    @property
    def made_columns(self) -> tuple[str, ...]:
        """The columns of the inner shard."""
        return self.inner.made_columns

    @property
    def encoding(self) -> str | None:
        """The encoding of the inner shard."""
        return self.inner.encoding

    @property
    def limits(self) -> ReadLimits:
        """The limits of the inner shard."""
        return self.inner.limits

    def limited(self: Wrapped, limits: ReadLimits) -> Wrapped:
        """Return the same over the limited inner shard."""
        return replace(self, inner=self.inner.limited(limits))

    def surveyed(self: Wrapped) -> Wrapped:
        """Return the same over the surveyed inner shard."""
        return replace(self, inner=self.inner.surveyed())

    def bounds(self, unit_bytes: int) -> tuple[int, ...]:
        """Return where to cut the inner shard, which cuts between documents."""
        return self.inner.bounds(unit_bytes)

    def parts(self: Wrapped, bounds: tuple[int, ...]) -> tuple[Wrapped, ...]:
        """Return the same over each part of the inner shard."""
        return tuple(replace(self, inner=part) for part in self.inner.parts(bounds))

    def as_part(self: Wrapped, part: FilePart, size: int) -> Wrapped:
        """Return the same over a part of the inner shard."""
        return replace(self, inner=self.inner.as_part(part, size))

    def whole(self: Wrapped) -> Wrapped:
        """Return the same over the whole file."""
        return replace(self, inner=self.inner.whole())

    def placed(self: Wrapped, rows_before: int) -> Wrapped:
        """Return the same, knowing how many documents of the file are before it."""
        return replace(self, inner=self.inner.placed(rows_before))

    def rows_before(self) -> int:
        """Return how many documents of the file are before this part."""
        return self.inner.rows_before()

    def between(self: Wrapped, first: int, stop: int) -> Wrapped:
        """Return the same over some rows of the inner shard; see `Shard.between`."""
        return replace(self, inner=self.inner.between(first, stop))

    def copied(self: Wrapped, most: int) -> Wrapped | None:
        """Return the same over a copy of the inner shard; see `Shard.copied`."""
        inner = self.inner.copied(most)
        return None if inner is None else replace(self, inner=inner)

    def identity(self) -> dict[str, int | str]:
        """Return the identity of the inner shard."""
        return self.inner.identity()

    def check_unchanged(self) -> None:
        """Raise ShardError if the input has changed."""
        self.inner.check_unchanged()

    def rows_in_metadata(self) -> int | None:
        """Return the number of rows of the inner shard, if it is known."""
        return self.inner.rows_in_metadata()

    def without_damage(self: Wrapped) -> Wrapped | None:
        """Return the same over the undamaged inner shard; see `Shard.without_damage`."""
        inner = self.inner.without_damage()
        return None if inner is None else replace(self, inner=inner)

    def damaged_of(self, rows: npt.NDArray[np.int64]) -> DamagedGroups:
        """Find damaged row groups of the inner shard, by rows of documents."""
        return self.inner.damaged_of(rows)

    def without(self: Wrapped, damaged: DamagedGroups) -> Wrapped:
        """Return the same without these row groups of the inner shard."""
        return replace(self, inner=self.inner.without(damaged))
