"""The methods of a comparison: what each is called, and the arguments of `select` that it has."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from dsir.arguments.declared import Argument, arguments_of
from dsir.arguments.values import shown
from dsir.errors import SettingError
from dsir.model.estimator import Estimator
from dsir.model.estimators import as_estimator, load_estimator
from dsir.model.fasttext_model import FastTextModel
from dsir.model.features import HashedNgrams
from dsir.model.own_code import names_code
from dsir.model.scorer_groups import same_tokens
from dsir.remote import RemotePath
from dsir.sampling import METHODS, Method
from dsir.settings.combine import CombineOptions
from dsir.settings.draw import DrawSettings
from dsir.settings.fit import FitArguments, FitSettings
from dsir.settings.ngram_options import NGRAMS, with_features
from dsir.settings.plan import Plan

RANDOM = "random"
_LONGEST_NAME = 60
# Names that stand for more than a method.
_PRESETS: dict[str, dict[str, Any]] = {
    **{name: {"method": name} for name in get_args(Method)},
    "classifier": {"estimator": "classifier", "method": "top-k"},
}
_OF_ALL = ("n", "fraction", "tokens", "bytes", "seed")
_SETTINGS = {
    name: one
    for name, one in arguments_of(DrawSettings, FitSettings, CombineOptions).items()
    if name not in _OF_ALL
}
_OWN = (*_SETTINGS, "model", "label")


@dataclass(frozen=True, slots=True)
class Variant:
    """One method of a comparison.

    Attributes:
        name: what the method is called.
        given: the arguments of `select` that it has.
        model: the model that it draws by; None to fit one.
    """

    name: str
    given: Mapping[str, Any]
    model: Estimator | None = None

    @property
    def is_random(self) -> bool:
        """Whether all eligible documents have the same chance."""
        return bool(self.given.get("method") == RANDOM)

    def plan(
        self,
        shared: Mapping[str, Any],
        budget: Mapping[str, Any],
        seed: int,
        target_names: Sequence[str],
    ) -> Plan:
        """Return what `select` would do.

        Args:
            shared: the arguments of all methods.
            budget: how much to select, as an argument of `select`.
            seed: the seed of the draw.
            target_names: names of the targets; none for a single target without a name.

        Raises:
            SettingError: an argument is out of range, or arguments do not go together.
        """
        common = dict(shared)
        if self.model is not None and self.model.column_names and self.given.get("combine"):
            raise SettingError(
                f"methods={self.name!r}: combine: the model has a log-weight for each of "
                f"{', '.join(map(repr, self.model.column_names))}; give a model with one, such as "
                'of fit(targets="pooled")'
            )
        method = self.given.get("method", "resample")
        if self.model is not None:
            common = {k: v for k, v in common.items() if k not in FitArguments.__annotations__}
        elif method in METHODS and METHODS[method].calibrated:
            common.pop("estimator", None)  # These methods have an estimator of their own.
        given = {**common, **self.given, **budget, "seed": seed}
        try:
            return Plan.of(given, target_names)
        except SettingError as error:
            raise SettingError(f"methods={self.name!r}: {error}") from error


def variants_of(methods: object) -> list[Variant]:
    """Return the methods of a comparison; one that draws at random is always among them.

    Args:
        methods: names, as a sequence or as one text with commas; a name is followed by arguments
            of `select` after a colon, "svm: estimator=classifier,method=top-k", with semicolons
            within one argument, "both: combine=dsir=1;column:stars=0.5"; or a mapping of names to
            such arguments.

    Raises:
        SettingError: there are none, a name is given twice, or something is no method.
        ModelError: a model cannot be read.
    """
    found: dict[str, Variant] = {}
    for name, given in _named(methods):
        if name in found:
            raise SettingError(f"methods={shown(name)}: is given twice")
        found[name] = _variant(name, given)
    if not found:
        raise SettingError(
            f"methods={shown(methods)}: has no name; give at least one, such as 'coverage'"
        )
    if not any(one.is_random for one in found.values()):
        if RANDOM in found:
            raise SettingError(
                f"methods={RANDOM!r}: draws by method={found[RANDOM].given.get('method')!r}; "
                "call it otherwise, because a random draw is always among the methods"
            )
        found[RANDOM] = Variant(RANDOM, {"method": RANDOM})
    return list(found.values())


def _named(methods: object) -> list[tuple[str, Mapping[str, Any]]]:
    """Return names and arguments."""
    if isinstance(methods, Mapping):
        found = []
        for name, given in methods.items():
            if not isinstance(given, Mapping):
                raise SettingError(
                    f"methods={shown(name)}: expected arguments of select by name, such as "
                    f"{{'estimator': 'classifier'}}, found {shown(given)}"
                )
            found.append((_name(name), with_features(given) if NGRAMS.keys() & given else given))
        return found
    if isinstance(methods, str):
        return _in_text(methods)
    if isinstance(methods, Sequence):
        found = []
        for one in methods:
            if not isinstance(one, str):
                raise SettingError(
                    f"methods={shown(methods)}: expected names, or a dict of arguments by name"
                )
            found += _in_text(one)
        return found
    raise SettingError(
        f"methods={shown(methods)}: expected names such as ['coverage', 'resample'], or a dict of "
        "arguments by name"
    )


def _name(name: object) -> str:
    if isinstance(name, str) and name.strip() and name.isprintable() and len(name) < _LONGEST_NAME:
        return name.strip()
    raise SettingError(f"methods={shown(name)}: is not a name; expected some printable characters")


def _in_text(text: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Read "NAME,NAME: ARGUMENT=VALUE,ARGUMENT=VALUE,NAME"."""
    entries: list[tuple[str, dict[str, Any]]] = []
    for piece in text.split(","):
        name, colon, rest = piece.partition(":")
        if colon and "=" not in name:
            entries.append((_name(name), {}))
            piece = rest
        elif "=" not in piece:
            entries.append((_name(piece), {}))
            continue
        option, equals, value = piece.partition("=")
        if not equals or not entries:
            raise SettingError(
                f"methods={shown(text)}: expected NAME, or NAME: ARGUMENT=VALUE,..., such as "
                "'svm: estimator=classifier,method=top-k'"
            )
        entries[-1][1][option.strip().replace("-", "_")] = value.strip()
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name, given in entries:
        read = {option: _read(name, option, value) for option, value in given.items()}
        found.append((name, with_features(read)))
    return found


def _read(name: str, option: str, text: str) -> Any:
    """Return the value of an argument that was given as text."""
    one = _SETTINGS.get(option) or NGRAMS.get(option)
    if one is None:
        if option not in _OWN:
            raise _unknown(name, option)
        return text
    try:
        return _value(one, text)
    except ValueError as error:  # SettingError is one.
        if names_code(text):
            raise SettingError(f"methods={name!r}: {error}") from error
        raise SettingError(f"methods={name!r}: {option}={text}: is no value of {option}") from None


def _value(one: Argument, text: str) -> Any:
    if one.read is not None:
        return one.read(text.replace(";", ","))  # Commas are between arguments.
    if one.kind is bool:
        return {"true": True, "false": False}[text.lower()] if text else True
    return text if one.kind is str else one.kind(text)


def _variant(name: str, given: Mapping[str, Any]) -> Variant:
    if not given:
        if name not in _PRESETS:
            near = difflib.get_close_matches(name, _PRESETS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise SettingError(
                f"methods={name!r}: is no method: expected {', '.join(_PRESETS)}, or a name with "
                f"arguments of select, '{name}: estimator=classifier'{hint}"
            )
        return Variant(name, _PRESETS[name])
    for option in given:
        if option not in _OWN:
            raise _unknown(name, option)
    # A name that says how to draw needs no `method`.
    settings = {**_PRESETS.get(name, {}), **given}
    model, label = settings.pop("model", None), settings.pop("label", None)
    if model is None:
        if label is not None:
            raise SettingError(
                f"methods={name!r}: label={shown(label)}: is for a model of fastText; give "
                "model=... as well"
            )
        return Variant(name, settings)
    fits = [option for option in settings if option in FitArguments.__annotations__]
    if fits:
        raise SettingError(
            f"methods={name!r}: {fits[0]}: the model is fitted already; leave {fits[0]}=... or "
            "model=... out"
        )
    if not isinstance(model, Estimator | FastTextModel | str | Path | RemotePath):
        raise SettingError(
            f"methods={name!r}: model={shown(model)}: expected a model or the path of its file"
        )
    try:
        if isinstance(model, Estimator | FastTextModel):
            return Variant(name, settings, as_estimator(model, label=label))
        return Variant(name, settings, load_estimator(model, label=label))
    except SettingError as error:
        raise SettingError(f"methods={name!r}: {error}") from error


def _unknown(name: str, option: str) -> SettingError:
    if option in _OF_ALL:
        where = "seed" if option == "seed" else "budgets"
        return SettingError(
            f"methods={name!r}: {option}: is the same for all methods; give {where}=... of the call"
        )
    near = difflib.get_close_matches(option, [*_OWN, *NGRAMS], 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return SettingError(f"methods={name!r}: select has no argument {option!r} for one method{hint}")


def refuse_other_tokens(
    variants: Sequence[Variant], plans: Sequence[Plan], of: HashedNgrams
) -> None:
    """Raise SettingError if a method that is fitted cuts texts into other tokens than the rest.

    Budgets are counted in tokens, and selections measured on them, so that all need the same.
    """
    for variant, plan in zip(variants, plans, strict=True):
        if variant.model is None and not same_tokens(plan.fit.features, of):
            raise SettingError(
                f"methods={variant.name!r}: cuts texts into other tokens than the other methods; "
                "give the tokenizer for all of them (features=..., or --tokenizer)"
            )


def plain(value: Any) -> Any:
    """Return arguments as JSON values."""
    if isinstance(value, HashedNgrams):
        return value.describe()
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
