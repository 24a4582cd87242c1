"""Sequences of runs, against an oracle of what must stand after each.

    python tests/endurance/run_sequences.py --sequences 2000 --seed 1

A hypothesis state machine makes selections with changing settings, inputs, output folders and work
directories, on disk or in a store. Runs are killed at any of their writes, two run at once, parts
and work directories go missing, and files of others lie in the way. What must hold:

- A run that ends well has written what an undisturbed run into a new folder writes, byte for byte,
  and leaves nothing under a temporary name.
- A call that must be refused is refused, one that must go through goes through, and a refused call
  changes no file.
- After a kill a folder holds the old selection, the new one, or no manifest and only whole files of
  the two.
- The same command again finishes what a killed run began.
- Files of others stay.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings, strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

sys.path.insert(0, str(Path(__file__).parent))

from forked_runs import Ended
from sequence_world import NO_CONTENT, SETTINGS, UNFINISHED, Contents, World, contents_of

_STRANGER = "notes.txt"
_VERSIONS = 2
_WHICH = strategies.integers(0, len(SETTINGS) - 1)
_SHARE = strategies.integers(0, 99)
_OUTS = ("out-0", "out-1")
_WORKS = ("work-0", "work-1")
# Output folder and work directory of two runs at once.
_TWO_PLACES = (
    ("out-0", "", "out-0", ""),
    ("out-0", "work-0", "out-0", "work-1"),
    ("out-0", "work-0", "out-1", "work-0"),
    ("out-0", "work-0", "out-1", "work-1"),
    ("out-1", "work-1", "out-1", "work-1"),
    ("out-1", "", "out-1", "work-0"),
)


def unfinished_in(folder: Path) -> list[Path]:
    """Return the files under temporary names."""
    return [path for path in folder.rglob(".*") if UNFINISHED.fullmatch(path.name)]


@dataclass(frozen=True)
class Call:
    """One call: what it selects, and where it writes.

    Attributes:
        version: of the inputs.
        which: the number of the settings.
        out: the name of the output folder.
        work: the name of the work directory; "" for none.
    """

    version: int
    which: int
    out: str
    work: str


@dataclass
class Out:
    """What the oracle knows of an output folder.

    Attributes:
        call: whose selection is there, whole or begun; None if there is none.
        whole: whether the selection is whole.
        sure: whether this is certain: no kill and no loss since.
        stranger: whether a file of others is there.
    """

    call: Call | None = None
    whole: bool = False
    sure: bool = True
    stranger: bool = False


@dataclass
class Work:
    """What the oracle knows of a work directory.

    Attributes:
        versions: the inputs that it may belong to; more than one after a kill.
        last: the call that used it last; None if that is not certain.
    """

    versions: frozenset[int | None] = frozenset({None})
    last: Call | None = None


class Sequences(RuleBasedStateMachine):
    """A sequence of runs; `world` is set before."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.world.clear()
        self.world.tally["sequences"] += 1
        self.version = 0
        self.world.write_inputs(0)
        self.outs = {"out-0": Out(), "out-1": Out()}
        self.works = {"work-0": Work(), "work-1": Work()}
        self.stores: tuple[str, ...] = ()

    @initialize(stores=strategies.sampled_from([(), (), ("out",), ("out", "work")]))
    def choose_places(self, stores: tuple[str, ...]) -> None:
        """Put output folders and work directories on disk or in a store."""
        self.stores = stores

    # Where things are.

    def _is_stored(self, name: str) -> bool:
        return name.partition("-")[0] in self.stores

    def _path(self, name: str) -> Path:
        root = "store/bucket" if self._is_stored(name) else "disk"
        return self.world.folder / root / name

    def _location(self, name: str) -> str:
        return f"shelf://bucket/{name}" if self._is_stored(name) else str(self._path(name))

    def _arguments(self, call: Call, *, overwrite: bool) -> dict[str, Any]:
        places = {"out": self._location(call.out), "overwrite": overwrite}
        if call.work:
            places["workdir"] = self._location(call.work)
        return {**self.world.arguments(call.which), **places}

    def _call(self, which: int, out: str, work: str) -> Call:
        return Call(self.version, which, out, work)

    # What must stand.

    def _must(self, call: Call, *, overwrite: bool) -> set[str]:
        """Return how a call may end."""
        work = self.works.get(call.work)
        if work is not None and not work.versions & {None, call.version}:
            return {"refused"}
        either = {"done", "refused"}
        if work is not None and len(work.versions) > 1:
            return either
        out = self.outs[call.out]
        if out.stranger:
            return either
        if overwrite or (out.call is None and out.sure):
            return {"done"}
        if out.call == call and work is not None and work.last in (call, None):
            # What this call wrote, or began to write, unless another used the work directory since.
            return {"done"} if out.sure and work.last == call else either
        return {"refused"} if out.whole and out.sure else either

    def _ended(self, call: Call, ended: Ended, before: dict[str, Contents], *, alone: bool) -> None:
        """Check a run that has ended of itself, and note what is there now."""
        self.world.tally[ended.how] += 1
        if ended.how == "refused":
            after = self._everything()
            changed = {
                name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
            }
            assert not alone or not changed, (call, ended, changed)
            return
        assert ended.how == "done", (call, ended)
        self._check_whole(call)
        out = self.outs[call.out]
        self.outs[call.out] = Out(call, whole=True, stranger=out.stranger)
        if call.work:
            self.works[call.work] = Work(frozenset({call.version}), call)
            assert not unfinished_in(self._path(call.work)), (call, "left in the work directory")

    def _check_whole(self, call: Call) -> None:
        """Check that a folder holds the selection of a call, and nothing under temporary names."""
        found = contents_of(self._path(call.out))
        assert (found.pop(_STRANGER, None) is not None) == self.outs[call.out].stranger
        expected = self.world.expected(call.version, call.which)
        differ = {k for k in found.keys() | expected.keys() if found.get(k) != expected.get(k)}
        assert not differ, (call, differ)
        left = [*unfinished_in(self._path(call.out))]
        left += [self._path(call.out) / name for name in NO_CONTENT if "/." in name]
        left = [path for path in left if path.exists()]
        assert not left, (call, left)

    def _holds(self, call: Call) -> bool:
        """Tell whether a folder holds the manifest of a call."""
        found = contents_of(self._path(call.out)).get("_dsir/selection.json")
        return found == self.world.expected(call.version, call.which)["_dsir/selection.json"]

    def _everything(self) -> dict[str, Contents]:
        return {name: contents_of(self._path(name)) for name in (*self.outs, *self.works)}

    def _killed(self, call: Call, before: dict[str, Contents]) -> None:
        """Check what a killed run has left, and note what is certain."""
        self.world.tally["killed"] += 1
        for name, content in before.items():
            if name not in (call.out, call.work):
                assert contents_of(self._path(name)) == content, (call, name)
        out = self.outs[call.out]
        old = dict(before[call.out])
        new = self.world.expected(call.version, call.which)
        found = contents_of(self._path(call.out))
        stranger = found.pop(_STRANGER, None)
        assert (stranger is not None) == out.stranger, (call, "a file of others has gone")
        old.pop(_STRANGER, None)
        if found == old:
            self.outs[call.out] = Out(out.call, out.whole, sure=False, stranger=out.stranger)
        elif "_dsir/selection.json" in found:
            assert found == new, (call, "a manifest without its files")
            self.outs[call.out] = Out(call, whole=True, sure=False, stranger=out.stranger)
        else:
            for name, data in found.items():
                assert data in (old.get(name), new.get(name)), (call, name, "is not whole")
            self.outs[call.out] = Out(call, whole=False, sure=False, stranger=out.stranger)
        if call.work:
            versions = self.works[call.work].versions
            if versions == {None}:
                versions = frozenset({None, call.version})
            self.works[call.work] = Work(versions, None)

    # What happens.

    @rule(
        which=_WHICH,
        out=strategies.sampled_from(_OUTS),
        work=strategies.sampled_from(["", "work-0", "work-0", "work-1"]),
        overwrite=strategies.booleans(),
    )
    def select(self, which: int, out: str, work: str, overwrite: bool) -> None:
        """Run."""
        self._run(self._call(which, out, work), overwrite=overwrite)

    @rule(
        which=_WHICH,
        out=strategies.sampled_from(_OUTS),
        work=strategies.sampled_from(["", "work-0", "work-0", "work-1"]),
        overwrite=strategies.booleans(),
        kills=strategies.lists(_SHARE, min_size=1, max_size=3),
        again=strategies.sampled_from([True, True, False]),
    )
    def kill_and_go_on(
        self, which: int, out: str, work: str, overwrite: bool, kills: list[int], again: bool
    ) -> None:
        """Run the same command again and again, killed each time; then mostly to its end."""
        call = self._call(which, out, work)
        must = self._must(call, overwrite=overwrite)
        ended = None
        for share in kills:
            ended = self._run(call, overwrite=overwrite, kill=self._write(call, share))
            if ended.how != "killed":
                return
        if again:
            ended = self._run(call, overwrite=overwrite)
            if must == {"done"} and (overwrite or work):
                assert ended.how == "done", (call, ended)
                self.world.tally["same command again"] += 1

    @rule(overwrite=strategies.booleans())
    def select_the_same(self, overwrite: bool) -> None:
        """Run the command once more whose selection is in a folder."""
        for out in self.outs.values():
            if out.call is not None and out.call.version == self.version:
                self._run(out.call, overwrite=overwrite)

    def _write(self, call: Call, share: int) -> int:
        """Return the number of the write after a share of a run, in percent."""
        writes = self.world.writes.get((self._is_stored(call.out), self._kind_of_work(call)), 120)
        return 1 + writes * share // 100

    def _kind_of_work(self, call: Call) -> str:
        if not call.work:
            return ""
        return "stored" if self._is_stored(call.work) else "here"

    def _run(self, call: Call, *, overwrite: bool, kill: int = 0) -> Ended:
        self.world.expected(call.version, call.which)
        must = self._must(call, overwrite=overwrite)
        before = self._everything()
        temporary = set((self.world.folder / "tmp").iterdir())
        ended = self.world.runs.run(self._arguments(call, overwrite=overwrite), kill=kill)
        if ended.how == "killed":
            self._killed(call, before)
            return ended
        assert ended.how in must, (call, overwrite, ended, must, self.outs, self.works)
        self._ended(call, ended, before, alone=True)
        left = set((self.world.folder / "tmp").iterdir()) - temporary
        assert not left, (call, ended, left)
        if ended.how == "done":
            kind = (self._is_stored(call.out), self._kind_of_work(call))
            self.world.writes[kind] = max(ended.events, self.world.writes.get(kind, 0))
        return ended

    @rule(
        whiches=strategies.tuples(_WHICH, _WHICH),
        places=strategies.sampled_from(_TWO_PLACES),
        overwrite=strategies.tuples(strategies.booleans(), strategies.booleans()),
        share=_SHARE,
    )
    def select_twice_at_once(
        self,
        whiches: tuple[int, int],
        places: tuple[str, str, str, str],
        overwrite: tuple[bool, bool],
        share: int,
    ) -> None:
        """Stop a run anywhere, make another one, and let the first go on."""
        one = self._call(whiches[0], *places[:2])
        other = self._call(whiches[1], *places[2:])
        for call in (one, other):
            self.world.expected(call.version, call.which)
        before = self._everything()
        stop = self._write(one, share)
        first = self.world.runs.run(self._arguments(one, overwrite=overwrite[0]), stop=stop)
        if first.how != "stopped":
            assert first.how in self._must(one, overwrite=overwrite[0]), (one, first)
            self._ended(one, first, before, alone=True)
            return
        self.world.tally["two at once"] += 1
        shared_work = one.work == other.work != ""
        must = self._must(other, overwrite=overwrite[1])
        if one.out == other.out or shared_work:
            must = {"done", "refused"}
        second = self.world.runs.run(self._arguments(other, overwrite=overwrite[1]))
        assert second.how in must, (other, second)
        if second.how == "done":
            self._check_whole(other)
        first = self.world.runs.go_on(first)
        assert first.how in ("done", "refused"), (one, first)
        ended = [(one, first), (other, second)]
        done = [call for call, one_ended in ended if one_ended.how == "done"]
        if len(done) == 2 and one.out == other.out:
            assert one == other or any(overwrite), (one, other, "neither overwrites")
            # The first may have left the folder before it was stopped.
            last = one if self._holds(one) else other
            done = [last]
        for call in done:
            self._check_whole(call)
            stranger = self.outs[call.out].stranger
            self.outs[call.out] = Out(call, whole=True, sure=False, stranger=stranger)
        for _, one_ended in ended:
            self.world.tally[one_ended.how] += 1
        for call in (one, other):
            self.outs[call.out].sure = False
            if call.work:
                versions = self.works[call.work].versions | {call.version}
                self.works[call.work] = Work(versions, None)

    @rule(version=strategies.integers(0, _VERSIONS - 1))
    def change_inputs(self, version: int) -> None:
        """Write another version of the inputs."""
        self.version = version
        self.world.write_inputs(version)

    @rule(out=strategies.sampled_from(_OUTS), number=strategies.integers(0, 9))
    def lose_a_file(self, out: str, number: int) -> None:
        """Remove a file of a selection."""
        files = [path for path in sorted(self._path(out).rglob("*")) if path.is_file()]
        files = [path for path in files if path.name != _STRANGER]
        if files:
            files[number % len(files)].unlink()
            self.outs[out].sure = False

    @rule(work=strategies.sampled_from(_WORKS))
    def remove_work_directory(self, work: str) -> None:
        """Remove a work directory."""
        shutil.rmtree(self._path(work), ignore_errors=True)
        self.works[work] = Work()

    @rule(out=strategies.sampled_from(_OUTS))
    def add_a_file_of_others(self, out: str) -> None:
        """Put a file of others into an output folder."""
        self._path(out).mkdir(parents=True, exist_ok=True)
        (self._path(out) / _STRANGER).write_text("not dsir's")
        self.outs[out].stranger = True

    def teardown(self) -> None:
        """Run every unfinished call once more: it must come to its end."""
        for out in self.outs.values():
            call = out.call
            if call is None or out.stranger or call.version != self.version:
                continue
            if call.work and not self.works[call.work].versions & {None, call.version}:
                continue
            if call.work and len(self.works[call.work].versions) > 1:
                continue
            ended = self._run(call, overwrite=True)
            assert ended.how == "done", (call, ended)


def run(
    sequences: int, steps: int = 8, *, number: int | None = None, shrink: bool = True
) -> Counter[str]:
    """Go through so many sequences; returns how often what happened.

    Args:
        sequences: how many.
        steps: of each, at most.
        number: the seed; None for the same sequences every time.
        shrink: look for a shorter sequence that fails.

    Raises:
        AssertionError: something did not hold; hypothesis prints the sequence.
    """
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    how = settings(
        max_examples=sequences,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=number is None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    machine = Sequences if number is None else seed(number)(Sequences)
    with tempfile.TemporaryDirectory(prefix="dsir-runs-") as folder:
        Sequences.world = World(Path(folder))
        with contextlib.closing(Sequences.world):
            run_state_machine_as_test(machine, settings=how)
    return Sequences.world.tally


def main() -> None:
    """Read the command line, run, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = run(options.sequences, options.steps, number=options.seed)
    print(json.dumps(tally))


if __name__ == "__main__":
    main()
