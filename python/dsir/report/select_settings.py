"""What a selection was asked for, its settings, and the command that repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from dsir.plural import counted
from dsir.report.facts import SelectionFacts
from dsir.report.markup import Child, Markup, joined, tag
from dsir.report.page import facts_list, note
from dsir.report.wording import cut, value_of

_NAMED_PATHS = 8
_METHODS = {
    "resample": "a random draw by log-weight (importance resampling)",
    "top-k": "the highest log-weights",
    "coverage": "coverage of the target's n-grams",
    "cap": "a random draw among all that are as relevant as the target's own documents",
    "random": "a random draw that ignores the log-weights",
}


def asked(facts: SelectionFacts) -> Markup:
    """Return what was asked for: inputs, budget, method."""
    settings, content = facts.settings, facts.content
    raw = content["inputs"]["raw"]
    found: list[tuple[str, Child]] = [("Raw", _paths(raw))]
    described = content["inputs"].get("target")
    if described is None:
        path = content["inputs"].get("model", {}).get("path")
        found.append(("Model", path or "a model in memory"))
    elif described and "shards" in described[0]:
        found += [(f"Target {one.get('name')}", _paths(one.get("shards", []))) for one in described]
    else:
        found.append(("Target", _paths(described)))
    found.append(("Budget", _budget(settings)))
    method = str(settings.get("method"))
    found.append(("Method", f"{method}: {_METHODS[method]}" if method in _METHODS else method))
    features = settings.get("features") or {}
    if features:
        upto = "words" if features.get("n") == 1 else f"1- to {features.get('n')}-grams"
        cut = f"{upto} of {features.get('tokenizer')} tokens"
        found.append(("Features", f"{cut}, in {features.get('buckets', 0):,} buckets"))
    found.append(("Shortest", f"{settings.get('min_tokens')} tokens"))
    if settings.get("max_per") or settings.get("group_by"):
        quotas = settings.get("max_per") or f"the budget for each {settings['group_by']}"
        found.append(("Quotas", value_of(quotas)))
    found.append(("Seed", str(settings.get("seed"))))
    return facts_list(found)


def _budget(settings: Mapping[str, Any]) -> str:
    for name, unit in (("n", "documents"), ("tokens", "tokens"), ("bytes", "bytes of text")):
        value = settings.get(name)
        if value is not None:
            return f"{value:,} {unit}" if isinstance(value, int) else f"{value} {unit}"
    if settings.get("fraction") is not None:
        return f"{settings['fraction']} of the rows"
    return "unknown"


def _paths(entries: Sequence[Mapping[str, Any]]) -> Markup:
    """List inputs; with many of them the first few."""
    lines: list[Child] = []
    for entry in entries[:_NAMED_PATHS]:
        name = str(entry.get("path") or entry.get("name") or "in memory")
        rows = entry.get("rows")
        said = (
            tag("span", f" {counted(rows, 'row')}", class_="quiet")
            if isinstance(rows, int)
            else None
        )
        lines.append(tag("li", tag("bdi", cut(name)), said))
    if len(entries) > _NAMED_PATHS:
        lines.append(tag("li", f"and {len(entries) - _NAMED_PATHS:,} more", class_="quiet"))
    return tag("ul", lines)


def settings_and_command(facts: SelectionFacts) -> Markup:
    """Return all settings, and the commands that repeat and check the selection."""
    settings = facts.settings
    command = repeat_command(facts)
    parts: list[Child] = []
    if command:
        parts += [
            tag("h3", "Select again"),
            tag("pre", tag("code", command, id="command")),
            tag("button", "Copy", type="button", data_copies="command", hidden=True),
        ]
    else:
        parts.append(
            note(
                "Inputs were in memory, so no command names them; call dsir.select with the "
                "settings below."
            )
        )
    parts += [
        tag("h3", "Check it"),
        tag("pre", tag("code", f"dsir verify {shlex.quote(facts.folder)}")),
    ]
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", tag("bdi", value_of(value))))
        for name, value in settings.items()
    ]
    versions = ", ".join(
        f"{name} {value}" for name, value in facts.content.get("versions", {}).items()
    )
    table = tag("table", tag("tbody", rows))
    parts.append(
        tag(
            "details",
            tag("summary", f"All {len(rows)} settings"),
            tag("div", table, class_="scroll"),
        )
    )
    parts.append(note(f"Versions: {versions}. Model {facts.content.get('model')}."))
    return joined(parts)


def repeat_command(facts: SelectionFacts) -> str:
    """Return the command that makes the selection again; "" if an input is no file."""
    content = facts.content
    raw = [entry.get("path") for entry in content["inputs"]["raw"]]
    described = content["inputs"].get("target")
    config = f"{facts.folder.rstrip('/')}/_dsir/selection.json"
    words = ["dsir", "select"]
    targets: list[str] = []
    if described is None:
        targets += ["--model", f"{facts.folder.rstrip('/')}/_dsir/model.dsir"]
    for entry in described or []:
        shards = entry.get("shards", [entry])
        name = f"{entry.get('name')}=" if "shards" in entry else ""
        for shard in shards:
            if not isinstance(shard.get("path"), str):
                return ""
            targets += ["--target", f"{name}{shard['path']}"]
    if not all(isinstance(path, str) for path in raw):
        return ""
    lines = [shlex.join([*words, *map(str, raw)])]
    lines += [shlex.join(pair) for pair in zip(targets[::2], targets[1::2], strict=True)]
    lines.append(shlex.join(["--config", config]))
    lines.append(shlex.join(["--out", "again/"]))
    return " \\\n  ".join(lines)
