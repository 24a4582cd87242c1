"""dsir fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import dsir
from dsir.cli import options
from dsir.cli.failures import reported
from dsir.corpus import Paths


def fit(
    raw: options.Raw,
    target: options.Target,
    out: Annotated[Path, typer.Option("--out", "-o", help="The model file.")],
    text: options.Text = "text",
    ngrams: options.Ngrams = 2,
    buckets: options.Buckets = 10_000,
    tokenizer: options.Tokenizer = "wordpunct",
    hash_name: options.Hash = "fast",
    sentences: options.Sentences = "none",
    smoothing: options.Smoothing = 0.0,
    length: options.Length = "sum",
    fit_tokens: options.FitTokensText = "auto",
    threads: options.Threads = None,
    on_error: options.OnError = "raise",
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Fit an importance model: count the n-grams of RAW and of the target.

    **Example**

    `dsir fit corpus/*.parquet --target wanted.jsonl --out model.dsir`
    """
    with reported(debug=debug):
        model = dsir.fit(
            Paths(raw),
            Paths(target),
            text=text,
            features=options.features_of(ngrams, buckets, tokenizer, hash_name, sentences),
            smoothing=smoothing,
            length=length,  # type: ignore[arg-type]
            fit_tokens=options.fit_tokens_of(fit_tokens),
            threads=threads,
            on_error=on_error,  # type: ignore[arg-type]
            progress=not quiet,
        )
        model.save(out)
        if not quiet:
            typer.echo(f"{out}: {model}")
