"""dsir fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import dsir
from dsir.arguments.declared import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.piped import negatives_in, piped
from dsir.output.folder import check_writable
from dsir.remote import location_of
from dsir.run.fit import FIT_SETTINGS
from dsir.settings.ngram_options import NGRAMS, with_features
from dsir.storage.atomic import refuse_special


@command({**arguments_of(*FIT_SETTINGS), **NGRAMS})
def fit(
    raw: options.Raw,
    target: options.Target,
    out: Annotated[
        str,
        typer.Option("--out", "-o", metavar="PATH", help="File to save the model to: model.dsir."),
    ],
    negatives: options.Negatives = None,
    quiet: options.Quiet = False,
    **given: Any,
) -> None:
    """Fit an importance model: count the n-grams of RAW and of the target.

    **Examples**

    `dsir fit corpus/*.parquet --target wanted.jsonl --out model.dsir`

    `dsir fit corpus/ -t law=law/ -t news=news.jsonl --targets separate -o model.dsir`

    `dsir fit corpus/ -t good.jsonl --estimator classifier --negatives spam.jsonl -o model.dsir`
    """
    place = location_of(out)
    refuse_special(place)
    if isinstance(place, Path):
        check_writable(place.parent, file=place)
    sources, given = options.targets_of(target, with_features(given))
    with piped(raw, sources) as (inputs, targets):
        unwanted = negatives_in(negatives)
        model = dsir.fit(inputs, targets, negatives=unwanted, progress=not quiet, **given)
    model.save(out)
    if not quiet:
        typer.echo(f"{out}: {model}")
