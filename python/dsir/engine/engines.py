"""The engines by name: the values of `engine=`."""

from __future__ import annotations

from collections.abc import Callable

from dsir.engine.base import Engine
from dsir.engine.local import LocalEngine
from dsir.errors import SettingError

LOCAL = "local"

# To add an engine, add a row: the name that users give, and a function that makes the engine for a
# number of threads (None: as many as it finds). Import an optional library inside that function.
_ENGINES: dict[str, Callable[[int | None], Engine]] = {
    LOCAL: LocalEngine,
}


def open_engine(engine: str | Engine = LOCAL, threads: int | None = None) -> Engine:
    """Return the engine that was asked for.

    Args:
        engine: the name of an engine, or an `Engine`, which is returned as it is.
        threads: how many threads, or other workers, a named engine may use; None for all that it
            finds.

    Raises:
        SettingError: no engine has that name, threads is out of range, or threads is given for an
            `Engine`, which has its own.
    """
    if isinstance(engine, Engine):
        if threads is not None:
            raise SettingError("threads: cannot be given with an Engine, which has its own threads")
        return engine
    make = _ENGINES.get(engine) if isinstance(engine, str) else None
    if make is None:
        known = ", ".join(map(repr, _ENGINES))
        raise SettingError(f"engine={engine!r}: expected {known} or an Engine")
    return make(threads)
