"""Parts of features that are not of the core: what identifies them, and where they are found again.

A model file and a manifest name such a part by its digest and hold no code. Whoever reads one finds
the part among those that this process has made: each is remembered when it is made. A plain
function is found in the files and modules that options have named. A vocabulary lies in the model
file itself.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from dsir.errors import KernelError, ModelError


class MissingPartError(ModelError):
    """A file names a part that this process has not made; the file itself is whole.

    Attributes:
        another: digest of a part that this process has under the same name; None if it has none.
    """

    another: str | None = None


class OwnPart:
    """A part of features that is not of the core. Instances are frozen, and equal by their digest.

    Attributes:
        kind: what it is, in files.
        argument: the argument that takes it.
        way_out: what to do in a process that does not have it.
        name: name for people.
        digest: sixteen hexadecimal digits, which differ if the features may differ.
    """

    kind: ClassVar[str]
    argument: ClassVar[str]
    way_out: ClassVar[str]
    name: str
    digest: str

    @classmethod
    def _made_of(cls, function: Any) -> OwnPart | None:
        """Return the part that a plain function becomes; None if there are none of functions."""
        del function
        return None

    @property
    def source(self) -> str | None:
        """The file or module that other processes import to have this part; None if there is none.

        A file is an absolute path that ends in .py.
        """
        return None

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


_sources: dict[str, ModuleType] = {}


_by_address: dict[int, str] = {}


def told_of(argument: str, function: object) -> str:
    """Return how messages call a function of the user: the argument, its name, where it is.

    Args:
        argument: "tokenizer", "extractor" or "scorer".
        function: the function, or what is called like one.
    """
    function = getattr(function, "py_func", function)  # Of a function compiled by numba.
    name = name_of(function)
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


def look_in(source: str, module: ModuleType) -> None:
    """Have `known` find the functions of a module that an option named.

    Args:
        source: the path of its file, or its name.
        module: what was imported.
    """
    _sources[source] = module


def importable_source(part: object) -> str | None:
    """Return a file or module that has an object at its top; None if other processes have none.

    One that an option named comes before the module that defines the object, because it can be
    imported in other processes of the run as well.
    """
    defining = getattr(part, "__module__", None)
    module = sys.modules.get(str(defining))
    others = {} if module is None or defining == "__main__" else {str(defining): module}
    for source, held in {**_sources, **others}.items():
        if any(value is part for value in list(vars(held).values())):
            return source
    return None


def name_of(function: object) -> str:
    """Return the name of a function, or of the class of what is called like one."""
    return str(getattr(function, "__qualname__", type(function).__name__))


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
    meant = [one for one in kinds if one.kind == kind]
    for made in _made_of_functions(meant, name):
        if made.digest == digest:
            remember(made)
            return made
    ways_out = [one.way_out for one in meant] or ["fit the model again"]
    another = _another(meant, name)
    also = "" if another is None else f" (it has one of this name with the digest {another})"
    error = MissingPartError(
        f"{needed_by} the {kind!s:.20} {name!s:.80} (digest {digest!s:.16}), which this "
        f"process does not have{also}; {ways_out[0]}"
    )
    error.another = another
    raise error


def _made_of_functions(kinds: list[type[OwnPart]], name: object) -> Iterator[OwnPart]:
    """Make parts of the functions of this name in the modules that options named."""
    for kind in kinds:
        for module in _sources.values():
            for value in list(vars(module).values()):
                if callable(value) and not isinstance(value, type) and name_of(value) == name:
                    made = kind._made_of(value)
                    if made is not None:
                        yield made


def _another(kinds: list[type[OwnPart]], name: object) -> str | None:
    """Return the digest that a part of this kind and name has here; None if there is none."""
    for part in [*_known.values(), *_made_of_functions(kinds, name)]:
        if type(part) in kinds and part.name == name:
            return part.digest
    return None
