"""Fields added to lines of JSON, whose other bytes stay as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dsir.errors import OutputError


def with_fields(
    lines: Sequence[bytes],
    names: Sequence[str],
    columns: Sequence[Sequence[object]],
    *,
    argument: str = "score_column",
) -> list[bytes]:
    """Return lines with fields added at their end.

    Args:
        lines: each a JSON object.
        names: the names of the fields.
        columns: for each field its values, one for each line.
        argument: the argument that names a field, for messages.

    Raises:
        OutputError: a line is no JSON object, or has such a field.
    """
    found = []
    for at, line in enumerate(lines):
        try:
            values = json.loads(line)
        except ValueError as error:
            raise OutputError(
                f"a line cannot take fields, because it is no JSON: {error}"
            ) from error
        if not isinstance(values, dict):
            raise OutputError("a line cannot take fields, because it is no JSON object")
        taken = next((name for name in names if name in values), None)
        if taken is not None:
            raise OutputError(
                f"the input has a field {taken!r} already; give another name, e.g. "
                f"{argument}={taken + '_2'!r}"
            )
        fields = {name: column[at] for name, column in zip(names, columns, strict=True)}
        # json writes the shortest digits that give the same float64 again.
        added = json.dumps(fields, ensure_ascii=False).encode("utf-8")[1:]
        body = line.rstrip()[:-1].rstrip()
        found.append(body + (b", " if values else b"") + added)
    return found
