"""dsir fit."""

from __future__ import annotations

from typing import Annotated

import typer

import dsir
from dsir.cli import options
from dsir.cli.failures import reported
from dsir.corpus import Paths


def fit(
    raw: options.Raw,
    target: options.Target,
    out: Annotated[str, typer.Option("--out", "-o", metavar="PATH", help="The model file.")],
    text: options.Text = "text",
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
    threads: options.Threads = None,
    memory: options.Memory = None,
    on_error: options.OnError = "raise",
    max_bad_rows: options.MaxBadRows = None,
    max_bad_shards: options.MaxBadShards = None,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Fit an importance model: count the n-grams of RAW and of the target.

    **Examples**

    `dsir fit corpus/*.parquet --target wanted.jsonl --out model.dsir`

    `dsir fit corpus/ -t law=law/ -t news=news.jsonl --targets separate -o model.dsir`
    """
    with reported(debug=debug):
        model = dsir.fit(
            Paths(raw),
            options.targets_of(target),
            text=text,
            features=options.features_of(ngrams, buckets, tokenizer, hash_name, sentences),
            smoothing=smoothing,
            length=options.length_of(length),
            targets=targets,  # type: ignore[arg-type]
            proportions=options.proportions_of(proportions),
            fit_tokens=options.fit_tokens_of(fit_tokens),
            chunk_tokens=chunk_tokens,
            chunk_stride=chunk_stride,
            threads=threads,
            memory=memory,
            on_error=on_error,  # type: ignore[arg-type]
            max_bad_rows=max_bad_rows,
            max_bad_shards=max_bad_shards,
            progress=not quiet,
        )
        model.save(out)
        if not quiet:
            typer.echo(f"{out}: {model}")
