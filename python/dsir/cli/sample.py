"""dsir sample."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dsir.cli import options, quota_options
from dsir.cli.failures import reported
from dsir.cli.tables import print_accounts
from dsir.engine import open_engine
from dsir.progress import reporter
from dsir.remote import folder_of, location_of
from dsir.run.folders import sample_to_folder
from dsir.run.pipeline import Pipeline
from dsir.sampling import KeyRule
from dsir.settings.budget import Budget
from dsir.settings.draw import DrawSettings
from dsir.settings.quotas import check_dedup, check_quotas


def sample(
    scores: Annotated[
        str, typer.Argument(metavar="SCORES", help="Folder of scores, from 'dsir score'.")
    ],
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="PATH", help="Folder for the selected rows.")
    ],
    n: options.N = None,
    fraction: options.Fraction = None,
    tokens: options.Tokens = None,
    bytes_: quota_options.Bytes = None,
    allow_fewer: options.AllowFewer = False,
    method: options.Method = "resample",
    temperature: options.Temperature = 1.0,
    max_per: quota_options.MaxPerText = None,
    group_by: quota_options.GroupBy = None,
    dedup: quota_options.Dedup = "none",
    seed: options.Seed = 0,
    min_tokens: options.MinTokens = 100,
    threads: options.Threads = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Draw documents by their scores.

    **Example**

    `dsir sample scores/ --n 100000 --seed 1 --out rows/`
    """
    with reported(debug=debug):
        rule = KeyRule(seed, method, temperature)  # type: ignore[arg-type]
        settings = DrawSettings(
            Budget(n, fraction, tokens, bytes_),
            rule,
            min_tokens,
            allow_fewer,
            check_dedup(dedup),
            check_quotas(quota_options.max_per_of(max_per), group_by),
        )
        pipeline = Pipeline(open_engine(threads=threads), reporter(not quiet))
        with folder_of(location_of(scores)) as source, folder_of(location_of(out)) as folder:
            accounts = sample_to_folder(pipeline, source, settings, folder)
        if as_json:
            typer.echo(json.dumps({"metrics": accounts}, indent=2))
        elif not quiet:
            stages = {name: time.describe() for name, time in pipeline.times.items()}
            print_accounts(accounts, stages, [out])
