"""dsir gais."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, get_args

import typer

from dsir.arguments.declared import arguments_of, chosen
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.gais_options import SelectorOptions
from dsir.cli.piped import piped
from dsir.engine import thread_count
from dsir.errors import SettingError
from dsir.gais.class_budgets import shares_text, with_labels
from dsir.gais.gais import GAIS
from dsir.gais.held_out import held_out_report
from dsir.gais.judges import Metric
from dsir.gais.labelled_files import (
    InstanceTables,
    read_instances,
    reduction_of,
    write_instances,
)
from dsir.gais.labelled_table import present_rows
from dsir.gais.labels import classes_of
from dsir.gais.selector import take_rows
from dsir.gais.unused import reads_metric
from dsir.model.features import HashedNgrams
from dsir.model.own_part import name_of
from dsir.output.claim import claimed
from dsir.output.folder import check_output_folder
from dsir.plural import counted
from dsir.progress import reporter
from dsir.remote import location_of
from dsir.sampling import KeyRule
from dsir.settings.machine import MachineOptions
from dsir.settings.ngram_options import NGRAMS, with_features
from dsir.settings.reading import ReadSettings

_ARGUMENTS = {
    **NGRAMS,
    **arguments_of(SelectorOptions),
    **{name: one for name, one in arguments_of(KeyRule).items() if name == "seed"},
    **{name: one for name, one in arguments_of(MachineOptions).items() if name == "threads"},
    **{name: one for name, one in arguments_of(ReadSettings).items() if name == "text_encoding"},
}

OutOption = Annotated[
    str,
    typer.Option("--out", "-o", metavar="PATH", help="Folder for the rows kept, e.g. small/."),
]
LabelOption = Annotated[
    str, typer.Option(metavar="COLUMN", help="The column of labels, e.g. class.")
]
FeaturesOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN,...",
        help="The columns to learn from, separated by commas, e.g. age,income. By default all "
        "columns but the label, those of --exclude, and the index of a pandas frame.",
    ),
]
ExcludeOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN,...",
        help="Columns not to learn from, in place of --features, e.g. id,date. The rows kept have "
        "them all the same. By default none.",
    ),
]
CategoricalOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN,...",
        help="Those of the columns that hold names in place of numbers, separated by commas, e.g. "
        "colour,country. By default none.",
    ),
]
TextOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="A column of texts, e.g. body: learn from its n-grams in place of --features.",
    ),
]
KeepOption = Annotated[
    str | None,
    typer.Option(
        metavar="N|SHARE%",
        help="How many rows to keep: a share, e.g. 4%, or a number, e.g. 500. By default 4%, or "
        "what --shares says in numbers.",
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Add a column with the number of rows that each kept row stands for, e.g. "
        "sample_weight, to train with. The trials of 'coverage' train with these weights as well.",
    ),
]
ReportOption = Annotated[
    bool,
    typer.Option(
        "--report",
        metavar="",
        help="First try the selection on four fifths of the rows: train three classifiers on the "
        "rows kept, on all rows and on a random draw, and show their accuracy on the last fifth.",
    ),
]


@command(_ARGUMENTS)
def gais(
    raw: options.Raw,
    out: OutOption,
    label: LabelOption,
    features: FeaturesOption = None,
    exclude: ExcludeOption = None,
    categorical: CategoricalOption = None,
    text: TextOption = None,
    keep: KeepOption = None,
    report: ReportOption = False,
    weights: WeightsOption = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    **given: Any,
) -> None:
    """Keep the few labelled rows of RAW that train nearly as well as all (GAIS).

    RAW is Parquet, JSON Lines or Arrow. All rows are read into memory. The rows kept are written as
    Parquet, one part for each input file that has any.

    **Examples**

    `dsir gais train.parquet --label class --keep 4% --out small/ --report`

    `dsir gais reviews/*.jsonl --label stars --text body --out small/`

    `dsir gais reviews/*.jsonl --label stars --text body --tokenizer chars --ngrams 3 --out small/`
    """
    hashed = with_features(given).get("features", HashedNgrams())
    seed = KeyRule(given.get("seed", 0)).seed
    how = SelectorOptions(**chosen(SelectorOptions, given))
    if isinstance(how.shares, Mapping) and keep is not None:
        raise SettingError(
            f"keep={keep}: the numbers by label already say how many rows to keep; leave one of "
            "the two out"
        )
    if text is not None and categorical is not None:
        raise SettingError("give text=... or categorical=..., not both")
    _refuse_unused(given, how, text, hashed.buckets, measured=report)
    kept_share = keep or "4%"
    searched = reads_metric(how.select_of(text, hashed.buckets), how.metric, how.shares)
    selector = GAIS(
        reduction_of(kept_share, 1),
        shares=how.shares,
        select=how.select,
        rank_by=how.rank_by,
        graph=how.graph,
        network=how.trains,
        scaling=how.scaling,
        distance=how.distance,
        epochs=how.epochs,
        passes=how.passes,
        # A metric that the search does not read is that of the report alone.
        metric=how.metric if searched else "accuracy",
        weights=weights is not None,
        categorical=_names(categorical),
        bins=how.bins,
        missing=how.missing,
        features=None if text is None else hashed,
        random_state=seed,
        n_jobs=thread_count(given.get("threads")),
        progress=not quiet,
    )
    selector.check()
    folder = location_of(out)
    check_output_folder(folder, overwrite=overwrite, resuming=False)
    shown = reporter(not quiet)
    with piped(raw) as (inputs, _):
        tables = read_instances(
            inputs,
            label=label,
            features=_names(features),
            exclude=_names(exclude),
            text=text,
            text_encoding=given.get("text_encoding"),
            shown=shown,
        )
    added = None if weights is None else tables.new_column("weights", weights)
    # Held before the training: the lock tells whether a store takes files.
    with _named_as_columns(label), claimed(folder) as claim:
        selector.set_params(reduction=reduction_of(kept_share, len(tables)))
        x, y = tables.inputs()
        if isinstance(how.shares, Mapping):
            selector.set_params(shares=with_labels(how.shares, classes_of(y, how.bins)))
        if report:
            shown.note("report: first a selection of four fifths of the rows")
        accuracy = _accuracy(selector, x, y, how.metric) if report else None
        rows = selector.fit(x, y).sample_indices_
        description = {
            "settings": _described_settings(tables, selector, kept_share, hashed, weights),
            "rows_kept": rows.tolist(),
            "report": accuracy,
        }
        check_output_folder(folder, overwrite=overwrite, resuming=False)
        with claim.unfinished(overwrite=overwrite):
            columns = {} if added is None else {added: selector.sample_weight_}
            paths = write_instances(tables, rows, folder, description, columns)
    if as_json:
        found = {
            "rows": len(tables),
            "written": len(rows),
            "report": accuracy,
            "paths": [str(path) for path in paths],
        }
        typer.echo(json.dumps(found, indent=2))
    elif not quiet:
        typer.echo(f"{out}: {len(rows):,} of {counted(len(tables), 'row')}")
        if accuracy is not None:
            _print_accuracy(accuracy)


@contextmanager
def _named_as_columns(label: str) -> Iterator[None]:
    """Turn X and y, which the Python API has and the command has not, into columns."""
    try:
        yield
    except SettingError as error:
        message = str(error).removeprefix("X: ")
        if "categorical=..., or leave" in message:
            message += " (--exclude)"
        if message.startswith("y: "):
            message = f"label={label}: {message.removeprefix('y: ')}"
        elif message.startswith(("y ", "y, ")):
            message = f"column {label!r}{message.removeprefix('y')}"
        raise SettingError(message) from error


def _refuse_unused(
    given: Mapping[str, Any],
    how: SelectorOptions,
    text: str | None,
    buckets: int,
    *,
    measured: bool,
) -> None:
    """Refuse options that this selection would not look at.

    Args:
        given: the options that were given.
        how: how to select.
        text: the column of texts.
        buckets: how many buckets their n-grams have.
        measured: whether the selection is tried on rows held out, and measured there.
    """
    for name in NGRAMS:
        if name in given and text is None:
            value = given[name]
            raise SettingError(
                f"{name}={name_of(value) if callable(value) else value}: n-grams are of a text "
                f"column; give text=... as well, or leave {name} out"
            )
    select = how.select_of(text, buckets)
    if how.network == "never" and select not in ("coverage", "column-coverage"):
        raise SettingError(
            f"network={how.network!r}: select={select!r} chooses by the network; leave one of "
            "the two out"
        )
    if "metric" in given and not reads_metric(select, how.metric, how.shares) and not measured:
        raise SettingError(
            f"metric={how.metric!r}: there are no trials with it for select={select!r}; leave one "
            "of the two out, or give report=True as well"
        )
    for name, ways in (("passes", ("coverage",)), ("rank_by", ("top", "sample"))):
        if name in given and select not in ways:
            wanted = " or ".join(f"select={way!r}" for way in ways)
            raise SettingError(
                f"{name}={given[name]!r}: is for {wanted}, not for select={select!r}; leave "
                "one of the two out"
            )


def _accuracy(selector: GAIS, x: Any, y: Any, metric: Metric) -> dict[str, Any]:
    if selector.missing == "drop":
        rows = present_rows(x, y, texts=selector.features is not None)
        x, y = take_rows(x, rows), take_rows(y, rows)
    return held_out_report(selector, x, y, metric)


def _names(columns: str | None) -> list[str] | None:
    return None if columns is None else [name.strip() for name in columns.split(",")]


def _described_settings(
    tables: InstanceTables, selector: GAIS, keep: str, hashed: HashedNgrams, weights: str | None
) -> dict[str, Any]:
    """Return the settings of a selection as JSON values."""
    arguments = selector.get_params()
    return {
        "label": tables.label,
        "features": None if tables.features is None else list(tables.features),
        "categorical": arguments["categorical"],
        "text": tables.text,
        **({} if tables.encoding is None else {"text_encoding": tables.encoding}),
        "keep": keep if isinstance(arguments["shares"], str) else None,
        "shares": shares_text(arguments["shares"]),
        "metric": arguments["metric"],
        "weights": weights,
        **{
            name: arguments[name]
            for name in (
                *("bins", "missing", "scaling", "distance", "select", "rank_by", "graph"),
                *("network", "epochs", "passes"),
            )
        },
        "ngrams": hashed.n,
        "buckets": hashed.buckets,
        **({} if tables.text is None else {"ngram_features": hashed.describe()}),
        "seed": arguments["random_state"],
    }


def _print_accuracy(report: Mapping[str, Any]) -> None:
    """Print what `held_out_report` found."""
    for metric in (name for name in get_args(Metric) if name in report):
        name = metric.replace("_", " ")
        typer.echo(f"{name} on {counted(report['held_out'], 'row')} held out, with")
        typer.echo(f"{'':8}  the rows kept  all rows  as many at random")
        for judge, values in report[metric].items():
            form = ".3f" if metric == "log_loss" else ".1%"
            kept, everything, random = values["kept"], values["everything"], values["random"]
            typer.echo(f"{judge:8}  {kept:13{form}}  {everything:8{form}}  {random:17{form}}")
