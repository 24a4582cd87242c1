"""Write the tables of arguments in docs/api.md from the fields that define them.

python docs/arguments_table.py            writes the file
python docs/arguments_table.py --check    exits with 1 when the file is out of date
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from dsir.arguments.declared import arguments_of
from dsir.comparison.compare import COMPARE_SETTINGS, CompareCall
from dsir.model.features import HashedNgrams
from dsir.run.select import SELECT_SETTINGS, SelectCall
from dsir.settings.compare import Methods

PAGE = Path(__file__).parent / "api.md"
_BLOCK = re.compile(r"(<!-- arguments: (\w+), generated[^\n]*-->\n).*?(<!-- end -->)", re.DOTALL)


def select_table() -> str:
    """The arguments of `dsir.select` that are settings."""
    known = arguments_of(*SELECT_SETTINGS)
    kinds = get_type_hints(SelectCall)
    return table(
        (name, shown(kind), known[name].default, known[name].help) for name, kind in kinds.items()
    )


def compare_table() -> str:
    """The arguments of `dsir.compare` that are its own, and those that `select` has as well."""
    known = arguments_of(*COMPARE_SETTINGS)
    kinds = {"methods": Methods, **get_type_hints(CompareCall)}
    return table(
        (name, shown(kind), known[name].default, known[name].help) for name, kind in kinds.items()
    )


def features_table() -> str:
    """The arguments of `HashedNgrams`."""
    fields = arguments_of(HashedNgrams)
    kinds = get_type_hints(HashedNgrams)
    return table((name, shown(kinds[name]), one.default, one.help) for name, one in fields.items())


def shown(kind: Any) -> str:
    """A type as people write it; the same for every version of Python."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is type(None):
        return "None"
    if origin in (Union, UnionType):
        return " | ".join(map(shown, inner))
    if origin is Literal:
        return " | ".join(map(repr, inner))
    if origin is not None:
        if origin is Callable:
            return "Callable"
        return f"{origin.__name__}[{', '.join(map(shown, inner))}]"
    return str(kind.__name__)


def table(rows: Iterable[tuple[str, str, Any, str]]) -> str:
    """A table of names, types, defaults and helps, in Markdown."""
    lines = ["| argument | type | default | what it does |", "|---|---|---|---|"]
    for name, kind, default, text in rows:
        value = "HashedNgrams()" if name == "features" else repr(default)
        escaped = kind.replace("|", "\\|")
        lines.append(f"| `{name}` | `{escaped}` | `{value}` | {text} |")
    return "\n".join(lines) + "\n"


TABLES = {"select": select_table, "compare": compare_table, "features": features_table}


def updated(page: str) -> str:
    """Return the page with its tables made anew."""
    return _BLOCK.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], page)


def main() -> int:
    """Write or check the page."""
    page = PAGE.read_text(encoding="utf-8")
    new = updated(page)
    if "--check" in sys.argv[1:]:
        return int(new != page)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
