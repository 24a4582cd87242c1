"""fit(): an importance model from a raw corpus and a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsir.arguments.keywords import takes_arguments
from dsir.errors import SettingError
from dsir.model.estimators import FittedModel
from dsir.model.targets import names_of_targets
from dsir.run.first_look import look_at_inputs
from dsir.run.fitting import fit_model
from dsir.run.inputs import note_left_out, open_inputs
from dsir.run.passed_over import warn_of_passed_over
from dsir.run.pipeline import Pipeline
from dsir.settings.documents import WindowArguments, WindowSettings
from dsir.settings.fit import FitArguments, FitSettings
from dsir.settings.machine import Machine, MachineArguments, MachineOptions
from dsir.settings.reading import ReadArguments, ReadSettings
from dsir.settings.tokens import check_columns

if TYPE_CHECKING:
    from typing_extensions import Unpack


class FitCall(ReadArguments, FitArguments, WindowArguments, MachineArguments, total=False):
    """The arguments of `fit`, besides its inputs."""


FIT_SETTINGS = (ReadSettings, FitSettings, WindowSettings, MachineOptions)


@takes_arguments(*FIT_SETTINGS, names=FitCall.__annotations__)
def fit(
    raw: object, target: object, *, negatives: object = None, **given: Unpack[FitCall]
) -> FittedModel:
    """Fit an importance model: count the hashed n-grams of the raw corpus and of the target.

    Every document counts, short ones included. Source: Xie et al. 2023 (arXiv 2302.03169),
    section 3.

    Args:
        raw: a path, pattern or folder, a list of these, or texts in memory; see `dsir.select`.
        target: a sample of the wanted documents, given like raw; or several targets by name,
            {"name": source, ...}.
        negatives: for estimator="classifier", a sample of unwanted documents, given like raw: the
            classifier learns to tell the target from these and not from raw.
        {arguments}

    Returns:
        The model, an `ImportanceModel`; with estimator="relevance" a `RelevanceModel`, with
        estimator="classifier" a `ClassifierModel`.

    Raises:
        SettingError: the call is wrong.
        InputError: an input cannot be read.
        ModelError: a corpus has no n-grams.
        BadDataError: more rows or shards are bad than `max_bad_rows` or `max_bad_shards` allow.

    Warns:
        DsirWarning: with on_error="skip", whole files were passed over; the message names them.

    Example:
        >>> model = dsir.fit("corpus/*.parquet", "wanted.jsonl")  # doctest: +SKIP
        >>> model.save("model.dsir")  # doctest: +SKIP
    """
    if target is None:
        raise SettingError("target=None: expected a sample of the wanted documents")
    reading = ReadSettings.of(given)
    names = names_of_targets(target)
    settings = FitSettings.of(given, names)
    windows = WindowSettings.of(given)
    check_columns(reading, windows, settings.features)
    machine = Machine.of(given)
    settings.refuse_negatives(negatives)
    inputs = open_inputs(
        raw,
        target,
        text=reading.text,
        target_text=reading.target_text,
        text_encoding=reading.text_encoding,
        on_error=reading.on_error,
        windows=windows,
        features=settings.features,
        machine=machine,
        look=lambda found, targets: look_at_inputs(
            found,
            targets,
            machine.engine,
            reading,
            None,
            settings.features,
            grades=settings.grades,
        ),
        negatives=negatives,
    )
    note_left_out(machine.reporter, inputs.raw, *inputs.target.all_corpora)
    model, fitted = fit_model(
        Pipeline(machine, reading),
        inputs.raw,
        inputs.target,
        settings,
        None,
    )
    warn_of_passed_over(fitted.passed_over)
    return model
