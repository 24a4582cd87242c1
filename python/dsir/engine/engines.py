"""The engines by name: the values of `engine=`."""

from __future__ import annotations

from collections.abc import Callable

from dsir.engine.base import Engine
from dsir.engine.local import LocalEngine
from dsir.errors import SettingError

LOCAL = "local"
RAY = "ray"


def _ray(threads: int | None, address: str | None = None) -> Engine:
    from dsir.engine.ray import RayEngine

    return RayEngine(threads, address)


# To add an engine, add a row: the name that users give, and a function that makes the engine for a
# number of threads (None: as many as it finds). Import an optional library inside that function.
_ENGINES: dict[str, Callable[[int | None], Engine]] = {
    LOCAL: LocalEngine,
    RAY: _ray,
}


def open_engine(
    engine: str | Engine = LOCAL, threads: int | None = None, ray_address: str | None = None
) -> Engine:
    """Return the engine that was asked for.

    Args:
        engine: the name of an engine, or an `Engine`, which is returned as it is.
        threads: how many threads, or other workers, a named engine may use; None for all that it
            finds.
        ray_address: the address of a Ray cluster, for "ray" alone; None for the one that Ray finds.

    Raises:
        SettingError: no engine has that name, threads is out of range, threads is given for an
            `Engine`, which has its own, or the address for another engine than "ray".
        EngineError: the cluster does not answer.
    """
    if ray_address is not None:
        if engine != RAY:
            raise SettingError(f"ray_address: is for engine={RAY!r}, not for {engine!r}")
        if not isinstance(ray_address, str) or not ray_address:
            raise SettingError(
                f"ray_address={ray_address!r}: expected the address of a cluster, such as "
                "10.0.0.1:6379"
            )
        return _ray(threads, ray_address)
    if isinstance(engine, Engine):
        if threads is not None:
            raise SettingError("threads: cannot be given with an Engine, which has its own threads")
        return engine
    make = _ENGINES.get(engine) if isinstance(engine, str) else None
    if make is None:
        known = ", ".join(map(repr, _ENGINES))
        raise SettingError(f"engine={engine!r}: expected {known} or an Engine")
    return make(threads)
