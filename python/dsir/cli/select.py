"""dsir select."""

from __future__ import annotations

import json
from typing import Annotated

import typer

import dsir
from dsir.arguments import parse_byte_size, whole_number
from dsir.cli import options, quota_options
from dsir.cli.dry_run import print_survey, survey
from dsir.cli.failures import reported
from dsir.cli.tables import print_accounts
from dsir.corpus import Paths, resolve
from dsir.engine import open_engine
from dsir.model.targets import resolve_targets
from dsir.output.folder import check_output_folder
from dsir.remote import location_of
from dsir.run.combining import check_combine
from dsir.run.fit import check_fit_settings, check_on_error
from dsir.sampling import KeyRule
from dsir.settings.bad_data import check_bad_limits
from dsir.settings.budget import Budget
from dsir.settings.documents import check_preprocessing
from dsir.settings.memory import memory_limit
from dsir.settings.quotas import check_dedup, check_quotas


def select(
    raw: options.Raw,
    target: options.Target,
    out: options.Out,
    n: options.N = None,
    fraction: options.Fraction = None,
    tokens: options.Tokens = None,
    bytes_: quota_options.Bytes = None,
    allow_fewer: options.AllowFewer = False,
    text: options.Text = "text",
    method: options.Method = "resample",
    temperature: options.Temperature = 1.0,
    combine: options.CombineText = None,
    candidates: options.Candidates = 4.0,
    max_per: quota_options.MaxPerText = None,
    group_by: quota_options.GroupBy = None,
    dedup: quota_options.Dedup = "none",
    seed: options.Seed = 0,
    min_tokens: options.MinTokens = 100,
    ngrams: options.Ngrams = 2,
    buckets: options.Buckets = 10_000,
    tokenizer: options.Tokenizer = None,
    hash_name: options.Hash = "fast",
    sentences: options.Sentences = "none",
    smoothing: options.Smoothing = 0.0,
    length: options.LengthText = "sum",
    targets: options.Targets = "pooled",
    proportions: options.ProportionsText = None,
    fit_tokens: options.FitTokensText = "auto",
    chunk_tokens: options.ChunkTokens = None,
    chunk_stride: options.ChunkStride = None,
    filters: options.Filters = None,
    preprocessing: options.PreprocessingName = "none",
    workdir: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Keeps every stage's results; the same call goes on where it stopped.",
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    shard_size: options.ShardSize = "256MB",
    weight_column: options.WeightColumn = "log_weight",
    target_column: options.TargetColumn = "target",
    threads: options.Threads = None,
    memory: options.Memory = None,
    on_error: options.OnError = "raise",
    max_bad_rows: options.MaxBadRows = None,
    max_bad_shards: options.MaxBadShards = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be read, and how much.")
    ] = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    config: options.Config = None,
    debug: options.Debug = False,
) -> None:
    """Select the documents of RAW that are distributed like the target.

    Parquet in, Parquet out, with every column and the log-weight; JSON Lines in, the original lines
    out, byte for byte. Equal inputs, settings and seed give equal files, for any number of threads.

    **Examples**

    `dsir select corpus/*.parquet --target wanted.jsonl --n 100000 --out selected/`

    `dsir select corpus/ -t wanted.parquet --tokens 1000000000 -o out/ --workdir work/`

    `dsir select corpus/ -t wanted.parquet --fraction 0.02 -o out/ --length mean --temperature 0.1`

    `dsir select corpus/ -t law=law/ -t news=news.jsonl --targets separate --n 100000 -o out/`

    `dsir select corpus/ -t wanted.jsonl --preprocessing paper --n 100000 -o out/`

    `dsir select corpus/ -t wanted.jsonl --bytes 10GB --dedup exact --max-per source=0.2 -o out/`

    `dsir select s3://corpus/web/ -t wanted.jsonl --n 100000 -o s3://corpus/selected`

    `dsir select --config run.yaml --seed 7`
    """
    del config
    with reported(debug=debug, resumable=workdir is not None):
        features = options.features_of(
            ngrams, buckets, tokenizer, hash_name, sentences, preprocessing
        )
        target_sources = options.targets_of(target)
        if dry_run:
            Budget(n, fraction, tokens, bytes_)
            check_quotas(quota_options.max_per_of(max_per), group_by)
            check_dedup(dedup)
            KeyRule(seed, method, temperature)  # type: ignore[arg-type]
            whole_number("min_tokens", min_tokens, 0)
            check_on_error(on_error)
            check_bad_limits(max_bad_rows, max_bad_shards, on_error)
            check_combine(options.combine_of(combine), candidates, targets)
            check_preprocessing(
                preprocessing,  # type: ignore[arg-type]
                chunk_tokens,
                chunk_stride,
                filters,
            ).refuse_short_windows(min_tokens)
            target_corpora = resolve_targets(target_sources, text)
            check_fit_settings(
                features,
                targets,  # type: ignore[arg-type]
                options.proportions_of(proportions),
                target_corpora.names,
                smoothing,
                options.length_of(length),
                options.fit_tokens_of(fit_tokens),
            )
            parse_byte_size("shard_size", shard_size)
            memory_limit(memory, open_engine(threads=threads).threads)
            check_output_folder(location_of(out), overwrite=overwrite, resuming=workdir is not None)
            surveys = [
                survey(resolve(Paths(raw), text=text, name="raw")),
                *map(survey, target_corpora.corpora),
            ]
            if as_json:
                typer.echo(json.dumps(surveys, indent=2))
            else:
                print_survey(surveys)
            return
        selection = dsir.select(
            Paths(raw),
            target_sources,
            n=n,
            fraction=fraction,
            tokens=tokens,
            bytes=bytes_,
            max_per=quota_options.max_per_of(max_per),
            group_by=group_by,
            dedup=dedup,  # type: ignore[arg-type]
            text=text,
            features=features,
            method=method,  # type: ignore[arg-type]
            temperature=temperature,
            combine=options.combine_of(combine),
            candidates=candidates,
            length=options.length_of(length),
            seed=seed,
            min_tokens=min_tokens,
            smoothing=smoothing,
            targets=targets,  # type: ignore[arg-type]
            proportions=options.proportions_of(proportions),
            fit_tokens=options.fit_tokens_of(fit_tokens),
            chunk_tokens=chunk_tokens,
            chunk_stride=chunk_stride,
            filters=filters,
            preprocessing=preprocessing,  # type: ignore[arg-type]
            out=out,
            workdir=workdir,
            overwrite=overwrite,
            allow_fewer=allow_fewer,
            shard_size=shard_size,
            weight_column=weight_column,
            target_column=target_column,
            threads=threads,
            memory=memory,
            on_error=on_error,  # type: ignore[arg-type]
            max_bad_rows=max_bad_rows,
            max_bad_shards=max_bad_shards,
            progress=not quiet,
        )
        paths = [str(path) for path in selection.paths]
        if as_json:
            skipped = [entry.to_json() for entry in selection.skipped]
            found = {"metrics": selection.metrics, "paths": paths, "skipped": skipped}
            typer.echo(json.dumps(found, indent=2))
        elif not quiet:
            print_accounts(selection.metrics, selection.metrics["stages"], paths)
