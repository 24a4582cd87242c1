"""compare(): which method selects best for a user's own data."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsir.arguments.keywords import takes_arguments
from dsir.arguments.values import Amount, flag, shown
from dsir.comparison.composition import Trial
from dsir.comparison.repeat import given_settings
from dsir.comparison.result import Comparison
from dsir.comparison.trials import ComparisonRun
from dsir.comparison.variants import Variant, refuse_other_tokens, variants_of
from dsir.errors import SettingError
from dsir.model.classifier import ClassifierModel
from dsir.model.targets import TargetCorpora, names_of_targets, resolve_targets
from dsir.output.folder import check_output_folder, check_writable
from dsir.remote import RemotePath, location_of
from dsir.run.first_look import look_at_inputs
from dsir.run.inputs import note_left_out, open_inputs, surveyed
from dsir.run.pipeline import Pipeline
from dsir.settings.compare import (
    DEFAULT_METHODS,
    CompareArguments,
    CompareSettings,
    Methods,
    budgets_of,
)
from dsir.settings.documents import DocumentArguments, features_of
from dsir.settings.draw import DrawSettings
from dsir.settings.fit import FitArguments
from dsir.settings.language import LanguageArguments
from dsir.settings.machine import LimitArguments, Machine, MachineOptions
from dsir.settings.plan import Plan
from dsir.settings.quotas import Dedup, check_quotas
from dsir.settings.reading import ReadArguments

if TYPE_CHECKING:
    from typing_extensions import Unpack


class _OfAllMethods(
    ReadArguments,
    FitArguments,
    DocumentArguments,
    LanguageArguments,
    LimitArguments,
    total=False,
):
    """The arguments of `compare` that `select` has as well."""

    min_tokens: Amount
    temperature: float
    dedup: Dedup | None
    allow_fewer: bool
    seed: int
    progress: bool


class CompareCall(CompareArguments, _OfAllMethods, total=False):
    """The arguments of `compare`, besides its inputs and the methods."""


COMPARE_SETTINGS = (CompareSettings, Plan, MachineOptions)
_NOT_OF_SELECT = (*CompareArguments.__annotations__, *LimitArguments.__annotations__, "progress")


@takes_arguments(*COMPARE_SETTINGS, names=CompareCall.__annotations__)
def compare(
    raw: object,
    target: object,
    methods: Methods = DEFAULT_METHODS,
    *,
    negatives: object = None,
    out: str | Path | RemotePath | None = None,
    overwrite: bool = False,
    **given: Unpack[CompareCall],
) -> Comparison:
    """Compare methods of selection on documents of the target that no method sees.

    Part of the target is kept out. The rest is given to every method, and what each selects is
    measured on the part that was kept out: the perplexity of a Kneser-Ney model of trigrams that
    is trained on the selection, and the KL reduction. Each seed keeps other documents out. For
    given inputs and settings all measures are the same to the last bit for any number of threads.

    Raw is read once to count it, as far as a fit asks once for each kind of n-grams, once to score
    all documents for all methods and seeds, and once for the texts of all selections; `coverage`
    reads the texts of its pools, and a classifier its examples, once more for each draw or seed.

    Args:
        raw: the corpus to select from, given as in `select`.
        target: a sample of the wanted documents, given as in `select`.
        methods: the methods to compare: names of `method`, or "classifier", or names of your own
            with arguments of `select`, {"svm": {"estimator": "classifier", "method": "top-k"}},
            `combine` among them.
            "random" is always among them.
        negatives: a sample of unwanted documents, given like raw: classifiers learn to tell the
            target from these and not from raw.
        out: folder to write the comparison and its page to; None to write nothing.
        overwrite: replace what an earlier run wrote to `out`.
        {arguments}

    Returns:
        The comparison: a table, and a recommendation with its reasons.

    Raises:
        SettingError: the call is wrong, or the target is too small to keep a part of it out.
        InputError: an input cannot be read.
        ModelError: a corpus has no n-grams, or a model cannot be read.
        BudgetError: a budget cannot be met.
        OutputError: the output cannot be written.
        BadDataError: more rows or shards are bad than `max_bad_rows` or `max_bad_shards` allow.

    Example:
        >>> found = dsir.compare("corpus/*.parquet", "wanted.jsonl")  # doctest: +SKIP
        >>> print(found.recommendation)  # doctest: +SKIP
    """
    flag("overwrite", overwrite)
    settings = CompareSettings.of({**given, "methods": methods})
    if target is None:
        raise SettingError("target=None: expected a sample of the wanted documents")
    names = names_of_targets(target)
    variants = variants_of(settings.methods)
    if all(one.is_random for one in variants):
        raise SettingError(
            f"methods={shown(settings.methods)}: has nothing but random; give a method to compare"
        )
    budgets = budgets_of(settings.budgets)
    shared = {name: value for name, value in given.items() if name not in _NOT_OF_SELECT}
    seeds = _seeds(shared.pop("seed", 0), settings.seeds)
    plans = {
        Trial(method, budget, number): variant.plan(shared, amount, seed, names)
        for budget, amount in enumerate(budgets.values())
        for method, variant in enumerate(variants)
        for number, seed in enumerate(seeds)
    }
    first = plans[Trial(0, 0, 0)]
    if first.reading.text_encoding == "token-ids":
        raise SettingError('text_encoding="token-ids": methods are compared on texts')
    features = features_of(shared)
    refuse_other_tokens(variants, [plans[Trial(m, 0, 0)] for m in range(len(variants))], features)
    place = None if out is None else location_of(out)
    if place is not None:  # Before the work.
        check_output_folder(place, overwrite=overwrite, resuming=False)
        check_writable(place)
    machine = Machine.of(given)
    if any(plan.fit.grades is not None for plan in plans.values()):
        raise SettingError(
            "grades: a comparison keeps only the texts of the target; fit a model with grades, and "
            'give it to a method, as in "graded: model=m.dsir"'
        )
    if negatives is not None:
        _refuse_negatives(plans, variants)
    corpora = _targets(target, negatives, first, machine)
    inputs = open_inputs(
        raw,
        None,
        text=first.reading.text,
        text_encoding=first.reading.text_encoding,
        language=first.language.column(),
        on_error=first.reading.on_error,
        windows=first.documents,
        features=features,
        machine=machine,
        look=lambda found, _: look_at_inputs(
            found,
            corpora,
            machine.engine,
            first.reading,
            _looked_at(settings, plans),
            features,
            tuple(dict.fromkeys(one for plan in plans.values() for one in plan.numbers)),
        ),
    )
    note_left_out(machine.reporter, inputs.raw, *corpora.corpora)
    with tempfile.TemporaryDirectory(prefix="dsir-compare-") as scratch:
        trials = ComparisonRun(
            pipeline=Pipeline(machine, first.reading),
            raw=inputs.raw,
            target=corpora,
            variants=variants,
            plans=plans,
            seeds=seeds,
            hold_out=float(settings.hold_out),
            shares_by=settings.shares_by,
            features=features,
            folder=Path(scratch),
        ).run()
    described = given_settings(
        None if inputs.raw.in_memory else raw,
        _on_disk(target, corpora),
        [] if corpora.negatives is not None and corpora.negatives.in_memory else negatives,
        variants,
        list(budgets),
        seeds,
        settings,
        shared,
    )
    found = Comparison.of(trials, variants, list(budgets), seeds, described)
    if place is not None:
        found.save(place, overwrite=overwrite)
    return found


def _seeds(first: Any, count: int) -> list[int]:
    if not isinstance(first, int) or isinstance(first, bool):
        return [first] * count  # The plan says what is wrong.
    return [first + number for number in range(count)]


def _refuse_negatives(plans: Mapping[Trial, Plan], variants: Sequence[Variant]) -> None:
    """Refuse negatives that no method would use."""
    for trial, plan in plans.items():
        fits = variants[trial.method].model is None and not variants[trial.method].is_random
        if fits and plan.fit.estimator == ClassifierModel.kind:
            return
    raise SettingError('negatives: are for estimator="classifier", which no method has')


def _targets(target: object, negatives: object, plan: Plan, machine: Machine) -> TargetCorpora:
    """Return the targets as they are given, within the machine's memory limit."""
    reading = plan.reading
    found = resolve_targets(
        target,
        reading.text,
        reading.target_text,
        reading.text_encoding,
        reading.on_error,
        negatives,
    )
    return found.each(lambda corpus: surveyed(corpus, machine)).limited(machine.memory.reading)


def _on_disk(target: object, corpora: TargetCorpora) -> object:
    """Return the target as it was given; None for what was in memory."""
    if isinstance(target, Mapping):
        named = zip(target.items(), corpora.corpora, strict=True)
        return {name: None if one.in_memory else source for (name, source), one in named}
    return None if corpora.corpora[0].in_memory else target


def _looked_at(settings: CompareSettings, plans: Mapping[Trial, Plan]) -> DrawSettings:
    """Return a draw that needs every column that any method needs."""
    columns = {column: 1.0 for plan in plans.values() for column in plan.draw.quotas.columns}
    if settings.shares_by is not None:
        columns[settings.shares_by] = 1.0
    draw = next(
        plan.draw for plan in plans.values() if plan.draw.rule.method not in ("coverage", "cap")
    )
    return replace(draw, quotas=check_quotas(columns or None, None))
