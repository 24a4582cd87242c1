"""select(): the documents of a corpus that are distributed like a target."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsir.arguments.keywords import takes_arguments
from dsir.arguments.values import flag, is_utf8, shown
from dsir.errors import SettingError, WorkdirError
from dsir.model.estimator import Estimator
from dsir.model.estimators import as_estimator, load_estimator
from dsir.model.fasttext_model import FastTextModel
from dsir.model.relevance import RelevanceModel
from dsir.model.targets import names_of_targets
from dsir.plural import counted
from dsir.remote import Folder, Location, RemotePath, folder_of, location_of
from dsir.remote.store import RemoteError
from dsir.run.accounts import warn_of_top_k
from dsir.run.first_look import look_as_planned
from dsir.run.given_model import GivenModel
from dsir.run.inputs import note_left_out, open_inputs
from dsir.run.select_run import SelectionRun
from dsir.run.selection import Selection
from dsir.settings.fit import FitArguments
from dsir.settings.machine import Machine, MachineArguments, MachineOptions
from dsir.settings.plan import Plan, PlanArguments
from dsir.storage.workers import workers_of

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SelectCall(PlanArguments, MachineArguments, total=False):
    """The arguments of `select`, besides its inputs and folders."""


SELECT_SETTINGS = (Plan, MachineOptions)


@takes_arguments(*SELECT_SETTINGS, names=SelectCall.__annotations__)
def select(
    raw: object,
    target: object = None,
    *,
    negatives: object = None,
    model: Estimator | FastTextModel | str | Path | RemotePath | None = None,
    label: str | None = None,
    out: str | Path | RemotePath | None = None,
    workdir: str | Path | RemotePath | None = None,
    overwrite: bool = False,
    **given: Unpack[SelectCall],
) -> Selection:
    """Select the documents of `raw` that are distributed like `target` (DSIR).

    Fits an importance model, computes the log-weight of every document, draws without replacement
    in proportion to the weights, and writes the rows. Exactly one of n, fraction, tokens and bytes
    says how much to select. For given inputs, settings and seed the selected rows and their
    log-weights are the same to the last bit for any number of threads. Source: Xie et al. 2023
    (arXiv 2302.03169).

    Args:
        raw: the corpus to select from: a path, pattern or folder of Parquet, JSON Lines (plain,
            .gz, .zst, .bz2, .lz4) or Arrow files, on this machine or by URL (s3://, gs://, hf://,
            https://; docs/reference/remote.md); a list of these; or in memory, anything that speaks
            Arrow (pyarrow, polars, pandas, datasets) or an iterable of str.
        target: a sample of the wanted documents, given like raw; or several targets by name,
            {"name": source, ...}.
        negatives: for estimator="classifier", a sample of unwanted documents, given like raw: the
            classifier learns to tell the target from these and not from raw.
        model: in place of a target, a model that was fitted before: from `dsir.fit`,
            `Selection.model` or `dsir.load_model`, or the path of its file or of a selection.
            Arguments that say how to fit are errors then.
        label: with a model of fastText, the label whose log-odds are the log-weights.
        out: folder to write to, also by URL, in the format of the input; None to get the rows in
            `Selection.table`.
        workdir: folder that keeps every stage's results, also by URL (s3://, gs://). The same call
            continues where it stopped. A call with other settings repeats only the stages that
            depend on them. A call with other inputs is an error.
        overwrite: replace a selection in `out`.
        {arguments}

    Returns:
        The selection: the paths of its files or the rows themselves, their row numbers, and the
        accounts.

    Raises:
        SettingError: the call is wrong.
        InputError: an input cannot be read.
        ModelError: the raw corpus or the target has no n-grams.
        BudgetError: the budget cannot be met.
        WorkdirError: the work directory belongs to a run over other inputs.
        OutputError: the output cannot be written.
        BadDataError: more rows or shards are bad than `max_bad_rows` or `max_bad_shards` allow.

    Warns:
        DsirWarning: the effective sample size is so small that the sample is close to a top-k.

    Example:
        >>> selection = dsir.select(  # doctest: +SKIP
        ...     "corpus/*.parquet", "wanted.jsonl", n=100_000, out="selected/"
        ... )
        >>> more = dsir.select(  # doctest: +SKIP
        ...     "newer/*.parquet", model=selection.model, n=1_000
        ... )
    """
    flag("overwrite", overwrite)
    fitted = fitted_model(target, model, label, given, negatives)
    plan = Plan.of(given, names_of_targets(target)) if fitted is None else fitted.plan(given)
    machine = Machine.of(given)
    selection = run_plan(
        plan,
        machine,
        raw,
        target,
        fitted,
        out=_folder("out", out),
        workdir=_folder("workdir", workdir),
        overwrite=overwrite,
        negatives=negatives,
    )
    rows = selection.metrics.rows
    if 2 * rows.passed_over.too_short > rows.read:
        machine.reporter.note(
            f"more than half of the rows are too short: {rows.passed_over.too_short:,} of "
            f"{rows.read:,} have fewer than min_tokens={plan.draw.min_tokens} tokens"
        )
    if plan.draw.rule.method == "resample":
        warn_of_top_k(selection.metrics)
    return selection


def fitted_model(
    target: object,
    model: object,
    label: str | None,
    given: Mapping[str, Any],
    negatives: object = None,
) -> GivenModel | None:
    """Return the model of a call that has one in place of a target.

    Args:
        target: the argument of that name.
        model: the argument of that name.
        label: the argument of that name.
        given: the other arguments.
        negatives: the argument of that name.

    Raises:
        SettingError: the call has neither or both, or says how to fit a model that is fitted.
        ModelError: the model cannot be read.
    """
    if (target is None) == (model is None):
        both = "both are given" if model is not None else "neither is given"
        raise SettingError(
            f"target, model: {both}; give target=... (a sample of the wanted documents), or "
            "model=... (a model that has been fitted)"
        )
    if model is None:
        if label is not None:
            raise SettingError(
                f"label={shown(label)}: is for a model of fastText; give model=... as well"
            )
        return None
    unwanted = () if negatives is None else ("negatives",)
    for name in (*given, *unwanted):
        if name in unwanted or name in FitArguments.__annotations__ or name == "target_text":
            raise SettingError(
                f"{name}: the model is fitted already; leave {name}=... or model=... out"
            )
    if isinstance(model, Estimator | FastTextModel):
        found = GivenModel(as_estimator(model, label=label), None)
    else:
        path = _folder("model", model)
        assert path is not None
        found = GivenModel(load_estimator(path, label=label), path)
    names = found.model.column_names
    if given.get("combine") is not None and names:
        raise SettingError(
            f"combine: the model has a log-weight for each of {', '.join(map(repr, names))}; give "
            'a model with one, such as of fit(targets="pooled")'
        )
    method = given.get("method")
    if method in ("coverage", "cap") and not isinstance(found.model, RelevanceModel):
        raise SettingError(
            f'method="{method}": needs a relevance model, but the model is of the kind '
            f'{found.model.kind!r}; fit one with estimator="relevance"'
        )
    return found


def _folder(name: str, value: object) -> Location | None:
    """Return an argument that names a folder, or None.

    Raises:
        SettingError: the argument is neither a path nor a URL.
    """
    if value is None:
        return None
    if isinstance(value, str | Path | RemotePath):
        text = str(value)
        if text and "\0" not in text and is_utf8(text):
            return location_of(value)
    raise SettingError(f"{name}={shown(value)}: expected the path or URL of a folder")


def _refuse_workers(workdir: Folder) -> None:
    """Refuse a work directory in which workers of a planned run are at work."""
    try:
        living = [one for one in workers_of(workdir) if one.alive]
    except RemoteError as error:
        raise WorkdirError(f"{workdir}: cannot be read: {error}") from error
    except OSError as error:
        raise WorkdirError(f"{workdir}: cannot be read: {error.strerror or error}") from error
    if living:
        raise WorkdirError(
            f"{workdir}: {counted(len(living), 'worker')} of 'dsir work' at work in it (the first: "
            f"process {living[0].pid} on {living[0].host}); 'dsir finish' works with them"
        )


def run_plan(
    plan: Plan,
    machine: Machine,
    raw: object,
    target: object,
    fitted: GivenModel | None = None,
    *,
    out: Location | None,
    workdir: Location | None = None,
    overwrite: bool = False,
    negatives: object = None,
) -> Selection:
    """Run a plan, and return its selection.

    Args:
        plan: everything that the result depends on, besides the inputs.
        machine: what the run may use.
        raw: the corpus, given as in `select`.
        target: the target, given as in `select`; None with a model.
        fitted: a model that was fitted before; None to fit one.
        out: the folder to write to; None to get the rows in memory.
        workdir: the folder that keeps results for later calls; None to keep none.
        overwrite: replace a selection in `out`.
        negatives: what a classifier learns to tell the target from; None for raw.

    Raises:
        DsirError: see `select`.
    """
    plan.fit.refuse_negatives(negatives)
    if machine.engine.needs_workdir and workdir is None:
        raise SettingError(
            "workdir: the engine's workers need a work directory that every node sees; give a "
            "shared folder, or one in a store such as s3://bucket/work"
        )
    features = plan.fit.features
    plan.documents.check_texts(features)
    inputs = open_inputs(
        raw,
        target,
        text=plan.reading.text,
        target_text=plan.reading.target_text,
        text_encoding=plan.reading.text_encoding,
        language=plan.language.column(),
        on_error=plan.reading.on_error,
        windows=plan.documents,
        features=features,
        machine=machine,
        look=lambda found, targets: look_as_planned(found, targets, machine.engine, plan, features),
        negatives=negatives,
    )
    note_left_out(machine.reporter, inputs.raw, *inputs.target.all_corpora)
    run = SelectionRun.of(plan, machine, inputs, out, overwrite=overwrite, fitted=fitted)
    if workdir is not None:
        with folder_of(workdir) as place:
            _refuse_workers(place)
            return run.in_workdir(place, durable=True)
    if inputs.raw.in_memory or not machine.engine.shares_files:
        # Workers that do not see a folder of this machine send their results back in memory.
        return run.run(None)
    # A few numbers for each document go to disk, so that memory does not grow with the corpus.
    with tempfile.TemporaryDirectory(prefix="dsir-") as scratch:
        return run.in_workdir(Path(scratch), durable=False)
