"""The plan of a run: everything that its result depends on, besides the inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsir.arguments.declared import arguments_of
from dsir.corpus import token_ids
from dsir.errors import SettingError
from dsir.model.decontamination import Decontamination
from dsir.model.quality import QualityFilters
from dsir.settings.combine import Combine, CombineArguments, CombineOptions
from dsir.settings.documents import DocumentArguments, DocumentOptions, DocumentSettings
from dsir.settings.draw import DrawArguments, DrawSettings
from dsir.settings.fit import FitArguments, FitSettings
from dsir.settings.language import LanguageArguments, LanguageSettings
from dsir.settings.output import OutputArguments, OutputSettings
from dsir.settings.reading import ReadArguments, ReadSettings
from dsir.settings.tokens import check_tokens, refuse_ids


class PlanArguments(
    DrawArguments,
    ReadArguments,
    LanguageArguments,
    FitArguments,
    DocumentArguments,
    CombineArguments,
    OutputArguments,
    total=False,
):
    """The arguments of `dsir.select` that its result depends on; see `Plan`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that the result of a run depends on, besides its inputs. Checked once, here.

    Two runs over the same inputs with equal plans give the same bytes, on any `Machine`. A plan
    goes into manifests by `describe` and comes back by `from_json`:
    `Plan.from_json(plan.describe()) == plan`.

    Attributes:
        reading: how inputs are read.
        language: the column of languages that raw gets.
        documents: how documents are prepared.
        fit: how the model is fitted.
        draw: how documents are drawn.
        combine: how other measures are combined with the weights; None for DSIR alone.
        output: how the selected rows are written.
    """

    reading: ReadSettings = field(metadata={"group": ReadSettings})
    language: LanguageSettings = field(metadata={"group": LanguageSettings})
    documents: DocumentSettings = field(metadata={"group": DocumentOptions})
    fit: FitSettings = field(metadata={"group": FitSettings})
    draw: DrawSettings = field(metadata={"group": DrawSettings})
    combine: Combine | None = field(metadata={"group": CombineOptions})
    output: OutputSettings = field(metadata={"group": OutputSettings})

    def __post_init__(self) -> None:
        """Check that the settings go together."""
        if self.combine is not None:
            if self.draw.rule.method == "coverage":
                raise SettingError(
                    'combine: cannot be used with method="coverage"; method="cap" can be combined'
                )
            if self.reading.text_encoding == token_ids.ENCODING and self.combine.reads_texts:
                raise SettingError(
                    "combine: lexrank and models need texts, not "
                    f"text_encoding={token_ids.ENCODING!r}; columns can be combined"
                )
        check_tokens(self.reading, self.documents, self.fit.features)
        if self.language.language_column is not None:
            refuse_ids("language_model", self.reading)

    @classmethod
    def of(cls, given: Mapping[str, Any], target_names: Sequence[str]) -> Plan:
        """Check the arguments of a call.

        Args:
            given: arguments by name; those left out have their defaults.
            target_names: names of the targets; none for a single target without a name.

        Raises:
            SettingError: an argument is out of range, or arguments do not go together.
        """
        reading = ReadSettings.of(given)
        documents = DocumentSettings.of(given)
        fit = FitSettings.of(given, target_names)
        combine = Combine.of(given)
        draw = DrawSettings.of(given)
        documents.refuse_short_windows(draw.min_tokens)
        output = OutputSettings.of(given)
        output.added(target_names if fit.targets == "separate" else ())  # Checks the names.
        return cls(
            reading=reading,
            language=LanguageSettings.of(given),
            documents=documents,
            fit=fit,
            draw=draw,
            combine=combine,
            output=output,
        )

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns of numbers that documents are chosen by."""
        return () if self.combine is None else self.combine.columns

    def describe(self) -> dict[str, Any]:
        """Return the plan as JSON values, as in the settings of `selection.json`."""
        return {**self.result(), **self.reading.limits.describe()}

    def result(self) -> dict[str, Any]:
        """Return, as JSON values, what the rows and files of a successful run depend on.

        This is the plan without the limits of bad data, which only say when a run fails.
        """
        return {
            **self.draw.describe(),
            **self.fit.describe(),
            **self.documents.describe(),
            **self.reading.columns(),
            **self.language.describe(),
            "combine": None if self.combine is None else self.combine.describe(),
            **self.output.describe(),
            "on_error": self.reading.on_error,
        }

    def counts(self) -> dict[str, Any]:
        """Return, as JSON values, what the counts of n-grams depend on."""
        return {
            "stage": "count",
            **self.reading.columns(),
            "on_error": self.reading.on_error,
            "chunk_tokens": self.documents.chunk_tokens,
            "chunk_stride": self.documents.chunk_stride,
            "features": self.fit.features.describe(),
            "fit_tokens": self.fit.fit_tokens,
        }

    @classmethod
    def from_json(cls, described: Mapping[str, Any], decontaminate: object = None) -> Plan:
        """Return a plan from what `describe` returned.

        The JSON values may come from anywhere, so each goes through the checks of a call. A plan
        never says where a run writes or what it overwrites.

        Args:
            described: the JSON values.
            decontaminate: where the texts of a decontamination are now; None for their paths.

        Raises:
            SettingError: a setting is missing, unknown, or out of range.
        """
        for name in described:
            if name not in _NAMES:
                raise SettingError(f"this version of dsir knows no setting {name!r:.80}")
        # Earlier versions kept the types, and had no setting for it.
        described = {"keep_types": True, **described}
        missing = _NAMES - _ADDED - _OPTIONAL - described.keys()
        if missing:
            raise SettingError(f"the setting {min(missing)!r} is missing")
        given = {name: value for name, value in described.items() if value is not None}
        for name in {"features", *(_OBJECTS & given.keys())}:
            if name not in given:
                raise SettingError(f"{name}=None: expected names and values")
            if not isinstance(given[name], Mapping):
                raise SettingError(f"{name}={given[name]!r:.80}: expected names and values")
        combine = given.pop("combine", None)
        if "filters" in given:
            given["filters"] = QualityFilters.from_json(given["filters"])
        if "decontaminate" in given:
            given["decontaminate"] = Decontamination.from_json(
                given["decontaminate"], decontaminate
            )
        return cls(
            reading=ReadSettings.of(given),
            language=LanguageSettings.of(given),
            documents=DocumentSettings.of(given),
            fit=FitSettings.from_json(given),
            draw=DrawSettings.of(given),
            combine=None if combine is None else Combine.from_json(combine, given),
            output=OutputSettings.of(given),
        )


# `preprocessing` is described as the settings it stands for; others within `combine` and
# `decontaminate`.
_NAMES = PlanArguments.__annotations__.keys() - {"preprocessing", "candidates", "combine_models"}
_NAMES -= {"decontaminate_text", "decontaminate_ngram", "decontaminate_hits"}
_ADDED = {name for name, one in arguments_of(Plan).items() if one.added}
# Described only if given, or where it differs from another setting.
_OPTIONAL = {"target_text", "text_encoding", "estimator", "scorer", "grades", "decontaminate"}
_OPTIONAL |= LanguageArguments.__annotations__.keys()
_OBJECTS = {"features", "filters", "combine", "max_per", "decontaminate"}
