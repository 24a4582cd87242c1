"""Options from a file: --config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dsir import arguments


def _take_config(context: typer.Context, path: Path | None) -> Path | None:
    if path is not None:
        known = {str(parameter.name) for parameter in context.command.params}
        context.default_map = {**(context.default_map or {}), **_read_config(path, known)}
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        help="A YAML or JSON file of options, e.g. run.yaml. Options on the command line win.",
        callback=_take_config,
        is_eager=True,
        rich_help_panel=arguments.RUN,
    ),
]


def _read_config(path: Path, known: set[str]) -> dict[str, Any]:
    try:
        content = path.read_text(encoding="utf-8")
        values = json.loads(content) if path.suffix == ".json" else _read_yaml(content)
    except (OSError, ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{path}: cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise typer.BadParameter(f"{path}: expected options by name, such as seed: 7")
    named = {str(name).replace("-", "_"): value for name, value in values.items()}
    # `json` is the name of a module, so the function's parameter has another name.
    inside = {"json": "as_json"}
    named = {inside.get(name, name): value for name, value in named.items()}
    unknown = sorted(set(named) - known)
    if unknown:
        raise typer.BadParameter(f"{path}: unknown option {', '.join(unknown)}")
    for name in ("raw", "target"):
        if isinstance(named.get(name), str):
            named[name] = [named[name]]
    if isinstance(named.get("target"), dict):
        named["target"] = [
            f"{name}={source}"
            for name, sources in named["target"].items()
            for source in (sources if isinstance(sources, list) else [sources])
        ]
    for name in ("proportions", "filters", "combine", "max_per"):
        if isinstance(named.get(name), dict):
            named[name] = ",".join(f"{k}={v}" for k, v in named[name].items())
    return named


def _read_yaml(content: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise typer.BadParameter(
            "YAML needs PyYAML: pip install 'dsir[yaml]', or give a .json file"
        ) from error
    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
