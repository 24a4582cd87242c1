"""Scorers that are not of the core: kernels that numba compiled, and Python functions.

A scorer makes a document's log-weight of its features, in place of the sum of their log ratios. The
core calls it by its address, with the C signature of cpp/ngram/scorer_kernel.hpp.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from dsir.arguments.values import shown
from dsir.errors import KernelError, SettingError, warn
from dsir.model.own_code import imported_part, object_in
from dsir.model.own_part import (
    OwnPart,
    digest_of,
    importable_source,
    known,
    name_address,
    name_of,
    raised,
    remember,
    told_of,
)
from dsir.model.python_source import source_of

Scorer = Callable[..., float]
"""A function that makes the log-weight of a document; `dsir.kernel` describes its arguments."""

_NUMBERS = ctypes.POINTER(ctypes.c_uint32)
_SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_double,
    _NUMBERS,
    _NUMBERS,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.POINTER(ctypes.c_double),
    ctypes.c_int64,
)


class OwnScorer(OwnPart):
    """A scorer that is not of the core; see `OwnPart`.

    Attributes:
        address: address of a function with the C signature of scorers.
    """

    argument: ClassVar[str] = "scorer"
    address: int

    def describe(self) -> dict[str, str]:
        """Return what identifies the scorer in files, as plain values."""
        return {"kind": self.kind, "name": self.name, "digest": self.digest}

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Run calls of the core so that their errors say what the scorer raised.

        Raises:
            KernelError: the scorer failed, or returned what is no log-weight.
        """
        yield


class CallableScorer(OwnScorer):
    """A Python function that makes the log-weight of a document.

    The core's threads take turns to call it, under the GIL; a `dsir.kernel` is many times faster.
    Its digest is that of its source, of the functions that it calls, and of constants that it uses.

    Args:
        function: takes what a scorer kernel takes, as NumPy arrays, and returns a float.
    """

    kind: ClassVar[str] = "scorer function"
    way_out: ClassVar[str] = (
        "fit with it first, dsir.fit(..., scorer=...), or on the command line give its file as "
        "--kernels FILE.py; if its source has changed, fit the model again"
    )

    def __init__(self, function: Scorer) -> None:
        self.function = function
        self.name = name_of(function)
        self.digest = digest_of(self.kind, source_of(function))
        self._failures: list[BaseException] = []
        self._entry = _SIGNATURE(self._call)  # Keeps the machine code alive.
        self.address = ctypes.cast(self._entry, ctypes.c_void_p).value or 0
        self._called = told_of("scorer", function)
        name_address(self.address, self._called)

    def _call(
        self, buckets: Any, counts: Any, size: int, tokens: int, log_ratio: Any, every: int
    ) -> float:
        try:
            own, times = _array_at(buckets, size), _array_at(counts, size)
            return float(self.function(own, times, _array_at(log_ratio, every), tokens))
        except BaseException as error:  # noqa: BLE001 - nothing can pass through the core
            self._failures.append(error)
            return float("nan")

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Run calls of the core; see `OwnScorer.telling`. The function's own error is the cause."""
        try:
            yield
        except KernelError:
            if not self._failures:
                raise
            failure = self._failures[0]
            self._failures.clear()
            if not isinstance(failure, Exception):  # Such as KeyboardInterrupt.
                raise failure from None
            raise KernelError(f"{self._called}: {raised(failure)}") from failure

    @classmethod
    def _made_of(cls, function: Any) -> CallableScorer:
        """See `OwnPart._made_of`."""
        return cls(function)

    @property
    def source(self) -> str | None:
        """See `OwnPart.source`."""
        return importable_source(self.function)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        if self.source is not None:
            return (imported_part, (CallableScorer, self.source, self.name, self.digest))
        # By name: the other process needs the function, and pickle says so if it cannot be found.
        return (CallableScorer, (self.function,))


def _array_at(pointer: Any, size: int) -> npt.NDArray[Any]:
    """Return what lies at a pointer of ctypes as an array that cannot be written to."""
    array = np.ctypeslib.as_array(pointer, (size,))
    array.setflags(write=False)
    return array


def own_scorer_of(given: object) -> OwnScorer:
    """Return the scorer that a caller gave, and remember it; a Python function is warned of once.

    Args:
        given: a dsir.kernel("scorer"), or a function.

    Raises:
        SettingError: it is neither.
    """
    if isinstance(given, OwnScorer):
        scorer = given
    elif callable(given) and not isinstance(given, OwnPart | type):
        scorer = CallableScorer(given)
        if scorer.digest not in _said:
            _said.add(scorer.digest)
            warn(
                f"scorer={scorer.name}: a Python function is many times slower than the core, and "
                "threads take turns in it; dsir.kernel('scorer') compiles one"
            )
    else:
        raise SettingError(
            f"scorer={shown(given)}: expected a function that is decorated with "
            "dsir.kernel('scorer'), or a Python function"
        )
    remember(scorer)
    return scorer


def scorer_in(text: str) -> object:
    """Read the option that names a scorer, such as kernels.py:length_penalty.

    Raises:
        SettingError: it cannot be imported, or is neither a scorer kernel nor a function.
    """
    wanted = "a function, or one that is decorated with dsir.kernel('scorer')"
    return object_in(OwnScorer.argument, text, callable, wanted)


def described_scorer(given: object, kinds: tuple[type[OwnScorer], ...]) -> OwnScorer:
    """Return the scorer that `OwnScorer.describe` described.

    Args:
        given: what it returned, perhaps from a file.
        kinds: the classes of scorers.

    Raises:
        ModelError: this process has made no such scorer.
        SettingError: nothing of the kind is described.
    """
    if not isinstance(given, Mapping) or not {"kind", "name", "digest"} <= given.keys():
        raise SettingError(f"scorer={given!r:.80}: expected its kind, name and digest")
    found = known(kinds, given["kind"], given["name"], given["digest"], needed_by="the model needs")
    assert isinstance(found, OwnScorer)
    return found


_said: set[str] = set()
