"""Kernels: tokenizers, makers of features and scorers that a user writes and numba compiles.

The core calls the compiled function by its address, in its threads, without the GIL. The functions
that the user writes get NumPy arrays; a wrapper with the C signature of cpp/text/kernel_tokens.hpp,
cpp/ngram/feature_spec.hpp or cpp/ngram/scorer_kernel.hpp is compiled around each.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, ClassVar, Literal, get_args

import pyarrow as pa

from dsir import _core
from dsir.arguments.values import one_of, shown, whole_number
from dsir.errors import SettingError
from dsir.model.own_code import imported_part, object_in
from dsir.model.own_part import (
    OwnPart,
    digest_of,
    importable_source,
    name_address,
    remember,
    told_of,
)
from dsir.model.own_scorer import CallableScorer, OwnScorer
from dsir.model.own_tokenizer import OwnTokenizer
from dsir.model.python_source import source_of

KernelKind = Literal["tokenizer", "features", "scorer"]
_MOST_FEATURES = 256  # As in cpp/bindings/bind_ngram.cpp.
_RAISED = -(1 << 63)  # As kKernelRaised in cpp/text/kernel_tokens.hpp.


class Kernel(OwnPart):
    """A compiled function of the user; `dsir.kernel` makes one.

    The digest covers the source, the functions that it calls, the constants that it uses, numba's
    version and the options.

    Attributes:
        function: the function as it was written; calling the kernel calls it.
        address: address of the compiled function.
    """

    way_out: ClassVar[str] = (
        "import the module that defines it first, on the command line with --kernels FILE.py; if "
        "its source, the version of numba or an option has changed, fit the model again"
    )
    address: int

    def __init__(
        self, kind: KernelKind, function: Callable[..., Any], options: dict[str, Any]
    ) -> None:
        numba = _numba()
        if not inspect.isfunction(getattr(function, "py_func", function)):
            raise SettingError(
                f"dsir.kernel: {shown(function)} cannot be compiled; decorate a function that is "
                "written in Python"
            )
        self.function = function
        self.name = function.__name__
        self.__module__, self.__qualname__ = function.__module__, function.__qualname__
        self.__doc__ = function.__doc__
        compiled = _COMPILERS[kind](numba, function)
        self._compiled = compiled  # Keeps the machine code alive.
        self.address = compiled.address
        name_address(self.address, told_of(self.argument, function))
        self.digest = digest_of(kind, source_of(function), numba.__version__, options)
        remember(self)

    def __call__(self, *arguments: Any) -> Any:
        """Call the function as it was written, in Python."""
        return self.function(*arguments)

    @property
    def source(self) -> str | None:
        """See `OwnPart.source`."""
        return importable_source(self)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # Code is never in a pickle: the other process imports the module that defines the kernel.
        source = self.source or self.__module__
        return (imported_part, (type(self), source, self.name, self.digest))


class TokenizerKernel(Kernel, OwnTokenizer):
    """A kernel that cuts texts into tokens: `HashedNgrams(tokenizer=kernel)`."""

    kind: ClassVar[str] = "kernel"
    core_tokenizer: ClassVar[str] = "wordpunct"  # Not used: the core cuts by the address.

    def __init__(self, function: Callable[..., int]) -> None:
        super().__init__("tokenizer", function, {})

    def prepared(self, text: pa.Array, normalize: str | None, *, lower: bool) -> pa.Array:  # noqa: ARG002
        """Return the texts: the core calls the kernel itself."""
        return text

    def tokens(self, text: str, normalize: str | None, *, lower: bool) -> list[str]:
        """Return the tokens of a text, cut by the compiled function."""
        return _core.tokens(text.encode(), self.core_tokenizer, normalize, lower, self.address)


class FeatureKernel(Kernel):
    """A kernel that makes buckets of the hashes of tokens: `HashedNgrams(extractor=kernel)`.

    Attributes:
        features_per_token: the most features that it makes for each token of a document.
    """

    kind: ClassVar[str] = "features kernel"
    argument: ClassVar[str] = "extractor"

    def __init__(self, function: Callable[..., int], features_per_token: int) -> None:
        self.features_per_token = features_per_token
        super().__init__("features", function, {"features_per_token": features_per_token})


class ScorerKernel(Kernel, OwnScorer):
    """A kernel that makes a document's log-weight of its features: `dsir.fit(scorer=kernel)`."""

    kind: ClassVar[str] = "scorer kernel"

    def __init__(self, function: Callable[..., float]) -> None:
        super().__init__("scorer", function, {})


SCORERS: tuple[type[OwnScorer], ...] = (ScorerKernel, CallableScorer)
"""The kinds of scorers that a model file may name."""


def kernel(
    kind: KernelKind, *, features_per_token: int = 1
) -> Callable[[Callable[..., Any]], TokenizerKernel | FeatureKernel | ScorerKernel]:
    """Decorate a function that numba compiles and the core calls in its threads, without the GIL.

    The function is compiled when it is decorated. It must be one that numba compiles in nopython
    mode, and it must not keep anything between calls: threads call it at once. What it returns is
    checked (`KernelError`); what it reads and writes is not, so an index out of range crashes the
    process.

    Needs numba (``pip install 'dsir[numba]'``).

    Args:
        kind: what the function does.

            "tokenizer": ``f(text, at, starts, ends)`` writes the places of the tokens that begin at
            byte `at` or after, in order, as many as there is room for, and returns their number.
            The next call begins where the last token ends, and 0 says that there are no more.
            `text` is uint8[bytes], UTF-8; `at` is int64; `starts` and `ends` are uint32[room], at
            least 2,000. Tokens are not empty, do not overlap, and consist of whole characters.

            "features": ``f(tokens, buckets, out)`` writes the features of a document and returns
            their number. `tokens` is uint64[tokens], the hash of each token; `buckets` is int64,
            the number of buckets; `out` is uint32[tokens * features_per_token], and every feature
            in it is below `buckets`. `dsir.kernels.bucket_of` and `extend_hash` make the
            core's own n-grams.

            "scorer": ``f(buckets, counts, log_ratio, tokens)`` returns the log-weight of a document
            that has features, a finite float of at most 1e15 in magnitude. `buckets` is
            uint32[found], the distinct buckets of its features in ascending order; `counts` is
            uint32[found], how often each occurs; `log_ratio` is float64[buckets], the model's log
            ratio of every bucket, and must not be changed; `tokens` is int64.
        features_per_token: with "features", the most features for each token, 1 to 256.

    Returns:
        A decorator; what it returns goes into `HashedNgrams(tokenizer=...)`,
        `HashedNgrams(extractor=...)` or `fit(scorer=...)`, and calls the function in Python when it
        is called.

    Raises:
        SettingError: numba is not installed, or cannot compile the function.

    Example:
        >>> @dsir.kernel("tokenizer")
        ... def at_spaces(text, at, starts, ends):
        ...     found = 0
        ...     while found < len(starts):
        ...         while at < len(text) and text[at] == 32:
        ...             at += 1
        ...         if at == len(text):
        ...             break
        ...         starts[found] = at
        ...         while at < len(text) and text[at] != 32:
        ...             at += 1
        ...         ends[found] = at
        ...         found += 1
        ...     return found
        >>> dsir.HashedNgrams(tokenizer=at_spaces).tokens("Ships sail: 3.5 knots!")
        ['ships', 'sail:', '3.5', 'knots!']
    """
    one_of("kind", kind, get_args(KernelKind))
    features = whole_number("features_per_token", features_per_token, 1, _MOST_FEATURES)
    if kind != "features" and features != 1:
        raise SettingError(
            f"features_per_token={features}: is for dsir.kernel('features'), not for "
            f"dsir.kernel({kind!r}); leave it out"
        )

    def decorate(function: Callable[..., Any]) -> TokenizerKernel | FeatureKernel | ScorerKernel:
        if kind == "tokenizer":
            return TokenizerKernel(function)
        if kind == "scorer":
            return ScorerKernel(function)
        return FeatureKernel(function, features)

    return decorate


def _numba() -> Any:
    try:
        import numba
    except ImportError as error:
        raise SettingError("dsir.kernel: kernels need numba (pip install 'dsir[numba]')") from error
    return numba


def _compile_tokenizer(numba: Any, function: Callable[..., int]) -> Any:
    own, carray, types = _own(numba, function), numba.carray, numba.types
    places = types.CPointer(types.uint32)
    signature = types.int64(
        types.CPointer(types.uint8), types.int64, types.int64, places, places, types.int64
    )

    def entry(text: Any, size: int, at: int, starts: Any, ends: Any, room: int) -> int:
        try:
            found: int = own(carray(text, size), at, carray(starts, room), carray(ends, room))
        except Exception:  # noqa: BLE001 - all that numba knows; the core raises KernelError
            return _RAISED
        return found

    numbers = types.Array(types.uint32, 1, "C")
    arguments = (types.Array(types.uint8, 1, "C"), types.int64, numbers, numbers)
    return _compiled(numba, signature, entry, function, own, arguments)


def _compile_features(numba: Any, function: Callable[..., int]) -> Any:
    own, carray, types = _own(numba, function), numba.carray, numba.types
    signature = types.int64(
        types.CPointer(types.uint64),
        types.int64,
        types.CPointer(types.uint32),
        types.int64,
        types.int64,
    )

    def entry(tokens: Any, size: int, out: Any, room: int, buckets: int) -> int:
        try:
            found: int = own(carray(tokens, size), buckets, carray(out, room))
        except Exception:  # noqa: BLE001 - all that numba knows; the core raises KernelError
            return _RAISED
        return found

    arguments = (types.Array(types.uint64, 1, "C"), types.int64, types.Array(types.uint32, 1, "C"))
    return _compiled(numba, signature, entry, function, own, arguments)


def _compile_scorer(numba: Any, function: Callable[..., float]) -> Any:
    own, carray, types = _own(numba, function), numba.carray, numba.types
    numbers, ratios = types.CPointer(types.uint32), types.CPointer(types.float64)
    signature = types.float64(numbers, numbers, types.int64, types.int64, ratios, types.int64)

    def entry(
        buckets: Any, counts: Any, size: int, tokens: int, log_ratio: Any, every: int
    ) -> float:
        try:
            score: float = own(
                carray(buckets, size), carray(counts, size), carray(log_ratio, every), tokens
            )
        except Exception:  # noqa: BLE001 - all that numba knows; the core raises KernelError
            return math.nan
        return score

    counted = types.Array(types.uint32, 1, "C")
    arguments = (counted, counted, types.Array(types.float64, 1, "C"), types.int64)
    return _compiled(numba, signature, entry, function, own, arguments)


_COMPILERS: dict[str, Callable[[Any, Callable[..., Any]], Any]] = {
    "tokenizer": _compile_tokenizer,
    "features": _compile_features,
    "scorer": _compile_scorer,
}


def _own(numba: Any, function: Callable[..., Any]) -> Any:
    return function if hasattr(function, "py_func") else numba.njit(function)


def _compiled(
    numba: Any,
    signature: Any,
    entry: Any,
    function: Callable[..., Any],
    own: Any,
    arguments: tuple[Any, ...],
) -> Any:
    """Compile what the core calls, around a function that takes arguments of these types."""
    try:
        inspect.signature(getattr(function, "py_func", function)).bind(*arguments)
    except TypeError as error:
        raise SettingError(
            f"dsir.kernel: {function.__name__} does not take the {len(arguments)} arguments of "
            f"this kind of kernel: {error}; help(dsir.kernel) has the contracts"
        ) from error
    try:
        compiled = numba.cfunc(signature, nopython=True)(entry)
    except numba.core.errors.NumbaError as error:
        _check_returned(numba, own, function, signature, arguments)
        said = [line.strip() for line in str(error).splitlines()]
        told = [line for line in said if line and not line.startswith(("Failed in", "During"))]
        reason = " ".join(told[:2])[:400]
        raise SettingError(
            f"dsir.kernel: numba cannot compile {function.__name__}: {reason}"
        ) from error
    _check_returned(numba, own, function, signature, arguments)
    return compiled


def _check_returned(
    numba: Any, own: Any, function: Callable[..., Any], signature: Any, arguments: tuple[Any, ...]
) -> None:
    """Refuse a float where a whole number is wanted, which numba would cut, and a bool anywhere."""
    found = own.overloads.get(arguments)
    if found is None:  # A function that was compiled before, for arguments that these fit.
        return
    returned = found.signature.return_type
    kinds = (numba.types.Integer, numba.types.Float)
    wanted = kinds[0] if isinstance(signature.return_type, numba.types.Integer) else kinds
    if not isinstance(returned, wanted):
        what = "a whole number, of tokens or of features" if wanted is kinds[0] else "a number"
        raise SettingError(f"dsir.kernel: {function.__name__} returns {returned}; return {what}")


def extractor_in(text: str) -> FeatureKernel:
    """Read the option that names a features kernel, such as kernels.py:skip_grams.

    Raises:
        SettingError: it cannot be imported, or is no such kernel.
    """
    found: FeatureKernel = object_in(
        FeatureKernel.argument,
        text,
        lambda one: isinstance(one, FeatureKernel),
        "a function that is decorated with dsir.kernel('features')",
    )
    return found
