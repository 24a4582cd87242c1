"""What people see at the end of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dsir.check.diff import SelectionDifference, Shared

_MOST_GROUPS = 20

_NAMED_VALUES = 5


def print_accounts(metrics: dict[str, Any], stages: dict[str, Any], paths: list[str]) -> None:
    """Print the accounts of a selection.

    Args:
        metrics: as in `Selection.metrics`.
        stages: seconds and rates by stage.
        paths: the output shards.
    """
    # Imported where used: rich takes a while to load.
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    rows = metrics["rows"]
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")

    def add(name: str, value: str, note: str = "") -> None:
        table.add_row(name, value, note)

    passed = rows["passed_over"]
    skipped = metrics["shards"]["skipped"]
    shards = _count(metrics["shards"]["read"], "shard")
    if rows["documents"] == rows["read"]:
        add("rows read", f"{rows['read']:,}", shards)
    else:
        add("documents read", f"{rows['documents']:,}", shards)
        add("windows of them", f"{rows['read']:,}")
    add("  selected", f"{rows['selected']:,}", f"{metrics['tokens']['selected']:,} tokens")
    add("  eligible, not drawn", f"{passed['not_drawn']:,}", f"of {rows['eligible']:,} eligible")
    add("  too short", f"{passed['too_short']:,}")
    add("  empty", f"{passed['empty']:,}")
    if "duplicates" in passed:
        add("  duplicates", f"{passed['duplicates']:,}", "of an earlier row's text")
    for reason, count in passed.get("filtered", {}).items():
        add(f"  filtered: {reason}", f"{count:,}")
    add("  bad", f"{rows['bad']:,}", "see _rejects.jsonl" if rows["bad"] else "")
    for kind, count in rows.get("bad_by_kind", {}).items():
        add(f"    {kind.replace('_', ' ')}", f"{count:,}")
    if skipped:
        add("shards skipped", f"{skipped:,}", "see _rejects.jsonl")
    if metrics.get("kl_reduction") is not None:
        add(
            "KL reduction",
            f"{metrics['kl_reduction']:.4f}",
            "nats; mean of the targets"
            if "targets" in metrics
            else "nats per n-gram; higher is closer to the target",
        )
    if "effective_sample_size" in metrics:
        add(
            "effective sample size",
            f"{metrics['effective_sample_size']:,.1f}",
            "of the eligible documents' weights",
        )
    for name, of in metrics.get("targets", {}).items():
        add(
            f"target {name}",
            f"{of['selected']:,}" if "selected" in of else "",
            f"{of['tokens']:,} tokens" if "tokens" in of else "",
        )
        if "kl_reduction" in of:
            add("  KL reduction", f"{of['kl_reduction']:.4f}")
        if "effective_sample_size" in of:
            add("  effective sample size", f"{of['effective_sample_size']:,.1f}")
    for column, of in metrics.get("groups", {}).items():
        add(f"values of {column}", f"{of['values']:,}", "selected, of those eligible:")
        for one in of["most"][:_NAMED_VALUES]:
            value = json.dumps(one["value"], ensure_ascii=False)
            # A value is data: no markup.
            add(f"  {escape(value)}", f"{one['selected']:,}", f"of {one['eligible']:,}")
    for name, stage in stages.items():
        rate = stage["mb_per_second"]
        note = "" if not rate else f"{rate:,.{0 if rate >= 10 else 1}f} MB/s of text"
        add(name, f"{stage['seconds']:.2f} s", note)
    console.print(table)
    for path in paths[:5]:
        # Not markup, whatever it holds.
        console.print(path, style="green", soft_wrap=True, markup=False)
    if len(paths) > 5:
        console.print(f"and {len(paths) - 5} more", style="green")


def print_difference(found: SelectionDifference) -> None:
    """Print what two selections have in common, and what not."""
    # Imported where used: rich takes a while to load.
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2))
    for name in ("", "common", "only a", "only b"):
        table.add_column(name, justify="right" if name else "left")

    def add(name: str, shared: Shared) -> None:
        numbers = (shared.common, shared.only_a, shared.only_b)
        table.add_row(escape(name), *(f"{number:,}" for number in numbers))

    add("rows", found.rows)
    for title, groups in (("by input", found.by_input), ("by value", found.by_value or {})):
        if groups:
            table.add_row(f"[dim]{title}[/dim]")
        for name, shared in list(groups.items())[:_MOST_GROUPS]:
            add(f"  {name}", shared)
        if len(groups) > _MOST_GROUPS:
            table.add_row(f"  and {len(groups) - _MOST_GROUPS:,} more")
    console.print(table)

    def say(line: str) -> None:
        console.print(line, soft_wrap=True, markup=False)

    weights = found.weights
    if weights is not None:
        say(
            f"log-weight, b less a: {weights.changed:,} of {found.rows.common:,} common rows "
            f"changed ({100 * weights.share:.4g} %); least {weights.least:+.6g}, "
            f"median {weights.median:+.6g}, greatest {weights.greatest:+.6g}"
        )
    if found.other_target:
        say(f"taken by another target: {_count(found.other_target, 'common row')}")
    for title, entries in (("setting", found.settings), ("input", found.inputs)):
        for entry in entries:
            say(f"{title} {entry}")


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
