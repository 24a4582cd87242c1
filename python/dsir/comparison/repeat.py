"""The settings of a comparison, and the command that repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dsir.arguments.declared import arguments_of
from dsir.comparison.variants import Variant, plain
from dsir.model.features import HashedNgrams
from dsir.remote import RemotePath
from dsir.settings.compare import CompareSettings
from dsir.settings.ngram_options import NGRAMS
from dsir.settings.plan import Plan

_ARGUMENTS = arguments_of(Plan)


def given_settings(
    raw: object,
    target: object,
    negatives: object,
    variants: Sequence[Variant],
    budgets: Sequence[str],
    seeds: Sequence[int],
    settings: CompareSettings,
    shared: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what a comparison was asked for, as JSON values.

    Args:
        raw: the corpus, as it was given; None if it was in memory.
        target: the target, as it was given; None if it was in memory.
        negatives: what classifiers tell the target from, as it was given; None for raw,
            empty if it was in memory.
        variants: the methods.
        budgets: the budgets, by their names.
        seeds: the seeds.
        settings: the settings of the comparison alone.
        shared: the arguments of `select` that hold for all methods.
    """
    return {
        "raw": _paths(raw),
        "target": (
            {str(name): _paths(one) for name, one in target.items()}
            if isinstance(target, Mapping)
            else _paths(target)
        ),
        **({} if negatives is None else {"negatives": _paths(negatives)}),
        "methods": {one.name: plain(one.given) for one in variants},
        "budgets": list(budgets),
        "seeds": list(seeds),
        "hold_out": settings.hold_out,
        "shares_by": settings.shares_by,
        "arguments": plain(shared),
        "command": _command(raw, target, negatives, variants, budgets, seeds, settings, shared),
    }


def _paths(source: object) -> list[str] | None:
    """Return an input as paths; None if it is none."""
    if isinstance(source, str | Path | RemotePath):
        return [str(source)]
    if (
        isinstance(source, list | tuple)
        and source
        and all(isinstance(one, str | Path | RemotePath) for one in source)
    ):
        return [str(one) for one in source]
    return None


def _command(
    raw: object,
    target: object,
    negatives: object,
    variants: Sequence[Variant],
    budgets: Sequence[str],
    seeds: Sequence[int],
    settings: CompareSettings,
    shared: Mapping[str, Any],
) -> str | None:
    """Return the command that repeats the comparison; None if the command line cannot say it."""
    inputs = _paths(raw)
    targets = target if isinstance(target, Mapping) else {"": target}
    if inputs is None:
        return None
    words = ["dsir", "compare", *inputs]
    for name, source in targets.items():
        paths = _paths(source)
        if paths is None:
            return None
        for path in paths:
            words += ["--target", f"{name}={path}" if name else path]
    if negatives is not None and _paths(negatives) is None:
        return None
    for path in _paths(negatives) or ():
        words += ["--negatives", path]
    methods = [_method(one) for one in variants]
    if None in methods:
        return None
    words += ["--methods", ",".join(one for one in methods if one is not None)]
    words += ["--budgets", ",".join(budgets), "--seeds", str(len(seeds))]
    words += ["--hold-out", f"{settings.hold_out:g}"]
    if settings.shares_by is not None:
        words += ["--shares-by", settings.shares_by]
    if seeds[0]:
        words += ["--seed", str(seeds[0])]
    for name, value in shared.items():
        options = _options(name, value)
        if options is None:
            return None
        words += [word for option, said in options for word in (f"--{option}", said) if word]
    return shlex.join(words)


def _method(variant: Variant) -> str | None:
    """Return a method as `--methods` takes it; None if it cannot be written so."""
    if variant.model is not None or any(one in variant.name for one in ",:="):
        return None
    if variant.given == {"method": variant.name}:
        return variant.name
    words = []
    for name, value in variant.given.items():
        options = _options(name, value)
        if options is None or any(";" in said for _, said in options):
            return None
        if isinstance(value, Mapping):
            options = [(option, said.replace(",", ";")) for option, said in options]
        if any("," in said for _, said in options):
            return None
        words += [f"{option}={said or 'true'}" for option, said in options]
    return f"{variant.name}: {','.join(words)}"


def _options(name: str, value: object) -> list[tuple[str, str]] | None:
    """Return an argument as options and their values; None if it cannot be written so."""
    if value is None:
        return []
    if isinstance(value, HashedNgrams):
        found = []
        for option, one in NGRAMS.items():
            field = getattr(value, one.name)
            if field != one.default:
                if isinstance(field, bool):
                    found.append((option if field else f"no-{option}", ""))
                elif isinstance(field, int | str):
                    found.append((option, str(field)))
                else:
                    return None
        return found
    if isinstance(value, bool):
        option = _ARGUMENTS[name].option
        return [(option if value else f"no-{option}", "")] if value else []
    if isinstance(value, Mapping):
        if not _ARGUMENTS[name].option:  # Models in memory.
            return None
        return [(_ARGUMENTS[name].option, ",".join(f"{k}={v}" for k, v in value.items()))]
    if isinstance(value, str | int | float):
        return [(_ARGUMENTS[name].option, str(value))]
    return None
