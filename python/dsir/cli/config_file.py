"""Configuration files: YAML 1.2, TOML, JSON, or the selection.json of a finished selection."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dsir.model.own_code import names_code
from dsir.output.folder import SELECTION_FILE
from dsir.settings.option_text import decontamination_options

# Options that import code; the settings of a selection name none.
_IMPORTING = ("extractor", "scorer", "kernels", "methods")
_KNOWN_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "merge", "value")
}


class NeededCode(NamedTuple):
    """A kernel or function that a selection was made with, in place of the value of an option.

    Attributes:
        kind: what it is, for messages.
        name: its name.
    """

    kind: str
    name: str


def read_config(path: Path) -> tuple[dict[str, Any], bool]:
    """Read options by name.

    Scalars of YAML come as texts, as they are written: the command line reads options from texts
    anyway, and so a target named `no` or `1.10` keeps its name.

    Returns:
        The options, and whether the file is the selection.json of a selection, whose settings are
        then the options.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not what its suffix says, or holds no options.
    """
    content = path.read_text(encoding="utf-8-sig")
    suffix = path.suffix.lower()
    if suffix == ".json":
        values = json.loads(content)
    elif suffix == ".toml":
        values = _read_toml(content)
    else:
        values = _read_yaml(content)
    if not isinstance(values, dict):
        raise ValueError("expected options by name, such as seed: 7")  # noqa: TRY004
    if (
        path.name == SELECTION_FILE.rpartition("/")[2]
        or {"format", "settings", "inputs"} <= values.keys()
    ):
        return _options_of_selection(values, path), True
    return values, False


def _read_toml(content: str) -> dict[str, Any]:
    try:
        reader = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    except ImportError as error:
        raise ValueError(
            "TOML needs tomli on Python 3.10: pip install 'dsir[toml]', or give a .json file"
        ) from error
    found: dict[str, Any] = reader.loads(content)
    return found


def _read_yaml(content: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ValueError(
            "YAML needs PyYAML: pip install 'dsir[yaml]', or give a .toml or .json file"
        ) from error
    try:
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    return {} if node is None else _value_of(node, 0)


def _value_of(node: Any, depth: int) -> Any:
    """Return the value of a YAML node; every scalar but null as it is written.

    Raises:
        ValueError: a tag is unknown, a name is given twice, or values are nested deeper than those
            of options are.
    """
    if node.tag not in _KNOWN_TAGS:
        line = node.start_mark.line + 1
        raise ValueError(f"line {line}: the tag {node.tag!r:.80} is not allowed")
    if node.id == "scalar":
        return None if node.tag.endswith(":null") else node.value
    if depth > 3:  # methods, a method, its argument, the values of this.
        raise ValueError(f"line {node.start_mark.line + 1}: is nested deeper than any option")
    if node.id == "sequence":
        return [_value_of(one, depth + 1) for one in node.value]
    found: dict[str, Any] = {}
    for name, value in node.value:
        if name.id != "scalar":
            raise ValueError(f"line {name.start_mark.line + 1}: expected a name")
        if name.value in found:
            raise ValueError(f"line {name.start_mark.line + 1}: {name.value!r} is given twice")
        found[name.value] = _value_of(value, depth + 1)
    return found


def _options_of_selection(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the settings in a selection.json as the command line takes them."""
    settings = content.get("settings")
    if not isinstance(settings, dict):
        raise ValueError("has no settings of a selection")  # noqa: TRY004
    options = {name: value for name, value in settings.items() if value is not None}
    features = options.pop("features", None)
    if isinstance(features, dict):
        options |= {"ngrams" if name == "n" else name: value for name, value in features.items()}
    parts = _own_parts(options, path)
    options = {name: one for name, one in options.items() if name not in _IMPORTING} | parts
    combine = options.get("combine")
    if isinstance(combine, dict):
        combine = {name: one for name, one in combine.items() if name != "models"}
        options |= {"candidates": combine.pop("candidates", 4.0), "combine": combine}
    if isinstance(options.get("decontaminate"), dict):
        given = decontamination_options(options["decontaminate"])
        if given is None:
            raise ValueError(
                "its rows were compared with texts in memory, which only Python can give: "
                "dsir.select"
            )
        options |= given
    if isinstance(options.get("proportions"), list):
        options["proportions"] = dict(
            zip(_names_of_targets(content), options["proportions"], strict=True)
        )
    return options


def _own_parts(options: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the options of the parts of a selection that are not of the core.

    Raises:
        ValueError: the tokenizer names code, which would be imported.
    """
    found: dict[str, Any] = {}
    kind, scorer = options.get("tokenizer"), options.get("scorer")
    if kind == "vocabulary":
        found["tokenizer"] = str(path.with_name("model.dsir"))
    elif kind in ("kernel", "callable"):
        found["tokenizer"] = _needed(kind, options.get("tokenizer_name"))
    elif isinstance(kind, str) and names_code(kind):
        raise ValueError(f"its tokenizer is {kind!r:.80}, and a selection names no code")
    if "extractor" in options:
        found["extractor"] = _needed("features kernel", options["extractor"])
    if isinstance(scorer, dict):
        found["scorer"] = _needed(scorer.get("kind"), scorer.get("name"))
    return found


def _needed(kind: object, name: object) -> NeededCode:
    said = "function" if kind in ("callable", "scorer function") else f"{kind!s:.20}"
    return NeededCode(said, f"{name!s:.80}")


def _names_of_targets(content: Mapping[str, Any]) -> list[str]:
    inputs = content.get("inputs")
    targets = inputs.get("target") if isinstance(inputs, dict) else None
    if not isinstance(targets, list) or not all(isinstance(one, dict) for one in targets):
        raise ValueError("does not name its targets")
    return [str(one.get("name")) for one in targets]
