"""--dry-run: what would be read, and how much."""

from __future__ import annotations

from collections import Counter
from typing import Any

from dsir.corpus import Corpus
from dsir.corpus.text_column import find_text_column
from dsir.errors import InputError


def survey(corpus: Corpus) -> dict[str, Any]:
    """Look at the shards of a corpus without reading rows.

    Returns:
        name, shards, kinds, bytes, rows (None where a shard does not say), and unreadable shards.
    """
    rows: int | None = 0
    unreadable = []
    for shard in corpus.shards:
        try:
            known = shard.rows_in_metadata()
            schema = shard.schema()
            if schema is not None:
                find_text_column(schema, shard.text, shard.name)
        except InputError as error:
            unreadable.append(str(error))
            continue
        rows = None if rows is None or known is None else rows + known
    return {
        "name": corpus.name,
        "shards": len(corpus.shards),
        "kinds": dict(Counter(shard.kind for shard in corpus.shards)),
        "bytes": corpus.size,
        "rows": rows,
        "unreadable": unreadable,
    }


def print_survey(surveys: list[dict[str, Any]]) -> None:
    """Print what surveys found."""
    # Imported where used: rich takes a while to load.
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2))
    for column in ("", "shards", "MB on disk", "rows"):
        table.add_column(column, justify="left" if not column else "right")
    for found in surveys:
        kinds = ", ".join(f"{count} {kind}" for kind, count in found["kinds"].items())
        rows = "not known before reading" if found["rows"] is None else f"{found['rows']:,}"
        table.add_row(found["name"], kinds, f"{found['bytes'] / 1e6:,.1f}", rows)
    console = Console(highlight=False)
    console.print(table)
    for found in surveys:
        for reason in found["unreadable"]:
            console.print(f"cannot be read: {reason}", style="red", soft_wrap=True, markup=False)
    console.print("dry run: no row was read, nothing was written")
