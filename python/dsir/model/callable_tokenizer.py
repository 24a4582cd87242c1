"""Python functions as tokenizers: slow, and good for trying an idea."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import pyarrow as pa

from dsir import _core
from dsir.errors import KernelError, warn
from dsir.model.own_code import imported_part
from dsir.model.own_part import digest_of, importable_source, name_of, raised, told_of
from dsir.model.own_tokenizer import OwnTokenizer, texts_of
from dsir.model.python_source import source_of


class CallableTokenizer(OwnTokenizer):
    """A function that takes a text and returns its tokens.

    The function runs in one thread, under the GIL; a `dsir.kernel` is many times faster.
    Its digest is that of its source, of the functions that it calls, and of constants that it uses.

    Args:
        function: takes a str and returns an iterable of str, none empty and none with a space.
    """

    kind: ClassVar[str] = "callable"
    way_out: ClassVar[str] = (
        "give the function to dsir.HashedNgrams first, or on the command line its file as "
        "--kernels FILE.py; if its source has changed, fit the model again"
    )
    core_tokenizer: ClassVar[str] = "split"

    def __init__(self, function: Callable[[str], Iterable[str]]) -> None:
        self.function = function
        self.name = name_of(function)
        self.digest = digest_of(self.kind, source_of(function))
        self._called = told_of("tokenizer", function)

    def prepared(self, text: pa.Array, normalize: str | None, *, lower: bool) -> pa.Array:
        """Return the tokens of each text, joined by spaces; see `OwnTokenizer.prepared`."""
        joined = [
            self._joined(value, lower=lower) if isinstance(value, str) else value
            for value in texts_of(text, normalize)
        ]
        array = pa.array(joined, pa.large_binary())
        return pa.Array.from_buffers(pa.large_string(), len(array), array.buffers())

    def tokens(self, text: str, normalize: str | None, *, lower: bool) -> list[str]:
        """Return the tokens of a text."""
        [value] = texts_of(pa.array([text], pa.large_string()), normalize)
        return self._joined(str(value), lower=lower).decode().split(" ") if value else []

    def _joined(self, text: str, *, lower: bool) -> bytes:
        try:
            tokens = list(self.function(text))
        except Exception as error:
            raise KernelError(
                f"{self._called}: {raised(error)}, for the text {text!r:.80}"
            ) from error
        for token in tokens:
            if not isinstance(token, str) or not token or " " in token:
                raise KernelError(
                    f"{self._called}: returned the token {token!r:.80}, for the text {text!r:.80}; "
                    "a token is a str of one character or more, without spaces"
                )
        joined = " ".join(tokens)
        try:
            return (_core.lowered(joined) if lower else joined).encode()
        except (TypeError, UnicodeEncodeError) as error:
            raise KernelError(
                f"{self._called}: returned a token with half a surrogate pair, which is no "
                f"text, for the text {text!r:.80}"
            ) from error

    @classmethod
    def _made_of(cls, function: Any) -> CallableTokenizer:
        """See `OwnPart._made_of`."""
        return cls(function)

    @property
    def source(self) -> str | None:
        """See `OwnPart.source`."""
        return importable_source(self.function)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        if self.source is not None:
            return (imported_part, (CallableTokenizer, self.source, self.name, self.digest))
        # By name: the other process needs the function, and pickle says so if it cannot be found.
        return (CallableTokenizer, (self.function,))


def of_function(function: Callable[[str], Iterable[str]]) -> CallableTokenizer:
    """Return a tokenizer of a function, and say once that it is slow."""
    tokenizer = CallableTokenizer(function)
    if tokenizer.digest not in _said:
        _said.add(tokenizer.digest)
        warn(
            f"tokenizer={tokenizer.name}: a Python function is many times slower than the core, "
            "and has one thread; dsir.kernel('tokenizer') compiles one"
        )
    return tokenizer


_said: set[str] = set()
