"""What a selection was asked for, its settings, and the command that repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from dsir.arguments.declared import arguments_of
from dsir.model.named_model import is_file
from dsir.plural import counted
from dsir.report.facts import SelectionFacts
from dsir.report.markup import Child, Markup, joined, tag
from dsir.report.page import facts_list, note
from dsir.report.settings_table import inputs_list, settings_table
from dsir.report.wording import value_of
from dsir.settings.fit import FitArguments
from dsir.settings.option_text import decontamination_options
from dsir.settings.output import OutputSettings
from dsir.settings.plan import Plan

# A model has these already.
_OF_FIT = FitArguments.__annotations__.keys()
# As the manifest has the default, if a call has it in other words.
_DEFAULTS = {"shard_size": OutputSettings().shard_size}
_DERIVED = ("stop_words_version", "classifier_digest", "models")
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
    found: list[tuple[str, Child]] = [("Raw", inputs_list(raw))]
    described = content["inputs"].get("target")
    if described is None:
        path = content["inputs"].get("model", {}).get("path")
        found.append(("Model", path or "a model in memory"))
    elif described and "shards" in described[0]:
        found += [
            (f"Target {one.get('name')}", inputs_list(one.get("shards", []))) for one in described
        ]
    else:
        found.append(("Target", inputs_list(described)))
    if content["inputs"].get("negatives"):
        found.append(("Told from", inputs_list(content["inputs"]["negatives"])))
    found.append(("Budget", _budget(settings)))
    method = str(settings.get("method"))
    found.append(("Method", f"{method}: {_METHODS[method]}" if method in _METHODS else method))
    features = settings.get("features") or {}
    if features:
        upto = "words" if features.get("n") == 1 else f"1- to {features.get('n')}-grams"
        cut = f"{upto} of {features.get('tokenizer')} tokens"
        found.append(("Features", f"{cut}, in {features.get('buckets', 0):,} buckets"))
    found.append(("Shortest", f"{settings.get('min_tokens')} tokens"))
    for title, name in (("Filters", "filters"), ("Combined by", "combine")):
        given = settings.get(name) or {}
        if given:
            found.append((title, value_of({k: v for k, v in given.items() if k not in _DERIVED})))
    if settings.get("decontaminate"):
        found.append(("Decontaminated of", _compared_with(settings["decontaminate"])))
    if settings.get("max_per") or settings.get("group_by"):
        quotas = settings.get("max_per") or f"the budget for each {settings['group_by']}"
        found.append(("Quotas", value_of(quotas)))
    found.append(("Seed", str(settings.get("seed"))))
    return facts_list(found)


def _compared_with(texts: Mapping[str, Any]) -> str:
    hits = texts.get("hits")
    shared = "an n-gram" if hits == 1 else f"{hits} n-grams"
    rows = counted(int(texts.get("rows", 0)), "text")
    paths = ", ".join(map(str, texts.get("paths") or ["memory"]))
    return f"{rows} of {paths}: no row that shares {shared} of {texts.get('ngram')} tokens"


def _budget(settings: Mapping[str, Any]) -> str:
    for name, unit in (("n", "documents"), ("tokens", "tokens"), ("bytes", "bytes of text")):
        value = settings.get(name)
        if value is not None:
            return f"{value:,} {unit}" if isinstance(value, int) else f"{value} {unit}"
    if settings.get("fraction") is not None:
        return f"{settings['fraction']} of the rows"
    return "unknown"


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
        what = "Some inputs" if facts.folder else "The rows"
        parts.append(
            note(
                f"{what} were in memory or came through a pipe, so no command names them; "
                "call dsir.select with the settings below."
            )
        )
    if facts.folder:
        parts += [
            tag("h3", "Check it"),
            tag("pre", tag("code", f"dsir verify {shlex.quote(facts.folder)}")),
        ]
    versions = ", ".join(
        f"{name} {value}" for name, value in facts.content.get("versions", {}).items()
    )
    parts.append(settings_table(settings))
    parts.append(note(f"Versions: {versions}. Model {facts.content.get('model')}."))
    return joined(parts)


def repeat_command(facts: SelectionFacts) -> str:
    """Return the command that makes the selection again; "" if it or an input is in memory."""
    content = facts.content
    if not facts.folder:
        return ""
    raw = [entry.get("path") for entry in content["inputs"]["raw"]]
    described = content["inputs"].get("target")
    config = f"{facts.folder.rstrip('/')}/_dsir/selection.json"
    if not all(map(is_file, (facts.settings.get("combine") or {}).get("models", {}))):
        return ""
    texts = facts.settings.get("decontaminate")
    if texts and decontamination_options(texts) is None:
        return ""
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
    for entry in content["inputs"].get("negatives", []):
        if not isinstance(entry.get("path"), str):
            return ""
        targets += ["--negatives", entry["path"]]
    if not all(isinstance(path, str) for path in raw):
        return ""
    lines = [shlex.join([*words, *map(str, raw)])]
    lines += [shlex.join(pair) for pair in zip(targets[::2], targets[1::2], strict=True)]
    if described is None:  # The settings of the fit are the model's, and none of the call's.
        lines.append(shlex.join(_options(facts.settings)))
    else:
        lines.append(shlex.join(["--config", config]))
    lines.append(shlex.join(["--out", "again/"]))
    return " \\\n  ".join(lines)


def _options(settings: Mapping[str, Any]) -> list[str]:
    """Return the options of a selection with a fitted model, those that are not the defaults."""
    words: list[str] = []
    combine = dict(settings.get("combine") or {})
    candidates = combine.pop("candidates", None)
    settings = {**settings, "combine": combine or None, "candidates": candidates}
    settings |= decontamination_options(settings.get("decontaminate") or {}) or {}
    for name, one in arguments_of(Plan).items():
        value = settings.get(name)
        if name in _OF_FIT or value is None or value in (one.default, _DEFAULTS.get(name)):
            continue
        if isinstance(value, Mapping):
            entries = value.items()
            value = ",".join(f"{key}={entry}" for key, entry in entries if key not in _DERIVED)
        words += [f"--{one.option}"] if value is True else [f"--{one.option}", str(value)]
    return words
