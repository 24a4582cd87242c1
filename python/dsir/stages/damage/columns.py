"""Row groups with sound texts and damage beside them, which is met when rows are written.

Texts alone are read to score rows; the other columns only of row groups that hold selected ones. A
row group of which any column cannot be read is lost as a whole, as one is whose texts cannot. So
the rows are drawn again without those groups, until all that are drawn can be read. Which groups
are lost depends on the rows drawn and the files alone: each time all of their groups are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from dsir.corpus import Shard
from dsir.corpus.shard import DamagedGroups
from dsir.errors import ShardError, WorkdirError
from dsir.stages.sample import ShardRows
from dsir.storage.workdir import Workdir, fingerprint_of

_FILE = "damaged.json"


@dataclass(frozen=True, slots=True)
class LostGroups:
    """Row groups that are passed over for what stands beside their texts.

    Attributes:
        by_unit: by the number of the unit, row groups of the file and why each cannot be read.
    """

    by_unit: Mapping[int, DamagedGroups] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.by_unit)

    def stage(self, name: str) -> str:
        """Return what the folder of a stage is called: another one for every draw."""
        return f"{name}-{fingerprint_of(self._described())}" if self.by_unit else name

    def unit(self, shard: Shard, number: int) -> Shard:
        """Return a unit without the row groups that are lost."""
        return shard.without(self.by_unit[number])

    def with_more(self, found: Mapping[int, DamagedGroups]) -> LostGroups:
        """Return these and others."""
        every = {
            number: tuple(sorted({*self.by_unit.get(number, ()), *found.get(number, ())}))
            for number in sorted({*self.by_unit, *found})
        }
        return LostGroups(every)

    def keep(self, workdir: Workdir, plan: str) -> None:
        """Note the row groups in a work directory: a run that goes on there begins with them.

        Args:
            workdir: the work directory.
            plan: fingerprint of what the draw depends on. Another plan draws other rows, and may
                never meet the damage.
        """
        workdir.keep(_FILE, {"fingerprint": plan, "units": self._described()})

    def _described(self) -> dict[str, Any]:
        return {
            str(number): [list(group) for group in groups]
            for number, groups in self.by_unit.items()
        }


def lost_before(workdir: Workdir | None, plan: str) -> LostGroups:
    """Return what an earlier run of the same plan noted in a work directory.

    Args:
        workdir: the work directory; None without one.
        plan: as in `LostGroups.keep`.

    Raises:
        WorkdirError: the note was changed.
    """
    found = None if workdir is None else workdir.kept(_FILE)
    if workdir is None or found is None or found.get("fingerprint") != plan:
        return LostGroups()
    try:
        return LostGroups(
            {
                int(number): tuple((int(group), str(why)) for group, why in groups)
                for number, groups in found["units"].items()
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WorkdirError(
            f"{workdir.path / _FILE}: does not name row groups; remove it to find them again"
        ) from error


def find_damage(shards: Sequence[Shard], rows: Sequence[ShardRows]) -> dict[int, DamagedGroups]:
    """Look at all row groups that hold selected rows, and return those that cannot be read.

    Args:
        shards: the units of a corpus.
        rows: the selected rows of each.

    Returns:
        By the number of the unit: row groups of the file, and why.
    """
    found = {}
    for number, (shard, selected) in enumerate(zip(shards, rows, strict=True)):
        if selected.selected == 0:
            continue
        loaded = selected.load()
        wanted = loaded.shard_row if loaded.source_row is None else loaded.source_row
        groups = shard.damaged_of(wanted)
        if groups:
            found[number] = groups
    return found


def raise_named(
    error: ShardError, shards: Sequence[Shard], rows: Sequence[ShardRows], way_out: str
) -> NoReturn:
    """Raise an error of writing again; of a damaged row group, with its column and a way out.

    Raises:
        ShardError: always.
        StoreError: it was the store that failed.
    """
    if error.row_group is None:
        raise error
    mine = [pair for pair in zip(shards, rows, strict=True) if pair[0].name == error.path]
    found = find_damage([shard for shard, _ in mine], [selected for _, selected in mine])
    groups = dict(group for damaged in found.values() for group in damaged)
    why = groups.get(error.row_group)
    if why is None:
        raise error
    raise ShardError(
        f"{error.path}: {why}; {way_out}", path=error.path, row_group=error.row_group
    ) from error
