"""The dataset card of a selection: Markdown with the metadata that Hugging Face reads.

It is made to be published, so it names inputs by no more of their paths than tells them apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from dsir.output.folder import CARD_FILE, DATA_FOLDER
from dsir.output.writer import writing
from dsir.remote import Location, RemotePath, location_of
from dsir.report.facts import SelectionFacts, Shares
from dsir.report.folder import input_names
from dsir.report.gather import selection_facts
from dsir.report.markup import seen
from dsir.report.select_page import lead_of
from dsir.report.wording import percent, value_of, words
from dsir.storage.atomic import atomic_file

# As Hugging Face's hub names them: fewer rows than the number, and the name.
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
    (10_000_000_000, "1B<n<10B"),
    (100_000_000_000, "10B<n<100B"),
    (1_000_000_000_000, "100B<n<1T"),
)
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")
_LICENCE, _LANGUAGE = re.compile("licen[sc]e", re.I), re.compile("lang|language", re.I)
_LANGUAGE_CODE = re.compile("[a-z]{2,3}")
_LICENCE_NAME = re.compile("[a-z0-9][a-z0-9.-]{1,40}")


def write_card(
    folder: str | Path | RemotePath, out: str | Path | RemotePath | None = None
) -> Location:
    """Write the dataset card of a selection.

    Args:
        folder: the folder of the selection, also by URL.
        out: the file to write; None for `_dsir/card.md` in the folder.

    Returns:
        The file.

    Raises:
        OutputError: there is no selection, one of its files is damaged, or the card cannot be
            written.
        InputError: the rows of the selection cannot be read.
    """
    place = location_of(folder)
    path = place / CARD_FILE if out is None else location_of(out)
    card = card_of(selection_facts(place, quick=True))
    with writing(path), atomic_file(path) as file:
        file.write(card.encode("utf-8", "backslashreplace"))
    return path


def card_of(facts: SelectionFacts) -> str:
    """Return the dataset card of a selection."""
    parts = [_metadata(facts), f"# {text_of(facts.name)}", text_of(lead_of(facts))]
    parts += ["## Rows", *_rows(facts)]
    parts += ["## Sources", *_sources(facts)]
    parts += ["## Licences", *_licences(facts)]
    parts += ["## How it was selected", *_how(facts)]
    parts += ["## How close it is to the target", *_closeness(facts)]
    return "\n\n".join(parts) + "\n"


def text_of(text: str, longest: int = 120) -> str:
    """Return a text as Markdown that shows it as it is, on one line."""
    shown = " ".join(seen(text).split())
    shown = shown if len(shown) <= longest else f"{shown[:longest]}…"
    escaped = _SPECIAL.sub(r"\\\1", shown)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _metadata(facts: SelectionFacts) -> str:
    """Return the YAML at the head; its strings are JSON, which YAML reads the same."""
    rows = facts.metrics["rows"]["selected"]
    size = next((name for most, name in _SIZES if rows < most), "n>1T")
    lines = [f"pretty_name: {_yaml(facts.name)}", f"size_categories: [{_yaml(size)}]"]
    languages = sorted(
        one.value.lower()
        for shares in facts.shares
        if _LANGUAGE.fullmatch(_last(shares))
        for one in shares.values
        if one.selected and _LANGUAGE_CODE.fullmatch(one.value.lower())
    )
    if languages:
        lines.append(f"language: [{', '.join(map(_yaml, languages))}]")
    licences = [one for shares in _of_licences(facts) for one in shares.values if one.selected]
    if licences:
        name = licences[0].value.lower()
        plain = len(licences) == 1 and _LICENCE_NAME.fullmatch(name)
        lines.append(f"license: {_yaml(name if plain else 'other')}")
    lines += [
        'task_categories: ["text-generation"]',
        'tags: ["dsir", "data-selection"]',
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        f"    path: {DATA_FOLDER}/*",
    ]
    return "\n".join(["---", *lines, "---"])


def _rows(facts: SelectionFacts) -> Iterator[str]:
    metrics = facts.metrics
    rows = metrics["rows"]
    lines = [("selected", rows["selected"]), ("read", rows["read"]), ("eligible", rows["eligible"])]
    for reason, count in rows["passed_over"].items():
        if isinstance(count, dict):
            lines += [(f"{words(reason)}: {words(name)}", number) for name, number in count.items()]
        else:
            lines.append((words(reason), count))
    lines.append(("bad", rows["bad"]))
    yield _table(("rows", "number"), ((name, f"{count:,}") for name, count in lines))
    tokens, size = metrics["tokens"]["selected"], metrics["text_bytes"]["selected"]
    yield f"The selected rows have {tokens:,} tokens and {size:,} bytes of text."


def _sources(facts: SelectionFacts) -> Iterator[str]:
    names = input_names(facts.content)
    shown = ", ".join(text_of(name) for name in names[:10])
    yield f"Selected from: {shown}{f' and {len(names) - 10:,} more' if len(names) > 10 else ''}."
    for shares in facts.shares:
        if shares not in _of_licences(facts):
            yield _share_table(shares)


def _licences(facts: SelectionFacts) -> Iterator[str]:
    found = _of_licences(facts)
    for shares in found:
        yield _share_table(shares)
    if not found:
        yield (
            "No column of the rows names their licences. The licences are those of the sources; "
            "say them here before you publish."
        )


def _how(facts: SelectionFacts) -> Iterator[str]:
    settings = {name: one for name, one in facts.settings.items() if one is not None}
    yield _table(("setting", "value"), ((name, value_of(one)) for name, one in settings.items()))
    version = facts.content.get("versions", {}).get("dsir", "")
    yield (
        f"Made by dsir {text_of(str(version))}; the same inputs and settings give the same rows. "
        "`dsir verify` makes the selection again and compares every row."
    )


def _closeness(facts: SelectionFacts) -> Iterator[str]:
    if not facts.closeness:
        yield "Not measured: the model has no n-gram counts."
        return
    lines = [
        (
            one.target or "all targets",
            f"{one.value:.4f}",
            "unknown" if one.by_chance is None else f"{one.by_chance:.4f}",
        )
        for one in facts.closeness
    ]
    yield _table(("KL reduction in nats", "selection", "random draw, estimated"), lines)
    covered = [(one.target or "the target", percent(one.selected)) for one in facts.coverage]
    yield _table(("n-grams of the target that occur in the rows", "share"), covered)


def _share_table(shares: Shares) -> str:
    lines = ((one.value, percent(one.selected)) for one in shares.values if one.selected)
    return _table((words(shares.column), "share of the rows"), lines)


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    shown = [row if number == 1 else list(map(text_of, row)) for number, row in enumerate(rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in shown)


def _of_licences(facts: SelectionFacts) -> list[Shares]:
    return [one for one in facts.shares if _LICENCE.fullmatch(_last(one))]


def _last(shares: Shares) -> str:
    return shares.column.rpartition(".")[2]


def _yaml(text: str) -> str:
    return json.dumps(seen(text)[:200])
