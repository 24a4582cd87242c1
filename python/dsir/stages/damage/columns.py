"""Row groups whose text can be read but another column cannot: found when rows are written.

Scoring reads only the texts. The other columns are read only in row groups that hold selected rows.
A row group is lost as a whole if any column in it cannot be read. So rows are drawn again without
the lost row groups, until all drawn rows can be read. Each draw looks at every row group that it
drew from, so which row groups are lost depends only on the rows drawn and on the files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from dsir.corpus import Shard
from dsir.corpus.shard import DamagedGroups
from dsir.errors import ShardError, WorkdirError
from dsir.stages.sample import ShardRows
from dsir.storage.workdir import Workdir
from dsir.storage.workdir_manifest import fingerprint_of

_FILE = "damaged.json"


@dataclass(frozen=True, slots=True)
class LostGroups:
    """Row groups that are passed over because a column beside the text is damaged.

    Attributes:
        by_unit: for the number of each unit, its lost row groups, by their number in the file, and
            why each cannot be read.
    """

    by_unit: Mapping[int, DamagedGroups] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether any row groups are lost."""
        return bool(self.by_unit)

    def stage(self, name: str) -> str:
        """Return the name of a stage's folder, which is different for every set of lost groups."""
        return f"{name}-{fingerprint_of(self._described())}" if self.by_unit else name

    def unit(self, shard: Shard, number: int) -> Shard:
        """Return a unit without its lost row groups."""
        return shard.without(self.by_unit[number])

    def with_more(self, found: Mapping[int, DamagedGroups]) -> LostGroups:
        """Return these row groups together with newly found ones."""
        by_unit = {
            number: tuple(sorted({*self.by_unit.get(number, ()), *found.get(number, ())}))
            for number in sorted({*self.by_unit, *found})
        }
        return LostGroups(by_unit)

    def keep(self, workdir: Workdir, plan: str) -> None:
        """Store the row groups in a work directory, for a later run that resumes there.

        Args:
            workdir: the work directory.
            plan: fingerprint of what the draw depends on. Another plan draws other rows, and may
                never meet the damage.
        """
        workdir.keep(_FILE, {"fingerprint": plan, "units": self._described()})

    def _described(self) -> dict[str, Any]:
        return {
            str(number): [list(row_group) for row_group in row_groups]
            for number, row_groups in self.by_unit.items()
        }


def lost_before(workdir: Workdir | None, plan: str) -> LostGroups:
    """Return the row groups that an earlier run of the same plan stored in a work directory.

    Args:
        workdir: the work directory; None without one.
        plan: as in `LostGroups.keep`.

    Raises:
        WorkdirError: the stored file was changed.
    """
    found = None if workdir is None else workdir.kept(_FILE)
    if workdir is None or found is None or found.get("fingerprint") != plan:
        return LostGroups()
    try:
        return LostGroups(
            {
                int(number): tuple((int(row_group), str(why)) for row_group, why in row_groups)
                for number, row_groups in found["units"].items()
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WorkdirError(
            f"{workdir.path / _FILE}: does not list row groups; remove it to find them again"
        ) from error


def find_damage(shards: Sequence[Shard], rows: Sequence[ShardRows]) -> dict[int, DamagedGroups]:
    """Read all row groups that hold selected rows, and return those that cannot be read.

    Args:
        shards: the units of a corpus.
        rows: the selected rows of each unit.

    Returns:
        For the number of each unit with damage: its damaged row groups, by their number in the
        file, and why each cannot be read.
    """
    found = {}
    for number, (shard, selected) in enumerate(zip(shards, rows, strict=True)):
        if selected.selected == 0:
            continue
        loaded = selected.load()
        wanted = loaded.shard_row if loaded.source_row is None else loaded.source_row
        row_groups = shard.damaged_of(wanted)
        if row_groups:
            found[number] = row_groups
    return found


def raise_named(
    error: ShardError, shards: Sequence[Shard], rows: Sequence[ShardRows], way_out: str
) -> NoReturn:
    """Raise an error from writing again; for a damaged row group, name its column and a way out.

    Args:
        error: the error.
        shards: the units of a corpus.
        rows: the selected rows of each unit.
        way_out: what the user can do, for the message.

    Raises:
        ShardError: always, unless the store fails.
        StoreError: the store failed.
    """
    if error.row_group is None:
        raise error
    mine = [pair for pair in zip(shards, rows, strict=True) if pair[0].name == error.path]
    found = find_damage([shard for shard, _ in mine], [selected for _, selected in mine])
    reasons = dict(row_group for damaged in found.values() for row_group in damaged)
    why = reasons.get(error.row_group)
    if why is None:
        raise error
    raise ShardError(
        f"{error.path}: {why}; {way_out}", path=error.path, row_group=error.row_group
    ) from error
