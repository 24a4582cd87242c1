"""How other measures are combined with the weights of DSIR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from dsir.arguments import panels
from dsir.arguments.declared import argument
from dsir.arguments.values import is_utf8, number, shown
from dsir.errors import SettingError
from dsir.model.estimator import Estimator
from dsir.model.fasttext_model import FastTextModel
from dsir.model.named_model import NamedModel, is_file
from dsir.settings.draw import DrawSettings
from dsir.settings.option_text import combine_in

DSIR, LEXRANK = "dsir", "lexrank"
_COLUMN, _MODEL = "column:", "model:"
_MEASURES = "dsir, lexrank, column:NAME and model:PATH"
_DIGESTS = "models"


class CombineArguments(TypedDict, total=False):
    """Arguments of `dsir.select` that combine measures; see `Combine`."""

    combine: Mapping[str, float] | None
    combine_models: Mapping[str, Estimator | FastTextModel] | None
    candidates: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CombineOptions:
    """The arguments that a `Combine` is made from."""

    combine: Mapping[str, float] | None = argument(
        None,
        "Weights of several measures, e.g. dsir=1,lexrank=0.2,column:meta.quality=0.3,"
        "model:quality.bin:hq=0.5: among the documents that DSIR ranks first, choose those with "
        "the greatest weighted sum, each measure scaled to mean 0 and standard deviation 1. "
        "lexrank: how central a document is among the others; it takes the texts of these "
        "candidates into memory. column:NAME: a column of numbers, also a nested one. model:PATH: "
        "a model file; for one of fastText a label follows. Columns and models may weigh less "
        "than 0. By default DSIR decides alone.",
        panel=panels.DRAW,
        metavar="MEASURE=W,...",
        read=combine_in,
    )
    combine_models: Mapping[str, Estimator | FastTextModel] | None = argument(
        None,
        "Models by name that combine has as model:NAME, in place of the paths of their files.",
        option="",
    )
    candidates: float = argument(
        4.0,
        "With combine: how many candidates to draw, in budgets, 1 or more; 4 draws four times "
        "the budget and chooses a quarter.",
        kind=float,
        panel=panels.DRAW,
    )


@dataclass(frozen=True, slots=True)
class Combine:
    """How the selection is chosen among candidates.

    Attributes:
        weights: the measures and their weights: "dsir", the key that DSIR draws by; "lexrank", the
            centrality among the candidates; "column:NAME"; "model:NAME", the log-weight by a model.
            In this order, columns and models by name, so that sums have the same bits.
        candidates: size of the first draw, in budgets.
        models: the models of the measures, by name.
    """

    weights: tuple[tuple[str, float], ...]
    candidates: float
    models: tuple[NamedModel, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Combine | None:
        """Check the arguments of a call.

        Returns:
            How to combine; None for DSIR alone.

        Raises:
            SettingError: a measure is not known or missing, a weight is out of range, or targets
                are separate.
            ModelError: a model cannot be read.
        """
        combine, candidates = given.get("combine"), given.get("candidates", 4.0)
        loaded = _checked_models(given.get("combine_models"), combine)
        candidates = number("candidates", candidates, least=1, expected="a number, 1 or more")
        if combine is None:
            return None
        if not isinstance(combine, Mapping) or not combine:
            raise SettingError(f"combine={shown(combine)}: expected weights of {_MEASURES}")
        weights: dict[str, float] = {}
        models: dict[str, NamedModel] = {}
        for name, weight in combine.items():
            measure = _checked_name(name)
            if measure.startswith(_MODEL):
                where = f"combine: {measure}"
                model = NamedModel.of(where, measure.removeprefix(_MODEL), loaded)
                measure = f"{_MODEL}{model.name}"
                models[model.name] = model
            if measure in weights:
                raise SettingError(f"combine={shown(combine)}: {measure} is given twice")
            weights[measure] = _checked_weight(name, measure, weight)
        if not any(weights.values()):
            raise SettingError(f"combine={shown(combine)}: expected a weight that is not 0")
        if weights.keys() == {DSIR}:
            raise SettingError(
                f"combine={shown(combine)}: expected another measure beside dsir, of {_MEASURES}; "
                "DSIR alone is what a call without combine selects by"
            )
        if given.get("targets") == "separate":
            raise SettingError('combine: cannot be used with targets="separate"')
        ordered = sorted(weights.items(), key=lambda one: (_rank(one[0]), one[0]))
        in_order = tuple(models[name] for name in sorted(models))
        return cls(tuple(ordered), float(candidates), in_order)

    @classmethod
    def from_json(cls, described: Mapping[str, Any], given: Mapping[str, Any]) -> Combine | None:
        """Return what `describe` described.

        Args:
            described: the measures, `candidates`, and the digests of models.
            given: the other arguments.

        Raises:
            SettingError: a setting is out of range, or a model is another file now.
            ModelError: a model cannot be read.
        """
        weights = dict(described)
        digests = weights.pop(_DIGESTS, {})
        candidates = weights.pop("candidates", None)
        if not isinstance(digests, Mapping):
            raise SettingError(f"combine: models={shown(digests)}: expected digests by name")
        for name in digests:
            if not is_file(str(name)):
                raise SettingError(
                    f"combine: the model {name!r:.200} was in memory, so the selection cannot be "
                    "made again; save it, and select with model:PATH"
                )
        found = cls.of({**given, "combine": weights, "candidates": candidates})
        if found is None or found.digests == digests:
            return found
        changed = sorted(name for name, one in found.digests.items() if digests.get(name) != one)
        raise SettingError(
            f"combine: {', '.join(changed) or 'models'}: is not the file that was used; put that "
            "file in its place"
        )

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each model, by name."""
        return {model.name: model.digest for model in self.models}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of numbers, in the order of their measures."""
        return tuple(
            name.removeprefix(_COLUMN) for name, _ in self.weights if name.startswith(_COLUMN)
        )

    @property
    def reads_texts(self) -> bool:
        """Whether a measure needs the texts of the candidates."""
        return bool(self.models) or LEXRANK in dict(self.weights)

    def weight(self, name: str) -> float:
        """Return the weight of a measure; 0 for one that is not given."""
        return dict(self.weights).get(name, 0.0)

    @property
    def beside(self) -> tuple[float, ...]:
        """The weights of the columns and then of the models, in their order."""
        return tuple(weight for name, weight in self.weights if name not in (DSIR, LEXRANK))

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        models = {_DIGESTS: self.digests} if self.models else {}
        return {**dict(self.weights), "candidates": self.candidates, **models}

    def widened(self, settings: DrawSettings) -> DrawSettings:
        """Return the settings for drawing the candidates: budget and quotas times `candidates`."""
        return settings.widened(self.candidates)


def _checked_models(models: object, combine: object) -> Mapping[str, Estimator | FastTextModel]:
    """Return the loaded models of a call.

    Raises:
        SettingError: they are no models by name, or one of them is no measure.
    """
    if models is None:
        return {}
    if not isinstance(models, Mapping) or not all(
        isinstance(one, Estimator | FastTextModel) for one in models.values()
    ):
        raise SettingError(
            f"combine_models={shown(models)}: expected models by name, such as "
            '{"quality": dsir.load_model("quality.bin")}; files go by path, model:quality.bin'
        )
    used = (
        [str(name).removeprefix(_MODEL) for name in combine] if isinstance(combine, Mapping) else []
    )
    for name in models:
        if not isinstance(name, str) or not is_utf8(name) or not name or ":" in name or "/" in name:
            raise SettingError(
                f"combine_models: {shown(name)}: expected a name without a colon or slash"
            )
        if not any(one.partition(":")[0] == name for one in used):
            raise SettingError(
                f"combine_models: {name!r:.80} is no measure; give combine={{'model:{name}': 0.5}}"
                ", or leave the model out"
            )
    return models


def _checked_name(name: object) -> str:
    if isinstance(name, str) and is_utf8(name):
        if name in (DSIR, LEXRANK):
            return name
        for prefix in (_COLUMN, _MODEL):
            if name.startswith(prefix) and name != prefix:
                return name
    raise SettingError(f"combine: {shown(name)} is no measure; expected {_MEASURES}")


def _checked_weight(name: object, measure: str, weight: object) -> float:
    if measure in (DSIR, LEXRANK):
        return float(number(f"combine[{name!r}]", weight, least=0, expected="a number, 0 or more"))
    return float(number(f"combine[{name!r}]", weight, expected="a number"))


def _rank(name: str) -> int:
    """Return where a kind of measure stands in the sum."""
    kinds = (DSIR, LEXRANK, _COLUMN, _MODEL)
    return next(rank for rank, kind in enumerate(kinds) if name.startswith(kind))
