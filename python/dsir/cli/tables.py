"""The tables that a command prints at the end of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer

from dsir.plural import counted

if TYPE_CHECKING:
    from dsir.check.diff import SelectionDifference, Shared
    from dsir.run.metrics import Metrics, TargetAccounts

_MOST_GROUPS = 20
_NAMED_PATHS = 5

# A line of a table: what it counts, the number, a note.
Line = tuple[str, str, str]


def print_how_to_load(out: str) -> None:
    """Print the last line of a run: how to load the selection in a folder."""
    data = f"{out.rstrip('/')}/data"
    typer.echo(f"load it: dsir.load({out!r}); any reader of folders: {data}")


def print_accounts(
    metrics: Metrics,
    stages: Mapping[str, Any],
    paths: list[str],
    buckets: int | None = None,
    *,
    dedup: str | None,
) -> None:
    """Print the accounts of a selection.

    Args:
        metrics: the accounts.
        stages: seconds and rates by stage, as in `Metrics.stages`.
        paths: the output shards.
        buckets: how many buckets the KL reduction is over; None if there is none.
        dedup: which duplicates were left out.
    """
    # Imported here because rich takes a while to load.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    for section in (
        _row_lines(metrics, dedup),
        _quality_lines(metrics, buckets),
        _target_lines(metrics),
        _quota_lines(metrics),
        _stage_lines(stages),
    ):
        for line in section:
            # Text, because the name of a target or the value of a column may look like markup.
            table.add_row(*map(Text, line))
    console = Console(highlight=False)
    console.print(table)
    for path in paths[:_NAMED_PATHS]:
        console.print(path, style="green", soft_wrap=True, markup=False)
    if len(paths) > _NAMED_PATHS:
        console.print(f"and {len(paths) - _NAMED_PATHS} more", style="green")


def _row_lines(metrics: Metrics, dedup: str | None) -> Iterator[Line]:
    """Say what became of every row."""
    rows, passed_over, shards = metrics.rows, metrics.rows.passed_over, metrics.shards
    read_shards = counted(shards.read, "shard")
    if rows.documents == rows.read:
        yield "rows read", f"{rows.read:,}", read_shards
    else:
        yield "documents read", f"{rows.documents:,}", read_shards
        yield "windows of them", f"{rows.read:,}", ""
    yield "  selected", f"{rows.selected:,}", counted(metrics.tokens.selected, "token")
    not_drawn = passed_over.not_drawn
    yield "  eligible, not drawn", f"{not_drawn:,}", f"of {rows.eligible:,} eligible"
    for reason, count in passed_over.items():
        if reason == "filtered":
            for name, number in count.items():
                if name == "contaminated":
                    note = "see _dsir/contaminated.jsonl" if number else ""
                    yield f"  {name}", f"{number:,}", note
                else:
                    yield f"  filtered: {name}", f"{number:,}", ""
        elif reason != "not_drawn":
            same = "nearly the text of" if dedup == "near" else "same text as"
            note = f"{same} an earlier row" if reason == "duplicates" else ""
            yield f"  {reason.replace('_', ' ')}", f"{count:,}", note
    yield "  bad", f"{rows.bad:,}", "see _dsir/rejects.jsonl" if rows.bad else ""
    for kind, count in rows.bad_by_kind.items():
        yield f"    {kind.replace('_', ' ')}", f"{count:,}", ""
    if shards.skipped:
        yield "shards skipped", f"{shards.skipped:,}", "see _dsir/rejects.jsonl"


def _quality_lines(metrics: Metrics, buckets: int | None) -> Iterator[Line]:
    """Say how close the selection is to the target, and how much the draw depends on chance."""
    if metrics.kl_reduction is not None:
        note = "nats per n-gram"
        if metrics.targets is not None:
            note = "nats; mean of the targets"
        # No longer than this: the table should fit into 80 columns.
        if buckets is not None:  # Methods differ in it, and their KL reductions with it.
            note += f" over {buckets:,} buckets"
        yield "KL reduction", f"{metrics.kl_reduction:.4f}", note
        yield from _random_lines(metrics)
    if metrics.effective_sample_size is not None:
        note = "of the eligible documents' weights"
        yield "effective sample size", f"{metrics.effective_sample_size:,.1f}", note


def _random_lines(measured: Metrics | TargetAccounts, indent: str = "  ") -> Iterator[Line]:
    """Say what a random selection would reach, since KL reduction depends on the size."""
    if measured.kl_reduction is None or measured.random_kl_reduction is None:
        return
    gain = measured.kl_reduction - measured.random_kl_reduction
    side = "better" if gain >= 0 else "worse"
    note = f"estimated; selection {abs(gain):.4f} {side}"
    yield f"{indent}of a random draw", f"{measured.random_kl_reduction:.4f}", note


def _target_lines(metrics: Metrics) -> Iterator[Line]:
    """Say what each of several targets took."""
    for name, target in (metrics.targets or {}).items():
        selected = "" if target.selected is None else f"{target.selected:,}"
        tokens = "" if target.tokens is None else counted(target.tokens, "token")
        yield f"target {name}", selected, tokens
        if target.kl_reduction is not None:
            yield "  KL reduction", f"{target.kl_reduction:.4f}", ""
            yield from _random_lines(target, indent="    ")
        if target.effective_sample_size is not None:
            yield "  effective sample size", f"{target.effective_sample_size:,.1f}", ""


def _quota_lines(metrics: Metrics) -> Iterator[Line]:
    """Say how many rows were selected of the values of columns with quotas, the largest first."""
    for column, found in (metrics.groups or {}).items():
        yield f"values of {column}", f"{found['values']:,}", "selected, of those eligible:"
        for one in found["most"]:
            value = json.dumps(one["value"], ensure_ascii=False)
            yield f"  {value}", f"{one['selected']:,}", f"of {one['eligible']:,}"
        if found["values"] > len(found["most"]):
            yield f"  … and {found['values'] - len(found['most']):,} more", "", ""


def _stage_lines(stages: Mapping[str, Any]) -> Iterator[Line]:
    """Say how long each stage took."""
    for name, stage in stages.items():
        rate = stage["mb_per_second"]
        note = "" if not rate else f"{rate:,.{0 if rate >= 10 else 1}f} MB/s of text"
        kept = stage.get("kept_bytes", 0)
        if kept:
            share = "all" if not rate else f"{kept / stage['text_bytes']:.0%}"
            note += f"{', ' if note else ''}{share} from the work directory"
        yield name, f"{stage['seconds']:.2f} s", note


def print_difference(found: SelectionDifference) -> None:
    """Print which rows two selections share, and what else differs between them."""
    # Imported here because rich takes a while to load.
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
            f"log-weight of b minus a: {weights.changed:,} of "
            f"{counted(found.rows.common, 'common row')} changed ({100 * weights.share:.4g} %); "
            f"least {weights.least:+.6g}, median {weights.median:+.6g}, "
            f"greatest {weights.greatest:+.6g}"
        )
    if found.other_target:
        say(f"taken by another target: {counted(found.other_target, 'common row')}")
    for title, entries in (("setting", found.settings), ("input", found.inputs)):
        for entry in entries:
            say(f"{title} {entry}")
