"""Parts of features that are not of the core: what identifies them, and where they are found again.

A model file and a manifest name such a part by its digest and hold no code. Whoever reads one finds
the part among those that this process has made: each is remembered when it is made. A vocabulary
lies in the model file itself.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path
from typing import Any, ClassVar

from dsir.errors import KernelError, ModelError


class MissingPartError(ModelError):
    """A file names a part that this process has not made; the file itself is whole."""


class OwnPart:
    """A part of features that is not of the core. Instances are frozen, and equal by their digest.

    Attributes:
        kind: what it is, in files.
        way_out: what to do in a process that does not have it.
        name: name for people.
        digest: sixteen hexadecimal digits, which differ if the features may differ.
    """

    kind: ClassVar[str]
    way_out: ClassVar[str]
    name: str
    digest: str

    def __eq__(self, other: object) -> bool:
        """Whether the other is the same part."""
        return isinstance(other, OwnPart) and self.digest == other.digest

    def __hash__(self) -> int:
        """A hash of the digest."""
        return hash(self.digest)

    def __repr__(self) -> str:
        """Return one line: kind, name and digest."""
        return f"<{self.kind} {self.name} {self.digest}>"


_known: dict[str, OwnPart] = {}


_by_address: dict[int, str] = {}


def told_of(argument: str, function: object) -> str:
    """Return how messages call a function of the user: the argument, its name, where it is.

    Args:
        argument: "tokenizer", "extractor" or "scorer".
        function: the function, or what is called like one.
    """
    function = getattr(function, "py_func", function)  # Of a function compiled by numba.
    name = getattr(function, "__qualname__", type(function).__name__)
    code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", None)
    if code is None:
        return f"{argument}={name}"
    file = code.co_filename
    if file.startswith("<"):  # Typed into an interpreter or a notebook.
        file = str(getattr(function, "__module__", file))
    elif Path(file).is_relative_to(Path.cwd()):
        file = str(Path(file).relative_to(Path.cwd()))
    return f"{argument}={name} ({file}:{code.co_firstlineno})"


def name_address(address: int, called: str) -> None:
    """Say what messages call the compiled function at an address."""
    _by_address[address] = called


def kernel_error(address: int, what: str) -> KernelError:
    """Return the error for what the core says of the function at an address."""
    called = _by_address.get(address, "the kernel")
    return KernelError(f"{called}: {what}; help(dsir.kernel) has the contract")


def digest_of(*content: Any) -> str:
    """Return sixteen hexadecimal digits of JSON values."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def raised(error: BaseException) -> str:
    """Return what a function of the user raised, as words of one line."""
    said = " ".join(str(error).split())
    return f"raised {type(error).__name__}{f': {said}' if said else ''}"


def remember(part: OwnPart) -> None:
    """Make a part known in this process."""
    _known[part.digest] = part


def known(
    kinds: tuple[type[OwnPart], ...],
    kind: object,
    name: object,
    digest: object,
    *,
    needed_by: str = "the features need",
) -> OwnPart:
    """Return the part of this kind and digest.

    Args:
        kinds: the classes that may be meant.
        kind: the kind, as a file gives it.
        name: the name, likewise.
        digest: the digest, likewise.
        needed_by: how the message begins.

    Raises:
        MissingPartError: this process has made no such part.
    """
    found = _known.get(str(digest))
    if isinstance(found, kinds) and found.kind == kind:
        return found
    ways_out = [one.way_out for one in kinds if one.kind == kind]
    raise MissingPartError(
        f"{needed_by} the {kind!s:.20} {name!s:.80} (digest {digest!s:.16}), which this "
        f"process does not have; {(ways_out or ['fit the model again'])[0]}"
    )
