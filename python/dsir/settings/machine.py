"""Which resources of a machine a run may use; no result depends on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from dsir import _core
from dsir.arguments import panels
from dsir.arguments.declared import argument
from dsir.arguments.values import Amount, flag
from dsir.engine import LOCAL, Engine, open_engine
from dsir.errors import SettingError
from dsir.progress import Reporter, reporter
from dsir.settings.memory import MemoryLimit, memory_limit


class LimitArguments(TypedDict, total=False):
    """Arguments that limit what a call may use; see `Machine`."""

    threads: int | None
    memory: Amount | None


class MachineArguments(LimitArguments, total=False):
    """Arguments that say what a run may use; see `Machine`."""

    engine: str | Engine
    ray_address: str | None
    progress: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineOptions:
    """The arguments that a `Machine` is made from."""

    engine: str | Engine = argument(
        LOCAL,
        "Where tasks run: 'local' (threads of this process), 'ray' (a Ray cluster), or an Engine "
        "(`dsir.engine`).",
        panel=panels.RUN,
        metavar="NAME",
    )
    ray_address: str | None = argument(
        None,
        "The Ray cluster that engine='ray' runs on, e.g. 10.0.0.1:6379. By default the one of "
        "RAY_ADDRESS or of this machine, or a new one on this machine.",
        panel=panels.RUN,
        metavar="ADDRESS",
    )
    threads: int | None = argument(
        None,
        "Threads to use, e.g. 8. By default every core that this process may use.",
        kind=int,
        panel=panels.RUN,
    )
    memory: int | str | None = argument(
        None,
        "About how much memory the run may take, a number of bytes or a size such as 2GB: it "
        "limits how much is read at a time. By default each thread reads batches of 8 MB.",
        panel=panels.RUN,
        metavar="SIZE",
    )
    progress: bool = argument(True, "Show progress on standard error.", option="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The engine, memory and reporter of a run. No result depends on them.

    Attributes:
        engine: runs the tasks of stages.
        memory: limits on the data held in memory at a time.
        reporter: shows progress.
    """

    engine: Engine
    memory: MemoryLimit
    reporter: Reporter

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Machine:
        """Check the arguments of a call and open the engine.

        Raises:
            EngineError: the engine's cluster does not answer.
            SettingError: an argument is out of range, there is no such engine, or DSIR_SIMD in the
                environment names no kernel of this machine.
        """
        try:
            _core.simd_level()
        except ValueError as error:  # The environment asks for a kernel that there is not.
            raise SettingError(str(error)) from None
        engine = open_engine(
            given.get("engine", LOCAL), given.get("threads"), given.get("ray_address")
        )
        # Each process of an engine has the limit for itself.
        limit = memory_limit(given.get("memory"), engine.threads if engine.shares_files else 1)
        return cls(
            engine=engine,
            memory=limit,
            reporter=reporter(flag("progress", given.get("progress", True))),
        )
